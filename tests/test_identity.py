"""Guesses of who wrote a sheet: one student a sheet, and nobody rather than somebody improbable."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from scoring.identity import LEAST_PROBABLE, assign_students
from scoring.roster import Student

STUDENTS = [Student(f"id-{n}", "1", "1", str(n), f"見本 {n}", "") for n in range(6)]


def test_two_sheets_never_go_to_one_student() -> None:
    chances = np.array([[0.9, 0.05, 0, 0, 0, 0], [0.95, 0.0, 0, 0, 0, 0]])
    first, second = assign_students(chances, STUDENTS)
    assert second is not None
    assert second.student is STUDENTS[0]
    assert first is None or first.student is not STUDENTS[0]


def test_without_evidence_there_is_no_guess() -> None:
    assert assign_students(np.full((3, 6), 1e-9), STUDENTS) == [None] * 3
    assert assign_students(np.full((2, 6), 0.5), STUDENTS) == [None] * 2
    assert assign_students(np.empty((2, 0)), []) == [None] * 2


@given(arrays.arrays(np.float64, (4, 6), elements=st.floats(0, 1)))
def test_a_guess_is_probable_and_its_student_is_taken_once(chances: np.ndarray) -> None:
    guesses = [guess for guess in assign_students(chances, STUDENTS) if guess is not None]
    assert len({guess.student.student_id for guess in guesses}) == len(guesses)
    assert all(LEAST_PROBABLE <= guess.chance <= 1 for guess in guesses)
