"""Grade, class and number from the digit bubbles of a blank set."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from omr.choices import join_verdicts
from omr.layout import IdentityField
from omr.reading import IdentityReading, ReadingStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from omr.choices import BubbleVerdicts, ChoiceVerdict
    from omr.layout import DigitRow


def read_identity(rows: Sequence[DigitRow], verdicts: BubbleVerdicts) -> IdentityReading:
    """Read the digit rows of a page.

    A leading row may stay empty (number 7 is read as 7, not as doubtful); the last row of grade, class and
    number must hold exactly one mark.

    Args:
        rows: in printed order, most significant digit of a field first.
        verdicts: on their bubbles, row after row.
    """
    digits: dict[IdentityField, str] = dict.fromkeys(IdentityField, "")
    confidence = 1.0
    sure = True
    ends = list(itertools.accumulate(len(row.bubbles) for row in rows))
    groups = [slice(end - len(row.bubbles), end) for row, end in zip(rows, ends, strict=True)]
    for index, (row, verdict) in enumerate(zip(rows, join_verdicts(verdicts, groups), strict=True)):
        is_last = index + 1 == len(rows) or rows[index + 1].field is not row.field
        sure &= _is_clear(verdict, may_be_empty=not is_last)
        confidence *= verdict.confidence
        if len(verdict.marked) == 1:
            digits[row.field] += row.bubbles[verdict.marked[0]].label
    status = ReadingStatus.OK if sure else ReadingStatus.DOUBTFUL
    if not any(digits.values()) and not verdicts.marked.any() and verdicts.sure.all():
        status = ReadingStatus.BLANK
    return IdentityReading(tuple(digits.items()), status, confidence)


def _is_clear(verdict: ChoiceVerdict, *, may_be_empty: bool) -> bool:
    if verdict.status is ReadingStatus.BLANK:
        return may_be_empty
    return verdict.status is ReadingStatus.OK and len(verdict.marked) == 1
