"""The print around answer boxes as labels: one a printed cell, one a run of characters elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from omr.geometry import Rectangle
from omr.question_numbers import QuestionNumber, parse_question_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from omr.printed_text import PrintedText

_LARGEST_GAP = 0.9  # between two characters of a label, in character sizes


@dataclass(frozen=True, slots=True)
class Label:
    """A piece of print.

    Attributes:
        text: without spaces.
        rectangle: of its cell, or of its characters where no cell holds it alone.
        in_cell: whether `rectangle` is a printed cell.
        box: index of the answer box it stands in, None outside of boxes.
        number: what it says as a question number.
    """

    text: str
    rectangle: Rectangle
    in_cell: bool = False
    box: int | None = None
    number: QuestionNumber | None = None


def collect_labels(
    characters: Sequence[PrintedText], boxes: Sequence[Rectangle], label_cells: Sequence[Rectangle]
) -> tuple[Label, ...]:
    """Join printed characters to labels.

    Args:
        characters: of one page, in the order of the text layer.
        boxes: the answer boxes of the page.
        label_cells: the printed cells of the page.
    """
    if not characters:
        return ()
    owners = _owners(characters, [*boxes, *label_cells])
    runs: list[list[int]] = []
    of_cell: dict[int, list[int]] = {}
    for position, owner in enumerate(owners):
        if owner >= len(boxes):
            of_cell.setdefault(owner - len(boxes), []).append(position)
        elif (
            runs
            and owner == owners[runs[-1][-1]]
            and _follows(characters[runs[-1][-1]], characters[position])
        ):
            runs[-1].append(position)
        else:
            runs.append([position])
    labels = [
        _label([characters[i] for i in members], label_cells[cell], in_cell=True)
        for cell, members in of_cell.items()
    ]
    for run in runs:
        members = [characters[i] for i in run]
        box = int(owners[run[0]])
        labels.append(_label(members, _outline(members), box=box if box >= 0 else None))
    return tuple(labels)


def runs_downward(characters: Sequence[PrintedText]) -> bool:
    """Whether most neighbouring characters of a page stand one below the other (縦書き)."""
    down = across = 0
    for before, after in pairwise(characters):
        (x1, y1), (x2, y2) = before.rectangle.centre, after.rectangle.centre
        size = max(before.rectangle.w, before.rectangle.h, after.rectangle.w, after.rectangle.h)
        down += 0 < y2 - y1 <= 1.5 * size and abs(x2 - x1) <= 0.3 * size
        across += 0 < x2 - x1 <= 1.5 * size and abs(y2 - y1) <= 0.3 * size
    return down > across


def _owners(characters: Sequence[PrintedText], areas: Sequence[Rectangle]) -> list[int]:
    """For each character the smallest area that holds its middle, -1 if none does."""
    if not areas:
        return [-1] * len(characters)
    centres = np.array([one.rectangle.centre for one in characters])[:, None, :]
    least = np.array([(area.x, area.y) for area in areas])
    most = np.array([(area.right, area.bottom) for area in areas])
    holds = ((centres >= least) & (centres <= most)).all(axis=2)
    size = np.where(holds, (most - least).prod(axis=1), np.inf)
    nearest = np.where(np.isfinite(size.min(axis=1)), size.argmin(axis=1), -1)
    return [int(owner) for owner in nearest]


def _follows(before: PrintedText, after: PrintedText) -> bool:
    if after.starts_word:
        return False
    first, second = before.rectangle, after.rectangle
    gap = max(
        first.x - second.right, second.x - first.right, first.y - second.bottom, second.y - first.bottom
    )
    return gap <= _LARGEST_GAP * max(first.w, first.h, second.w, second.h)


def _label(
    members: Sequence[PrintedText], rectangle: Rectangle, *, in_cell: bool = False, box: int | None = None
) -> Label:
    text = "".join(one.text for one in members)
    return Label(text, rectangle, in_cell, box, parse_question_number(text))


def _outline(members: Sequence[PrintedText]) -> Rectangle:
    left = min(one.rectangle.x for one in members)
    top = min(one.rectangle.y for one in members)
    right = max(one.rectangle.right for one in members)
    bottom = max(one.rectangle.bottom for one in members)
    return Rectangle(left, top, right - left, bottom - top)
