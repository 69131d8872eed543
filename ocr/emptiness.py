"""Whether a crop is surely empty: nothing but dust, smears and remains of lines. A faint stroke is not nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ocr.ink import Ink

_LONGEST_DUST = 0.08
_MOST_DUST = 0.01
"""Parts no longer than this share of the crop's smaller side, and together no more than this share of the crop, are dust."""
_SURELY_NOTHING = 0.995
"""Longer traces are nothing only where the network is this sure."""
_FAINT = 0.10
"""Traces paler than this against their paper may be faint strokes, of which the network has seen few."""


def is_surely_empty(ink: Ink, nothing: float) -> bool:
    """Whether nobody wrote in a crop.

    Args:
        ink: of the crop.
        nothing: chance that the symbol network gives to "nothing", 0 to 1.
    """
    if ink.is_empty:
        return True
    is_dust = ink.longest < _LONGEST_DUST and ink.area < _MOST_DUST
    return is_dust or (nothing > _SURELY_NOTHING and ink.darkness > _FAINT)
