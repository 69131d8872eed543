"""Whether the words printed on a page are those of the empty sheet: sheets of two exams may share one table.

The frames of a table are most of a sheet's print, so two exams on the same form fit each other's frames. What
tells them apart are the printed characters, each compared by its shape.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from omr.page_print import darken
from omr.patch_matching import PATCH, PatchPlan, cut_windows, match_windows, plan_patches_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from omr.geometry import Points, Rectangle
    from omr.pixels import Floats, Gray, Mask
    from omr.placement import Placement

_PIXELS_PER_MM = 5.0
_REACH = 4
_INK = 0.25
_LINE_MM = 7.0
"""Print that runs straight for longer is a line, no character."""
_NEAR_LINE_MM = 0.4
_CELL_MM = 5.0
_LEAST_INK_MM2 = 1.0
_MOST_WORDS = 48
_OTHER_SHAPE = 0.6
"""The same character is more than 0.7 like itself on a poor scan, another one mostly less than 0.5."""
_OF_PRINT = 0.4
_FOUND = 0.97
"""With more of its print there, the character stands and something was written over it."""
_INK_THERE = 0.5
_FEWEST_OTHER = 2
_OTHER_SHARE = 0.03


@dataclass(frozen=True, slots=True)
class WordPlan:
    """The places of an empty page where characters are printed, the boldest first.

    Attributes:
        patches: of each place.
        print: its darkness, float32 (P, PATCH, PATCH).
    """

    patches: PatchPlan
    print: Floats


def plan_words(picture: Gray, pixels_per_mm: float, written: Sequence[Rectangle]) -> WordPlan | None:
    """Choose the characters of an empty page to look at; None where fewer than two are printed.

    Args:
        picture: of the empty page.
        pixels_per_mm: its resolution.
        written: boxes that pupils write in; what is printed inside does not count.
    """
    size = [round(side * _PIXELS_PER_MM / pixels_per_mm) for side in reversed(picture.shape)]
    fine = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    darkness = darken(fine, _PIXELS_PER_MM)
    ink = (darkness > _INK).astype(np.uint8)
    long = round(_LINE_MM * _PIXELS_PER_MM)
    lines = np.zeros_like(ink)
    for shape in ((1, long), (long, 1)):
        lines |= np.asarray(cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones(shape, np.uint8)), np.uint8)
    near = 2 * round(_NEAR_LINE_MM * _PIXELS_PER_MM) + 1
    barred = np.asarray(cv2.dilate(lines, np.ones((near, near), np.uint8)), np.uint8)
    for box in written:
        left, top, right, bottom = (
            max(0, round(side * _PIXELS_PER_MM)) for side in (box.x, box.y, box.right, box.bottom)
        )
        barred[top:bottom, left:right] = 1
    at = _choose(ink & (1 - barred), barred)
    if len(at) < _FEWEST_OTHER:
        return None
    patches, seen = plan_patches_at(darkness, at, _PIXELS_PER_MM, _REACH)
    return WordPlan(patches, seen)


def has_other_words(gray: Gray, placement: Placement, white: float, plan: WordPlan) -> bool:
    """Whether other characters stand where the empty page has its own.

    Characters that are missing, covered or written over do not count.

    Args:
        gray: the scan.
        placement: page (mm) to pixels of the scan.
        white: gray of its paper.
        plan: of the page.
    """
    windows = 1 - cut_windows(gray, placement, plan.patches) / np.float32(white)
    likeness = match_windows(windows, plan.patches).likeness
    suspect = likeness < _OTHER_SHAPE
    if suspect.sum() < max(_FEWEST_OTHER, _OTHER_SHARE * len(suspect)):
        return False
    side = windows.shape[-1]
    tall = np.ascontiguousarray(windows[suspect]).reshape(-1, side)
    spread = np.asarray(cv2.dilate(tall, np.ones((3, 3), np.uint8)), np.float32).reshape(-1, side, side)
    middle = slice(_REACH, _REACH + PATCH)
    printed = plan.print[suspect]
    is_printed: Mask = printed > _INK
    there = (spread[:, middle, middle] > _OF_PRINT * printed) & is_printed
    found = there.sum(axis=(1, 2)) / np.maximum(is_printed.sum(axis=(1, 2)), 1)
    ink = windows[suspect][:, middle, middle].sum(axis=(1, 2)) / printed.sum(axis=(1, 2))
    others = int(np.count_nonzero((found < _FOUND) & (ink > _INK_THERE)))
    return others >= max(_FEWEST_OTHER, _OTHER_SHARE * len(suspect))


def _choose(text: Gray, barred: Gray) -> Points:
    """The middles of squares full of text and free of lines, at most one a cell, pixels (x, y), boldest first."""
    amount, lines = (
        np.asarray(cv2.boxFilter(one.astype(np.float32), -1, (PATCH, PATCH), normalize=False), np.float32)
        for one in (text, barred)
    )
    amount[lines >= PATCH / 4] = 0
    cell = round(_CELL_MM * _PIXELS_PER_MM)
    high, wide = (side // cell * cell for side in amount.shape)
    blocks = amount[:high, :wide].reshape(high // cell, cell, wide // cell, cell)
    cells = blocks.swapaxes(1, 2).reshape(-1, cell * cell)
    most, at = cells.max(axis=1), cells.argmax(axis=1)
    rows, columns = np.divmod(np.arange(len(cells)), wide // cell)
    chosen = np.argsort(-most, kind="stable")[:_MOST_WORDS]
    chosen = chosen[most[chosen] >= _LEAST_INK_MM2 * _PIXELS_PER_MM**2]
    places = np.stack([columns * cell + at % cell, rows * cell + at // cell], axis=-1)[chosen]
    return np.asarray(places, np.float64)
