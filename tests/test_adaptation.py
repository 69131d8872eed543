"""Confirmed answers sharpen the rest of an exam: fewer doubtful readings, none less exact."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocr.adaptation import AdaptationLines, adapt_readings
from ocr.prototypes import ConfirmedAnswer, Prototypes, learn_prototypes
from ocr.reading import AnswerEvidence, WrittenReading, WrittenStatus
from tests.simulated_answers import SURE, SimulatedClass, reading_of, simulate_class, unit

if TYPE_CHECKING:
    from random import Random

SEEDS = st.integers(0, 10**6)
LINES = AdaptationLines(ok=1 - (1 - SURE) / 2)
"""Half the share of wrong ones that the simulated model allows."""


def confirm(simulated: SimulatedClass, count: int) -> list[ConfirmedAnswer]:
    """The first answers, with what a person says of them."""
    return [ConfirmedAnswer(simulated.truth[one.key], one) for one in simulated.evidence[:count]]


def adapt(
    simulated: SimulatedClass, count: int
) -> tuple[tuple[AnswerEvidence, ...], tuple[WrittenReading, ...]]:
    """The answers that nobody confirmed, and their readings after `count` others were."""
    rest = simulated.evidence[count:]
    return rest, adapt_readings(rest, learn_prototypes(confirm(simulated, count)), lines=LINES)


def tally(
    evidence: tuple[AnswerEvidence, ...], readings: tuple[WrittenReading, ...], simulated: SimulatedClass
) -> Counter[str]:
    """How many readings have each status, and how many that are ok are wrong."""
    counts: Counter[str] = Counter(one.status for one in readings)
    counts["wrong"] = sum(
        reading.status is WrittenStatus.OK and reading.text != simulated.truth[one.key]
        for one, reading in zip(evidence, readings, strict=True)
    )
    return counts


def two_texts(count: int) -> list[ConfirmedAnswer]:
    """As many sure answers of ア about one direction as of イ about another."""
    rng = np.random.default_rng(1)
    return [
        ConfirmedAnswer(text, AnswerEvidence(f"{text}{number}", reading_of({text: 0.9999}), unit(point)))
        for text, centre in (("ア", (1.0, 0.0, 0.0)), ("イ", (0.0, 1.0, 0.0)))
        for number, point in enumerate(np.array(centre) + rng.normal(0, 0.2, (count, 3)))
    ]


def one_answer(reading: WrittenReading, *direction: float) -> AnswerEvidence:
    return AnswerEvidence("one", reading, unit(np.array(direction, np.float64)))


def test_doubtful_share_falls_and_exactness_does_not() -> None:
    """Exams whose writing differs from what the model knows, with a few sure misreadings among them."""
    before: Counter[str] = Counter()
    after: Counter[str] = Counter()
    for seed in range(20):
        simulated = simulate_class(seed, 600, writers=0.17, slips=0.002)
        rest, readings = adapt(simulated, 300)
        before += tally(rest, tuple(one.reading for one in rest), simulated)
        after += tally(rest, readings, simulated)
    assert before["doubtful"] > 200
    assert after["doubtful"] <= 0.85 * before["doubtful"]
    assert after["ok"] > before["ok"]
    assert before["wrong"] >= 5
    assert after["wrong"] <= before["wrong"] / 2


def test_confirmed_doubtful_readings_prove_what_the_look_is_worth() -> None:
    """In an exam that differs much the prototypes count for more than in one that the model knows well."""
    weights = {
        exam: np.mean(
            [
                learn_prototypes(confirm(simulate_class(seed, 300, writers=0.18, exam=exam), 300)).weight
                for seed in range(20)
            ]
        )
        for exam in (0.0, 0.1)
    }
    assert weights[0.0] < 0.3 < 0.5 < weights[0.1]


def test_chances_stay_calibrated() -> None:
    """What the adapted readings claim is what is right, also where the look says nothing new."""
    for exam in (0.0, 0.08):
        claimed, right = 0.0, []
        for seed in range(20):
            simulated = simulate_class(seed, 400, writers=0.18, exam=exam)
            rest, readings = adapt(simulated, 200)
            for one, reading in zip(rest, readings, strict=True):
                if one.reading.status is WrittenStatus.DOUBTFUL:
                    claimed += reading.confidence or 0
                    right.append(reading.text == simulated.truth[one.key])
        deviation = np.sqrt(len(right) * np.mean(right) * (1 - np.mean(right)))
        assert abs(claimed - sum(right)) < 3 * deviation


@given(SEEDS, st.integers(0, 150), st.sampled_from([0.12, 0.18]))
@settings(max_examples=40, deadline=None)
def test_no_reading_becomes_ok_with_another_text(seed: int, count: int, writers: float) -> None:
    simulated = simulate_class(seed, 200, writers=writers, slips=0.02)
    for one, new in zip(*adapt(simulated, count), strict=True):
        old = one.reading
        assert new.status is not WrittenStatus.OK or new.text == old.text
        assert (new.status is WrittenStatus.BLANK) is (old.status is WrittenStatus.BLANK)
        assert new == old or new.model != old.model
        assert old.status is WrittenStatus.DOUBTFUL or new.status is WrittenStatus.DOUBTFUL or new == old
        chances = [alternative.chance for alternative in new.alternatives]
        assert sum(chances) <= 1 + 1e-9
        assert chances == sorted(chances, reverse=True)


@given(SEEDS, st.randoms(use_true_random=False))
@settings(max_examples=15, deadline=None)
def test_order_of_confirming_does_not_matter(seed: int, random: Random) -> None:
    simulated = simulate_class(seed, 150)
    confirmed = confirm(simulated, 100)
    shuffled = list(confirmed)
    random.shuffle(shuffled)
    assert learn_prototypes(shuffled) == learn_prototypes(confirmed)


def test_nothing_confirmed_changes_nothing() -> None:
    evidence = simulate_class(1).evidence
    readings = tuple(one.reading for one in evidence)
    assert adapt_readings(evidence, Prototypes()) == readings
    assert adapt_readings(evidence, learn_prototypes([])) == readings
    one_text = [one for one in two_texts(20) if one.text == "ア"]
    few = two_texts(4)
    assert learn_prototypes(one_text).slope == learn_prototypes(few).slope == 0
    assert adapt_readings([], learn_prototypes(two_texts(20))) == ()


def test_prototypes_earn_their_limits() -> None:
    """The more confirmed the more they count, and the less the more they were wrong."""
    few, many = (learn_prototypes(two_texts(count)).limits for count in (10, 100))
    assert (few < many).all()
    # 0 wrong of n: the bound is about 3 / n.
    assert many == pytest.approx(np.log(100 / 3), abs=0.1)
    wrongly = [replace(one, text="イ") if number < 5 else one for number, one in enumerate(two_texts(100))]
    assert learn_prototypes(wrongly).limits[0] < many[0] - 0.5


def test_labels_that_the_look_does_not_know_earn_nothing() -> None:
    """An answer's own part in a prototype proves nothing of it."""
    rng = np.random.default_rng(2)
    for count in (2, 10, 40):
        confirmed = [
            ConfirmedAnswer(
                text, AnswerEvidence(f"{text}{number}", reading_of({text: 0.9}), unit(rng.normal(size=64)))
            )
            for text in ("ア", "イ", "ウ", "エ", "オ")
            for number in range(count)
        ]
        prototypes = learn_prototypes(confirmed)
        assert prototypes.limits == pytest.approx(0)
        assert prototypes.weight == 0


def test_sure_reading_that_looks_like_another_text_becomes_doubtful() -> None:
    prototypes = learn_prototypes(two_texts(30))
    misread = replace(reading_of({"イ": 0.9999}, is_answer=0.9999), unlike=0.00005)
    (new,) = adapt_readings([one_answer(misread, 1, 0, 0)], prototypes, right_answers={"イ"})
    assert (new.status, new.text) == (WrittenStatus.DOUBTFUL, "ア")
    assert new.confidence == pytest.approx(0.5)
    assert new.is_answer == pytest.approx(0.5, abs=0.001)
    assert new.unlike == pytest.approx(0.000025)
    assert new.model == "simulated 1, 60 confirmed"
    (same,) = adapt_readings([one_answer(misread, 0, 1, 0)], prototypes)
    assert same is misread
    unknown_text = reading_of({"ウ": 0.9999})
    (new,) = adapt_readings([one_answer(unknown_text, 0, 0, 1)], prototypes)
    assert new is unknown_text


def test_look_alone_makes_nothing_ok() -> None:
    """Prototypes trusted without end still need the model's best text to be theirs."""
    trusted = replace(learn_prototypes(two_texts(30)), limits=np.array([50.0, 50.0]), weight=1.0)
    for chances in ({"イ": 0.7, "ア": 0.3}, {"ア": 0.4, "イ": 0.3}):
        (new,) = adapt_readings(
            [one_answer(reading_of(chances, 0.3), 1, 0, 0)], trusted, right_answers={"ア"}
        )
        assert (new.text, new.status) == ("ア", WrittenStatus.DOUBTFUL)
        assert new.is_answer == pytest.approx(0.3 + (new.confidence or 0) - chances["ア"])
    (new,) = adapt_readings([one_answer(reading_of({"ア": 0.7, "イ": 0.3}), 1, 0, 0)], trusted)
    assert (new.text, new.status) == ("ア", WrittenStatus.OK)
    (new,) = adapt_readings([one_answer(reading_of({"ア": 0.7, "イ": 0.3}), 0.8, 0, 0.6)], trusted)
    assert (new.confidence or 0) > 0.9999  # but nothing like it was confirmed
    assert new.status is WrittenStatus.DOUBTFUL


def test_texts_are_compared_in_their_canonical_form() -> None:
    prototypes = learn_prototypes(
        [replace(one, text="ａ" if one.text == "ア" else "ｂ") for one in two_texts(30)],
        canonical=lambda text: {"ａ": "a", "ｂ": "b"}.get(text, text),
    )
    assert prototypes.texts == ("a", "b")
    (new,) = adapt_readings(
        [one_answer(reading_of({"ａ": 0.9999}), 1, 0, 0)],
        prototypes,
        canonical=lambda text: {"ａ": "a", "ｂ": "b"}.get(text, text),
    )
    assert new.status is WrittenStatus.OK
