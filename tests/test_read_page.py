"""A page read whole: what was put in comes out, and what can't be read says why."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omr.design import Orientation, Paper, Writing
from omr.errors import Trouble
from omr.gray import DAMAGE_WARNING
from omr.layout import IdentityField, QuestionKind
from omr.page import Page
from omr.read_page import Crops, ReadingPlan, read_page
from omr.reading import AnswerReading, PageReading, PageStatus, ReadingStatus
from sample_scans.bubble_fillings import MARKED, Filling
from sample_scans.scanner import Condition, ScannerModel, draw_model, scan
from tests.printed_sheets import DPI, PrintedSheet, design_sheet, draw_line, mark, print_sheet


def _scan(page: np.ndarray, model: ScannerModel | None = None, seed: int = 0) -> Page:
    return Page(scan(page, DPI, model or ScannerModel(skew_deg=0.7), np.random.default_rng(seed)))


def _read(sheet: PrintedSheet, page: Page, **changes: object) -> PageReading:
    plan = ReadingPlan(sheet.layout, sheet.design.exam_id)
    return read_page(page, replace(plan, **changes))  # type: ignore[arg-type]


def _answer(reading: PageReading, question: str) -> AnswerReading:
    return next(answer for answer in reading.answers if answer.question == question)


@pytest.fixture
def sheet() -> PrintedSheet:
    return print_sheet(design_sheet())


@pytest.mark.parametrize(
    "filling", [one for one in Filling if one not in (Filling.NEXT_TO, Filling.CANCELLED)]
)
def test_fillings_are_read_as_meant_or_doubted(sheet: PrintedSheet, filling: Filling) -> None:
    page = sheet.copy()
    questions = [one for one in sheet.layout.pages[0].questions if one.kind is QuestionKind.CHOICE]
    for seed, question in enumerate(questions):
        mark(page, question.bubbles[seed % 4], filling, seed)
    reading = _read(sheet, _scan(page))
    assert reading.status is PageStatus.READ
    sure = 0
    for seed, question in enumerate(questions):
        answer = _answer(reading, question.id)
        meant = (question.bubbles[seed % 4].label,) if filling in MARKED else ()
        assert answer.status is ReadingStatus.DOUBTFUL or answer.labels == meant
        sure += answer.status is not ReadingStatus.DOUBTFUL
    if filling in (Filling.EMPTY, Filling.FULL, Filling.LIGHT, Filling.SCRIBBLED):
        assert sure == len(questions)


def test_two_clear_marks_are_both_reported(sheet: PrintedSheet) -> None:
    page = sheet.copy()
    question = sheet.layout.pages[0].questions[0]
    mark(page, question.bubbles[0])
    mark(page, question.bubbles[3], seed=1)
    answer = _answer(_read(sheet, _scan(page)), question.id)
    assert (answer.status, answer.labels, answer.reading) == (ReadingStatus.OK, ("ア", "エ"), "ア;エ")
    assert answer.confidence is not None
    assert answer.confidence > 0.98


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    paper=st.sampled_from(Paper),
    orientation=st.sampled_from(Orientation),
    writing=st.sampled_from(Writing),
    condition=st.sampled_from(Condition),
    marks=st.lists(st.sets(st.integers(0, 3)), min_size=6, max_size=6),
    seed=st.integers(0, 2**31),
)
def test_any_sheet_any_scan_reads_back_what_was_marked(
    paper: Paper,
    orientation: Orientation,
    writing: Writing,
    condition: Condition,
    marks: list[set[int]],
    seed: int,
) -> None:
    sheet = print_sheet(design_sheet(paper=paper, orientation=orientation, writing=writing, choices=6))
    random = np.random.default_rng(seed)
    page = sheet.copy()
    questions = [one for one in sheet.layout.pages[0].questions if one.kind is QuestionKind.CHOICE]
    for question, chosen in zip(questions, marks, strict=False):
        for index in chosen:
            mark(page, question.bubbles[index], Filling.FULL, seed + index)
    reading = _read(sheet, Page(scan(page, DPI, draw_model(condition, random), random)))
    assert reading.status is PageStatus.READ or reading.reason
    for question, chosen in zip(questions, marks, strict=False):
        if reading.status is PageStatus.READ:
            answer = _answer(reading, question.id)
            meant = tuple(question.bubbles[index].label for index in sorted(chosen))
            assert answer.status is ReadingStatus.DOUBTFUL or answer.labels == meant


def test_written_boxes_are_blank_only_when_bare(sheet: PrintedSheet) -> None:
    page = sheet.copy()
    boxes = {one.id: one.box for one in sheet.layout.pages[0].questions if one.box is not None}
    reading = _read(sheet, _scan(page))
    assert [_answer(reading, one).status for one in boxes] == [ReadingStatus.BLANK] * len(boxes)
    assert all((_answer(reading, one).confidence or 0) > 0.95 for one in boxes)
    for box in boxes.values():
        x, y = box.centre
        draw_line(page, (x - 2, y - 1.5), (x + 2, y + 2), 0.4, gray=190)
    reading = _read(sheet, _scan(page))
    for one in boxes:
        answer = _answer(reading, one)
        assert (answer.status, answer.reading, answer.confidence) == (ReadingStatus.DOUBTFUL, "", None)


def test_a_box_blackened_all_over_is_not_blank(sheet: PrintedSheet) -> None:
    page = sheet.copy()
    box = _answer_box(sheet, "n1")
    scale = DPI / 25.4
    page[
        round(box.y * scale) : round(box.bottom * scale), round(box.x * scale) : round(box.right * scale)
    ] = 30
    assert _answer(_read(sheet, _scan(page)), "n1").status is ReadingStatus.DOUBTFUL


def test_a_code_crossed_by_a_pen_is_still_read(sheet: PrintedSheet) -> None:
    page = sheet.copy()
    layout = sheet.layout.pages[0]
    assert layout.qr is not None
    assert layout.second_qr is not None
    for qr in (layout.qr, layout.second_qr):
        draw_line(page, (qr.x, qr.y + 4), (qr.right, qr.bottom - 4), 0.5)
    reading = _read(sheet, _scan(page))
    assert reading.status is PageStatus.READ
    assert reading.code is not None
    assert reading.code.page == 1


def test_pages_of_other_exams_and_layouts_say_so(sheet: PrintedSheet) -> None:
    other_exam = print_sheet(design_sheet(exam_id="OTHER"))
    other_layout = print_sheet(design_sheet(choices=5))
    assert _read(sheet, _scan(other_exam.copy())).trouble == Trouble.OTHER_EXAM
    assert _read(sheet, _scan(other_layout.copy())).trouble == Trouble.OTHER_LAYOUT
    assert "別の試験" in _read(sheet, _scan(other_exam.copy())).reason


def test_an_empty_back_is_blank_and_a_faint_note_is_not(sheet: PrintedSheet) -> None:
    back = np.full_like(sheet.pages[0], 255)
    assert _read(sheet, _scan(back)).status is PageStatus.BLANK
    draw_line(back, (60, 60), (75, 66), 0.5, gray=150)
    assert _read(sheet, _scan(back)).status is PageStatus.QUARANTINED


def test_a_page_lost_in_a_damaged_file_is_no_empty_back(sheet: PrintedSheet) -> None:
    lost = Page(np.full_like(sheet.pages[0], 255), warning=DAMAGE_WARNING)
    reading = _read(sheet, lost)
    assert (reading.status, reading.trouble) == (PageStatus.QUARANTINED, Trouble.DAMAGED_PAGE)


def test_on_a_damaged_page_nothing_is_sure(sheet: PrintedSheet) -> None:
    reading = _read(sheet, replace(_scan(sheet.copy()), warning=DAMAGE_WARNING))
    assert reading.status is PageStatus.READ
    for answer in reading.answers:
        assert answer.status is ReadingStatus.DOUBTFUL
        if answer.kind is not QuestionKind.CHOICE:
            assert answer.confidence is None


def test_a_picture_of_something_else_is_set_aside(sheet: PrintedSheet) -> None:
    random = np.random.default_rng(1)
    small = random.integers(0, 255, (40, 30)).astype(np.uint8)
    picture = np.asarray(cv2.resize(small, (1654, 2339), interpolation=cv2.INTER_CUBIC), np.uint8)
    reading = _read(sheet, Page(picture))
    assert reading.status is PageStatus.QUARANTINED
    assert reading.trouble == Trouble.NO_FIDUCIALS
    assert reading.answers == ()


@pytest.mark.parametrize("shape", [(1, 1), (5, 900), (900, 5), (60, 60)])
def test_tiny_pictures_are_set_aside(sheet: PrintedSheet, shape: tuple[int, int]) -> None:
    reading = _read(sheet, Page(np.full(shape, 128, np.uint8)))
    assert reading.status is PageStatus.QUARANTINED
    assert reading.reason


def test_damage_makes_every_answer_doubtful(sheet: PrintedSheet) -> None:
    page = replace(_scan(sheet.copy()), warning="画像の一部が壊れています。")
    reading = _read(sheet, page)
    assert reading.reason == "画像の一部が壊れています。"
    assert {answer.status for answer in reading.answers} == {ReadingStatus.DOUBTFUL}


def test_a_blank_set_tells_the_pupil_by_its_digits() -> None:
    sheet = print_sheet(design_sheet(), None)
    page = sheet.copy()
    rows = sheet.layout.pages[0].identity
    for row, digit in zip(rows, "20307", strict=True):
        if digit != "0":
            mark(page, row.bubbles[int(digit)])
    reading = _read(sheet, _scan(page))
    assert reading.identity is not None
    assert reading.identity.status is ReadingStatus.OK
    assert [reading.identity[one] for one in IdentityField] == ["2", "3", "7"]
    mark(page, rows[-1].bubbles[1], seed=3)
    assert _read(sheet, _scan(page)).identity.status is ReadingStatus.DOUBTFUL  # type: ignore[union-attr]
    assert _read(sheet, _scan(sheet.copy())).identity.status is ReadingStatus.BLANK  # type: ignore[union-attr]


def test_crops_are_the_scan_s_own_pixels(sheet: PrintedSheet) -> None:
    page = _scan(sheet.copy())
    reading = _read(sheet, page, crops=Crops.ALL)
    assert [crop.question for crop in reading.crops] == [answer.question for answer in reading.answers]
    picture = np.asarray(cv2.imdecode(np.frombuffer(reading.crops[0].data, np.uint8), cv2.IMREAD_GRAYSCALE))
    found = cv2.matchTemplate(page.gray, picture, cv2.TM_SQDIFF)
    _, _, (left, top), _ = cv2.minMaxLoc(found)
    high, wide = picture.shape
    assert np.array_equal(page.gray[top : top + high, left : left + wide], picture)
    to_grade = _read(sheet, page, crops=Crops.TO_GRADE)
    assert [crop.question for crop in to_grade.crops] == ["s1", "n1", "t1", "e1"]


def _answer_box(sheet: PrintedSheet, question: str):  # type: ignore[no-untyped-def]
    return next(one.box for one in sheet.layout.pages[0].questions if one.id == question)
