"""The empty print of a sheet, learnt from a pile of filled ones: what stands on nearly all pages is print.

Of each place the second brightest page counts, not the median: where most pupils marked the same answer, the
median page shows a mark. One page may show less than the print (a note over it, a fold) without harm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from omr.page_print import darken
from omr.pixels import shrink
from omr.reference import FINE_PIXELS_PER_MM

if TYPE_CHECKING:
    from collections.abc import Sequence

    from omr.layout import PageLayout
    from omr.pixels import Gray
    from omr.registration import Registration

FEWEST_PAGES = 8
"""Filled pages from which their print is learnt: with fewer, all of them may bear the same mark."""
MOST_PAGES = 25
_LEAST_SHARED = 0.5
"""Of the median page's print; less is shared by pages that do not lie in the same place."""


def straighten_page(gray: Gray, registration: Registration, page: PageLayout) -> Gray:
    """A scanned page upright at `FINE_PIXELS_PER_MM`, free of shadows: 255 paper, 0 black.

    Args:
        gray: the scan.
        registration: how the page lies in it.
        page: of the layout.
    """
    factor = max(1, int(registration.scale / FINE_PIXELS_PER_MM))
    small = shrink(gray, factor)
    size = (round(page.width * FINE_PIXELS_PER_MM), round(page.height * FINE_PIXELS_PER_MM))
    to_page = np.diag([1 / FINE_PIXELS_PER_MM, 1 / FINE_PIXELS_PER_MM, 1.0])
    to_page[:2, 2] = 0.5 / FINE_PIXELS_PER_MM
    to_small = np.diag([1 / factor, 1 / factor, 1.0])
    to_small[:2, 2] = 0.5 / factor - 0.5
    matrix = (to_small @ registration.transform @ to_page)[:2]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    flat = cv2.warpAffine(small, matrix, size, flags=flags, borderValue=255)
    light = 255 * (1 - darken(cast("Gray", flat), FINE_PIXELS_PER_MM))
    return np.asarray(np.clip(light, 0, 255).round(), np.uint8)


def learn_empty_page(pages: Sequence[Gray]) -> Gray | None:
    """The empty print that the straightened pages of a pile share; None where they are too few or share little.

    Args:
        pages: from `straighten_page`, all of the same page of the layout.
    """
    if len(pages) < FEWEST_PAGES:
        return None
    ordered = np.partition(np.stack(list(pages)), (len(pages) // 2, -2), axis=0)
    shared, usual = ordered[-2], ordered[len(pages) // 2]
    if (255 - shared).sum(dtype=np.int64) < _LEAST_SHARED * (255 - usual).sum(dtype=np.int64):
        return None
    return np.asarray(shared, np.uint8)
