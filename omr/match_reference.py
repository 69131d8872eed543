"""How a teacher's own sheet lies in a scan, and which of its pages it is, from what is printed on it alone."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from omr.coarse_alignment import coarse_picture, rough_alignments
from omr.errors import PageSetAside, Trouble
from omr.geometry import Points, Transform, apply, pixels_per_mm, scale_transform
from omr.grid_shifts import find_grid_shifts
from omr.page_print import darken
from omr.patch_matching import FEWEST_PATCHES, PatchMatches, fit_patches, match_patches, sample_floats
from omr.pixels import map_points, sample, shrink
from omr.reference import MATCH_PIXELS_PER_MM
from omr.registration import Registration, describe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from omr.coarse_alignment import CoarsePicture
    from omr.patch_matching import PatchPlan
    from omr.pixels import Floats, Gray, Mask
    from omr.reference import ReferencePage

_LEAST_LIKENESS = 0.5
_FIRST_OUTLIER_MM = 1.0
_OUTLIER_MM = 0.8
_FIRST_STEP = 3
"""The first fit rests on every third patch only."""
_LEAST_AGREEING = 0.5
"""Share of the patches that must be found where the alignment says."""
_RIVAL_AGREEING = 0.3
_LEAST_PRINT = 0.75
"""Share of the empty sheet's print that must be found in the scan."""
_CLEAR_PRINT = 0.88
_RIVAL_PRINT = 0.6
"""A page of which less is found elsewhere, or turned, can't be meant."""
_FEWEST_OWN_POINTS = 25
_LEAST_OWN_PRINT = 0.75
_MOST_RIVAL_PRINT = 0.55
_SCALES = (0.88, 1.13)
_MOST_STRETCH = 0.05
_MOST_SHEAR = 0.03
_MOST_SKEW_DEG = 9.5
_TRACE = 0.06
_PALEST_BLACK = 0.4
"""Of the paper's gray: paler print says nothing of how dark a pencil is."""
_BARE = 0.08
"""Paper of an empty sheet: nothing darker is printed near."""
_OF_PRINT = 0.4
"""Print counts as found where the scan has at least this share of its darkness."""


@dataclass(frozen=True)
class ScanPicture:
    """A scan made ready for matching, once, whatever it is matched with.

    Attributes:
        gray: the scan itself.
        factor: how many of its pixels make one of `darkness`, each way.
        darkness: against the paper around, about MATCH_PIXELS_PER_MM.
        near: the darkest within one pixel.
    """

    gray: Gray
    factor: int
    darkness: Floats
    near: Floats

    @cached_property
    def coarse(self) -> CoarsePicture:
        """The scan in small; not needed for a page that lies nearly straight."""
        return coarse_picture(self.darkness)

    @cached_property
    def half(self) -> Floats:
        """The darkness at half the resolution."""
        high, wide = self.darkness.shape
        cut = self.darkness[: high // 2 * 2, : wide // 2 * 2]
        return cast("Floats", cv2.resize(cut, (wide // 2, high // 2), interpolation=cv2.INTER_AREA))


@dataclass(frozen=True, slots=True)
class Rival:
    """A page of the empty sheet that could be taken for another.

    Attributes:
        page: the page, from 0.
        other: what it could be taken for; itself, if it lies turned.
        across: `other`'s page (mm) to this page (mm).
    """

    page: int
    other: int
    across: Transform


@dataclass(frozen=True, slots=True)
class PageFit:
    """An empty page found in a scan.

    Attributes:
        page: which of the reference pages, from 0.
        transform: page (mm) to pixels of `ScanPicture.darkness`.
        residual_mm: root mean square distance of the agreeing patches.
        agreeing: the patches that agree, bool (P,).
        matches: of all patches.
        found_print: share of the page's print that is there.
    """

    page: int
    transform: Transform
    residual_mm: float
    agreeing: Mask
    matches: PatchMatches
    found_print: float


def find_reference_page(
    gray: Gray, references: Sequence[ReferencePage], rivals: Sequence[Rival], expected: int
) -> tuple[PageFit, ScanPicture]:
    """Find the page of an empty sheet that a scan shows, and how it lies.

    Args:
        gray: the scan.
        references: all pages of the empty sheet.
        rivals: what `find_rivals` says of them.
        expected: the page that would come next, from 0; tried first.

    Raises:
        PageSetAside: no page fits, or two fit as well.
    """
    scan = prepare_scan(gray, references[expected])
    straight = _fit_straight(scan, references[expected], expected)
    if straight is not None and _is_sure(straight, rivals, scan, references):
        return straight, scan
    poor: list[PageFit] = []
    for at, rough in _candidates(scan, references, expected):
        fit = _refine(scan, references[at], _in_millimetres(rough, scan, references[at]), at)
        if fit is None:
            continue
        if _is_sure(fit, rivals, scan, references):
            return fit, scan
        if fit.found_print >= _LEAST_PRINT:
            poor.append(fit)
    poor.sort(key=lambda one: -one.found_print)
    if not poor:
        raise PageSetAside(
            Trouble.FOREIGN_SHEET,
            "この試験の解答用紙として読めません（印刷が空の解答用紙と合いません）。別の用紙でないか、端が切れたり大きな影がないかを確かめて読み取り直してください。",
        )
    for fit in poor:
        if _beats(fit, rivals, scan, references) and all(
            _is_same(fit, other) or _is_clearly(fit, other.page, other.transform, scan, references)
            for other in poor
        ):
            return fit, scan
    raise PageSetAside(
        Trouble.MISPLACED,
        "解答用紙の向きかページを、印刷から1つに決められません。向きをそろえて、はっきり読み取り直してください。",
    )


def find_rivals(references: Sequence[ReferencePage]) -> tuple[Rival, ...]:
    """The ways in which a page of the empty sheet can be taken for another page, or for itself turned."""
    own = np.diag([MATCH_PIXELS_PER_MM, MATCH_PIXELS_PER_MM, 1.0])
    own[:2, 2] = -0.5
    rivals = []
    for at, reference in enumerate(references):
        scan = prepare_scan(reference.picture, reference)
        for other, rough in _candidates(scan, references, at):
            guess = _in_millimetres(rough, scan, references[other])
            fit = _refine(scan, references[other], guess, other, _RIVAL_AGREEING)
            if fit is None or fit.found_print < _RIVAL_PRINT:
                continue
            across = _inverse(own) @ fit.transform
            if other == at and np.abs(across[:2, :2] - np.eye(2)).max() < 0.1:
                continue
            rivals += [Rival(at, other, across), Rival(other, at, _inverse(across))]
        for x, y in find_grid_shifts(reference.picture, reference.width, reference.height):
            rivals.append(Rival(at, at, np.array([(1, 0, x), (0, 1, y), (0, 0, 1)], np.float64)))
    return tuple(rivals)


def _candidates(
    scan: ScanPicture, references: Sequence[ReferencePage], expected: int
) -> Iterator[tuple[int, Transform]]:
    """Rough alignments of all pages, the likeliest first: each page upright and upside down, then all else."""
    order = [expected, *(at for at in range(len(references)) if at != expected)]
    ways = {at: rough_alignments(scan.coarse, references[at].coarse) for at in order}
    while ways:
        for at in order:
            if at in ways:
                found = list(itertools.islice(ways[at], 1))
                if not found:
                    del ways[at]
                    continue
                yield at, found[0]
                yield from ((at, one) for one in itertools.islice(ways[at], 1))


def prepare_scan(gray: Gray, reference: ReferencePage) -> ScanPicture:
    """Shrink a scan and free it from shadows; the page is taken to fill it about."""
    scale = max(gray.shape) / max(reference.width, reference.height)
    factor = max(1, round(scale / MATCH_PIXELS_PER_MM))
    darkness = darken(shrink(gray, factor), scale / factor)
    near = np.asarray(cv2.dilate(darkness, np.ones((3, 3), np.uint8)), np.float32)
    return ScanPicture(gray, factor, darkness, near)


def registration_of(fit: PageFit, scan: ScanPicture, reference: ReferencePage) -> Registration:
    """The registration of a fit on the scan itself, with the scan's black and white."""
    to_scan = np.array(
        [(scan.factor, 0, (scan.factor - 1) / 2), (0, scan.factor, (scan.factor - 1) / 2), (0, 0, 1)]
    )
    transform = to_scan @ fit.transform
    black, white = _levels(scan.gray, transform, reference)
    return describe(transform, fit.residual_mm, int(fit.agreeing.sum()), black, white)


def found_print(scan: ScanPicture, transform: Transform, points: Points, darkness: Floats) -> Mask:
    """Whether each printed point of an empty page has ink in the scan within half a millimetre."""
    at = apply(transform, points).astype(np.float32)[None]
    found: Mask = sample_floats(scan.near, at)[0] > np.maximum(_TRACE, _OF_PRINT * darkness)
    return found


def _in_millimetres(rough: Transform, scan: ScanPicture, reference: ReferencePage) -> Transform:
    """A rough alignment of the small pictures as page (mm) to pixels of the scan's darkness."""

    def shrinking(scale: float) -> Transform:
        return np.array([(scale, 0, scale / 2 - 0.5), (0, scale, scale / 2 - 0.5), (0, 0, 1)])

    per_mm = MATCH_PIXELS_PER_MM
    to_match = np.array([(per_mm, 0, -0.5), (0, per_mm, -0.5), (0, 0, 1)])
    into_page = shrinking(reference.coarse.scale) @ to_match
    return np.asarray(_inverse(shrinking(scan.coarse.scale)) @ rough @ into_page)


def _fit_straight(scan: ScanPicture, reference: ReferencePage, at: int) -> PageFit | None:
    """The fit of a page that fills the scan, the right way up and within some 2°; None where it does not."""
    high, wide = scan.half.shape
    if (wide > high) != (reference.width > reference.height):
        return None
    guess = scale_transform(reference.width, reference.height, wide, high)
    found = _fit_once(scan.half, reference.wide_patches, guess, _LEAST_AGREEING, _FIRST_OUTLIER_MM)
    if found is None:
        return None
    double = np.array([(2, 0, 0.5), (0, 2, 0.5), (0, 0, 1)], np.float64)
    return _finish(scan, reference, double @ found[0], at, _LEAST_AGREEING)


def _refine(
    scan: ScanPicture,
    reference: ReferencePage,
    guess: Transform,
    at: int,
    least_agreeing: float = _LEAST_AGREEING,
) -> PageFit | None:
    """Fit the alignment to a part of the patches, then to all; None where they do not agree."""
    part = reference.patches.thinned(_FIRST_STEP)
    found = _fit_once(scan.darkness, part, guess, least_agreeing, _FIRST_OUTLIER_MM)
    return None if found is None else _finish(scan, reference, found[0], at, least_agreeing)


def _finish(
    scan: ScanPicture, reference: ReferencePage, guess: Transform, at: int, least_agreeing: float
) -> PageFit | None:
    """Fit an alignment that is right within 2 mm to all patches."""
    plan = reference.patches
    nominal = max(scan.darkness.shape) / max(reference.width, reference.height)
    if not _is_plausible(guess, nominal):
        return None
    second = _fit_once(scan.darkness, plan, guess, least_agreeing, _OUTLIER_MM)
    if second is None or not _is_plausible(second[0], nominal):
        return None
    transform, agreeing, matches = second
    if agreeing.sum() < max(FEWEST_PATCHES, least_agreeing * len(plan.centres)):
        return None
    seen = apply(guess, plan.centres + matches.offsets)
    offsets = apply(_inverse(transform), seen) - plan.centres
    off = np.linalg.norm(offsets[agreeing], axis=1)
    share = found_print(scan, transform, reference.print_points, reference.print_darkness).mean()
    left = PatchMatches(offsets, matches.likeness)
    return PageFit(at, transform, float(np.sqrt(np.mean(off**2))), agreeing, left, float(share))


def _fit_once(
    darkness: Floats, plan: PatchPlan, guess: Transform, least_agreeing: float, outlier_mm: float
) -> tuple[Transform, Mask, PatchMatches] | None:
    """The alignment by the patches, which of them agree, and where they lie off the guess."""
    matches = match_patches(darkness, guess, plan)
    usable = matches.likeness > _LEAST_LIKENESS
    if usable.sum() < max(FEWEST_PATCHES / _FIRST_STEP, least_agreeing * len(plan.centres)):
        return None
    try:
        transform, agreeing = fit_patches(guess, plan, matches, usable, outlier_mm)
    except ValueError:
        return None
    return transform, agreeing, matches


def _inverse(transform: Transform) -> Transform:
    return np.asarray(np.linalg.inv(transform), np.float64)


def _is_plausible(transform: Transform, nominal: float) -> bool:
    """Whether a page from a scanner can lie like this."""
    x_axis, y_axis = transform[:2, 0], transform[:2, 1]
    wide, high = float(np.hypot(*x_axis)), float(np.hypot(*y_axis))
    if not _SCALES[0] < pixels_per_mm(transform) / nominal < _SCALES[1]:
        return False
    cross = float(x_axis[0] * y_axis[1] - x_axis[1] * y_axis[0])
    angle = np.degrees(np.arctan2(x_axis[1], x_axis[0]))
    return (
        cross > 0
        and abs(wide / high - 1) < _MOST_STRETCH
        and abs(float(x_axis @ y_axis)) / (wide * high) < _MOST_SHEAR
        and abs((angle + 45) % 90 - 45) < _MOST_SKEW_DEG
    )


def _is_same(one: PageFit, other: PageFit) -> bool:
    """Whether two fits put the same page in the same place."""
    corners = np.array([(0.0, 0.0), (200.0, 0.0), (0.0, 200.0)])
    off = np.abs(apply(one.transform, corners) - apply(other.transform, corners)).max()
    return one.page == other.page and bool(off < 2 * MATCH_PIXELS_PER_MM)


def _is_sure(
    fit: PageFit, rivals: Sequence[Rival], scan: ScanPicture, references: Sequence[ReferencePage]
) -> bool:
    """Whether a fit need not be compared with others."""
    return fit.found_print >= _CLEAR_PRINT and _beats(fit, rivals, scan, references)


def _beats(
    fit: PageFit, rivals: Sequence[Rival], scan: ScanPicture, references: Sequence[ReferencePage]
) -> bool:
    """Whether a fit is clearly the page that it says, and none of its rivals."""
    return all(
        _is_clearly(fit, rival.other, fit.transform @ rival.across, scan, references)
        for rival in rivals
        if rival.page == fit.page
    )


def _is_clearly(
    fit: PageFit,
    other: int,
    transform: Transform,
    scan: ScanPicture,
    references: Sequence[ReferencePage],
) -> bool:
    """Whether what only one of two pages would have printed decides for the first."""
    mine, theirs = references[fit.page], references[other]
    own = _own_print(mine, fit.transform, theirs, transform)
    foreign = _own_print(theirs, transform, mine, fit.transform)
    if max(own.sum(), foreign.sum()) < _FEWEST_OWN_POINTS:
        return False
    own_share = foreign_share = None
    if own.sum() >= _FEWEST_OWN_POINTS:
        own_share = found_print(scan, fit.transform, mine.print_points[own], mine.print_darkness[own]).mean()
    if foreign.sum() >= _FEWEST_OWN_POINTS:
        points, darkness = theirs.print_points[foreign], theirs.print_darkness[foreign]
        foreign_share = found_print(scan, transform, points, darkness).mean()
    has_own = own_share is None or own_share >= _LEAST_OWN_PRINT
    has_foreign = foreign_share is not None and foreign_share > _MOST_RIVAL_PRINT
    return bool(has_own and not has_foreign)


def _own_print(
    mine: ReferencePage, my_transform: Transform, theirs: ReferencePage, their_transform: Transform
) -> Mask:
    """Which printed points of one page the other would not have printed in the same place."""
    across = _inverse(their_transform) @ my_transform
    there = apply(across, mine.print_points) * MATCH_PIXELS_PER_MM - 0.5
    own: Mask = sample_floats(theirs.near_print, there.astype(np.float32)[None])[0] < _BARE
    return own


def _levels(gray: Gray, transform: Transform, reference: ReferencePage) -> tuple[float, float]:
    """The grays of solid print and of paper on this scan."""
    white = float(np.percentile(gray[::16, ::16], 70))
    values = sample(gray, map_points(transform, reference.solid_points.astype(np.float32)[None]))
    return min(float(np.percentile(values, 25)), _PALEST_BLACK * white), white
