"""How a bubble is printed: shared by the drawing of sheets and by the reader, which knows the empty print.

The outline is an oval that fills the bubble's box; the label stands in its middle, small and grey, so that
a copier keeps it legible and a pencil mark stays darker than it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from omr.geometry import Rectangle

OUTLINE_MM = 0.25
"""Width of the outline, drawn inside the box."""
LABEL_GRAY = 0.55
"""Ink of the label: 0 is black, 1 is white."""
MM_PER_POINT = 25.4 / 72


@dataclass(frozen=True, slots=True)
class LabelPlacement:
    """Where a label stands: start of its baseline in page millimetres, and the font size in millimetres."""

    x: float
    baseline: float
    size: float


def place_label(box: Rectangle, width_of_1mm: float) -> LabelPlacement:
    """Centre a label in its bubble, shrunk until it fits.

    Args:
        box: the bubble's box.
        width_of_1mm: the label's width in millimetres at a font size of 1 mm.
    """
    size = min(0.5 * box.h, 0.72 * box.w / max(width_of_1mm, 1e-6))
    x, y = box.centre
    return LabelPlacement(x - width_of_1mm * size / 2, y + 0.36 * size, size)
