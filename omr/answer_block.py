"""One question's place on the sheet before it has a page: its number, bubbles, box and inner lines.

Blocks are made in flow coordinates, in millimetres: x runs along the direction of writing, y from one line
to the next. On a horizontal sheet these are page x and y; on a vertical sheet (縦書き) x runs down the page
and y from right to left. So every kind of question is described once for both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from omr.bubble_print import place_label
from omr.design import Writing
from omr.errors import InputError
from omr.fonts import text_width
from omr.geometry import Rectangle
from omr.layout import QuestionKind
from omr.manuscript import (
    COUNT_LENGTH,
    MARKS_DEPTH,
    SMALLEST_SQUARE,
    count_captions,
    divide_squares,
    square_lines,
)
from omr.pen import Align, Caption

if TYPE_CHECKING:
    from omr.design import QuestionDesign

BUBBLE_WIDTH, BUBBLE_HEIGHT = 4.4, 5.2
BUBBLE_CLEARANCE = 3.6
"""Between two bubbles of a question, so that one can be circled without touching the next."""
CHOICE_DEPTH = 9.4
"""A line of bubbles with the white around it."""
_VERTICAL_CHOICE_DEPTH = 11.4  # the question number stands above and needs the width
BOX_DEPTH = 13.0
"""Height of a symbol, number or text box (its width on vertical sheets)."""
_SMALLEST_LABEL = 2.3
_NUMBER_LENGTH = 40.0
_SHORTEST_TEXT = 48.0
_VERTICAL_NUMBER_DEPTH = 32.0  # digits are written side by side even where the sheet is vertical
_ESSAY_LINES, _LINE_PITCH = 4, 9.0
_DRAWING_DEPTH = 60.0
_QUESTION_NUMBER_SIZE = 3.9
_UNIT_SIZE = 3.8


@dataclass(frozen=True, slots=True)
class Block:
    """A question in flow coordinates, its first corner at (0, 0).

    Attributes:
        question: what it is for.
        length: along the line.
        depth: across the lines.
        bubbles: boxes of the choices, in order.
        box: of every other kind.
        lines: printed inside the box, as rectangles without width or height.
        captions: question number, unit, counts of manuscript squares.
    """

    question: QuestionDesign
    length: float
    depth: float
    bubbles: tuple[Rectangle, ...] = ()
    box: Rectangle | None = None
    lines: tuple[Rectangle, ...] = ()
    captions: tuple[Caption, ...] = ()


@dataclass(frozen=True, slots=True)
class BlockSpace:
    """The room that a block may take.

    Attributes:
        writing: direction of the sheet.
        gutter: length kept for the question number before the region.
        length: of the whole block.
    """

    writing: Writing
    gutter: float
    length: float

    @property
    def inner(self) -> float:
        """Length behind the question number."""
        return self.length - self.gutter


def gutter_length(questions: tuple[QuestionDesign, ...], writing: Writing) -> float:
    """Length kept before every answer region for the widest question number of the sheet."""
    if writing is Writing.VERTICAL:
        return 7.0
    widest = max(text_width(question.id, _QUESTION_NUMBER_SIZE) for question in questions)
    return min(max(widest + 2.5, 10.0), 19.0)


def choice_pitch(question: QuestionDesign, writing: Writing) -> tuple[Rectangle, float]:
    """The first bubble of a choice question in flow coordinates, and the distance to the next along the line."""
    width = BUBBLE_WIDTH
    for label in question.choices:
        em = text_width(label, 1.0)
        while place_label(Rectangle(0, 0, width, BUBBLE_HEIGHT), em).size < _SMALLEST_LABEL:
            width = round(width + 0.2, 3)
    if writing is Writing.HORIZONTAL:
        return Rectangle(0, 0, width, BUBBLE_HEIGHT), width + BUBBLE_CLEARANCE
    return Rectangle(0, 0, BUBBLE_HEIGHT, width), BUBBLE_HEIGHT + BUBBLE_CLEARANCE


def natural_length(question: QuestionDesign, writing: Writing, gutter: float) -> float | None:
    """The shortest comfortable length of a block; None for one that takes the whole line."""
    match question.kind:
        case QuestionKind.CHOICE:
            bubble, pitch = choice_pitch(question, writing)
            return gutter + (len(question.choices) - 1) * pitch + bubble.w
        case QuestionKind.SYMBOL:
            return gutter + BOX_DEPTH + _unit_length(question, writing)
        case QuestionKind.NUMBER:
            tall = writing is Writing.VERTICAL
            return gutter + (BOX_DEPTH if tall else _NUMBER_LENGTH) + _unit_length(question, writing)
        case QuestionKind.TEXT if question.characters:
            length = gutter + question.characters * SMALLEST_SQUARE + _unit_length(question, writing)
            return max(length, gutter + _NUMBER_LENGTH)
        case QuestionKind.TEXT:
            return gutter + _SHORTEST_TEXT + _unit_length(question, writing)
        case _:
            return None


def make_block(question: QuestionDesign, space: BlockSpace) -> Block:
    """Lay one question out in the room that it is given.

    Raises:
        InputError: a bubble or a manuscript square does not fit even alone.
    """
    match question.kind:
        case QuestionKind.CHOICE:
            return _choice_block(question, space)
        case QuestionKind.TEXT | QuestionKind.ESSAY if question.characters:
            return _manuscript_block(question, space)
        case QuestionKind.SYMBOL:
            return _box_block(question, space, BOX_DEPTH, BOX_DEPTH)
        case QuestionKind.NUMBER if space.writing is Writing.VERTICAL:
            return _box_block(question, space, BOX_DEPTH, _VERTICAL_NUMBER_DEPTH)
        case QuestionKind.NUMBER:
            return _box_block(question, space, _NUMBER_LENGTH, BOX_DEPTH)
        case QuestionKind.TEXT:
            return _box_block(question, space, space.inner, BOX_DEPTH)
        case QuestionKind.ESSAY:
            return _ruled_block(question, space)
        case QuestionKind.DRAWING:
            return _box_block(question, space, space.inner, _DRAWING_DEPTH)


def _choice_block(question: QuestionDesign, space: BlockSpace) -> Block:
    bubble, pitch = choice_pitch(question, space.writing)
    most = int((space.inner - bubble.w) / pitch + 1e-6) + 1 if space.inner >= bubble.w else 0
    if most == 0:
        raise InputError(
            f"設問「{question.id}」の選択肢が長すぎて用紙の幅に入りません。選択肢の文字を短くしてください。"
        )
    lines = -(-len(question.choices) // most)
    per_line = -(-len(question.choices) // lines)
    line_pitch = bubble.h + BUBBLE_CLEARANCE
    line_depth = max(
        CHOICE_DEPTH if space.writing is Writing.HORIZONTAL else _VERTICAL_CHOICE_DEPTH,
        bubble.h + BUBBLE_CLEARANCE + 0.6,
    )
    margin = (line_depth - bubble.h) / 2
    bubbles = tuple(
        Rectangle(
            space.gutter + (place % per_line) * pitch,
            margin + (place // per_line) * line_pitch,
            bubble.w,
            bubble.h,
        )
        for place in range(len(question.choices))
    )
    depth = line_depth + (lines - 1) * line_pitch
    return Block(
        question,
        space.length,
        depth,
        bubbles=bubbles,
        captions=(_number_caption(question, space, 0, line_depth),),
    )


def _box_block(question: QuestionDesign, space: BlockSpace, length: float, depth: float) -> Block:
    unit_length = _unit_length(question, space.writing)
    length = min(length, space.inner - unit_length)
    box = Rectangle(space.gutter, 0, length, depth)
    captions = [_number_caption(question, space, 0, min(depth, BOX_DEPTH))]
    if question.unit:
        area = Rectangle(box.right + 1.2, 0, unit_length - 1.2, depth)
        captions.append(Caption(question.unit, area, _UNIT_SIZE, Align.START))
    return Block(question, space.length, depth, box=box, captions=tuple(captions))


def _ruled_block(question: QuestionDesign, space: BlockSpace) -> Block:
    count = question.lines or _ESSAY_LINES
    box = Rectangle(space.gutter, 0, space.inner, count * _LINE_PITCH)
    lines = tuple(Rectangle(box.x, line * _LINE_PITCH, box.w, 0) for line in range(1, count))
    return Block(
        question,
        space.length,
        box.h,
        box=box,
        lines=lines,
        captions=(_number_caption(question, space, 0, min(BOX_DEPTH, box.h)),),
    )


def _manuscript_block(question: QuestionDesign, space: BlockSpace) -> Block:
    """Squares for one character each (字数), with counts outside the box."""
    characters = question.characters or 1
    unit_length = _unit_length(question, space.writing)
    columns, side = divide_squares(characters, space.inner - unit_length)
    rows = -(-characters // columns)
    box = Rectangle(space.gutter, MARKS_DEPTH, columns * side, rows * side)
    beside = side if space.writing is Writing.HORIZONTAL else min(box.h, BOX_DEPTH)
    captions = [_number_caption(question, space, box.y, beside)]
    captions += count_captions(box, side, columns, characters)
    if question.unit:
        area = Rectangle(
            box.right + 1.2 + (COUNT_LENGTH if rows > 1 else 0.0), box.y, unit_length - 1.2, side
        )
        captions.append(Caption(question.unit, area, _UNIT_SIZE, Align.START))
    return Block(
        question,
        space.length,
        box.bottom,
        box=box,
        lines=square_lines(box, side, columns, characters),
        captions=tuple(captions),
    )


def _number_caption(question: QuestionDesign, space: BlockSpace, start: float, depth: float) -> Caption:
    clear = 2.0 if space.writing is Writing.HORIZONTAL else 1.0
    area = Rectangle(0, start, space.gutter - clear, depth)
    return Caption(question.id, area, _QUESTION_NUMBER_SIZE, Align.END)


def _unit_length(question: QuestionDesign, writing: Writing) -> float:
    if not question.unit:
        return 0.0
    if writing is Writing.VERTICAL:
        return 7.0
    return min(text_width(question.unit, _UNIT_SIZE) + 2.0, 16.0)
