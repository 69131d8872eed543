"""Finding printed patches of an empty page in a scan, all at once, where an alignment roughly says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from omr.geometry import Points, Transform, apply, fit_affine
from omr.pixels import map_points

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from omr.pixels import Floats, Mask

FEWEST_PATCHES = 6
PATCH = 24
"""Pixels of a patch's side; 12 mm at 2 pixels a millimetre."""
_WINDOW = 40
_REACH = (_WINDOW - PATCH) // 2
_MOST_DARKNESS = 0.5
"""Darker than this counts no more: a pen is no stronger than a printed line."""
_EDGE_MM = 8.0
_LEAST_STRUCTURE = 3e-4


@dataclass(frozen=True, slots=True)
class PatchPlan:
    """P printed patches with structure in both directions, spread over a page.

    Attributes:
        centres: page mm, (P, 2).
        windows: sample points of each patch and its surroundings, page mm, float32 (P, _WINDOW², 2).
        templates: conjugate spectra of the patches, mean 0 and norm 1, complex64 (P, _WINDOW, _WINDOW // 2 + 1).
        pixels_per_mm: of the samples.
    """

    centres: Points
    windows: Floats
    templates: NDArray[np.complex64]
    pixels_per_mm: float

    def thinned(self, step: int) -> PatchPlan:
        """Every `step`-th patch only."""
        return replace(
            self, centres=self.centres[::step], windows=self.windows[::step], templates=self.templates[::step]
        )


@dataclass(frozen=True, slots=True)
class PatchMatches:
    """Where the patches were found.

    Attributes:
        offsets: from where the alignment puts them, page mm, (P, 2).
        likeness: normalised correlation there, −1 to 1, (P,).
    """

    offsets: Points
    likeness: Floats


def plan_patches(darkness: Floats, pixels_per_mm: float, cell_mm: float) -> PatchPlan:
    """Choose the patches of an empty page.

    Args:
        darkness: of the page's print, upright, the whole page.
        pixels_per_mm: its resolution.
        cell_mm: one patch is chosen in every square of this side.

    Raises:
        ValueError: fewer than FEWEST_PATCHES places have structure.
    """
    limited = np.minimum(darkness, np.float32(_MOST_DARKNESS))
    at = _choose(limited, pixels_per_mm, cell_mm)
    if len(at) < FEWEST_PATCHES:
        raise ValueError("too little is printed")
    steps = np.arange(PATCH) - (PATCH - 1) / 2
    columns, rows = at[:, 0, None, None] + steps[None, None, :], at[:, 1, None, None] + steps[None, :, None]
    points = np.stack(np.broadcast_arrays(columns, rows), axis=-1).reshape(len(at), -1, 2)
    patches = sample_floats(limited, points.astype(np.float32)).reshape(-1, PATCH, PATCH)
    patches = patches - patches.mean(axis=(1, 2), keepdims=True)
    patches /= np.sqrt((patches**2).sum(axis=(1, 2), keepdims=True)) + np.float32(1e-6)
    steps = np.arange(_WINDOW) - (_WINDOW - 1) / 2
    centres = (at + 0.5) / pixels_per_mm
    x, y = (centres[:, axis, None, None] for axis in (0, 1))
    x, y = x + steps[None, None, :] / pixels_per_mm, y + steps[None, :, None] / pixels_per_mm
    windows = np.stack(np.broadcast_arrays(x, y), axis=-1).reshape(len(at), -1, 2).astype(np.float32)
    templates = np.conj(np.fft.rfft2(patches.astype(np.float32), (_WINDOW, _WINDOW)))
    return PatchPlan(centres, windows, templates, pixels_per_mm)


def match_patches(darkness: Floats, transform: Transform, plan: PatchPlan) -> PatchMatches:
    """Find all patches within 8 pixels of where they should be.

    Args:
        darkness: of the scan, at about the resolution of the plan.
        transform: page (mm) to pixels of `darkness`.
        plan: of the page.
    """
    seen = sample_floats(darkness, map_points(transform, plan.windows))
    windows = np.minimum(seen, np.float32(_MOST_DARKNESS)).reshape(-1, _WINDOW, _WINDOW)
    product = np.fft.irfft2(np.fft.rfft2(windows) * plan.templates, (_WINDOW, _WINDOW)).astype(
        np.float32, copy=False
    )
    side = 2 * _REACH + 1
    likeness: Floats = product[:, :side, :side] / _spread(windows)
    flat = likeness.reshape(len(likeness), -1)
    best = flat.argmax(axis=1)
    rows, columns = np.divmod(best, side)
    fine_rows, fine_columns = (
        rows + _vertices(likeness, rows, columns, 1),
        columns + _vertices(likeness, rows, columns, 2),
    )
    offsets = (np.stack([fine_columns, fine_rows], axis=-1) - _REACH) / plan.pixels_per_mm
    return PatchMatches(offsets, flat[np.arange(len(flat)), best])


def fit_patches(
    transform: Transform, plan: PatchPlan, matches: PatchMatches, usable: Mask, outlier_mm: float
) -> tuple[Transform, Mask]:
    """The alignment that the usable patches agree on, and which of them do.

    Raises:
        ValueError: too few agree.
    """
    source = plan.centres
    target = apply(transform, source + matches.offsets)
    scale = np.sqrt(abs(np.linalg.det(transform[:2, :2])))
    which = np.flatnonzero(usable)
    if len(which) < 3:
        raise ValueError("too few patches")
    _, agree = cv2.estimateAffine2D(
        source[which], target[which], method=cv2.RANSAC, ransacReprojThreshold=outlier_mm * scale
    )
    if np.count_nonzero(agree) < 3:
        raise ValueError("the patches do not agree")
    inside = np.zeros(len(source), bool)
    inside[which[agree.ravel() > 0]] = True
    return fit_affine(source[inside], target[inside]), inside


def sample_floats(picture: Floats, points: Floats) -> Floats:
    """Values of a picture at points (rows, columns, 2), bilinear; 0 beyond the edge."""
    if not points.size:
        return np.zeros(points.shape[:2], np.float32)  # where only pale lines are printed
    none = cast("Floats", None)
    found = cv2.remap(picture, points, none, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return cast("Floats", found)


def _choose(darkness: Floats, pixels_per_mm: float, cell_mm: float) -> Points:
    """The place with most structure in each cell of the page, pixels (x, y)."""
    structure = cv2.cornerMinEigenVal(darkness, PATCH, ksize=3)
    cell = round(cell_mm * pixels_per_mm)
    edge = round(_EDGE_MM * pixels_per_mm)
    high, wide = structure.shape
    chosen = []
    for top in range(edge, high - edge - cell // 2, cell):
        for left in range(edge, wide - edge - cell // 2, cell):
            part = structure[top : min(top + cell, high - edge), left : min(left + cell, wide - edge)]
            row, column = np.unravel_index(int(part.argmax()), part.shape)
            if part[row, column] > _LEAST_STRUCTURE:
                chosen.append((left + int(column), top + int(row)))
    return np.array(chosen, np.float64).reshape(-1, 2)


def _spread(windows: Floats) -> Floats:
    """The norm of each window's deviation from its mean under each position of the patch."""
    # All windows in one tall picture: sums that would cross from one into the next are not used.
    tall = windows.reshape(-1, _WINDOW)
    mean, square = (
        filtered(tall, -1, (PATCH, PATCH), anchor=(0, 0), normalize=True, borderType=cv2.BORDER_CONSTANT)
        for filtered in (cv2.boxFilter, cv2.sqrBoxFilter)
    )
    side = 2 * _REACH + 1
    variance = (square - mean * mean).reshape(-1, _WINDOW, _WINDOW)[:, :side, :side]
    # A bare window has no pattern: kept from looking like one by its noise.
    return cast("Floats", np.sqrt(np.maximum(variance, 0)) * np.float32(PATCH) + np.float32(0.3))


def _vertices(
    likeness: Floats, rows: NDArray[np.intp], columns: NDArray[np.intp], axis: int
) -> NDArray[np.float64]:
    """Where between its neighbours along an axis each peak stands, −0.5 to 0.5."""
    most = likeness.shape[axis] - 1
    at = [rows, columns]
    places = []
    for step in (-1, 0, 1):
        moved = list(at)
        moved[axis - 1] = np.clip(at[axis - 1] + step, 0, most)
        places.append(likeness[np.arange(len(rows)), moved[0], moved[1]])
    before, here, behind = places
    bend = before - 2 * here + behind
    return np.where(bend < 0, np.clip(0.5 * (before - behind) / np.minimum(bend, -1e-9), -0.5, 0.5), 0.0)
