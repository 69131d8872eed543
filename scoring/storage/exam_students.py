"""The students of an exam: those of its school year, and of whom a sheet is expected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from scoring.exam_answers import ExamStudent
from scoring.storage.grading_tables import AttendanceRow
from scoring.storage.tables import ClassRow, ExamRow, RosterRow, StudentRow

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from sqlalchemy.orm import Session

    from scoring.storage.exams import StoredExam


def load_students(session: Session, exam: StoredExam) -> Sequence[tuple[ExamStudent, bool]]:
    """The students of the exam's school year in roster order, and whether each is still there."""
    said = select(AttendanceRow.student_id, AttendanceRow.attendance).where(AttendanceRow.exam_id == exam.id)
    attendance = dict(session.execute(said.order_by(AttendanceRow.number)).all())
    rows = session.execute(
        select(
            StudentRow.id,
            StudentRow.student_id,
            StudentRow.class_id,
            ClassRow.grade,
            ClassRow.name,
            StudentRow.number,
            StudentRow.name,
            StudentRow.kana,
            StudentRow.left_at,
        )
        .join(ClassRow, ClassRow.id == StudentRow.class_id)
        .join(RosterRow, RosterRow.id == StudentRow.roster_id)
        .join(ExamRow, ExamRow.school_id == RosterRow.school_id)
        .where(ExamRow.id == exam.id, RosterRow.school_year == exam.school_year)
        .order_by(StudentRow.place, StudentRow.id)
    )
    return [
        (ExamStudent(*row[:7], attendance.get(row.id, ""), row.kana), row.left_at is None) for row in rows
    ]


def expected_students(
    students: Sequence[tuple[ExamStudent, bool]], with_pages: Container[str]
) -> list[ExamStudent]:
    """Of whom something is known or expected, in roster order.

    The roster is of the whole school, an exam of some grades (学年): expected are the students of the grades of which a
    page is there, and whoever has a page, or of whom it was said whether they sat the exam.

    Args:
        students: from `load_students`.
        with_pages: rows of the students of whom a page is there.
    """
    grades = {student.grade for student, _ in students if student.id in with_pages}
    return [
        student
        for student, is_there in students
        if student.id in with_pages or student.attendance or (is_there and student.grade in grades)
    ]
