"""Ten answer sheets of different make, as teachers make them in a word processor and in a spreadsheet."""

from __future__ import annotations

from tests.teacher_documents import Cell, Document, Run, Table

_THIN = "0.5pt solid #000000"
_THICK = "1.5pt solid #000000"
_DOUBLE = "0.071cm double #000000"
_DOTTED = "0.75pt dotted #000000"
_DASHED = "0.75pt dashed #000000"
_NONE = ""
_B4_LANDSCAPE = (364.0, 257.0)


def teacher_sheets() -> dict[str, Document]:
    """The sheets by name; 40 answers on most."""
    return {
        "numbers-above": _numbers_above(),
        "merged-sections": _merged_sections(),
        "spreadsheet-some-sides": _some_sides(),
        "vertical-japanese": _vertical(),
        "two-halves": _two_halves(),
        "nested-double": _nested_and_double(),
        "dotted-dashed": _dotted(),
        "circles": _circles(),
        "brackets-underlines": _brackets_and_underlines(),
        "points-column": _points_column(),
    }


def _head(*, with_score: bool = True) -> Table:
    """年 組 番 氏名 得点, as on most sheets."""
    cells = [Cell("2年", size=11), Cell(""), Cell("組"), Cell(""), Cell("番"), Cell("氏名"), Cell("")]
    widths = [14.0, 12, 9, 12, 9, 16, 68]
    if with_score:
        cells += [Cell("得点"), Cell("")]
        widths += [16, 20]
    return Table(widths, [11], [cells])


def _numbers_above() -> Document:
    """Four double rows: ten numbers over ten answers."""
    rows = []
    for row in range(4):
        numbers = range(row * 10 + 1, row * 10 + 11)
        rows += [[Cell(f"{one}") for one in numbers], [Cell("", f"{one}") for one in numbers]]
    return Document(
        [
            [Run("1学期中間考査　理科　解答用紙", size=16)],
            _head(),
            "",
            Table([17] * 10, [7, 12] * 4, rows),
        ]
    )


def _merged_sections() -> Document:
    """Sections of eight in cells merged over four rows; a heading row merged over all columns."""
    rows = [[Cell("解　答　欄", columns=5)]]
    for section in range(5):
        for row in range(4):
            cells = [Cell(f"{section + 1}", rows=4, size=14)] if row == 0 else []
            for column in range(2):
                number = row * 2 + column + 1
                cells += [Cell(f"({number})"), Cell("", f"{section + 1}-{number}", border=_THIN)]
            rows.append(cells)
    return Document(
        [
            [Run("2学期期末考査　社会　解答用紙", size=14)],
            _head(),
            "",
            Table([14, 14, 68, 14, 68], [8, *[10] * 20], rows),
        ],
        font="IPAMincho",
    )


def _some_sides() -> Document:
    """A spreadsheet in which every cell has its upper and left border only, as one clicks them together."""
    upper_left = (_THIN, _NONE, _NONE, _THIN)
    rows = [
        [Cell("数学Ⅰ　解答用紙", columns=8, border=_NONE, size=16)],
        [Cell("氏名", border=_THIN), Cell("", columns=4), Cell("得点"), Cell("", columns=2)],
        [Cell("", columns=8, border=_NONE)],
    ]
    for row in range(10):
        cells = []
        for column in range(4):
            number = row + column * 10 + 1
            cells += [
                Cell(f"問{number}", border=upper_left),
                Cell("", f"{number}", border=(_THIN, _THIN if column == 3 else _NONE, _NONE, _THIN)),
            ]
        rows.append(cells)
    rows.append([Cell("", columns=8, border=(_THIN, _NONE, _NONE, _NONE))])
    return Document([Table([12, 31] * 4, [12, 10, 6, *[13] * 10, 6], rows)], is_spreadsheet=True)


def _vertical() -> Document:
    """国語: two bands of columns from right to left, the number over each answer."""
    numbers = "一二三四五六七八九十"
    body: list[list[Run] | str | Table] = [[Run("国語　解答用紙", size=14)]]
    for section in range(4):
        cells = [
            [
                *([Cell(numbers[section], rows=5, size=12)] if row == 0 else []),
                Cell(f"問{numbers[row]}"),
                Cell("", f"{section + 1}-{row + 1}"),
                Cell(f"問{numbers[row + 5]}"),
                Cell("", f"{section + 1}-{row + 6}"),
            ]
            for row in range(5)
        ]
        body += ["", Table([16, 18, 85, 18, 85], [11] * 5, cells)]
    return Document(body, _B4_LANDSCAPE, is_vertical=True)


def _two_halves() -> Document:
    """B4 landscape in a spreadsheet, a table of 20 on each half."""
    rows = [
        [
            Cell("英語　解答用紙", columns=4, border=_NONE, size=16),
            Cell("", border=_NONE),
            Cell("氏名"),
            Cell("", columns=3),
        ],
        [Cell("", columns=9, border=_NONE)],
    ]
    for row in range(10):
        cells: list[Cell] = []
        for half in range(2):
            if half:
                cells.append(Cell("", border=_NONE))
            for column in range(2):
                number = half * 20 + column * 10 + row + 1
                cells += [Cell(f"({number})"), Cell("", f"{number}")]
        rows.append(cells)
    table = Table([14, 60, 14, 60, 24, 14, 60, 14, 60], [14, 8, *[18] * 10], rows)
    return Document([table], _B4_LANDSCAPE, is_spreadsheet=True)


def _nested_and_double() -> Document:
    """A frame round each section, with a table of its own inside; double lines round the answers."""
    body: list[list[Run] | str | Table] = [[Run("保健体育　解答用紙", size=14)], _head()]
    for section in range(4):
        inner = []
        for row in range(2):
            cells = []
            for column in range(5):
                number = row * 5 + column + 1
                cells += [
                    Cell(f"{number}", border=_DOUBLE if section % 2 else _THIN),
                    Cell("", f"{section + 1}-{number}", border=_DOUBLE if section % 2 else _THIN),
                ]
            inner.append(cells)
        table = Table([8, 22] * 5, [14, 14], inner)
        body += ["", Table([174], [44], [[Cell(table, border=_THICK)]])]
        body.insert(-1, f"第{section + 1}問")
    return Document(body)


def _dotted() -> Document:
    """Solid outside, dotted and dashed between the answers."""
    rows = []
    for row in range(10):
        inner = _DOTTED if row % 2 else _DASHED
        cells = []
        for column in range(4):
            number = column * 10 + row + 1
            top = _THICK if row == 0 else inner
            bottom = _THICK if row == 9 else inner
            right = _THICK if column == 3 else _THIN
            left = _THICK if column == 0 else _THIN
            cells += [
                Cell(f"({number})", border=(top, _DOTTED, bottom, left)),
                Cell("", f"{number}", border=(top, right, bottom, _DOTTED)),
            ]
        rows.append(cells)
    return Document(
        [[Run("技術・家庭　解答用紙", size=14)], _head(), "", Table([11, 33] * 4, [13] * 10, rows)],
        font="IPAMincho",
    )


def _circles() -> Document:
    """Choices as typed circles, beside a table with circled numbers for labels."""
    body: list[list[Run] | str | Table] = [[Run("情報Ⅰ　解答用紙", size=14)], _head(), ""]
    for number in range(1, 21):
        letters = "①②③④" if number <= 10 else "㋐㋑㋒㋓"
        runs = [Run(f"問{number}　　", size=14)]
        for letter in letters:
            runs += [Run(letter, f"{number}={letter}", size=14), Run("　　", size=14)]
        body += [runs, [Run("", size=5)]]
    rows = []
    for row in range(2):
        numbers = [f"{21 + row * 10 + column}" for column in range(10)]
        rows += [[Cell(chr(0x3251 + int(n) - 21) if int(n) <= 35 else f"({n})") for n in numbers]]
        rows += [[Cell("", n) for n in numbers]]
    body += ["", Table([14] * 10, [8, 11] * 2, rows)]
    return Document(body)


def _brackets_and_underlines() -> Document:
    """Answers in brackets and on lines, typed."""
    body: list[list[Run] | str | Table] = [[Run("英語コミュニケーション　解答用紙", size=14)], ""]
    body.append([Run("氏名（　　　　　　　　　　　　）　　得点（　　　　　）")])
    for number, (opening, closing) in enumerate(
        [("（", "）"), ("「", "」"), ("［", "］"), ("【", "】"), ("〔", "〕"), ("(", ")"), ("[", "]")] * 2, 1
    ):
        body += ["", [Run(f"問{number}　{opening}"), Run("　" * 9, f"{number}"), Run(closing)]]
    for number in range(15, 23):
        if number <= 18:
            line = Run("　" * 12, f"{number}", underlined=True)
        else:
            line = Run("＿" * 12, f"{number}")
        body += ["", [Run(f"({number})　"), line, Run("　。" if number % 2 else "")]]
    body += ["", "注意　問題用紙の「　」に入る語（答え）は、[1]から順に書くこと。", "下線部＿＿を訳せ。"]
    return Document(body)


def _points_column() -> Document:
    """A row of columns: number, answer, points (配点), score (得点); totals below."""
    head = [Cell(one) for one in ("番号", "解　答", "配点", "得点") * 2]
    rows = [head]
    for row in range(20):
        cells = []
        for half in range(2):
            number = half * 20 + row + 1
            cells += [Cell(f"{number}"), Cell("", f"{number}"), Cell("2"), Cell("")]
        rows.append(cells)
    rows.append([Cell("合　計", columns=6, centred=False), Cell("", columns=2)])
    return Document(
        [
            [Run("3学期学年末考査　地理　解答用紙", size=14)],
            _head(with_score=False),
            "",
            Table([12, 50, 12, 14] * 2, [8, *[10] * 20, 11], rows),
        ]
    )
