"""From ink to what the networks take: one written character in a square, one written line in a strip."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

if TYPE_CHECKING:
    from ocr.ink import Gray, Ink

SYMBOL_SIDE = 40
"""Side of the square of a character, pixels."""
SYMBOL_MARGIN = 4
LINE_HEIGHT = 40
"""Across a line: the height of a horizontal one, the width of a vertical one, pixels."""
LINE_MARGIN = 4
LINE_STEP = 4
"""The line network says what stands at every fourth pixel."""
LINE_PADDING = 18
"""Empty pixels that the line network needs before and after a strip, so that its first window stands on the start."""
LONGEST_LINE = 640
"""Longer lines are squeezed to this many pixels."""
_LEAST_ACROSS = 0.28
"""A line is taken to be at least this share of its crop across: a lone dash is no high line."""
_UPRIGHT = 1.25
"""Writing that is so many times higher than wide runs downward."""


class Direction(Enum):
    """The way a line of writing runs."""

    HORIZONTAL = "horizontal"
    VERTICAL = "vertical"


def symbol_square(ink: Ink) -> Gray:
    """The writing, scaled to fill a square with its proportions kept, in the middle.

    Returns:
        uint8 (SYMBOL_SIDE, SYMBOL_SIDE), 0 paper to 255 ink.
    """
    square = np.zeros((SYMBOL_SIDE, SYMBOL_SIDE), np.uint8)
    if ink.is_empty:
        return square
    room = SYMBOL_SIDE - 2 * SYMBOL_MARGIN
    scale = room / max(ink.height, ink.width)
    part = _resize(ink.cut(), max(1, round(ink.width * scale)), max(1, round(ink.height * scale)))
    top, left = (SYMBOL_SIDE - part.shape[0]) // 2, (SYMBOL_SIDE - part.shape[1]) // 2
    square[top : top + part.shape[0], left : left + part.shape[1]] = part
    return square


def line_direction(ink: Ink) -> Direction:
    """The way the writing in a crop runs, by its shape."""
    return Direction.VERTICAL if ink.height > _UPRIGHT * ink.width else Direction.HORIZONTAL


def line_strip(ink: Ink, direction: Direction) -> Gray:
    """The writing, scaled to the height of a line, with a margin around.

    Returns:
        uint8, 0 paper to 255 ink: (LINE_HEIGHT, any width) of a horizontal line, (any height, LINE_HEIGHT) of a
        vertical one.
    """
    if direction is Direction.VERTICAL:
        return _strip(ink.cut().T, ink.strength.shape[1]).T
    return _strip(ink.cut(), ink.strength.shape[0])


def _strip(line: Gray, crop_across: int) -> Gray:
    """The strip of a line that runs to the right in the array given."""
    room = LINE_HEIGHT - 2 * LINE_MARGIN
    across, along = line.shape
    scale = room / max(across, _LEAST_ACROSS * crop_across, 1)
    width = min(max(1, round(along * scale)), LONGEST_LINE - 2 * LINE_MARGIN)
    height = max(1, round(across * scale))
    strip = np.zeros((LINE_HEIGHT, width + 2 * LINE_MARGIN), np.uint8)
    if line.size:
        top = (LINE_HEIGHT - height) // 2
        strip[top : top + height, LINE_MARGIN : LINE_MARGIN + width] = _resize(line, width, height)
    return strip


def _resize(part: Gray, width: int, height: int) -> Gray:
    shrinks = width * height < part.size
    return cast(
        "Gray",
        cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR),
    )
