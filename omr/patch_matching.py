"""Finding printed patches of an empty page in a scan, all at once, where an alignment roughly says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np
from scipy import fft

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from omr.geometry import Points
    from omr.pixels import Floats, Gray
    from omr.placement import Placement

FEWEST_PATCHES = 6
PATCH = 24
"""Pixels of a patch's side; 12 mm at 2 pixels a millimetre."""
_MOST_DARKNESS = 0.5
"""Darker than this counts no more: a pen is no stronger than a printed line."""
_EDGE_MM = 8.0
_LEAST_STRUCTURE = 3e-4
_OVER_PRINT = 1.3
"""How much darker than print anything counts."""


@dataclass(frozen=True, slots=True)
class PatchPlan:
    """P printed patches with structure in both directions, spread over a page.

    Attributes:
        centres: page mm, (P, 2).
        templates: conjugate spectra of the patches, mean 0 and norm 1, complex64 (P, W, W // 2 + 1); W is a
            window's side, PATCH + 2 × `reach`.
        pixels_per_mm: of the samples.
        reach: how far from its place each patch is looked for, in samples.
        darkest: what is darker counts as this dark: a filled mark must not outweigh pale print.
    """

    centres: Points
    templates: NDArray[np.complex64]
    pixels_per_mm: float
    reach: int
    darkest: float

    def every_other(self) -> PatchPlan:
        """Half of the patches, still spread over the page."""
        return replace(self, centres=self.centres[::2], templates=self.templates[::2])


@dataclass(frozen=True, slots=True)
class PatchMatches:
    """Where the patches were found.

    Attributes:
        offsets: from where the alignment puts them, page mm, (P, 2).
        likeness: normalised correlation there, −1 to 1, (P,).
    """

    offsets: Points
    likeness: Floats


def plan_patches(darkness: Floats, pixels_per_mm: float, cell_mm: float, reach: int) -> PatchPlan:
    """Choose the patches of an empty page.

    Args:
        darkness: of the page's print, upright, the whole page.
        pixels_per_mm: its resolution.
        cell_mm: one patch is chosen in every square of this side.
        reach: how far from its place each will be looked for, pixels; PATCH + 2 × reach suits a fast transform.

    Raises:
        ValueError: fewer than FEWEST_PATCHES places have structure.
    """
    at = _choose(np.minimum(darkness, np.float32(_MOST_DARKNESS)), pixels_per_mm, cell_mm)
    if len(at) < FEWEST_PATCHES:
        raise ValueError("too little is printed")
    return plan_patches_at(darkness, at, pixels_per_mm, reach)[0]


def plan_patches_at(
    darkness: Floats, at: Points, pixels_per_mm: float, reach: int
) -> tuple[PatchPlan, Floats]:
    """Patches of an empty page at given pixels (x, y), (P, 2), and their darkness, (P, PATCH, PATCH)."""
    seen = _cut_squares(darkness, at, np.eye(2)[None], PATCH)
    darkest = min(_MOST_DARKNESS, _OVER_PRINT * float(np.quantile(seen, 0.98)))
    patches = np.minimum(seen, np.float32(darkest))
    patches = patches - patches.mean(axis=(1, 2), keepdims=True)
    patches /= np.sqrt((patches**2).sum(axis=(1, 2), keepdims=True)) + np.float32(1e-6)
    side = PATCH + 2 * reach
    templates = np.conj(fft.rfft2(patches.astype(np.float32), (side, side)))
    return PatchPlan((at + 0.5) / pixels_per_mm, templates, pixels_per_mm, reach, darkest), seen


def match_patches(darkness: Gray, guess: Placement, plan: PatchPlan) -> PatchMatches:
    """Find all patches within the plan's reach of where they should be.

    Args:
        darkness: of the scan, 0 to 255, at about the resolution of the plan.
        guess: page (mm) to pixels of `darkness`.
        plan: of the page.
    """
    return match_windows(cut_windows(darkness, guess, plan) * np.float32(1 / 255), plan)


def cut_windows(picture: Floats | Gray, guess: Placement, plan: PatchPlan) -> Floats:
    """What a picture shows where each patch should be and around it, float32 (P, W, W)."""
    steps = guess.steps(plan.centres) / plan.pixels_per_mm
    return _cut_squares(picture, guess.place(plan.centres), steps, PATCH + 2 * plan.reach)


def match_windows(windows: Floats, plan: PatchPlan) -> PatchMatches:
    """Find each patch in its window of darkness, (P, W, W)."""
    side, places = PATCH + 2 * plan.reach, 2 * plan.reach + 1
    windows = np.minimum(windows, np.float32(plan.darkest)) * np.float32(_MOST_DARKNESS / plan.darkest)
    product = fft.irfft2(fft.rfft2(windows) * plan.templates, (side, side))
    likeness: Floats = product[:, :places, :places] / _spread(windows)
    flat = likeness.reshape(len(likeness), -1)
    best = flat.argmax(axis=1)
    rows, columns = np.divmod(best, places)
    fine_rows = rows + _vertices(flat, best, rows, places, places)
    fine_columns = columns + _vertices(flat, best, columns, places, 1)
    offsets = (np.stack([fine_columns, fine_rows], axis=-1) - plan.reach) / plan.pixels_per_mm
    return PatchMatches(offsets, flat[np.arange(len(flat)), best])


def sample_floats(picture: Floats | Gray, points: Floats) -> Floats:
    """Values of a picture, in its own scale, at points (rows, columns, 2), bilinear; 0 beyond the edge."""
    if not points.size:
        return np.zeros(points.shape[:2], np.float32)  # where only pale lines are printed
    none = cast("Floats", None)
    found = cv2.remap(picture, points, none, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return found.astype(np.float32, copy=False)


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


def _cut_squares(picture: Floats | Gray, centres: Points, steps: Points, side: int) -> Floats:
    """Squares of `side` × `side` samples; a step right and one down are a matrix (P or 1, 2, 2), (P, side, side)."""
    along = np.arange(side) - (side - 1) / 2
    # One coordinate at a time: sums over arrays of pairs take five times as long.
    x, y = (
        (
            (centres[:, axis, None] + steps[:, axis, 1, None] * along).astype(np.float32)[:, :, None]
            + (steps[:, axis, 0, None] * along).astype(np.float32)[:, None, :]
        ).reshape(len(centres), -1)
        for axis in (0, 1)
    )
    found = cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return found.astype(np.float32, copy=False).reshape(-1, side, side)


def _spread(windows: Floats) -> Floats:
    """The norm of each window's deviation from its mean under each position of the patch."""
    mean_over = _mean_matrix(windows.shape[-1])
    mean = mean_over.T @ (windows @ mean_over)
    square = mean_over.T @ ((windows * windows) @ mean_over)
    variance = np.maximum(square - mean * mean, 0)
    # A bare window has no pattern: kept from looking like one by its noise.
    return cast("Floats", np.sqrt(variance) * np.float32(PATCH) + np.float32(0.3))


@cache
def _mean_matrix(side: int) -> Floats:
    """Columns that take the mean of PATCH neighbours: as a product it is far faster than box filters are."""
    at = np.arange(side)[:, None] - np.arange(side - PATCH + 1)[None, :]
    return ((at >= 0) & (at < PATCH)).astype(np.float32) / np.float32(PATCH)


def _vertices(
    flat: Floats, best: NDArray[np.intp], index: NDArray[np.intp], places: int, step: int
) -> NDArray[np.float64]:
    """Where between its neighbours along an axis each peak stands, −0.5 to 0.5.

    Args:
        flat: likeness of each patch at its places · places positions, (P, places²).
        best: the peak of each, (P,).
        index: of the peak along the axis, (P,).
        places: positions along an axis.
        step: from a position to the next along the axis.
    """
    peak = np.arange(0, flat.size, places * places) + best
    before = flat.take(peak - step * (index > 0))
    here = flat.take(peak)
    behind = flat.take(peak + step * (index < places - 1))
    bend = np.minimum(before - 2 * here + behind, np.float32(-1e-9))
    vertex: Floats = np.minimum(np.maximum(0.5 * (before - behind) / bend, -0.5), 0.5)
    return vertex.astype(np.float64)
