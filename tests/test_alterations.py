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
from tests.printed_sheets import DPI, PrintedSheet, design_sheet, mark, print_sheet

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


@pytest.mark.parametrize(
    "alteration", [one for one in paper_damage.ALTERATIONS if one is not paper_damage.bilevel]
)
def test_no_alteration_changes_an_answer_in_silence(alteration: paper_damage.Alteration) -> None:
    first = paper_damage.ALTERATIONS.index(alteration)
    counts = [count for turn in range(2) for count in try_page((5, first + turn * 25, None))]
    silent = [count for count in counts if count.outcome == "wrong" and count.alteration != "two of them"]
    assert silent == []
