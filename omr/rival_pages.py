"""Pages of an empty sheet that look alike, and what tells them apart: print that one has and the other has not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from omr.geometry import Points, Transform, apply
from omr.page_fit import found_print
from omr.patch_matching import sample_floats
from omr.scan_picture import MATCH_PIXELS_PER_MM

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from omr.page_fit import PageFit
    from omr.pixels import Floats, Mask
    from omr.reference import ReferencePage
    from omr.scan_picture import ScanPicture

_FEWEST_OWN_POINTS = 25
_MOST_POINTS = 200
_AT_ONCE = 50
"""Rivals whose points are sampled together: OpenCV samples fewer than 32,767 in a row."""
_LEAST_OWN_PRINT = 0.75
_MOST_RIVAL_PRINT = 0.55
_SAME_MM = 2.0
_BARE = 0.08
"""Paper of an empty sheet: nothing darker is printed near."""


@dataclass(frozen=True, slots=True, eq=False)
class Rival:
    """A page of the empty sheet that could be taken for another, and the print that only one of them has.

    Attributes:
        page: the page, from 0.
        other: what it could be taken for; itself, if it lies turned.
        across: `other`'s page (mm) to this page (mm).
        own: points that only this page prints, page mm, (N, 2).
        own_darkness: of the print there, (N,).
        foreign: points that only the other prints, mm of this page, (M, 2).
        foreign_darkness: of the print there, (M,).
    """

    page: int
    other: int
    across: Transform
    own: Points
    own_darkness: Floats
    foreign: Points
    foreign_darkness: Floats


def compare_pages(page: int, other: int, across: Transform, references: Sequence[ReferencePage]) -> Rival:
    """What tells a page from another that would lie on it.

    Args:
        page: the page, from 0.
        other: the other.
        across: `other`'s page (mm) to this page (mm).
        references: all pages.
    """
    mine, theirs = references[page], references[other]
    own = _some_of(_is_missing(theirs, apply(np.asarray(np.linalg.inv(across)), mine.print_points)))
    elsewhere = apply(across, theirs.print_points)
    foreign = _some_of(_is_missing(mine, elsewhere))
    return Rival(
        page,
        other,
        across,
        mine.print_points[own],
        mine.print_darkness[own],
        elsewhere[foreign],
        theirs.print_darkness[foreign],
    )


def is_same_rival(one: Rival, other: Rival) -> bool:
    """Whether two rivals are the same page in the same place, within 2 mm or so."""
    corners = np.array([(0.0, 0.0), (200.0, 0.0), (0.0, 200.0)])
    return (one.page, one.other) == (other.page, other.other) and bool(
        np.abs(apply(one.across, corners) - apply(other.across, corners)).max() < _SAME_MM
    )


def beats_all(fit: PageFit, rivals: Sequence[Rival], scan: ScanPicture) -> bool:
    """Whether a fit is clearly the page that it says, and none of its rivals."""
    own = [rival for rival in rivals if rival.page == fit.page]
    groups = (own[start : start + _AT_ONCE] for start in range(0, len(own), _AT_ONCE))
    return all(_beats_each(fit, group, scan) for group in groups)


def beats(fit: PageFit, rival: Rival, scan: ScanPicture) -> bool:
    """Whether what only one of two pages would have printed decides for the one that was fitted."""
    return _beats_each(fit, [rival], scan)


def _beats_each(fit: PageFit, rivals: Sequence[Rival], scan: ScanPicture) -> bool:
    """Whether a fit beats each of some rivals, at most _AT_ONCE: all their points are looked at together."""
    sizes = np.array([(len(rival.own), len(rival.foreign)) for rival in rivals])
    if (sizes.max(axis=1) < _FEWEST_OWN_POINTS).any():
        return False
    places = fit.placement.place(np.concatenate([part for one in rivals for part in (one.own, one.foreign)]))
    darkness = np.concatenate([part for one in rivals for part in (one.own_darkness, one.foreign_darkness)])
    which = np.repeat(np.arange(sizes.size), sizes.reshape(-1))
    found = np.bincount(which, found_print(scan, places, darkness), sizes.size).reshape(-1, 2)
    own, foreign = (found / np.maximum(sizes, 1)).T
    counts_own, counts_foreign = (sizes >= _FEWEST_OWN_POINTS).T
    has_own = ~counts_own | (own >= _LEAST_OWN_PRINT)
    has_foreign = counts_foreign & (foreign > _MOST_RIVAL_PRINT)
    return bool((has_own & ~has_foreign).all())


def _some_of(points: Mask) -> NDArray[np.intp]:
    """Which points to look at: at most _MOST_POINTS, spread evenly over those that count."""
    which = np.flatnonzero(points)
    return which[:: -(-len(which) // _MOST_POINTS)] if len(which) > _MOST_POINTS else which


def _is_missing(page: ReferencePage, points: Points) -> Mask:
    """At which points (page mm) a page prints nothing."""
    at = (points * MATCH_PIXELS_PER_MM - 0.5).astype(np.float32)
    missing: Mask = sample_floats(page.near_print, at[None])[0] < _BARE
    return missing
