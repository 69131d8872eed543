"""Who probably wrote a sheet that nothing proves: one assignment over the class, one student a sheet.

Evidence comes as a chance for each student (from digit bubbles; from handwritten digits once they are read);
evidence of several kinds is multiplied. What comes out is a guess for a person to confirm, never a proof.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linear_sum_assignment

from omr.layout import IdentityField

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from omr.reading import IdentityReading
    from scoring.roster import Student

LEAST_PROBABLE = 0.9
_FORGOTTEN_DIGIT = 0.05
"""Chance that a pupil leaves a row empty although its digit is not zero."""
_STRANGER = 0.01
"""Weight of the writer being none of the students at hand."""


@dataclass(frozen=True, slots=True)
class Guess:
    """The student who probably wrote a sheet, and the chance of that."""

    student: Student
    chance: float


def bubble_chance(identity: IdentityReading, student: Student) -> float:
    """The chance that a student with these numbers left these digit bubbles; 0 where they have no numbers."""
    chance = 1.0
    for field, number in zip(IdentityField, (student.grade, student.class_name, student.number), strict=True):
        rows = [row for row in identity.rows if row.field is field]
        if not number.isdecimal() or len(str(int(number))) > len(rows):
            return 0.0
        for row, digit in zip(rows, str(int(number)).zfill(len(rows)), strict=True):
            left_empty = 1.0 if digit == "0" and row is not rows[-1] else _FORGOTTEN_DIGIT
            chance *= row.chances[int(digit)] + left_empty * row.chances[-1]
    return chance


def fits_marks(identity: IdentityReading, student: Student) -> bool:
    """Whether a student's numbers agree with every digit that was marked."""
    for field, number in zip(IdentityField, (student.grade, student.class_name, student.number), strict=True):
        rows = [row for row in identity.rows if row.field is field]
        if not number.isdecimal() or len(str(int(number))) > len(rows):
            return False
        digits = str(int(number)).zfill(len(rows))
        if any(row.digit not in ("", digit) for row, digit in zip(rows, digits, strict=True)):
            return False
    return True


def assign_students(chances: NDArray[np.float64], students: Sequence[Student]) -> list[Guess | None]:
    """Assign sheets to students, each student at most once, so that all chances together are greatest.

    Args:
        chances: of the evidence of each sheet for each student, 0 to 1, (sheets, students).
        students: those without a sheet.

    Returns:
        For each sheet the student it probably belongs to, None where nobody is probable enough.
    """
    sheets = len(chances)
    if not sheets or not students:
        return [None] * sheets
    # Each sheet may also stay without a student, at the price of a stranger.
    strangers = np.full((sheets, sheets), _STRANGER)
    weights = np.log(np.maximum(np.hstack([chances, strangers]), 1e-12))
    rows, columns = linear_sum_assignment(weights, maximize=True)
    guesses: list[Guess | None] = [None] * sheets
    for sheet, column in zip(rows.tolist(), columns.tolist(), strict=True):
        if column < len(students):
            chance = float(chances[sheet, column] / (chances[sheet].sum() + _STRANGER))
            if chance >= LEAST_PROBABLE:
                guesses[sheet] = Guess(students[column], chance)
    return guesses
