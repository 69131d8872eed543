"""The direction in which a sheet is read, and the order of its boxes.

A sheet in vertical writing is laid on its side, so that all else can think from left to right and from top
to bottom.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from omr.geometry import Rectangle

if TYPE_CHECKING:
    from collections.abc import Sequence

_ROW_MM = 3.0


@dataclass(frozen=True, slots=True)
class ReadingFrame:
    """How a page is read.

    Attributes:
        vertical: whether it runs from right to left in columns (縦書き).
        width: of the page in millimetres.
        divide: x of the fold between two halves that are read one after the other; None if there is none.
    """

    vertical: bool
    width: float
    divide: float | None = None

    def lay(self, box: Rectangle) -> Rectangle:
        """The box on the page as laid for reading from left to right."""
        return Rectangle(box.y, self.width - box.right, box.h, box.w) if self.vertical else box

    def half(self, box: Rectangle) -> int:
        """0 for the half of the page that is read first, 1 for the other."""
        return int(self.divide is not None and box.centre[0] > self.divide)


def reading_order(boxes: Sequence[Rectangle], frame: ReadingFrame) -> list[int]:
    """The order of boxes: halves, then rows (tops within 3 mm), then from left to right."""
    laid = [frame.lay(box) for box in boxes]
    halves = [frame.half(box) for box in boxes]
    order = sorted(range(len(boxes)), key=lambda i: (halves[i], laid[i].y))
    rows: list[list[int]] = []
    for index in order:
        first = rows[-1][0] if rows else None
        if first is not None and halves[first] == halves[index] and laid[index].y - laid[first].y <= _ROW_MM:
            rows[-1].append(index)
        else:
            rows.append([index])
    return [index for row in rows for index in sorted(row, key=lambda i: laid[i].x)]
