"""Whether a crop is surely empty: nothing but dust, smears and remains of lines. A faint stroke is not nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr.ink import DUST

if TYPE_CHECKING:
    from ocr.ink import Ink

_MOST_DUST = 0.01
"""Together no more than this share of a crop is dust."""
_NO_DARKNESS = 0.035
"""Paper is no lighter than this around the darkest that there is; more may be a stroke too faint to be made out."""
_SURELY_NOTHING = 0.95
"""Longer traces are nothing where the network is this sure; `benchmarks.handwriting --only blank` counts what that costs."""
_FLAT = 0.16
"""But a single line, at most this high or wide against its length, may be 一, 1 or a minus."""


def is_surely_empty(ink: Ink, nothing: float) -> bool:
    """Whether nobody wrote in a crop.

    Args:
        ink: of the crop.
        nothing: chance that the symbol network gives to "nothing", 0 to 1.
    """
    if ink.is_empty:
        return ink.darkness < _NO_DARKNESS
    if ink.longest < DUST and ink.area < _MOST_DUST:
        return True
    is_line = min(ink.height, ink.width) < _FLAT * max(ink.height, ink.width)
    return nothing > _SURELY_NOTHING and not is_line
