"""Whether the printed frame of an answer box is all there: where a part is missing, something lies on the paper."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from omr.pixels import map_points, sample

if TYPE_CHECKING:
    from omr.geometry import Rectangle
    from omr.pixels import Floats, Gray
    from omr.registration import Registration

_STEP_MM = 0.75
_CORNER_MM = 1.0
"""Left out at the ends of a side."""
_ACROSS_MM = (-0.9, -0.6, -0.3, 0.0, 0.3, 0.6, 0.9)
_LEAST_CONTRAST = 0.22
_HIDDEN_STEPS = 3
"""So many places in a row without a line: 2 mm."""
_PRINTED = 0.2
"""Share of a side that must be seen before it counts as printed: brackets and underlines have open sides."""


class FramePrint(StrEnum):
    """What is known of the print around boxes: frames on all four sides, or no more than that there is a box."""

    WHOLE = "whole"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class BoxFrame:
    """Where to look for the printed frame of one box, worked out once a layout.

    Attributes:
        points: page mm, float32 (across, places, 2): at places along the sides, some samples across the line.
        sides: the places of each side.
        frame_print: what is printed there.
    """

    points: Floats
    sides: tuple[slice, ...]
    frame_print: FramePrint


def plan_frame(box: Rectangle, frame_print: FramePrint) -> BoxFrame:
    """Work out the places along the sides of a box."""
    across = np.array(_ACROSS_MM)
    parts, sides, end = [], [], 0
    for length, fixed, start, is_level in (
        (box.w, box.y, box.x, True),
        (box.w, box.bottom, box.x, True),
        (box.h, box.x, box.y, False),
        (box.h, box.right, box.y, False),
    ):
        count = max(2, round((length - 2 * _CORNER_MM) / _STEP_MM))
        along = start + np.linspace(_CORNER_MM, max(length - _CORNER_MM, _CORNER_MM), count)
        places, lines = np.meshgrid(along, fixed + across)
        parts.append(np.stack((places, lines) if is_level else (lines, places), axis=-1))
        sides.append(slice(end, end + count))
        end += count
    return BoxFrame(np.concatenate(parts, axis=1).astype(np.float32), tuple(sides), frame_print)


def is_frame_hidden(gray: Gray, registration: Registration, frame: BoxFrame) -> bool:
    """Whether a side of the frame breaks off, or nothing is printed around the box at all."""
    values = sample(gray, map_points(registration.transform, frame.points))
    contrast = (values.max(axis=0) - values.min(axis=0)) / max(registration.white - registration.black, 40)
    seen = (contrast > _LEAST_CONTRAST).tolist()
    sides = [seen[side] for side in frame.sides]
    least = 0.0 if frame.frame_print is FramePrint.WHOLE else _PRINTED
    printed = [side for side in sides if sum(side) >= least * len(side)]
    return not printed or any(_breaks_off(side) for side in printed)


def _breaks_off(seen: list[bool]) -> bool:
    """Whether the line is missing at some places in a row."""
    longest = max((len(list(run)) for is_seen, run in groupby(seen) if not is_seen), default=0)
    return longest >= _HIDDEN_STEPS
