"""A second, simpler hand: fillings of bubbles as plain ellipses, lines and polygons of one gray.

It shares nothing with `sample_scans`, so that a fault of the reader that suits one generator shows in the other.
Positions and sizes are pixels of a picture of `PIXELS_PER_MM`; gray levels are 0 black to 255 white.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.random import Generator
    from numpy.typing import NDArray

    from omr.geometry import Rectangle
    from omr.pixels import Gray

PIXELS_PER_MM = 200 / 25.4
_SHIFT = 4


@dataclass(frozen=True, slots=True)
class Brush:
    """Draws on one bubble; coordinates in mm from its middle.

    Attributes:
        canvas: the page, drawn on in place.
        bubble: where it is printed, mm.
        random: everything that varies comes from here.
    """

    canvas: Gray
    bubble: Rectangle
    random: Generator

    @property
    def half(self) -> tuple[float, float]:
        """Half the width and height of the bubble, mm."""
        return self.bubble.w / 2, self.bubble.h / 2

    def line(self, points: list[tuple[float, float]], width: float, gray: float) -> None:
        """A line through points, `width` mm wide."""
        self._darken(lambda ink: self._stroke(ink, points, width), gray)

    def oval(self, half: tuple[float, float], gray: float, at: tuple[float, float] = (0, 0)) -> None:
        """A filled oval."""
        turn = np.linspace(0, 2 * np.pi, 48)
        self.polygon([(at[0] + half[0] * np.cos(a), at[1] + half[1] * np.sin(a)) for a in turn], gray)

    def polygon(self, points: list[tuple[float, float]], gray: float) -> None:
        """A filled polygon."""
        self._darken(
            lambda ink: cv2.fillPoly(ink, [self._pixels(points)], 255, cv2.LINE_AA, _SHIFT),
            gray,
        )

    def _stroke(self, ink: Gray, points: list[tuple[float, float]], width: float) -> None:
        """One line; widths between whole pixels are the mean of the two next to it."""
        pixels = max(width * PIXELS_PER_MM, 1.0)
        thick = int(pixels) + int(self.random.random() < pixels - int(pixels))
        cv2.polylines(
            ink,
            [self._pixels(points)],
            isClosed=False,
            color=255,
            thickness=thick,
            lineType=cv2.LINE_AA,
            shift=_SHIFT,
        )

    def _pixels(self, points: list[tuple[float, float]]) -> NDArray[Any]:
        x, y = self.bubble.centre
        at = (np.array(points) + np.array([x, y])) * PIXELS_PER_MM - 0.5 - self._corner()
        pixels: NDArray[np.int32] = np.rint(at * (1 << _SHIFT)).astype(np.int32)
        return pixels

    def _corner(self) -> NDArray[Any]:
        x, y = self.bubble.centre
        return np.array([max(int((x - 9) * PIXELS_PER_MM), 0), max(int((y - 9) * PIXELS_PER_MM), 0)])

    def _darken(self, draw: Callable[[Gray], object], gray: float) -> None:
        left, top = self._corner()
        side = int(18 * PIXELS_PER_MM)
        part = self.canvas[top : top + side, left : left + side]
        ink = np.zeros(part.shape, np.uint8)
        draw(ink)
        # Where the pen went the paper is as dark as it or as what lay there before.
        share = ink.astype(np.float32) / 255
        laid = np.minimum(part, np.float32(gray))
        part[:] = np.rint(part * (1 - share) + laid * share).astype(np.uint8)


def full(brush: Brush) -> None:
    """Filled dark."""
    _fill(brush, brush.random.uniform(20, 110))


def light(brush: Brush) -> None:
    """Filled with a pale pencil."""
    _fill(brush, brush.random.uniform(140, 190))


def scribbled(brush: Brush) -> None:
    """A zigzag over the bubble."""
    random, (a, b) = brush.random, brush.half
    legs = int(random.integers(5, 11))
    x = np.linspace(-0.9 * a, 0.9 * a, legs) + random.normal(0, 0.1, legs)
    y = 0.8 * b * np.where(np.arange(legs) % 2, 1, -1) + random.normal(0, 0.2, legs)
    points = list(zip(x, y, strict=True))
    if random.random() < 0.5:
        points = [(v * a / b, u * b / a) for u, v in points]
    brush.line(points, random.uniform(0.3, 0.7), random.uniform(30, 150))


def ticked(brush: Brush) -> None:
    """A tick through the bubble."""
    random, (a, b) = brush.random, brush.half
    low = (random.uniform(-0.3, 0.2) * a, random.uniform(0.2, 0.8) * b)
    size = random.uniform(1.0, 1.6)
    points = [
        (low[0] - 0.7 * size, low[1] - 0.9 * size),
        low,
        (low[0] + 1.4 * size, low[1] - 2.0 * size),
    ]
    brush.line(points, random.uniform(0.3, 0.8), random.uniform(20, 130))


def crossed(brush: Brush) -> None:
    """Two strokes across."""
    random, (a, b) = brush.random, brush.half
    reach, width, gray = random.uniform(0.7, 1.3), random.uniform(0.3, 0.8), random.uniform(20, 130)
    ends = np.array([(-a, -b), (a, b), (a, -b), (-a, b)]) * reach + random.normal(0, 0.15, (4, 2))
    brush.line([tuple(ends[0]), tuple(ends[1])], width, gray)
    brush.line([tuple(ends[2]), tuple(ends[3])], width, gray)


def struck(brush: Brush) -> None:
    """One stroke through the middle of the bubble."""
    random, (a, b) = brush.random, brush.half
    angle = random.uniform(0, np.pi)
    x, y = np.cos(angle) * a * random.uniform(0.9, 1.4), np.sin(angle) * b * random.uniform(0.9, 1.4)
    brush.line([(-x, -y), (x, y)], random.uniform(0.4, 0.8), random.uniform(20, 110))


def half_filled(brush: Brush) -> None:
    """The left, right, top, bottom or a slanted half filled."""
    a, b = brush.half
    angle = brush.random.integers(8) * np.pi / 4
    turn = np.linspace(angle - np.pi / 2, angle + np.pi / 2, 24)
    points = [(0.98 * a * np.cos(one), 0.98 * b * np.sin(one)) for one in turn]
    brush.polygon(points, brush.random.uniform(20, 130))


def circled(brush: Brush) -> None:
    """A ring around the bubble: tight or loose, in the middle or not."""
    random, (a, b) = brush.random, brush.half
    factor = random.uniform(1.1, 1.7)
    off = (factor - 1) * 0.6 * random.uniform(0, 1)
    angle = random.uniform(0, 2 * np.pi)
    turn = np.linspace(0, 2 * np.pi * random.uniform(0.96, 1.05), 48) + random.uniform(0, 2 * np.pi)
    points = [
        (a * (factor * np.cos(one) + off * np.cos(angle)), b * (factor * np.sin(one) + off * np.sin(angle)))
        for one in turn
    ]
    brush.line(points, random.uniform(0.25, 0.8), random.uniform(20, 130))


def dot(brush: Brush) -> None:
    """A dot of the pen, under 1 mm."""
    random, radius = brush.random, brush.random.uniform(0.3, 0.95) / 2
    at = (
        random.uniform(-0.7, 0.7) * (brush.half[0] - radius),
        random.uniform(-0.7, 0.7) * (brush.half[1] - radius),
    )
    brush.oval((radius, radius), random.uniform(20, 130), at)


def erased(brush: Brush) -> None:
    """A pale smudge, often with streaks of what was there."""
    random, (a, b) = brush.random, brush.half
    brush.oval((a * random.uniform(0.7, 1.2), b * random.uniform(0.7, 1.1)), random.uniform(222, 240))
    for _ in range(int(random.integers(0, 5))):
        y = random.uniform(-0.7, 0.7) * b
        x = a * (1 - (y / b) ** 2) ** 0.5 * random.uniform(0.4, 1)
        brush.line(
            [(-x, y), (x, y + random.normal(0, 0.3))], random.uniform(0.3, 0.5), random.uniform(205, 235)
        )


def dust(brush: Brush) -> None:
    """Specks."""
    random, (a, b) = brush.random, brush.half
    for _ in range(int(random.integers(1, 5))):
        radius = random.uniform(0.05, 0.15)
        brush.oval((radius, radius), random.uniform(20, 180), (random.normal(0, a), random.normal(0, b)))


def hair(brush: Brush) -> None:
    """A hair across."""
    random = brush.random
    middle = random.normal(0, 1.5, 2)
    angle, bend = random.uniform(0, np.pi), random.normal(0, 0.8)
    way = np.linspace(-1, 1, 12) * random.uniform(1, 4)
    x = middle[0] + way * np.cos(angle) + bend * np.cos(way) * np.sin(angle)
    y = middle[1] + way * np.sin(angle) - bend * np.cos(way) * np.cos(angle)
    brush.line(list(zip(x, y, strict=True)), random.uniform(0.05, 0.1), random.uniform(80, 200))


def _fill(brush: Brush, gray: float) -> None:
    random, (a, b) = brush.random, brush.half
    reach = random.uniform(0.85, 1.1)
    brush.oval((a * reach, b * reach), gray, (random.normal(0, 0.15), random.normal(0, 0.15)))


def nothing(brush: Brush) -> None:
    """Left empty."""


MARKS: tuple[Callable[[Brush], None], ...] = (
    full,
    light,
    scribbled,
    ticked,
    crossed,
    struck,
    half_filled,
    circled,
)
"""What means the choice."""
TRACES: tuple[Callable[[Brush], None], ...] = (nothing, dot, erased, dust, hair)
"""What means nothing."""
