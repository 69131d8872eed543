"""Answers judged unlike the others of the same reading are named, and nobody by a guess."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ocr.contradictions import OTHERS, find_contradictions
from ocr.groups import AnswerGroup, GroupKind, group_answers
from ocr.reading import AnswerEvidence, WrittenReading, WrittenStatus
from tests.simulated_answers import blank_reading, reading_of, simulate_class, unit

DOUBTFUL = reading_of({"ア": 0.8, "マ": 0.2})


def answers(prefix: str, reading: WrittenReading, count: int, *direction: float) -> list[AnswerEvidence]:
    point = unit(np.array(direction or (1, 0), np.float64))
    return [AnswerEvidence(f"{prefix}{number}", reading, point) for number in range(count)]


def sure(text: str) -> WrittenReading:
    return reading_of({text: 0.9995})


def judge(evidence: list[AnswerEvidence], marks: str) -> dict[str, str]:
    return {one.key: mark for one, mark in zip(evidence, marks, strict=True)}


def test_lone_disagreement_is_named_with_what_the_others_got() -> None:
    evidence = answers("a", sure("ア"), 4)
    result = find_contradictions(evidence, judge(evidence, "○○×○"))
    (one,) = result.contradictions
    assert (one.key, one.judgement, one.others_judgement, one.others) == ("a2", "×", "○", 3)
    assert one.nearest == ("a0", "a1", "a3")
    assert result.splits == ()


def test_few_others_are_a_split() -> None:
    for marks in ("○×", "○○×", "○○○○○×××××"):
        evidence = answers("a", sure("ア"), len(marks))
        result = find_contradictions(evidence, judge(evidence, marks))
        assert result.contradictions == ()
        (split,) = result.splits
        assert split.text == "ア"
        assert {mark: len(keys) for mark, keys in split.judgements} == {
            "○": marks.count("○"),
            "×": marks.count("×"),
        }


def test_exception_beside_a_split_is_named_apart() -> None:
    evidence = answers("a", sure("ア"), 8)
    result = find_contradictions(evidence, judge(evidence, "○○○○×××△"))
    assert [one.key for one in result.contradictions] == ["a7"]
    assert [[mark for mark, _ in split.judgements] for split in result.splits] == [["○", "×"]]


def test_most_suspicious_first() -> None:
    """Amid more others, and looking more like them, a disagreement is more likely a slip."""
    evidence = [
        *answers("few", sure("ア"), 4),
        *answers("many", sure("イ"), 20),
        *answers("odd", sure("ウ"), 20),
        *answers("unlike", sure("ウ"), 1, 0.3, 1),
    ]
    result = find_contradictions(evidence, judge(evidence, "○○○×" + "○" * 19 + "×" + "×" * 20 + "○"))
    assert [one.key for one in result.contradictions] == ["many19", "few3", "unlike0"]


def test_blank_answers_are_compared() -> None:
    evidence = answers("b", blank_reading(), 5)
    (one,) = find_contradictions(evidence, judge(evidence, "××××○")).contradictions
    assert (one.key, one.text) == ("b4", "")


def test_doubtful_reading_accuses_and_is_accused_only_by_its_look_too() -> None:
    elsewhere = [*answers("a", sure("ア"), 5), *answers("d", DOUBTFUL, 1, 0, 1)]
    assert find_contradictions(elsewhere, judge(elsewhere, "○○○○○×")).contradictions == ()
    alike = [*answers("a", sure("ア"), 5), *answers("d", DOUBTFUL, 1, 1, 0.1)]
    assert [one.key for one in find_contradictions(alike, judge(alike, "○○○○○×")).contradictions] == ["d0"]
    guesses = [*answers("a", sure("ア"), 1), *answers("d", DOUBTFUL, 9, 0, 1)]
    assert find_contradictions(guesses, judge(guesses, "×" + "○" * 9)).contradictions == ()
    only_guesses = answers("d", DOUBTFUL, 9)
    assert find_contradictions(only_guesses, judge(only_guesses, "×" + "○" * 8)).contradictions == ()


def test_group_says_what_is_equal_whatever_is_read_now() -> None:
    evidence = [*answers("a", sure("ア"), 4), *answers("d", DOUBTFUL, 1, 0, 1)]
    keys = tuple(one.key for one in evidence)
    groups = (AnswerGroup("a0", GroupKind.EQUAL, "ア", keys),)
    assert [
        one.key for one in find_contradictions(evidence, judge(evidence, "○○○○×"), groups).contradictions
    ] == ["d0"]


def test_texts_are_compared_in_their_canonical_form() -> None:
    evidence = [*answers("a", sure("important"), 3), *answers("b", sure("Important"), 1)]
    marks = judge(evidence, "○○○×")
    assert find_contradictions(evidence, marks).contradictions == ()
    assert len(find_contradictions(evidence, marks, canonical=str.lower).contradictions) == 1


def test_answers_without_judgement_are_left_out() -> None:
    evidence = answers("a", sure("ア"), 4)
    assert find_contradictions(evidence, {"a0": "○", "a3": "×", "gone": "×"}).contradictions == ()


@given(st.integers(0, 10**6), st.floats(0, 0.1))
@settings(max_examples=30, deadline=None)
def test_slips_are_found_and_consistent_grading_is_left_alone(seed: int, slips: float) -> None:
    simulated = simulate_class(seed, 160)
    evidence = simulated.evidence
    right = max(simulated.truth.values(), key=list(simulated.truth.values()).count)
    judgements = {key: "○" if meant == right else "×" for key, meant in simulated.truth.items()}
    groups = group_answers(evidence)
    consistent = find_contradictions(evidence, judgements, groups)
    assert consistent.splits == ()
    assert len(consistent.contradictions) <= 2  # the doubtful ones that are read wrong

    rng = np.random.default_rng(seed)
    sure_right = [
        one.key
        for one in evidence
        if simulated.truth[one.key] == right and one.reading.status is WrittenStatus.OK
    ]
    slipped = {key for key in sure_right if rng.random() < slips}
    result = find_contradictions(evidence, judgements | dict.fromkeys(slipped, "×"), groups)
    named = {one.key for one in result.contradictions}
    if len(slipped) * (OTHERS + 1) <= len(sure_right):
        assert slipped <= named
        assert len(named - slipped) <= 2
    reversed_evidence = find_contradictions(
        evidence[::-1], judgements | dict.fromkeys(slipped, "×"), groups[::-1]
    )
    assert reversed_evidence == result
