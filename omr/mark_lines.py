"""From scores to verdicts: the lines between marked, doubtful and empty, drawn across what was measured.

The scores of every bubble are kept with the reading, so a stricter or looser line can be drawn later without
reading again (`judge_again`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from omr.confidence import MEASURED_PRINT, chance_of_verdicts
from omr.reading import BubbleScore, ChoiceScores, ReadingStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from omr.confidence import ChanceTable
    from omr.pixels import Floats, Mask


class CancelledMarks(StrEnum):
    """What becomes of a question with two marks of which one is taken back."""

    DOUBTFUL = "doubtful"
    NOT_MARKED = "not_marked"


class BubbleScores(NamedTuple):
    """The scores of K bubbles; 1 is the line in each.

    Attributes:
        mark: how clearly each is marked, (K,); from 1 on it is.
        trace: how far each is from bare, (K,); up to 1 it is.
        foreign: how likely what is seen there is no pupil's, (K,); above 1 nothing is sure.
        fill: mean darkness of the inside, (K,).
        outside: ink around each, without what a marked neighbour may have sent over, mm², (K,).
    """

    mark: Floats
    trace: Floats
    foreign: Floats
    fill: Floats
    outside: Floats


@dataclass(frozen=True, slots=True)
class MarkLines:
    """Where the lines are drawn across the scores of a question's bubbles.

    Attributes:
        marked: least `mark` of a bubble that is surely marked.
        empty: most `trace` of a bubble that is surely empty.
        foreign: most `foreign` of a bubble of which anything is sure.
        guess: least `mark` of the best guess for a doubtful bubble.
        filled: least `fill` of a mark that can be taken back by ink around it; a tick or a cross runs over its
            outline anyhow.
        cancelled: least `outside` of a mark that is clearly taken back, mm².
        whole: most `outside` of a mark that clearly is not, mm².
        cancelled_marks: what becomes of a question where one of two marks is taken back; one that is taken back
            alone is for a person.
    """

    marked: float = 1.0
    empty: float = 1.0
    foreign: float = 1.0
    guess: float = 0.6
    filled: float = 0.35
    cancelled: float = 1.5
    whole: float = 0.6
    cancelled_marks: CancelledMarks = CancelledMarks.DOUBTFUL


@dataclass(frozen=True, slots=True)
class BubbleVerdicts:
    """The verdicts on K bubbles.

    Attributes:
        marked: best guess, bool (K,).
        sure: whether the guess is safe to take, bool (K,).
        chance: estimated chance that the guess is right, (K,).
        scores: what they follow from.
        print_seen: usual darkness of the printed labels against what a page needs that still shows grey: in black
            and white where the labels have turned white, pale pencil may be gone too, so below 1 a question
            without any mark is not surely empty.
        lines: that were drawn.
    """

    marked: Mask
    sure: Mask
    chance: NDArray[np.float64]
    scores: BubbleScores
    print_seen: float = 1.0
    lines: MarkLines = field(default_factory=MarkLines)


@dataclass(frozen=True, slots=True)
class ChoiceVerdict:
    """What one group of bubbles says: positions of the marked ones, status, confidence and what they follow from."""

    marked: tuple[int, ...]
    status: ReadingStatus
    confidence: float
    scores: ChoiceScores


def draw_lines(
    scores: BubbleScores, print_seen: float, lines: MarkLines, table: ChanceTable = MEASURED_PRINT
) -> BubbleVerdicts:
    """Judge bubbles by their scores.

    Args:
        scores: of the bubbles of a page, or of some of them.
        print_seen: as in `BubbleVerdicts`.
        lines: to draw.
        table: how often such verdicts are right.
    """
    margin, marked = measure_margins(scores, lines)
    chance = chance_of_verdicts(margin, marked, table)
    return BubbleVerdicts(marked, margin >= 0, chance, scores, print_seen, lines)


def measure_margins(scores: BubbleScores, lines: MarkLines) -> tuple[Floats, Mask]:
    """How far each bubble lies beyond the line it must cross to be sure (below 0: short of it), and the best guess.

    Args:
        scores: of K bubbles.
        lines: to draw.
    """
    stained = np.maximum(scores.trace / lines.empty, scores.foreign / lines.foreign)
    beyond = scores.mark / lines.marked - 1
    marked: Mask = (beyond >= 0) | ((stained > 1) & (scores.mark > lines.guess))
    # What lies on the paper after the pupil wrote says nothing of what the pupil meant.
    beyond = np.where(scores.foreign > lines.foreign, np.minimum(beyond, 0) - 1, beyond)
    return np.where(marked, beyond, 1 - stained), marked


def join_verdicts(verdicts: BubbleVerdicts, groups: Sequence[slice]) -> list[ChoiceVerdict]:
    """Join the verdicts on the bubbles of each question.

    The worst bubble decides: how often a question is right follows from it (`benchmarks.calibration`).

    Args:
        verdicts: on all bubbles of a page.
        groups: which of them belong together; one after the other and without gaps.
    """
    if not groups:
        return []
    starts = [group.start for group in groups]
    confidence = np.minimum.reduceat(verdicts.chance, starts).tolist()
    sure = np.logical_and.reduceat(verdicts.sure, starts).tolist()
    is_marked = verdicts.marked.tolist()
    kept = _round_to_doubt(verdicts.scores)
    print_seen = round(verdicts.print_seen, 3)
    return [
        _join(
            tuple(k - group.start for k in range(group.start, group.stop) if is_marked[k]),
            ReadingStatus.OK if one_sure else ReadingStatus.DOUBTFUL,
            chance,
            ChoiceScores(tuple(kept[group]), print_seen),
            verdicts.lines,
        )
        for group, one_sure, chance in zip(groups, sure, confidence, strict=True)
    ]


def judge_again(scores: ChoiceScores, lines: MarkLines) -> ChoiceVerdict:
    """The verdict on a question by other lines, from the scores kept with its reading.

    The same lines give the same verdict as when the page was read.
    """
    columns = BubbleScores(*np.array(scores.bubbles, np.float64).T)
    verdicts = draw_lines(columns, scores.print_seen, lines)
    (verdict,) = join_verdicts(verdicts, [slice(0, len(scores.bubbles))])
    return verdict


def _join(
    marked: tuple[int, ...], status: ReadingStatus, confidence: float, scores: ChoiceScores, lines: MarkLines
) -> ChoiceVerdict:
    if status is ReadingStatus.DOUBTFUL:
        return ChoiceVerdict(marked, status, confidence, scores)
    if not marked and scores.print_seen >= 1:
        return ChoiceVerdict(marked, ReadingStatus.BLANK, confidence, scores)
    kept = _drop_cancelled(marked, scores, lines)
    if not kept:
        return ChoiceVerdict(marked, ReadingStatus.DOUBTFUL, min(confidence, 0.5), scores)
    return ChoiceVerdict(kept, status, confidence, scores)


def _drop_cancelled(marked: tuple[int, ...], scores: ChoiceScores, lines: MarkLines) -> tuple[int, ...]:
    """The marks that count; none where a person must say."""
    found = {k: scores.bubbles[k] for k in marked}
    left = tuple(k for k, one in found.items() if one.fill < lines.filled or one.outside < lines.cancelled)
    if len(left) == len(marked):
        return marked
    is_clear = len(marked) == 2 and len(left) == 1 and found[left[0]].outside <= lines.whole
    return left if is_clear and lines.cancelled_marks is CancelledMarks.NOT_MARKED else ()


def _round_to_doubt(scores: BubbleScores) -> list[BubbleScore]:
    """The scores in thousandths, rounded so that none comes to lie on the surer side of a line."""
    surer_above = np.array([1, -1, -1, 1, 1])
    thousandths = np.floor(np.stack(scores, axis=1) * (1000.0 * surer_above)) * surer_above
    return list(map(BubbleScore._make, (thousandths / 1000).tolist()))
