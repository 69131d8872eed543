"""Manuscript squares (原稿用紙のます目): one for each character (字数), in flow coordinates."""

from __future__ import annotations

from omr.geometry import Rectangle
from omr.pen import Align, Caption

SMALLEST_SQUARE = 7.0
_LARGEST_SQUARE = 9.0
_MOST_COLUMNS = 30
MARKS_DEPTH = 3.2
"""Kept before the first line for the column counts."""
COUNT_LENGTH = 7.0
"""Kept behind every line for the count so far, where there are several lines."""
_COUNT_SIZE, _COUNT_GRAY = 2.2, 0.4


def divide_squares(characters: int, length: float) -> tuple[int, float]:
    """How many squares stand in a line, and their side.

    All in one line where they fit; else a multiple of five that needs few lines and leaves few squares over.
    """
    columns = characters
    if characters * SMALLEST_SQUARE > length:
        length -= COUNT_LENGTH
        most = int(length / SMALLEST_SQUARE)
        widest = max(min(most - most % 5, _MOST_COLUMNS), 5)
        rows = -(-characters // widest)
        columns = next(count for count in range(5, widest + 1, 5) if -(-characters // count) <= rows)
    return columns, min(_LARGEST_SQUARE, int(length / columns * 10) / 10)


def square_lines(box: Rectangle, side: float, columns: int, characters: int) -> tuple[Rectangle, ...]:
    """The lines between squares, as rectangles without width or height; none behind the last character.

    Args:
        box: the whole grid.
        side: of a square, mm.
        columns: squares in a full line.
        characters: squares in all.
    """
    rows = round(box.h / side)
    last = characters - (rows - 1) * columns
    between_rows = [Rectangle(box.x, box.y + row * side, box.w, 0) for row in range(1, rows)]
    within_rows = [
        Rectangle(box.x + column * side, box.y, 0, (rows if column <= last else rows - 1) * side)
        for column in range(1, columns)
    ]
    return (*between_rows, *within_rows)


def count_captions(box: Rectangle, side: float, columns: int, characters: int) -> list[Caption]:
    """Counts outside the grid: every 5 or 10 columns, and behind each line of several.

    Args:
        box: the whole grid.
        side: of a square, mm.
        columns: squares in a full line.
        characters: squares in all.
    """
    rows = round(box.h / side)
    step = 5 if columns <= 20 else 10
    marks = [
        (column, Rectangle(box.x + column * side - 4, box.y - 3, 4, 2.6), Align.END)
        for column in range(step, columns + 1, step)
    ]
    if rows > 1:
        marks += [
            (
                min((row + 1) * columns, characters),
                Rectangle(box.right + 0.8, box.y + row * side, COUNT_LENGTH - 1, side),
                Align.START,
            )
            for row in range(rows)
        ]
    return [Caption(str(count), area, _COUNT_SIZE, align, _COUNT_GRAY) for count, area, align in marks]
