"""Damage that comes after the pupil: what hides the print or comes from outside is never read in silence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from benchmarks import paper_damage
from benchmarks.alterations import try_page
from omr.layout import QuestionKind
from omr.page import Page
from omr.read_page import ReadingPlan, read_page
from omr.reading import ReadingStatus
from sample_scans.bubble_fillings import Filling
from tests.printed_sheets import DPI, PrintedSheet, design_sheet, draw_line, mark, print_sheet

if TYPE_CHECKING:
    from omr.geometry import Rectangle
    from omr.pixels import Gray

SCALE = DPI / 25.4


def _cover(page: Gray, box: Rectangle, gray: int) -> None:
    rows = slice(round(box.y * SCALE), round(box.bottom * SCALE))
    page[rows, round(box.x * SCALE) : round(box.right * SCALE)] = gray


def _statuses(sheet: PrintedSheet, page: Gray) -> dict[str, ReadingStatus]:
    reading = read_page(Page(page), ReadingPlan(sheet.layout, sheet.design.exam_id))
    return {answer.question: answer.status for answer in reading.answers}


@pytest.fixture
def sheet() -> PrintedSheet:
    return print_sheet(design_sheet())


@pytest.mark.parametrize("gray", [255, 230, 170])
def test_a_note_over_bubbles_or_boxes_is_seen(sheet: PrintedSheet, gray: int) -> None:
    page = sheet.copy()
    questions = {one.id: one for one in sheet.layout.pages[0].questions}
    hidden = questions["c2"].bubbles[1]
    mark(page, hidden)
    _cover(page, hidden.expanded(1), gray)
    box = questions["t1"].box
    assert box is not None
    _cover(page, box.expanded(-2).expanded(3), gray)
    statuses = _statuses(sheet, page)
    assert statuses["c2"] is ReadingStatus.DOUBTFUL
    assert statuses["t1"] is ReadingStatus.DOUBTFUL
    assert statuses["c1"] is ReadingStatus.BLANK


def test_a_streak_of_the_feeder_is_no_mark(sheet: PrintedSheet) -> None:
    page = sheet.copy()
    questions = [one for one in sheet.layout.pages[0].questions if one.kind is QuestionKind.CHOICE]
    x = round(questions[0].bubbles[1].centre[0] * SCALE)
    cv2.line(page, (x, 0), (x, page.shape[0]), 30, 5)
    for status in (
        _statuses(sheet, page)[one.id] for one in questions if one.bubbles[1].centre[0] * SCALE - x < 1
    ):
        assert status is not ReadingStatus.OK


def test_a_stain_at_a_bubble_is_no_mark(sheet: PrintedSheet) -> None:
    page = sheet.copy()
    bubble = sheet.layout.pages[0].questions[0].bubbles[2]
    stain = np.ones(page.shape, np.float32)
    centre = (round((bubble.x - 8) * SCALE), round((bubble.y + 6) * SCALE))
    cv2.circle(stain, centre, round(11 * SCALE), 0.55, -1)
    stained = np.rint(page * cv2.GaussianBlur(stain, (0, 0), 6)).astype(np.uint8)
    assert _statuses(sheet, stained)["c1"] is not ReadingStatus.OK


def test_a_staple_is_no_stroke(sheet: PrintedSheet) -> None:
    page = sheet.copy()
    first, second = sheet.layout.pages[0].questions[:2]
    x, y = (SCALE * at for at in first.bubbles[1].centre)
    cv2.line(page, (round(x), round(y)), (round(x + 11 * SCALE), round(y + SCALE)), 60, 6)
    mark(page, second.bubbles[1], Filling.SCRIBBLED)
    statuses = _statuses(sheet, page)
    assert statuses[first.id] is ReadingStatus.DOUBTFUL
    assert statuses[second.id] is ReadingStatus.OK


def test_a_stroke_on_the_label_alone_is_not_blank(sheet: PrintedSheet) -> None:
    page = sheet.copy()
    for question in sheet.layout.pages[0].questions[:5]:
        x, y = question.bubbles[1].centre
        draw_line(page, (x - 0.9, y), (x + 0.9, y - 0.4), 0.4, 120)
    statuses = _statuses(sheet, page)
    for question in sheet.layout.pages[0].questions[:5]:
        assert statuses[question.id] is not ReadingStatus.BLANK


@pytest.mark.parametrize("alteration", paper_damage.ALTERATIONS)
def test_no_alteration_changes_an_answer_in_silence(alteration: paper_damage.Alteration) -> None:
    first = paper_damage.ALTERATIONS.index(alteration)
    counts = [count for turn in range(2) for count in try_page((5, first + turn * 25, None))]
    assert [count for count in counts if count.outcome == "wrong"] == []


@pytest.mark.parametrize(
    ("threshold", "expected"), [(128, ReadingStatus.DOUBTFUL), (205, ReadingStatus.BLANK)]
)
def test_black_and_white_says_blank_only_where_pale_pencil_would_show(
    sheet: PrintedSheet, threshold: int, expected: ReadingStatus
) -> None:
    page = sheet.copy()
    questions = {one.id: one for one in sheet.layout.pages[0].questions}
    mark(page, questions["c2"].bubbles[1])
    black_and_white = np.where(page < threshold, 0, 255).astype(np.uint8)
    statuses = _statuses(sheet, black_and_white)
    assert statuses["c2"] is ReadingStatus.OK
    assert {statuses["c1"], statuses["t1"], statuses["e1"]} == {expected}


def test_without_bubbles_nothing_in_black_and_white_is_surely_blank() -> None:
    sheet = print_sheet(design_sheet("BOXES", choices=0))
    page = sheet.copy()
    assert set(_statuses(sheet, page).values()) == {ReadingStatus.BLANK}
    black_and_white = np.where(page < 128, 0, 255).astype(np.uint8)
    assert set(_statuses(sheet, black_and_white).values()) == {ReadingStatus.DOUBTFUL}
