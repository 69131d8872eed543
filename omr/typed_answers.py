"""Model answers (模範解答) typed into the boxes of a sheet: which printed characters they are.

They are taken off the page before its boxes are looked for, so that a filled box is found as an empty one is.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from omr.box_neighbours import stands_above, stands_beside
from omr.not_answers import says_not_answer
from omr.printed_labels import collect_labels, runs_downward
from omr.reading_frame import ReadingFrame
from omr.ruled_lines import find_cells
from omr.sheet_page import ruled_sheet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from omr.geometry import Rectangle
    from omr.printed_labels import Label
    from omr.printed_text import PrintedText
    from omr.sheet_page import SheetPage

_TITLE = re.compile(r"模範解答|解答例|正答[例表]|解答・?(解説|配点)|解答と(解説|配点)")
_SURE_LABEL = re.compile(r"\(\w{1,3}\)|\[\w{1,3}\]|【\w{1,3}】|(設?問|No\.|Q)\w{1,3}|第\w{1,3}問|大問\w+")
_HEADING = re.compile(r"解答欄?|答え?|設問|大問|小問|記号|番号|問題?|問題番号")
_LEAST_OTHER_SHARE = 0.15  # of the characters, where coloured ones are answers on a black sheet
_LEAST_SEQUENCE = 0.8
_FEWEST_STEPS = 2
_FIRST = {1, *map(ord, "アイあいAa")}
_SAME_EDGE_MM = 2.0
_ERASED_MARGIN_MM = 0.25


class AnsweredPage(NamedTuple):
    """A page without its typed answers, and these."""

    page: SheetPage
    answers: tuple[PrintedText, ...]


def take_off_answers(page: SheetPage) -> AnsweredPage:
    """Part the typed answers from a page with a text layer.

    Answers are the coloured characters of an otherwise black sheet; on one whose title says that it holds the
    answers, also what stands in cells beside or below question numbers.

    Args:
        page: upright.
    """
    coloured = [one.coloured for one in page.characters]
    if any(coloured) and coloured.count(False) >= _LEAST_OTHER_SHARE * len(coloured):
        return _without(page, coloured)
    text = unicodedata.normalize("NFKC", "".join(one.text for one in page.characters))
    if not _TITLE.search(text):
        return AnsweredPage(page, ())
    cells = [cell.rectangle for cell in find_cells(ruled_sheet(page))]
    boxes = _answered_cells(page, cells)
    return _without(page, [any(_holds(box, one) for box in boxes) for one in page.characters])


def _without(page: SheetPage, is_answer: Sequence[bool]) -> AnsweredPage:
    """The page with the ink of some characters painted over in the brightness of the paper around."""
    gray = page.gray.copy()
    high, wide = gray.shape
    per_mm = np.array([wide / page.size[0], high / page.size[1]])
    answers = [one for one, taken in zip(page.characters, is_answer, strict=True) if taken]
    for one in answers:
        box = one.rectangle.expanded(_ERASED_MARGIN_MM)
        left, top = np.maximum(np.floor(np.array([box.x, box.y]) * per_mm), 0).astype(int)
        right, bottom = np.ceil(np.array([box.right, box.bottom]) * per_mm).astype(int)
        window = gray[top:bottom, left:right]
        if window.size:
            window[:] = window.max()
    others = tuple(one for one, taken in zip(page.characters, is_answer, strict=True) if not taken)
    return AnsweredPage(replace(page, gray=gray, characters=others, ruled=None), tuple(answers))


def _answered_cells(page: SheetPage, cells: Sequence[Rectangle]) -> list[Rectangle]:
    """The cells with print that is no number, beside or below a cell that is one."""
    frame = ReadingFrame(runs_downward(page.characters), page.size[0])
    texts = [
        replace(one, rectangle=frame.lay(one.rectangle))
        for one in collect_labels(page.characters, (), cells)
        if one.in_cell
    ]
    numbers = [one for one in texts if _SURE_LABEL.fullmatch(_plain(one.text))]
    numbers += _in_sequence([one for one in texts if one.number and one not in numbers])
    answered = [
        one.rectangle
        for one in texts
        if one not in numbers
        and not says_not_answer(one.text)
        and not _HEADING.fullmatch(_plain(one.text))
        and any(
            stands_beside(number.rectangle, one.rectangle) or stands_above(number.rectangle, one.rectangle)
            for number in numbers
        )
    ]
    return [cell for cell in cells if frame.lay(cell) in answered]


def _in_sequence(labels: Sequence[Label]) -> list[Label]:
    """The labels that count on (1 2 3, ア イ ウ) down a column of equal cells or along a row of them."""
    counting: list[Label] = []
    for start, size, across in (("x", "w", "y"), ("y", "h", "x")):
        lines: dict[tuple[int, int, int], list[Label]] = defaultdict(list)
        for one in labels:
            assert one.number is not None
            place = tuple(round(getattr(one.rectangle, edge) / _SAME_EDGE_MM) for edge in (start, size))
            lines[one.number.depth, place[0], place[1]].append(one)
        for line in lines.values():
            line.sort(key=lambda one: getattr(one.rectangle, across))
            if _counts_on([_count(one) for one in line]):
                counting += [one for one in line if one not in counting]
    return counting


def _counts_on(counts: Sequence[int]) -> bool:
    """Whether numbers go up by one, now and then beginning again."""
    pairs = list(pairwise(counts))
    onward = sum(after == before + 1 for before, after in pairs)
    restarts = sum(after in _FIRST and after <= before for before, after in pairs)
    return onward >= max(_FEWEST_STEPS, restarts) and onward + restarts >= _LEAST_SEQUENCE * len(pairs)


def _count(label: Label) -> int:
    assert label.number is not None
    name = label.number.name
    return int(name) if name.isdecimal() else ord(name[0])


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _holds(box: Rectangle, one: PrintedText) -> bool:
    x, y = one.rectangle.centre
    return box.x <= x <= box.right and box.y <= y <= box.bottom
