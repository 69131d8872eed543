"""Who sat an exam: 出席, 欠席, 公欠, 後日受験 or 別室 of each student; only added to, the last word counts."""

from __future__ import annotations

import datetime  # noqa: TC003  (part of public signatures)
from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from omr.errors import InputError, Refusal, Refused
from omr.reading import PageStatus
from scoring.storage.changes import note_change
from scoring.storage.events import record
from scoring.storage.grading_tables import AttendanceRow
from scoring.storage.scan_tables import ScanPageRow
from scoring.storage.tables import RosterRow, StudentRow

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy.orm import Session

    from scoring.storage.events import Deed
    from scoring.storage.exams import StoredExam


class Attendance(StrEnum):
    """Whether a student sat an exam: 出席, 欠席, 公欠, 後日受験, 別室."""

    PRESENT = "present"
    ABSENT = "absent"
    EXCUSED = "excused"
    LATER = "later"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True)
class NewAttendance:
    """What somebody says of a student.

    Attributes:
        student_id: of `students`.
        attendance: what they say.
        number: of the word that they saw; 0 for none.
    """

    student_id: str
    attendance: Attendance
    number: int


@dataclass(frozen=True, slots=True)
class SaidAttendance:
    """The last word on a student's attendance."""

    number: int
    attendance: Attendance
    made_at: datetime.datetime
    made_by: str


@dataclass(frozen=True, slots=True)
class StudentAttendance:
    """A student, what was said of their attendance, and the pages that are proven theirs.

    Attributes:
        student_id: of `students`.
        said: the last word; None where nobody said anything.
        page_ids: their read pages.
    """

    student_id: str
    said: SaidAttendance | None
    page_ids: tuple[str, ...]

    @property
    def is_contradiction(self) -> bool:
        """Whether somebody who did not sit the exam handed in a page: one of the two is wrong."""
        absent = {Attendance.ABSENT, Attendance.EXCUSED}
        return self.said is not None and self.said.attendance in absent and bool(self.page_ids)


class SaidMeanwhile(Refused):
    """Somebody else said something of the same students since the caller looked; nothing that was sent is kept.

    Args:
        conflicts: what was sent, and how that student stands now.
    """

    def __init__(self, conflicts: Sequence[tuple[NewAttendance, StudentAttendance]]) -> None:
        super().__init__(
            Refusal.STALE,
            f"{len(conflicts)}人の出欠が、開いているあいだに変わりました。今の出欠を確かめて、もう一度送ってください。",
        )
        self.conflicts = tuple(conflicts)

    def __reduce__(self) -> Any:
        return SaidMeanwhile, (self.conflicts,)


def list_attendances(
    session: Session, exam: StoredExam, school_id: str, students: Collection[str] | None = None
) -> Sequence[StudentAttendance]:
    """The students of the exam's school year in roster order; who left only where they have a page or a word.

    Args:
        session: of `Database`.
        exam: whose.
        school_id: whose the exam is.
        students: only these, if they are there; None for all.
    """
    listed = (
        select(StudentRow.id, StudentRow.left_at)
        .join(RosterRow, RosterRow.id == StudentRow.roster_id)
        .where(RosterRow.school_id == school_id, RosterRow.school_year == exam.school_year)
        .order_by(StudentRow.place, StudentRow.id)
    )
    if students is not None:
        listed = listed.where(StudentRow.id.in_(students))
    said, pages = find_attendances(session, exam), _pages(session, exam)
    return [
        StudentAttendance(row.id, said.get(row.id), pages.get(row.id, ()))
        for row in session.execute(listed)
        if row.left_at is None or row.id in said or row.id in pages
    ]


def find_attendances(session: Session, exam: StoredExam) -> Mapping[str, SaidAttendance]:
    """The last word on each student of whom something was said."""
    last = (
        select(AttendanceRow.student_id, func.max(AttendanceRow.number).label("number"))
        .where(AttendanceRow.exam_id == exam.id)
        .group_by(AttendanceRow.student_id)
        .subquery()
    )
    rows = session.scalars(
        select(AttendanceRow)
        .join(
            last,
            (last.c.student_id == AttendanceRow.student_id) & (last.c.number == AttendanceRow.number),
        )
        .where(AttendanceRow.exam_id == exam.id)
    )
    return {
        row.student_id: SaidAttendance(row.number, Attendance(row.attendance), row.made_at, row.made_by)
        for row in rows
    }


def add_attendances(
    session: Session, deed: Deed, exam: StoredExam, items: Sequence[NewAttendance]
) -> Sequence[StudentAttendance]:
    """Say who sat an exam, all or none; in any state of the exam, since 後日受験 comes late.

    A request may be repeated: what this account said already is not said twice.

    Args:
        session: of `Database.write`.
        deed: who and when.
        exam: from `exams.hold_exam` in this session.
        items: at most one a student.

    Raises:
        SaidMeanwhile: somebody else did since the caller looked.
        Refused: a student is not in the roster of the exam's school year.
        InputError: a student comes twice.
    """
    wanted = [item.student_id for item in items]
    if len(set(wanted)) < len(wanted):
        raise InputError("同じ生徒の出欠が2回送られました。1つにして、もう一度送ってください。")
    now = {one.student_id: one for one in list_attendances(session, exam, deed.school_id, wanted)}
    if set(now) != set(wanted):
        raise Refused(
            Refusal.NOT_FOUND,
            "この年度の名簿にいない生徒がいます。名簿を確かめて、画面を開き直してください。",
        )
    new = [item for item in items if not _is_said(deed, item, now[item.student_id])]
    stale = [(item, now[item.student_id]) for item in new if _number(now[item.student_id]) != item.number]
    if stale:
        raise SaidMeanwhile(stale)
    if not new:
        return list(now.values())
    session.add_all(
        AttendanceRow(
            school_id=deed.school_id,
            school_year=exam.school_year,
            exam_id=exam.id,
            student_id=item.student_id,
            number=item.number + 1,
            attendance=item.attendance,
            made_at=deed.at,
            made_by=deed.by,
        )
        for item in new
    )
    session.flush()
    record(session, deed, "attendance.said", exam.id, {"count": len(new)})
    students = [item.student_id for item in new]
    note_change(session, deed, exam.id, "attendance.said", {"students": students})
    return list_attendances(session, exam, deed.school_id, wanted)


def _is_said(deed: Deed, item: NewAttendance, now: StudentAttendance) -> bool:
    """Whether this is the same request again."""
    said = now.said
    return said is not None and (said.number, said.attendance, said.made_by) == (
        item.number + 1,
        item.attendance,
        deed.by,
    )


def _number(one: StudentAttendance) -> int:
    return one.said.number if one.said is not None else 0


def _pages(session: Session, exam: StoredExam) -> Mapping[str, tuple[str, ...]]:
    rows = session.execute(
        select(ScanPageRow.student_id, ScanPageRow.id)
        .where(
            ScanPageRow.exam_id == exam.id,
            ScanPageRow.status == PageStatus.READ,
            ScanPageRow.student_id.is_not(None),
        )
        .order_by(ScanPageRow.sheet_page, ScanPageRow.id)
    )
    pages: dict[str, list[str]] = defaultdict(list)
    for student, page in rows:
        pages[str(student)].append(page)
    return {student: tuple(found) for student, found in pages.items()}
