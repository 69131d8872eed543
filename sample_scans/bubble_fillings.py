"""Pupils' pens on bubbles: every way a bubble is filled, drawn as ink onto a gray canvas.

Each filling is first a set of strokes in millimetres around the bubble's centre, then a coverage patch
(drawn finer than the canvas, so that widths below a pixel come out right), then ink (`sample_scans.pens`).
Ink multiplies what is already there.
"""

from __future__ import annotations

from enum import StrEnum
from math import ceil, cos, hypot, pi, sin
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from sample_scans.pens import Canvas, Coverage, Pen, choose_pen, darken, lay_ink, wandering

if TYPE_CHECKING:
    from numpy.random import Generator

Stroke: TypeAlias = NDArray[np.float64]
"""A line of the pen, shape (n, 2), in millimetres from the bubble's centre."""

_FINE = 15.0  # pixels a millimetre at which strokes are drawn at least
_SHIFT = 4  # fractional bits of cv2's coordinates


class Filling(StrEnum):
    """What a pupil did to a bubble."""

    EMPTY = "empty"
    FULL = "full"
    LIGHT = "light"
    SCRIBBLED = "scribbled"
    TICKED = "ticked"
    CROSSED = "crossed"
    HALF = "half"
    CIRCLED = "circled"
    DOT = "dot"
    ERASED = "erased"
    DUST = "dust"
    NEXT_TO = "next_to"
    CANCELLED = "cancelled"


MARKED = frozenset(
    {
        Filling.FULL,
        Filling.LIGHT,
        Filling.SCRIBBLED,
        Filling.TICKED,
        Filling.CROSSED,
        Filling.HALF,
        Filling.CIRCLED,
    }
)
"""The fillings by which a pupil means the choice."""


def draw_filling(
    canvas: Canvas,
    centre_px: tuple[float, float],
    size_px: tuple[float, float],
    filling: Filling,
    random: Generator,
    pixels_per_mm: float,
    *,
    pen: Pen | None = None,
) -> None:
    """Draw a filling onto the canvas, in place.

    Args:
        canvas: shape (height, width), 0 black to 255 white, uint8 or float32.
        centre_px: x and y of the bubble's centre; the middle of the top-left pixel is (0, 0).
        size_px: width and height of the bubble's outline.
        filling: what the pupil did.
        random: everything that varies comes from here.
        pixels_per_mm: scale of the canvas, 6 to 24.
        pen: what it is drawn with, `choose_pen` by default; LIGHT and ERASED are always pencil, of
            their own darkness.
    """
    if filling is Filling.EMPTY:
        return
    half = (size_px[0] / 2 / pixels_per_mm, size_px[1] / 2 / pixels_per_mm)
    pen = pen or choose_pen(random)
    if filling is Filling.LIGHT:
        pen = Pen(random.uniform(0.36, 0.5), random.uniform(0.4, 0.8), random.uniform(0.15, 0.35))
    patch = _Patch(canvas, centre_px, half, pixels_per_mm)
    if filling is Filling.ERASED:
        _erase(patch, half, random)
    elif filling is Filling.DUST:
        _drop_dust(patch, half, random)
    elif filling is Filling.DOT:
        _press_dot(patch, half, pen, random)
    else:
        patch.ink(patch.coverage(_strokes(filling, half, pen, random), pen.width_mm), pen, random)


class _Patch:
    """The part of the canvas around one bubble."""

    def __init__(
        self,
        canvas: Canvas,
        centre_px: tuple[float, float],
        half_mm: tuple[float, float],
        pixels_per_mm: float,
    ) -> None:
        self.pixels_per_mm = pixels_per_mm
        self.finer = max(1, ceil(_FINE / pixels_per_mm))
        reach_x = ceil((half_mm[0] + 3.2) * pixels_per_mm)
        reach_y = ceil((half_mm[1] + 3.2) * pixels_per_mm)
        left, top = round(centre_px[0]) - reach_x, round(centre_px[1]) - reach_y
        self.size = (2 * reach_x + 1, 2 * reach_y + 1)
        self.centre = (centre_px[0] - left, centre_px[1] - top)
        height, width = canvas.shape
        x0, y0 = max(left, 0), max(top, 0)
        x1, y1 = min(left + self.size[0], width), min(top + self.size[1], height)
        self.target = canvas[y0 : max(y1, y0), x0 : max(x1, x0)]
        self.inside = np.s_[y0 - top : max(y1, y0) - top, x0 - left : max(x1, x0) - left]

    def coverage(self, strokes: list[Stroke], width_mm: float) -> Coverage:
        """How much of each pixel the strokes cover, 0 to 1."""
        fine = np.zeros((self.size[1] * self.finer, self.size[0] * self.finer), np.uint8)
        width = max(1, round(width_mm * self.pixels_per_mm * self.finer))
        lines = [self._fine_points(stroke) for stroke in strokes]
        cv2.polylines(
            fine, lines, isClosed=False, color=255, thickness=width, lineType=cv2.LINE_AA, shift=_SHIFT
        )
        return self._reduce(fine)

    def spots(self, spots: list[tuple[float, float, float, float, float]]) -> Coverage:
        """Coverage of filled ellipses (x, y, half width, half height in mm; angle in degrees)."""
        fine = np.zeros((self.size[1] * self.finer, self.size[0] * self.finer), np.uint8)
        unit = self.pixels_per_mm * self.finer * (1 << _SHIFT)
        for x, y, a, b, angle in spots:
            (place,) = self._fine_points(np.array([(x, y)]))
            axes = (max(1, round(a * unit)), max(1, round(b * unit)))
            cv2.ellipse(
                fine, (int(place[0]), int(place[1])), axes, angle, 0, 360, 255, -1, cv2.LINE_AA, _SHIFT
            )
        return self._reduce(fine)

    def ink(self, coverage: Coverage, pen: Pen, random: Generator) -> None:
        """Lay ink where `coverage` says."""
        lay_ink(self.target, coverage[self.inside], pen, random, self.pixels_per_mm)

    def _fine_points(self, points: Stroke) -> NDArray[np.int32]:
        pixels = (points * self.pixels_per_mm + self.centre + 0.5) * self.finer - 0.5
        return np.rint(pixels * (1 << _SHIFT)).astype(np.int32)

    def _reduce(self, fine: NDArray[np.uint8]) -> Coverage:
        if self.finer > 1:
            fine = np.asarray(cv2.resize(fine, self.size, interpolation=cv2.INTER_AREA), np.uint8)
        return fine * np.float32(1 / 255)


def _strokes(filling: Filling, half: tuple[float, float], pen: Pen, random: Generator) -> list[Stroke]:
    match filling:
        case Filling.FULL | Filling.LIGHT:
            return _fill_strokes(half, pen, random)
        case Filling.HALF:
            size = (half[0] * random.uniform(0.92, 1.0), half[1] * random.uniform(0.92, 1.0))
            spacing = pen.width_mm * random.uniform(0.5, 0.75)
            return [_hatch(size, random.uniform(0, 2 * pi), spacing, random, share=random.uniform(0.42, 0.6))]
        case Filling.SCRIBBLED:
            size = (half[0] * random.uniform(0.8, 1.15), half[1] * random.uniform(0.8, 1.1))
            spacing = max(pen.width_mm, 0.45) * random.uniform(1.0, 1.5)
            return [_hatch(size, random.uniform(-1.2, 1.2), spacing, random) + _slip(random, 0.3)]
        case Filling.TICKED:
            return [_tick(half, random)]
        case Filling.CROSSED:
            return _cross(half, random)
        case Filling.CIRCLED:
            return [_ring((half[0] + random.uniform(0.2, 0.8), half[1] + random.uniform(0.2, 0.7)), random)]
        case Filling.CANCELLED:
            return _fill_strokes(half, pen, random) + _cancel(half, pen, random)
        case _:
            return _beside(half, pen, random)


def _fill_strokes(half: tuple[float, float], pen: Pen, random: Generator) -> list[Stroke]:
    """Back and forth until the oval is dark: 70 to 105 % of it, often along its outline first."""
    reach = random.uniform(0.86, 1.04)
    size = (half[0] * reach * random.uniform(0.96, 1.03), half[1] * reach * random.uniform(0.96, 1.03))
    size = (max(size[0] - 0.3 * pen.width_mm, 0.3), max(size[1] - 0.3 * pen.width_mm, 0.3))
    strokes = [_hatch(size, random.uniform(-0.9, 0.9), pen.width_mm * random.uniform(0.45, 0.72), random)]
    if random.random() < 0.4:
        strokes.append(_ring((size[0] * 0.92, size[1] * 0.9), random))
    slip = _slip(random, 0.4 * min(1.0, (1.1 - reach) / 0.2) if reach < 0.95 else 0.2)
    return [stroke + slip for stroke in strokes]


def _hatch(
    size: tuple[float, float], angle: float, spacing: float, random: Generator, share: float = 1.0
) -> Stroke:
    """A zigzag over an oval of half-axes `size`; it stops after `share` of the way across."""
    along = hypot(cos(angle) * size[0], sin(angle) * size[1])
    step = spacing * along / (size[0] * size[1])  # on the unit circle, which the oval is stretched from
    legs = max(3, ceil(2 * share / step))
    across = np.linspace(-1, -1 + 2 * share, legs) + random.normal(0, 0.15 * step, legs)
    chord = np.sqrt(np.clip(1 - across**2, 0.02, 1)) * random.normal(1, 0.05, legs)
    chord *= np.where(np.arange(legs) % 2, 1.0, -1.0)
    x = chord * cos(angle) - across * sin(angle)
    y = chord * sin(angle) + across * cos(angle)
    return np.column_stack([x * size[0], y * size[1]])


def _tick(half: tuple[float, float], random: Generator) -> Stroke:
    low = (random.uniform(-0.35, 0.1) * half[0], random.uniform(0.35, 0.95) * half[1])
    start = (low[0] - random.uniform(0.5, 1.1), low[1] - random.uniform(0.7, 1.4))
    end = (low[0] + random.uniform(1.3, 3.0), low[1] - random.uniform(1.8, 3.2))
    return np.vstack([_bend(start, low, random), _bend(low, end, random)])


def _cross(half: tuple[float, float], random: Generator) -> list[Stroke]:
    reach = random.uniform(0.75, 1.25)
    x, y = min(half[0], 1.3 * half[1]) * reach, min(half[1], 1.3 * half[0]) * reach
    slip = _slip(random, 0.3)
    jitter = random.normal(0, 0.15, (4, 2)) + slip
    ends = np.array([(-x, -y), (x, y), (x, -y), (-x, y)]) + jitter
    return [_bend(ends[0], ends[1], random), _bend(ends[2], ends[3], random)]


def _cancel(half: tuple[float, float], pen: Pen, random: Generator) -> list[Stroke]:
    """A mark taken back: scribbled over far beyond its outline, crossed out, or struck out by two lines (二重線)."""
    x, y = half[0] + random.uniform(0.6, 1.5), half[1] + random.uniform(0.6, 1.5)
    way = random.integers(3)
    if way == 0:
        spacing = max(pen.width_mm, 0.45) * random.uniform(0.7, 1.1)
        return [_hatch((x, y), random.uniform(-1.2, 1.2), spacing, random)]
    if way == 1:
        ends = np.array([(-x, -y), (x, y), (x, -y), (-x, y)]) + random.normal(0, 0.15, (4, 2))
        return [_bend(ends[0], ends[1], random), _bend(ends[2], ends[3], random)]
    rises = random.normal(0, 0.15, 2)
    return [_bend((-x, side + rises[0]), (x, side + rises[1]), random) for side in (-0.35, 0.35)]


def _ring(size: tuple[float, float], random: Generator) -> Stroke:
    """An oval drawn by hand: it doesn't quite close, or runs past its start."""
    start = random.uniform(0, 2 * pi)
    turn = np.linspace(start, start + 2 * pi * random.uniform(0.96, 1.12), 40)
    wobble = (
        1 + 0.03 * np.sin(2 * turn + random.uniform(0, 2 * pi)) + np.linspace(0, random.normal(0, 0.03), 40)
    )
    return np.column_stack([np.cos(turn) * wobble * size[0], np.sin(turn) * wobble * size[1]])


def _beside(half: tuple[float, float], pen: Pen, random: Generator) -> list[Stroke]:
    """A small tick, stroke or dot wholly outside the oval, at most 1.7 mm from it."""
    length = random.uniform(0.2, 1.0)
    gap = random.uniform(0.25, 0.5) + pen.width_mm / 2
    angle = random.uniform(0, 2 * pi)
    line = _bend((-length / 2, random.normal(0, 0.1)), (length / 2, random.normal(0, 0.25)), random)
    turn = random.uniform(0, pi)
    line = line @ np.array([(cos(turn), sin(turn)), (-sin(turn), cos(turn))])
    away = np.array([cos(angle) * (half[0] + gap + length / 2), sin(angle) * (half[1] + gap + length / 2)])
    line += away
    # Along the diagonals of a long oval the point above can still touch it: push the mark out until it does not.
    for _ in range(20):
        grown = (half[0] + gap, half[1] + gap)
        if ((line / grown) ** 2).sum(axis=1).min() >= 1:
            break
        line += away / np.hypot(*away) * 0.1
    return [line]


def _bend(
    start: tuple[float, float] | Stroke, end: tuple[float, float] | Stroke, random: Generator
) -> Stroke:
    """A line between two points as a hand draws it: slightly curved."""
    a, b = np.asarray(start, np.float64), np.asarray(end, np.float64)
    way = np.linspace(0, 1, 7)[:, np.newaxis]
    side = np.array([-(b - a)[1], (b - a)[0]])
    return a + (b - a) * way + side * (4 * way * (1 - way)) * random.normal(0, 0.05)


def _slip(random: Generator, reach: float) -> Stroke:
    """How far off the centre the hand was, at most `reach` mm."""
    angle, distance = random.uniform(0, 2 * pi), reach * random.random()
    return np.array([cos(angle) * distance, sin(angle) * distance])


def _erase(patch: _Patch, half: tuple[float, float], random: Generator) -> None:
    """A pale smudge with faint remains of the strokes that were there."""
    pen = Pen(random.uniform(0.07, 0.16), random.uniform(0.4, 0.7), random.uniform(0.3, 0.7))
    before = Filling.FULL if random.random() < 0.6 else Filling.SCRIBBLED
    old = patch.coverage(_strokes(before, half, pen, random), pen.width_mm)
    rubbed = wandering(old.shape, random, patch.pixels_per_mm)
    patch.ink(old * np.clip(1.2 - 1.4 * rubbed, 0, 1), pen, random)
    smudge = patch.spots(
        [(*_slip(random, 0.5), half[0] * random.uniform(0.8, 1.2), half[1], random.uniform(-30, 30))]
    )
    soft = cv2.GaussianBlur(smudge, (0, 0), 0.35 * patch.pixels_per_mm)
    darken(patch.target, np.asarray(soft, np.float32)[patch.inside] * np.float32(random.uniform(0.01, 0.05)))


def _drop_dust(patch: _Patch, half: tuple[float, float], random: Generator) -> None:
    spots = []
    for _ in range(int(random.integers(1, 6))):
        x, y = _slip(random, 1.0) * half
        a = random.uniform(0.03, 0.13)
        spots.append((x, y, a, a * random.uniform(0.4, 1.0), random.uniform(0, 180)))
    darken(patch.target, patch.spots(spots)[patch.inside] * np.float32(random.uniform(0.3, 0.9)))


def _press_dot(patch: _Patch, half: tuple[float, float], pen: Pen, random: Generator) -> None:
    radius = random.uniform(0.12, 0.44)
    x, y = _slip(random, 0.7) * half
    spot = (x, y, radius, radius * random.uniform(0.7, 1.0), random.uniform(0, 180))
    patch.ink(patch.spots([spot]), pen, random)
