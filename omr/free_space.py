"""Free space on a printed sheet: where something can be added without touching print or answers.

Free is white paper that reaches the paper's edge without crossing a line. So the inside of a closed frame (a
name box, a box for the total) is never free, although nothing is printed in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from omr.geometry import Rectangle
    from omr.pixels import Gray, Mask

_PIXELS_PER_MM = 4
_CLEAR_MM = 2.0
"""Kept between print or answers and what is added."""
_GAP_MM = 1.5
"""A frame with smaller gaps (dashes) is closed."""
_UNDERLINE_MM, _ABOVE_UNDERLINE_MM = 12.0, 8.0
"""A level line of this length may be there to be written on, and this much above it is for writing."""
_LEAST_INK = 6
_NOISE = 6.0
"""Ink is darker than the paper by this many times the paper's noise, and by `_LEAST_INK` grays at least."""


@dataclass(frozen=True, slots=True)
class FreeSpace:
    """What is free on a page, or on all of several pages of one size.

    Attributes:
        free: True where nothing stands, _PIXELS_PER_MM pixels a millimetre, (height, width).
    """

    free: Mask

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in whole pixels, as millimetres."""
        return self.free.shape[1] / _PIXELS_PER_MM, self.free.shape[0] / _PIXELS_PER_MM

    def both(self, other: FreeSpace) -> FreeSpace:
        """What is free here and there."""
        return FreeSpace(self.free & other.free)

    def without(self, *areas: Rectangle) -> FreeSpace:
        """What is left once these areas are taken."""
        left = self.free.copy()
        for area in areas:
            left[_rows(area), _columns(area)] = False
        return FreeSpace(left)

    def holds(self, w: float, h: float, x: NDArray[np.float64], y: NDArray[np.float64]) -> Mask:
        """Whether w × h mm are free with the top-left corner at (x, y) mm; arrays of one shape."""
        taken = cv2.integral((~self.free).view(np.uint8))
        left, top = (np.floor(side * _PIXELS_PER_MM).astype(np.intp) for side in (x, y))
        right, bottom = (np.ceil(side * _PIXELS_PER_MM).astype(np.intp) for side in (x + w, y + h))
        high, wide = self.free.shape
        inside = (left >= 0) & (top >= 0) & (right <= wide) & (bottom <= high)
        left, right = np.clip(left, 0, wide), np.clip(right, 0, wide)
        top, bottom = np.clip(top, 0, high), np.clip(bottom, 0, high)
        count = taken[bottom, right] - taken[top, right] - taken[bottom, left] + taken[top, left]
        return cast("Mask", inside & (count == 0))


def find_free_space(gray: Gray, size: tuple[float, float], keep_off: Sequence[Rectangle]) -> FreeSpace:
    """The free space of one page.

    Args:
        gray: the unfilled page, any resolution.
        size: of the page, mm.
        keep_off: where answers stand, mm.
    """
    wide, high = (round(side * _PIXELS_PER_MM) for side in size)
    small = cv2.resize(gray, (wide, high), interpolation=cv2.INTER_AREA)
    paper = float(np.percentile(small, 70))
    noise = 1.4826 * float(np.median(np.abs(small[small > paper - 40] - np.float32(paper))))
    ink = (small < paper - max(_LEAST_INK, _NOISE * noise)).astype(np.uint8)
    reach = round(_CLEAR_MM * _PIXELS_PER_MM)
    near = cv2.dilate(ink, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
    free = _open_to_the_edge(ink) & (near == 0) & ~_above_underlines(ink)
    return FreeSpace(free).without(*(area.expanded(_CLEAR_MM) for area in keep_off))


def _open_to_the_edge(ink: Gray) -> Mask:
    """White paper from which a way leads to the paper's edge."""
    width = round(_GAP_MM * _PIXELS_PER_MM) | 1
    barrier = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((width, width), np.uint8))
    # A way around the page, so that print that runs off the paper closes nothing in.
    white = np.pad(1 - barrier, 1, constant_values=1)
    _, labels = cv2.connectedComponents(white, connectivity=4)
    return cast("Mask", (labels == labels[0, 0])[1:-1, 1:-1])


def _above_underlines(ink: Gray) -> Mask:
    length = round(_UNDERLINE_MM * _PIXELS_PER_MM)
    lines = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((1, length), np.uint8))
    above = round(_ABOVE_UNDERLINE_MM * _PIXELS_PER_MM)
    spread = cv2.dilate(lines, np.ones((above + 1, 1), np.uint8), anchor=(0, 0))
    return spread > 0


def _rows(area: Rectangle) -> slice:
    return slice(max(0, int(area.y * _PIXELS_PER_MM)), max(0, int(np.ceil(area.bottom * _PIXELS_PER_MM))))


def _columns(area: Rectangle) -> slice:
    return slice(max(0, int(area.x * _PIXELS_PER_MM)), max(0, int(np.ceil(area.right * _PIXELS_PER_MM))))
