"""Where the points of a page lie in a picture: an affine transform, and a bend where the paper does not lie flat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from omr.geometry import Points, Transform, apply, fit_affine, pixels_per_mm

if TYPE_CHECKING:
    from omr.pixels import Mask

_LOOSE_MM = 6.0
_OUTLIERS_MM = (3.0, 1.5)
"""How far off a point may lie from a first and a second fit of a bend."""
_TERMS, _SQUARE_TERMS = 10, 6
"""Of a cubic polynomial in two variables, and of a square one."""
_POINTS_A_TERM = 2
_RIDGE = 1e-3
"""Holds back what the points say little of, so that the bend does not run away beyond them."""
_MOST_SHIFT_MM = 30.0
_MOST_SLOPE = 0.3
_NODES = 9


@dataclass(frozen=True, slots=True, eq=False)
class Bend:
    """By how much points of a page lie off an affine transform, as a cubic polynomial of their place.

    Attributes:
        coefficients: of each term, mm, (10, 2).
        middle: of the page, mm (2,).
        reach: half the page's longer side, mm.
    """

    coefficients: Points
    middle: Points
    reach: float

    def shift(self, points: Points) -> Points:
        """By how much points (..., 2) of the page lie off, mm."""
        return np.asarray(_terms((points - self.middle) / self.reach) @ self.coefficients)


@dataclass(frozen=True, slots=True, eq=False)
class Placement:
    """How a page lies in a picture.

    Attributes:
        transform: page (mm) to pixels.
        bend: what is added to a point on the page first; None for flat paper.
    """

    transform: Transform
    bend: Bend | None = None

    def shift(self, points: Points) -> Points:
        """By how much points (..., 2) of the page lie off the transform, mm."""
        return np.zeros(points.shape) if self.bend is None else self.bend.shift(points)

    def place(self, points: Points) -> Points:
        """Pixels of points (..., 2) of the page."""
        return apply(self.transform, points if self.bend is None else points + self.bend.shift(points))

    def steps(self, points: Points) -> Points:
        """What a millimetre to the right and one down make in pixels at points (P, 2), as matrices (P, 2, 2)."""
        if self.bend is None:
            return np.asarray(self.transform[None, :2, :2])
        right, down = (
            (self.place(points + step) - self.place(points - step)) / 2 for step in ((1.0, 0.0), (0.0, 1.0))
        )
        return np.stack([right, down], axis=-1)

    def then(self, pixels: Transform) -> Placement:
        """The same in a picture whose pixels come from this one's by a transform."""
        return Placement(np.asarray(pixels @ self.transform), self.bend)

    def is_smooth(self, width: float, height: float) -> bool:
        """Whether paper of a size (mm) can be bent like this: not far, nowhere steeply."""
        if self.bend is None:
            return True
        shifts = self.bend.shift(_grid(width, height))
        slopes = [np.diff(shifts, axis=axis) for axis in (0, 1)]
        steps = (height / (_NODES - 1), width / (_NODES - 1))
        steepest = max(float(np.abs(slope).max()) / step for slope, step in zip(slopes, steps, strict=True))
        return float(np.abs(shifts).max()) < _MOST_SHIFT_MM and steepest < _MOST_SLOPE


def fit_flat(
    source: Points, target: Points, bend: Bend | None, outlier_mm: float, scale: float
) -> tuple[Placement, Mask]:
    """The placement that points of a page (mm) and of a picture agree on, and which of them do.

    Args:
        source: page mm, (n, 2).
        target: pixels, (n, 2).
        bend: of the page, as far as it is known; stays as it is.
        outlier_mm: farther off than this is an outlier.
        scale: pixels per mm.

    Raises:
        ValueError: too few agree.
    """
    if len(source) < 3:
        raise ValueError("too few points")
    flat = source if bend is None else source + bend.shift(source)
    transform = fit_affine(flat, target)
    if np.abs(apply(transform, flat) - target).max() < outlier_mm * scale / np.sqrt(2):
        return Placement(transform, bend), np.ones(len(source), bool)
    _, found = cv2.estimateAffine2D(flat, target, method=cv2.RANSAC, ransacReprojThreshold=outlier_mm * scale)
    agree: Mask = found.ravel() > 0
    return Placement(fit_affine(flat[agree], target[agree]), bend), agree


def fit_bent(
    source: Points, target: Points, bend: Bend | None, outlier_mm: float, scale: float
) -> tuple[Placement, Mask]:
    """As `fit_flat`, of paper that is bent: photographed askew, curled, or drawn in unevenly."""
    if bend is None:
        low, high = source.min(axis=0), source.max(axis=0)
        bend = Bend(np.zeros((_TERMS, 2)), (low + high) / 2, float((high - low).max()) / 2)
    loose, agree = fit_flat(source, target, bend, _LOOSE_MM, scale)
    back = apply(np.asarray(np.linalg.inv(loose.transform)), target) - source
    for outlier in (*_OUTLIERS_MM, outlier_mm):
        bend = _bend_to(source[agree], back[agree], bend)
        agree = np.linalg.norm(bend.shift(source) - back, axis=1) < outlier
    return Placement(loose.transform, bend), agree


def placement_in_perspective(corners: Points, width: float, height: float) -> Placement:
    """The placement of a flat page (mm) whose corners, clockwise from the top left, lie at four pixels (4, 2)."""
    page = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    seen = cv2.getPerspectiveTransform(page, corners.astype(np.float32))
    grid = _grid(width, height).reshape(-1, 2)
    target = apply(np.asarray(seen, np.float64), grid)
    transform = fit_affine(grid, target)
    middle, reach = np.array([width / 2, height / 2]), max(width, height) / 2
    back = apply(np.asarray(np.linalg.inv(transform)), target) - grid
    return Placement(transform, _bend_to(grid, back, Bend(np.zeros((_TERMS, 2)), middle, reach)))


def straightened(placement: Placement, width: float, height: float) -> Placement:
    """The same placement with as much of the bend as possible in the transform."""
    if placement.bend is None:
        return placement
    bend = placement.bend
    grid = _grid(width, height).reshape(-1, 2)
    target = placement.place(grid)
    transform = fit_affine(grid, target)
    back = apply(np.asarray(np.linalg.inv(transform)), target) - grid
    return Placement(transform, _bend_to(grid, back, bend))


def scale_of(placement: Placement) -> float:
    """Pixels per millimetre, in the mean."""
    return pixels_per_mm(placement.transform)


def _bend_to(source: Points, shifts: Points, known: Bend) -> Bend:
    """The bend that comes nearest to the shifts (mm) at points of the page, starting from what is known of it.

    Raises:
        ValueError: the points are too few.
    """
    count = _TERMS if len(source) >= _POINTS_A_TERM * _TERMS else _SQUARE_TERMS
    if len(source) < _POINTS_A_TERM * count:
        raise ValueError("too few points")
    terms = _terms((source - known.middle) / known.reach)[:, :count]
    normal = terms.T @ terms + _RIDGE * len(terms) * np.eye(count)
    coefficients = known.coefficients.copy()
    coefficients[:count] += np.linalg.solve(normal, terms.T @ (shifts - known.shift(source)))
    return Bend(coefficients, known.middle, known.reach)


def _terms(places: Points) -> Points:
    """The terms of a cubic polynomial at places (..., 2), the square ones first, (..., 10)."""
    x, y = places[..., 0], places[..., 1]
    xx, yy = x * x, y * y
    return np.stack([np.ones_like(x), x, y, xx, x * y, yy, xx * x, xx * y, yy * x, yy * y], axis=-1)


def _grid(width: float, height: float) -> Points:
    """Places all over a page, mm, (_NODES, _NODES, 2)."""
    x, y = (np.linspace(0, side, _NODES) for side in (width, height))
    return np.stack(np.meshgrid(x, y), axis=-1)
