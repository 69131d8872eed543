"""Exams with students, read pages and judgements, put straight into the tables, for the tests of grading.

Page i is the one page of student i's sheet; every question stands on it. 400 students × 50 questions take about a second.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from omr.layout import QuestionKind
from omr.reading import PageStatus, ReadingStatus
from scoring.exam_file import parse_exam
from scoring.exam_state import ExamState
from scoring.points import format_points
from scoring.storage import exams
from scoring.storage.columns import new_id
from scoring.storage.grading_tables import JudgementRow, StandingJudgementRow
from scoring.storage.scan_tables import (
    AnswerReadingRow,
    PageDecisionRow,
    PageReadingRow,
    ScanFileRow,
    ScanPageRow,
)
from scoring.storage.tables import AccountRow, ClassRow, RosterRow, StudentRow
from tests.stored_things import bring_into

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from decimal import Decimal

    from sqlalchemy.orm import Session

    from scoring.exam import Exam, Question
    from scoring.storage.columns import Table
    from scoring.storage.database import Database
    from scoring.storage.events import Deed
    from scoring.storage.exams import StoredExam

KINDS = tuple(QuestionKind)
_KEYS = {
    QuestionKind.CHOICE: 'choices = ["ア", "イ", "ウ", "エ"]\nanswer = ["イ"]\npoints = 2',
    QuestionKind.SYMBOL: 'choices = ["ア", "イ", "ウ", "エ"]\nanswer = ["ウ"]\npoints = 2',
    QuestionKind.NUMBER: 'answer = ["12"]\npoints = 3',
    QuestionKind.TEXT: 'answer = ["光合成"]\naccept = [["こうごうせい"]]\npoints = 2.5',
    QuestionKind.ESSAY: "points = 6",
    QuestionKind.DRAWING: "points = 4",
}
_RIGHT = {QuestionKind.ESSAY: "", QuestionKind.DRAWING: ""}
_WRONG = {
    QuestionKind.CHOICE: "ア",
    QuestionKind.SYMBOL: "ア",
    QuestionKind.NUMBER: "21",
    QuestionKind.TEXT: "呼吸",
}


@dataclass(frozen=True, slots=True)
class Written:
    """What the machine says of one answer.

    Attributes:
        status: of the reading.
        reading: as `answer_readings.reading`.
        confidence: of the reading.
        is_answer: chance that it is one of the right answers.
        alternatives: texts with their chances, as JSON.
        embedding: float16 values.
        atlas: with its picture; None for one that there is not.
    """

    status: ReadingStatus
    reading: str = ""
    confidence: float | None = 0.99
    is_answer: float | None = None
    alternatives: str = ""
    embedding: bytes | None = None
    atlas: str | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """A judgement to put into the tables: by default ○ in the first round."""

    page_id: str
    question: str
    mark: str = "right"
    points: Decimal | None = None
    round: int = 1


@dataclass(frozen=True, slots=True)
class GradedExam:
    """An exam whose pages were read.

    Attributes:
        deed: of who made it.
        exam: as stored.
        file_id: of its scan file.
        class_ids: of the classes that its students are in.
        student_ids: `students.id`, in roster order.
        page_ids: `scan_pages.id`, one a student.
    """

    deed: Deed
    exam: StoredExam
    file_id: str
    class_ids: tuple[str, ...]
    student_ids: tuple[str, ...]
    page_ids: tuple[str, ...]

    @property
    def questions(self) -> tuple[str, ...]:
        """The ids of the questions, q1, q2 and so on."""
        return tuple(one.id for one in self.exam.exam.questions)


def exam_of_kinds(questions: int = 6, code: str = "2026-GRADED") -> Exam:
    """An exam with questions q1, q2, … of all kinds in turn: choice, symbol, number, text, essay, drawing."""
    parts = [f'[exam]\nid = "{code}"\ntitle = "見本テスト"\nsubject = "理科"\ndate = 2026-11-27\n']
    for at in range(questions):
        kind = KINDS[at % len(KINDS)]
        parts.append(
            f'[[question]]\nid = "q{at + 1}"\nsection = "{at // 10 + 1}"\nkind = "{kind}"\n'
            f'viewpoint = "{("知識・技能", "思考・判断・表現")[at % 2]}"\n{_KEYS[kind]}\n'
        )
    return parse_exam("\n".join(parts).encode(), "exam.toml")


def write_answer(student: int, question: Question) -> Written:
    """What student i wrote unless a test says otherwise: blank, doubtful, wrong and right answers all occur."""
    turn = (student * 7 + int(question.id.removeprefix("q")) * 3) % 10
    if turn == 0:
        return Written(ReadingStatus.BLANK)
    if question.kind in _RIGHT:
        return Written(ReadingStatus.DOUBTFUL, confidence=None)
    if turn == 1:
        return Written(ReadingStatus.DOUBTFUL, question.answer[0], 0.6)
    return Written(ReadingStatus.OK, _WRONG[question.kind] if turn < 4 else question.answer[0])


def picture_of(*parts: object) -> str:
    """A name of a picture, as `answer_readings.picture`."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def add_graded_exam(
    database: Database,
    deed: Deed,
    *,
    students: int = 3,
    questions: int = 6,
    classes: int = 2,
    code: str = "2026-GRADED",
    state: ExamState = ExamState.GRADING,
    answer: Callable[[int, Question], Written] = write_answer,
) -> GradedExam:
    """An exam whose students handed in one read page each.

    The students are those of the school's roster of 2026, which is made where there is none.

    Args:
        database: where to.
        deed: of who does it all.
        students: how many.
        questions: how many.
        classes: over how many classes a new roster is spread.
        code: of the exam.
        state: that the exam is brought into.
        answer: what student i (from 0) wrote.
    """
    with database.write() as session:
        stored = exams.add_exam(session, deed, exam_of_kinds(questions, code))
        if state is not ExamState.PREPARING:
            stored = exams.change_state(session, deed, stored, ExamState.GRADING, None)
        for step in list(ExamState)[2 : list(ExamState).index(state) + 1]:
            stored = bring_into(session, deed, stored, step)
        class_ids, student_ids = _add_students(session, deed, students, classes)
        graded = GradedExam(deed, stored, "", class_ids, student_ids, ())
        graded = replace(graded, file_id=_add_file(session, graded, students))
        graded = replace(graded, page_ids=_add_pages(session, graded))
        _add_readings(
            session,
            graded,
            {
                page: {
                    question.id: (answer(at, question), picture_of(stored.code, at, question.id))
                    for question in stored.exam.questions
                }
                for at, page in enumerate(graded.page_ids)
            },
        )
    return graded


def add_teacher(database: Database, deed: Deed, login: str) -> Deed:
    """Another teacher of the school, who does things at the same time."""
    with database.write() as session:
        account = AccountRow(
            **_of(deed),
            login=login,
            role="teacher",
            password_hash=None,
            disabled_at=None,
            created_at=deed.at,
            version=1,
        )
        session.add(account)
        session.flush()
        return replace(deed, account_id=account.id)


def add_judgement_rows(
    database: Database, graded: GradedExam, deed: Deed, given: Iterable[Given]
) -> tuple[str, ...]:
    """Judgements of answers that have none yet in their round, standing, each on the answer's picture; their ids."""
    judgements: list[dict[str, Any]] = []
    standing: list[dict[str, Any]] = []
    with database.write() as session:
        pictures = _pictures(session, graded)
        for one in given:
            row = {**_of(deed), "exam_id": graded.exam.id, "page_id": one.page_id, "question": one.question}
            judgement_id = new_id()
            judgements.append(
                {
                    **row,
                    "id": judgement_id,
                    "round": one.round,
                    "mark": one.mark,
                    "points": None if one.points is None else format_points(one.points),
                    "comment": "",
                    "rubric": [],
                    "strokes": [],
                    "picture": pictures[one.page_id, one.question],
                    "reason": None,
                    "follows": None,
                    "key": new_id(),
                    "made_at": deed.at,
                    "made_by": deed.by,
                }
            )
            standing.append({**row, "round": one.round, "judgement_id": judgement_id, "version": 1})
        if judgements:
            _insert(session, JudgementRow, judgements)
            _insert(session, StandingJudgementRow, standing)
    return tuple(one["id"] for one in judgements)


def read_again(database: Database, graded: GradedExam, page_id: str, changed: Collection[str]) -> str:
    """A further reading of a page, which now counts; the answers to `changed` have other pictures."""
    with database.write() as session:
        now = _answers_of(session, page_id)
        again = {
            question: (written, picture_of(picture, "again") if question in changed else picture)
            for question, (written, picture) in now.items()
        }
        return _add_readings(session, graded, {page_id: again})[page_id]


def scan_again(database: Database, graded: GradedExam, page_id: str, changed: Collection[str]) -> str:
    """A rescan of a page, which takes its place; the answers to `changed` look different. The new page's id.

    The old page is dropped: status duplicate, and a decision of a person that says so.
    """
    with database.write() as session:
        old = session.get_one(ScanPageRow, page_id)
        now = _answers_of(session, page_id)
        file_id = _add_file(session, graded, 1)
        new = ScanPageRow(
            **_of(graded.deed),
            exam_id=graded.exam.id,
            file_id=file_id,
            number=1,
            part=0,
            state="read",
            status=PageStatus.READ,
            sheet=old.sheet,
            sheet_page=old.sheet_page,
            student_id=old.student_id,
        )
        old.status, old.version = PageStatus.DUPLICATE, old.version + 1
        session.add(new)
        session.add(
            PageDecisionRow(
                **_of(graded.deed),
                exam_id=graded.exam.id,
                page_id=page_id,
                number=1,
                what="dropped",
                detail={},
                made_at=graded.deed.at,
                made_by=graded.deed.by,
            )
        )
        session.flush()
        again = {
            question: (written, picture_of(picture, "rescan") if question in changed else picture)
            for question, (written, picture) in now.items()
        }
        _add_readings(session, graded, {new.id: again})
        return new.id


def _insert(session: Session, table: type[Table], rows: Sequence[Mapping[str, Any]]) -> None:
    # By the connection: the session's own way to add many rows takes several times as long.
    session.connection().execute(insert(table), rows)


def _of(deed: Deed) -> dict[str, Any]:
    return {"school_id": deed.school_id, "school_year": 2026}


def _add_students(
    session: Session, deed: Deed, students: int, classes: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    roster = session.scalar(
        select(RosterRow).where(RosterRow.school_id == deed.school_id, RosterRow.school_year == 2026)
    )
    if roster is None:
        roster = RosterRow(**_of(deed), version=1, changed_at=deed.at, changed_by=deed.by)
        session.add(roster)
        session.flush()
        made = [
            {**_of(deed), "id": new_id(), "roster_id": roster.id, "grade": "2", "name": str(one + 1)}
            for one in range(classes)
        ]
        _insert(session, ClassRow, made)
        each = -(-students // classes)
        _insert(
            session,
            StudentRow,
            [
                {
                    **_of(deed),
                    "id": new_id(),
                    "roster_id": roster.id,
                    "class_id": made[at // each]["id"],
                    "student_id": f"s-{at + 1}",
                    "place": at,
                    "number": str(at % each + 1),
                    "name": f"見本 {at + 1}",
                    "kana": f"みほん {at + 1}",
                    "left_at": None,
                }
                for at in range(students)
            ],
        )
    listed = session.execute(
        select(StudentRow.id, StudentRow.class_id)
        .where(StudentRow.roster_id == roster.id)
        .order_by(StudentRow.place)
        .limit(students)
    ).all()
    assert len(listed) == students
    return tuple(dict.fromkeys(one.class_id for one in listed)), tuple(one.id for one in listed)


def _add_file(session: Session, graded: GradedExam, pages: int) -> str:
    row = ScanFileRow(
        **_of(graded.deed),
        exam_id=graded.exam.id,
        name="scan.pdf",
        blob=picture_of(new_id()),
        size=1,
        state="counted",
        page_count=pages,
        received_at=graded.deed.at,
        received_by=graded.deed.by,
    )
    session.add(row)
    session.flush()
    return row.id


def _add_pages(session: Session, graded: GradedExam) -> tuple[str, ...]:
    rows: list[dict[str, Any]] = [
        {
            **_of(graded.deed),
            "id": new_id(),
            "exam_id": graded.exam.id,
            "file_id": graded.file_id,
            "number": at + 1,
            "part": 0,
            "state": "read",
            "status": PageStatus.READ,
            "sheet": f"{graded.exam.code}-{at + 1}",
            "sheet_page": 1,
            "student_id": student,
        }
        for at, student in enumerate(graded.student_ids)
    ]
    if rows:
        _insert(session, ScanPageRow, rows)
    return tuple(row["id"] for row in rows)


def _add_readings(
    session: Session, graded: GradedExam, answers: Mapping[str, Mapping[str, tuple[Written, str]]]
) -> Mapping[str, str]:
    """Readings of pages, which count from now on: what is written and its picture, by page and question; their ids."""
    readings = {page: new_id() for page in answers}
    kinds = {one.id: one.kind for one in graded.exam.exam.questions}
    base = {**_of(graded.deed), "exam_id": graded.exam.id}
    for page, reading in readings.items():
        number = len(session.scalars(select(PageReadingRow.id).where(PageReadingRow.page_id == page)).all())
        row = {**base, "id": reading, "page_id": page, "number": number + 1, "exam_version": 1}
        more = {"layout_number": 0, "reader": "test 1", "document": "{}", "made_at": graded.deed.at}
        _insert(session, PageReadingRow, [{**row, **more}])
        session.execute(update(ScanPageRow).where(ScanPageRow.id == page).values(reading_id=reading))
    rows = [
        {
            **base,
            "page_id": page,
            "reading_id": readings[page],
            "question": question,
            "kind": kinds[question],
            "status": written.status,
            "reading": written.reading,
            "confidence": written.confidence,
            "is_answer": written.is_answer,
            "alternatives": written.alternatives,
            "embedding": written.embedding,
            "measures": "0.5",
            "reader": "test 1",
            "picture": picture,
            "atlas": written.atlas or picture_of(question, at // 50),
            "x": 0,
            "y": at % 50 * 40,
            "w": 120,
            "h": 40,
        }
        for at, (page, of_page) in enumerate(answers.items())
        for question, (written, picture) in of_page.items()
    ]
    if rows:
        _insert(session, AnswerReadingRow, rows)
    return readings


def _current(exam_id: str) -> Any:
    return (
        select(AnswerReadingRow)
        .join(ScanPageRow, ScanPageRow.reading_id == AnswerReadingRow.reading_id)
        .where(ScanPageRow.exam_id == exam_id)
    )


def _pictures(session: Session, graded: GradedExam) -> Mapping[tuple[str, str], str]:
    rows = session.execute(
        _current(graded.exam.id).with_only_columns(
            AnswerReadingRow.page_id, AnswerReadingRow.question, AnswerReadingRow.picture
        )
    )
    return {(page, question): picture for page, question, picture in rows}


def _answers_of(session: Session, page_id: str) -> Mapping[str, tuple[Written, str]]:
    rows = session.scalars(
        select(AnswerReadingRow)
        .join(ScanPageRow, ScanPageRow.reading_id == AnswerReadingRow.reading_id)
        .where(ScanPageRow.id == page_id)
    )
    return {
        one.question: (Written(ReadingStatus(one.status), one.reading, one.confidence), one.picture)
        for one in rows
    }
