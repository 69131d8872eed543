"""Answer places that are typed, not ruled: room between brackets, and lines to write on.

They are told from ordinary print by the room that they leave, and a line also by the question number before it.
"""

from __future__ import annotations

import unicodedata
from itertools import pairwise
from typing import TYPE_CHECKING

import cv2
import numpy as np

from omr.answer_cells import AnswerCell, guess_kind
from omr.cell_print import PIXELS_PER_MM
from omr.geometry import Rectangle
from omr.layout import Line, QuestionKind
from omr.question_numbers import parse_question_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from omr.printed_text import PrintedText

_CLOSING = dict(zip("「『【〔〈([{", "」』】〕〉)]}", strict=True))
_UNDERSCORES = "_＿"
_LEAST_ROOM_MM = 7.0
_LEAST_LINE_MM = 15.0
_THICKEST_LINE_MM = 0.9
_ROOM_ABOVE_LINE_MM = (3.0, 9.0)
_GAP_TO_PRINT_MM = 1.0
_NUMBER_BEFORE_MM = 10.0
_SAME_END_MM = 1.5
_GAP_BETWEEN_LINES_MM = 4.0
_BRACKET_MARGIN_MM = 0.5  # under the room that a line below keeps


def find_bracketed_places(
    characters: Sequence[PrintedText],
) -> tuple[tuple[Rectangle, ...], tuple[PrintedText, ...]]:
    """The free room (at least 7 mm) between typed brackets, and the characters without these brackets.

    Args:
        characters: of one page, in the order of the text layer; vertical writing too.
    """
    places = []
    taken: set[int] = set()
    for index, (opening, closing) in enumerate(pairwise(characters)):
        if _CLOSING.get(_level(opening.text)) != _level(closing.text):
            continue
        room = _room_between(opening.rectangle, closing.rectangle)
        if room is not None and not any(
            room.intersects(one.rectangle.expanded(-0.2))
            for one in characters
            if one not in (opening, closing)
        ):
            places.append(room)
            taken |= {index, index + 1}
    return tuple(places), tuple(one for i, one in enumerate(characters) if i not in taken)


def find_answer_lines(
    ink: NDArray[np.uint8], characters: Sequence[PrintedText]
) -> tuple[tuple[AnswerCell, ...], tuple[PrintedText, ...]]:
    """The room over level lines with a question number before them, and the characters that are no lines.

    Equal lines without a number that follow on such a line belong to it.

    Args:
        ink: 255 where there is print, shape (height, width), at `PIXELS_PER_MM`, upright.
        characters: of the page; without any, no line is sure.
    """
    others = tuple(one for one in characters if one.text not in _UNDERSCORES)
    numbers = _numbers(others)
    places: list[AnswerCell] = []
    for line in sorted(_single_lines(ink), key=lambda line: line.y):
        place = _room_above(line, ink)
        if place is None:
            continue
        if any(_stands_before(number, place) for number in numbers):
            places.append(AnswerCell(place, QuestionKind.TEXT))
            continue
        over = next((one for one in places if _goes_on(one.rectangle, place)), None)
        if over is not None:
            places[places.index(over)] = _with_line(over, place.bottom)
    return tuple(places), others


def _goes_on(over: Rectangle, place: Rectangle) -> bool:
    """Whether the room over a line follows on the room over an equal line."""
    equal = max(abs(over.x - place.x), abs(over.right - place.right)) <= _SAME_END_MM
    return equal and -0.5 <= place.y - over.bottom <= _GAP_BETWEEN_LINES_MM


def _with_line(cell: AnswerCell, bottom: float) -> AnswerCell:
    """The place down to one more line; the line that was its lowest is now inside."""
    box = cell.rectangle
    rectangle = Rectangle(box.x, box.y, box.w, bottom - box.y)
    lines = (*cell.lines, Line(box.x, box.bottom, box.right, box.bottom))
    return AnswerCell(rectangle, guess_kind(rectangle), lines)


def _level(bracket: str) -> str:
    """The bracket itself for its wide form and its form in vertical writing."""
    return unicodedata.normalize("NFKC", bracket)


def _room_between(opening: Rectangle, closing: Rectangle) -> Rectangle | None:
    """The room from one bracket to the other, across or down; None if they are near or not in one line."""
    margin = _BRACKET_MARGIN_MM
    (x1, y1), (x2, y2) = opening.centre, closing.centre
    across, down = closing.x - opening.right, closing.y - opening.bottom
    if across >= _LEAST_ROOM_MM and abs(y1 - y2) <= 0.5 * max(opening.h, closing.h):
        top, bottom = min(opening.y, closing.y) - margin, max(opening.bottom, closing.bottom) + margin
        return Rectangle(opening.right, top, across, bottom - top)
    if down >= _LEAST_ROOM_MM and abs(x1 - x2) <= 0.5 * max(opening.w, closing.w):
        left, right = min(opening.x, closing.x) - margin, max(opening.right, closing.right) + margin
        return Rectangle(left, opening.bottom, right - left, down)
    return None


def _single_lines(ink: NDArray[np.uint8]) -> list[Rectangle]:
    """Level lines of at least 15 mm that touch nothing; short gaps, as between typed lows, are bridged."""
    closed = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((1, PIXELS_PER_MM), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(closed, connectivity=8)
    wide, high = stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]
    lines = stats[(wide >= _LEAST_LINE_MM * PIXELS_PER_MM) & (high <= _THICKEST_LINE_MM * PIXELS_PER_MM)]
    return [Rectangle(*(float(side) / PIXELS_PER_MM for side in line[:4])) for line in lines]


def _room_above(line: Rectangle, ink: NDArray[np.uint8]) -> Rectangle | None:
    """The room over a line up to the next print, at most 9 mm; None if it is under 3 mm."""
    least, most = _ROOM_ABOVE_LINE_MM
    top, bottom = (round(y * PIXELS_PER_MM) for y in (max(line.y - most, 0), line.y))
    left, right = (round(x * PIXELS_PER_MM) for x in (line.x, line.right))
    printed = np.flatnonzero(ink[top : bottom - 2, left:right].any(axis=1))
    free_from = (
        line.y - most if not len(printed) else (top + int(printed[-1]) + 1) / PIXELS_PER_MM + _GAP_TO_PRINT_MM
    )
    if line.y - free_from < least:
        return None
    return Rectangle(line.x, free_from, line.w, line.bottom - free_from)


def _numbers(characters: Sequence[PrintedText]) -> list[Rectangle]:
    """Where runs of print in a line end that say a question number."""
    runs: list[list[PrintedText]] = []
    for one in characters:
        if runs and _continues(runs[-1][-1].rectangle, one.rectangle):
            runs[-1].append(one)
        else:
            runs.append([one])
    return [run[-1].rectangle for run in runs if parse_question_number("".join(one.text for one in run))]


def _continues(before: Rectangle, after: Rectangle) -> bool:
    size = max(before.w, before.h, after.w, after.h)
    return (
        abs(before.centre[1] - after.centre[1]) <= 0.5 * size
        and 0 <= after.centre[0] - before.centre[0] <= 1.9 * size
    )


def _stands_before(number: Rectangle, place: Rectangle) -> bool:
    return -0.5 <= place.x - number.right <= _NUMBER_BEFORE_MM and place.y <= number.centre[1] <= place.bottom
