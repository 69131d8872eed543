"""The empty print of a sheet, learnt from a pile of filled ones: what stands on nearly all pages is print.

Of each place the second brightest page counts, not the median: where most pupils marked the same answer, the
median page shows a mark. One page may show less than the print (a note over it, a fold) without harm. Where
nearly all marked the same bubble, its print is taken from others with its label.
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

    from numpy.typing import NDArray

    from omr.layout import Bubble, PageLayout
    from omr.pixels import Gray, Mask
    from omr.registration import Registration

FEWEST_PAGES = 8
"""Filled pages from which their print is learnt: with fewer, all of them may bear the same mark."""
MOST_PAGES = 25
_MARKED_PRINT = 0.08
"""By how much darker than its like a bubble that nearly all marked is; a whole label takes less."""
_USUAL = 0.25
"""Of the bubbles alike so many at least are never marked by nearly all."""
_FEWEST_ALIKE = 3
_AROUND_MM = 0.5
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


def learn_empty_page(pages: Sequence[Gray], layout: PageLayout) -> Gray | None:
    """The empty print that the straightened pages of a pile share; None where they are too few or share little.

    Args:
        pages: from `straighten_page`, all of the same page.
        layout: of that page.
    """
    if len(pages) < FEWEST_PAGES:
        return None
    ordered = np.partition(np.stack(list(pages)), (len(pages) // 2, -2), axis=0)
    shared, usual = ordered[-2], ordered[len(pages) // 2]
    if (255 - shared).sum(dtype=np.int64) < _LEAST_SHARED * (255 - usual).sum(dtype=np.int64):
        return None
    picture = np.array(shared, np.uint8)
    bubbles = [bubble for question in layout.questions for bubble in question.bubbles]
    if bubbles:
        _clear_marks(picture, bubbles)
    return picture


def find_marked_print(bubbles: Sequence[Bubble], picture: Gray) -> Mask:
    """Bubbles that are darker than their like in a learnt print: nearly all pupils marked them, (K,).

    Args:
        bubbles: of one page, at least one.
        picture: of its learnt print.
    """
    share = np.array([255 - _patch(picture, bubble, 0).mean() for bubble in bubbles]) / 255
    usual = np.full(len(share), np.quantile(share, _USUAL))
    for alike in _alike(bubbles):
        usual[alike] = np.quantile(share[alike], _USUAL)
    marked: Mask = share > usual + _MARKED_PRINT
    return marked


def _clear_marks(picture: Gray, bubbles: Sequence[Bubble]) -> None:
    """Give bubbles that nearly all pupils marked the print of their like, in place."""
    marked = find_marked_print(bubbles, picture)
    for alike in _alike(bubbles):
        bare = [at for at in alike.tolist() if not marked[at]]
        if len(bare) < _FEWEST_ALIKE:
            continue
        patches = [_patch(picture, bubbles[at], _AROUND_MM) for at in bare]
        high, wide = (min(patch.shape[side] for patch in patches) for side in (0, 1))
        usual = np.median([patch[:high, :wide] for patch in patches], axis=0)
        for at in alike[marked[alike]].tolist():
            patch = _patch(picture, bubbles[at], _AROUND_MM)
            patch[:high, :wide] = usual[: patch.shape[0], : patch.shape[1]]


def _patch(picture: Gray, bubble: Bubble, around_mm: float) -> Gray:
    """The part of a learnt print that shows a bubble; a view."""
    box = bubble.expanded(around_mm)
    left, top = (max(round(side * FINE_PIXELS_PER_MM), 0) for side in (box.x, box.y))
    return picture[
        top : top + round(box.h * FINE_PIXELS_PER_MM), left : left + round(box.w * FINE_PIXELS_PER_MM)
    ]


def _alike(bubbles: Sequence[Bubble]) -> list[NDArray[np.intp]]:
    """The bubbles of each label and size."""
    kinds: dict[tuple[str, float, float], list[int]] = {}
    for at, bubble in enumerate(bubbles):
        kinds.setdefault((bubble.label, round(bubble.w, 1), round(bubble.h, 1)), []).append(at)
    return [np.array(group, np.intp) for group in kinds.values()]
