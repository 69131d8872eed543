"""Sheets of other makers: read as they lie by a layout written for them, right or doubtful but never wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from omr.page import Page
from omr.read_page import ReadingPlan, read_page
from omr.reading import PageStatus, ReadingStatus
from tests.foreign_sheets import ForeignSheet

if TYPE_CHECKING:
    from omr.layout import Layout


def _bubble_page() -> tuple[Layout, np.ndarray]:
    """A page of square boxes with numbers, as other programs print them."""
    page = np.full((2100, 1500), 240, np.uint8)
    sheet = ForeignSheet()
    for row in range(12):
        for column in range(5):
            x, y = 200 + 150 * column, 150 + 140 * row
            cv2.rectangle(page, (x, y), (x + 60, y + 60), 60, 3)
            cv2.putText(page, str(column + 1), (x + 18, y + 45), cv2.FONT_HERSHEY_SIMPLEX, 1.2, 110, 2)
            sheet.bubbles[str(row + 1)].append((str(column + 1), x, y, 60, 60))
    return sheet.layout(1500, 2100), page


def test_marks_stand_out_from_the_empty_print() -> None:
    layout, page = _bubble_page()
    for row in range(6):
        cv2.circle(page, (230 + 150 * (row % 5), 180 + 140 * row), 24, 70, -1)
    reading = read_page(Page(page), ReadingPlan(layout, "FOREIGN"))
    assert [answer.labels for answer in reading.answers] == [(str(row % 5 + 1),) for row in range(6)] + [
        ()
    ] * 6
    assert {answer.status for answer in reading.answers[:6]} == {ReadingStatus.OK}
    assert {answer.status for answer in reading.answers[6:]} == {ReadingStatus.BLANK}


def test_a_faint_mark_is_doubtful() -> None:
    layout, page = _bubble_page()
    smudge = page[290 + 3 : 350 - 3, 200 + 3 : 260 - 3]
    smudge[:] = np.minimum(smudge, 208)
    reading = read_page(Page(page), ReadingPlan(layout, "FOREIGN"))
    assert reading.answers[1].status is ReadingStatus.DOUBTFUL


def test_a_fold_across_a_row_is_doubtful() -> None:
    layout, page = _bubble_page()
    down = np.arange(page.shape[0])[:, None]
    shaded = np.asarray(page * (1 - 0.4 * np.exp(-(((down - 320) / 40) ** 2))), np.uint8)
    reading = read_page(Page(shaded), ReadingPlan(layout, "FOREIGN"))
    assert reading.answers[1].status is ReadingStatus.DOUBTFUL
    assert {answer.status for answer in reading.answers[3:]} == {ReadingStatus.BLANK}


def test_bubbles_that_are_not_there_set_the_page_aside() -> None:
    layout, page = _bubble_page()
    reading = read_page(Page(np.full_like(page, 240)), ReadingPlan(layout, "FOREIGN"))
    assert reading.status is PageStatus.QUARANTINED
    assert "位置にマークの枠がありません" in reading.reason


def test_a_page_with_most_bubbles_marked_still_shows_the_empty_ones() -> None:
    layout, page = _bubble_page()
    for row in range(12):
        for column in range(5):
            if (row + column) % 5 > 1:
                cv2.circle(page, (230 + 150 * column, 180 + 140 * row), 22, 70, -1)
    reading = read_page(Page(page), ReadingPlan(layout, "FOREIGN"))
    for row, answer in enumerate(reading.answers):
        marked = {str(column + 1) for column in range(5) if (row + column) % 5 > 1}
        assert answer.status is not ReadingStatus.BLANK
        assert answer.status is ReadingStatus.DOUBTFUL or set(answer.labels) == marked


def test_a_thin_stroke_is_not_empty() -> None:
    layout, page = _bubble_page()
    cv2.line(page, (208, 298), (252, 342), 90, 4)
    reading = read_page(Page(page), ReadingPlan(layout, "FOREIGN"))
    assert reading.answers[1].status is ReadingStatus.DOUBTFUL
    assert {answer.status for answer in reading.answers[2:]} == {ReadingStatus.BLANK}


@pytest.mark.parametrize(("right", "down"), [(0.75, 0), (0, 0.75), (0.6, 0.6), (1.5, 0), (0, 2.3)])
def test_a_layout_that_does_not_fit_the_page_is_told(right: float, down: float) -> None:
    layout, page = _bubble_page()
    for row in range(12):
        cv2.circle(page, (230 + 150 * (row % 5), 180 + 140 * row), 24, 70, -1)
    side = 60
    moved = np.full_like(page, 240)
    moved[round(down * side) :, round(right * side) :] = page[
        : page.shape[0] - round(down * side), : page.shape[1] - round(right * side)
    ]
    reading = read_page(Page(moved), ReadingPlan(layout, "FOREIGN"))
    assert reading.status is PageStatus.QUARANTINED
    assert "レイアウト" in reading.reason


def test_a_layout_a_little_off_is_read_right() -> None:
    layout, page = _bubble_page()
    for row in range(12):
        cv2.circle(page, (230 + 150 * (row % 5), 180 + 140 * row), 24, 70, -1)
    moved = np.roll(page, (14, -14), axis=(0, 1))
    reading = read_page(Page(moved), ReadingPlan(layout, "FOREIGN"))
    assert [answer.labels for answer in reading.answers] == [(str(row % 5 + 1),) for row in range(12)]
    assert {answer.status for answer in reading.answers} == {ReadingStatus.OK}
