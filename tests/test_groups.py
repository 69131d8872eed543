"""Groups of equal answers: pure, stable while scans come in, and the same whatever the order."""

from __future__ import annotations

from collections import Counter
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocr.groups import AnswerGroup, GroupKind, GroupLines, group_answers
from ocr.reading import AnswerEvidence, WrittenReading, WrittenStatus
from tests.simulated_answers import SimulatedClass, blank_reading, reading_of, simulate_class, unit

if TYPE_CHECKING:
    from random import Random

SEEDS = st.integers(0, 10**6)
TEXT_ALONE = GroupLines(near=-1, rival=9, rival_members=10**9)


def answer(key: str, reading: WrittenReading, *direction: float) -> AnswerEvidence:
    return AnswerEvidence(key, reading, unit(np.array(direction, np.float64)))


def sure(text: str) -> WrittenReading:
    return reading_of({text: 0.9995})


def members(groups: tuple[AnswerGroup, ...]) -> list[tuple[str, ...]]:
    return [group.members for group in groups]


def misplaced(groups: tuple[AnswerGroup, ...], simulated: SimulatedClass) -> int:
    """How many answers are in a group most of whose members mean something else."""
    counts = [Counter(simulated.truth[key] for key in group.members) for group in groups]
    return sum(count.total() - max(count.values()) for count in counts)


def test_text_and_look_must_agree() -> None:
    groups = group_answers(
        [
            answer("a", sure("ア"), 1, 0, 0),
            answer("b", sure("ア"), 0.9, 0.1, 0),
            answer("c", sure("イ"), 1, 0, 0.1),  # looks like ア, but nothing forbids: only two are ア
            answer("d", sure("ア"), 0, 0, 1),  # ア of another make
        ]
    )
    assert members(groups) == [("a", "b"), ("d",), ("c",)]


def test_sure_misreading_stays_alone_and_takes_nobody_in() -> None:
    alike = [answer(f"a{number}", sure("ツ"), 1, 0.01 * number, 0) for number in range(5)]
    first = group_answers([*alike, answer("x", sure("シ"), 1, 0.02, 0)])
    assert [(group.kind, group.members) for group in first] == [
        (GroupKind.EQUAL, ("a0", "a1", "a2", "a3", "a4")),
        (GroupKind.ALONE, ("x",)),
    ]
    second = group_answers(
        [*alike, answer("x", sure("シ"), 1, 0.02, 0), answer("y", sure("シ"), 1, 0.02, 0)], first
    )
    assert [(group.kind, group.members) for group in second[2:]] == [(GroupKind.ALONE, ("y",))]


def test_two_misreadings_do_not_vouch_for_each_other() -> None:
    """They lie on both sides of the text that they are, each farther from the other than from that."""
    known = [answer(f"a{number}", sure("ツ"), 1, 0, 0) for number in range(5)]
    misread = [answer("x", sure("シ"), 1, 0.5, 0.3), answer("y", sure("シ"), 1, -0.5, 0.3)]
    assert members(group_answers([*known, *misread]))[1:] == [("x",), ("y",)]
    assert members(group_answers(misread)) == [("x", "y")]


def test_doubtful_stay_alone_and_blank_are_one_group() -> None:
    doubtful = reading_of({"ア": 0.9, "マ": 0.1})
    groups = group_answers(
        [
            answer("d1", doubtful, 1, 0),
            answer("d2", doubtful, 1, 0),
            answer("a", sure("ア"), 1, 0),
            answer("b1", blank_reading(), 0, 1),
            answer("b2", blank_reading(), 1, 0),
        ]
    )
    assert [(group.kind, group.text, group.members) for group in groups] == [
        (GroupKind.BLANK, "", ("b1", "b2")),
        (GroupKind.EQUAL, "ア", ("a",)),
        (GroupKind.ALONE, "ア", ("d1",)),
        (GroupKind.ALONE, "ア", ("d2",)),
    ]


def test_texts_are_compared_in_their_canonical_form() -> None:
    answers = [answer("a", sure("1/2"), 1, 0), answer("b", sure("１/２"), 1, 0.1)]
    assert len(group_answers(answers)) == 2
    (group,) = group_answers(answers, canonical=lambda text: text.translate(str.maketrans("１２", "12")))
    assert (group.text, group.members) == ("1/2", ("a", "b"))


def test_chain_of_likenesses_is_no_group() -> None:
    angles = np.linspace(0, np.pi, 60)
    chain = [
        answer(f"{number:02d}", sure("7"), float(np.cos(angle)), float(np.sin(angle)))
        for number, angle in enumerate(angles)
    ]
    rows = {one.key: one.embedding for one in chain}
    for group in group_answers(chain, lines=GroupLines(near=0.9)):
        together = np.stack([rows[key] for key in group.members])
        assert float((together @ together.T).min()) > 0.5


def test_two_answers_of_one_key_are_refused() -> None:
    with pytest.raises(ValueError, match="same key"):
        group_answers([answer("a", sure("ア"), 1, 0), answer("a", sure("イ"), 0, 1)])


def test_nothing_gives_no_groups() -> None:
    assert group_answers([]) == ()


def test_members_without_evidence_stay_in_their_group() -> None:
    groups = group_answers([answer("a", sure("ア"), 1, 0), answer("b", sure("ア"), 1, 0.1)])
    assert members(
        group_answers([answer("b", sure("ア"), 1, 0.1), answer("c", sure("ア"), 1, 0)], groups)
    ) == [("a", "b", "c")]
    assert members(group_answers([answer("c", sure("ア"), 1, 0)], groups)) == [("a", "b"), ("c",)]


@given(SEEDS, st.integers(0, 300), st.integers(0, 300))
@settings(max_examples=40, deadline=None)
def test_groups_only_grow_when_scans_are_added(seed: int, first: int, second: int) -> None:
    evidence = simulate_class(seed, 300, slips=0.02).evidence
    first, second = sorted((first, second))
    earlier: tuple[AnswerGroup, ...] = ()
    for end in (first, second, 300):
        groups = group_answers(evidence[:end], earlier)
        for old, new in zip(earlier, groups[: len(earlier)], strict=True):
            assert (new.identity, new.kind, new.text) == (old.identity, old.kind, old.text)
            assert new.members[: len(old.members)] == old.members
            assert new.kind is not GroupKind.ALONE or len(new.members) == 1
        placed = [key for group in groups for key in group.members]
        assert sorted(placed) == sorted(one.key for one in evidence[:end])
        assert len({group.identity for group in groups}) == len(groups)
        assert group_answers(evidence[:end], groups) == groups
        earlier = groups


@given(SEEDS, st.randoms(use_true_random=False), st.integers(0, 120))
@settings(max_examples=40, deadline=None)
def test_order_of_the_answers_does_not_matter(seed: int, random: Random, first: int) -> None:
    evidence = list(simulate_class(seed, 120, slips=0.02).evidence)
    earlier = group_answers(evidence[:first])
    shuffled = list(evidence)
    random.shuffle(shuffled)
    assert group_answers(shuffled, earlier) == group_answers(evidence, earlier)
    assert group_answers(shuffled) == group_answers(evidence)


@given(SEEDS)
@settings(max_examples=40, deadline=None)
def test_members_are_sure_and_read_the_same(seed: int) -> None:
    evidence = {one.key: one.reading for one in simulate_class(seed, 200, writers=0.14).evidence}
    for group in group_answers(simulate_class(seed, 200, writers=0.14).evidence):
        readings = [evidence[key] for key in group.members]
        if group.kind is GroupKind.EQUAL:
            assert all(one.status is WrittenStatus.OK and one.text == group.text for one in readings)
        elif group.kind is GroupKind.BLANK:
            assert all(one.status is WrittenStatus.BLANK for one in readings)


def test_groups_are_purer_than_the_readings() -> None:
    """Where the model is surely wrong in 4 of 1,000, at most 2 of 1,000 are misplaced; by text alone they would be more."""
    by_text = by_both = grouped = groups_made = wrong = 0
    for seed in range(25):
        simulated = simulate_class(seed, 400, slips=0.004)
        groups = group_answers(simulated.evidence)
        by_both += misplaced(groups, simulated)
        by_text += misplaced(group_answers(simulated.evidence, lines=TEXT_ALONE), simulated)
        grouped += sum(len(group.members) for group in groups if len(group.members) > 1)
        groups_made += len(groups)
        wrong += simulated.wrong_ok()
    assert wrong >= 30
    assert by_text >= 0.7 * wrong
    assert by_both <= 0.002 * grouped
    assert grouped >= 0.97 * 25 * 400
    assert groups_made <= 25 * 20


def test_groups_stay_pure_when_scans_come_one_file_after_the_other() -> None:
    misplaced_answers = 0
    for seed in range(10):
        simulated = simulate_class(seed, 400, slips=0.004)
        groups: tuple[AnswerGroup, ...] = ()
        for end in range(40, 401, 40):
            groups = group_answers(simulated.evidence[:end], groups)
        misplaced_answers += misplaced(groups, simulated)
        assert len(groups) <= 40
    assert misplaced_answers <= 0.002 * 4000


def test_a_year_is_grouped_at_once() -> None:
    evidence = simulate_class(1, 2000).evidence
    different = [
        answer(f"k{number}", sure(str(number)), *one.embedding) for number, one in enumerate(evidence)
    ]
    for answers in (evidence, different):
        started = perf_counter()
        group_answers(answers)
        # Some 0.05 s on a free core; the rest is room for a busy machine.
        assert perf_counter() - started < 2
