"""Grade, class and number from the digit bubbles of a blank set."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from omr.mark_lines import join_verdicts
from omr.reading import DigitReading, IdentityReading, ReadingStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from omr.layout import DigitRow
    from omr.mark_lines import BubbleVerdicts, ChoiceVerdict


def read_identity(rows: Sequence[DigitRow], verdicts: BubbleVerdicts) -> IdentityReading:
    """Read the digit rows of a page.

    A leading row may stay empty (number 7 is read as 7, not as doubtful); the last row of grade, class and
    number must hold exactly one mark.

    Args:
        rows: in printed order, most significant digit of a field first.
        verdicts: on their bubbles, row after row.
    """
    readings: list[DigitReading] = []
    confidence = 1.0
    sure = True
    ends = list(itertools.accumulate(len(row.bubbles) for row in rows))
    groups = [slice(end - len(row.bubbles), end) for row, end in zip(rows, ends, strict=True)]
    joined = join_verdicts(verdicts, groups)
    for index, (row, group, verdict) in enumerate(zip(rows, groups, joined, strict=True)):
        is_last = index + 1 == len(rows) or rows[index + 1].field is not row.field
        sure &= _is_clear(verdict, may_be_empty=not is_last)
        confidence = min(confidence, verdict.confidence)
        digit = row.bubbles[verdict.marked[0]].label if len(verdict.marked) == 1 else ""
        readings.append(DigitReading(row.field, digit, _digit_chances(row, group, verdicts)))
    status = ReadingStatus.OK if sure else ReadingStatus.DOUBTFUL
    if not verdicts.marked.any() and verdicts.sure.all():
        status = ReadingStatus.BLANK
    return IdentityReading(tuple(readings), status, confidence)


def _digit_chances(row: DigitRow, group: slice, verdicts: BubbleVerdicts) -> tuple[float, ...]:
    """The chance of each digit, and of none, if each bubble is marked with the chance its verdict gives it."""
    right = verdicts.chance[group]
    marked = np.clip(np.where(verdicts.marked[group], right, 1 - right), 1e-4, 1 - 1e-4)
    odds = marked / (1 - marked)
    by_digit = dict(zip((bubble.label for bubble in row.bubbles), odds, strict=True))
    weights = np.array([by_digit.get(str(digit), 0.0) for digit in range(10)] + [1.0])
    return tuple((weights / weights.sum()).tolist())


def _is_clear(verdict: ChoiceVerdict, *, may_be_empty: bool) -> bool:
    if verdict.status is ReadingStatus.BLANK:
        return may_be_empty
    return verdict.status is ReadingStatus.OK and len(verdict.marked) == 1
