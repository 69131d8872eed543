"""Stacked fractions: a bar with ink above and below it, found by its shape, and cut into lines that can be read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from ocr.ink import Gray, Ink

_SOLID = 90
_LEAST_LENGTH = 0.3
"""A bar is at least so long against the height of the writing."""
_FLATNESS = 5.0
"""And so many times longer than it is high."""
_LEAST_INK = 0.03
"""Above and below it stands at least this share of the writing's ink."""
_LEAST_HEIGHT = 0.2
"""And that is at least so high against the whole."""
_OVERHANG = 0.35
"""Numbers reach beyond their bar by this share of its length at most."""


@dataclass(frozen=True, slots=True)
class StackedFraction:
    """A fraction written one number above the other.

    Attributes:
        before: what stands left of it, such as a sign or a whole number; None where nothing does.
        numerator: above the bar (分子).
        denominator: below it (分母).
    """

    before: Ink | None
    numerator: Ink
    denominator: Ink


def find_fraction(ink: Ink) -> StackedFraction | None:
    """The stacked fraction in a piece of writing, if it is one."""
    if ink.is_empty:
        return None
    solid = cv2.threshold(ink.strength, _SOLID, 1, cv2.THRESH_BINARY)[1]
    _, labels, stats, _ = cv2.connectedComponentsWithStats(solid, connectivity=8)
    total = float(solid[ink.top : ink.bottom, ink.left : ink.right].sum())
    bars = sorted(range(1, len(stats)), key=lambda at: -int(stats[at, cv2.CC_STAT_WIDTH]))
    for at in bars[:3]:
        left, top, width, height = (int(value) for value in stats[at, :4])
        if width < _LEAST_LENGTH * ink.height or width < _FLATNESS * height:
            continue
        found = _around_bar(ink, labels == at, (left, top, width, height), total)
        if found is not None:
            return found
    return None


def _around_bar(
    ink: Ink,
    bar: np.ndarray[tuple[int, int], np.dtype[np.bool_]],
    box: tuple[int, int, int, int],
    total: float,
) -> StackedFraction | None:
    left, top, width, height = box
    middle = top + height // 2
    reach = round(_OVERHANG * width)
    first, last = max(ink.left, left - reach), min(ink.right, left + width + reach)
    rest = np.where(
        cv2.dilate(bar.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0, np.uint8(0), ink.strength
    )
    beside = _part(ink, rest, (ink.top, ink.bottom), (last, ink.right))
    if beside is not None and beside.area * rest.size > _LEAST_INK * total:
        return None
    above = _part(ink, rest, (ink.top, middle), (first, last))
    below = _part(ink, rest, (middle, ink.bottom), (first, last))
    for part in (above, below):
        if (
            part is None
            or part.area * rest.size < _LEAST_INK * total
            or part.height < _LEAST_HEIGHT * ink.height
        ):
            return None
    assert above is not None
    assert below is not None
    if above.bottom > middle or below.top < middle:
        return None
    before = _part(ink, rest, (ink.top, ink.bottom), (ink.left, first))
    return StackedFraction(before, above, below)


def _part(ink: Ink, strength: Gray, rows: tuple[int, int], columns: tuple[int, int]) -> Ink | None:
    """What stands in a part of the crop."""
    window = strength[rows[0] : rows[1], columns[0] : columns[1]]
    if not window.size:
        return None
    solid = window > _SOLID
    tall, wide = np.flatnonzero(solid.any(axis=1)), np.flatnonzero(solid.any(axis=0))
    if not tall.size:
        return None
    kept = np.zeros_like(strength)
    kept[rows[0] : rows[1], columns[0] : columns[1]] = window
    return replace(
        ink,
        strength=kept,
        top=rows[0] + int(tall[0]),
        bottom=rows[0] + int(tall[-1]) + 1,
        left=columns[0] + int(wide[0]),
        right=columns[0] + int(wide[-1]) + 1,
        area=float(solid.sum()) / strength.size,
        longest=max(len(tall), len(wide)) / min(strength.shape),
    )
