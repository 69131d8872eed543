"""Puts a pupil's answers onto a rendered page: bubbles, writing, drawings, and what was rubbed out before."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from omr.geometry import Rectangle
from omr.layout import QuestionKind
from sample_scans.bubble_fillings import Filling, draw_filling
from sample_scans.handwriting import write_in_squares, write_line, write_lines
from sample_scans.pens import Pen, choose_pencil, lay_ink
from sample_scans.pupils import Manner

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.random import Generator
    from numpy.typing import NDArray

    from omr.layout import PageLayout, QuestionLayout
    from sample_scans.hands import Hand
    from sample_scans.pens import Canvas
    from sample_scans.pupils import GivenAnswer, Pupil


def fill_page(
    canvas: Canvas,
    layout: PageLayout,
    answers: Iterable[GivenAnswer],
    pupil: Pupil,
    random: Generator,
    pixels_per_mm: float,
) -> None:
    """Put down a pupil's answers, in place.

    Args:
        canvas: the printed page, 0 black to 255 white.
        layout: where its questions stand.
        answers: those of this page; answers of other pages are left out.
        pupil: who writes.
        random: everything that varies comes from here.
        pixels_per_mm: scale of the canvas.
    """
    places = {question.id: question for question in layout.questions}
    for answer in answers:
        place = places.get(answer.question)
        if place is None:
            continue
        if answer.kind is QuestionKind.CHOICE:
            _mark_bubbles(canvas, place, answer, pupil, random, pixels_per_mm)
            continue
        if answer.erased:
            _write(canvas, place, answer.erased, _rubbed_out(pupil.hand, random), random, pixels_per_mm)
        if answer.text:
            hand = _faint(pupil.hand, random) if answer.manner is Manner.FAINT else pupil.hand
            _write(canvas, place, answer.text, hand, random, pixels_per_mm)


def _mark_bubbles(
    canvas: Canvas,
    place: QuestionLayout,
    answer: GivenAnswer,
    pupil: Pupil,
    random: Generator,
    pixels_per_mm: float,
) -> None:
    fillings = dict(answer.marks)
    for bubble in place.bubbles:
        x, y = bubble.centre
        centre = (x * pixels_per_mm - 0.5, y * pixels_per_mm - 0.5)
        size = (bubble.w * pixels_per_mm, bubble.h * pixels_per_mm)
        filling = fillings.get(bubble.label, Filling.EMPTY)
        draw_filling(canvas, centre, size, filling, random, pixels_per_mm, pen=pupil.hand.pen)


def _write(
    canvas: Canvas, place: QuestionLayout, text: str, hand: Hand, random: Generator, pixels_per_mm: float
) -> None:
    assert place.box is not None
    if place.kind is QuestionKind.DRAWING:
        _draw_graph(canvas, place.box, text, hand, random, pixels_per_mm)
    elif squares := _squares(place):
        write_in_squares(canvas, text, squares, hand, random, pixels_per_mm)
    elif place.kind is QuestionKind.ESSAY:
        write_lines(canvas, text, _ruled_lines(place), hand, random, pixels_per_mm)
    else:
        write_line(canvas, text, place.box, hand, random, pixels_per_mm)


def _faint(hand: Hand, random: Generator) -> Hand:
    return replace(hand, pen=replace(choose_pencil(random), darkness=random.uniform(0.28, 0.4)))


def _rubbed_out(hand: Hand, random: Generator) -> Hand:
    return replace(hand, pen=Pen(random.uniform(0.05, 0.13), hand.pen.width_mm, random.uniform(0.4, 0.8)))


def _squares(place: QuestionLayout) -> list[Rectangle]:
    """The manuscript squares of a box, in the order of horizontal writing; none where it has no columns."""
    box = place.box
    assert box is not None
    columns = sorted({box.x, box.right, *(line.x1 for line in place.lines if line.x1 == line.x2)})
    rows = sorted({box.y, box.bottom, *(line.y1 for line in place.lines if line.y1 == line.y2)})
    if len(columns) == 2:
        return []
    return [
        Rectangle(left, top, right - left, bottom - top)
        for top, bottom in itertools.pairwise(rows)
        for left, right in itertools.pairwise(columns)
    ]


def _ruled_lines(place: QuestionLayout) -> list[Rectangle]:
    """The lines of an essay box, with a little room at its sides."""
    box = place.box
    assert box is not None
    rows = sorted({box.y, box.bottom, *(line.y1 for line in place.lines)})
    return [Rectangle(box.x + 2, top, box.w - 4, bottom - top) for top, bottom in itertools.pairwise(rows)]


def _draw_graph(
    canvas: Canvas, box: Rectangle, what: str, hand: Hand, random: Generator, pixels_per_mm: float
) -> None:
    """Axes and a line: what `what` says (`line`, `line without labels`, `curve`, `falling line`)."""
    width, height = random.uniform(45, 70), random.uniform(34, 46)
    left, bottom = box.x + random.uniform(12, 40), box.bottom - random.uniform(6, 9)
    way = np.linspace(0, 1, 24)
    rise = {"curve": way**2, "falling line": 0.9 - 0.8 * way}.get(what, random.uniform(0.7, 0.95) * way)
    strokes = [
        np.column_stack([left + width * way, np.full(24, bottom)]),
        np.column_stack([np.full(24, left), bottom - height * way]),
        np.column_stack([left + 0.92 * width * way, bottom - height * rise]),
    ]
    ticks = [
        np.array([(left + share * width, bottom - 0.8), (left + share * width, bottom + 0.8)])
        for share in (0.2, 0.4, 0.6, 0.8)
    ]
    lines = [_unsteady(stroke, hand, random) * pixels_per_mm * 16 for stroke in (*strokes, *ticks)]
    coverage = np.zeros(canvas.shape, np.uint8)
    thickness = max(1, round(0.4 * pixels_per_mm))
    cv2.polylines(
        coverage,
        [np.rint(line).astype(np.int32) for line in lines],
        isClosed=False,
        color=255,
        thickness=thickness,
        lineType=cv2.LINE_AA,
        shift=4,
    )
    top, low = int(box.y * pixels_per_mm), int(box.bottom * pixels_per_mm)
    lay_ink(canvas[top:low], coverage[top:low] * np.float32(1 / 255), hand.pen, random, pixels_per_mm)
    if what != "line without labels":
        small = replace(hand, size_mm=3.6)
        for text, x, y in (
            ("V", left + width + 1, bottom - 4),
            ("A", left - 7, bottom - height - 2),
            ("0", left - 6, bottom - 1),
        ):
            write_line(canvas, text, Rectangle(x, y, 6, 6), small, random, pixels_per_mm)


def _unsteady(stroke: NDArray[np.float64], hand: Hand, random: Generator) -> NDArray[np.float64]:
    """A line as a hand draws it without (or with a slipping) ruler."""
    wander = np.cumsum(random.normal(0, 0.035 * hand.unrest, stroke.shape), axis=0)
    return stroke + wander + random.normal(0, 0.3, 2)
