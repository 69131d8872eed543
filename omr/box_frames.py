"""Whether the printed frame of an answer box is all there: where a part is missing, something lies on the paper."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from omr.pixels import map_points, sample

if TYPE_CHECKING:
    from omr.geometry import Rectangle
    from omr.pixels import Floats, Gray, Mask
    from omr.registration import Registration

_STEP_MM = 1.5
_CORNER_MM = 1.0
"""Left out at the ends of a side."""
_ACROSS_MM = (-0.9, -0.6, -0.3, 0.0, 0.3, 0.6, 0.9)
_LEAST_CONTRAST = 0.22
_HIDDEN_STEPS = 3
"""So many places in a row without a line: 4 mm."""
_PRINTED = 0.2
"""Share of a side that must be seen before it counts as printed: brackets and underlines have open sides."""


def is_frame_hidden(gray: Gray, registration: Registration, box: Rectangle) -> bool:
    """Whether a side of the frame breaks off, or nothing is printed around the box at all."""
    sides = _sides(box)
    values = sample(gray, map_points(registration.transform, np.concatenate(sides)))
    contrast = (values.max(axis=1) - values.min(axis=1)) / max(registration.white - registration.black, 40)
    seen = np.split(contrast > _LEAST_CONTRAST, np.cumsum([len(side) for side in sides])[:-1])
    printed = [side for side in seen if side.mean() > _PRINTED]
    return not printed or any(_breaks_off(side) for side in printed)


def _sides(box: Rectangle) -> list[Floats]:
    """Places along each side, each with its samples across the line, page mm, (places, across, 2)."""
    across = np.array(_ACROSS_MM)
    sides = []
    for length, fixed, start, is_level in (
        (box.w, box.y, box.x, True),
        (box.w, box.bottom, box.x, True),
        (box.h, box.x, box.y, False),
        (box.h, box.right, box.y, False),
    ):
        count = max(2, round((length - 2 * _CORNER_MM) / _STEP_MM))
        along = start + np.linspace(_CORNER_MM, max(length - _CORNER_MM, _CORNER_MM), count)
        places, lines = np.meshgrid(along, fixed + across, indexing="ij")
        pair = (places, lines) if is_level else (lines, places)
        sides.append(np.stack(pair, axis=-1).astype(np.float32))
    return sides


def _breaks_off(seen: Mask) -> bool:
    run = (
        np.convolve(~seen, np.ones(_HIDDEN_STEPS, int), "valid")
        if len(seen) >= _HIDDEN_STEPS
        else np.zeros(1)
    )
    return bool((run == _HIDDEN_STEPS).any())
