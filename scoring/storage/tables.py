"""The tables. Rows of exam versions, exam states and events are only ever added; triggers of the first migration hold to that."""

from __future__ import annotations

import datetime  # noqa: TC003  (SQLAlchemy reads the annotations)
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from scoring.storage.columns import ID_LENGTH, OfSchoolYear, Table, new_id


class SchoolRow(Table):
    """A school; its name is empty until the first set-up link is used."""

    __tablename__ = "schools"
    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True, default=new_id)
    name: Mapped[str]
    created_at: Mapped[datetime.datetime]


class AccountRow(OfSchoolYear, Table):
    """Somebody who may sign in; without a password until their set-up link is used."""

    __tablename__ = "accounts"
    __table_args__ = (UniqueConstraint("school_id", "login"),)
    login: Mapped[str]
    role: Mapped[str]
    password_hash: Mapped[str | None]
    disabled_at: Mapped[datetime.datetime | None]
    created_at: Mapped[datetime.datetime]
    version: Mapped[int]


class SessionRow(OfSchoolYear, Table):
    """A signed-in browser; only the hash of its token is kept."""

    __tablename__ = "sessions"
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime.datetime]
    last_used_at: Mapped[datetime.datetime]
    ended_at: Mapped[datetime.datetime | None]


class SetupLinkRow(OfSchoolYear, Table):
    """A link to choose a password with, once; without an account it is the school's first link."""

    __tablename__ = "setup_links"
    account_id: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"), index=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime.datetime]
    expires_at: Mapped[datetime.datetime]
    used_at: Mapped[datetime.datetime | None]


class FailedSignInRow(OfSchoolYear, Table):
    """A sign-in that did not succeed, or not yet; account and address as keyed digests."""

    __tablename__ = "failed_sign_ins"
    __table_args__ = (Index(None, "login_digest", "tried_at"), Index(None, "address_digest", "tried_at"))
    login_digest: Mapped[str]
    address_digest: Mapped[str]
    tried_at: Mapped[datetime.datetime]


class ExamRow(OfSchoolYear, Table):
    """An exam (試験); what it says stands in its versions, how far it is in its states.

    `change_number` is that of its last change; whoever raises it holds the row until their write ends, so changes
    are seen in their order.
    """

    __tablename__ = "exams"
    __table_args__ = (UniqueConstraint("school_id", "code"),)
    code: Mapped[str]
    created_at: Mapped[datetime.datetime]
    created_by: Mapped[str] = mapped_column(ForeignKey("accounts.id"))
    copied_from: Mapped[str | None] = mapped_column(ForeignKey("exams.id"))
    change_number: Mapped[int] = mapped_column(default=0, server_default="0")


class ExamVersionRow(OfSchoolYear, Table):
    """What an exam said from one moment on: EXAM.toml, and what lists show of it; points as exact text."""

    __tablename__ = "exam_versions"
    __table_args__ = (UniqueConstraint("exam_id", "number"),)
    exam_id: Mapped[str] = mapped_column(ForeignKey("exams.id"))
    number: Mapped[int]
    title: Mapped[str]
    subject: Mapped[str | None]
    date: Mapped[datetime.date | None]
    max_points: Mapped[str]
    document: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime.datetime]
    made_by: Mapped[str] = mapped_column(ForeignKey("accounts.id"))


class ExamStateRow(OfSchoolYear, Table):
    """A state that an exam came into (準備, 採点中, 確定, 返却), by whom, when and why."""

    __tablename__ = "exam_states"
    __table_args__ = (UniqueConstraint("exam_id", "number"),)
    exam_id: Mapped[str] = mapped_column(ForeignKey("exams.id"))
    number: Mapped[int]
    state: Mapped[str]
    reason: Mapped[str | None] = mapped_column(Text)
    made_at: Mapped[datetime.datetime]
    made_by: Mapped[str] = mapped_column(ForeignKey("accounts.id"))


class RosterRow(OfSchoolYear, Table):
    """The roster (名簿) of a school in one school year; its version counts the changes."""

    __tablename__ = "rosters"
    __table_args__ = (UniqueConstraint("school_id", "school_year"),)
    version: Mapped[int]
    changed_at: Mapped[datetime.datetime]
    changed_by: Mapped[str] = mapped_column(ForeignKey("accounts.id"))


class ClassRow(OfSchoolYear, Table):
    """A class (学級) of a roster."""

    __tablename__ = "classes"
    __table_args__ = (UniqueConstraint("roster_id", "grade", "name"),)
    roster_id: Mapped[str] = mapped_column(ForeignKey("rosters.id"))
    grade: Mapped[str]
    name: Mapped[str]


class StudentRow(OfSchoolYear, Table):
    """A student (生徒) of a roster; who left (転出) stays, with the time."""

    __tablename__ = "students"
    __table_args__ = (UniqueConstraint("roster_id", "student_id"),)
    roster_id: Mapped[str] = mapped_column(ForeignKey("rosters.id"))
    class_id: Mapped[str] = mapped_column(ForeignKey("classes.id"), index=True)
    student_id: Mapped[str]
    place: Mapped[int]
    number: Mapped[str]
    name: Mapped[str]
    kana: Mapped[str]
    left_at: Mapped[datetime.datetime | None]


class EventRow(OfSchoolYear, Table):
    """Who did what, when; ids only, no names."""

    __tablename__ = "events"
    happened_at: Mapped[datetime.datetime]
    account_id: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"))
    what: Mapped[str]
    subject_id: Mapped[str | None]
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)


class AnsweredRequestRow(OfSchoolYear, Table):
    """The answer to a write that its client may repeat, by Idempotency-Key."""

    __tablename__ = "answered_requests"
    __table_args__ = (UniqueConstraint("account_id", "key"),)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"))
    key: Mapped[str]
    fingerprint: Mapped[str]
    status: Mapped[int]
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    answered_at: Mapped[datetime.datetime]


ONLY_ADDED_TO = (ExamVersionRow.__tablename__, ExamStateRow.__tablename__, EventRow.__tablename__)
"""Tables whose rows are never changed or removed."""
