"""Texts on a line by what the network says at each step."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ocr.answer_rules import AnswerKind
from ocr.line_reader import LineScores
from ocr.line_texts import LineTexts, allowed_classes, fraction_texts, line_texts

CLASSES = ("", "1", "2", "/", "鎌", "錬", "a")
PLACES = {one: at for at, one in enumerate(CLASSES)}


def line(*steps: dict[str, float]) -> LineScores:
    """Chances at each step; what is not named shares the rest."""
    rows = []
    for step in steps:
        rest = (1 - sum(step.values())) / (len(CLASSES) - len(step))
        rows.append([math.log(max(step.get(one, rest), 1e-9)) for one in CLASSES])
    return LineScores(np.array(rows, np.float32), np.zeros(4, np.float32))


def test_the_likeliest_text_comes_first_and_chances_add_up() -> None:
    scores = line({"鎌": 0.7, "錬": 0.25}, {"": 0.98}, {"1": 0.9})
    texts = line_texts(scores, CLASSES, PLACES, None, ())
    assert next(iter(texts.likelihoods)) == "鎌1"
    assert list(texts.likelihoods)[1] == "錬1"
    total = sum(math.exp(value) for value in texts.likelihoods.values()) + math.exp(texts.unlisted)
    assert total == pytest.approx(1, abs=1e-4)


def test_what_is_asked_about_has_a_likelihood_however_small() -> None:
    scores = line({"鎌": 0.999}, {"": 0.999})
    texts = line_texts(scores, CLASSES, PLACES, None, ("a", "知らない"))
    assert texts.likelihoods["a"] < math.log(0.01)
    assert "知らない" not in texts.likelihoods


def test_numbers_hold_no_kanji() -> None:
    allowed = allowed_classes(CLASSES, AnswerKind.NUMBER, ())
    assert allowed is not None
    scores = line({"鎌": 0.8, "1": 0.15})
    assert "鎌" not in line_texts(scores, CLASSES, PLACES, allowed, ()).likelihoods
    assert allowed_classes(CLASSES, AnswerKind.TEXT, ()) is None


def test_but_for_those_of_the_right_answer() -> None:
    allowed = allowed_classes(CLASSES, AnswerKind.NUMBER, ("1鎌",))
    assert allowed is not None
    assert allowed[PLACES["鎌"]]


def test_fractions_are_put_together_from_their_parts() -> None:
    one = LineTexts({"1": math.log(0.9), "2": math.log(0.1)}, -40.0)
    sign = LineTexts({"−": math.log(0.99)}, -40.0)
    found = fraction_texts(sign, one, one)
    assert next(iter(found.likelihoods)) == "−1/1"
    assert found.likelihoods["−2/1"] == pytest.approx(math.log(0.99 * 0.1 * 0.9))
    assert next(iter(fraction_texts(one, one, one).likelihoods)) == "1 1/1"
