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

    from omr.page_fit import PageFit
    from omr.pixels import Mask
    from omr.reference import ReferencePage
    from omr.scan_picture import ScanPicture

_FEWEST_OWN_POINTS = 25
_LEAST_OWN_PRINT = 0.75
_MOST_RIVAL_PRINT = 0.55
_BARE = 0.08
"""Paper of an empty sheet: nothing darker is printed near."""


@dataclass(frozen=True, slots=True, eq=False)
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

    def turned_round(self) -> Rival:
        """The same seen from the other page."""
        return Rival(self.other, self.page, np.asarray(np.linalg.inv(self.across)))


def beats_all(
    fit: PageFit, rivals: Sequence[Rival], scan: ScanPicture, references: Sequence[ReferencePage]
) -> bool:
    """Whether a fit is clearly the page that it says, and none of its rivals."""
    return all(beats(fit, rival, scan, references) for rival in rivals if rival.page == fit.page)


def beats(fit: PageFit, rival: Rival, scan: ScanPicture, references: Sequence[ReferencePage]) -> bool:
    """Whether what only one of two pages would have printed decides for the one that was fitted."""
    mine, theirs = references[rival.page], references[rival.other]
    own = _is_missing(theirs, apply(rival.turned_round().across, mine.print_points))
    elsewhere = apply(rival.across, theirs.print_points)
    foreign = _is_missing(mine, elsewhere)
    if max(own.sum(), foreign.sum()) < _FEWEST_OWN_POINTS:
        return False
    has_own, has_foreign = True, False
    if own.sum() >= _FEWEST_OWN_POINTS:
        places = fit.placement.place(mine.print_points[own])
        has_own = bool(found_print(scan, places, mine.print_darkness[own]).mean() >= _LEAST_OWN_PRINT)
    if foreign.sum() >= _FEWEST_OWN_POINTS:
        places = fit.placement.place(elsewhere[foreign])
        share = found_print(scan, places, theirs.print_darkness[foreign]).mean()
        has_foreign = bool(share > _MOST_RIVAL_PRINT)
    return has_own and not has_foreign


def _is_missing(page: ReferencePage, points: Points) -> Mask:
    """At which points (page mm) a page prints nothing."""
    at = (points * MATCH_PIXELS_PER_MM - 0.5).astype(np.float32)
    missing: Mask = sample_floats(page.near_print, at[None])[0] < _BARE
    return missing
