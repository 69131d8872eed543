"""The tables of grading: judgements, which of them count, who grades what, who was absent, and the feed of changes."""

from __future__ import annotations

import datetime  # noqa: TC003  (SQLAlchemy reads the annotations)
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from scoring.storage.columns import OfSchoolYear, Table


class JudgementRow(OfSchoolYear, Table):
    """A person's word on one answer (判定); to take one back is another one.

    `round` is 1, 2 for the second grading (照合採点), 3 for the word that settles a difference. `mark` is right (○),
    partial (△), wrong (×), hold (保留) or none (取り消し). `points` is exact text, None where the mark says it all.
    `picture` names the picture that was judged, `follows` the judgement that it takes the place of, `key` the
    client's own name for it, so that it can be sent twice.
    """

    __tablename__ = "judgements"
    __table_args__ = (
        UniqueConstraint("made_by", "key"),
        Index(None, "page_id", "question", "round"),
        # Holds all that scores need, so that a whole exam is read without touching the rows.
        Index("ix_judgements_scores", "exam_id", "question", "id", "mark", "points", "picture"),
    )
    exam_id: Mapped[str] = mapped_column(ForeignKey("exams.id"))
    page_id: Mapped[str] = mapped_column(ForeignKey("scan_pages.id"))
    question: Mapped[str]
    round: Mapped[int]
    mark: Mapped[str]
    points: Mapped[str | None]
    comment: Mapped[str] = mapped_column(Text, default="")
    rubric: Mapped[list[Any]] = mapped_column(JSON, default=list)
    strokes: Mapped[list[Any]] = mapped_column(JSON, default=list)
    picture: Mapped[str]
    reason: Mapped[str | None] = mapped_column(Text)
    follows: Mapped[str | None]
    key: Mapped[str]
    made_at: Mapped[datetime.datetime]
    made_by: Mapped[str] = mapped_column(ForeignKey("accounts.id"))


class StandingJudgementRow(OfSchoolYear, Table):
    """The judgement that counts for an answer in a round; `version` counts how often that changed."""

    __tablename__ = "standing_judgements"
    __table_args__ = (
        UniqueConstraint("page_id", "question", "round"),
        # As with judgements.
        Index("ix_standing_judgements_scores", "exam_id", "question", "page_id", "round", "judgement_id"),
    )
    exam_id: Mapped[str] = mapped_column(ForeignKey("exams.id"))
    page_id: Mapped[str] = mapped_column(ForeignKey("scan_pages.id"))
    question: Mapped[str]
    round: Mapped[int]
    judgement_id: Mapped[str] = mapped_column(ForeignKey("judgements.id"))
    version: Mapped[int]


class DutyRow(OfSchoolYear, Table):
    """Who grades what (分担): a question, a class, or all where one is None, in a round."""

    __tablename__ = "duties"
    exam_id: Mapped[str] = mapped_column(ForeignKey("exams.id"), index=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"))
    round: Mapped[int]
    question: Mapped[str | None]
    class_id: Mapped[str | None] = mapped_column(ForeignKey("classes.id"))


class SecondGradingRow(OfSchoolYear, Table):
    """A question that two people grade without seeing each other's judgements (照合採点)."""

    __tablename__ = "second_gradings"
    __table_args__ = (UniqueConstraint("exam_id", "question"),)
    exam_id: Mapped[str] = mapped_column(ForeignKey("exams.id"))
    question: Mapped[str]


class AttendanceRow(OfSchoolYear, Table):
    """Whether a student sat the exam: present, absent (欠席), excused (公欠), later (後日受験) or elsewhere (別室)."""

    __tablename__ = "attendances"
    __table_args__ = (UniqueConstraint("exam_id", "student_id", "number"),)
    exam_id: Mapped[str] = mapped_column(ForeignKey("exams.id"))
    student_id: Mapped[str] = mapped_column(ForeignKey("students.id"))
    number: Mapped[int]
    attendance: Mapped[str]
    made_at: Mapped[datetime.datetime]
    made_by: Mapped[str] = mapped_column(ForeignKey("accounts.id"))


class ScoreSnapshotRow(OfSchoolYear, Table):
    """The totals that an exam had when it came into a state (確定, 返却), to tell what changed since.

    `totals` has for each examinee: `students.id` or None, the sheet where it is nobody's, points as exact text or
    None for who did not sit the exam.
    """

    __tablename__ = "score_snapshots"
    __table_args__ = (UniqueConstraint("exam_id", "state_number"),)
    exam_id: Mapped[str] = mapped_column(ForeignKey("exams.id"))
    state_number: Mapped[int]
    state: Mapped[str]
    change_number: Mapped[int]
    totals: Mapped[list[Any]] = mapped_column(JSON)


class ExamChangeRow(OfSchoolYear, Table):
    """Something that changed in an exam, in one order without gaps, as those who look at it are told."""

    __tablename__ = "exam_changes"
    __table_args__ = (UniqueConstraint("exam_id", "number"),)
    exam_id: Mapped[str] = mapped_column(ForeignKey("exams.id"))
    number: Mapped[int]
    what: Mapped[str]
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)
    made_at: Mapped[datetime.datetime]
    made_by: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"))


GRADING_ONLY_ADDED_TO = (
    JudgementRow.__tablename__,
    AttendanceRow.__tablename__,
    ScoreSnapshotRow.__tablename__,
    ExamChangeRow.__tablename__,
)
"""Tables whose rows are never changed or removed."""
