"""Pages that can't be read by themselves, and what a person's word makes of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omr.errors import Trouble
from omr.geometry import apply
from omr.layout import IdentityField, Layout, QuestionKind
from omr.page import Page
from omr.page_hints import PageHints, Turn, corner_points, hints_from_json, hints_to_json
from omr.read_page import ReadingPlan, read_page
from omr.reading import PageReading, PageStatus, ReadingStatus
from omr.reference import load_reference
from sample_scans.scanner import ScannerModel, page_to_scan, scan
from tests.own_sheets import fill_page, make_own_sheet
from tests.printed_sheets import DPI, OWNER, PrintedSheet, design_sheet, mark, print_sheet

if TYPE_CHECKING:
    from pathlib import Path

    from omr.design import SheetOwner
    from omr.geometry import Rectangle
    from omr.layout import PageLayout
    from omr.page_hints import Corners
    from omr.pixels import Gray

MODEL = ScannerModel(skew_deg=0.7)
MARKED = "アイウエアイウエ"
TURNS: tuple[Turn, ...] = (0, 90, 180, 270)


def _hide(page: Gray, boxes: list[Rectangle]) -> None:
    scale = DPI / 25.4
    for box in boxes:
        wide = box.expanded(1)
        rows = slice(max(0, round(wide.y * scale)), round(wide.bottom * scale))
        page[rows, max(0, round(wide.x * scale)) : round(wide.right * scale)] = 255


def _codes(layout: PageLayout) -> list[Rectangle]:
    return [box for box in (layout.qr, layout.second_qr) if box is not None]


def _corners(layout: PageLayout, off_mm: float = 0.0) -> Corners:
    """Where the corner points lie on a scan by `MODEL`, each moved a little."""
    points = corner_points(layout) + off_mm * np.array([(1, 0), (0, -1), (-1, 0), (0, 1)])
    one, two, three, four = apply(page_to_scan(MODEL, layout.width, layout.height), points).tolist()
    return (one[0], one[1]), (two[0], two[1]), (three[0], three[1]), (four[0], four[1])


def _filled(owner: SheetOwner | None = OWNER) -> tuple[PrintedSheet, Gray]:
    """A sheet with one choice of every question marked, its codes hidden."""
    sheet = print_sheet(design_sheet(), owner)
    page = sheet.copy()
    for at, question in enumerate(sheet.layout.pages[0].questions):
        if question.bubbles:
            mark(page, question.bubbles[at % 4])
    _hide(page, _codes(sheet.layout.pages[0]))
    return sheet, page


def _read(sheet: PrintedSheet, gray: Gray, hints: PageHints | None = None) -> PageReading:
    return read_page(Page(gray), ReadingPlan(sheet.layout, sheet.design.exam_id), hints=hints)


def _labels(reading: PageReading) -> str:
    """What is marked, question after question."""
    return "".join(answer.reading for answer in reading.answers if answer.kind is QuestionKind.CHOICE)


def _scan(page: Gray) -> Gray:
    return scan(page, DPI, MODEL, np.random.default_rng(0))


@pytest.mark.parametrize("turn", TURNS)
def test_a_page_without_its_code_is_read_as_the_page_that_a_person_names(turn: Turn) -> None:
    sheet, page = _filled()
    straight = _scan(page)
    lying = np.ascontiguousarray(np.rot90(straight, turn // 90))
    assert _read(sheet, lying).trouble == Trouble.NO_CODE
    reading = _read(sheet, lying, PageHints(turn, sheet_page=1))
    assert (reading.status, reading.code, reading.sheet_page) == (PageStatus.READ, None, 1)
    assert _labels(reading) == MARKED
    assert ReadingStatus.OK in {answer.status for answer in reading.answers}
    assert reading.identity is None
    # The registration speaks of the page as it lies in its file, whatever was said of it.
    assert reading.registration is not None
    assert reading.registration.rotation == turn
    places = apply(reading.registration.transform, corner_points(sheet.layout.pages[0]))
    seen = lying[tuple(places.round().astype(int).T[::-1])]
    assert seen.max() < 100


def test_a_code_that_can_be_read_counts_more_than_a_person_s_word() -> None:
    other = print_sheet(design_sheet(exam_id="OTHER"))
    sheet = print_sheet(design_sheet())
    assert _read(sheet, _scan(other.copy()), PageHints(sheet_page=1)).trouble == Trouble.OTHER_EXAM
    assert _read(sheet, _scan(sheet.copy()), PageHints(sheet_page=1)).code is not None


def test_the_digits_of_a_blank_set_are_read_where_they_are_printed() -> None:
    sheet, page = _filled(None)
    for row, digit in zip(sheet.layout.pages[0].identity, "20307", strict=True):
        mark(page, row.bubbles[int(digit)])
    reading = _read(sheet, _scan(page), PageHints(sheet_page=1))
    assert reading.identity is not None
    assert reading.identity.status is ReadingStatus.OK
    assert [reading.identity[one] for one in IdentityField] == ["2", "03", "07"]


@pytest.mark.parametrize("turn", TURNS)
def test_corners_alone_give_a_guess_and_nothing_safe(turn: Turn) -> None:
    sheet, page = _filled()
    layout = sheet.layout.pages[0]
    _hide(page, list(layout.fiducials))
    lying = np.ascontiguousarray(np.rot90(_scan(page), turn // 90))
    assert _read(sheet, lying, PageHints(turn, sheet_page=1)).status is PageStatus.QUARANTINED
    assert _read(sheet, lying, PageHints(turn, _corners(layout))).trouble == Trouble.NO_CODE
    reading = _read(sheet, lying, PageHints(turn, _corners(layout, 0.3), 1))
    assert reading.status is PageStatus.READ
    assert "四隅" in reading.reason
    assert _labels(reading) == MARKED
    assert {answer.status for answer in reading.answers} == {ReadingStatus.DOUBTFUL}
    assert reading.registration is not None
    assert (reading.registration.marks, reading.registration.rotation) == (0, turn)


def test_squares_near_the_corners_that_a_person_set_place_the_page_exactly() -> None:
    sheet, page = _filled()
    layout = sheet.layout.pages[0]
    reading = _read(sheet, _scan(page), PageHints(corners=_corners(layout, 0.8), sheet_page=1))
    assert reading.registration is not None
    assert reading.registration.marks > 4
    assert reading.registration.residual_mm is not None
    assert reading.registration.residual_mm < 0.2
    assert ReadingStatus.OK in {answer.status for answer in reading.answers}


def test_corners_that_no_page_can_have_are_sent_back() -> None:
    sheet, page = _filled()
    _hide(page, list(sheet.layout.pages[0].fiducials))
    corners = PageHints(corners=((10, 10), (1500, 10), (900, 2200), (10, 2200)), sheet_page=1)
    assert _read(sheet, _scan(page), corners).trouble == Trouble.MISPLACED


def test_a_page_that_the_layout_does_not_have_says_so() -> None:
    sheet, page = _filled()
    reading = _read(sheet, _scan(page), PageHints(sheet_page=2))
    assert (reading.status, reading.trouble) == (PageStatus.QUARANTINED, Trouble.OTHER_LAYOUT)


def test_a_page_without_marks_lies_where_its_corners_are_set() -> None:
    sheet, page = _filled()
    plain = replace(sheet.layout.pages[0], qr=None, second_qr=None, fiducials=())
    plan = ReadingPlan(Layout((plain,)), "ANY")
    wide = np.pad(_scan(page), ((150, 40), (90, 200)), constant_values=255)
    assert _labels(read_page(Page(wide), plan)) != MARKED
    one, two, three, four = ((x + 90, y + 150) for x, y in _corners(plain))
    reading = read_page(Page(wide), plan, hints=PageHints(corners=(one, two, three, four)))
    assert _labels(reading) == MARKED
    assert ReadingStatus.OK not in {answer.status for answer in reading.answers}


def test_an_own_sheet_lies_where_its_corners_are_set(tmp_path: Path) -> None:
    sheet = make_own_sheet(tmp_path, pages=2)
    plan = ReadingPlan(sheet.layout, "OWN", reference=load_reference(sheet.layout, sheet.layout_path))
    canvas, truth = fill_page(sheet, 1, np.random.default_rng(3))
    layout = sheet.layout.pages[1]
    reading = read_page(Page(_scan(canvas)), plan, hints=PageHints(corners=_corners(layout), sheet_page=2))
    assert (reading.status, reading.sheet_page) == (PageStatus.READ, 2)
    labels = {one.question: one.labels for one in reading.answers if one.kind is QuestionKind.CHOICE}
    assert labels == truth.marked
    assert {answer.status for answer in reading.answers} == {ReadingStatus.DOUBTFUL}


@given(
    turn=st.sampled_from(TURNS),
    corners=st.none()
    | st.tuples(*[st.floats(0, 400) for _ in range(8)]).map(
        lambda one: (
            (one[0], one[1]),
            (1600 - one[2], one[3]),
            (1600 - one[4], 2300 - one[5]),
            (one[6], 2300 - one[7]),
        )
    ),
    sheet_page=st.none() | st.integers(1, 9),
)
def test_hints_come_back_from_json(turn: Turn, corners: Corners | None, sheet_page: int | None) -> None:
    hints = PageHints(turn, corners, sheet_page)
    assert hints_from_json(hints_to_json(hints)) == hints


@pytest.mark.parametrize(
    "wrong",
    [
        {"turn": 45},
        {"sheet_page": 0},
        {"corners": [[0, 0], [10, 0], [10, 10]]},
        {"corners": [[0, 0], [0, 10], [10, 10], [10, 0]]},
        {"corners": [[0, 0], [10, 10], [10, 0], [0, 10]]},
        {"corners": [[0, 0], [float("nan"), 0], [10, 10], [0, 10]]},
    ],
)
def test_hints_that_mean_nothing_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"PageHints"):
        hints_from_json(wrong)
