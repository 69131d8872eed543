"""What a judgement is worth, and which one counts over the rounds."""

from __future__ import annotations

from decimal import Decimal

import pytest

from omr.errors import InputError
from scoring.judgement import (
    Finding,
    Grading,
    Judgement,
    Mark,
    Verdict,
    both_judged,
    check_judgement,
    decide,
)

FULL = Decimal("2.5")
NOW, BEFORE = "picture now", "picture before"


def _said(mark: Mark, points: str | None = None, picture: str = NOW) -> Judgement:
    return Judgement(mark, None if points is None else Decimal(points), picture)


RIGHT, WRONG, HOLD, NONE = (_said(one) for one in (Mark.RIGHT, Mark.WRONG, Mark.HOLD, Mark.NONE))


@pytest.mark.parametrize(
    ("mark", "points"),
    [
        (Mark.PARTIAL, None),
        (Mark.PARTIAL, "2.51"),
        (Mark.PARTIAL, "-0.5"),
        (Mark.PARTIAL, "0.125"),
        (Mark.PARTIAL, "NaN"),
        (Mark.RIGHT, "2.5"),
        (Mark.WRONG, "0"),
        (Mark.HOLD, "1"),
        (Mark.NONE, "1"),
    ],
)
def test_a_mark_carries_what_it_may(mark: Mark, points: str | None) -> None:
    with pytest.raises(InputError, match=r"。$"):
        check_judgement(mark, None if points is None else Decimal(points), FULL)


@pytest.mark.parametrize(
    ("judgements", "finding", "points", "of_round"),
    [
        ({}, Finding.UNJUDGED, None, 0),
        ({1: NONE}, Finding.UNJUDGED, None, 0),
        ({1: HOLD}, Finding.HELD, None, 1),
        ({1: RIGHT}, Finding.DECIDED, "2.5", 1),
        ({1: WRONG}, Finding.DECIDED, "0", 1),
        ({1: _said(Mark.PARTIAL, "1.25")}, Finding.DECIDED, "1.25", 1),
        ({1: _said(Mark.PARTIAL, "3")}, Finding.OUTDATED, None, 1),
        ({1: _said(Mark.RIGHT, picture=BEFORE)}, Finding.OUTDATED, None, 1),
        ({1: RIGHT, 2: WRONG, 3: WRONG}, Finding.DECIDED, "2.5", 1),
    ],
)
def test_one_grader(
    judgements: dict[int, Judgement], finding: Finding, points: str | None, of_round: int
) -> None:
    expected = Verdict(finding, None if points is None else Decimal(points), of_round)
    assert decide(judgements, FULL, NOW) == expected


@pytest.mark.parametrize(
    ("judgements", "finding", "points"),
    [
        ({}, Finding.UNJUDGED, None),
        ({1: RIGHT}, Finding.HALF, None),
        ({2: RIGHT, 1: NONE}, Finding.HALF, None),
        ({1: RIGHT, 2: HOLD}, Finding.HELD, None),
        ({1: RIGHT, 2: RIGHT}, Finding.DECIDED, "2.5"),
        ({1: RIGHT, 2: _said(Mark.PARTIAL, "2.50")}, Finding.DECIDED, "2.5"),
        ({1: RIGHT, 2: _said(Mark.PARTIAL, "2.49")}, Finding.DIFFERENT, None),
        ({1: RIGHT, 2: WRONG, 3: _said(Mark.PARTIAL, "1")}, Finding.DECIDED, "1"),
        ({1: RIGHT, 2: WRONG, 3: NONE}, Finding.DIFFERENT, None),
        ({1: RIGHT, 2: RIGHT, 3: HOLD}, Finding.HELD, None),
        ({1: RIGHT, 2: _said(Mark.RIGHT, picture=BEFORE)}, Finding.OUTDATED, None),
    ],
)
def test_two_graders(judgements: dict[int, Judgement], finding: Finding, points: str | None) -> None:
    verdict = decide(judgements, FULL, NOW, Grading.SECOND)
    assert (verdict.finding, verdict.points) == (finding, None if points is None else Decimal(points))


def test_graders_see_each_other_when_both_have_said_points() -> None:
    assert both_judged({1: Mark.RIGHT, 2: Mark.WRONG})
    for one in (Mark.HOLD, Mark.NONE):
        assert not both_judged({1: Mark.RIGHT, 2: one})
    assert not both_judged({2: Mark.RIGHT})
