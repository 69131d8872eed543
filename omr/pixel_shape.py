"""Scans whose pixels are not square, as faxes have them (204 × 98 dpi), made square."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from omr.page import Page

_LEAST_STRETCH = 1.05
"""Less is within what a feeder stretches, and registration takes it as it is."""
_MOST_STRETCH = 4.0
_PAPER_SHAPES = (1.2, 1.65)
"""Long side against short side, of paper of any make."""


def make_pixels_square(page: Page) -> Page:
    """The page with the coarser direction drawn finer, by what its file says of its resolution.

    The page stays as it is where the file says nothing, where its pixels are square, and where what the file says
    cannot be: it would turn an image of a paper's shape into one that no paper has.
    """
    if page.dpi is None or min(page.dpi) <= 0:
        return page
    x, y = page.dpi
    if not _LEAST_STRETCH < max(x, y) / min(x, y) < _MOST_STRETCH:
        return page
    dpi = max(x, y)
    high, wide = page.gray.shape
    size = round(wide * dpi / x), round(high * dpi / y)
    if _has_shape_of_paper(wide, high) and not _has_shape_of_paper(*size):
        return page
    gray = np.asarray(cv2.resize(page.gray, size, interpolation=cv2.INTER_LINEAR), np.uint8)
    return replace(page, gray=gray, dpi=(dpi, dpi))


def _has_shape_of_paper(wide: int, high: int) -> bool:
    least, most = (math.log(one) for one in _PAPER_SHAPES)
    return least < abs(math.log(wide / high)) < most
