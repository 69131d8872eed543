"""What a new roster changes (転入, 転出, 変更), for a person to confirm."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scoring.roster import COLUMNS

if TYPE_CHECKING:
    from scoring.roster import Roster, Student


@dataclass(frozen=True, slots=True)
class StudentChange:
    """A student (変更) as the roster had them and as the new one has them."""

    before: Student
    after: Student


@dataclass(frozen=True, slots=True)
class RosterChanges:
    """The difference between two rosters; students are the same by `student_id`.

    Attributes:
        joined: 転入, in the order of the new roster.
        left: 転出, in the order of the old one.
        changed: 変更, in the order of the new roster.
        unchanged: number of the others.
    """

    joined: tuple[Student, ...]
    left: tuple[Student, ...]
    changed: tuple[StudentChange, ...]
    unchanged: int

    @property
    def digest(self) -> str:
        """What a person confirms, as 64 hex digits: other changes have another one."""
        parts = [
            [_cells(one) for one in self.joined],
            [_cells(one) for one in self.left],
            [[_cells(one.before), _cells(one.after)] for one in self.changed],
        ]
        return hashlib.sha256(json.dumps(parts, ensure_ascii=True).encode()).hexdigest()


def compare_rosters(before: Roster, after: Roster) -> RosterChanges:
    """What becomes of `before` where `after` takes its place; the order of lines changes nothing."""
    known = {student.student_id: student for student in before.students}
    listed = {student.student_id for student in after.students}
    changed = tuple(
        StudentChange(old, student)
        for student in after.students
        if (old := known.get(student.student_id)) is not None and old != student
    )
    joined = tuple(student for student in after.students if student.student_id not in known)
    return RosterChanges(
        joined=joined,
        left=tuple(student for student in before.students if student.student_id not in listed),
        changed=changed,
        unchanged=len(after.students) - len(joined) - len(changed),
    )


def _cells(student: Student) -> list[str]:
    cells = (
        student.student_id,
        student.grade,
        student.class_name,
        student.number,
        student.name,
        student.kana,
    )
    assert len(cells) == len(COLUMNS)
    return list(cells)
