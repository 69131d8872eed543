"""All answers of an exam from the database at once, in a few statements whatever the size of the exam."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np
from sqlalchemy import select

from omr.reading import PageStatus, ReadingStatus
from scoring.exam_answers import (
    ANOTHER_PICTURE,
    NOBODY_SAID,
    THIS_PICTURE,
    ExamAnswers,
    Examinee,
    ExamStudent,
    ReadAnswer,
    Words,
)
from scoring.judgement import Judgement, Mark
from scoring.storage.grading_tables import (
    AttendanceRow,
    JudgementRow,
    SecondGradingRow,
    StandingJudgementRow,
)
from scoring.storage.scan_tables import AnswerReadingRow, ScanPageRow
from scoring.storage.tables import ClassRow, ExamRow, RosterRow, StudentRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from scoring.storage.exams import StoredExam

SAID_BY_PERSON = "person"
"""Among the grounds of `scan_pages.owner`: a person said whose the page is, or that it is nobody's."""
_Said: TypeAlias = tuple[int, str, str | None, str]
"""Round, mark and points of a standing judgement, and `THIS_PICTURE` or `ANOTHER_PICTURE`."""


@dataclass(frozen=True, slots=True)
class _Page:
    id: str
    sheet: str
    student: str | None
    is_set_apart: bool


def load_answers(session: Session, exam: StoredExam) -> ExamAnswers:
    """The answers of all read pages of an exam, with the judgements that stand.

    Args:
        session: of `Database`.
        exam: from `exams.find_exam`, which asks for the school.
    """
    pages = _load_pages(session, exam)
    examinees, row_of_page = _examinees(_load_students(session, exam), pages)
    page_at = {page.id: at for at, page in enumerate(pages)}
    said, rounds = _load_judgements(session, exam), _load_standing(session, exam)
    readings: dict[tuple[str, str, str], int] = {}
    words: dict[tuple[str, tuple[_Said, ...]], int] = {}
    # Numbers in three lists, not rows: tens of thousands of rows would keep the garbage collector busy.
    page_index: list[int] = []
    reading_index: list[int] = []
    word_index: list[int] = []
    for page, question, status, reading, picture in _rows(session, _current_answers(exam)):
        page_index.append(page_at[page])
        reading_index.append(readings.setdefault((question, status, reading), len(readings)))
        answer = page, question
        by_round: tuple[_Said, ...] = ()
        for of_round, standing in rounds:
            if answer in standing:
                mark, points, judged = said[standing[answer]]
                by_round += (
                    (of_round, mark, points, THIS_PICTURE if judged == picture else ANOTHER_PICTURE),
                )
        word_index.append(words.setdefault((question, by_round), len(words)) if by_round else NOBODY_SAID)
    return ExamAnswers(
        examinees=examinees,
        pages=tuple(page_at),
        readings=tuple(ReadAnswer(one[0], ReadingStatus(one[1]), one[2]) for one in readings),
        words=tuple(_words(*one) for one in words),
        row=np.array(row_of_page, np.int32)[np.array(page_index, np.intp)],
        page=np.array(page_index, np.int32),
        reading=np.array(reading_index, np.int32),
        word=np.array(word_index, np.int32),
        graded_twice=frozenset(
            session.scalars(select(SecondGradingRow.question).where(SecondGradingRow.exam_id == exam.id))
        ),
    )


def _load_pages(session: Session, exam: StoredExam) -> Sequence[_Page]:
    """The read pages, in the order in which they came."""
    rows = session.execute(
        select(ScanPageRow.id, ScanPageRow.sheet, ScanPageRow.student_id, ScanPageRow.owner)
        .where(
            ScanPageRow.exam_id == exam.id,
            ScanPageRow.status == PageStatus.READ,
            ScanPageRow.reading_id.is_not(None),
        )
        .order_by(ScanPageRow.file_id, ScanPageRow.number, ScanPageRow.part)
    )
    return [
        _Page(
            row.id,
            # A page of no sheet is a sheet of its own.
            row.sheet or row.id,
            row.student_id,
            row.student_id is None and SAID_BY_PERSON in (row.owner or {}).get("grounds", ()),
        )
        for row in rows
    ]


def _load_students(session: Session, exam: StoredExam) -> Sequence[tuple[ExamStudent, bool]]:
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
            StudentRow.left_at,
        )
        .join(ClassRow, ClassRow.id == StudentRow.class_id)
        .join(RosterRow, RosterRow.id == StudentRow.roster_id)
        .join(ExamRow, ExamRow.school_id == RosterRow.school_id)
        .where(ExamRow.id == exam.id, RosterRow.school_year == exam.school_year)
        .order_by(StudentRow.place, StudentRow.id)
    )
    return [(ExamStudent(*row[:7], attendance.get(row.id, "")), row.left_at is None) for row in rows]


def _examinees(
    students: Sequence[tuple[ExamStudent, bool]], pages: Sequence[_Page]
) -> tuple[tuple[Examinee, ...], list[int]]:
    """Who has a score, and the index of each page's examinee.

    The roster is of the whole school, an exam of some grades (学年): expected are the students of the grades of which
    a page is there. Who left (転出) keeps their score.
    """
    sheets: dict[str, dict[str, None]] = {}
    for page in pages:
        if page.student is not None:
            sheets.setdefault(page.student, {})[page.sheet] = None
    grades = {student.grade for student, _ in students if student.id in sheets}
    examinees = [
        Examinee(tuple(sheets.get(student.id, ())), student)
        for student, is_there in students
        if student.id in sheets or student.attendance or (is_there and student.grade in grades)
    ]
    row_of = {one.key: row for row, one in enumerate(examinees)}
    rows = []
    for page in pages:
        key = (page.student, "") if page.student is not None else ("", page.sheet)
        if key not in row_of:
            row_of[key] = len(examinees)
            apart = all(one.is_set_apart for one in pages if one.student is None and one.sheet == page.sheet)
            examinees.append(Examinee((page.sheet,), None, apart))
        rows.append(row_of[key])
    return tuple(examinees), rows


def _load_judgements(session: Session, exam: StoredExam) -> Mapping[str, tuple[str, str | None, str]]:
    """Mark, points and picture of every judgement, by its id."""
    columns = (JudgementRow.id, JudgementRow.mark, JudgementRow.points, JudgementRow.picture)
    wanted = select(*columns).where(JudgementRow.exam_id == exam.id)
    return {one: (mark, points, picture) for one, mark, points, picture in _rows(session, wanted)}


def _load_standing(session: Session, exam: StoredExam) -> Sequence[tuple[int, Mapping[tuple[str, str], str]]]:
    """The ids of the judgements that stand, by round, then by page and question.

    A statement of its own: joined to the judgements by the database it takes several times as long.
    """
    rounds: dict[int, dict[tuple[str, str], str]] = {}
    wanted = select(
        StandingJudgementRow.page_id,
        StandingJudgementRow.question,
        StandingJudgementRow.round,
        StandingJudgementRow.judgement_id,
    ).where(StandingJudgementRow.exam_id == exam.id)
    for page, question, of_round, judgement in _rows(session, wanted):
        rounds.setdefault(of_round, {})[page, question] = judgement
    return sorted(rounds.items())


def _current_answers(exam: StoredExam) -> Select[*tuple[Any, ...]]:
    return (
        select(
            ScanPageRow.id,
            AnswerReadingRow.question,
            AnswerReadingRow.status,
            AnswerReadingRow.reading,
            AnswerReadingRow.picture,
        )
        .join(AnswerReadingRow, AnswerReadingRow.reading_id == ScanPageRow.reading_id)
        .where(ScanPageRow.exam_id == exam.id, ScanPageRow.status == PageStatus.READ)
    )


def _rows(session: Session, wanted: Select[*tuple[Any, ...]]) -> Iterable[Any]:
    """Rows of texts and whole numbers as the driver gives them, which spares half the time of making `Row`s."""
    cursor = session.connection().execute(wanted).cursor
    assert cursor is not None
    return cast("Iterable[Any]", cursor)


def _words(question: str, by_round: Sequence[_Said]) -> Words:
    return Words(
        question,
        tuple(
            (of_round, Judgement(Mark(mark), None if points is None else Decimal(points), picture))
            for of_round, mark, points, picture in by_round
        ),
    )
