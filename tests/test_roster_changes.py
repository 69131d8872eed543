"""The difference between two rosters, for any two rosters."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from scoring.roster import Roster, Student
from scoring.roster_changes import compare_rosters


@st.composite
def rosters(draw: st.DrawFn) -> Roster:
    """Rosters of few students, so that two of them have some in common."""
    ids = draw(st.lists(st.sampled_from("abcdef"), unique=True))
    return Roster(
        tuple(
            Student(one, "2", draw(st.sampled_from("12")), str(place), one, one)
            for place, one in enumerate(ids)
        )
    )


@given(rosters(), rosters())
def test_every_student_is_counted_once(before: Roster, after: Roster) -> None:
    changes = compare_rosters(before, after)
    assert len(changes.joined) + len(changes.changed) + changes.unchanged == len(after.students)
    assert len(changes.left) + len(changes.changed) + changes.unchanged == len(before.students)


@given(rosters(), rosters())
def test_the_changes_lead_from_one_to_the_other(before: Roster, after: Roster) -> None:
    changes = compare_rosters(before, after)
    known = {one.student_id: one for one in before.students}
    for gone in changes.left:
        del known[gone.student_id]
    known |= {one.after.student_id: one.after for one in changes.changed}
    known |= {one.student_id: one for one in changes.joined}
    assert known == {one.student_id: one for one in after.students}


@given(rosters(), rosters())
def test_there_and_back(before: Roster, after: Roster) -> None:
    there, back = compare_rosters(before, after), compare_rosters(after, before)
    assert set(there.joined) == set(back.left)
    assert {one.before for one in there.changed} == {one.after for one in back.changed}


@given(rosters(), rosters(), rosters())
def test_other_changes_have_another_digest(before: Roster, one: Roster, other: Roster) -> None:
    first, second = compare_rosters(before, one), compare_rosters(before, other)
    same = (first.joined, first.left, first.changed) == (second.joined, second.left, second.changed)
    assert (first.digest == second.digest) == same
