"""Pre-printed mark cards of other makers: other shapes of bubbles, in pale colours, drawn for the benchmarks.

A card is drawn in two layers, its coloured print and what is black, so that a page can show the colour as
this or that scanner sees it in gray.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from omr.code_print import code_rectangles
from omr.design import Orientation, Paper, SheetDesign, Writing
from omr.fonts import FONT_PATH
from omr.layout import Bubble, BubblePrint, Layout, PageLayout, QuestionKind, QuestionLayout
from omr.page_frame import page_frame
from omr.sheet_code import SheetCode, exam_digest, layout_digest, student_digest

if TYPE_CHECKING:
    from omr.geometry import Rectangle
    from omr.pixels import Gray

CARD_DPI = 300
_MM = CARD_DPI / 25.4
_SHIFT = 4
EXAM_ID = "BENCH-CARDS"
_DESIGN = SheetDesign(
    EXAM_ID, "", "", "", Paper.A4, Orientation.PORTRAIT, Writing.HORIZONTAL, ()
)  # for the frame alone


class Shape(StrEnum):
    """The outline of a bubble."""

    OVAL = "oval"
    CIRCLE = "circle"
    SQUARE = "square"
    BRACKET = "bracket"
    DOTTED = "dotted"


@dataclass(frozen=True, slots=True)
class Card:
    """One make of cards.

    Attributes:
        name: in tables.
        shape: of the bubbles.
        darkness: of the coloured print as gray scanners see it, lightest and darkest, 0 to 1.
        labels: of the bubbles of every question.
        size: width and height of a bubble, mm.
        pitch: from bubble to bubble and from row to row, mm.
        has_label_inside: or above the first row only.
    """

    name: str
    shape: Shape
    darkness: tuple[float, float]
    labels: str
    size: tuple[float, float]
    pitch: tuple[float, float]
    has_label_inside: bool = True


_PINK, _GREEN, _BLACK = (0.12, 0.3), (0.18, 0.42), (0.8, 0.92)
CARDS = (
    Card("pink ovals", Shape.OVAL, _PINK, "1234567890", (2.8, 4.8), (5.6, 7.8)),
    Card("green ovals", Shape.OVAL, _GREEN, "ABCDE", (4.8, 3.2), (7.4, 7.2)),
    Card("pink circles", Shape.CIRCLE, _PINK, "アイウエ", (4.2, 4.2), (7.2, 7.6)),
    Card("black circles", Shape.CIRCLE, _BLACK, "12345", (4.4, 4.4), (7.2, 8.0), has_label_inside=False),
    Card("green squares", Shape.SQUARE, _GREEN, "①②③④", (4.0, 4.0), (7.2, 7.4)),
    Card("black squares", Shape.SQUARE, _BLACK, "ABCD", (4.0, 4.0), (7.4, 7.6), has_label_inside=False),
    Card("pink brackets", Shape.BRACKET, _PINK, "1234567890", (3.4, 4.4), (5.8, 7.6)),
    Card("black brackets", Shape.BRACKET, _BLACK, "abcde", (5.0, 3.0), (7.6, 7.2)),
    Card("dotted ovals", Shape.DOTTED, _GREEN, "アイウエオ", (3.2, 4.8), (6.6, 7.8)),
)


@dataclass(frozen=True, slots=True)
class DrawnCard:
    """An empty card.

    Attributes:
        layout: with the card as its reference, or with our squares and code.
        colour: how much of each pixel the coloured print covers, 0 to 255.
        black: the black print as gray, 255 where there is none.
    """

    layout: Layout
    colour: Gray
    black: Gray

    def print(self, darkness: float) -> Gray:
        """The empty card as gray.

        Args:
            darkness: of the coloured print in a scanner's gray, 0 to 1.
        """
        shades = (255 - np.arange(256) * darkness).round().astype(np.uint8)
        return np.asarray(cv2.min(np.asarray(cv2.LUT(self.colour, shades)), self.black), np.uint8)


@cache
def draw_card(card: Card, *, is_stamped: bool) -> DrawnCard:
    """Draw an empty card at CARD_DPI.

    Args:
        card: its make.
        is_stamped: with our squares and code on it, else with a frame and timing marks of its own.
    """
    frame = page_frame(_DESIGN)
    questions, numbers = _place_questions(card, frame.body)
    width, height = _DESIGN.page_size
    page = PageLayout(
        1,
        width,
        height,
        questions,
        qr=frame.qr if is_stamped else None,
        fiducials=frame.fiducials if is_stamped else (),
    )
    layout = (
        Layout((page,), bubble_print=BubblePrint.FOREIGN) if is_stamped else Layout((page,), reference="card")
    )
    shape = (round(height * _MM), round(width * _MM))
    colour, black = np.zeros(shape, np.uint8), np.full(shape, 255, np.uint8)
    colour = _write(colour, [*numbers, *_labels(card, questions)])
    for question in questions:
        for bubble in question.bubbles:
            _OUTLINES[card.shape](colour, bubble)
    if is_stamped:
        code = SheetCode(exam_digest(EXAM_ID), layout_digest(layout.digest), student_digest("1"), 1)
        for area in (*frame.fiducials, *code_rectangles(code.text(), frame.qr)):
            _solid(black, area.x, area.y, area.w, area.h)
    else:
        _draw_own_frame(colour, black, frame.body, questions)
    return DrawnCard(layout, colour, black)


def _place_questions(
    card: Card, body: Rectangle
) -> tuple[tuple[QuestionLayout, ...], list[tuple[str, float, float, float]]]:
    """As many questions as fit, and where their numbers stand (text, x, y of its middle, size; mm)."""
    block = 8.0 + len(card.labels) * card.pitch[0]
    columns, rows = int((body.w + 3) // block), int((body.h - 4) // card.pitch[1])
    questions, numbers = [], []
    for column in range(columns):
        for row in range(rows):
            x, y = body.x + column * block, body.y + 4 + row * card.pitch[1]
            name = str(column * rows + row + 1)
            numbers.append((name, x + 3, y + card.size[1] / 2, 3.0))
            bubbles = tuple(
                Bubble(x + 7 + at * card.pitch[0], y, *card.size, label=label)
                for at, label in enumerate(card.labels)
            )
            questions.append(QuestionLayout(name, QuestionKind.CHOICE, bubbles))
    return tuple(questions), numbers


def _labels(card: Card, questions: tuple[QuestionLayout, ...]) -> list[tuple[str, float, float, float]]:
    size = min(0.62 * card.size[1], 0.62 * card.size[0])
    if card.has_label_inside:
        return [(b.label, *b.centre, size) for question in questions for b in question.bubbles]
    top = min(question.bubbles[0].y for question in questions)
    first = [question for question in questions if question.bubbles[0].y == top]
    return [(b.label, b.centre[0], top - 2.2, 2.6) for question in first for b in question.bubbles]


def _write(layer: Gray, texts: list[tuple[str, float, float, float]]) -> Gray:
    picture = Image.fromarray(layer)
    pen = ImageDraw.Draw(picture)
    for text, x, y, size in texts:
        font = ImageFont.truetype(str(FONT_PATH), size * _MM)
        pen.text((x * _MM, y * _MM), text, 255, font, anchor="mm")
    return np.asarray(picture).copy()


def _draw_own_frame(
    colour: Gray, black: Gray, body: Rectangle, questions: tuple[QuestionLayout, ...]
) -> None:
    """A heading, boxes for class and name, and a timing mark beside every row."""
    for x, wide in ((body.x, 60), (body.x + 64, 96)):
        _box(colour, x, body.y - 30, wide, 18)
    written = _write(
        colour,
        [("マークシート解答用紙", body.x + 80, body.y - 37, 6.0), ("氏名", body.x + 70, body.y - 21, 4.0)],
    )
    colour[:] = written
    for y in sorted({question.bubbles[0].centre[1] for question in questions}):
        _solid(black, body.right + 8, y - 0.6, 4, 1.2)


def _solid(layer: Gray, x: float, y: float, w: float, h: float) -> None:
    layer[round(y * _MM) : round((y + h) * _MM), round(x * _MM) : round((x + w) * _MM)] = 0


def _fixed(x: float, y: float) -> tuple[int, int]:
    """A point in mm as cv2 takes it, with _SHIFT fractional bits."""
    return round((x * _MM - 0.5) * (1 << _SHIFT)), round((y * _MM - 0.5) * (1 << _SHIFT))


def _box(layer: Gray, x: float, y: float, w: float, h: float) -> None:
    cv2.rectangle(layer, _fixed(x, y), _fixed(x + w, y + h), 255, 2, cv2.LINE_AA, _SHIFT)


def _square(layer: Gray, bubble: Bubble) -> None:
    _box(layer, bubble.x, bubble.y, bubble.w, bubble.h)


def _oval(layer: Gray, bubble: Bubble) -> None:
    _arc(layer, bubble, 0, 360)


def _arc(layer: Gray, bubble: Bubble, start: float, end: float) -> None:
    half = (round(bubble.w / 2 * _MM * (1 << _SHIFT)), round(bubble.h / 2 * _MM * (1 << _SHIFT)))
    cv2.ellipse(layer, _fixed(*bubble.centre), half, 0, start, end, 255, 2, cv2.LINE_AA, _SHIFT)


def _dotted(layer: Gray, bubble: Bubble) -> None:
    for start in range(0, 360, 24):
        _arc(layer, bubble, start, start + 12)


def _bracket(layer: Gray, bubble: Bubble) -> None:
    arm = 0.22 * bubble.w
    for side, inward in ((bubble.x, arm), (bubble.right, -arm)):
        ends = [
            (side + inward, bubble.y),
            (side, bubble.y),
            (side, bubble.bottom),
            (side + inward, bubble.bottom),
        ]
        line = np.array([_fixed(*end) for end in ends], np.int32)
        cv2.polylines(layer, [line], False, 255, 2, cv2.LINE_AA, _SHIFT)  # noqa: FBT003  (cv2's own order)


_OUTLINES = {
    Shape.OVAL: _oval,
    Shape.CIRCLE: _oval,
    Shape.SQUARE: _square,
    Shape.BRACKET: _bracket,
    Shape.DOTTED: _dotted,
}
