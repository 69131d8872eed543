"""The order in which a teacher looks through the answers to one question: the likest to the model answer together.

Blank answers come first, then the written ones by falling chance of being right, and last what is unlike anything expected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ocr.embeddings import stack_embeddings
from ocr.reading import WrittenStatus

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from ocr.reading import AnswerEvidence, WrittenReading

UNLIKE = 0.5
"""From this chance of being nothing expected an answer goes last: likelier that than anything else."""
CERTAIN = 0.99
"""From this chance an answer counts as right for want of confirmed ones."""
SATURATED = 7
"""Beyond these log-odds (one in a thousand) chances say no more of the order."""
NEAREST = 3
"""How many of the nearest right answers an answer is compared with: one may be odd, all may be of several makes."""


def order_by_similarity(
    evidence: Sequence[AnswerEvidence], confirmed_right: Collection[str] = ()
) -> tuple[str, ...]:
    """The keys of the answers to one question, in the order to look through them.

    Chances are compared by their log-odds in whole steps: within a step likeness to the right answers says more. What is alike
    in all that stays in the order given.

    Args:
        evidence: of the answers. Those without a chance of being right (no model answer) count as half and half.
        confirmed_right: keys of the answers that a person found right. Where there are none, the certain ones stand for them.

    Returns:
        Each key once.
    """
    if not evidence:
        return ()
    likeness = _likeness_to_right(evidence, confirmed_right)
    ranks = [_rank(one.reading, float(like)) for one, like in zip(evidence, likeness, strict=True)]
    return tuple(evidence[index].key for index in sorted(range(len(evidence)), key=ranks.__getitem__))


def _rank(reading: WrittenReading, likeness: float) -> tuple[int, float, float]:
    """What the answers are sorted by, the lowest first."""
    # It loads slowly, and a server that starts does not need it.
    from scipy.special import logit  # noqa: PLC0415

    if reading.status is WrittenStatus.BLANK:
        return (0, 0, 0)
    if reading.unlike >= UNLIKE:
        return (2, reading.unlike, -likeness)
    chance = 0.5 if reading.is_answer is None else reading.is_answer
    step = round(float(np.clip(logit(chance), -SATURATED, SATURATED)))
    return (1, -step, -likeness)


def _likeness_to_right(
    evidence: Sequence[AnswerEvidence], confirmed_right: Collection[str]
) -> NDArray[np.float32]:
    """The mean likeness of each answer to the right ones nearest to it, itself not counted, (N,)."""
    confirmed = set(confirmed_right)
    right = np.array([one.key in confirmed for one in evidence])
    if not right.any():
        right = np.array([(one.reading.is_answer or 0) >= CERTAIN for one in evidence])
    if not right.any():
        return np.zeros(len(evidence), np.float32)
    rows = stack_embeddings(evidence)
    likeness = rows @ rows[right].T
    likeness[np.flatnonzero(right), np.arange(right.sum())] = -np.inf
    nearest = -np.partition(-likeness, min(NEAREST, likeness.shape[1]) - 1, axis=1)[:, :NEAREST]
    others = np.isfinite(nearest)
    total = np.where(others, nearest, 0).sum(axis=1)
    mean: NDArray[np.float32] = total / np.maximum(others.sum(axis=1), 1).astype(np.float32)
    return mean
