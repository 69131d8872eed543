"""The few pixel operations that everything in `omr` is built on, with honest types around OpenCV."""

from __future__ import annotations

from typing import Any, TypeAlias, cast

import cv2
import numpy as np
from numpy.typing import NDArray

Gray: TypeAlias = NDArray[np.uint8]
"""A picture: uint8, shape (height, width), 0 black to 255 white."""
Floats: TypeAlias = NDArray[np.float32]
Mask: TypeAlias = NDArray[np.bool_]
_MOST_GREY = 0.03
"""Pixels of middle grey that a page of black and white may have, as a share of its black ones."""


def shrink(gray: Gray, factor: int) -> Gray:
    """The picture at 1/`factor` of its size, each pixel the mean of those it stands for.

    Rows and columns that do not fill a whole pixel at the right and bottom edges are dropped.
    """
    if factor <= 1:
        return gray
    if factor % 2 == 0 and factor > 2:
        # OpenCV has a fast way for halves only: twice a half takes an eighth of the time of one quarter.
        return shrink(shrink(gray, 2), factor // 2)
    high, wide = gray.shape[0] // factor, gray.shape[1] // factor
    cut = gray[: high * factor, : wide * factor]
    return cast("Gray", cv2.resize(cut, (wide, high), interpolation=cv2.INTER_AREA))


def sample(gray: Gray, points: Floats) -> Floats:
    """Gray at the given points, bilinear; the edge pixel counts beyond the edge.

    Args:
        gray: the picture.
        points: image coordinates, float32 (rows, columns, 2); fewer than 32,767 rows and columns.

    Returns:
        float32 (rows, columns).
    """
    found = cv2.remap(gray, points, cast("Floats", None), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return found.astype(np.float32)


def map_points(matrix: NDArray[np.float64], points: Floats) -> Floats:
    """Carry points, float32 (rows, columns, 2), through an affine 3×3 transform."""
    return cast("Floats", cv2.transform(points, matrix[:2].astype(np.float32)))


def median(values: NDArray[np.floating[Any]]) -> float:
    """The upper median; numpy's own costs seven times as much on the short arrays of a page."""
    return float(np.sort(values, axis=None)[values.size // 2])


def is_two_tone(gray: Gray) -> bool:
    """Whether a page holds black and white only: print and pen have no grey edges.

    One pixel in 25 is looked at; noise and compression after the black and white are allowed for.
    """
    some = gray[::5, ::5]
    low, high = int(some.min()), int(some.max())
    third = (high - low) // 3
    dark = int(np.count_nonzero(some <= low + third))
    middle = int(np.count_nonzero(some < high - third)) - dark
    return middle < _MOST_GREY * dark
