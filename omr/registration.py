"""Registration: how the printed page lies in the scan, with a residual that says how well."""

from __future__ import annotations

import itertools
import math
import statistics
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from omr.fiducials import Square, find_corner_squares, measure_square
from omr.geometry import Transform, affine_solver, pixels_per_mm, quarter_turn, scale_transform

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from omr.layout import PageLayout
    from omr.pixels import Gray

_SCALE_RANGE = (0.88, 1.12)
_MOST_STRETCH = 0.04
"""How far width and height of the page may be stretched apart."""
_MOST_SHEAR = 0.03
_OUTLIER_MM = 0.5
_SLACK_MM = 1.5


@dataclass(frozen=True, slots=True)
class Registration:
    """How the printed page lies in the scan.

    Attributes:
        matrix: rows of the page-to-image transform (mm to pixels).
        residual_mm: root mean square distance between the marks and where the transform puts them.
        rotation: quarter turns in degrees, clockwise, that make the page upright: 0, 90, 180 or 270.
        skew_deg: tilt left after that, clockwise positive.
        marks: how many marks the transform rests on.
        black: gray of solid ink on this page.
        white: gray of the paper.
    """

    matrix: tuple[tuple[float, float, float], ...]
    residual_mm: float | None
    rotation: int | None
    skew_deg: float | None
    marks: int
    black: float
    white: float

    @property
    def transform(self) -> Transform:
        """The page-to-image transform as an array."""
        return np.array(self.matrix, np.float64)

    @property
    def scale(self) -> float:
        """Pixels per millimetre."""
        return pixels_per_mm(self.transform)


def describe(
    transform: Transform, residual_mm: float | None, marks: int, black: float, white: float
) -> Registration:
    """A `Registration` from its transform: works out turn and skew."""
    rows = tuple((x, y, shift) for x, y, shift in transform.tolist())
    angle = math.degrees(math.atan2(rows[1][0], rows[0][0]))
    quarter = round(angle / 90)
    return Registration(rows, residual_mm, (-quarter * 90) % 360, angle - 90 * quarter, marks, black, white)


def register_as_it_lies(gray: Gray, page: PageLayout) -> Registration:
    """The registration of a page that fills the whole image as printed."""
    height, width = gray.shape
    transform = scale_transform(page.width, page.height, width, height)
    rows = tuple((float(row[0]), float(row[1]), float(row[2])) for row in transform)
    return Registration(rows, None, None, None, 0, 0.0, 255.0)


def register(gray: Gray, page: PageLayout) -> list[Registration]:
    """Find how a printed sheet can lie in a scan, by its solid squares; the likeliest first.

    There are two answers where the side squares do not tell which way up the page lies: the code must.

    Args:
        gray: the page.
        page: any page of the layout; its size and fiducials count.
    """
    guesses = _corner_guesses(gray, page)
    sides = [_sides_seen(gray, page, guess) for guess in guesses]
    likely = [guess for guess, seen in zip(guesses, sides, strict=True) if seen == max(sides)]
    fits = [fit for guess in likely if (fit := refine(gray, page, guess)) is not None]
    return sorted(fits, key=lambda fit: (-fit.marks, fit.residual_mm or 0.0))


def _sides_seen(gray: Gray, page: PageLayout, guess: Transform) -> int:
    """How many side squares a rough transform finds dark, against the paper half way to the next corner."""
    seen = 0
    height, width = gray.shape
    (a, b, c), (d, e, f), _ = guess.tolist()
    for fiducial in page.fiducials[4:]:
        x, y = fiducial.centre
        below = y + 3 * fiducial.h
        u, v = round(a * x + b * y + c), round(d * x + e * y + f)
        s, t = round(a * x + b * below + c), round(d * x + e * below + f)
        if 0 <= u < width and 0 <= v < height and 0 <= s < width and 0 <= t < height:
            seen += int(gray[v, u]) < 0.7 * int(gray[t, s])
    return seen


def refine(gray: Gray, page: PageLayout, guess: Transform) -> Registration | None:
    """Measure all squares near where a rough transform puts them and fit the transform to them.

    A square that is cut, scribbled over or more than half a millimetre off the others is left out.
    None where fewer than three are left.
    """
    found: list[tuple[tuple[float, float], Square]] = []
    scale = pixels_per_mm(guess)
    (a, b, c), (d, e, f), _ = guess.tolist()
    for fiducial in page.fiducials:
        x, y = fiducial.centre
        square = measure_square(
            gray, a * x + b * y + c, d * x + e * y + f, fiducial.w * scale, _SLACK_MM * scale
        )
        if square is not None and square.is_whole:
            found.append(((x, y), square))
    while len(found) >= 3:
        try:
            transform, errors = _fit(
                tuple(centre for centre, _ in found), [(square.x, square.y) for _, square in found]
            )
        except ValueError:
            return None
        errors /= scale
        if len(found) > 3 and errors.max() > _OUTLIER_MM:
            found.pop(int(errors.argmax()))
            continue
        if not _is_plausible(transform, scale):
            return None
        residual = math.sqrt(float(errors @ errors) / len(found)) if len(found) > 3 else None
        black = statistics.median(square.black for _, square in found)
        white = statistics.median(square.white for _, square in found)
        return describe(transform, residual, len(found), black, white)
    return None


def _fit(
    centres: tuple[tuple[float, float], ...], found: Sequence[tuple[float, float]]
) -> tuple[Transform, NDArray[np.float64]]:
    """The transform from printed squares to found ones, and how far it leaves each off, pixels.

    Raises:
        ValueError: too few squares, or all on one line.
    """
    target, (source, solver) = np.array(found), _solve_for(centres)
    transform = np.eye(3)
    transform[:2] = (solver @ target).T
    off = source @ transform[:2].T - target
    return transform, np.hypot(off[:, 0], off[:, 1])


@lru_cache(maxsize=64)
def _solve_for(centres: tuple[tuple[float, float], ...]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Printed centres, each with a 1 behind it, (n, 3), and their `affine_solver`: the same on every page."""
    source = np.array(centres)
    return np.column_stack([source, np.ones(len(centres))]), affine_solver(source)


def _corner_guesses(gray: Gray, page: PageLayout) -> list[Transform]:
    """Rough transforms, one for each way up that the corner squares allow."""
    height, width = gray.shape
    sideways = (width > height) != (page.width > page.height)
    scale = max(height, width) / max(page.height, page.width)
    corners = find_corner_squares(gray, page.fiducials[:4], scale)
    centres = [fiducial.centre for fiducial in page.fiducials[:4]]
    turn = 1 if sideways else 0
    # Turned clockwise by one quarter, the page's top-left corner lies at the image's top right.
    placed = [corners[(corner + turn) % 4] for corner in range(4)]
    guess = _best_guess(centres, placed, turn, scale)
    if guess is None:
        return []
    # The corner squares look the same upside down.
    return [guess, guess @ quarter_turn(2, page.width, page.height)]


def _best_guess(
    centres: Sequence[tuple[float, float]],
    placed: Sequence[Sequence[tuple[float, float]]],
    turn: int,
    scale: float,
) -> Transform | None:
    seen = [corner for corner in range(4) if placed[corner]]
    for count in (4, 3):
        best: tuple[float, Transform] | None = None
        for chosen in itertools.combinations(seen, count):
            for points in itertools.product(*(placed[corner] for corner in chosen)):
                transform, errors = _fit(tuple(centres[corner] for corner in chosen), points)
                error = float(errors.max()) / scale
                if error < 2 and _is_plausible(transform, scale) and (best is None or error < best[0]):
                    best = error, transform
        if best is not None:
            return best[1]
    if len(seen) == 2:
        return _guess_from_two(centres, placed, seen, turn)
    return None


def _guess_from_two(
    centres: Sequence[tuple[float, float]],
    placed: Sequence[Sequence[tuple[float, float]]],
    seen: Sequence[int],
    turn: int,
) -> Transform | None:
    """A similarity from two squares, enough to look for the side squares."""
    first, second = (complex(*centres[corner]) for corner in seen)
    one, two = (complex(*placed[corner][0]) for corner in seen)
    factor = (two - one) / (second - first)
    angle = math.degrees(math.atan2(factor.imag, factor.real)) - 90 * turn
    if abs((angle + 180) % 360 - 180) > 8:
        return None
    shift = one - factor * first
    return np.array(
        [(factor.real, -factor.imag, shift.real), (factor.imag, factor.real, shift.imag), (0, 0, 1)],
        np.float64,
    )


def _is_plausible(transform: Transform, scale: float) -> bool:
    """Whether a page from a scanner can lie like this: no mirror, little stretch and shear, about its size."""
    (a, b, _), (c, d, _), _ = transform.tolist()
    wide, high = math.hypot(a, c), math.hypot(b, d)
    if not (_SCALE_RANGE[0] < wide / scale < _SCALE_RANGE[1]):
        return False
    cross, along = a * d - b * c, a * b + c * d
    return cross > 0 and abs(wide / high - 1) < _MOST_STRETCH and abs(along) / (wide * high) < _MOST_SHEAR
