"""A page of a teacher's own sheet, and the same page turned upright."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from omr.geometry import Rectangle, apply
from omr.ruled_lines import RuledSheet, measure_skew, scale_sheet

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from omr.printed_text import PrintedText

_SMALLEST_SKEW_DEG = 0.03  # moves the edge of an A4 page by a tenth of a millimetre


@dataclass(frozen=True, slots=True)
class SheetPage:
    """A page of a teacher's sheet.

    Attributes:
        gray: uint8, shape (height, width).
        size: width and height in millimetres.
        characters: the text layer, where the file has one, or the print as read from the picture.
        is_read: whether the characters were read from the picture, so that some may be wrong.
        ruled: its lines, where they are known already.
    """

    gray: NDArray[np.uint8]
    size: tuple[float, float]
    characters: tuple[PrintedText, ...] = ()
    is_read: bool = False
    ruled: RuledSheet | None = None


def ruled_sheet(page: SheetPage) -> RuledSheet:
    """The page at the scale at which lines and print are looked for."""
    return page.ruled or scale_sheet(page.gray, page.size)


def upright_page(page: SheetPage) -> SheetPage:
    """The page turned about its middle until its lines are level; the page itself where they are."""
    skew = measure_skew(page.gray, page.size)
    if abs(skew) < _SMALLEST_SKEW_DEG:
        return page
    high, wide = page.gray.shape
    turn = cv2.getRotationMatrix2D(((wide - 1) / 2, (high - 1) / 2), skew, 1.0)
    turned = cv2.warpAffine(page.gray, turn, (wide, high), flags=cv2.INTER_LINEAR, borderValue=255)
    characters = tuple(_turned(one, page.size, skew) for one in page.characters)
    return SheetPage(np.asarray(turned, np.uint8), page.size, characters, page.is_read)


def _turned(one: PrintedText, size: tuple[float, float], skew: float) -> PrintedText:
    """A character where it stands once the page is upright; its own small box stays level."""
    turn = np.vstack([cv2.getRotationMatrix2D((size[0] / 2, size[1] / 2), skew, 1.0), (0, 0, 1)])
    x, y = apply(turn, np.array(one.rectangle.centre)).tolist()
    w, h = one.rectangle.w, one.rectangle.h
    return replace(one, rectangle=Rectangle(x - w / 2, y - h / 2, w, h))
