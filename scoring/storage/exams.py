"""Exams (試験) in the database: their versions and states, each only ever added."""

from __future__ import annotations

import datetime  # noqa: TC003  (part of public signatures)
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from omr.errors import Refusal, Refused
from scoring.exam_file import exam_to_toml, parse_exam
from scoring.exam_state import ExamState, check_change, check_editable
from scoring.points import format_points
from scoring.scores import compute_scores
from scoring.storage.changes import note_change
from scoring.storage.columns import school_year_of
from scoring.storage.completeness import check_complete
from scoring.storage.events import record
from scoring.storage.exam_answers import load_answers
from scoring.storage.score_snapshots import keep_snapshot
from scoring.storage.tables import ExamRow, ExamStateRow, ExamVersionRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row, Select
    from sqlalchemy.orm import Session

    from scoring.exam import Exam
    from scoring.storage.events import Deed


@dataclass(frozen=True, slots=True)
class StoredExam:
    """An exam as it now is.

    Attributes:
        id: of the row.
        code: the exam's own id, on its sheets.
        school_year: 年度.
        title: 試験名.
        subject: 教科.
        date: of the exam.
        max_points: 満点.
        state: how far it is.
        version: number of the version, from 1.
        state_number: number of the state, from 1.
        copied_from: id of the exam that it is a copy of.
        document: EXAM.toml.
        change_number: of its last change, 0 before any.
    """

    id: str
    code: str
    school_year: int
    title: str
    subject: str | None
    date: datetime.date | None
    max_points: Decimal
    state: ExamState
    version: int
    state_number: int
    copied_from: str | None
    document: str
    change_number: int

    @property
    def exam(self) -> Exam:
        """The exam itself."""
        return _parsed(self.document, self.code)

    @property
    def tag(self) -> str:
        """What changes with whatever can change: two with the same tag are the same."""
        return f"{self.version}.{self.state_number}"


@lru_cache(maxsize=64)
def _parsed(document: str, code: str) -> Exam:
    """An exam from its EXAM.toml; kept, since every judgement asks for it and an exam never changes."""
    return parse_exam(document.encode(), code)


@dataclass(frozen=True, slots=True)
class StateChange:
    """A state that an exam came into, by whom, when and why."""

    number: int
    state: ExamState
    reason: str | None
    made_at: datetime.datetime
    made_by: str


def add_exam(session: Session, deed: Deed, exam: Exam, copied_from: str | None = None) -> StoredExam:
    """Keep a new exam, 準備.

    Raises:
        Refused: the school has an exam with this id, whose sheets could not be told from these.
    """
    taken = select(ExamRow.id).where(ExamRow.school_id == deed.school_id, ExamRow.code == exam.id)
    if session.scalar(taken) is not None:
        raise Refused(
            Refusal.ALREADY_THERE,
            f"試験の id「{exam.id}」はもう使われています。別の id にしてください。",
        )
    row = ExamRow(
        school_id=deed.school_id,
        school_year=school_year_of(exam.date or deed.at),
        code=exam.id,
        created_at=deed.at,
        created_by=deed.by,
        copied_from=copied_from,
    )
    session.add(row)
    session.flush()
    session.add(_version_row(deed, row, exam, number=1))
    session.add(_state_row(deed, row, ExamState.PREPARING, None, number=1))
    record(session, deed, "exam.created", row.id, {"copied_from": copied_from})
    session.flush()
    return find_exam(session, deed.school_id, row.id)


def replace_exam(session: Session, deed: Deed, stored: StoredExam, exam: Exam) -> StoredExam:
    """Let an exam say something else from now on; what it said before stays.

    Args:
        session: of `Database.write`.
        deed: who and when.
        stored: as it is now, from `find_exam_to_change`.
        exam: what it is to say; with the same id.

    Raises:
        Refused: it is 確定 or 返却, or has another id.
    """
    check_editable(stored.state)
    check_same_exam(stored, exam)
    row = session.get_one(ExamRow, stored.id)
    session.add(_version_row(deed, row, exam, number=stored.version + 1))
    record(session, deed, "exam.replaced", row.id, {"version": stored.version + 1})
    session.flush()
    note_change(session, deed, row.id, "exam.replaced", {"version": stored.version + 1})
    return find_exam(session, deed.school_id, row.id)


def check_same_exam(stored: StoredExam, exam: Exam) -> None:
    """Make sure that an exam can take the place of a stored one.

    Raises:
        Refused: it has another id.
    """
    if exam.id != stored.code:
        raise Refused(
            Refusal.WRONG_STATE,
            f"試験の id は変えられません（今は「{stored.code}」）。印刷した解答用紙が読めなくなるためです。"
            "別の試験にするなら、複製してください。",
        )


def change_state(
    session: Session, deed: Deed, stored: StoredExam, state: ExamState, reason: str | None
) -> StoredExam:
    """Bring an exam into a state, as `scoring.exam_state` allows.

    Args:
        session: of `Database.write`.
        deed: who and when.
        stored: as it is now, from `find_exam_to_change`.
        state: the new one.
        reason: why; needed for a step back.

    With 確定 and 返却 the totals of that moment are kept.

    Raises:
        Refused: it may not come into this state.
        NotComplete: it may not be 確定 yet, since something is left to do.
    """
    check_change(stored.state, state, reason)
    row = _state_row(deed, session.get_one(ExamRow, stored.id), state, reason, number=stored.state_number + 1)
    scores = None
    if state in {ExamState.CONFIRMED, ExamState.RETURNED}:
        scores = compute_scores(stored.exam, load_answers(session, stored))
        if state is ExamState.CONFIRMED:
            check_complete(session, stored, scores)
    session.add(row)
    record(session, deed, f"exam.{state}", stored.id, {"number": row.number})
    session.flush()
    change_number = note_change(session, deed, stored.id, f"exam.{state}", {"number": row.number})
    if scores is not None:
        keep_snapshot(session, row, change_number, scores)
    session.flush()
    return find_exam(session, deed.school_id, stored.id)


def find_exam(session: Session, school_id: str, exam_id: str) -> StoredExam:
    """An exam as it now is.

    Raises:
        Refused: this school has none of this id.
    """
    row = session.execute(_now(school_id).where(ExamRow.id == exam_id)).first()
    if row is None:
        raise Refused(Refusal.NOT_FOUND, "この試験は見つかりません。試験の一覧を開き直してください。")
    return _stored(row)


def hold_exam(session: Session, school_id: str, exam_id: str) -> StoredExam:
    """An exam that nobody else changes until this transaction ends, whatever it is now.

    Raises:
        Refused: this school has none of this id.
    """
    session.execute(
        select(ExamRow.id).where(ExamRow.id == exam_id, ExamRow.school_id == school_id).with_for_update()
    )
    return find_exam(session, school_id, exam_id)


def find_exam_of_code(session: Session, school_id: str, code: str) -> StoredExam | None:
    """The exam whose sheets carry this id, as it now is; None where the school has none."""
    row = session.execute(_now(school_id).where(ExamRow.code == code)).first()
    return None if row is None else _stored(row)


def list_codes(session: Session, school_id: str) -> Sequence[tuple[str, ExamState]]:
    """The ids on the sheets of all exams of a school, and how far each exam is."""
    rows = session.execute(_now(school_id).with_only_columns(ExamRow.code, ExamStateRow.state))
    return [(code, ExamState(state)) for code, state in rows]


def find_exam_to_change(session: Session, school_id: str, exam_id: str, tag: str) -> StoredExam:
    """An exam that nobody else changes until this transaction ends.

    Args:
        session: of `Database.write`.
        school_id: whose it is.
        exam_id: of the row.
        tag: of the exam that the change is meant for.

    Raises:
        Refused: there is none, or somebody changed it meanwhile.
    """
    stored = hold_exam(session, school_id, exam_id)
    if stored.tag != tag:
        raise Refused(
            Refusal.STALE,
            "開いているあいだに、ほかの人がこの試験を変えました。今の内容を確かめて、もう一度変えてください。",
        )
    return stored


def list_exams(
    session: Session, school_id: str, school_year: int | None, before: str | None, limit: int
) -> Sequence[StoredExam]:
    """Exams, the newest first.

    Args:
        session: of `Database.read`.
        school_id: whose.
        school_year: only those of this 年度; None for all.
        before: only those made before the one of this id; None for the first ones.
        limit: at most so many.
    """
    wanted = _now(school_id).order_by(ExamRow.id.desc()).limit(limit)
    if school_year is not None:
        wanted = wanted.where(ExamRow.school_year == school_year)
    if before is not None:
        wanted = wanted.where(ExamRow.id < before)
    return [_stored(row) for row in session.execute(wanted)]


def list_states(session: Session, stored: StoredExam) -> Sequence[StateChange]:
    """The states that an exam came into, the first one first."""
    rows = session.scalars(
        select(ExamStateRow).where(ExamStateRow.exam_id == stored.id).order_by(ExamStateRow.number)
    )
    return [
        StateChange(row.number, ExamState(row.state), row.reason, row.made_at, row.made_by) for row in rows
    ]


@lru_cache(maxsize=64)  # every judgement asks for its exam, and to build this takes as long as to ask it
def _now(school_id: str) -> Select[ExamRow, ExamVersionRow, ExamStateRow]:
    """Exams with their last version and last state."""
    last_version = (
        select(func.max(ExamVersionRow.number))
        .where(ExamVersionRow.exam_id == ExamRow.id)
        .correlate(ExamRow)
        .scalar_subquery()
    )
    last_state = (
        select(func.max(ExamStateRow.number))
        .where(ExamStateRow.exam_id == ExamRow.id)
        .correlate(ExamRow)
        .scalar_subquery()
    )
    return (
        select(ExamRow, ExamVersionRow, ExamStateRow)
        .join(
            ExamVersionRow, (ExamVersionRow.exam_id == ExamRow.id) & (ExamVersionRow.number == last_version)
        )
        .join(ExamStateRow, (ExamStateRow.exam_id == ExamRow.id) & (ExamStateRow.number == last_state))
        .where(ExamRow.school_id == school_id)
    )


def _stored(row: Row[ExamRow, ExamVersionRow, ExamStateRow]) -> StoredExam:
    exam, version, state = row
    return StoredExam(
        id=exam.id,
        code=exam.code,
        school_year=exam.school_year,
        title=version.title,
        subject=version.subject,
        date=version.date,
        max_points=Decimal(version.max_points),
        state=ExamState(state.state),
        version=version.number,
        state_number=state.number,
        copied_from=exam.copied_from,
        document=version.document,
        change_number=exam.change_number,
    )


def _version_row(deed: Deed, row: ExamRow, exam: Exam, *, number: int) -> ExamVersionRow:
    return ExamVersionRow(
        school_id=row.school_id,
        school_year=row.school_year,
        exam_id=row.id,
        number=number,
        title=exam.title,
        subject=exam.subject,
        date=exam.date,
        max_points=format_points(exam.max_points),
        document=exam_to_toml(exam),
        made_at=deed.at,
        made_by=deed.by,
    )


def _state_row(
    deed: Deed, row: ExamRow, state: ExamState, reason: str | None, *, number: int
) -> ExamStateRow:
    return ExamStateRow(
        school_id=row.school_id,
        school_year=row.school_year,
        exam_id=row.id,
        number=number,
        state=state,
        reason=reason,
        made_at=deed.at,
        made_by=deed.by,
    )
