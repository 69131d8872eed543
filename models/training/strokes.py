"""Drawing pen strokes as a hurried pupil would: each stroke bent, shifted and shortened, some joined."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator

    from models.training.sources import Polyline
    from ocr.ink import Gray

FRAME = 1000.0
"""Strokes come in a square of this side."""
_WIDEST = 0.18
"""A pen wider than this, over the root of the number of strokes, would fill the character."""
_SHIFT = 4
"""Bits of a pixel's fraction that OpenCV takes."""


@dataclass(frozen=True, slots=True)
class Haste:
    """How far a hand goes from the model strokes.

    Attributes:
        stroke: shift, turn and stretch of single strokes, 0 (none) to about 1.
        joined: chance that the pen stays on the paper between two strokes.
        width: of the pen, as a share of the frame.
    """

    stroke: float
    joined: float
    width: float


def choose_haste(random: Generator) -> Haste:
    """The habits of one hand."""
    return Haste(
        stroke=float(random.uniform(0.1, 1.0)),
        joined=float(random.choice([0.0, 0.05, 0.25], p=[0.5, 0.3, 0.2])),
        width=float(random.uniform(0.025, 0.09)),
    )


def draw_strokes(strokes: Sequence[Polyline], side: int, haste: Haste, random: Generator) -> Gray:
    """Strokes drawn with a round pen.

    Args:
        strokes: each float32 (points, 2) in a square of FRAME.
        side: of the picture, pixels.
        haste: of the hand.
        random: source of chance.

    Returns:
        uint8 (side, side), ink 255 on 0; the strokes' square fills it but for a margin of an eighth.
    """
    drawn = _join(_bend(strokes, haste.stroke, random), haste.joined, random)
    scale = side * 0.75 / FRAME
    picture = np.zeros((side, side), np.uint8)
    lines = [((line * scale + side / 8) * (1 << _SHIFT)).astype(np.int32) for line in drawn]
    width = min(haste.width, _WIDEST / math.sqrt(len(strokes)))
    thickness = max(1, round(width * side * 0.75 + random.uniform(-0.3, 0.3)))
    cv2.polylines(
        picture, lines, isClosed=False, color=255, thickness=thickness, lineType=cv2.LINE_AA, shift=_SHIFT
    )
    return picture


def _bend(strokes: Sequence[Polyline], amount: float, random: Generator) -> list[Polyline]:
    """Each stroke turned, stretched, bowed and moved about its own middle; all at once."""
    sizes = np.array([len(stroke) for stroke in strokes])
    starts = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    points = np.concatenate(strokes)
    whose = np.repeat(np.arange(len(sizes)), sizes)
    middle = np.add.reduceat(points, starts) / sizes[:, np.newaxis]
    reach = (np.maximum.reduceat(points, starts) - np.minimum.reduceat(points, starts)).max(axis=1)
    chance = random.standard_normal((len(sizes), 8))
    turn = (0.07 * amount * chance[:, 0])[whose]
    stretch = 1 + 0.09 * amount * chance[:, 1:3][whose]
    away = points - middle[whose]
    x, y = away[:, 0], away[:, 1]
    turned = (
        np.column_stack((x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn))) * stretch
    )
    place = 2 * (np.arange(len(points)) - starts[whose]) / np.maximum(sizes - 1, 1)[whose] - 1
    bow = (0.06 * amount * chance[:, 3] * reach)[:, np.newaxis] * chance[:, 4:6]
    bowed = turned + (1 - place**2)[:, np.newaxis] * np.where(sizes[:, np.newaxis] > 2, bow, 0)[whose]
    moved = bowed + (middle + 16 * amount * chance[:, 6:8])[whose]
    return np.split(moved.astype(np.float32), starts[1:])


def _join(strokes: list[Polyline], chance: float, random: Generator) -> list[Polyline]:
    joined: list[Polyline] = []
    for stroke in strokes:
        if joined and random.random() < chance:
            joined[-1] = np.concatenate((joined[-1], stroke))
        else:
            joined.append(stroke)
    return joined
