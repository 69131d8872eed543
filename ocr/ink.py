"""What is written in a crop: its ink as a map of strengths, without paper, shading, printed frame and dust.

The networks are trained on what comes out here and read nothing else, so a change here needs new models.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]
"""Grey pixels, (height, width), 0 black to 255 white; or ink, 0 none to 255 full."""
WORKING_SIDE = 80
"""The shorter side of a crop is brought down to this many pixels."""
_PAPER_SIDE = 20
"""The paper is looked for at this many pixels of the shorter side, or up to twice as many."""
_DARKEST_PAPER = np.uint8(32)
_LONGEST_SIDE = 2400
_PAPER_SHARE = 0.35
"""Kernel of the closing that finds the paper, as a share of the shorter side: wider than any stroke."""
_FULL_INK_RANK = 0.004
"""The darkest such share of a crop tells how dark its strokes are."""
_LEAST_FULL_PIXELS = 12
_FAINTEST = 14
"""Strokes this much darker than their paper (of 255) are taken as ink."""
DUST = 0.08
"""Parts no longer than this share of the crop's smaller side may be dust."""
_SOLID = 90
"""Ink stronger than this belongs to a stroke."""
_FRAME_BAND = 0.16
"""Remains of a printed frame lie in the outer share of a crop that was cut along the frame."""
_FRAME_COVERAGE = 0.86
_FRAME_SHARE = 0.6
"""A printed rectangle is a frame if it fills this share of the crop each way."""
_STRAIGHT_COVERAGE = 0.97
_BESIDE_COVERAGE = 0.5
_LEAST_WINDOW = 8
_CLINGING = 0.07
"""Parts that lie wholly in the outer share of the window are remains of its frame."""
_LEAST_SPECK = 3
_SPECK_SHARE = 0.03
"""A part of less than this share of the largest, away from it, is dust."""
_SPECK_REACH = 0.5
"""Away: farther than this share of the writing's larger side."""


@dataclass(frozen=True, slots=True)
class Ink:
    """What is written in a crop.

    Attributes:
        strength: 0 paper to 255 full ink, uint8 (height, width); the crop's own pixels, or fewer.
        top, bottom, left, right: where the writing stands in it; all 0 where there is none.
        darkness: how much darker than its paper the writing is, 0 to 1.
        area: solid ink inside these bounds, as a share of the crop.
        longest: side of the longest single part of it, as a share of the crop's smaller side.
    """

    strength: Gray
    top: int
    bottom: int
    left: int
    right: int
    darkness: float
    area: float
    longest: float

    @property
    def is_empty(self) -> bool:
        """Nothing at all that could be ink."""
        return self.bottom <= self.top

    @property
    def height(self) -> int:
        """Of the writing, pixels."""
        return self.bottom - self.top

    @property
    def width(self) -> int:
        """Of the writing, pixels."""
        return self.right - self.left

    def cut(self) -> Gray:
        """The writing alone."""
        return self.strength[self.top : self.bottom, self.left : self.right]


def find_ink(crop: Gray, frame_px: float = 0.0) -> Ink:
    """Separate what is written from what it is written on.

    Args:
        crop: grey, uint8 (height, width), dark on light or light on dark.
        frame_px: distance of a printed frame from the crop's edges, in pixels; 0 where the crop was cut along the
            writing or inside a frame.
    """
    gray, shrunk = _to_working_size(crop)
    darkness = _darkness(gray)
    full = _full_ink(darkness)
    window = (slice(0, gray.shape[0]), slice(0, gray.shape[1]))
    if full >= _FAINTEST:
        strength = _strength(darkness, full)
        window = _inside(gray.shape, frame_px * shrunk) or _inside_rectangle(strength) or window
        darkness = _without_frame(darkness, strength, window)
        full = _full_ink(darkness)
    if full < _FAINTEST:
        return Ink(np.zeros_like(gray), 0, 0, 0, 0, full / 255, 0.0, 0.0)
    strength = _strength(darkness, full)
    found = _bounded(strength, full, window)
    return found if found.longest >= DUST else _under_dust(darkness, strength, window) or found


def _under_dust(darkness: Gray, dust: Gray, window: tuple[slice, slice]) -> Ink | None:
    """Faint writing amid dark dust, where dust is all that was found; None where there is nothing else."""
    rest = darkness.copy()
    rest[cv2.dilate(_solid(dust), np.ones((5, 5), np.uint8)) > 0] = 0
    full = _full_ink(rest)
    if full < _FAINTEST:
        return None
    found = _bounded(_strength(rest, full), full, window)
    return found if found.longest >= 2 * DUST else None


def _strength(darkness: Gray, full: float) -> Gray:
    """Darkness as ink from 0 to 255, where `full` and more is full ink and the paper's noise is none."""
    low = min(0.3 * full, max(4.0, float(np.median(darkness)) + 2.0))
    levels = np.clip((np.arange(256) - low) * (255 / max(0.85 * full - low, 1.0)), 0, 255).astype(np.uint8)
    return cast("Gray", cv2.LUT(darkness, levels))


def _to_working_size(crop: Gray) -> tuple[Gray, float]:
    height, width = crop.shape
    scale = min(1.0, WORKING_SIDE / max(1, min(height, width)), _LONGEST_SIDE / max(height, width))
    if scale < 1:
        size = max(1, round(width * scale)), max(1, round(height * scale))
        crop = cast("Gray", cv2.resize(crop, size, interpolation=cv2.INTER_AREA))
    edge = np.concatenate((crop[0], crop[-1], crop[:, 0], crop[:, -1]))
    is_light_on_dark = np.median(edge) < 110 and float(crop.mean()) < 128
    return (cast("Gray", cv2.bitwise_not(crop)) if is_light_on_dark else crop), scale


def _darkness(gray: Gray) -> Gray:
    """How much darker than the paper around it each pixel is, 0 to 255 of the paper's brightness."""
    height, width = gray.shape
    step = max(1, min(height, width) // _PAPER_SIDE)
    small = gray
    if step > 1:
        small = cast("Gray", cv2.resize(gray, (width // step, height // step), interpolation=cv2.INTER_AREA))
    side = max(5, int(_PAPER_SHARE * min(small.shape))) | 1
    kernel = np.ones((side, side), np.uint8)
    padded = cv2.copyMakeBorder(small, side, side, side, side, cv2.BORDER_REPLICATE)
    paper = cv2.blur(cv2.morphologyEx(padded, cv2.MORPH_CLOSE, kernel), (side, side))[side:-side, side:-side]
    full_size = cast("Gray", cv2.resize(paper, (width, height), interpolation=cv2.INTER_LINEAR))
    white = np.maximum(full_size, _DARKEST_PAPER)
    return cast("Gray", cv2.divide(cv2.subtract(white, gray), white, scale=255))


def _full_ink(darkness: Gray) -> float:
    """How dark the darkest strokes are, 0 to 255."""
    histogram = cv2.calcHist([darkness], [0], None, [256], [0, 256]).ravel()
    rank = max(_LEAST_FULL_PIXELS, _FULL_INK_RANK * darkness.size)
    above = np.cumsum(histogram[::-1])
    return float(255 - np.searchsorted(above, min(rank, above[-1])))


def _without_frame(darkness: Gray, strength: Gray, window: tuple[slice, slice]) -> Gray:
    """Keep what is inside a window, without straight lines along its edges.

    Args:
        darkness: of the crop.
        strength: the same as ink.
        window: the inside of the frame, or the whole crop.
    """
    kept = np.zeros_like(darkness)
    kept[window] = darkness[window]
    inside = kept[window]
    solid = _solid(strength[window])
    if min(inside.shape) >= _LEAST_WINDOW:
        _erase_edge_lines(inside, solid)
        _erase_edge_lines(inside.T, solid.T)
    return kept


def _solid(strength: Gray) -> Gray:
    """1 where strokes are, else 0."""
    return cast("Gray", cv2.threshold(strength, _SOLID, 1, cv2.THRESH_BINARY)[1])


def _inside(shape: tuple[int, ...], frame_px: float) -> tuple[slice, slice] | None:
    keep = round(frame_px)
    height, width = shape
    if keep < 1 or 2 * keep + _LEAST_WINDOW > min(height, width):
        return None
    return slice(keep, height - keep), slice(keep, width - keep)


def _inside_rectangle(strength: Gray) -> tuple[slice, slice] | None:
    """The inside of a closed printed rectangle that fills most of the crop."""
    solid = _solid(strength)
    height, width = solid.shape
    _, _, stats, _ = cv2.connectedComponentsWithStats(solid, connectivity=8)
    for left, top, wide, high, _ in stats[1:].tolist():
        if wide < _FRAME_SHARE * width or high < _FRAME_SHARE * height or min(wide, high) < _LEAST_WINDOW:
            continue
        part = solid[top : top + high, left : left + wide]
        thin = max(4, min(wide, high) // 14)
        if all(_has_straight_line(side, thin) for side in (part, part[::-1], part.T, part.T[::-1])):
            return slice(top + thin, top + high - thin), slice(left + thin, left + wide - thin)
    return None


def _has_straight_line(part: Gray, thin: int) -> bool:
    """Whether the first few rows hold a line that runs through, with little ink under it."""
    rows = part[:thin]
    through = float(rows.max(axis=0).mean())
    below = float(part[thin : 2 * thin].mean())
    return through > _STRAIGHT_COVERAGE and below < _BESIDE_COVERAGE


def _erase_edge_lines(window: Gray, solid: Gray) -> None:
    """Blank the rows of straight lines near the first and the last row, and what lies beyond them."""
    band = max(2, int(_FRAME_BAND * window.shape[0]))
    is_line = solid.mean(axis=1) > _FRAME_COVERAGE
    first, last = np.flatnonzero(is_line[:band]), np.flatnonzero(is_line[-band:])
    if first.size:
        window[: first[-1] + 2] = 0
    if last.size:
        window[window.shape[0] - band + last[0] - 1 :] = 0


def _bounded(strength: Gray, full: float, window: tuple[slice, slice]) -> Ink:
    """Where the writing stands: all parts but dust and what clings to the edges of the window."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(_solid(strength), connectivity=8)
    parts = stats[1:]
    if not len(parts):
        return Ink(np.zeros_like(strength), 0, 0, 0, 0, full / 255, 0.0, 0.0)
    areas = parts[:, cv2.CC_STAT_AREA]
    left, top = parts[:, 0], parts[:, 1]
    right, bottom = left + parts[:, 2], top + parts[:, 3]
    rows, columns = window
    band = max(2, int(_CLINGING * min(rows.stop - rows.start, columns.stop - columns.start)))
    clings = (
        (right <= columns.start + band)
        | (left >= columns.stop - band)
        | (bottom <= rows.start + band)
        | (top >= rows.stop - band)
    )
    free = ~clings if (areas * ~clings).max() > _LEAST_SPECK else np.ones_like(clings)
    large = free & (areas >= _SPECK_SHARE * (areas * free).max())
    bounds = left[large].min(), top[large].min(), right[large].max(), bottom[large].max()
    reach = _SPECK_REACH * max(bounds[2] - bounds[0], bounds[3] - bounds[1])
    near = (
        free
        & (areas >= _LEAST_SPECK)
        & (right > bounds[0] - reach)
        & (left < bounds[2] + reach)
        & (bottom > bounds[1] - reach)
        & (top < bounds[3] + reach)
    ) | large
    return Ink(
        strength=strength,
        top=int(top[near].min()),
        bottom=int(bottom[near].max()),
        left=int(left[near].min()),
        right=int(right[near].max()),
        darkness=full / 255,
        area=float(areas[near].sum()) / strength.size,
        longest=float(parts[near, 2:4].max()) / min(strength.shape),
    )
