"""Finding the solid squares of a printed sheet in the four corners of a scan.

Only the corner windows are looked at: shrunk to about 50 dpi, thresholded against the local paper, split
into connected components. Centres are then measured at full resolution.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from omr.geometry import Rectangle
    from omr.pixels import Gray

_SEARCH_PIXELS_PER_MM = 2.0
_DARK_AGAINST_PAPER = 0.6
_CANDIDATES_PER_CORNER = 3
_USUAL_SHIFT_MM = 6.0
_MOST_SKEW = 0.09
"""Tangent of the largest skew for which the corners are searched (5.1°)."""


@dataclass(frozen=True, slots=True)
class Square:
    """A solid square found in the image.

    Attributes:
        x: centre, pixels.
        y: centre, pixels.
        black: mean gray inside.
        white: mean gray of the paper around it.
        area_ratio: its area against the printed one; a cut or scribbled square is far from 1.
    """

    x: float
    y: float
    black: float
    white: float
    area_ratio: float

    @property
    def is_whole(self) -> bool:
        """Whether the square has its printed area, so that its centre can be believed."""
        return 0.8 <= self.area_ratio <= 1.25


def find_corner_squares(
    gray: Gray, fiducials: Sequence[Rectangle], scale: float
) -> list[list[tuple[float, float]]]:
    """Rough centres of square candidates in each image corner (top-left, top-right, bottom-right, bottom-left).

    Args:
        gray: the page, uint8 (height, width).
        fiducials: the four printed corner squares, mm.
        scale: expected pixels per mm.
    """
    height, width = gray.shape
    side = fiducials[0].w
    inset = max(fiducials[0].x, fiducials[0].y)
    far = _MOST_SKEW / 2 * max(height, width) / scale + 8
    # Most pages lie nearly straight: a small window finds their squares in a fifth of the time.
    outer = max(0, round((min(fiducials[0].x, fiducials[0].y) - _USUAL_SHIFT_MM) * scale))
    near = _search_corners(gray, (outer, round((inset + side + _USUAL_SHIFT_MM) * scale)), side, scale)
    return near if all(near) else _search_corners(gray, (0, round((inset + side + far) * scale)), side, scale)


def find_squares(gray: Gray, side: float, scale: float, count: int) -> list[tuple[float, float]]:
    """Rough centres of square candidates anywhere in an image, the likeliest first.

    Args:
        gray: uint8 (height, width).
        side: printed, mm.
        scale: expected pixels per mm.
        count: at most so many.
    """
    return _candidates([gray], side, scale, count)[0]


def _search_corners(
    gray: Gray, span: tuple[int, int], side: float, scale: float
) -> list[list[tuple[float, float]]]:
    """Square candidates in each corner, from and to so many pixels from the edges of the image."""
    height, width = gray.shape
    outer, reach = span[0], min(span[1], round(0.45 * height), round(0.45 * width))
    right, low, size = width - reach, height - reach, reach - outer
    corners = ((outer, outer), (right, outer), (right, low), (outer, low))
    windows = [gray[top : top + size, left : left + size] for left, top in corners]
    found = _candidates(windows, side, scale, _CANDIDATES_PER_CORNER)
    return [[(x + left, y + top) for x, y in one] for one, (left, top) in zip(found, corners, strict=True)]


def _candidates(
    windows: Sequence[Gray], side_mm: float, scale: float, count: int
) -> list[list[tuple[float, float]]]:
    """Square candidates in windows of one shape; pixels of each window, the likeliest first.

    The shrunk windows lie below each other on one board, so that each step is one call for all of them.
    """
    factor = max(1, round(scale / _SEARCH_PIXELS_PER_MM))
    high, wide = windows[0].shape[0] // factor, windows[0].shape[1] // factor
    if min(high, wide) < 8:
        return [[] for _ in windows]
    side = side_mm * scale / factor
    reach = int(side) | 1
    # The rows between are black: they add nothing to the brightest paper nearby.
    board = np.zeros((len(windows), high + reach, wide), np.uint8)
    for slot, window in zip(board, windows, strict=True):
        cut = window[: high * factor, : wide * factor]
        if factor % 2 == 0:
            # Halving is by far the quickest way to shrink: half first, then the rest.
            half = (wide * factor // 2, high * factor // 2)
            cut = cast("Gray", cv2.resize(cut, half, interpolation=cv2.INTER_AREA))
        cv2.resize(cut, (wide, high), dst=slot[:high], interpolation=cv2.INTER_AREA)
    flat = board.reshape(-1, wide)
    paper = cv2.dilate(flat, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
    dark = cv2.compare(flat, cv2.convertScaleAbs(paper, alpha=_DARK_AGAINST_PAPER), cv2.CMP_LT)
    dark.reshape(board.shape)[:, high:] = 0
    # The quickest of OpenCV's ways to label, three times as quick as its default on so small a picture.
    _, _, stats, centres = cv2.connectedComponentsWithStatsWithAlgorithm(dark, 8, cv2.CV_32S, cv2.CCL_BBDT)
    full = side * side
    found: list[list[tuple[float, float, float]]] = [[] for _ in windows]
    for one in (1 + np.flatnonzero(stats[1:, cv2.CC_STAT_AREA] > 0.65 * full)).tolist():
        _, top, across, down, area = stats[one].tolist()
        if (
            min(across, down) > 0.7 * side
            and max(across, down) < 1.45 * side
            and area < 1.4 * full
            and area > 0.7 * across * down
        ):
            number = top // (high + reach)
            x, y = centres[one].tolist()
            y -= number * (high + reach)
            found[number].append((abs(area / full - 1), (x + 0.5) * factor - 0.5, (y + 0.5) * factor - 0.5))
    return [[(x, y) for _, x, y in sorted(one)[:count]] for one in found]


def measure_square(gray: Gray, x: float, y: float, side: float, slack: float) -> Square | None:
    """Measure a square near (x, y) at full resolution; None where the window leaves the image or has no contrast.

    Args:
        gray: the page.
        x: rough centre, pixels.
        y: rough centre, pixels.
        side: printed side, pixels.
        slack: how far the edge may lie from where the rough centre puts it, pixels.
    """
    half = side / 2 + slack
    left, top = round(x - half), round(y - half)
    right, bottom = round(x + half) + 1, round(y + half) + 1
    if left < 0 or top < 0 or right > gray.shape[1] or bottom > gray.shape[0]:
        return None
    patch = gray[top:bottom, left:right]
    core = max(1, round(side / 4))
    middle_y, middle_x = round(y) - top, round(x) - left
    black = _mean(patch[middle_y - core : middle_y + core + 1, middle_x - core : middle_x + core + 1])
    rim = max(1, round(slack / 4))
    white = max(_mean(patch[:rim]), _mean(patch[-rim:]), _mean(patch[:, :rim]), _mean(patch[:, -rim:]))
    if white - black < 24:
        return None
    moments = cv2.moments(cv2.LUT(patch, _ink_table(round(black), round(white))))
    if moments["m00"] <= 0:
        return None
    return Square(
        x=left + moments["m10"] / moments["m00"],
        y=top + moments["m01"] / moments["m00"],
        black=black,
        white=white,
        area_ratio=moments["m00"] / 255 / (side * side),
    )


@lru_cache(maxsize=1024)
def _ink_table(black: int, white: int) -> NDArray[np.uint8]:
    """How much ink each gray is, 0 to 255; none what is paper or next to the square."""
    table = ((white - np.arange(256)) * (255 / (white - black))).clip(0, 255)
    table[table < 64] = 0
    return table.astype(np.uint8)


def _mean(pixels: Gray) -> float:
    """The mean gray; cv2's is several times quicker than numpy's on a few pixels."""
    return cv2.mean(pixels)[0]
