"""Pages of written boxes, half of them with a faint stroke, for how sure an empty box is empty."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from benchmarks.bubble_pages import print_own_sheet
from benchmarks.mark_cards import CARD_DPI
from omr.design import Orientation, Paper, QuestionDesign, SheetDesign, Writing
from omr.layout import QuestionKind
from omr.page import Page
from omr.read_page import ReadingPlan, read_page
from omr.reading import PageStatus, ReadingStatus
from sample_scans.scanner import Condition, draw_model, scan

if TYPE_CHECKING:
    from omr.geometry import Rectangle
    from omr.pixels import Gray

BOXES = 24
"""On one page."""
_MM = CARD_DPI / 25.4
_EXAM = "BENCH-BOXES"


def try_boxes(seed: int, number: int) -> tuple[int, int]:
    """Make and read one page; how many boxes were called blank, and how many of these were written in.

    Args:
        seed: of the run.
        number: of the page.
    """
    cv2.setNumThreads(1)
    random = np.random.default_rng((seed, number))
    layout, empty = print_own_sheet(_design())
    canvas = empty.copy()
    is_written = {}
    for question in layout.pages[0].questions:
        assert question.box is not None
        is_written[question.id] = random.random() < 0.5
        if is_written[question.id]:
            _write(canvas, question.box, random)
    conditions = list(Condition)
    condition = Condition.ORDINARY if number % 2 else conditions[number // 2 % len(conditions)]
    picture = scan(canvas, CARD_DPI, draw_model(condition, random), random)
    reading = read_page(Page(picture), ReadingPlan(layout, _EXAM))
    if reading.status is not PageStatus.READ:
        return 0, 0
    blank = [answer.question for answer in reading.answers if answer.status is ReadingStatus.BLANK]
    return len(blank), sum(is_written[question] for question in blank)


def _write(canvas: Gray, box: Rectangle, random: np.random.Generator) -> None:
    """A figure or one short stroke, from faint pencil to pen, in place."""
    gray = float(random.uniform(40, 200))
    wide = max(1, round(random.uniform(0.3, 0.6) * _MM))
    x, y = box.x + random.uniform(0.2, 0.6) * box.w, box.y + random.uniform(0.5, 0.8) * box.h
    at = (round(x * _MM), round(y * _MM))
    if random.random() < 0.5:
        text = str(random.integers(0, 100))
        cv2.putText(canvas, text, at, cv2.FONT_HERSHEY_SIMPLEX, 1.4, gray, wide, cv2.LINE_AA)
        return
    end = random.uniform((1, -0.35 * box.h), (0.25 * box.w, 0.1 * box.h))
    cv2.line(canvas, at, (round((x + end[0]) * _MM), round((y + end[1]) * _MM)), gray, wide, cv2.LINE_AA)


@cache
def _design() -> SheetDesign:
    questions = tuple(QuestionDesign(str(number + 1), QuestionKind.NUMBER) for number in range(BOXES))
    return SheetDesign(
        _EXAM, "boxes", "理科", "2026-11-27", Paper.A4, Orientation.PORTRAIT, Writing.HORIZONTAL, questions
    )
