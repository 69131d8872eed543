"""Whether the bubbles of a page stand where its layout says, for pages that are taken as they lie.

Nothing on such a page says how it lies, so a layout of another sheet, or one written some millimetres off, would
read the wrong bubble in silence. Two things give it away: bubbles where nothing is printed, and marks that lie
beside their bubbles.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from omr.bubble_alignment import COMMON
from omr.pixels import median

if TYPE_CHECKING:
    from omr.pixels import Floats, Mask

_LEAST_PRINT = 0.15
"""Darkness of a bubble's darkest part, as a share of the usual on its page; with less nothing is printed there."""
_MOST_SHIFT = 0.48
"""Usual distance of the marks from their bubbles' centres, in sides of the bubble; half a side is its outline."""
_MOST_ASIDE = 0.3
"""Distance of a mark from where the marks of its page usually lie, in sides of the bubble."""
_MOST_BESIDE = 0.06
"""Solid ink beside a bubble that belongs to no other, as a share of the bubble's area."""
_SOLID = 0.2
"""How wide ink is that is no text, in sides of the bubble."""
_FEWEST_MARKS = 3
"""Marks that are needed to say where marks usually lie."""
_LEAST_ADDED = 0.15
"""Darkness above the empty print that counts as part of a mark."""
_FEW = 3
"""Marks beside their bubbles, or bubbles without print, that may be chance; more say that the layout is off."""
_MANY = 0.05
"""Share of bubbles without print from which the layout is off."""


@dataclass(frozen=True, slots=True)
class LayoutFit:
    """What speaks against the layout.

    Attributes:
        misplaced: bubbles that are not where the layout says, or whose mark is not, bool (K,).
        is_off: whether they are so many that no answer of the page can be believed.
    """

    misplaced: Mask
    is_off: bool


def check_layout_fit(surroundings: Floats, is_free: Mask, marked: Mask) -> LayoutFit:
    """Check the place of K bubbles.

    Args:
        surroundings: darkness of a square of twice a bubble's sides about its centre, 0 paper to 1 the page's darkest,
            (K, n, n).
        is_free: samples that belong to no bubble of the layout, bool (K, n, n).
        marked: bubbles that seem marked, (K,).
    """
    size = surroundings.shape[1]
    inside = slice(size // 4, size - size // 4)
    darkest = np.quantile(surroundings[:, inside, inside], 0.97, axis=(1, 2))
    usual_print = np.quantile(surroundings, COMMON, axis=0).astype(np.float32)
    added: Floats = np.clip(surroundings - usual_print - np.float32(_LEAST_ADDED), 0, None)
    is_beside = (_solid_ink((added > 0) & is_free) > _MOST_BESIDE) & ~marked
    is_bare = (darkest < _LEAST_PRINT * median(darkest)) & ~marked
    places = _places_of_marks(added)
    usual = np.median(places[marked], axis=0) if marked.sum() >= _FEWEST_MARKS else np.zeros(2)
    is_aside = marked & (np.hypot(*(places - usual).T) > _MOST_ASIDE)
    bare, aside, lost = (int(one.sum()) for one in (is_bare, is_aside, is_beside))
    is_off = (
        bool(np.hypot(*usual) > _MOST_SHIFT)
        or (bare > _FEW and bare > _MANY * len(marked))
        or (aside > _FEW and aside > marked.sum() / 2)
        or (lost > _FEW and lost > marked.sum())
    )
    return LayoutFit(is_bare | is_aside | is_beside, is_off)


def _solid_ink(ink: Mask) -> Floats:
    """How much of the ink is wider than the strokes of text, as a share of the bubble's area, (K,)."""
    width = max(1, round(_SOLID * ink.shape[1] / 2))
    solid = np.stack([cv2.erode(one, np.ones((width, width), np.uint8)) for one in ink.astype(np.uint8)])
    share: Floats = (solid.mean(axis=(1, 2), dtype=np.float32) * 4).astype(np.float32)
    return share


def _places_of_marks(added: Floats) -> Floats:
    """Where the centre of the added ink lies from each bubble's centre, in sides of the bubble, (K, 2)."""
    size = added.shape[1]
    place = (np.arange(size) + 0.5) / size * 2 - 1
    total = added.sum(axis=(1, 2)) + 1e-6
    x = (added.sum(axis=1) * place).sum(axis=1) / total
    y = (added.sum(axis=2) * place).sum(axis=1) / total
    places: Floats = np.stack([x, y], axis=1).astype(np.float32)
    return places
