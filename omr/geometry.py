"""Geometry in page units: rectangles in millimetres and the transforms between page and image.

A transform is a 3×3 float64 matrix that maps column vectors (x, y, 1). "Page" coordinates are millimetres
from the top-left corner of the printed page; "image" coordinates are pixels with the centre of the
top-left pixel at (0, 0).
"""

from __future__ import annotations

import math
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

Transform: TypeAlias = NDArray[np.float64]
Points: TypeAlias = NDArray[np.float64]

MM_PER_INCH = 25.4


@dataclass(frozen=True, config=ConfigDict(allow_inf_nan=False))
class Rectangle:
    """A rectangle on the page: top-left corner, width and height in millimetres."""

    x: float
    y: float
    w: float
    h: float

    @property
    def right(self) -> float:
        """X of the right edge."""
        return self.x + self.w

    @property
    def bottom(self) -> float:
        """Y of the bottom edge."""
        return self.y + self.h

    @property
    def centre(self) -> tuple[float, float]:
        """The middle of the rectangle."""
        return self.x + self.w / 2, self.y + self.h / 2

    def expanded(self, margin: float) -> Rectangle:
        """The rectangle grown by `margin` mm on every side (shrunk if negative)."""
        return Rectangle(self.x - margin, self.y - margin, self.w + 2 * margin, self.h + 2 * margin)

    def corners(self) -> Points:
        """The corners, shape (4, 2): top-left, top-right, bottom-right, bottom-left."""
        return np.array(
            [(self.x, self.y), (self.right, self.y), (self.right, self.bottom), (self.x, self.bottom)],
            np.float64,
        )

    def intersects(self, other: Rectangle) -> bool:
        """Whether the two rectangles share any area."""
        return (
            self.x < other.right and other.x < self.right and self.y < other.bottom and other.y < self.bottom
        )


def apply(transform: Transform, points: Points) -> Points:
    """Map points, shape (..., 2), through a transform."""
    if not points.size:
        return np.zeros(points.shape)
    # Ten times as quick as a product of matrices, which are two numbers wide.
    pairs = np.asarray(points, np.float64).reshape(1, -1, 2)
    mapped = cv2.transform(pairs, transform[:2]).reshape(points.shape)
    if transform[2, 0] == 0 and transform[2, 1] == 0:
        return np.asarray(mapped)
    weight = points @ transform[2, :2] + transform[2, 2]
    return np.asarray(mapped / weight[..., np.newaxis])


def fit_affine(source: Points, target: Points) -> Transform:
    """The affine transform that maps `source` to `target`, both (n, 2), n ≥ 3, by least squares.

    Raises:
        ValueError: the points are fewer than three or lie on one line.
    """
    transform = np.eye(3)
    transform[:2] = (affine_solver(source) @ target).T
    return transform


def affine_solver(source: Points) -> NDArray[np.float64]:
    """What the images of n points are multiplied by to fit an affine transform to them, (3, n).

    For `fit_affine` to the same source points again and again: `(affine_solver(source) @ target).T` is the top of its matrix.

    Raises:
        ValueError: the points are fewer than three or lie on one line.
    """
    if len(source) < 3:
        raise ValueError("an affine transform needs three points")
    middle = source.mean(axis=0)
    away = source - middle
    (a, b), (c, d) = (away.T @ away).tolist()
    determinant = a * d - b * c
    if determinant <= 1e-9 * max(a, d) ** 2:
        raise ValueError("the points lie on one line")
    linear = np.array([(d, -b), (-c, a)]) / determinant @ away.T
    return np.vstack([linear, 1 / len(source) - middle @ linear])


def scale_transform(width: float, height: float, pixels_wide: int, pixels_high: int) -> Transform:
    """The transform of a page that lies as printed: `width` × `height` mm fill the whole image."""
    sx, sy = pixels_wide / width, pixels_high / height
    return np.array([(sx, 0, -0.5), (0, sy, -0.5), (0, 0, 1)], np.float64)


def quarter_turn(turns: int, width: float, height: float) -> Transform:
    """Page (mm, `width` × `height`) to the same page turned clockwise by `turns` quarter turns."""
    matrices = (
        [(1, 0, 0), (0, 1, 0), (0, 0, 1)],
        [(0, -1, height), (1, 0, 0), (0, 0, 1)],
        [(-1, 0, width), (0, -1, height), (0, 0, 1)],
        [(0, 1, 0), (-1, 0, width), (0, 0, 1)],
    )
    return np.array(matrices[turns % 4], np.float64)


def pixels_per_mm(transform: Transform) -> float:
    """The mean scale of a page-to-image transform, in pixels per millimetre."""
    (a, b, _), (c, d, _), _ = transform.tolist()
    return math.sqrt(abs(a * d - b * c))
