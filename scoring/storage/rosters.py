"""Rosters (名簿) in the database: one a school and school year; who left stays, marked as such."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from omr.errors import Refusal, Refused
from scoring.roster import Roster, Student
from scoring.roster_changes import RosterChanges, compare_rosters
from scoring.storage.events import record
from scoring.storage.tables import ClassRow, RosterRow, StudentRow

if TYPE_CHECKING:
    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from scoring.storage.events import Deed


@dataclass(frozen=True, slots=True)
class StoredRoster:
    """The roster of a school year.

    Attributes:
        school_year: 年度.
        version: number of changes so far; 0 where there is no roster yet.
        roster: the students who are there now, in roster order.
    """

    school_year: int
    version: int
    roster: Roster


def find_roster(session: Session, school_id: str, school_year: int) -> StoredRoster:
    """The roster of a school year as it now is; an empty one where there is none."""
    row = session.scalar(_of(school_id, school_year))
    if row is None:
        return StoredRoster(school_year, 0, Roster(()))
    listed = (
        select(StudentRow, ClassRow)
        .join(ClassRow, ClassRow.id == StudentRow.class_id)
        .where(StudentRow.roster_id == row.id, StudentRow.left_at.is_(None))
        .order_by(StudentRow.place)
    )
    students = tuple(
        Student(one.student_id, in_class.grade, in_class.name, one.number, one.name, one.kana)
        for one, in_class in session.execute(listed)
    )
    return StoredRoster(school_year, row.version, Roster(students))


def find_roster_version(session: Session, school_id: str, school_year: int) -> int:
    """The number of changes of a roster so far; 0 where there is none."""
    return session.scalar(_of(school_id, school_year).with_only_columns(RosterRow.version)) or 0


def apply_roster(
    session: Session, deed: Deed, school_year: int, roster: Roster, *, version: int, confirmed: str
) -> tuple[StoredRoster, RosterChanges]:
    """Let a roster take the place of the one before, as a person confirmed it.

    Args:
        session: of `Database.write`.
        deed: who and when.
        school_year: 年度.
        roster: the whole new roster.
        version: of the roster that the person saw.
        confirmed: `RosterChanges.digest` of the changes that the person confirmed.

    Returns:
        The new roster and what changed.

    Raises:
        Refused: the roster changed meanwhile, or the changes are not those that were confirmed.
    """
    row = session.scalar(_of(deed.school_id, school_year).with_for_update())
    stored = find_roster(session, deed.school_id, school_year)
    changes = compare_rosters(stored.roster, roster)
    if stored.version != version or changes.digest != confirmed:
        raise Refused(
            Refusal.STALE,
            "名簿の変わるところが、確かめたときと違っています。もう一度確かめてから、反映してください。",
        )
    if row is None:
        row = RosterRow(
            school_id=deed.school_id,
            school_year=school_year,
            version=0,
            changed_at=deed.at,
            changed_by=deed.by,
        )
        session.add(row)
    row.version, row.changed_at, row.changed_by = version + 1, deed.at, deed.by
    session.flush()
    _write_students(session, deed, row, roster)
    counts = {"joined": len(changes.joined), "left": len(changes.left), "changed": len(changes.changed)}
    record(session, deed, "roster.changed", row.id, {"version": row.version, **counts})
    session.flush()
    return StoredRoster(school_year, row.version, roster), changes


def _of(school_id: str, school_year: int) -> Select[RosterRow]:
    return select(RosterRow).where(RosterRow.school_id == school_id, RosterRow.school_year == school_year)


def _write_students(session: Session, deed: Deed, row: RosterRow, roster: Roster) -> None:
    classes = _classes(session, row, roster)
    rows = {
        one.student_id: one
        for one in session.scalars(select(StudentRow).where(StudentRow.roster_id == row.id))
    }
    for place, student in enumerate(roster.students):
        known = rows.pop(student.student_id, None)
        if known is None:
            known = StudentRow(
                school_id=row.school_id,
                school_year=row.school_year,
                roster_id=row.id,
                student_id=student.student_id,
            )
            session.add(known)
        known.class_id = classes[student.grade, student.class_name]
        known.place, known.number, known.name, known.kana = (
            place,
            student.number,
            student.name,
            student.kana,
        )
        known.left_at = None
    for gone in rows.values():
        gone.left_at = gone.left_at or deed.at


def _classes(session: Session, row: RosterRow, roster: Roster) -> dict[tuple[str, str], str]:
    """The ids of the classes by grade and name; new ones are made."""
    known = {
        (one.grade, one.name): one.id
        for one in session.scalars(select(ClassRow).where(ClassRow.roster_id == row.id))
    }
    for student in roster.students:
        key = (student.grade, student.class_name)
        if key not in known:
            made = ClassRow(
                school_id=row.school_id,
                school_year=row.school_year,
                roster_id=row.id,
                grade=student.grade,
                name=student.class_name,
            )
            session.add(made)
            session.flush()
            known[key] = made.id
    return known
