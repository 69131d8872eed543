"""The answers to one question of an exam, as they now are: what was read, where the pictures lie, what was judged."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import func, select

from omr.layout import QuestionKind
from omr.reading import PageStatus, ReadingStatus
from scoring.question_answer import QuestionAnswer, StandingMark
from scoring.storage.grading_tables import JudgementRow, StandingJudgementRow
from scoring.storage.scan_tables import AnswerReadingRow, ScanPageRow
from scoring.storage.tables import ClassRow, StudentRow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from scoring.storage.exams import StoredExam


class ReadingCount(NamedTuple):
    """How many answers to a question have one reading."""

    question: str
    status: ReadingStatus
    reading: str
    answers: int


class JudgementCount(NamedTuple):
    """How many answers to a question have one mark in a round."""

    question: str
    round: int
    mark: str
    answers: int


def load_answers(session: Session, stored: StoredExam, question: str) -> Sequence[QuestionAnswer]:
    """The answers of all pages that are read, in grading order: grade, class, number; unknown owners last."""
    rows = session.execute(
        _current(
            stored,
            ScanPageRow.id,
            ScanPageRow.sheet,
            StudentRow.id,
            ClassRow.grade,
            ClassRow.name,
            StudentRow.number,
            StudentRow.name,
            AnswerReadingRow.reading_id,
            AnswerReadingRow.kind,
            AnswerReadingRow.status,
            AnswerReadingRow.reading,
            AnswerReadingRow.confidence,
            AnswerReadingRow.is_answer,
            AnswerReadingRow.alternatives,
            AnswerReadingRow.reader,
            AnswerReadingRow.picture,
            AnswerReadingRow.atlas,
            AnswerReadingRow.x,
            AnswerReadingRow.y,
            AnswerReadingRow.w,
            AnswerReadingRow.h,
        )
        .outerjoin(StudentRow, StudentRow.id == ScanPageRow.student_id)
        .outerjoin(ClassRow, ClassRow.id == StudentRow.class_id)
        .where(AnswerReadingRow.question == question)
        .order_by(StudentRow.place, ScanPageRow.file_id, ScanPageRow.number, ScanPageRow.part)
    )
    answers = []
    for row in rows:
        values: list[Any] = [*row[:8], QuestionKind(row[8]), ReadingStatus(row[9]), *row[10:13]]
        values += [parse_alternatives(row[13]), *row[14:17], tuple(row[17:])]
        answers.append(QuestionAnswer(*values))
    return sorted(answers, key=_grading_place)


def load_embeddings(session: Session, stored: StoredExam, question: str) -> Mapping[str, bytes]:
    """What the readers made of the pictures, float16, by page; pages without are absent."""
    rows = session.execute(
        _current(stored, ScanPageRow.id, AnswerReadingRow.embedding).where(
            AnswerReadingRow.question == question, AnswerReadingRow.embedding.is_not(None)
        )
    )
    return {row.id: row.embedding for row in rows}


def load_standing(session: Session, stored: StoredExam, question: str) -> Mapping[str, list[StandingMark]]:
    """The judgements that count, by page, each page's in the order of the rounds."""
    rows = session.execute(
        select(
            StandingJudgementRow.page_id,
            StandingJudgementRow.round,
            StandingJudgementRow.version,
            JudgementRow.mark,
            JudgementRow.points,
            JudgementRow.picture,
            JudgementRow.made_by,
        )
        .join(JudgementRow, JudgementRow.id == StandingJudgementRow.judgement_id)
        .where(StandingJudgementRow.exam_id == stored.id, StandingJudgementRow.question == question)
        .order_by(StandingJudgementRow.round)
    )
    standing: dict[str, list[StandingMark]] = {}
    for row in rows:
        standing.setdefault(row[0], []).append(StandingMark(*row[1:]))
    return standing


def count_readings(session: Session, stored: StoredExam) -> Sequence[ReadingCount]:
    """How often each reading stands on the exam's pages, so that each needs to be marked once only."""
    columns = (AnswerReadingRow.question, AnswerReadingRow.status, AnswerReadingRow.reading)
    rows = session.execute(_current(stored, *columns, func.count()).group_by(*columns))
    return [
        ReadingCount(question, ReadingStatus(status), reading, answers)
        for question, status, reading, answers in rows
    ]


def count_judgements(session: Session, stored: StoredExam) -> Sequence[JudgementCount]:
    """How many answers on pages that are read have which mark."""
    columns = (StandingJudgementRow.question, StandingJudgementRow.round, JudgementRow.mark)
    rows = session.execute(
        select(*columns, func.count())
        .join(JudgementRow, JudgementRow.id == StandingJudgementRow.judgement_id)
        .join(ScanPageRow, ScanPageRow.id == StandingJudgementRow.page_id)
        .where(StandingJudgementRow.exam_id == stored.id, ScanPageRow.status == PageStatus.READ)
        .group_by(*columns)
    )
    return [JudgementCount(*row) for row in rows]


def has_atlas(session: Session, school_id: str, digest: str) -> bool:
    """Whether an answer of this school has its picture in this atlas."""
    found = select(AnswerReadingRow.id).where(
        AnswerReadingRow.atlas == digest, AnswerReadingRow.school_id == school_id
    )
    return session.scalar(found.limit(1)) is not None


def parse_alternatives(text: str) -> tuple[tuple[str, float], ...]:
    """The texts and chances that `answer_readings.alternatives` holds as JSON; none where it is empty."""
    return tuple((one, chance) for one, chance in json.loads(text)) if text else ()


def _current(stored: StoredExam, *columns: Any) -> Select[Any]:
    """Of the answers whose page counts and whose reading is its current one."""
    return (
        select(*columns)
        .select_from(ScanPageRow)
        .join(AnswerReadingRow, AnswerReadingRow.reading_id == ScanPageRow.reading_id)
        .where(ScanPageRow.exam_id == stored.id, ScanPageRow.status == PageStatus.READ)
    )


def _grading_place(answer: QuestionAnswer) -> tuple[bool, list[tuple[int, str]]]:
    """Numbers are texts in rosters: the shorter one is the smaller one. Answers that are alike here stay as they came."""
    parts = (answer.grade or "", answer.class_name or "", answer.number or "")
    return answer.student_id is None, [(len(part), part) for part in parts]
