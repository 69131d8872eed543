"""Who grades what (分担), and which questions two people grade (照合採点); each is replaced as a whole."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from omr.errors import Refusal, Refused
from scoring.exam_state import check_editable
from scoring.judgement import FIRST, SECOND, Mark
from scoring.storage.changes import note_change
from scoring.storage.events import record
from scoring.storage.grading_tables import DutyRow, JudgementRow, SecondGradingRow, StandingJudgementRow
from scoring.storage.tables import AccountRow, ClassRow

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from sqlalchemy.orm import Session

    from scoring.storage.events import Deed
    from scoring.storage.exams import StoredExam

_STALE = "開いているあいだに、ほかの人が変えました。今の内容を確かめて、もう一度変えてください。"


@dataclass(frozen=True, slots=True)
class Duty:
    """What somebody grades (分担).

    Attributes:
        account_id: who.
        round: 1, 2 for the second grading (照合採点), 3 for settling differences.
        question: its id; None for all.
        class_id: of `classes`; None for all.
    """

    account_id: str
    round: int = FIRST
    question: str | None = None
    class_id: str | None = None

    @property
    def order(self) -> tuple[int, str, str, str]:
        """By which duties are listed."""
        return self.round, self.question or "", self.class_id or "", self.account_id


@dataclass(frozen=True, slots=True)
class StoredDuties:
    """The duties of an exam, in order."""

    duties: tuple[Duty, ...]

    @property
    def tag(self) -> str:
        """The same for the same duties only."""
        return _tag(repr(one.order) for one in self.duties)


@dataclass(frozen=True, slots=True)
class StoredSecondGradings:
    """The questions of an exam that two people grade, in exam order."""

    questions: tuple[str, ...]

    @property
    def tag(self) -> str:
        """The same for the same questions only."""
        return _tag(self.questions)


def find_duties(session: Session, exam: StoredExam) -> StoredDuties:
    """Who grades what of an exam."""
    rows = session.scalars(select(DutyRow).where(DutyRow.exam_id == exam.id))
    duties = (Duty(row.account_id, row.round, row.question, row.class_id) for row in rows)
    return StoredDuties(tuple(sorted(duties, key=lambda one: one.order)))


def replace_duties(
    session: Session, deed: Deed, exam: StoredExam, duties: Collection[Duty], tag: str
) -> StoredDuties:
    """Let others grade from now on.

    Args:
        session: of `Database.write`.
        deed: who and when.
        exam: from `exams.hold_exam` in this session.
        duties: all of them.
        tag: of those that were seen.

    Raises:
        Refused: the exam is 確定 or 返却, somebody changed them meanwhile, they name what is not there, or one person
            would grade an answer twice.
    """
    check_editable(exam.state)
    if find_duties(session, exam).tag != tag:
        raise Refused(Refusal.STALE, _STALE)
    _check_questions(exam, {one.question for one in duties if one.question is not None})
    _check_people_and_classes(session, deed, exam, duties)
    _check_two_people(duties)
    session.execute(delete(DutyRow).where(DutyRow.exam_id == exam.id))
    session.add_all(
        DutyRow(
            school_id=deed.school_id,
            school_year=exam.school_year,
            exam_id=exam.id,
            account_id=one.account_id,
            round=one.round,
            question=one.question,
            class_id=one.class_id,
        )
        for one in set(duties)
    )
    session.flush()
    stored = find_duties(session, exam)
    record(session, deed, "duties.replaced", exam.id, {"count": len(stored.duties)})
    note_change(session, deed, exam.id, "duties.replaced", {"tag": stored.tag})
    return stored


def find_second_gradings(session: Session, exam: StoredExam) -> StoredSecondGradings:
    """The questions of an exam that two people grade."""
    rows = session.scalars(select(SecondGradingRow.question).where(SecondGradingRow.exam_id == exam.id))
    found = set(rows)
    return StoredSecondGradings(tuple(one.id for one in exam.exam.questions if one.id in found))


def replace_second_gradings(
    session: Session, deed: Deed, exam: StoredExam, questions: Collection[str], tag: str
) -> StoredSecondGradings:
    """Let two people grade these questions and no others.

    Args:
        session: of `Database.write`.
        deed: who and when.
        exam: from `exams.hold_exam` in this session.
        questions: their ids.
        tag: of those that were seen.

    Raises:
        Refused: the exam is 確定 or 返却, somebody changed them meanwhile, a question is not there, or one that is left
            out was already judged a second time.
    """
    check_editable(exam.state)
    before = find_second_gradings(session, exam)
    if before.tag != tag:
        raise Refused(Refusal.STALE, _STALE)
    _check_questions(exam, questions)
    _check_not_begun(session, exam, set(before.questions) - set(questions))
    session.execute(delete(SecondGradingRow).where(SecondGradingRow.exam_id == exam.id))
    session.add_all(
        SecondGradingRow(
            school_id=deed.school_id, school_year=exam.school_year, exam_id=exam.id, question=question
        )
        for question in set(questions)
    )
    session.flush()
    stored = find_second_gradings(session, exam)
    record(session, deed, "second_gradings.replaced", exam.id, {"count": len(stored.questions)})
    note_change(session, deed, exam.id, "second_gradings.replaced", {"questions": list(stored.questions)})
    return stored


def _tag(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _check_questions(exam: StoredExam, questions: Collection[str]) -> None:
    known = {one.id for one in exam.exam.questions}
    for question in questions:
        if question not in known:
            raise Refused(
                Refusal.NOT_FOUND,
                f"設問「{question}」はこの試験にありません。画面を開き直してください。",
            )


def _check_people_and_classes(
    session: Session, deed: Deed, exam: StoredExam, duties: Collection[Duty]
) -> None:
    accounts = {one.account_id for one in duties}
    open_accounts = select(AccountRow.id).where(
        AccountRow.school_id == deed.school_id, AccountRow.id.in_(accounts), AccountRow.disabled_at.is_(None)
    )
    if set(session.scalars(open_accounts)) != accounts:
        raise Refused(Refusal.NOT_FOUND, "分担の先生が見つかりません。先生を選び直してください。")
    classes = {one.class_id for one in duties if one.class_id is not None}
    of_year = select(ClassRow.id).where(
        ClassRow.school_id == deed.school_id,
        ClassRow.school_year == exam.school_year,
        ClassRow.id.in_(classes),
    )
    if set(session.scalars(of_year)) != classes:
        raise Refused(Refusal.NOT_FOUND, "分担の学級が見つかりません。学級を選び直してください。")


def _check_two_people(duties: Collection[Duty]) -> None:
    first = [one for one in duties if one.round == FIRST]
    second = [one for one in duties if one.round == SECOND]
    for one, other in product(first, second):
        if (
            one.account_id == other.account_id
            and _meet(one.question, other.question)
            and _meet(one.class_id, other.class_id)
        ):
            raise Refused(
                Refusal.WRONG_STATE,
                "1人の先生が同じ答案の1回目と2回目の両方に入っています。どちらかを別の先生にしてください。",
            )


def _meet(one: str | None, other: str | None) -> bool:
    return one is None or other is None or one == other


def _check_not_begun(session: Session, exam: StoredExam, questions: Collection[str]) -> None:
    begun: Sequence[str] = session.scalars(
        select(StandingJudgementRow.question)
        .join(JudgementRow, JudgementRow.id == StandingJudgementRow.judgement_id)
        .where(
            StandingJudgementRow.exam_id == exam.id,
            StandingJudgementRow.question.in_(questions),
            StandingJudgementRow.round != FIRST,
            JudgementRow.mark != Mark.NONE,
        )
        .limit(1)
    ).all()
    if begun:
        raise Refused(
            Refusal.WRONG_STATE,
            f"設問「{begun[0]}」は2回目の判定がもうあります。外すには、その判定を取り消してください。",
        )
