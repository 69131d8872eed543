"""A scan made ready for matching with an empty sheet, and where the paper lies in it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from omr.coarse_alignment import LONG_SIDE, CoarsePicture, coarse_picture
from omr.page_print import as_floats, darken, darken_in_bytes
from omr.pixels import shrink

if TYPE_CHECKING:
    from omr.geometry import Points, Transform
    from omr.pixels import Gray

MATCH_PIXELS_PER_MM = 2.0
"""Resolution at which scan and reference are compared."""
_LOOK_SIDE = 400
"""Pixels of a scan's long side in small, to look for the paper's edge."""
_LEAST_PAPER = 0.12
"""Share of the scan that the paper must fill."""
_DARKER = 0.75
"""Of the paper's gray: what lies around it is at most as bright as this."""
_INK = 0.25
_LEAST_INK = 3
_CORNER = 0.03
"""Share of the outline's length within which a corner may be round."""


@dataclass(frozen=True)
class ScanPicture:
    """A scan made ready for matching, once for each size that the page may have in it.

    Attributes:
        gray: the scan itself.
        nominal: pixels of `darkness` for one mm of the page, about.
        long_side: of the page, mm.
        factor: how many of the scan's pixels make one of `darkness`, each way.
        darkness: against the paper around, 0 paper to 255 black, about MATCH_PIXELS_PER_MM.
        near: the darkest within one pixel.
    """

    gray: Gray
    nominal: float
    long_side: float
    factor: int
    darkness: Gray
    near: Gray

    @cached_property
    def coarse(self) -> CoarsePicture:
        """The scan in small; not needed for a page that lies nearly straight."""
        return coarse_picture(as_floats(self.darkness), LONG_SIDE / (self.nominal * self.long_side))

    @cached_property
    def half(self) -> Gray:
        """The darkness at half the resolution."""
        high, wide = self.darkness.shape
        cut = self.darkness[: high // 2 * 2, : wide // 2 * 2]
        return cast("Gray", cv2.resize(cut, (wide // 2, high // 2), interpolation=cv2.INTER_AREA))

    @property
    def to_scan(self) -> Transform:
        """Pixels of `darkness` to those of the scan."""
        off = (self.factor - 1) / 2
        return np.array([(self.factor, 0, off), (0, self.factor, off), (0, 0, 1)], np.float64)


def prepare_scan(gray: Gray, scale: float, long_side: float) -> ScanPicture:
    """Shrink a scan and free it from shadows.

    Args:
        gray: the scan.
        scale: its pixels for one mm of the page, about.
        long_side: of the page, mm.
    """
    factor = max(1, round(scale / MATCH_PIXELS_PER_MM))
    darkness = darken_in_bytes(shrink(gray, factor), scale / factor)
    near = np.asarray(cv2.dilate(darkness, np.ones((3, 3), np.uint8)), np.uint8)
    return ScanPicture(gray, scale / factor, long_side, factor, darkness, near)


def find_paper(gray: Gray) -> Points | None:
    """The corners of a bright paper on darker ground, clockwise, pixels (4, 2); None where none is seen."""
    factor = _halves(gray, _LOOK_SIDE)
    closed = cv2.morphologyEx(shrink(gray, factor), cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    level, _ = cv2.threshold(closed, 0, 255, cv2.THRESH_OTSU)
    bright = closed > level
    if bright.all() or closed[~bright].mean() > _DARKER * closed[bright].mean():
        return None
    framed = cv2.copyMakeBorder(bright.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    outlines, _ = cv2.findContours(framed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not outlines:
        return None
    paper = cv2.convexHull(max(outlines, key=cv2.contourArea))
    if cv2.contourArea(paper) < _LEAST_PAPER * closed.size:
        return None
    corners = cv2.approxPolyDP(paper, _CORNER * cv2.arcLength(paper, closed=True), closed=True)
    if len(corners) != 4:
        return None
    points = corners.reshape(4, 2).astype(np.float64) - 1
    return np.asarray((points + 0.5) * factor - 0.5)


def print_extent(gray: Gray) -> float:
    """The longer side of all that is printed or written on bright ground, pixels."""
    factor = _halves(gray, 2 * _LOOK_SIDE)
    ink = darken(shrink(gray, factor), 2.0) > _INK
    # A speck of dust reaches over less than a few pixels.
    spans = [np.flatnonzero(ink.sum(axis=axis) >= _LEAST_INK) for axis in (0, 1)]
    lengths = [int(span[-1]) - int(span[0]) + 1 if len(span) else 1 for span in spans]
    return float(max(lengths) * factor)


def _halves(gray: Gray, long_side: int) -> int:
    """The power of two by which a scan is shrunk (which is fast) to about a long side, pixels."""
    return int(2 ** max(0, (max(gray.shape) // long_side).bit_length() - 1))
