"""Where squares, code, name and digit bubbles can stand on a sheet that was not made for them.

The usual place first (`omr.page_frame`), then the nearest one that is free. All pages of a sheet carry the
same stamps in the same places, as our own sheets do, so that one registration serves them all.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from omr.page_frame import (
    DIGITS_HEIGHT,
    DIGITS_WIDTH,
    FIDUCIAL,
    INSETS,
    QR,
    SECOND_QR,
    SIDE_FIDUCIAL,
    SIDE_HEIGHTS,
    to_thousandths,
)
from omr.page_size import nearest_paper

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from omr.free_space import FreeSpace
    from omr.geometry import Rectangle

_STEP = 0.5
_NEAREST_TO_EDGE = 8.0
_FARTHEST_FROM_EDGE = 24.0
_SQUARES = (FIDUCIAL, 5.0)
_AROUND_SQUARE = 0.5
"""On top of what `FreeSpace` keeps clear: the reader measures a square with 1.5 mm around it."""
_BELOW_SIDE_SQUARE = 12.0
"""The reader compares a side square with the paper this far below its middle."""
_SIDE_SHIFT = 0.15
"""How far a side square may move along its side, as a share of the page's height."""
_LEAST_UNEVEN = 12.0
"""By how much the side squares must miss each other's places upside down."""
_PRINTABLE = 5.0
"""What printers leave white at the edge."""
_CODES = (QR, 22.0, 20.0, 18.0, 16.0, SECOND_QR)
_SMALLER_CODE = 4.0
"""How far a code may go to be 1 mm larger."""
_EDGE_ZONE = 50.0
"""The code's middle stands within this of an edge of the paper, not amid the questions."""
_LEAST_APART = 0.35
"""Between the two codes, as a share of the page's diagonal: one stain does not cover both."""
_USUAL_INDENT = 15.0
_AROUND_DIGITS = 3.0
_NAMES = ((100.0, 7.0), (80.0, 7.0), (100.0, 5.0), (80.0, 5.0), (64.0, 5.0))


class Lacking(StrEnum):
    """What has no room, in the teacher's words."""

    SQUARES = "四隅の■（5 mm 角、紙の端から 8〜24 mm）"
    CODE = "QRコード（14 mm 角）"
    NAME = "生徒の氏名（横 64 mm、縦 5 mm）"


@dataclass(frozen=True, slots=True)
class StampPlaces:
    """Where the stamps of every page stand, mm.

    Attributes:
        fiducials: as in `PageLayout`; the side squares that have room.
        qr: the code, quiet zone included.
        name: one line with class, number and name.
        second_qr: the code again, if there is room.
        digits: block of the digit rows, if there is room.
    """

    fiducials: tuple[Rectangle, ...]
    qr: Rectangle
    name: Rectangle
    second_qr: Rectangle | None
    digits: Rectangle | None


def place_stamps(space: FreeSpace) -> StampPlaces | Lacking:
    """Find room for the stamps; the squares, one code and the name must have it, or it is said what lacks."""
    corners = _place_corners(space)
    if corners is None:
        return Lacking.SQUARES
    space = space.without(*(square.expanded(_AROUND_SQUARE + 1.5) for square in corners))
    qr = _place_code(space)
    if qr is None:
        return Lacking.CODE
    space = space.without(qr)
    name = _place_name(space)
    if name is None:
        return Lacking.NAME
    space = space.without(name.expanded(1.0))
    sides = _place_sides(space, corners)
    space = space.without(*(square.expanded(_AROUND_SQUARE + 1.5) for square in sides))
    digits = _place_digits(space)
    if digits is not None:
        space = space.without(digits.expanded(1.0))
    return StampPlaces((*corners, *sides), qr, name, _place_second_code(space, qr), digits)


def _place_corners(space: FreeSpace) -> tuple[Rectangle, ...] | None:
    """Four squares, the same distance from their corners: which end is up must not change their places."""
    width, height = space.size
    usual = INSETS[nearest_paper((width, height))]
    steps = np.arange(_NEAREST_TO_EDGE, _FARTHEST_FROM_EDGE + _STEP / 2, _STEP)
    across, down = np.meshgrid(steps, steps)
    for side in _SQUARES:
        clear = side + 2 * _AROUND_SQUARE
        free = np.ones(across.shape, bool)
        for x in (across, width - across - side):
            for y in (down, height - down - side):
                free &= space.holds(clear, clear, x - _AROUND_SQUARE, y - _AROUND_SQUARE)
        best = _cheapest(free, np.abs(across - usual) + np.abs(down - usual))
        if best is not None:
            left, top = float(across[best]), float(down[best])
            right, low = width - left - side, height - top - side
            places = ((left, top), (right, top), (right, low), (left, low))
            return tuple(to_thousandths(x, y, side, side) for x, y in places)
    return None


def _place_sides(space: FreeSpace, corners: Sequence[Rectangle]) -> tuple[Rectangle, ...]:
    """A square at the left and one at the right, as far as there is room."""
    width, height = space.size
    found: list[Rectangle] = []
    insets = np.arange(_NEAREST_TO_EDGE, _FARTHEST_FROM_EDGE, _STEP)
    lefts = (insets, width - insets - SIDE_FIDUCIAL)
    for share, columns, corner in zip(SIDE_HEIGHTS, lefts, (corners[0], corners[1]), strict=True):
        usual = share * height - SIDE_FIDUCIAL / 2
        rows = np.arange(usual - _SIDE_SHIFT * height, usual + _SIDE_SHIFT * height, _STEP)
        x, y = np.meshgrid(columns, rows)
        clear = SIDE_FIDUCIAL + 2 * _AROUND_SQUARE
        free = space.holds(
            clear,
            clear + _BELOW_SIDE_SQUARE,
            x - _AROUND_SQUARE,
            y - _AROUND_SQUARE,
        )
        for other in found:
            free &= np.abs(y + SIDE_FIDUCIAL / 2 + other.centre[1] - height) >= _LEAST_UNEVEN
        in_line = np.abs(x + SIDE_FIDUCIAL / 2 - corner.centre[0])
        best = _cheapest(free, np.abs(y - usual) + in_line)
        if best is not None:
            found.append(to_thousandths(float(x[best]), float(y[best]), SIDE_FIDUCIAL, SIDE_FIDUCIAL))
    return tuple(found)


def _place_code(space: FreeSpace) -> Rectangle | None:
    """A code near an edge, as large and as near to the top right as can be."""
    width, height = space.size
    found: list[tuple[float, Rectangle]] = []
    for side in _CODES:
        x, y = _positions(space, side, side)
        to_edge = np.minimum(np.minimum(x, width - x - side), np.minimum(y, height - y - side))
        free = space.holds(side, side, x, y) & (to_edge + side / 2 <= _EDGE_ZONE)
        cost = (width - x - side) + y + _SMALLER_CODE * (QR - side)
        best = _cheapest(free, cost)
        if best is not None:
            area = to_thousandths(float(x[best]), float(y[best]), side, side)
            found.append((float(cost[best]), area))
    return min(found, key=lambda one: one[0])[1] if found else None


def _place_second_code(space: FreeSpace, first: Rectangle) -> Rectangle | None:
    width, height = space.size
    side = SECOND_QR
    x, y = _positions(space, side, side)
    apart = np.hypot(x + side / 2 - first.centre[0], y + side / 2 - first.centre[1])
    to_edge = np.minimum(np.minimum(x, width - x - side), np.minimum(y, height - y - side))
    free = (
        space.holds(side, side, x, y)
        & (apart >= _LEAST_APART * np.hypot(width, height))
        & (to_edge + side / 2 <= _EDGE_ZONE)
    )
    best = _cheapest(free, x + (height - y))
    return None if best is None else to_thousandths(float(x[best]), float(y[best]), side, side)


def _place_name(space: FreeSpace) -> Rectangle | None:
    """One line above or below the questions, the top first."""
    _, height = space.size
    for w, h in _NAMES:
        x, y = _positions(space, w, h)
        outside = np.minimum(y, height - y - h) <= 0.25 * height
        cost = y + 0.1 * x + 2 * np.maximum(0, _USUAL_INDENT - x)
        best = _cheapest(space.holds(w, h, x, y) & outside, cost)
        if best is not None:
            return to_thousandths(float(x[best]), float(y[best]), w, h)
    return None


def _place_digits(space: FreeSpace) -> Rectangle | None:
    _, height = space.size
    w, h = DIGITS_WIDTH, DIGITS_HEIGHT
    x, y = _positions(space, w, h)
    outside = np.minimum(y, height - y - h) <= 0.25 * height
    around = _AROUND_DIGITS
    free = space.holds(w + 2 * around, h + 2 * around, x - around, y - around)
    best = _cheapest(free & outside, y + 0.1 * x)
    return None if best is None else to_thousandths(float(x[best]), float(y[best]), w, h)


def _positions(space: FreeSpace, w: float, h: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """All top-left corners of w × h mm on the printable part of the page, in steps."""
    width, height = space.size
    x, y = np.meshgrid(
        np.arange(_PRINTABLE, width - _PRINTABLE - w + 1e-6, _STEP),
        np.arange(_PRINTABLE, height - _PRINTABLE - h + 1e-6, _STEP),
    )
    return x, y


def _cheapest(free: NDArray[np.bool_], cost: NDArray[np.float64]) -> tuple[int, int] | None:
    if not free.any():
        return None
    row, column = np.unravel_index(int(np.where(free, cost, np.inf).argmin()), free.shape)
    return int(row), int(column)
