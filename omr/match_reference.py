"""How a teacher's own sheet lies in a scan, and which of its pages it is, from what is printed on it alone."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import cv2
import numpy as np

from omr.coarse_alignment import rough_alignments
from omr.errors import PageSetAside, Trouble
from omr.geometry import MM_PER_INCH, Points, Transform, apply, scale_transform
from omr.grid_shifts import find_grid_shifts
from omr.page_fit import PageFit, fit_page
from omr.placement import Placement, placement_in_perspective
from omr.reference import FINE_PIXELS_PER_MM
from omr.rival_pages import Rival, beats, beats_all, compare_pages, is_same_rival
from omr.scan_picture import MATCH_PIXELS_PER_MM, ScanPicture, find_paper, prepare_scan, print_extent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from omr.pixels import Gray
    from omr.reference import ReferencePage

_LEAST_PRINT = 0.75
"""Share of the empty sheet's print that must be found in the scan."""
_CLEAR_PRINT = 0.88
_RIVAL_AGREEING = 0.3
_RIVAL_PRINT = 0.6
"""A page of which less is found elsewhere, or turned, can't be meant."""
_FILLS = 0.95
"""A paper that covers this share of the scan is the whole scan."""
_SAME_SIZE = 1.06
_SIZES = (0.3, 1.2)
"""How large a page can be against one that fills the scan."""


def find_reference_page(
    gray: Gray,
    references: Sequence[ReferencePage],
    rivals: Sequence[Rival],
    expected: int,
    dpi: float | None = None,
    enlarged: Sequence[float] = (),
) -> tuple[PageFit, ScanPicture]:
    """Find the page of an empty sheet that a scan shows, and how it lies.

    Args:
        gray: the scan.
        references: all pages of the empty sheet.
        rivals: what `find_rivals` says of them.
        expected: the page that would come next, from 0; tried first.
        dpi: resolution of the scan; None where it is not known.
        enlarged: sizes against the sheet's own (1.41 for 141 %) of copies that may lie among the scans.

    Raises:
        PageSetAside: no page fits, or two fit as well.
    """
    poor: list[tuple[PageFit, ScanPicture]] = []
    for fit, scan in _fits(gray, references, expected, _likely_scales(dpi, enlarged)):
        if fit.found_print >= _CLEAR_PRINT and beats_all(fit, rivals, scan):
            return fit, scan
        if fit.found_print >= _LEAST_PRINT:
            poor.append((fit, scan))
    if not poor:
        raise PageSetAside(
            Trouble.FOREIGN_SHEET,
            "この試験の解答用紙として読めません（印刷が空の解答用紙と合いません）。別の用紙でないか、端が切れたり大きな影がないかを確かめて読み取り直してください。",
        )
    poor.sort(key=lambda one: -one[0].found_print)
    for fit, scan in poor:
        if beats_all(fit, rivals, scan) and all(
            _is_same(fit, scan, *other) or beats(fit, _as_rival(fit, scan, *other, references), scan)
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
    rivals: list[Rival] = []
    for at, reference in enumerate(references):
        scan = prepare_scan(reference.picture, FINE_PIXELS_PER_MM, max(reference.width, reference.height))
        for other, rough in _candidates(scan, references, at):
            fit = fit_page(scan, references[other], rough, other, _RIVAL_AGREEING)
            if fit is None or fit.placement.bend is not None or fit.found_print < _RIVAL_PRINT:
                continue
            across = np.asarray(np.linalg.inv(own) @ fit.placement.transform)
            if other == at and np.abs(across[:2, :2] - np.eye(2)).max() < 0.1:
                continue
            back = np.asarray(np.linalg.inv(across))
            for rival in (
                compare_pages(at, other, across, references),
                compare_pages(other, at, back, references),
            ):
                if not any(is_same_rival(rival, known) for known in rivals):
                    rivals.append(rival)
        for right, down in find_grid_shifts(reference.picture, reference.width, reference.height):
            shift = np.array([(1, 0, right), (0, 1, down), (0, 0, 1)], np.float64)
            rivals.append(compare_pages(at, at, shift, references))
    return tuple(rivals)


def _fits(
    gray: Gray, references: Sequence[ReferencePage], expected: int, likely: Sequence[float]
) -> Iterator[tuple[PageFit, ScanPicture]]:
    """All fits of all pages, the cheapest and likeliest to find first."""
    order = [expected, *(at for at in range(len(references)) if at != expected)]
    first = references[expected]
    long_side = max(first.width, first.height)
    fills = max(gray.shape) / long_side
    scan = prepare_scan(gray, fills, long_side)
    high, wide = scan.darkness.shape
    if (wide > high) == (first.width > first.height):
        guess = Placement(scale_transform(first.width, first.height, wide, high))
        straight = fit_page(scan, first, guess, expected)
        if straight is not None:
            yield straight, scan
    paper = find_paper(gray)
    if paper is not None and cv2.contourArea(paper.astype(np.float32)) < _FILLS * gray.size:
        yield from _fits_on_paper(gray, paper, references, order)
    for scale in _scales(gray, first, fills, likely):
        scan = scan if scale == fills else prepare_scan(gray, scale, long_side)
        for at, rough in _candidates(scan, references, expected):
            fit = fit_page(scan, references[at], rough, at)
            if fit is not None:
                yield fit, scan


def _scales(gray: Gray, page: ReferencePage, fills: float, likely: Sequence[float]) -> Iterator[float]:
    """Pixels per mm that a page may have: if it fills the scan, the likely ones, and by its print's extent."""
    known = [fills]
    yield fills
    # Measured last, and only where nothing else fits.
    for scale in itertools.chain(likely, (print_extent(one) / page.print_extent for one in (gray,))):
        ratios = [max(scale / one, one / scale) for one in known]
        if min(ratios) > _SAME_SIZE and _SIZES[0] * fills < scale < _SIZES[1] * fills:
            known.append(scale)
            yield scale


def _likely_scales(dpi: float | None, enlarged: Sequence[float]) -> list[float]:
    """Pixels per mm that the page may have, the sheet's own size first."""
    return [] if dpi is None else [dpi / MM_PER_INCH * size for size in (1.0, *enlarged)]


def _fits_on_paper(
    gray: Gray, paper: Points, references: Sequence[ReferencePage], order: Sequence[int]
) -> Iterator[tuple[PageFit, ScanPicture]]:
    """Fits of pages that are all of a paper whose corners are seen, each of the four ways round."""
    area = cv2.contourArea(paper.astype(np.float32))
    for at in order:
        page = references[at]
        scale = float(np.sqrt(area / (page.width * page.height)))
        scan = prepare_scan(gray, scale, max(page.width, page.height))
        corners = apply(np.asarray(np.linalg.inv(scan.to_scan)), paper)
        for turn in range(4):
            guess = placement_in_perspective(np.roll(corners, turn, axis=0), page.width, page.height)
            fit = fit_page(scan, page, guess, at)
            if fit is not None:
                yield fit, scan


def _candidates(
    scan: ScanPicture, references: Sequence[ReferencePage], expected: int
) -> Iterator[tuple[int, Placement]]:
    """Rough placements of all pages, the likeliest first: each page upright and upside down, then all else."""
    order = [expected, *(at for at in range(len(references)) if at != expected)]
    ways = {at: rough_alignments(scan.coarse, references[at].coarse) for at in order}
    while ways:
        for at in order:
            if at in ways:
                found = list(itertools.islice(ways[at], 1))
                if not found:
                    del ways[at]
                    continue
                yield at, _in_millimetres(found[0], scan, references[at])
                yield from (
                    (at, _in_millimetres(one, scan, references[at])) for one in itertools.islice(ways[at], 1)
                )


def _in_millimetres(rough: Transform, scan: ScanPicture, reference: ReferencePage) -> Placement:
    """A rough alignment of the small pictures as page (mm) to pixels of the scan's darkness."""

    def shrinking(scale: float) -> Transform:
        return np.array([(scale, 0, scale / 2 - 0.5), (0, scale, scale / 2 - 0.5), (0, 0, 1)])

    per_mm = MATCH_PIXELS_PER_MM
    to_match = np.array([(per_mm, 0, -0.5), (0, per_mm, -0.5), (0, 0, 1)])
    into_page = shrinking(reference.coarse.scale) @ to_match
    return Placement(np.asarray(np.linalg.inv(shrinking(scan.coarse.scale)) @ rough @ into_page))


def _across(fit: PageFit, scan: ScanPicture, other: PageFit, other_scan: ScanPicture) -> Transform:
    """The page (mm) of another fit to that of the first."""
    mine, theirs = fit.placement.then(scan.to_scan), other.placement.then(other_scan.to_scan)
    return np.asarray(np.linalg.inv(mine.transform) @ theirs.transform)


def _as_rival(
    fit: PageFit,
    scan: ScanPicture,
    other: PageFit,
    other_scan: ScanPicture,
    references: Sequence[ReferencePage],
) -> Rival:
    """Another fit as what the first could be taken for."""
    return compare_pages(fit.page, other.page, _across(fit, scan, other, other_scan), references)


def _is_same(fit: PageFit, scan: ScanPicture, other: PageFit, other_scan: ScanPicture) -> bool:
    """Whether two fits put the same page in the same place, within 2 mm or so."""
    corners = np.array([(0.0, 0.0), (200.0, 0.0), (0.0, 200.0)])
    off = apply(_across(fit, scan, other, other_scan), corners) - corners
    return fit.page == other.page and bool(np.abs(off).max() < 2)
