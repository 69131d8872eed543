"""Teachers' own sheets with our stamps: printed, looked at, filled, scanned and read back."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import img2pdf
import numpy as np
import pikepdf
import pypdfium2
import pytest
from PIL import Image

from api.command_line import run
from omr.geometry import Rectangle
from omr.layout import (
    Bubble,
    BubblePrint,
    Layout,
    PageLayout,
    QuestionKind,
    QuestionLayout,
    read_layout,
    write_layout,
)
from omr.page import Page
from omr.read_page import ReadingPlan, read_page
from omr.reading import PageStatus, ReadingStatus
from omr.sheet_code import student_digest
from sample_scans.bubble_fillings import Filling, draw_filling
from sample_scans.scanner import ScannerModel, scan
from scoring.exam_file import read_exam
from tests.ruled_sheets import RuledSheet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from omr.pixels import Gray

DPI = 200
MM = DPI / 25.4
LABELS = "アイウエ"
ROSTER = "student_id,grade,class,number,name,kana\n" + "".join(
    f"s-{n},2,1,{n},見本 {n:02},ミホン {n:02}\n" for n in range(1, 4)
)


@dataclass(frozen=True)
class OwnSheet:
    """A teacher's sheet, its layout and an exam for it, in one folder."""

    folder: Path
    sheet: Path

    def stamp(self, *options: str, roster: bool = True, sheet: Path | None = None) -> int:
        """Call `saiten print --onto`."""
        call = ["print", str(self.folder / "exam.toml"), "--onto", str(sheet or self.sheet)]
        call += ["--sheet-layout", str(self.folder / "in.json"), "-o", str(self.printed)]
        call += ["--layout", str(self.folder / "out.json"), *options]
        return run(call + (["--roster", str(self.folder / "roster.csv")] if roster else []))

    @property
    def printed(self) -> Path:
        """SHEETS.pdf."""
        return self.folder / "sheets.pdf"

    @property
    def layout(self) -> Layout:
        """OUT.json."""
        return read_layout(self.folder / "out.json")

    def read(self, pictures: list[Gray]) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
        """Read scans by the layout that was written; the rows of pages.csv and answers.csv."""
        scans = self.folder / "scans.pdf"
        scans.write_bytes(img2pdf.convert([_png(one) for one in pictures]))
        call = ["read", str(self.folder / "exam.toml"), str(scans), "-o", str(self.folder / "out")]
        call += ["--layout", str(self.folder / "out.json"), "--roster", str(self.folder / "roster.csv")]
        assert run([*call, "--workers", "1"]) == 0
        return _rows(self.folder / "out" / "pages.csv"), _rows(self.folder / "out" / "answers.csv")


def _png(picture: Gray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "PNG", dpi=(DPI, DPI))
    return stream.getvalue()


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def _pictures(pdf: Path | bytes, dpi: float = DPI) -> list[Gray]:
    with pypdfium2.PdfDocument(pdf) as document:
        pages = [page.render(scale=dpi / 72, grayscale=True).to_numpy() for page in document]
    return [np.array(page).reshape(page.shape[:2]) for page in pages]


def _own_sheet(
    folder: Path,
    draw: Callable[[RuledSheet, int], tuple[QuestionLayout, ...]],
    size: tuple[float, float],
    pages: int = 1,
) -> OwnSheet:
    sheet = RuledSheet(folder / "sheet.pdf", size)
    layouts = []
    for number in range(1, pages + 1):
        if number > 1:
            sheet.next_page()
        layouts.append(PageLayout(number, *size, draw(sheet, number)))
    layout = Layout(tuple(layouts), reference="sheet.pdf")
    write_layout(layout, folder / "in.json")
    exam = '[exam]\ntitle = "考査"\nsubject = "社会"\ndate = 2026-11-27\n'
    for _, question in layout.questions():
        exam += f'\n[[question]]\nid = "{question.id}"\nkind = "{question.kind}"\npoints = 2\n'
        if question.bubbles:
            exam += 'choices = ["ア", "イ", "ウ", "エ"]\nanswer = ["イ"]\n'
        else:
            exam += 'answer = ["明治"]\n'
    (folder / "exam.toml").write_text(exam, encoding="utf-8")
    (folder / "roster.csv").write_text(ROSTER, encoding="utf-8")
    return OwnSheet(folder, sheet.save())


def _wordlike(sheet: RuledSheet, number: int, margin: float = 18.0) -> tuple[QuestionLayout, ...]:
    """Margins, a title, a name line, a table, rows of bubbles and large frames."""
    w, h = sheet.size
    sheet.text(margin + 20, margin + 8, "２学期期末考査　社会　解答用紙", 16)
    sheet.text(w - margin - 70, margin + 18, "2年　　組　　番　氏名", 10)
    sheet.frame(w - margin - 32, margin + 12, 32, 9)
    questions, top = [], margin + 26
    for column in range(3):
        wide = (w - 2 * margin) / 3
        sheet.label(margin + column * wide, top, 10, 11, str(column + 1))
        box = Rectangle(margin + column * wide + 10, top, wide - 10, 11)
        sheet.answer(box.x, box.y, box.w, box.h)
        questions.append(QuestionLayout(f"{number}-{column + 1}", QuestionKind.TEXT, box=box))
    for row in range(5):
        y = top + 18 + 12 * row
        sheet.label(margin, y, 12, 10, f"({row + 1})")
        bubbles = [Bubble(margin + 20 + 12 * k, y + 2, 5, 6, label=one) for k, one in enumerate(LABELS)]
        for one in bubbles:
            sheet.oval(one.x, one.y, one.w, one.h, one.label)
        questions.append(QuestionLayout(f"{number}-b{row}", QuestionKind.CHOICE, bubbles=tuple(bubbles)))
    y = top + 84
    while y + 24 < h - margin:
        box = Rectangle(margin, y, w - 2 * margin, 20)
        sheet.answer(box.x, box.y, box.w, box.h)
        questions.append(QuestionLayout(f"{number}-e{y:.0f}", QuestionKind.TEXT, box=box))
        y += 24
    return tuple(questions)


def _dense(sheet: RuledSheet, number: int, margin: float = 10.0) -> tuple[QuestionLayout, ...]:
    """One table over the whole page."""
    w, h = sheet.size
    sheet.frame(margin, margin, w - 2 * margin, h - 2 * margin)
    sheet.text(margin + 20, margin + 10, "国語　解答用紙", 16)
    questions, wide = [], (w - 2 * margin) / 6
    for row in range(int((h - 2 * margin - 16) // 15)):
        for column in range(6):
            box = Rectangle(margin + column * wide, margin + 16 + row * 15, wide, 15)
            sheet.answer(box.x, box.y, box.w, box.h)
            questions.append(QuestionLayout(f"{number}-{row}-{column}", QuestionKind.TEXT, box=box))
    return tuple(questions)


SHEETS = {
    "Word, 18 mm": (_wordlike, (210.0, 297.0), 1),
    "Word, 15 mm": (lambda sheet, number: _wordlike(sheet, number, 15.0), (210.0, 297.0), 2),
    "B5": (_wordlike, (182.0, 257.0), 1),
    "B4 across": (_wordlike, (364.0, 257.0), 1),
    "dense B4": (_dense, (257.0, 364.0), 1),
    "dense B4 across": (_dense, (364.0, 257.0), 1),
    "dense A3 across": (_dense, (420.0, 297.0), 1),
}


@pytest.fixture(params=SHEETS, scope="module")
def own(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> OwnSheet:
    """Every make of sheet, stamped for a class."""
    sheet = _own_sheet(tmp_path_factory.mktemp("own"), *SHEETS[request.param])
    assert sheet.stamp() == 0
    return sheet


@pytest.fixture
def word(tmp_path: Path) -> OwnSheet:
    """One ordinary sheet, not stamped yet."""
    return _own_sheet(tmp_path, _wordlike, (210.0, 297.0))


def test_no_stamp_covers_print_or_an_answer(own: OwnSheet) -> None:
    original = _pictures(own.sheet)
    stamped = _pictures(own.printed)
    assert len(stamped) == 3 * len(original)
    for page, before, after in zip(own.layout.pages, original, stamped, strict=False):
        stamps = [one for one in (page.qr, page.second_qr, page.name_box, *page.fiducials) if one is not None]
        answers = [a for q in page.questions for a in (*q.bubbles, *([q.box] if q.box else []))]
        for stamp in stamps:
            assert stamp.x > 4
            assert stamp.right < page.width - 4
            assert not any(stamp.expanded(1.0).intersects(answer) for answer in answers)
        for one, other in _pairs(stamps):
            assert not one.intersects(other)
        _assert_only_stamps_added(before, after, stamps, page)


def _pairs(areas: list[Rectangle]) -> list[tuple[Rectangle, Rectangle]]:
    return [(one, other) for at, one in enumerate(areas) for other in areas[at + 1 :]]


def _assert_only_stamps_added(before: Gray, after: Gray, stamps: list[Rectangle], page: PageLayout) -> None:
    """White under every stamp in the original (where it was not shrunk), and nothing else has changed."""
    rest = after.copy()
    for stamp in stamps:
        around = stamp.expanded(0.3)
        area = np.s_[
            int(around.y * MM) : int(around.bottom * MM), int(around.x * MM) : int(around.right * MM)
        ]
        rest[area] = 255
    if np.count_nonzero(rest < 128) > 0.985 * np.count_nonzero(before < 128):
        size = (min(rest.shape[0], before.shape[0]), min(rest.shape[1], before.shape[1]))
        moved = (rest[: size[0], : size[1]] < 128) != (before[: size[0], : size[1]] < 128)
        assert np.count_nonzero(moved) < 0.02 * np.count_nonzero(before < 128)
    else:  # shrunk: the boxes' frames are where the layout says
        boxes = [question.box for question in page.questions if question.box]
        assert boxes
        for box in boxes:
            x, y = round(box.x * MM), round(box.centre[1] * MM)
            assert rest[y, x - 2 : x + 3].min() < 128


def test_everyone_is_read_back(own: OwnSheet) -> None:
    """Every page's code, marks and empty boxes, straight, upside down and turned."""
    layout, random = own.layout, np.random.default_rng(7)
    plan = ReadingPlan(layout, read_exam(own.folder / "exam.toml").id)
    right = total = empty = boxes = 0
    for index, picture in enumerate(_pictures(own.printed)):
        page = layout.pages[index % len(layout.pages)]
        truth = _fill_page(picture, page, index, random)
        model = ScannerModel(
            dpi=DPI, skew_deg=(0.0, 1.2, -1.5)[index % 3], quarter_turns=(0, 2, 1)[index % 3], noise=2.0
        )
        reading = read_page(Page(scan(picture, DPI, model, random)), plan)
        assert (reading.status, reading.reason) == (PageStatus.READ, "")
        assert reading.code is not None
        assert reading.code.student == student_digest(f"s-{index // len(layout.pages) + 1}")
        assert reading.sheet_page == page.number
        for answer in reading.answers:
            if answer.kind is QuestionKind.CHOICE:
                total += 1
                assert answer.status is ReadingStatus.DOUBTFUL or answer.labels == truth[answer.question]
                right += answer.status is not ReadingStatus.DOUBTFUL
            else:
                boxes += 1
                empty += answer.status is ReadingStatus.BLANK
    assert right >= 0.95 * total
    assert empty >= 0.95 * boxes


def test_marks_and_students_come_out_of_the_command(word: OwnSheet) -> None:
    assert word.stamp() == 0
    random, truth, scans = np.random.default_rng(5), set(), []
    for index, picture in enumerate(_pictures(word.printed)):
        filled = _fill_page(picture, word.layout.pages[0], index, random)
        truth |= {(f"s-{index + 1}", question, ";".join(labels)) for question, labels in filled.items()}
        scans.append(scan(picture, DPI, ScannerModel(dpi=DPI, skew_deg=0.8), random))
    read, answers = word.read(scans)
    assert [row["status"] for row in read] == ["read"] * 3
    choices = [row for row in answers if row["kind"] == "choice"]
    assert {(row["student"], row["question"], row["reading"]) for row in choices} == truth
    assert {row["status"] for row in choices} == {"ok", "blank"}


def _fill_page(
    picture: Gray, page: PageLayout, index: int, random: np.random.Generator
) -> dict[str, tuple[str, ...]]:
    """Mark one bubble of most choices; what was marked."""
    truth: dict[str, tuple[str, ...]] = {}
    for place, question in enumerate(one for one in page.questions if one.bubbles):
        marked = (index + place) % 5
        if marked < 4:
            _fill(picture, question.bubbles[marked], random)
        truth[question.id] = tuple(LABELS[marked : marked + 1])
    return truth


def _fill(picture: Gray, bubble: Rectangle, random: np.random.Generator) -> None:
    x, y = bubble.centre
    where = (x * MM - 0.5, y * MM - 0.5)
    draw_filling(picture, where, (bubble.w * MM, bubble.h * MM), Filling.FULL, random, MM)


def test_blank_set_is_read_by_its_digit_bubbles(word: OwnSheet) -> None:
    assert word.stamp(roster=False) == 0
    (picture,) = _pictures(word.printed)
    (page,) = word.layout.pages
    random = np.random.default_rng(3)
    for digits, digit in zip(page.identity, "20103", strict=True):
        _fill(picture, digits.bubbles[int(digit)], random)
    plan = ReadingPlan(word.layout, read_exam(word.folder / "exam.toml").id)
    reading = read_page(Page(scan(picture, DPI, ScannerModel(dpi=DPI, skew_deg=0.7), random)), plan)
    assert reading.identity is not None
    assert reading.identity.status is ReadingStatus.OK
    assert reading.identity.digits == ("2", "01", "03")


def test_the_layout_says_what_it_is(word: OwnSheet) -> None:
    assert word.stamp() == 0
    layout, given = word.layout, read_layout(word.folder / "in.json")
    assert layout.reference is None
    assert layout.bubble_print is BubblePrint.FOREIGN
    assert [page.questions for page in layout.pages] == [page.questions for page in given.pages]
    digest = layout.digest
    assert word.stamp(roster=False) == 0
    assert word.layout.digest == digest  # spare blank sheets are read together with the named ones


def test_the_sheet_stays_drawn_and_is_stored_once(word: OwnSheet) -> None:
    students = "".join(f"t-{n},2,1,{n},見本 {n:03},\n" for n in range(1, 121))
    (word.folder / "roster.csv").write_text(ROSTER.splitlines()[0] + "\n" + students, encoding="utf-8")
    assert word.stamp() == 0
    assert word.printed.stat().st_size < 120 * 6_000
    with pikepdf.open(word.printed) as document:
        forms = {page.resources.XObject["/Sheet"].objgen for page in document.pages}
        fonts = [
            item for item in document.objects if isinstance(item, pikepdf.Dictionary) and "/FontName" in item
        ]
        assert len(forms) == 1
        assert all("/FontFile2" in font for font in fonts)
    with pypdfium2.PdfDocument(word.printed) as document:
        text = document[5].get_textpage().get_text_range()
        assert "解答用紙" in text
        assert "見本 006" in text


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_turned_pdf_page_is_stamped_as_it_is_shown(word: OwnSheet, turn: int) -> None:
    """The same look, stored turned and with a page box that does not start at zero."""
    shown = _pictures(word.sheet)[0]
    with pikepdf.open(word.sheet, allow_overwriting_input=True) as document:
        page = document.pages[0]
        width, height = (float(side) for side in list(page.mediabox)[2:])
        matrix = {
            90: (0, 1, -1, 0, height, 0),
            180: (-1, 0, 0, -1, width, height),
            270: (0, -1, 1, 0, 0, width),
        }[turn]
        page.contents_add(("q " + " ".join(map(str, matrix)) + " cm 1 0 0 1 20 30 cm").encode(), prepend=True)
        page.contents_add(b"Q")
        sides = (width, height) if turn == 180 else (height, width)
        shift = {90: (-30, 20), 180: (-20, -30), 270: (30, -20)}[turn]
        page.mediabox = pikepdf.Rectangle(*shift, shift[0] + sides[0], shift[1] + sides[1])
        page.Rotate = turn
        document.save(word.sheet)
    assert np.abs(_pictures(word.sheet)[0].astype(int) - shown).mean() < 1
    assert word.stamp() == 0
    stamped = _pictures(word.printed)[0]
    added = (stamped < 100) & (shown > 200)
    lost = (stamped > 200) & (shown < 100)
    assert np.count_nonzero(added) > 10_000
    assert np.count_nonzero(lost) < 200


def test_a_scanned_sheet_is_stamped_too(word: OwnSheet) -> None:
    picture = scan(_pictures(word.sheet)[0], DPI, ScannerModel(dpi=DPI, noise=1.5), np.random.default_rng(1))
    for name in ("sheet.png", "sheet.jpg", "sheet.tif"):
        path = word.folder / name
        Image.fromarray(picture).save(path, dpi=(DPI, DPI))
        assert word.stamp(sheet=path) == 0
        plan = ReadingPlan(word.layout, read_exam(word.folder / "exam.toml").id)
        assert read_page(Page(_pictures(word.printed)[0]), plan).status is PageStatus.READ


def _lock(sheet: Path) -> None:
    with pikepdf.open(sheet, allow_overwriting_input=True) as document:
        document.save(sheet, encryption=pikepdf.Encryption(owner="a", user="b"))


def _cut(sheet: Path) -> None:
    sheet.write_bytes(sheet.read_bytes()[:300])


def _mix(sheet: Path) -> None:
    with pikepdf.open(sheet, allow_overwriting_input=True) as document:
        document.add_blank_page(page_size=(842, 595))
        document.save(sheet)


def _letter(sheet: Path) -> None:
    with pikepdf.open(sheet, allow_overwriting_input=True) as document:
        document.pages[0].mediabox = pikepdf.Rectangle(0, 0, 612, 792)
        document.save(sheet)


def _add_page(sheet: Path) -> None:
    with pikepdf.open(sheet, allow_overwriting_input=True) as document:
        document.pages.append(document.pages[0])
        document.save(sheet)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_lock, "パスワード"),
        (_cut, "壊れて"),
        (_mix, "1ページ目と違います"),
        (_letter, "A4・A3・B4・B5"),
        (_add_page, "2ページ、--sheet-layout のレイアウトは1ページ"),
        (lambda sheet: sheet.unlink(), "見つかりません"),
        (lambda sheet: (sheet.parent / "in.json").write_text("{}"), "in.json"),
    ],
)
def test_wrong_sheets_end_in_a_sentence(
    word: OwnSheet, spoil: Callable[[Path], None], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(word.sheet)
    assert word.stamp() == 2
    message = capsys.readouterr().err
    assert words in message
    assert message.count("\n") == 1


def test_a_locked_sheet_is_stamped_with_its_password(
    word: OwnSheet, capsys: pytest.CaptureFixture[str]
) -> None:
    assert word.stamp() == 0
    plain = _pictures(word.printed)
    _lock(word.sheet)
    assert word.stamp("--password", "c") == 2
    assert "違います" in capsys.readouterr().err
    for password in ("a", "b"):
        assert word.stamp("--password", password) == 0
        assert all(np.array_equal(*pair) for pair in zip(_pictures(word.printed), plain, strict=True))


def test_a_page_without_room_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def draw(sheet: RuledSheet, number: int) -> tuple[QuestionLayout, ...]:
        if number == 1:
            return _wordlike(sheet, number)
        for row in range(58):
            sheet.text(1, 4 + 5 * row, "あ" * 60, 10)
        box = Rectangle(50, 50, 20, 10)
        return (QuestionLayout("2-1", QuestionKind.TEXT, box=box),)

    assert _own_sheet(tmp_path, draw, (210.0, 297.0), 2).stamp() == 2
    message = capsys.readouterr().err
    assert "2ページ目は、92%に縮小しても" in message
    assert message.count("\n") == 1


def test_the_teachers_files_are_not_written_over(word: OwnSheet, capsys: pytest.CaptureFixture[str]) -> None:
    before = word.sheet.read_bytes()
    assert word.stamp("-o", str(word.sheet)) == 2
    assert word.stamp("--layout", str(word.folder / "in.json")) == 2
    assert capsys.readouterr().err.count("別の名前") == 2
    assert word.sheet.read_bytes() == before


def test_options_that_belong_together(word: OwnSheet, capsys: pytest.CaptureFixture[str]) -> None:
    exam, out = str(word.folder / "exam.toml"), str(word.printed)
    assert run(["print", exam, "--onto", str(word.sheet), "-o", out]) == 2
    assert run(["print", exam, "--sheet-layout", str(word.folder / "in.json"), "-o", out]) == 2
    assert capsys.readouterr().err.count("両方いっしょに") == 2


def test_duplex_starts_every_set_on_a_new_sheet(word: OwnSheet) -> None:
    assert word.stamp("--duplex") == 0
    pictures = _pictures(word.printed, 50)
    assert [bool((one < 128).any()) for one in pictures] == [True, False] * 3
