"""Whether a page is an empty back: paper, dust and show-through, and nothing that a pen or printer left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from omr.pixels import shrink

if TYPE_CHECKING:
    from omr.pixels import Gray

_SHORTEST_SIDE = 480
"""About 60 dpi on A4: enough to see a stroke."""
_EDGE = 0.04
"""Share of each side left out: shadows, punch holes and staples are there."""
_INK = 0.22
"""Darker than the paper by this share is ink; print showing through from the front stays below."""
_LONGEST_SPECK = 0.008
"""Of the shortest side: 1.7 mm on A4."""
_LEAST_PAPER = 90


def is_empty_page(gray: Gray) -> bool:
    """Whether nothing is printed or written on a page.

    A page too dark to tell is not empty.
    """
    if min(gray.shape) < _SHORTEST_SIDE:
        return False
    small = shrink(gray, min(gray.shape) // _SHORTEST_SIDE)
    high, wide = small.shape
    edge_y, edge_x = round(high * _EDGE), round(wide * _EDGE)
    inside = small[edge_y : high - edge_y, edge_x : wide - edge_x]
    paper = cv2.blur(cv2.morphologyEx(inside, cv2.MORPH_CLOSE, np.ones((15, 15), np.uint8)), (15, 15))
    if float(paper.min()) < _LEAST_PAPER:
        return False
    ink = (inside < (1 - _INK) * paper).astype(np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    if count < 2:
        return True
    longest = stats[1:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max()
    return bool(longest <= _LONGEST_SPECK * min(inside.shape))
