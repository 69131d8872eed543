"""Judgements (判定) of answers: what a mark is worth, who sees it when, and which one counts over the rounds of grading.

Round 1 is the grading, round 2 the second grading (照合採点), round 3 the word that settles a difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from omr.errors import InputError
from scoring.points import check_points, format_points

if TYPE_CHECKING:
    from collections.abc import Mapping

FIRST, SECOND, SETTLING = 1, 2, 3
"""The rounds of grading."""
ROUNDS = (FIRST, SECOND, SETTLING)


class Mark(StrEnum):
    """What a person says of an answer: ○, △, ×, 保留, or that their earlier word is taken back (取り消し)."""

    RIGHT = "right"
    PARTIAL = "partial"
    WRONG = "wrong"
    HOLD = "hold"
    NONE = "none"


class Finding(StrEnum):
    """Where an answer stands over all rounds.

    UNJUDGED: nobody judged it. HELD: somebody put it off (保留). OUTDATED: judged on another picture than it has
    now, or worth more than the question now is. HALF: one of two graders judged it. DIFFERENT: two did, and
    differ. DECIDED: it has points.
    """

    UNJUDGED = "unjudged"
    HELD = "held"
    OUTDATED = "outdated"
    HALF = "half"
    DIFFERENT = "different"
    DECIDED = "decided"


class Grading(StrEnum):
    """By how many people the answers to a question are graded."""

    SINGLE = "single"
    SECOND = "second"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A person's word on an answer.

    Attributes:
        mark: what they say.
        points: of a △; None for every other mark, which says it all.
        picture: the picture that they judged, as `answer_readings.picture`.
    """

    mark: Mark
    points: Decimal | None
    picture: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer earns by its judgements.

    Attributes:
        finding: where it stands.
        points: where it is decided, else None.
        round: whose word counts; 0 where none does.
    """

    finding: Finding
    points: Decimal | None = None
    round: int = 0


def check_judgement(mark: Mark, points: Decimal | None, full: Decimal) -> None:
    """Make sure that a mark carries the points that it may carry.

    Args:
        mark: what is said.
        points: None, or of a △ 0 to `full` with at most two decimals.
        full: of the question (配点).

    Raises:
        InputError: it does not.
    """
    if mark is not Mark.PARTIAL:
        if points is not None:
            raise InputError("点数を付けられるのは△だけです。○、×、保留、取り消しでは点数を消してください。")
        return
    if points is None:
        raise InputError(f"△には点数が必要です。0 から {format_points(full)} までの点数を入れてください。")
    try:
        in_range = check_points(points) <= full
    except ValueError:
        in_range = False
    if not in_range:
        raise InputError(
            f"点数は 0 から {format_points(full)} まで（配点まで）、小数は2桁までにしてください。"
        )


def points_of(judgement: Judgement, full: Decimal) -> Decimal | None:
    """What a judgement earns; None where it names no points, or more than the question is worth by now."""
    match judgement.mark:
        case Mark.RIGHT:
            return full
        case Mark.WRONG:
            return Decimal(0)
        case Mark.PARTIAL if judgement.points is not None and judgement.points <= full:
            return judgement.points
    return None


def decide(
    judgements: Mapping[int, Judgement], full: Decimal, picture: str, grading: Grading = Grading.SINGLE
) -> Verdict:
    """Which judgement of an answer counts.

    Args:
        judgements: the standing ones by round.
        full: of the question (配点).
        picture: that the answer has now.
        grading: with a second grading, round 3 counts if there; else rounds 1 and 2 where their points are equal.
    """
    if grading is Grading.SINGLE:
        return _verdict(judgements.get(FIRST), full, picture, FIRST)
    settled = _verdict(judgements.get(SETTLING), full, picture, SETTLING)
    if settled.finding is not Finding.UNJUDGED:
        return settled
    first, second = (_verdict(judgements.get(one), full, picture, one) for one in (FIRST, SECOND))
    findings = {first.finding, second.finding}
    for finding in (Finding.OUTDATED, Finding.HELD):
        if finding in findings:
            return Verdict(finding)
    if findings == {Finding.DECIDED}:
        return first if first.points == second.points else Verdict(Finding.DIFFERENT)
    return Verdict(Finding.UNJUDGED if findings == {Finding.UNJUDGED} else Finding.HALF)


def both_judged(marks: Mapping[int, Mark]) -> bool:
    """Whether both graders of an answer have said what it earns, so that each may see the other's word.

    Args:
        marks: the standing ones by round; a 保留 is not yet a word.
    """
    return all(marks.get(one, Mark.NONE) not in {Mark.NONE, Mark.HOLD} for one in (FIRST, SECOND))


def _verdict(judgement: Judgement | None, full: Decimal, picture: str, of_round: int) -> Verdict:
    if judgement is None or judgement.mark is Mark.NONE:
        return Verdict(Finding.UNJUDGED)
    if judgement.mark is Mark.HOLD:
        return Verdict(Finding.HELD, round=of_round)
    points = points_of(judgement, full)
    if judgement.picture != picture or points is None:
        return Verdict(Finding.OUTDATED, round=of_round)
    return Verdict(Finding.DECIDED, points, of_round)
