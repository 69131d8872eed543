"""Whole classes as their papers' numbers are read: forgotten, unclear and wrong digits, absent and foreign pupils."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from omr.layout import IdentityField
from scoring.identity_evidence import NumberReading, PlaceReading, SheetEvidence
from scoring.roster import Student

if TYPE_CHECKING:
    from numpy.random import Generator

FIELDS = (
    IdentityField.GRADE,
    IdentityField.CLASS,
    IdentityField.CLASS,
    IdentityField.NUMBER,
    IdentityField.NUMBER,
)


@dataclass(frozen=True)
class Rates:
    """How often something goes wrong, a student or a paper each."""

    absent: float = 0.03
    unclear: float = 0.05
    blank: float = 0.01
    forgotten: float = 0.05
    wrong: float = 0.0
    foreign: float = 0.0
    second_paper: float = 0.0


@dataclass(frozen=True)
class Paper:
    """A paper and who wrote it: a student's id, or nothing for a foreign pupil."""

    evidence: SheetEvidence
    writer: str


def make_roster(classes: int = 1, size: int = 40) -> list[Student]:
    """Classes of the second year."""
    return [
        Student(f"id-{group}-{number}", "2", str(group), str(number), f"見本 {group}{number:02}", "")
        for group in range(1, classes + 1)
        for number in range(1, size + 1)
    ]


def digits_of(student: Student) -> str:
    """Grade, class and number as five digits."""
    return f"{student.grade}{int(student.class_name):02}{int(student.number):02}"


def read_number(digits: str, unclear: dict[int, tuple[float, ...]] | None = None) -> NumberReading:
    """A number as bubbles give it.

    Args:
        digits: five characters, `_` for an empty place.
        unclear: the chances of places that are not clear.
    """
    unclear = unclear or {}
    places = []
    for at, (field, digit) in enumerate(zip(FIELDS, digits, strict=True)):
        shown = np.full(11, 1e-6)
        shown[-1 if digit == "_" else int(digit)] = 1 - 1e-5
        places.append(PlaceReading(field, unclear.get(at, tuple(shown.tolist()))))
    return NumberReading(tuple(places), is_clear=not unclear)


def draw_class(students: list[Student], rates: Rates, random: Generator) -> list[Paper]:
    """The papers of an exam, in the order of the roster.

    A wrong number, or a foreign pupil's, is one that nobody has or that its owner gives in full as well: when a
    pupil takes the number of somebody who gave none, bubbles alone can't tell.
    """
    present = [one for one in students if random.random() >= rates.absent]
    shown = {one.student_id: _shown(digits_of(one), rates, random) for one in present}
    numbers = {one.student_id: _number(shown[one.student_id], rates, random) for one in present}
    in_full = {"".join(one.digits) for one in numbers.values() if one.is_clear and "" not in one.digits}
    may_be_taken = in_full | (
        {f"{number:05}" for number in range(100_000)} - {digits_of(one) for one in students}
    )
    papers = []
    for student in present:
        number = numbers[student.student_id]
        at = int(random.integers(5))
        meant = digits_of(student)
        wrong = meant[:at] + str(random.integers(10)) + meant[at + 1 :]
        if random.random() < rates.wrong and meant not in in_full and wrong in may_be_taken:
            number = read_number(wrong)
        copies = 2 if random.random() < rates.second_paper else 1
        papers += [Paper(SheetEvidence("a.pdf", bubbles=number), student.student_id)] * copies
    for _ in range(int(random.poisson(rates.foreign))):
        digits = f"{random.integers(1, 4)}{random.integers(1, 10):02}{random.integers(1, 41):02}"
        if digits in may_be_taken:
            place = int(random.integers(len(papers) + 1))
            papers.insert(place, Paper(SheetEvidence("a.pdf", bubbles=read_number(digits)), ""))
    return papers


def _shown(digits: str, rates: Rates, random: Generator) -> str:
    """What a pupil marks: leading zeros or not, and now and then no tens."""
    zeros = bool(random.random() < 0.5)
    marks = list(digits)
    for at in (1, 3):
        if (marks[at] == "0" and not zeros) or random.random() < rates.forgotten:
            marks[at] = "_"
    return "".join(marks)


def _number(digits: str, rates: Rates, random: Generator) -> NumberReading:
    if random.random() < rates.blank:
        return NumberReading(read_number("_____").places, is_clear=False)
    unclear = {
        at: _unclear_chances(digit, random)
        for at, digit in enumerate(digits)
        if random.random() < rates.unclear
    }
    return read_number(digits, unclear)


def _unclear_chances(digit: str, random: Generator) -> tuple[float, ...]:
    """Chances that are right as often as they say: two digits come into question."""
    truth = 10 if digit == "_" else int(digit)
    other = int(random.choice([one for one in range(11) if one != truth]))
    share = float(random.uniform(0.5, 0.98))
    first, second = (truth, other) if random.random() < share else (other, truth)
    chances = np.full(11, 1e-4)
    chances[first], chances[second] = share, 1 - share
    return tuple((chances / chances.sum()).tolist())
