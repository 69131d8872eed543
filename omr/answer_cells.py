"""Which cells of a ruled sheet are answer boxes: free cells, manuscript squares and ruled essays as one box."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from omr.box_neighbours import TOUCH_MM, stands_above, stands_beside
from omr.cell_print import CellPrint
from omr.geometry import Rectangle
from omr.layout import Line, QuestionKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from omr.ruled_lines import Cell

_SMALLEST_SIDE_MM = 5.6  # 6 mm, less what a line takes
_SQUARE_MM = (4.0, 12.5)
_RUBY_GAP_MM = 3.6
_FEWEST_SQUARES = 20
_FEWEST_SQUARES_IN_LINE = 5
_ESSAY_LINES = 3
_ESSAY_LINE_MM = (80.0, 12.5)  # at least as long, at most as high
_LABEL_CELL_MM = 40.0
_HEADING_MM = 15.0
_LARGEST_FRAME = 3.0  # times the squares in it
_LARGEST_PLOT_SQUARE_MM = 5.6  # manuscript squares are larger


@dataclass(frozen=True, slots=True)
class AnswerCell:
    """A box for one answer.

    Attributes:
        rectangle: on the page, in millimetres.
        kind: a guess from its shape.
        lines: printed inside (manuscript squares, ruled lines).
    """

    rectangle: Rectangle
    kind: QuestionKind
    lines: tuple[Line, ...] = ()


def find_answer_cells(cells: Sequence[Cell]) -> tuple[AnswerCell, ...]:
    """Choose the answer boxes among the cells of a page; what is not sure is left out."""
    inner = _without_frames(cells)
    free = [cell for cell in inner if cell.print is not CellPrint.PRINTED]
    printed = [cell.rectangle for cell in inner if cell.print is CellPrint.PRINTED]
    manuscripts = _manuscripts(free, printed)
    in_manuscript = {id(cell) for group in manuscripts for cell in group}
    single = [
        cell
        for cell in free
        if id(cell) not in in_manuscript
        and min(cell.rectangle.w, cell.rectangle.h) >= _SMALLEST_SIDE_MM
        and not _is_label(cell, free)
        and not _is_heading(cell, inner)
    ]
    essays = _ruled_essays(single, printed)
    in_essay = {id(cell) for group in essays for cell in group}
    return (
        *(_in_own_frame(_merge(group), group, cells) for group in manuscripts),
        *(_merge(group) for group in essays),
        *(
            AnswerCell(cell.rectangle, guess_kind(cell.rectangle))
            for cell in single
            if id(cell) not in in_essay
        ),
    )


def guess_kind(box: Rectangle) -> QuestionKind:
    """The kind of question by the shape of its box: small square, large, or anything else."""
    if max(box.w, box.h) <= 16 and 0.6 <= box.w / box.h <= 1.67:
        return QuestionKind.SYMBOL
    if min(box.w, box.h) >= 20 and box.w * box.h >= 2000:
        return QuestionKind.ESSAY
    return QuestionKind.TEXT


def _without_frames(cells: Sequence[Cell]) -> list[Cell]:
    """The cells without those that merely frame others; a small number box in a corner does not count."""
    corners = np.array(
        [(c.rectangle.x, c.rectangle.y, c.rectangle.right, c.rectangle.bottom) for c in cells]
    ).reshape(-1, 4)
    kept = []
    for index, cell in enumerate(cells):
        left, top, right, bottom = corners[index]
        within = (
            (corners[:, 0] >= left - 0.5)
            & (corners[:, 1] >= top - 0.5)
            & (corners[:, 2] <= right + 0.5)
            & (corners[:, 3] <= bottom + 0.5)
        )
        within[index] = False
        if all(_is_corner_label(cells[int(other)], cell.rectangle) for other in np.flatnonzero(within)):
            kept.append(cell)
    return kept


def _is_corner_label(inner: Cell, outer: Rectangle) -> bool:
    small = inner.rectangle.w * inner.rectangle.h <= 0.15 * outer.w * outer.h
    at_side = (
        abs(inner.rectangle.x - outer.x) <= TOUCH_MM or abs(inner.rectangle.right - outer.right) <= TOUCH_MM
    )
    at_end = (
        abs(inner.rectangle.y - outer.y) <= TOUCH_MM or abs(inner.rectangle.bottom - outer.bottom) <= TOUCH_MM
    )
    return inner.print is CellPrint.PRINTED and small and at_side and at_end


def _is_label(cell: Cell, free: Sequence[Cell]) -> bool:
    """Whether a cell with a little print where writing begins names the entirely empty cells beside or below it."""
    box = cell.rectangle
    if cell.print is not CellPrint.NUMBER or box.w > _LABEL_CELL_MM:
        return False
    return any(
        other.print is CellPrint.EMPTY
        and (_opens_beside(box, other.rectangle) or _opens_below(box, other.rectangle))
        for other in free
    )


def _is_heading(cell: Cell, cells: Sequence[Cell]) -> bool:
    """Whether a long cell with a little print where writing begins spans several cells that follow it."""
    box = cell.rectangle
    if cell.print is not CellPrint.NUMBER or min(box.w, box.h) > _HEADING_MM:
        return False
    others = [other.rectangle for other in cells if other is not cell]
    below = [other for other in others if _opens_below(box, other)]
    beside = [
        other
        for other in others
        if _opens_beside(box, other) or _opens_beside(_mirrored(box), _mirrored(other))
    ]
    spans_columns = len(below) >= 2 and sum(other.w for other in below) >= 0.8 * box.w
    spans_rows = len(beside) >= 2 and sum(other.h for other in beside) >= 0.8 * box.h
    return spans_columns or spans_rows


def _mirrored(box: Rectangle) -> Rectangle:
    return Rectangle(-box.right, box.y, box.w, box.h)


def _opens_beside(label: Rectangle, box: Rectangle) -> bool:
    rows = label.y - TOUCH_MM <= box.y and box.bottom <= label.bottom + TOUCH_MM
    return abs(label.right - box.x) <= TOUCH_MM and rows


def _opens_below(label: Rectangle, box: Rectangle) -> bool:
    columns = label.x - TOUCH_MM <= box.x and box.right <= label.right + TOUCH_MM
    return abs(label.bottom - box.y) <= TOUCH_MM and columns


def _manuscripts(free: Sequence[Cell], printed: Sequence[Rectangle]) -> list[list[Cell]]:
    """Groups of manuscript squares (原稿用紙): small, square, equal, side by side, without labels of their own."""
    least, most = _SQUARE_MM
    squares = [
        cell
        for cell in free
        if cell.print is CellPrint.EMPTY
        and least <= min(cell.rectangle.w, cell.rectangle.h)
        and max(cell.rectangle.w, cell.rectangle.h) <= most
        and 0.75 <= cell.rectangle.w / cell.rectangle.h <= 1.34
    ]
    groups = []
    for members in _neighbours([cell.rectangle for cell in squares], _RUBY_GAP_MM):
        sizes = np.array([(squares[i].rectangle.w, squares[i].rectangle.h) for i in members])
        equal = np.abs(sizes - np.median(sizes, axis=0)).max(axis=1) <= 0.7
        group = [squares[i] for i, is_equal in zip(members, equal, strict=True) if is_equal]
        if _enough_squares(group) and equal.mean() >= 0.9 and not _labelled(group, printed):
            groups.append(group)
    return groups


def _enough_squares(group: Sequence[Cell]) -> bool:
    outline = _outline([cell.rectangle for cell in group])
    side = group[0].rectangle
    in_line = outline.h <= 1.3 * side.h or outline.w <= 1.3 * side.w
    touching = in_line and max(outline.w, outline.h) <= 1.1 * len(group) * max(side.w, side.h)
    return len(group) >= _FEWEST_SQUARES or (touching and len(group) >= _FEWEST_SQUARES_IN_LINE)


def _labelled(group: Sequence[Cell], printed: Sequence[Rectangle]) -> bool:
    """Whether the squares have their own labels: a printed cell as wide above, or as high beside, each."""
    boxes = [cell.rectangle for cell in group]
    outline = _outline(boxes)
    above = [
        sum(stands_above(label, box) and abs(label.w - box.w) <= TOUCH_MM for label in printed)
        for box in boxes
    ]
    beside = [
        sum(
            (stands_beside(label, box) or stands_beside(box, label)) and abs(label.h - box.h) <= TOUCH_MM
            for label in printed
        )
        for box in boxes
    ]
    columns = outline.w / boxes[0].w
    rows = outline.h / boxes[0].h
    return sum(above) >= 0.5 * columns or (rows >= 2 and sum(beside) >= 0.5 * rows)


def _ruled_essays(single: Sequence[Cell], printed: Sequence[Rectangle]) -> list[list[Cell]]:
    """Groups of long, equal, unlabelled lines that follow on each other: one essay with ruled lines."""
    groups = []
    for along, across in (("w", "h"), ("h", "w")):
        long = [
            cell
            for cell in single
            if cell.print is CellPrint.EMPTY
            and getattr(cell.rectangle, along) >= _ESSAY_LINE_MM[0]
            and getattr(cell.rectangle, across) <= _ESSAY_LINE_MM[1]
            and not _has_own_label(cell.rectangle, printed)
        ]
        for members in _neighbours([cell.rectangle for cell in long], TOUCH_MM):
            sizes = np.array([(long[i].rectangle.w, long[i].rectangle.h) for i in members])
            if len(members) >= _ESSAY_LINES and np.ptp(sizes, axis=0).max() <= 2.0:
                groups.append([long[i] for i in members])
    return groups


def _has_own_label(box: Rectangle, printed: Sequence[Rectangle]) -> bool:
    return any(
        (stands_beside(label, box) and abs(label.h - box.h) <= TOUCH_MM)
        or (stands_above(label, box) and abs(label.w - box.w) <= TOUCH_MM and box.h > box.w)
        for label in printed
    )


def _merge(group: Sequence[Cell]) -> AnswerCell:
    boxes = [cell.rectangle for cell in group]
    outline = _outline(boxes)
    many = len(group) >= _FEWEST_SQUARES or outline.w * outline.h >= 2000
    xs = _distinct([edge for box in boxes for edge in (box.x, box.right)])
    ys = _distinct([edge for box in boxes for edge in (box.y, box.bottom)])
    lines = (
        *(Line(x, outline.y, x, outline.bottom) for x in xs[1:-1]),
        *(Line(outline.x, y, outline.right, y) for y in ys[1:-1]),
    )
    is_plot = many and min(len(xs), len(ys)) > 5 and boxes[0].w <= _LARGEST_PLOT_SQUARE_MM
    kind = QuestionKind.DRAWING if is_plot else QuestionKind.ESSAY if many else QuestionKind.TEXT
    return AnswerCell(outline, kind, lines)


def _in_own_frame(answer: AnswerCell, squares: Sequence[Cell], cells: Sequence[Cell]) -> AnswerCell:
    """The answer as large as an unprinted frame round its squares alone (方眼 with room beside), if it has one."""
    box = answer.rectangle
    own = {id(cell) for cell in squares}
    for frame in cells:
        outer = frame.rectangle
        holds = [cell for cell in cells if cell is not frame and _within(cell.rectangle, outer)]
        if (
            frame.print is CellPrint.EMPTY
            and id(frame) not in own
            and _within(box, outer)
            and outer.w * outer.h <= _LARGEST_FRAME * box.w * box.h
            and all(id(cell) in own for cell in holds)
        ):
            return replace(answer, rectangle=outer)
    return answer


def _within(inner: Rectangle, outer: Rectangle) -> bool:
    grown = outer.expanded(0.5)
    return (
        grown.x <= inner.x
        and grown.y <= inner.y
        and inner.right <= grown.right
        and inner.bottom <= grown.bottom
    )


def _distinct(edges: list[float]) -> list[float]:
    """Sorted positions, those within a line's width taken together."""
    ordered = np.sort(edges)
    starts = np.flatnonzero(np.diff(ordered, prepend=-np.inf) > 1.0)
    return [float(part.mean()) for part in np.split(ordered, starts[1:])]


def _outline(boxes: Sequence[Rectangle]) -> Rectangle:
    left, top = min(box.x for box in boxes), min(box.y for box in boxes)
    return Rectangle(
        left, top, max(box.right for box in boxes) - left, max(box.bottom for box in boxes) - top
    )


def _neighbours(boxes: Sequence[Rectangle], gap: float) -> list[NDArray[np.int64]]:
    """Groups of boxes that stand within `gap` millimetres of each other, as indices."""
    if not boxes:
        return []
    scale = 4  # pixels per millimetre of the drawing in which the groups are found
    outline = _outline(boxes)
    drawing = np.zeros((int((outline.h + gap) * scale) + 2, int((outline.w + gap) * scale) + 2), np.uint8)
    corners = np.array([(box.x, box.y, box.right, box.bottom) for box in boxes])
    corners -= (outline.x, outline.y, outline.x - gap, outline.y - gap)
    pixels = (corners * scale).astype(np.int64)
    for left, top, right, bottom in pixels:
        drawing[top : bottom + 1, left : right + 1] = 1
    _, labels = cv2.connectedComponents(drawing, connectivity=4)
    group = labels[pixels[:, 1], pixels[:, 0]]
    return [np.flatnonzero(group == one) for one in np.unique(group)]
