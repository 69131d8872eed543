"""All answers of an exam from the database at once, in a few statements whatever the size of the exam."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

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
from scoring.identity import Ground
from scoring.judgement import ROUNDS, Judgement, Mark
from scoring.storage.exam_students import expected_students, load_students
from scoring.storage.grading_tables import (
    JudgementRow,
    SecondGradingRow,
    StandingJudgementRow,
)
from scoring.storage.scan_tables import AnswerReadingRow, ScanPageRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray
    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from scoring.storage.exams import StoredExam

_ROWS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class _Page:
    id: str
    sheet: str
    student: str | None
    is_set_apart: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Places:
    """Where each answer stands: the indices of its page and its question, and its picture."""

    page_at: dict[str, int]
    question_at: dict[str, int]
    page: NDArray[np.int32]
    question: NDArray[np.int32]
    pictures: Sequence[str]

    def find(self, pages: Sequence[str], questions: Sequence[str]) -> NDArray[np.int64]:
        """The index of the answer on each of these pages to each of these questions; -1 where there is none."""
        width = len(self.question_at) + 1
        # The last row and column are those of pages and questions without answers.
        answer_at = np.full((len(self.page_at) + 1, width), -1, np.int64)
        answer_at[self.page, self.question] = np.arange(len(self.page))
        page = [self.page_at.get(one, -1) for one in pages]
        question = [self.question_at.get(one, -1) for one in questions]
        return answer_at[np.array(page, np.intp), np.array(question, np.intp)]


def load_answers(session: Session, exam: StoredExam) -> ExamAnswers:
    """The answers of all read pages of an exam, with the judgements that stand.

    Args:
        session: of `Database`.
        exam: from `exams.find_exam`, which asks for the school.
    """
    pages = _load_pages(session, exam)
    examinees, row_of_page = _examinees(load_students(session, exam), pages)
    page_at = {page.id: at for at, page in enumerate(pages)}
    on_page, asked, statuses, texts, pictures = _load_columns(session, _current_answers(exam))
    question_at: dict[str, int] = {}
    reading_at: dict[tuple[str, str, str], int] = {}
    places = _Places(page_at, question_at, _numbers(on_page, page_at), _numbers(asked, question_at), pictures)
    reading = _numbers(zip(asked, statuses, texts, strict=True), reading_at)
    words, word = _find_words(session, exam, places)
    return ExamAnswers(
        examinees=examinees,
        pages=tuple(page_at),
        readings=tuple(ReadAnswer(one[0], ReadingStatus(one[1]), one[2]) for one in reading_at),
        words=words,
        row=np.array(row_of_page, np.int32)[places.page],
        page=places.page,
        reading=reading,
        word=word,
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
            row.student_id is None and Ground.PERSON in (row.owner or {}).get("grounds", ()),
        )
        for row in rows
    ]


def _examinees(
    students: Sequence[tuple[ExamStudent, bool]], pages: Sequence[_Page]
) -> tuple[tuple[Examinee, ...], list[int]]:
    """Who has a score, and the index of each page's examinee.

    Besides those who are expected (`exam_students.expected_students`): who left (転出) keeps their score.
    """
    sheets: dict[str, dict[str, None]] = {}
    for page in pages:
        if page.student is not None:
            sheets.setdefault(page.student, {})[page.sheet] = None
    examinees = [
        Examinee(tuple(sheets.get(student.id, ())), student)
        for student in expected_students(students, sheets)
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


def _find_words(
    session: Session, exam: StoredExam, places: _Places
) -> tuple[tuple[Words, ...], NDArray[np.int32]]:
    """What persons said of the answers, each different one once, and its index for each answer."""
    ids, marks, points, pictures = _load_columns(
        session,
        select(JudgementRow.id, JudgementRow.mark, JudgementRow.points, JudgementRow.picture).where(
            JudgementRow.exam_id == exam.id
        ),
    )
    # A statement of its own: joined to the judgements by the database it takes several times as long.
    standing = select(
        StandingJudgementRow.page_id,
        StandingJudgementRow.question,
        StandingJudgementRow.round,
        StandingJudgementRow.judgement_id,
    ).where(StandingJudgementRow.exam_id == exam.id)
    pages, questions, rounds, judgement_ids = _load_columns(session, standing)
    judgement_at = {one: at for at, one in enumerate(ids)}
    judged = np.array([judgement_at[one] for one in judgement_ids], np.intp)
    answer = places.find(pages, questions)

    said_at: dict[tuple[str, str | None], int] = {}
    said = _numbers(zip(marks, points, strict=True), said_at)[judged]
    is_this = np.array(pictures, object)[judged] == np.array([*places.pictures, None], object)[answer]
    # Of each answer and round: twice the index of what was said, and one more for this picture; -1 for nothing.
    table = np.full((len(places.page) + 1, len(ROUNDS)), -1, np.int64)
    table[answer, np.array(rounds, np.intp) - 1] = 2 * said + is_this
    return _different_words(table[:-1], places, list(said_at))


def _different_words(
    table: NDArray[np.int64], places: _Places, said: Sequence[tuple[str, str | None]]
) -> tuple[tuple[Words, ...], NDArray[np.int32]]:
    word = np.full(len(table), NOBODY_SAID, np.int32)
    judged = np.flatnonzero((table != -1).any(axis=1))
    keys = zip(places.question[judged].tolist(), *table[judged].T.tolist(), strict=True)
    word_at: dict[tuple[int, ...], int] = {}
    word[judged] = _numbers(keys, word_at)
    questions = list(places.question_at)
    words = tuple(
        Words(
            questions[question],
            tuple(
                (of_round, _judgement(*said[code // 2], THIS_PICTURE if code % 2 else ANOTHER_PICTURE))
                for of_round, code in zip(ROUNDS, codes, strict=True)
                if code != -1
            ),
        )
        for question, *codes in word_at
    )
    return words, word


def _judgement(mark: str, points: str | None, picture: str) -> Judgement:
    return Judgement(Mark(mark), None if points is None else Decimal(points), picture)


def _numbers(values: Iterable[Any], known: dict[Any, int]) -> NDArray[np.int32]:
    """The number of each value; those that are not known yet get the next ones."""
    return np.array([known.setdefault(one, len(known)) for one in values], np.int32)


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


def _load_columns(session: Session, wanted: Select[*tuple[Any, ...]]) -> Sequence[Sequence[Any]]:
    """Columns of texts and whole numbers as the driver gives them, which spares the making of tens of thousands of `Row`s."""
    cursor = session.connection().execute(wanted).cursor
    assert cursor is not None
    columns: list[list[Any]] = [[] for _ in wanted.selected_columns]
    # Few rows at a time: tens of thousands at once would set the garbage collector going over everything there is.
    while rows := cursor.fetchmany(_ROWS_AT_ONCE):
        for column, values in zip(columns, zip(*rows, strict=True), strict=True):
            column.extend(values)
    return columns
