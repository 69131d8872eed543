"""The order to look through answers: blank, then the likest to the model answer, unlike last."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ocr.reading import AnswerEvidence
from ocr.similarity import order_by_similarity
from tests.simulated_answers import blank_reading, reading_of, simulate_class, unit

CHANCES = st.floats(0, 1)


def answer(key: str, is_answer: float | None, *direction: float, unlike: float = 0.0) -> AnswerEvidence:
    reading = reading_of({"ア": 0.9}, is_answer, unlike)
    return AnswerEvidence(key, reading, unit(np.array(direction or (1, 0), np.float64)))


def test_blank_first_then_falling_chance_unlike_last() -> None:
    answers = [
        answer("unlike", 0.9, unlike=0.8),
        answer("wrong", 0.001),
        answer("right", 0.999),
        answer("perhaps", 0.4),
        answer("more unlike", 0.9, unlike=0.9),
        AnswerEvidence("blank", blank_reading(), unit(np.array([0.0, 1.0]))),
    ]
    assert order_by_similarity(answers) == ("blank", "right", "perhaps", "wrong", "unlike", "more unlike")


def test_saturated_chances_are_ordered_by_look() -> None:
    answers = [
        answer("far", 0.99999, 0, 1),
        answer("near", 0.9999, 1, 0.2),
        answer("nearest", 0.9995, 1, 0.1),
        answer("other", 0.9995, 1, 0.1),
    ]
    assert order_by_similarity(answers)[-1] == "far"
    wrong = [answer("far wrong", 0, 0, 1), answer("near wrong", 1e-9, 1, 0.3)]
    assert order_by_similarity([*wrong, *answers])[-2:] == ("near wrong", "far wrong")


def test_confirmed_answers_say_what_right_looks_like() -> None:
    answers = [
        answer("a", 0.5, 1, 0),
        answer("b", 0.5, 0, 1),
        answer("c", 0.5, 1, 0.1),
        answer("d", 0.5, 0.1, 1),
    ]
    assert order_by_similarity(answers, {"c"})[:1] == ("a",)
    assert order_by_similarity(answers, {"d"})[:1] == ("b",)


def test_without_model_answer_and_confirmed_ones_the_order_stays() -> None:
    answers = [answer("b", None, 1, 0), answer("a", None, 0, 1), answer("c", None, 1, 0)]
    assert order_by_similarity(answers) == ("b", "a", "c")
    assert order_by_similarity([]) == ()


@given(st.lists(st.tuples(CHANCES, CHANCES), max_size=40), st.sets(st.integers(0, 39)))
def test_every_answer_once_and_by_chance(chances: list[tuple[float, float]], confirmed: set[int]) -> None:
    answers = [
        answer(str(number), is_answer, 1, number, unlike=unlike)
        for number, (is_answer, unlike) in enumerate(chances)
    ]
    order = order_by_similarity(answers, {str(number) for number in confirmed})
    assert sorted(order) == sorted(one.key for one in answers)
    odds = [chances[int(key)] for key in order]
    expected = [is_answer for is_answer, unlike in odds if unlike < 0.5]
    assert all(late <= max(early * 4, 0.0025) for early, late in itertools.pairwise(expected))
    assert [unlike for _, unlike in odds[len(expected) :]] == sorted(
        unlike for _, unlike in chances if unlike >= 0.5
    )


@given(st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_right_answers_stand_together(seed: int) -> None:
    """Where the model's chances say nothing, a few confirmed answers bring the right ones to the front."""
    simulated = simulate_class(seed, 120, blank=0)
    written = [replace(one, reading=replace(one.reading, is_answer=0.5)) for one in simulated.evidence]
    text = max(simulated.truth.values(), key=list(simulated.truth.values()).count)
    right = [key for key in simulated.truth if simulated.truth[key] == text]
    order = order_by_similarity(written, right[:3])
    found = sum(simulated.truth[key] == text for key in order[: len(right)])
    assert found >= 0.9 * len(right)


@given(st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_order_given_matters_only_among_equals(seed: int) -> None:
    evidence = simulate_class(seed, 60, blank=0).evidence
    confirmed = {one.key for one in evidence[:5]}
    assert order_by_similarity(evidence, confirmed) == order_by_similarity(evidence[::-1], confirmed)
