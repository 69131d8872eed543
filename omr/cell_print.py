"""What is printed inside a closed cell: nothing, a little at one side, or so much that nothing is written there."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

PIXELS_PER_MM = 8
"""Every sheet is worked on at this scale (about 200 dpi), so that all sizes below hold for every scan."""

_FREE_BESIDE_PRINT_MM = 8.0
_SHADED = 0.88  # of the paper's brightness
_SURELY_SHADED = 0.65
_STEP_AT_BORDER = 0.94


class CellPrint(StrEnum):
    """How much is printed inside a cell."""

    EMPTY = "empty"
    NUMBER = "number"  # at the side where writing begins; the rest is free
    UNIT = "unit"  # at the side where writing ends; the rest is free
    PRINTED = "printed"


def paper_brightness(gray: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The brightness of the paper around each pixel: the brightest millimetre within 15 mm, smoothed."""
    high, wide = gray.shape
    small = cv2.resize(
        gray, (max(1, wide // PIXELS_PER_MM), max(1, high // PIXELS_PER_MM)), interpolation=cv2.INTER_AREA
    )
    bright = cv2.blur(cv2.dilate(small, np.ones((31, 31), np.uint8)), (31, 31))
    return np.asarray(cv2.resize(bright, (wide, high), interpolation=cv2.INTER_LINEAR), np.uint8)


def classify_print(
    inside: tuple[int, int, int, int],
    gray: NDArray[np.uint8],
    print_ink: NDArray[np.uint8],
    paper: NDArray[np.uint8],
) -> CellPrint:
    """How much is printed in a cell.

    Args:
        inside: left, top, right, bottom of the cell without its lines, in pixels, half open.
        gray: of the sheet at `PIXELS_PER_MM`, uint8, shape (height, width).
        print_ink: 255 where there is print but no ruled line; same shape.
        paper: of `paper_brightness`; same shape.
    """
    left, top, right, bottom = inside
    edge = _pixels(0.5)
    window = np.s_[top + edge : bottom - edge, left + edge : right - edge]
    share = np.median(gray[window]) / max(float(np.median(paper[window])), 1.0)
    if share < _SHADED and (share < _SURELY_SHADED or _ends_at_border(inside, gray)):
        return CellPrint.PRINTED  # shaded: not meant to be written in
    ink = np.asarray(print_ink[window] > 0)
    if ink.sum() < 0.15 * PIXELS_PER_MM**2:
        return CellPrint.EMPTY
    columns, rows = ink.max(axis=0), ink.max(axis=1)
    free = np.array([_longest_free_run(columns), _longest_free_run(rows)])
    free_share = free / (len(columns), len(rows))
    at_side = (free_share >= 0.6) & (free >= _FREE_BESIDE_PRINT_MM * PIXELS_PER_MM)
    in_corner = (free_share >= 0.5).all()
    if not (at_side.any() or in_corner):
        return CellPrint.PRINTED
    along = columns if len(columns) * 2 >= len(rows) else rows
    return CellPrint.UNIT if np.argmax(along) > 0.5 * len(along) else CellPrint.NUMBER


def _ends_at_border(inside: tuple[int, int, int, int], gray: NDArray[np.uint8]) -> bool:
    """Whether a dark cell is darker than what lies across a border; a shadow goes on there."""
    left, top, right, bottom = inside
    near, far = _pixels(0.6), _pixels(1.8)
    for strips in (
        (
            np.s_[top + near : top + far, left:right],
            np.s_[max(top - far, 0) : max(top - near, 1), left:right],
        ),
        (np.s_[bottom - far : bottom - near, left:right], np.s_[bottom + near : bottom + far, left:right]),
        (
            np.s_[top:bottom, left + near : left + far],
            np.s_[top:bottom, max(left - far, 0) : max(left - near, 1)],
        ),
        (np.s_[top:bottom, right - far : right - near], np.s_[top:bottom, right + near : right + far]),
    ):
        here, beyond = (gray[strip] for strip in strips)
        if here.size and beyond.size and np.median(here) < _STEP_AT_BORDER * np.median(beyond):
            return True
    return False


def _longest_free_run(occupied: NDArray[np.bool_]) -> int:
    """The length of the longest run of False."""
    ends = np.flatnonzero(np.concatenate([[True], occupied, [True]]))
    return int((np.diff(ends) - 1).max())


def _pixels(millimetres: float) -> int:
    return max(1, round(millimetres * PIXELS_PER_MM))
