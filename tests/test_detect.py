"""The detection of answer boxes on sheets that teachers rule themselves."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omr.detect import DetectedBox, detect_boxes, detect_layout
from omr.errors import InputError
from omr.layout import QuestionKind
from omr.printed_text import read_printed_text
from omr.question_numbers import parse_question_number
from omr.sheet_page import SheetPage
from tests.ruled_sheets import RuledSheet, bilevel, scanned, turned

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from omr.geometry import Rectangle
    from omr.layout import Layout

A4 = (210.0, 297.0)
TOLERANCE_MM = 0.5


def assert_found(found: Sequence[DetectedBox], truth: Sequence[Rectangle]) -> None:
    """Every true box is found within half a millimetre, and nothing else."""
    edges = [
        sorted((b.x, b.y, b.right, b.bottom) for b in boxes)
        for boxes in ([f.rectangle for f in found], truth)
    ]
    assert len(edges[0]) == len(edges[1])
    by_place = [np.array(sorted(one, key=lambda e: (round(e[1] / 3), e[0]))) for one in edges]
    assert np.abs(by_place[0] - by_place[1]).max() <= TOLERANCE_MM


def layout_of(sheet: RuledSheet, dpi: float = 200) -> Layout:
    characters = read_printed_text(sheet.save())
    return detect_layout(
        SheetPage(sheet.picture(dpi, index), sheet.size, page) for index, page in enumerate(characters)
    )


def ids(layout: Layout) -> list[str]:
    return [question.id for _, question in layout.questions()]


def table_of_40(path: Path) -> RuledSheet:
    sheet = RuledSheet(path)
    sheet.text(20, 20, "2学期期末考査 数学 解答用紙", 16)
    for row in range(10):
        for column in range(4):
            x, y = 15 + column * 45, 40 + row * 10
            sheet.label(x, y, 11, 10, f"({row * 4 + column + 1})")
            sheet.answer(x + 11, y, 34, 10)
    return sheet


@pytest.fixture(scope="module")
def forty(tmp_path_factory: pytest.TempPathFactory) -> RuledSheet:
    sheet = table_of_40(tmp_path_factory.mktemp("sheet") / "forty.pdf")
    sheet.save()
    return sheet


@pytest.mark.parametrize("dpi", [150, 200, 300, 600])
def test_a_table_of_40_cells_is_found_at_every_resolution(forty: RuledSheet, dpi: int) -> None:
    assert_found(detect_boxes(forty.picture(dpi), A4), forty.truth)


@pytest.mark.parametrize(
    "as_scanned",
    [
        pytest.param(lambda gray: turned(gray, 1), id="turned 1°"),
        pytest.param(lambda gray: turned(gray, -2), id="turned -2°"),
        pytest.param(lambda gray: scanned(turned(gray, 0.7), 1), id="turned, blurred, shaded, noisy"),
        pytest.param(bilevel, id="bilevel"),
        pytest.param(lambda gray: bilevel(scanned(turned(gray, -1.3), 2)), id="turned, noisy, bilevel"),
        pytest.param(lambda gray: cv2.imdecode(cv2.imencode(".jpg", gray, [1, 40])[1], 0), id="jpeg"),
    ],
)
def test_a_table_of_40_cells_is_found_on_a_scan(
    forty: RuledSheet, as_scanned: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
) -> None:
    assert_found(detect_boxes(as_scanned(forty.picture(200)), A4), forty.truth)


def test_gaps_in_copied_lines_are_bridged(forty: RuledSheet) -> None:
    gray = forty.picture(200).copy()
    random = np.random.default_rng(3)
    for y, x in zip(*(random.integers(0, side - 3, 2500) for side in gray.shape), strict=True):
        gray[y : y + 3, x : x + 3] = 255
    assert_found(detect_boxes(gray, A4), forty.truth)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(
    columns=st.integers(1, 5),
    rows=st.integers(1, 12),
    height=st.floats(7, 18),
    line=st.floats(0.3, 1.5),
    dpi=st.sampled_from([150, 200, 300, 400]),
    skew=st.floats(-2, 2),
)
def test_any_table_is_found_whole(
    columns: int, rows: int, height: float, line: float, dpi: int, skew: float
) -> None:
    with TemporaryDirectory() as folder:
        sheet = RuledSheet(Path(folder) / "sheet.pdf")
        sheet.canvas.setLineWidth(line)
        width = 170 / columns
        for row in range(rows):
            for column in range(columns):
                x, y = 20 + column * width, 30 + row * height
                sheet.label(x, y, 10, height, f"({row + 1})", 8)
                sheet.answer(x + 10, y, width - 10, height)
        sheet.save()
        picture = sheet.picture(dpi)
    assert_found(detect_boxes(scanned(turned(picture, skew), 8), A4), sheet.truth)


def test_merged_cells_nested_frames_double_and_dotted_lines(tmp_path: Path) -> None:
    sheet = RuledSheet(tmp_path / "sheet.pdf")
    sheet.frame(8, 8, 194, 281)  # round the whole page
    sheet.label(15, 20, 160, 10, "一 次の問いに答えなさい")  # a header merged over all columns
    sheet.label(15, 30, 12, 30, "A")  # merged over three rows
    for row in range(3):
        sheet.label(27, 30 + row * 10, 12, 10, "アイウ"[row])
        sheet.answer(39, 30 + row * 10, 60, 10)
    sheet.label(99, 30, 16, 30, "問4")
    sheet.answer(115, 30, 60, 30)
    sheet.frame(20, 80, 90, 30)
    sheet.answer(21, 81, 88, 28)  # a double line
    sheet.frame(120, 75, 70, 60)  # a frame round two boxes
    sheet.answer(125, 80, 60, 15)
    sheet.answer(125, 110, 60, 15)
    sheet.canvas.setDash(1, 2)
    sheet.answer(20, 150, 60, 20)
    sheet.canvas.setDash(4, 3)
    sheet.answer(100, 150, 60, 20)
    sheet.canvas.setDash()
    sheet.canvas.setLineWidth(2.5)
    sheet.answer(20, 190, 60, 20)
    sheet.canvas.setLineWidth(0.25)
    sheet.answer(100, 190, 60, 20)
    sheet.save()
    for gray in (sheet.picture(200), bilevel(sheet.picture(300)), scanned(turned(sheet.picture(200), 1), 4)):
        assert_found(detect_boxes(gray, A4), sheet.truth)


def test_manuscript_squares_are_one_box_with_their_lines(tmp_path: Path) -> None:
    sheet = RuledSheet(tmp_path / "sheet.pdf")
    sheet.grid(20, 30, 8, 8, 10, 5)
    for column in range(10):  # 原稿用紙 with narrow columns between
        sheet.grid(20 + column * 10, 100, 7, 7, 1, 15)
    sheet.save()
    plain, ruby = detect_boxes(sheet.picture(), A4)
    assert plain.kind is ruby.kind is QuestionKind.ESSAY
    for box, truth in ((plain, (20, 30, 100, 70)), (ruby, (20, 100, 117, 205))):
        edges = (box.rectangle.x, box.rectangle.y, box.rectangle.right, box.rectangle.bottom)
        assert np.abs(np.subtract(edges, truth)).max() <= TOLERANCE_MM
    assert len(plain.lines) == 9 + 4


def test_small_squares_with_labels_of_their_own_stay_apart(tmp_path: Path) -> None:
    sheet = RuledSheet(tmp_path / "sheet.pdf")
    for column in range(20):
        sheet.label(20 + column * 8, 30, 8, 6, str(column + 1), 7)
        sheet.answer(20 + column * 8, 36, 8, 8)
    layout = layout_of(sheet)
    assert ids(layout) == [str(number) for number in range(1, 21)]
    assert {question.kind for _, question in layout.questions()} == {QuestionKind.SYMBOL}


def test_ruled_lines_of_an_essay_are_one_box(tmp_path: Path) -> None:
    sheet = RuledSheet(tmp_path / "sheet.pdf")
    sheet.label(20, 30, 15, 40, "問1")
    sheet.grid(35, 30, 150, 8, 1, 5)
    layout = layout_of(sheet)
    [(_, question)] = layout.questions()
    assert (question.id, question.kind, len(question.lines)) == ("1", QuestionKind.ESSAY, 4)


def test_kinds_follow_from_the_shape(tmp_path: Path) -> None:
    sheet = RuledSheet(tmp_path / "sheet.pdf")
    sheet.answer(20, 30, 12, 12)
    sheet.answer(20, 60, 60, 10)
    sheet.answer(20, 90, 150, 40)
    sheet.save()
    kinds = [box.kind for box in detect_boxes(sheet.picture(), A4)]
    assert kinds == [QuestionKind.SYMBOL, QuestionKind.TEXT, QuestionKind.ESSAY]


def test_units_and_small_numbers_may_stand_in_a_box(tmp_path: Path) -> None:
    sheet = RuledSheet(tmp_path / "sheet.pdf")
    for index, unit in enumerate(("cm", "円", "x=")):
        sheet.answer(20 + index * 55, 30, 50, 14)
        sheet.text(21 + index * 55, 34, f"({index + 1})", 8)
        sheet.text(62 + index * 55, 42, unit, 9)
    layout = layout_of(sheet)
    assert ids(layout) == ["1", "2", "3"]
    assert_found(detect_boxes(sheet.picture(), A4), sheet.truth)


def test_a_box_with_a_unit_is_no_label_of_the_box_behind_it(tmp_path: Path) -> None:
    sheet = RuledSheet(tmp_path / "sheet.pdf")
    sheet.answer(20, 30, 35, 12)
    sheet.text(48, 38, "cm", 10)
    sheet.answer(55, 30, 35, 12)
    sheet.save()
    assert_found(detect_boxes(sheet.picture(), A4), sheet.truth)


def test_boxes_for_name_and_marks_are_left_out(tmp_path: Path) -> None:
    sheet = RuledSheet(tmp_path / "sheet.pdf")
    for x, w, text in ((20, 12, "組"), (44, 12, "番"), (68, 16, "氏 名")):
        sheet.label(x, 15, w, 10, text)
        sheet.frame(x + w, 15, 12 if w == 12 else 60, 10)
    sheet.label(160, 10, 30, 8, "得 点")
    sheet.frame(160, 18, 30, 15)
    sheet.text(22, 42, "3 次の計算をしなさい。", 10)
    for x, w, text in ((20, 12, "番号"), (32, 80, "解答"), (112, 16, "配点"), (128, 16, "得点")):
        sheet.label(x, 50, w, 8, text, 8)
    for row in range(4):
        sheet.label(20, 58 + row * 10, 12, 10, str(row + 1))
        sheet.answer(32, 58 + row * 10, 80, 10)
        sheet.frame(112, 58 + row * 10, 16, 10)
        sheet.frame(128, 58 + row * 10, 16, 10)
    sheet.label(112, 98, 16, 12, "合計")
    sheet.frame(128, 98, 16, 12)
    layout = layout_of(sheet)
    assert len(sheet.truth) == len(ids(layout)) == 4
    for (_, question), truth in zip(layout.questions(), sheet.truth, strict=True):
        assert question.box is not None
        assert question.box.x == pytest.approx(truth.x, abs=TOLERANCE_MM)
        assert question.box.y == pytest.approx(truth.y, abs=TOLERANCE_MM)


def test_questions_are_named_by_the_printed_numbers(tmp_path: Path) -> None:
    sheet = RuledSheet(tmp_path / "sheet.pdf")
    sheet.label(15, 30, 10, 20, "1", 14)
    for index in range(4):
        x, y = 25 + index % 2 * 60, 30 + index // 2 * 10
        sheet.label(x, y, 12, 10, f"({index + 1})")
        sheet.answer(x + 12, y, 48, 10)
    sheet.text(15, 62, "第2問", 12)
    for index in range(3):
        sheet.text(17 + index * 50, 73, f"問{'一二三'[index]}", 10)
        sheet.answer(27 + index * 50, 65, 30, 12)
    sheet.text(15, 92, "[3]", 12)
    sheet.label(15, 95, 15, 20, "問1")
    for row in range(2):
        sheet.label(30, 95 + row * 10, 10, 10, "①②"[row])
        sheet.answer(40, 95 + row * 10, 60, 10)
    sheet.label(15, 115, 15, 10, "問2")
    sheet.answer(30, 115, 40, 10)
    sheet.answer(70, 115, 40, 10)  # two answers to one question
    sheet.next_page()
    sheet.label(15, 20, 15, 10, "問3")
    sheet.frame(30, 20, 100, 10)
    expected = ["1-1", "1-2", "1-3", "1-4", "2-1", "2-2", "2-3", "3-1-1", "3-1-2", "3-2", "3-2b", "3-3"]
    assert ids(layout_of(sheet)) == expected


def test_two_columns_of_one_section_are_put_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    sheet = RuledSheet(tmp_path / "sheet.pdf")
    sheet.text(20, 26, "第1問", 12)
    for index in range(8):
        x, y = 20 + index // 4 * 90, 30 + index % 4 * 10
        sheet.label(x, y, 14, 10, f"問{index + 1}")
        sheet.frame(x + 14, y, 66, 10)
    sheet.label(20, 80, 14, 10, "問9")
    for index, letter in enumerate("イロハ"):
        sheet.label(34 + index * 50, 80, 10, 10, letter)
        sheet.frame(44 + index * 50, 80, 40, 10)
    sheet.frame(20, 110, 60, 10)
    expected = [*(f"1-{number}" for number in range(1, 9)), "1-9-イ", "1-9-ロ", "1-9-ハ", "枠1"]
    assert ids(layout_of(sheet)) == expected


def test_numbers_that_begin_again_without_a_heading_are_counted_as_sections(tmp_path: Path) -> None:
    sheet = RuledSheet(tmp_path / "sheet.pdf")
    for row, number in enumerate((1, 2, 3, 1, 2)):
        sheet.label(20, 30 + row * 12, 12, 10, f"({number})")
        sheet.frame(32, 30 + row * 12, 60, 10)
    assert ids(layout_of(sheet)) == ["1-1", "1-2", "1-3", "2-1", "2-2"]


def test_headings_in_cells_at_the_side_of_their_cell_are_no_answers(tmp_path: Path) -> None:
    sheet = RuledSheet(tmp_path / "sheet.pdf")
    for section in range(2):
        top = 30 + section * 60
        sheet.frame(20, top, 160, 8)
        sheet.text(22, top + 6, f"{section + 1} 次の問いに答えよ", 10)
        for index in range(4):
            x, y = 20 + index % 2 * 80, top + 8 + index // 2 * 10
            sheet.frame(x, y, 20, 10)
            sheet.text(x + 1, y + 7, f"問{index + 1}", 10)  # left-aligned
            sheet.answer(x + 20, y, 60, 10)
    sheet.save()
    assert_found(detect_boxes(scanned(sheet.picture(), 6), A4), sheet.truth)
    assert ids(layout_of(sheet)) == [f"{section}-{index}" for section in (1, 2) for index in range(1, 5)]


@pytest.mark.parametrize("shade", [0.5, 0.8, 0.92])
def test_shaded_label_cells_are_no_answers(tmp_path: Path, shade: float) -> None:
    sheet = RuledSheet(tmp_path / "sheet.pdf")
    for row in range(4):
        for width, x in ((20, 20), (20, 110)):
            sheet.canvas.setFillGray(shade)
            sheet.canvas.rect(
                x * 72 / 25.4, (297 - 40 - row * 10) * 72 / 25.4, width * 72 / 25.4, 10 * 72 / 25.4, fill=1
            )
            sheet.canvas.setFillGray(1.0 if shade < 0.6 else 0.0)
            sheet.label(x, 30 + row * 10, width, 10, f"問{row + 1}")
            sheet.answer(x + width, 30 + row * 10, 60, 10)
    sheet.save()
    for gray in (sheet.picture(), scanned(sheet.picture(150), 7)):
        assert_found(detect_boxes(gray, A4), sheet.truth)


def test_boxes_without_print_are_counted_in_reading_order(tmp_path: Path) -> None:
    sheet = RuledSheet(tmp_path / "sheet.pdf")
    for row in range(3):
        for column in range(2):
            sheet.frame(20 + column * 90, 30 + row * 30, 60, 12)
    layout = layout_of(sheet)
    places = [(q.box.x, q.box.y) for _, q in layout.questions() if q.box]
    assert ids(layout) == list("123456")
    assert places == sorted(places, key=lambda place: (round(place[1]), place[0]))


def test_halves_of_a_landscape_sheet_are_read_one_after_the_other(tmp_path: Path) -> None:
    sheet = RuledSheet(tmp_path / "sheet.pdf", (364, 257))
    for half in range(2):
        sheet.text(20 + half * 180, 30, f"大問{half + 1}", 12)
        for row in range(5):
            sheet.label(20 + half * 180, 40 + row * 12, 14, 12, f"({row + 1})")
            sheet.frame(34 + half * 180, 40 + row * 12, 120, 12)
    expected = [f"{half}-{row}" for half in (1, 2) for row in range(1, 6)]
    assert ids(layout_of(sheet)) == expected


def test_vertical_writing_runs_from_right_to_left(tmp_path: Path) -> None:
    sheet = RuledSheet(tmp_path / "sheet.pdf", (364, 257))
    sheet.downward(340, 20, "国語解答用紙二学期期末考査", 12)
    for section in range(2):
        right = 320 - section * 110
        sheet.label(right - 12, 20, 12, 12, "一二"[section], 12)
        for index in range(4):
            x = right - 30 - index * 18
            sheet.frame(x, 20, 18, 16)
            sheet.downward(x + 6, 22, f"問{'一二三四'[index]}", 11)
            sheet.frame(x, 36, 18, 80)
    layout = layout_of(sheet)
    assert ids(layout) == [f"{section}-{index}" for section in (1, 2) for index in range(1, 5)]


def test_rows_of_bubbles_are_choices(tmp_path: Path) -> None:
    sheet = RuledSheet(tmp_path / "sheet.pdf")
    for row in range(3):
        sheet.label(20, 30 + row * 10, 12, 10, f"({row + 1})")
        sheet.frame(32, 30 + row * 10, 60, 10)
        for column in range(4):
            sheet.oval(38 + column * 12, 32 + row * 10, 4.2, 6, "アイウエ"[column])
    layout = layout_of(sheet)
    assert ids(layout) == ["1", "2", "3"]
    for row, (_, question) in enumerate(layout.questions()):
        assert question.kind is QuestionKind.CHOICE
        assert [bubble.label for bubble in question.bubbles] == list("アイウエ")
        first = question.bubbles[0]
        assert (
            np.abs(np.subtract((first.x, first.y, first.w, first.h), (38, 32 + row * 10, 4.2, 6))).max()
            < TOLERANCE_MM
        )


def test_text_is_no_row_of_bubbles(tmp_path: Path) -> None:
    sheet = RuledSheet(tmp_path / "sheet.pdf")
    sheet.text(20, 30, "OOOOO 00000 ○○○○○ 口口口 田田田 ああああ", 18)
    sheet.answer(20, 60, 60, 12)
    sheet.save()
    assert_found(detect_boxes(sheet.picture(), A4), sheet.truth)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", "1"), ("（２）", "2"), ("③", "3"), ("問一", "1"), ("第十二問", "12"), ("[4]", "4"), ("Ⅱ", "2"),
        ("ア", "ア"), ("(イ)", "イ"), ("㋒", "ウ"), ("1.", "1"), ("1(2)", "1-2"), ("問3-①", "3-1"), ("問1(4点)", "1"),
        ("(2)記号", "2"), ("氏名", None), ("12点", None), ("2学期", None), ("cm", None), ("x=", None), ("1年", None), ("", None),
    ],
)  # fmt: skip
def test_question_numbers(text: str, expected: str | None) -> None:
    number = parse_question_number(text)
    assert (number.name if number else None) == expected


def test_a_page_without_boxes_says_what_to_do() -> None:
    random = np.random.default_rng(5)
    blank = np.full((2339, 1654), 255, np.uint8)
    bordered = cv2.copyMakeBorder(blank[20:-20, 20:-20], 20, 20, 20, 20, cv2.BORDER_CONSTANT, value=0)
    noise = random.integers(0, 256, blank.shape, np.uint8)
    coarse = random.integers(0, 256, (60, 40), np.uint8)
    blobs = np.asarray(cv2.resize(coarse, (1654, 2339), interpolation=cv2.INTER_CUBIC), np.uint8)
    for gray in (blank, bordered, noise, blobs, np.zeros((1, 1), np.uint8)):
        with pytest.raises(InputError, match="解答欄が見つかりません"):
            detect_layout([SheetPage(np.asarray(gray, np.uint8), A4)])
