"""Fitting an empty page to a scan in which a first guess already puts it: patches first, then all of its print."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from omr.geometry import Points, Transform, apply, pixels_per_mm
from omr.patch_matching import FEWEST_PATCHES, PatchMatches, match_patches, sample_floats
from omr.pixels import sample
from omr.placement import Placement, fit_bent, fit_flat, scale_of, straightened
from omr.registration import Registration, describe

if TYPE_CHECKING:
    from omr.patch_matching import PatchPlan
    from omr.pixels import Floats, Gray, Mask
    from omr.reference import ReferencePage
    from omr.scan_picture import ScanPicture

_LEAST_LIKENESS = 0.5
_FIRST_OUTLIER_MM = 1.0
_OUTLIER_MM = 0.8
LEAST_AGREEING = 0.5
"""Share of the patches that must be found where the alignment says."""
_LIES_FLAT = 0.85
_FEW_AGREE = 0.6
"""Share of a few wide patches that leads the way; pens cover a third of them."""
_FIRST_FLAT_MM = 0.35
_FLAT_MM = 0.2
"""Share of the patches seen that must agree on a flat page, and how well, or else it is tried as bent; the wide ones
only lead the way, half as exactly."""
_ROUGH_MM = 0.22
_MOST_AGREE = 0.85
"""A rough fit, with twice the distances that scans leave, is believed only where most patches agree: the others show
a grid of bubbles that was taken half a column off."""
_CLEARLY_BENT = 0.6
"""Share of the mean square error of a flat page that is left when it is taken as bent."""
_SCALES = (0.88, 1.13)
_MOST_STRETCH = 0.05
_MOST_SHEAR = 0.03
_MOST_SKEW_DEG = 9.5
_BENT_STRETCH = 0.2
_BENT_SHEAR = 0.15
_BENT_SKEW_DEG = 30.0
_TRACE = 0.06
_PALEST_BLACK = 0.4
"""Of the paper's gray: paler print says nothing of how dark a pencil is."""
_OF_PRINT = 0.4
"""Print counts as found where the scan has at least this share of its darkness."""


@dataclass(frozen=True, slots=True)
class PageFit:
    """An empty page found in a scan.

    Attributes:
        page: which of the reference pages, from 0.
        placement: page (mm) to pixels of `ScanPicture.darkness`.
        residual_mm: root mean square distance of the agreeing patches.
        agreeing: the patches that agree, bool (P,).
        matches: of all patches.
        found: which of the reference's printed points are there, bool (N,).
    """

    page: int
    placement: Placement
    residual_mm: float
    agreeing: Mask
    matches: PatchMatches
    found: Mask

    @property
    def found_print(self) -> float:
        """Share of the page's print that is there."""
        return float(self.found.mean())


def fit_page(
    scan: ScanPicture,
    reference: ReferencePage,
    guess: Placement,
    at: int,
    least_agreeing: float = LEAST_AGREEING,
) -> PageFit | None:
    """Fit the placement to the wide patches, then to all; None where they do not agree.

    Args:
        scan: with a page in it.
        reference: the empty page.
        guess: where it lies, right within some 8 mm.
        at: number of the page, from 0.
        least_agreeing: share of the patches that must agree.
    """
    rough = _fit_roughly(scan, reference, guess, least_agreeing)
    if rough is None or not _is_plausible(rough, scan.nominal, reference):
        return None
    plan = reference.patches
    fine = _fit_once(scan.darkness, plan, rough, least_agreeing, (_FLAT_MM, _OUTLIER_MM))
    if fine is None or not _is_plausible(fine[0], scan.nominal, reference):
        return None
    placement, agreeing, matches = fine
    placement = straightened(placement, reference.width, reference.height)
    if agreeing.sum() < max(FEWEST_PATCHES, least_agreeing * len(plan.centres)):
        return None
    seen = rough.place(plan.centres + matches.offsets)
    back = apply(_inverse(placement.transform), seen)
    offsets = back - plan.centres - placement.shift(plan.centres)
    off = np.linalg.norm(offsets[agreeing], axis=1)
    residual = float(np.sqrt(np.mean(off**2)))
    if residual > _ROUGH_MM and agreeing.mean() < _MOST_AGREE:
        return None
    found = found_print(scan, placement.place(reference.print_points), reference.print_darkness)
    left = PatchMatches(offsets, matches.likeness)
    return PageFit(at, placement, residual, agreeing, left, found)


def _fit_roughly(
    scan: ScanPicture, reference: ReferencePage, guess: Placement, least_agreeing: float
) -> Placement | None:
    """The placement by the wide patches: by a few of them if these show a flat page, else by all."""
    to_half = np.array([(0.5, 0, -0.25), (0, 0.5, -0.25), (0, 0, 1)], np.float64)
    limits = _FIRST_FLAT_MM, _FIRST_OUTLIER_MM
    start = guess.then(to_half)
    found = _fit_once(scan.half, reference.few_wide_patches, start, _FEW_AGREE, limits)
    if found is None or found[0].bend is not None or found[1].mean() < _FEW_AGREE:
        found = _fit_once(scan.half, reference.wide_patches, start, least_agreeing, limits)
    return None if found is None else found[0].then(_inverse(to_half))


def found_print(scan: ScanPicture, places: Points, darkness: Floats) -> Mask:
    """Whether each printed point of an empty page has ink in the scan within half a millimetre.

    Args:
        scan: with the page in it.
        places: of the points, pixels of the scan's darkness, (N, 2).
        darkness: of the print there, (N,).
    """
    least = np.float32(255) * np.maximum(_TRACE, _OF_PRINT * darkness)
    found: Mask = sample_floats(scan.near, places.astype(np.float32)[None])[0] > least
    return found


def registration_of(fit: PageFit, scan: ScanPicture, reference: ReferencePage) -> Registration:
    """The registration of a fit on the scan itself, with the scan's black and white."""
    placement = fit.placement.then(scan.to_scan)
    places = placement.place(reference.solid_points)
    black, white = _levels(scan.gray, places)
    return describe(placement.transform, fit.residual_mm, int(fit.agreeing.sum()), black, white)


def _fit_once(
    darkness: Gray,
    plan: PatchPlan,
    guess: Placement,
    least_agreeing: float,
    flat_and_outlier_mm: tuple[float, float],
) -> tuple[Placement, Mask, PatchMatches] | None:
    """The placement by the patches, which of them agree, and where they lie off the guess."""
    matches = match_patches(darkness, guess, plan)
    which = np.flatnonzero(matches.likeness > _LEAST_LIKENESS)
    if len(which) < max(FEWEST_PATCHES / 2, least_agreeing * len(plan.centres)):
        return None
    source = plan.centres[which]
    target = guess.place(source + matches.offsets[which])
    try:
        placement, agree = _fit_flat_or_bent(source, target, guess, *flat_and_outlier_mm)
    except ValueError:
        return None
    agreeing = np.zeros(len(plan.centres), bool)
    agreeing[which[agree]] = True
    return placement, agreeing, matches


def _fit_flat_or_bent(
    source: Points, target: Points, guess: Placement, flat_mm: float, outlier_mm: float
) -> tuple[Placement, Mask]:
    """The fit of a flat page, or of a bent one where the patches lie clearly nearer to that.

    Raises:
        ValueError: too few patches agree.
    """
    scale = scale_of(guess)
    flat = fit_flat(source, target, None, outlier_mm, scale)
    off = np.linalg.norm(flat[0].place(source) - target, axis=1) / scale
    if flat[1].mean() >= _LIES_FLAT and np.sqrt(np.mean(off[flat[1]] ** 2)) < flat_mm:
        return flat
    try:
        bent = fit_bent(source, target, guess.bend, outlier_mm, scale)
    except ValueError:
        return flat
    bent_off = np.linalg.norm(bent[0].place(source) - target, axis=1) / scale
    costs = [float(np.mean(np.minimum(one, outlier_mm) ** 2)) for one in (off, bent_off)]
    return bent if costs[1] < _CLEARLY_BENT * costs[0] else flat


def _inverse(transform: Transform) -> Transform:
    return np.asarray(np.linalg.inv(transform), np.float64)


def _is_plausible(placement: Placement, nominal: float, reference: ReferencePage) -> bool:
    """Whether a page from a scanner, or bent paper in a photo, can lie like this."""
    bent = placement.bend is not None
    if not placement.is_smooth(reference.width, reference.height):
        return False
    transform = straightened(placement, reference.width, reference.height).transform
    x_axis, y_axis = transform[:2, 0], transform[:2, 1]
    wide, high = float(np.hypot(*x_axis)), float(np.hypot(*y_axis))
    if not _SCALES[0] < pixels_per_mm(transform) / nominal < _SCALES[1]:
        return False
    cross = float(x_axis[0] * y_axis[1] - x_axis[1] * y_axis[0])
    angle = np.degrees(np.arctan2(x_axis[1], x_axis[0]))
    return (
        cross > 0
        and abs(wide / high - 1) < (_BENT_STRETCH if bent else _MOST_STRETCH)
        and abs(float(x_axis @ y_axis)) / (wide * high) < (_BENT_SHEAR if bent else _MOST_SHEAR)
        and abs((angle + 45) % 90 - 45) < (_BENT_SKEW_DEG if bent else _MOST_SKEW_DEG)
    )


def _levels(gray: Gray, places: Points) -> tuple[float, float]:
    """The grays of solid print, at its places in the scan, and of paper on this scan."""
    # Each pixel looked at costs a trip to memory; a stable sort of bytes counts, which is quick.
    paper = np.sort(gray[::32, ::32], axis=None, kind="stable")
    white = float(paper[round(0.7 * (paper.size - 1))])
    solid = np.sort(sample(gray, places.astype(np.float32)[None]), axis=None)
    return min(float(solid[round(0.25 * (solid.size - 1))]), _PALEST_BLACK * white), white
