"""Names for detected boxes from the print around them.

Positions are laid in the reading frame first, so that "beside" is before a box and "above" is over it in
vertical writing too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import chain, count
from typing import TYPE_CHECKING, TypeAlias

from omr.box_neighbours import gap_above, gap_beside, nearest_free, stands_above, stands_beside
from omr.question_numbers import QuestionNumber

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from omr.geometry import Rectangle
    from omr.printed_labels import Label
    from omr.reading_frame import ReadingFrame

    _Named: TypeAlias = tuple[Label | None, tuple[QuestionNumber, ...]]

_SAME_MM = 1.5
_SAME_COLUMN_MM = 2.5  # headings of one rank stand below each other
_WORDS_BEFORE = 3
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_ANSWER_WORD = re.compile(r"答え?|解答?|結果|結論")
_HEADING_REACH_MM = 15.0
_NAMELESS = "枠"
_LONGEST_NAME = 24  # room for a suffix within the 32 characters of a question id


@dataclass(frozen=True, slots=True)
class PageToName:
    """The areas of a page's boxes in reading order, its print, and how it is read."""

    areas: tuple[Rectangle, ...]
    labels: tuple[Label, ...]
    frame: ReadingFrame


@dataclass(frozen=True, slots=True)
class Heading:
    """A question number that names no box of its own: it stands over those that follow (大問).

    Attributes:
        number: what it says.
        rectangle: laid in the reading frame.
        half: of the page, -1 for an earlier page.
    """

    number: QuestionNumber
    rectangle: Rectangle
    half: int


def name_boxes(pages: Sequence[PageToName]) -> list[list[str]]:
    """A name for every box of every page, unique over all pages.

    The printed numbers joined with "-", outermost first; further boxes of one number get "b", "c" … behind it.
    Where numbers begin again without a heading in print, the sections are counted. A sheet without any number
    counts its boxes; on one with numbers, a box without is named 枠1, 枠2 …
    """
    carried: list[Heading] = []
    named: list[list[_Named]] = []
    for page in pages:
        own = own_labels(page.areas, page.labels, page.frame)
        carried += find_headings(page.labels, own, page.areas, page.frame)
        named.append(
            [
                (label, path_of(label, area, carried, page.frame) if label else ())
                for label, area in zip(own, page.areas, strict=True)
            ]
        )
        carried = [replace(heading, half=-1) for heading in carried]
    if not carried:
        named = _counted_sections(named)
    nameless = _NAMELESS if any(path for page_names in named for _, path in page_names) else ""
    names = _Names(nameless)
    return [[names.take(path) for _, path in page_names] for page_names in named]


def exam_order(names: Sequence[str]) -> list[int]:
    """The order of a page's boxes by their numbers, as two columns of one 大問 may lie side by side.

    Letters keep the order in which they are read; a box without a number stays behind the one before it.
    """
    first_read: dict[str, int] = {}
    keys: list[tuple[tuple[int, int, str], ...]] = []
    for position, name in enumerate(names):
        if name.startswith(_NAMELESS):
            before = keys[-1] if keys else ()
            keys.append((*before, (2, position, "")))
            continue
        parts = [re.fullmatch(r"(\d+)(\D*)", part) or part for part in name.split("-")]
        keys.append(
            tuple(
                (1, first_read.setdefault(part, position), "")
                if isinstance(part, str)
                else (0, int(part[1]), part[2])
                for part in parts
            )
        )
    return sorted(range(len(names)), key=keys.__getitem__)


def _counted_sections(named: Sequence[Sequence[_Named]]) -> list[list[_Named]]:
    """The paths with a section number before them, if a number stands in print more than once."""
    section = 1
    used: dict[str, Label] = {}
    counted: list[list[_Named]] = []
    for page_names in named:
        counted.append([])
        for label, path in page_names:
            if label is None or not path:
                counted[-1].append((label, path))
                continue
            if used.setdefault(path[-1].name, label) is not label:
                section, used = section + 1, {path[-1].name: label}
            counted[-1].append((label, (QuestionNumber(str(section), 0), *path)))
    return counted if section > 1 else [list(page_names) for page_names in named]


class _Names:
    """Gives out each name once."""

    def __init__(self, nameless: str) -> None:
        self._nameless = nameless
        self._count = 0
        self._taken: set[str] = set()

    def take(self, path: Sequence[QuestionNumber]) -> str:
        if not path:
            self._count += 1
            return f"{self._nameless}{self._count}"  # no printed number begins with it
        name = "-".join(number.name for number in path)[:_LONGEST_NAME]
        suffixes = chain(["", *"bcdefghijklmnopqrstuvwxyz"], map(str, count(27)))
        free: str = next(name + suffix for suffix in suffixes if name + suffix not in self._taken)
        self._taken.add(free)
        return free


def own_labels(
    boxes: Sequence[Rectangle], labels: Sequence[Label], frame: ReadingFrame
) -> list[Label | None]:
    """The label that numbers each box: in it, in a cell beside or above, or free beside or above."""
    laid_boxes = [frame.lay(box) for box in boxes]
    laid = [replace(one, rectangle=frame.lay(one.rectangle)) for one in labels]
    original = {id(one): before for one, before in zip(laid, labels, strict=True)}
    found: list[Label | None] = []
    for index, box in enumerate(laid_boxes):
        own = _own_label(index, box, laid)
        found.append(original[id(own)] if own else None)
    for index in sorted(range(len(boxes)), key=lambda i: laid_boxes[i].x):
        if found[index] is None:
            found[index] = _shared_label(laid_boxes[index], laid_boxes, found, laid)
    return found


def find_headings(
    labels: Sequence[Label], own: Iterable[Label | None], boxes: Sequence[Rectangle], frame: ReadingFrame
) -> tuple[Heading, ...]:
    """The numbers that stand over the boxes of a page, laid in the reading frame, in reading order."""
    used = {id(label) for label in own if label}
    laid_boxes = [(frame.lay(box), frame.half(box)) for box in boxes]
    headings = []
    for label in labels:
        if label.number is None or id(label) in used or label.box is not None:
            continue
        depth = 0 if label.number.is_plain else label.number.depth
        heading = Heading(
            replace(label.number, depth=depth), frame.lay(label.rectangle), frame.half(label.rectangle)
        )
        near = any(
            half == heading.half
            and _precedes(heading, box)
            and box.y - heading.rectangle.bottom <= _HEADING_REACH_MM
            for box, half in laid_boxes
        )
        if near or (depth == 0 and not label.number.is_plain):
            headings.append(heading)
    return tuple(sorted(headings, key=_position))


def path_of(
    label: Label, box: Rectangle, headings: Sequence[Heading], frame: ReadingFrame
) -> tuple[QuestionNumber, ...]:
    """The numbers over a box and its own, outermost first."""
    number = label.number
    if number is None:
        return ()
    own = frame.lay(label.rectangle)
    laid, half = frame.lay(box), frame.half(box)
    over = [one for one in headings if one.half < half or (one.half == half and _precedes(one, laid))]
    path = [number]
    for heading in reversed(over):
        equal_rank = (
            path[0] is number
            and number.is_plain
            and heading.number.is_plain
            and abs(heading.rectangle.x - own.x) <= _SAME_COLUMN_MM
        )
        if heading.number.depth < path[0].depth and not equal_rank:
            path.insert(0, heading.number)
    return tuple(path)


def _position(heading: Heading) -> tuple[int, float, float]:
    return heading.half, heading.rectangle.y, heading.rectangle.x


def _precedes(heading: Heading, box: Rectangle) -> bool:
    """Whether a heading stands left of a box in its row, or above it."""
    place = heading.rectangle
    left = place.right <= box.x + 1 and place.y <= box.centre[1]
    above = place.bottom <= box.y + 1 and place.x <= box.right
    return left or above


def _own_label(index: int, box: Rectangle, labels: Sequence[Label]) -> Label | None:
    numbered = [label for label in labels if label.number]
    inside = [label for label in numbered if label.box == index and _opens(label.rectangle, box)]
    if inside:
        return min(inside, key=lambda label: (label.rectangle.y, label.rectangle.x))
    outside = [label for label in numbered if label.box is None]
    beside = [one for one in outside if one.in_cell and stands_beside(one.rectangle, box)]
    above = [one for one in outside if one.in_cell and stands_above(one.rectangle, box)]
    exact = [
        *(one for one in beside if abs(one.rectangle.h - box.h) <= _SAME_MM),
        *(one for one in above if abs(one.rectangle.w - box.w) <= _SAME_MM),
    ]
    if exact:
        return exact[0]
    free = _number_before(box, [one for one in labels if one.box is None])
    if free is not None:
        return free
    if beside:
        return beside[0]
    apart = [one for one in outside if one.in_cell and gap_beside(one.rectangle, box) < float("inf")]
    return min(apart, key=lambda one: gap_beside(one.rectangle, box), default=None) or nearest_free(
        box, outside, gap_above
    )


def _opens(label: Rectangle, box: Rectangle) -> bool:
    """Whether a label stands where the writing in a box begins; a unit (V) stands where it ends."""
    return label.x <= box.x + max(0.4 * box.w, _SAME_MM)


def _number_before(box: Rectangle, labels: Sequence[Label]) -> Label | None:
    """The nearest number among the few words before a box: (1) 答え, (4) v =."""
    edge = box
    for _ in range(_WORDS_BEFORE):
        word = nearest_free(edge, labels, gap_beside)
        if word is None:
            return None
        is_variable = edge is not box and word.text in _LETTERS
        if word.number and not is_variable:
            return word
        edge = word.rectangle
    return None


def _shared_label(
    box: Rectangle, boxes: Sequence[Rectangle], found: Sequence[Label | None], labels: Sequence[Label]
) -> Label | None:
    """The label of the equal box to the left (two boxes for one question), or of the working space over 答え."""
    is_result = any(
        _ANSWER_WORD.fullmatch(one.text)
        and (stands_beside(one.rectangle, box) or gap_beside(one.rectangle, box) < float("inf"))
        for one in labels
    )
    for other, label in zip(boxes, found, strict=True):
        if label and stands_beside(other, box) and abs(other.h - box.h) <= _SAME_MM:
            return label
        if label and is_result and stands_above(other, box):
            return label
    return None
