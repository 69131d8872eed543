"""Shifts by which an empty page looks like itself: rows and columns of bubbles or boxes that repeat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from omr.page_print import darken, shrink_to

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from omr.pixels import Gray

_PIXELS_PER_MM = 2.0
_LEAST_MM = 3.0
"""Nearer ones are the same place: patches tell them apart."""
_MOST_MM = 30.0
_LEAST_LIKENESS = 0.35
_MOST_SHIFTS = 12
_PEAK = 5
"""Pixels: a peak is the highest within so many."""


def find_grid_shifts(picture: Gray, width: float, height: float) -> list[tuple[float, float]]:
    """Where a page could be taken to lie instead, mm right and down, the likeliest first.

    Args:
        picture: of the empty page.
        width: of the page, mm.
        height: of the page, mm.
    """
    size = (round(width * _PIXELS_PER_MM), round(height * _PIXELS_PER_MM))
    darkness = darken(shrink_to(picture, size), _PIXELS_PER_MM)
    # One level for all print: a black square must not outweigh rows of pale bubbles.
    print_there = np.minimum(darkness, max(float(np.quantile(darkness, 0.97)), 0.02))
    likeness = _correlate_with_itself(print_there - print_there.mean())
    reach = round(_MOST_MM * _PIXELS_PER_MM)
    window = np.asarray(likeness[: reach + 1, :], np.float32)
    window = np.concatenate([window[:, -reach:], window[:, : reach + 1]], axis=1)
    highest = cv2.dilate(window, np.ones((_PEAK, _PEAK), np.uint8))
    down, right = np.nonzero((window >= highest) & (window > _LEAST_LIKENESS))
    order = np.argsort(-window[down, right])
    shifts = np.stack([right[order] - reach, down[order]], axis=1) / _PIXELS_PER_MM
    far = shifts[np.hypot(*shifts.T) >= _LEAST_MM][:_MOST_SHIFTS]
    return [(sign * float(x), sign * float(y)) for x, y in far for sign in (1, -1)]


def _correlate_with_itself(values: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """The likeness of a picture to itself shifted right and down by each number of pixels, 1 for no shift."""
    high, wide = values.shape
    spectrum = np.fft.rfft2(values, (2 * high, 2 * wide))
    product = np.fft.irfft2(spectrum * spectrum.conj(), (2 * high, 2 * wide))
    likeness: NDArray[np.floating[Any]] = product / product[0, 0]
    return likeness
