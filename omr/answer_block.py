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
from omr.pen import Align

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
_SMALLEST_SQUARE, _LARGEST_SQUARE = 7.0, 9.0
_MOST_COLUMNS = 30
_MARKS_DEPTH, _COUNT_LENGTH = 3.2, 7.0
_QUESTION_NUMBER_SIZE = 3.9
_UNIT_SIZE = 3.8


@dataclass(frozen=True, slots=True)
class Caption:
    """Printed text outside the answer regions: shrunk and broken into lines until it fits its area.

    Attributes:
        text: one paragraph.
        area: where it stands, mm.
        size: the largest font size, mm.
        align: left, middle or right.
        gray: ink, 0 black to 1 white.
    """

    text: str
    area: Rectangle
    size: float
    align: Align = Align.MIDDLE
    gray: float = 0.0


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
            return gutter + BOX_DEPTH
        case QuestionKind.NUMBER:
            tall = writing is Writing.VERTICAL
            return gutter + (BOX_DEPTH if tall else _NUMBER_LENGTH) + _unit_length(question, writing)
        case QuestionKind.TEXT if question.characters:
            length = gutter + question.characters * _SMALLEST_SQUARE + _unit_length(question, writing)
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
    columns, side = _manuscript_columns(characters, space.inner - max(unit_length, _COUNT_LENGTH))
    rows = -(-characters // columns)
    box = Rectangle(space.gutter, _MARKS_DEPTH, columns * side, rows * side)
    beside = side if space.writing is Writing.HORIZONTAL else min(box.h, BOX_DEPTH)
    captions = [_number_caption(question, space, box.y, beside)]
    captions += _count_captions(box, side, columns, characters)
    if question.unit:
        area = Rectangle(box.right + 1.2, box.y, unit_length - 1.2, side)
        captions.append(Caption(question.unit, area, _UNIT_SIZE, Align.START))
    return Block(
        question,
        space.length,
        box.bottom,
        box=box,
        lines=_square_lines(box, side, columns, characters),
        captions=tuple(captions),
    )


def _manuscript_columns(characters: int, length: float) -> tuple[int, float]:
    """How many squares stand in a line, and their side.

    All in one line where they fit; else a multiple of five that needs few lines and leaves few squares over.
    """
    most = int(length / _SMALLEST_SQUARE)
    columns = characters
    if characters > most:
        widest = max(min(most - most % 5, _MOST_COLUMNS), 5)
        rows = -(-characters // widest)
        columns = next(count for count in range(5, widest + 1, 5) if -(-characters // count) <= rows)
    return columns, min(_LARGEST_SQUARE, int(length / columns * 10) / 10)


def _square_lines(box: Rectangle, side: float, columns: int, characters: int) -> tuple[Rectangle, ...]:
    rows = round(box.h / side)
    last = characters - (rows - 1) * columns
    across = [Rectangle(box.x, box.y + row * side, box.w, 0) for row in range(1, rows)]
    along = [
        Rectangle(box.x + column * side, box.y, 0, (rows if column <= last else rows - 1) * side)
        for column in range(1, columns)
    ]
    return tuple(line for line in (*across, *along) if line.w or line.h)


def _count_captions(box: Rectangle, side: float, columns: int, characters: int) -> list[Caption]:
    rows = round(box.h / side)
    step = 5 if columns <= 20 else 10
    captions = [
        Caption(
            str(column), Rectangle(box.x + column * side - 4, box.y - 3, 4, 2.6), 2.2, Align.END, gray=0.4
        )
        for column in range(step, columns + 1, step)
    ]
    if rows > 1:
        captions += [
            Caption(
                str(min((row + 1) * columns, characters)),
                Rectangle(box.right + 0.8, box.y + row * side, _COUNT_LENGTH - 1, side),
                2.2,
                Align.START,
                gray=0.4,
            )
            for row in range(rows)
        ]
    return captions


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
