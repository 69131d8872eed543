"""Whose sheet it is: proven is never wrong, probable is as often right as it says, and the rest is for a person."""

from __future__ import annotations

from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.assignment import pair_chances
from scoring.identity import Ground, Outcome, Owner, SheetOwners
from scoring.identity_evidence import NumberReading, SheetEvidence
from scoring.scan_order import order_factors
from tests.class_papers import Paper, Rates, digits_of, draw_class, make_roster, read_number

STUDENTS = make_roster(size=40)
BLANK = NumberReading(read_number("_____").places, is_clear=False)


def _owners(*papers: SheetEvidence, mates: dict[int, str] | None = None) -> list[Owner]:
    mates = mates or {}
    return SheetOwners(papers, STUDENTS).guess([mates.get(at, "") for at in range(len(papers))])


def _bubbled(digits: str, written: NumberReading | None = None) -> SheetEvidence:
    return SheetEvidence("a.pdf", bubbles=read_number(digits), written=written)


def _whole_class(**replaced: SheetEvidence) -> list[SheetEvidence]:
    """All forty papers in order; those named `n12` and so on are others."""
    return [replaced.get(f"n{one.number}", _bubbled(digits_of(one))) for one in STUDENTS]


def _decide(papers: list[Paper]) -> list[Owner]:
    students = make_roster(max(int(one.writer.split("-")[1]) for one in papers if one.writer))
    return SheetOwners([one.evidence for one in papers], students).guess([""] * len(papers))


_rates = st.builds(
    Rates,
    absent=st.sampled_from([0, 0.03, 0.3]),
    unclear=st.sampled_from([0, 0.02, 0.2]),
    blank=st.sampled_from([0, 0.01, 0.2]),
    forgotten=st.sampled_from([0, 0.05, 0.3]),
    wrong=st.sampled_from([0, 0.05, 0.5]),
    foreign=st.sampled_from([0, 1, 20]),
    second_paper=st.sampled_from([0, 0.02, 0.2]),
)


@settings(max_examples=60, deadline=None)
@given(_rates, st.integers(2, 45), st.integers(1, 3), st.integers(0, 2**32))
def test_a_proven_owner_is_never_wrong_and_no_student_has_two_papers(
    rates: Rates, size: int, classes: int, seed: int
) -> None:
    students = make_roster(classes, size)
    papers = draw_class(students, rates, np.random.default_rng(seed))
    owners = SheetOwners([one.evidence for one in papers], students).guess([""] * len(papers))
    settled = [owner.student for owner in owners if owner.student and owner.outcome is not Outcome.TWICE]
    assert len(set(settled)) == len(settled)
    for paper, owner in zip(papers, owners, strict=True):
        if owner.outcome is Outcome.PROVEN:
            assert owner.student is not None
            assert owner.student.student_id == paper.writer
            assert owner.chance is not None
            assert owner.chance >= 0.999
        assert (owner.student is None) == (owner.chance is None)


def test_clear_papers_of_a_class_are_all_proven() -> None:
    for rates in (Rates(0, 0, 0, forgotten=0), Rates(absent=0.5, unclear=0, blank=0, forgotten=0)):
        students = make_roster(9)
        papers = draw_class(students, rates, np.random.default_rng(1))
        owners = SheetOwners([one.evidence for one in papers], students).owners
        in_full = [
            owner
            for paper, owner in zip(papers, owners, strict=True)
            if paper.evidence.bubbles and "" not in paper.evidence.bubbles.digits
        ]
        assert len(in_full) > 80
        assert {owner.outcome for owner in in_full} == {Outcome.PROVEN}


def test_nine_classes_with_a_fifth_of_the_papers_unreadable() -> None:
    students = make_roster(9)
    papers = draw_class(students, Rates(blank=0.2, forgotten=0, unclear=0), np.random.default_rng(2))
    owners = _decide(papers)
    by_outcome = {one: [owner for owner in owners if owner.outcome is one] for one in Outcome}
    assert len(by_outcome[Outcome.PROVEN]) > 0.6 * len(papers)
    assert not by_outcome[Outcome.TWICE]
    probable = [
        owner.student is not None and owner.student.student_id == paper.writer
        for paper, owner in zip(papers, owners, strict=True)
        if owner.outcome is Outcome.PROBABLE
    ]
    assert len(probable) > 0.1 * len(papers)
    assert np.mean(probable) > 0.97


def test_a_probable_owner_is_right_at_least_as_often_as_it_says() -> None:
    said, right = [], []
    for seed in range(12):
        students = make_roster(2)
        rates = Rates(unclear=0.2, forgotten=0.1, blank=0.05)
        papers = draw_class(students, rates, np.random.default_rng(seed))
        owners = SheetOwners([one.evidence for one in papers], students).guess([""] * len(papers))
        for paper, owner in zip(papers, owners, strict=True):
            if owner.student is not None and owner.chance is not None and owner.outcome is Outcome.PROBABLE:
                said.append(owner.chance)
                right.append(owner.student.student_id == paper.writer)
    assert len(said) > 500
    assert np.mean(right) >= np.mean(said) - 0.01


def test_a_code_proves_and_leaves_its_student_to_nobody_else() -> None:
    code, bubbled = _owners(SheetEvidence("a.pdf", code="id-1-12"), _bubbled("20112"))
    assert (code.outcome, code.grounds) == (Outcome.PROVEN, (Ground.CODE,))
    assert bubbled.outcome is Outcome.TWICE


def test_a_wrong_number_that_another_pupil_gives_too_is_settled_by_no_one() -> None:
    # No. 12 marked 13: both papers claim 13, nobody is 12.
    owners = _owners(*_whole_class(n12=_bubbled("20113")))
    assert [at for at, owner in enumerate(owners) if owner.outcome is Outcome.TWICE] == [11, 12]
    assert {owner.outcome for at, owner in enumerate(owners) if at not in (11, 12)} == {Outcome.PROVEN}


def test_scan_order_tells_which_of_two_is_whose_as_a_guess() -> None:
    first, second = _owners(*_whole_class(n12=_bubbled("20113")))[11:13]
    assert first.student is STUDENTS[11]
    assert second.student is STUDENTS[12]
    assert Ground.ORDER in first.grounds
    reversed_pile = _owners(*reversed(_whole_class(n12=_bubbled("20113"))))
    assert reversed_pile[28].student is STUDENTS[11]
    shuffled = np.random.default_rng(3).permutation(40)
    papers = _whole_class(n12=_bubbled("20113"))
    in_no_order = _owners(*(papers[at] for at in shuffled))
    assert [one.student for one in in_no_order if one.outcome is Outcome.TWICE] == [None, None]


def test_without_any_number_the_place_in_a_sorted_pile_and_who_is_left_make_it_probable_at_most() -> None:
    nothing = SheetEvidence("a.pdf", bubbles=BLANK)
    owners = _owners(*_whole_class(n7=nothing, n30=nothing))
    assert [owners[at].outcome for at in (6, 29)] == [Outcome.PROBABLE] * 2
    assert [owners[at].student for at in (6, 29)] == [STUDENTS[6], STUDENTS[29]]
    assert Ground.ORDER in owners[6].grounds
    alone = _owners(*_whole_class(n7=nothing))[6]
    assert alone.outcome is Outcome.PROBABLE
    assert Ground.ELIMINATION in alone.grounds
    assert _owners(nothing)[0].outcome is Outcome.UNKNOWN


def test_a_written_number_confirms_contradicts_and_suggests_but_does_not_prove_alone() -> None:
    agreeing, other = read_number("20112"), read_number("20125")
    both = _owners(_bubbled("20112", agreeing))[0]
    assert (both.outcome, both.grounds) == (Outcome.PROVEN, (Ground.BUBBLES, Ground.WRITTEN))
    assert _owners(_bubbled("20112", other))[0].outcome is not Outcome.PROVEN
    alone = _owners(SheetEvidence("a.pdf", bubbles=BLANK, written=agreeing))[0]
    assert (alone.outcome, alone.student) == (Outcome.PROBABLE, STUDENTS[11])
    assert Ground.WRITTEN in alone.grounds
    # The tens that were not marked stand in the written number.
    forgotten = _owners(_bubbled("201_2"), _bubbled("201_2", agreeing))
    assert forgotten[1].student is STUDENTS[11]
    assert _owners(_bubbled("201_2", read_number("20102")))[0].outcome is Outcome.PROVEN


def test_another_paper_that_fits_only_the_claimed_student_keeps_a_number_from_being_proof() -> None:
    # No. 12 marked 13; the tens of No. 13's own paper are hard to read, but its 3 fits nobody else who is open.
    chances = tuple([0.3 if one in (1, 2) else 0.05 for one in range(10)] + [0.0])
    unclear = SheetEvidence("a.pdf", bubbles=read_number("20113", {3: chances}))
    owners = _owners(*_whole_class(n12=_bubbled("20113"), n13=unclear))
    assert owners[11].outcome is not Outcome.PROVEN
    # With No. 12's own paper there as well nobody else can have marked 13.
    owners = _owners(*_whole_class(), unclear)
    assert owners[12].outcome is Outcome.PROVEN


def test_a_pile_of_another_class_is_nobody_s() -> None:
    foreign = [_bubbled(digits_of(one)[:2] + "4" + digits_of(one)[3:]) for one in STUDENTS]
    assert {owner.outcome for owner in _owners(*foreign)} == {Outcome.UNKNOWN}


def test_the_other_page_of_the_set_makes_it_probable() -> None:
    page = SheetEvidence("a.pdf", bubbles=BLANK)
    (owner,) = _owners(page, mates={0: "id-1-5"})
    assert (owner.outcome, owner.student) == (Outcome.PROBABLE, STUDENTS[4])


@pytest.mark.parametrize(("sheets", "students"), [(1, 1), (2, 2), (3, 5), (5, 3), (4, 4)])
def test_the_chance_of_a_pair_is_near_the_sum_over_all_assignments(sheets: int, students: int) -> None:
    random = np.random.default_rng(sheets * 10 + students)
    for spread in (1.0, 3.0, 6.0):
        for _ in range(20):
            weights = random.normal(0, spread, (sheets, students))
            nobody = random.normal(-2, 1, sheets)
            got = pair_chances(weights, nobody)
            best, exact = _by_enumeration(weights, nobody)
            assert np.allclose(got.of_students, best, atol=1e-9)
            sure = got.of_students > 0.95
            assert (exact[sure] > 0.85).all()
            assert np.allclose(got.of_students.sum(axis=1) + got.of_nobody, 1)


def _by_enumeration(weights: np.ndarray, nobody: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The chances of pairs from the best assignments, and from the sums over all, counting every one."""
    sheets, students = weights.shape
    best, total = np.zeros((sheets, students + 1)), np.zeros((sheets, students + 1))
    for columns in set(permutations([*range(students), *[students] * sheets], sheets)):
        weight = np.exp(
            sum(nobody[at] if to == students else weights[at, to] for at, to in enumerate(columns))
        )
        for at, to in enumerate(columns):
            best[at, to] = max(best[at, to], weight)
            total[at, to] += weight
    normalised = (best / best.sum(axis=1, keepdims=True), total / total.sum(axis=1, keepdims=True))
    return normalised[0][:, :students], normalised[1][:, :students]


def test_papers_in_a_gap_of_a_sorted_pile_come_in_order() -> None:
    owners: list[int | None] = [*range(10), None, None, *range(12, 20)]
    factors = order_factors(owners, [10, 11, 25])
    assert factors.argmax(axis=1).tolist() == [0, 1]
    assert (factors[:, 2] < 0.2).all()
    assert np.array_equal(order_factors([None, None], [1, 2]), np.ones((2, 2)))


@given(st.permutations(range(12)), st.sets(st.integers(0, 11), max_size=5))
def test_scan_order_is_a_hint_that_rules_nobody_out(pile: list[int], hidden: set[int]) -> None:
    owners = [None if one in hidden else one for one in pile]
    factors = order_factors(owners, sorted(hidden))
    assert factors.shape == (len(hidden), len(hidden))
    assert (factors > 0).all()
    steps = [one < other for one, other in pairwise(one for one in owners if one is not None)]
    if len(hidden) and 2 * sum(steps) == len(steps):
        assert np.allclose(factors, 1)
