"""What speaks for each student having written a sheet: the evidence as data, and how likely it is.

Evidence of several kinds is independent given the writer, so its chances are multiplied (naive Bayes). A
number is taken digit by digit: a reader gives the chance of each digit and of an empty place, and pupils
forget digits and write wrong ones at the rates named here.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from omr.layout import IdentityField
from omr.reading import ReadingStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from omr.reading import IdentityReading
    from scoring.roster import Student

    Floats = NDArray[np.float64]

DIGITS = tuple("0123456789")
FORGOTTEN = 0.05
"""Chance that a pupil leaves a place empty that needs a digit."""
MISTAKEN = 0.0002
"""Chance that a pupil marks or writes a wrong digit in a place."""
_ZERO_UNMARKED = 0.5
"""Chance that a leading zero is left out: 07 and 7 are both usual."""
_CLEAR = 0.99999
"""What a place counts that its reader calls safe to take."""
_NOT_KNOWN = len(DIGITS)
_LIKE_THE_ROSTER = 0.5
"""Share of a stranger's digits that are like those of the roster (the same year, a class of the same size)."""


@dataclass(frozen=True, slots=True)
class PlaceReading:
    """One place (digit) of a student's number, as some reader saw it.

    Attributes:
        field: what it belongs to.
        chances: of 0 to 9, and last that the place is empty; they sum to 1.
    """

    field: IdentityField
    chances: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class NumberReading:
    """Grade, class and number of one sheet as one reader saw them: bubbles, or written digits.

    Any reader can give it, whatever it is built on; `omr` gives it of bubbles.

    Attributes:
        places: the most significant digit of a field first; fields that are not on the sheet are left out.
        is_clear: whether the reader calls every digit that is needed safe to take.
    """

    places: tuple[PlaceReading, ...]
    is_clear: bool

    @property
    def digits(self) -> tuple[str, ...]:
        """The likeliest digit of each place; empty where none is likelier."""
        return tuple((*DIGITS, "")[int(np.argmax(place.chances))] for place in self.places)

    @property
    def has_digits(self) -> bool:
        """Whether a digit stands in any place."""
        return any(self.digits)


@dataclass(frozen=True, slots=True)
class SheetEvidence:
    """All that speaks for whose one page is.

    Attributes:
        stack: the pile it was scanned in; the papers of a pile come in scan order.
        code: the student whom its printed code names; empty where it names nobody.
        bubbles: the number by its digit bubbles.
        written: the number by hand, once a reader of digits gives it.
        mate: the student to whom another page of the same set is proven to belong; empty where there is none.
    """

    stack: str
    code: str = ""
    bubbles: NumberReading | None = None
    written: NumberReading | None = None
    mate: str = ""


def bubbled_number(identity: IdentityReading | None) -> NumberReading | None:
    """The digit bubbles of a page as evidence."""
    if identity is None:
        return None
    is_clear = identity.status is ReadingStatus.OK
    places = []
    for row in identity.rows:
        chances = np.asarray(row.chances)
        if is_clear:
            chances = np.full(len(DIGITS) + 1, (1 - _CLEAR) / len(DIGITS))
            chances[int(row.digit) if row.digit else -1] = _CLEAR
        places.append(PlaceReading(row.field, tuple(chances.tolist())))
    return NumberReading(tuple(places), is_clear)


class RosterNumbers:
    """The numbers of a roster's students, to hold against what was read.

    Args:
        students: at least one.
    """

    def __init__(self, students: Sequence[Student]) -> None:
        self._students = students
        self._meant: dict[tuple[IdentityField, ...], NDArray[np.intp]] = {}
        self._places: dict[tuple[IdentityField, ...], dict[tuple[int, ...], list[int]]] = {}

    def claim(self, number: NumberReading) -> int | None:
        """The one student (by position) whose number is clearly the one that was read; None if there is none.

        An empty leading place is taken for a zero.
        """
        if not number.is_clear:
            return None
        fields = tuple(place.field for place in number.places)
        read = tuple(int(digit or 0) for digit in number.digits)
        here = self._by_digits(fields).get(read, [])
        return here[0] if len(here) == 1 else None

    def likelihoods(self, number: NumberReading) -> tuple[Floats, float]:
        """How likely a number was read so if each of the students wrote it, and if a stranger did.

        Returns:
            For the students, shape (students,), and for somebody who is not in the roster.
        """
        fields = tuple(place.field for place in number.places)
        meant = self._meant_digits(fields)
        of_students, of_stranger = np.ones(len(meant)), 1.0
        for at, place in enumerate(number.places):
            is_last = place.field not in fields[at + 1 :]
            by_digit = _digit_likelihoods(np.asarray(place.chances), is_last=is_last)
            of_place = by_digit[meant[:, at]]
            of_students *= of_place
            anything = 0.9 * float(by_digit[:-1].mean()) + 0.1 * place.chances[-1]
            of_stranger *= _LIKE_THE_ROSTER * float(of_place.mean()) + (1 - _LIKE_THE_ROSTER) * anything
        return of_students, of_stranger

    def _by_digits(self, fields: tuple[IdentityField, ...]) -> dict[tuple[int, ...], list[int]]:
        if fields not in self._places:
            by_digits = self._places.setdefault(fields, {})
            for student, digits in enumerate(self._meant_digits(fields).tolist()):
                by_digits.setdefault(tuple(digits), []).append(student)
        return self._places[fields]

    def _meant_digits(self, fields: tuple[IdentityField, ...]) -> NDArray[np.intp]:
        """The digit that each student means in each place, `_NOT_KNOWN` where they have none: (students, places)."""
        if fields not in self._meant:
            rows = [
                [
                    int(digit) if digit else _NOT_KNOWN
                    for field in dict.fromkeys(fields)
                    for digit in _roster_digits(student, field, fields.count(field))
                ]
                for student in self._students
            ]
            self._meant[fields] = np.array(rows, np.intp).reshape(len(rows), len(fields))
        return self._meant[fields]


def _digit_likelihoods(chances: Floats, *, is_last: bool) -> Floats:
    """How likely a place was read so for each digit that is meant there, and last for one that is not known."""
    shown, empty = chances[:-1], chances[-1]
    wrong = MISTAKEN * (shown.sum() - shown) / (len(DIGITS) - 1)
    likelihoods = (1 - MISTAKEN - FORGOTTEN) * shown + FORGOTTEN * empty + wrong
    if not is_last:
        likelihoods[0] = (1 - MISTAKEN) * ((1 - _ZERO_UNMARKED) * shown[0] + _ZERO_UNMARKED * empty) + wrong[
            0
        ]
    return np.append(likelihoods, 1 / len(chances))


def _roster_digits(student: Student, field: IdentityField, places: int) -> Sequence[str]:
    """A student's grade, class or number with leading zeros; empty texts where it can't be shown so (class A)."""
    text, unit = {
        IdentityField.GRADE: (student.grade, "年"),
        IdentityField.CLASS: (student.class_name, "組"),
        IdentityField.NUMBER: (student.number, "番"),
    }[field]
    plain = unicodedata.normalize("NFKC", text).strip().removesuffix(unit)
    if not plain.isdecimal() or len(str(int(plain))) > places:
        return [""] * places
    return str(int(plain)).zfill(places)
