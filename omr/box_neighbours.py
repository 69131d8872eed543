"""Which boxes and labels stand beside or above each other on a page laid for reading."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from omr.geometry import Rectangle
    from omr.printed_labels import Label

TOUCH_MM = 1.5
"""Neighbouring cells share a ruled line; double lines and thick ones stay within this."""

_LABEL_BESIDE_MM = 10.0
_LABEL_ABOVE_MM = 5.0
_FAR = float("inf")


def stands_beside(first: Rectangle, second: Rectangle) -> bool:
    """Whether `first` is the left neighbour of `second`: they touch and `first` spans most of its height."""
    shared = min(first.bottom, second.bottom) - max(first.y, second.y)
    return abs(first.right - second.x) <= TOUCH_MM and shared >= 0.7 * second.h


def stands_above(first: Rectangle, second: Rectangle) -> bool:
    """Whether `first` is the upper neighbour of `second`: they touch and `first` spans most of its width."""
    shared = min(first.right, second.right) - max(first.x, second.x)
    return abs(first.bottom - second.y) <= TOUCH_MM and shared >= 0.7 * second.w


def gap_beside(label: Rectangle, box: Rectangle) -> float:
    """Millimetres from a free label to the box that it stands left of; infinite if it does not."""
    gap = box.x - label.right
    return gap if -1 <= gap <= _LABEL_BESIDE_MM and box.y - 1 <= label.centre[1] <= box.bottom + 1 else _FAR


def gap_above(label: Rectangle, box: Rectangle) -> float:
    """Millimetres from a free label down to the box whose left half it stands over; infinite if it does not."""
    gap = box.y - label.bottom
    over = box.x - 4 <= label.x <= box.x + box.w / 2
    return gap if -1 <= gap <= _LABEL_ABOVE_MM and over else _FAR


def nearest_free(
    box: Rectangle, labels: Sequence[Label], gap: Callable[[Rectangle, Rectangle], float]
) -> Label | None:
    """The label outside of cells that is nearest to a box by `gap`; None if none is near."""
    free = [one for one in labels if not one.in_cell and gap(one.rectangle, box) < _FAR]
    return min(free, key=lambda one: gap(one.rectangle, box), default=None)
