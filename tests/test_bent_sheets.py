"""A teacher's own sheet that is bent, photographed, enlarged, small on a large glass, or one of two that look alike."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from omr.geometry import Rectangle, apply
from omr.layout import Layout, PageLayout, QuestionKind, QuestionLayout
from omr.page import Page
from omr.placement import placement_in_perspective, straightened
from omr.read_page import Crops, ReadingPlan, read_page
from omr.reading import PageStatus, ReadingStatus
from omr.reference import load_reference
from sample_scans.scanner import Condition, ScannerModel, draw_model, scan
from tests.own_sheets import PRINT_DPI, OwnSheet, Truth, fill_page, make_own_sheet
from tests.photos import Camera, feed_unevenly, lay_on_glass, photograph
from tests.ruled_sheets import RuledSheet

if TYPE_CHECKING:
    from pathlib import Path

    from omr.pixels import Gray
    from omr.reading import PageReading


@pytest.fixture(scope="module")
def sheet(tmp_path_factory: pytest.TempPathFactory) -> OwnSheet:
    return make_own_sheet(tmp_path_factory.mktemp("own"))


@pytest.fixture(scope="module")
def plan(sheet: OwnSheet) -> ReadingPlan:
    plan = ReadingPlan(
        sheet.layout, "OWN", Crops.ALL, reference=load_reference(sheet.layout, sheet.layout_path)
    )
    assert plan.own_sheet.pages
    return plan


@pytest.fixture(scope="module")
def filled(sheet: OwnSheet) -> tuple[Gray, Truth]:
    return fill_page(sheet, 0, np.random.default_rng(3))


def _undecided(reading: PageReading, truth: Truth) -> int:
    """How many answers that a machine could tell it did not; none of them may be wrong."""
    assert reading.status is PageStatus.READ, reading.reason
    undecided = 0
    for answer in reading.answers:
        is_doubtful = answer.status is ReadingStatus.DOUBTFUL
        if answer.question in truth.written:
            assert is_doubtful, answer
            continue
        undecided += is_doubtful
        if answer.kind is QuestionKind.CHOICE and not is_doubtful:
            assert answer.labels == truth.marked[answer.question], answer
    return undecided


@pytest.mark.parametrize(
    "camera",
    [
        Camera(curl_mm=12),
        Camera(tilt=(0.1, 0.15), turn_deg=4, curl_mm=6),
        Camera(tilt=(0.1, 0.1), turn_deg=180, light=0.5),
        Camera(tilt=(0.05, 0.1), turn_deg=90, share=0.68, curl_mm=5),
        Camera(tilt=(0.05, 0.05), curl_mm=8, share=1.03, size=(1700, 2300)),
        Camera(tilt=(0.1, 0.1), curl_mm=5, ground=230, share=0.97),
    ],
    ids=["curled", "askew", "upside-down", "sideways", "fills-the-photo", "white-desk"],
)
def test_a_photo_is_read(plan: ReadingPlan, filled: tuple[Gray, Truth], camera: Camera) -> None:
    canvas, truth = filled
    photo = photograph(canvas, 210, 297, camera, np.random.default_rng(1))
    reading = read_page(Page(photo.gray), plan)
    assert _undecided(reading, truth) <= 3
    assert reading.registration is not None
    assert (reading.registration.residual_mm or 1) < 0.3


@pytest.mark.parametrize("most_mm", [1.5, 3.0, 4.5])
def test_a_page_drawn_in_unevenly_is_read(
    plan: ReadingPlan, filled: tuple[Gray, Truth], most_mm: float
) -> None:
    canvas, truth = filled
    scanned = feed_unevenly(canvas, 210, 297, most_mm, 0.5, 200)
    assert _undecided(read_page(Page(scanned.gray), plan), truth) <= 6


def test_crops_follow_the_bend(plan: ReadingPlan, sheet: OwnSheet) -> None:
    box = sheet.layout.pages[0].questions[6].box
    assert box is not None
    canvas = sheet.pages[0].copy()
    per_mm = PRINT_DPI / 25.4
    x, y = (round(one * per_mm) for one in box.centre)
    cv2.circle(canvas, (x, y), round(1.5 * per_mm), 40, -1)
    photo = photograph(canvas, 210, 297, Camera(tilt=(0.15, 0.2), curl_mm=10), np.random.default_rng(2))
    reading = read_page(Page(photo.gray), plan)
    (crop,) = [one for one in reading.crops if one.question == sheet.layout.pages[0].questions[6].id]
    picture = cv2.imdecode(np.frombuffer(crop.data, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    solid = cv2.erode(np.asarray(picture < 110, np.uint8), np.ones((7, 7), np.uint8))
    rows, columns = np.nonzero(solid)
    millimetre = picture.shape[1] / (box.w + 3)
    assert abs(rows.mean() - picture.shape[0] / 2) < millimetre
    assert abs(columns.mean() - picture.shape[1] / 2) < millimetre


@pytest.mark.parametrize("ground", [255, 20])
@pytest.mark.parametrize("corner", [(0, 0), (420, 484)])
def test_a_small_sheet_on_a_large_glass_is_read(
    plan: ReadingPlan, filled: tuple[Gray, Truth], ground: int, corner: tuple[int, int]
) -> None:
    canvas, truth = filled
    scanned = scan(canvas, PRINT_DPI, ScannerModel(skew_deg=1), np.random.default_rng(4))
    glass = lay_on_glass(scanned, (2339, 3307), corner, ground)
    assert _undecided(read_page(Page(glass, dpi=(200, 200)), plan), truth) <= 1


@pytest.mark.parametrize("percent", [71, 82, 115, 122, 141, 150])
def test_an_enlarged_or_reduced_copy_is_read(
    plan: ReadingPlan, filled: tuple[Gray, Truth], percent: int
) -> None:
    canvas, truth = filled
    random = np.random.default_rng(percent)
    copy = scan(canvas, PRINT_DPI, ScannerModel(dpi=2 * percent, skew_deg=1, ink=50), random)
    assert _undecided(read_page(Page(copy, dpi=(200, 200)), plan), truth) <= 1
    on_glass = lay_on_glass(copy[:3307, :2339], (2339, 3307), (0, 0), 255)
    assert _undecided(read_page(Page(on_glass, dpi=(200, 200)), plan), truth) <= 1


def test_an_enlarged_copy_with_a_scribble_beside_it_needs_its_size(
    plan: ReadingPlan, filled: tuple[Gray, Truth]
) -> None:
    canvas, truth = filled
    copy = scan(canvas, PRINT_DPI, ScannerModel(dpi=144), np.random.default_rng(5))
    glass = lay_on_glass(copy, (2339, 3307), (0, 0), 255)
    glass[3000:3280, 2000:2300] = 60
    told = replace(plan, enlarged=(0.72,))
    assert _undecided(read_page(Page(glass, dpi=(200, 200)), told), truth) <= 1


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    skew=st.floats(-8, 8),
    size=st.floats(0.91, 1.0),
    aspect=st.floats(0.98, 1.02),
    slip=st.floats(0, 2.5),
    where=st.floats(0.25, 0.75),
)
def test_no_answer_is_wrong_however_it_lies(
    plan: ReadingPlan,
    filled: tuple[Gray, Truth],
    skew: float,
    size: float,
    aspect: float,
    slip: float,
    where: float,
) -> None:
    canvas, truth = filled
    fed = feed_unevenly(canvas, 210, 297, slip, where, 250).gray
    model = ScannerModel(skew_deg=skew, scale=size, aspect=aspect)
    reading = read_page(Page(scan(fed, 250, model, np.random.default_rng(7))), plan)
    assert _undecided(reading, truth) <= 8


def _table(path: Path, title: str, unit: str, written: str = "") -> Gray:
    """A sheet of two columns of boxes; every school has one."""
    sheet = RuledSheet(path)
    sheet.text(20, 20, title, 14)
    sheet.frame(20, 26, 90, 10)
    sheet.text(22, 33, "２年　　　組　　　番　氏名", 9)
    for row in range(9):
        for column in range(2):
            x, y = 20 + 85 * column, 45 + 24 * row
            sheet.label(x, y, 12, 18, f"({2 * row + column + 1})")
            sheet.answer(x + 12, y, 60, 18)
            sheet.text(x + 62, y + 15, unit, 9)
            if written:
                sheet.text(x + 20, y + 12, f"{written}{row * 7 + column}", 16)
    sheet.save()
    return sheet.picture(PRINT_DPI)


_BOXES = tuple(
    QuestionLayout(
        f"{2 * row + column + 1}",
        QuestionKind.TEXT,
        box=Rectangle(32 + 85 * column, 45 + 24 * row, 60, 18),
    )
    for row in range(9)
    for column in range(2)
)


def _table_plan(folder: Path, reference: str) -> ReadingPlan:
    layout = Layout((PageLayout(1, 210, 297, _BOXES),), reference=reference)
    return ReadingPlan(layout, "OWN", reference=load_reference(layout, folder / "layout.json"))


@pytest.mark.parametrize(
    "condition", [Condition.ORDINARY, Condition.NOISY, Condition.BILEVEL, Condition.COPIED]
)
def test_another_exam_on_the_same_form_is_set_aside(tmp_path: Path, condition: Condition) -> None:
    mine = _table(tmp_path / "math.pdf", "２学期期末考査　数学　解答用紙", "cm")
    theirs = _table(tmp_path / "english.pdf", "２学期期末考査　英語　解答用紙", "cm")
    plan = _table_plan(tmp_path, "math.pdf")
    random = np.random.default_rng(8)
    model = replace(draw_model(condition, random), quarter_turns=0)
    own, other = (read_page(Page(scan(one, PRINT_DPI, model, random)), plan) for one in (mine, theirs))
    assert own.status is PageStatus.READ, own.reason
    assert ReadingStatus.OK not in {answer.status for answer in own.answers}
    assert other.status is PageStatus.QUARANTINED
    assert "印刷された文字が" in other.reason


def test_writing_over_printed_words_sets_no_page_aside(tmp_path: Path) -> None:
    mine = _table(tmp_path / "math.pdf", "２学期期末考査　数学　解答用紙", "cm")
    per_mm = PRINT_DPI / 25.4
    for at in range(30):
        start = (round((20 + 3 * at) * per_mm), round((13 + 7 * (at % 2)) * per_mm))
        end = (round((30 + 3 * at) * per_mm), round((22 - 6 * (at % 3)) * per_mm))
        cv2.line(mine, start, end, 70, 7, cv2.LINE_AA)
    random = np.random.default_rng(9)
    reading = read_page(
        Page(scan(mine, PRINT_DPI, ScannerModel(), random)), _table_plan(tmp_path, "math.pdf")
    )
    assert reading.status is PageStatus.READ, reading.reason


def test_model_answers_in_the_reference_are_no_print_to_look_for(tmp_path: Path) -> None:
    empty = _table(tmp_path / "math.pdf", "２学期期末考査　数学　解答用紙", "cm")
    _table(tmp_path / "answers.pdf", "２学期期末考査　数学　解答用紙", "cm", "x = ")
    plan = _table_plan(tmp_path, "answers.pdf")
    reading = read_page(Page(scan(empty, PRINT_DPI, ScannerModel(), np.random.default_rng(1))), plan)
    assert reading.status is PageStatus.READ, reading.reason
    assert ReadingStatus.OK not in {answer.status for answer in reading.answers}


def test_a_photo_of_the_empty_sheet_is_not_taken_for_another_page(
    tmp_path: Path, sheet: OwnSheet, filled: tuple[Gray, Truth]
) -> None:
    """The reference may be a scan itself: tinted, skewed a little, noisy."""
    scanned = scan(sheet.pages[0], PRINT_DPI, ScannerModel(paper=225, noise=4), np.random.default_rng(2))
    Image.fromarray(scanned).save(tmp_path / "reference.png", dpi=(200, 200))
    layout = replace(sheet.layout, reference="reference.png")
    plan = ReadingPlan(layout, "OWN", reference=load_reference(layout, tmp_path / "layout.json"))
    canvas, truth = filled
    reading = read_page(
        Page(scan(canvas, PRINT_DPI, ScannerModel(skew_deg=2), np.random.default_rng(3))), plan
    )
    assert _undecided(reading, truth) <= 2


@given(
    lean=st.tuples(*[st.floats(-25, 25)] * 8),
    place=st.tuples(st.floats(0, 210), st.floats(0, 297)),
)
def test_a_bend_stands_for_any_gentle_perspective(
    lean: tuple[float, ...], place: tuple[float, float]
) -> None:
    corners = np.array([(0, 0), (420, 0), (420, 594), (0, 594)], float) + np.array(lean).reshape(4, 2)
    placement = placement_in_perspective(corners, 210, 297)
    page = np.array([(0, 0), (210, 0), (210, 297), (0, 297)], np.float32)
    true = cv2.getPerspectiveTransform(page, corners.astype(np.float32))
    point = np.array([place])
    expected = apply(np.asarray(true, np.float64), point)
    assert np.abs(placement.place(point) - expected).max() < 1.0
    same = straightened(placement, 210, 297).place(point)
    assert np.abs(same - placement.place(point)).max() < 0.2
