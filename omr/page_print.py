"""The print and ink of a page as darkness against the paper around it, free of shadows and of the paper's tone."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from omr.pixels import shrink

if TYPE_CHECKING:
    from omr.pixels import Floats, Gray

_PAPER_MM = 10.0
"""Reach of the search for bare paper: wider than solid print, narrower than a shadow's slope."""
_LEAST_PAPER = 40


def darken(gray: Gray, pixels_per_mm: float) -> Floats:
    """Darkness of each pixel against the paper around it, 0 paper to 1 black.

    Args:
        gray: a page.
        pixels_per_mm: its resolution.
    """
    return as_floats(darken_in_bytes(gray, pixels_per_mm))


def darken_in_bytes(gray: Gray, pixels_per_mm: float) -> Gray:
    """As `darken`, from 0 to 255."""
    small = shrink(gray, max(1, round(pixels_per_mm)))
    reach = round(_PAPER_MM) | 1
    paper = cv2.blur(cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((reach, reach), np.uint8)), (5, 5))
    paper = _enlarge(np.maximum(cast("Gray", paper), np.uint8(_LEAST_PAPER)), (gray.shape[1], gray.shape[0]))
    light = cv2.divide(gray, paper, scale=255)
    return cast("Gray", cv2.bitwise_not(light))


def as_floats(darkness: Gray) -> Floats:
    """Darkness in bytes as 0 to 1."""
    return darkness * np.float32(1 / 255)


def shrink_to(gray: Gray, size: tuple[int, int]) -> Gray:
    """The picture at another size (width, height), each pixel the mean of those it stands for."""
    return cast("Gray", cv2.resize(gray, size, interpolation=cv2.INTER_AREA))


def _enlarge(picture: Gray, size: tuple[int, int]) -> Gray:
    return cast("Gray", cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR))
