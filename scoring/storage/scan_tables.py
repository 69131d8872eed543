"""The tables of scans: files, their pages, what was read of them, and what was decided about them.

What is left to do stands in the rows of files, pages and intakes themselves: a state, and who is at it until when.
"""

from __future__ import annotations

import datetime  # noqa: TC003  (SQLAlchemy reads the annotations)
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from scoring.storage.columns import OfSchoolYear, Table


class Leased:
    """A row that a worker may be at: who it is, until when at most, and how often one began."""

    lease_owner: Mapped[str | None]
    lease_until: Mapped[datetime.datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)


class ExamLayoutRow(OfSchoolYear, Table):
    """A layout (LAYOUT.json) that an exam got, with the empty sheet that it was drawn on; none where it follows from the exam."""

    __tablename__ = "exam_layouts"
    __table_args__ = (UniqueConstraint("exam_id", "number"),)
    exam_id: Mapped[str] = mapped_column(ForeignKey("exams.id"))
    number: Mapped[int]
    document: Mapped[str] = mapped_column(Text)
    reference_name: Mapped[str | None]
    reference_blob: Mapped[str | None]
    made_at: Mapped[datetime.datetime]
    made_by: Mapped[str] = mapped_column(ForeignKey("accounts.id"))


class UploadRow(OfSchoolYear, Table):
    """A file that is being sent, in parts; what came so far lies in the data folder under this id."""

    __tablename__ = "uploads"
    exam_id: Mapped[str] = mapped_column(ForeignKey("exams.id"), index=True)
    name: Mapped[str]
    size: Mapped[int]
    received: Mapped[int]
    started_at: Mapped[datetime.datetime]
    started_by: Mapped[str] = mapped_column(ForeignKey("accounts.id"))
    file_id: Mapped[str | None] = mapped_column(ForeignKey("scan_files.id"))


class ScanFileRow(Leased, OfSchoolYear, Table):
    """A scan file as it came; `state` is received, counted or refused."""

    __tablename__ = "scan_files"
    __table_args__ = (UniqueConstraint("exam_id", "blob"), Index(None, "state", "lease_until"))
    exam_id: Mapped[str] = mapped_column(ForeignKey("exams.id"))
    name: Mapped[str]
    blob: Mapped[str]
    size: Mapped[int]
    state: Mapped[str]
    page_count: Mapped[int | None]
    reason: Mapped[str] = mapped_column(Text, default="")
    trouble: Mapped[str] = mapped_column(default="")
    received_at: Mapped[datetime.datetime]
    received_by: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"))


class ScanPageRow(Leased, OfSchoolYear, Table):
    """A page of a scan file as it now stands; how it came to that, in readings and decisions, is only added to.

    `state` is waiting or read. `part` is 1 or 2 where the page shows two sheets side by side, else 0; such a page
    of the file has a row for each part. `reading_id` names the reading that counts.
    """

    __tablename__ = "scan_pages"
    __table_args__ = (
        UniqueConstraint("file_id", "number", "part"),
        Index(None, "exam_id", "status"),
        Index(None, "state", "lease_until"),
    )
    exam_id: Mapped[str] = mapped_column(ForeignKey("exams.id"))
    file_id: Mapped[str] = mapped_column(ForeignKey("scan_files.id"))
    number: Mapped[int]
    part: Mapped[int]
    state: Mapped[str]
    hints: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    reading_id: Mapped[str | None]
    status: Mapped[str | None]
    reason: Mapped[str] = mapped_column(Text, default="")
    trouble: Mapped[str] = mapped_column(default="")
    sheet: Mapped[str] = mapped_column(default="")
    sheet_page: Mapped[int | None]
    student_id: Mapped[str | None] = mapped_column(ForeignKey("students.id"), index=True)
    owner: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    version: Mapped[int] = mapped_column(default=1)


class PageReadingRow(OfSchoolYear, Table):
    """What the machine said of a page at one time: everything but the answers, as JSON of `PageReading`."""

    __tablename__ = "page_readings"
    __table_args__ = (UniqueConstraint("page_id", "number"),)
    exam_id: Mapped[str] = mapped_column(ForeignKey("exams.id"), index=True)
    page_id: Mapped[str] = mapped_column(ForeignKey("scan_pages.id"))
    number: Mapped[int]
    exam_version: Mapped[int]
    layout_number: Mapped[int]
    reader: Mapped[str]
    document: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime.datetime]


class AnswerReadingRow(OfSchoolYear, Table):
    """What the machine said of one answer of a page at one time, and where its picture lies in an atlas.

    `atlas` is the hash of the blob, `x`, `y`, `w`, `h` the picture's place in it, pixels; `picture` names what the
    picture shows: the same only for the same pixels. `embedding` is float16 values.
    """

    __tablename__ = "answer_readings"
    __table_args__ = (
        UniqueConstraint("reading_id", "question"),
        Index(None, "exam_id", "question"),
        Index(None, "atlas"),
    )
    exam_id: Mapped[str] = mapped_column(ForeignKey("exams.id"))
    page_id: Mapped[str] = mapped_column(ForeignKey("scan_pages.id"))
    reading_id: Mapped[str] = mapped_column(ForeignKey("page_readings.id"))
    question: Mapped[str]
    kind: Mapped[str]
    status: Mapped[str]
    reading: Mapped[str]
    confidence: Mapped[float | None]
    is_answer: Mapped[float | None]
    measures: Mapped[str]
    reader: Mapped[str]
    alternatives: Mapped[str] = mapped_column(Text, default="")
    embedding: Mapped[bytes | None] = mapped_column(LargeBinary)
    picture: Mapped[str]
    atlas: Mapped[str | None]
    x: Mapped[int]
    y: Mapped[int]
    w: Mapped[int]
    h: Mapped[int]


class PageDecisionRow(OfSchoolYear, Table):
    """What was decided about a page: by the machine that sorts pages (no account), or by a person."""

    __tablename__ = "page_decisions"
    __table_args__ = (UniqueConstraint("page_id", "number"),)
    exam_id: Mapped[str] = mapped_column(ForeignKey("exams.id"), index=True)
    page_id: Mapped[str] = mapped_column(ForeignKey("scan_pages.id"))
    number: Mapped[int]
    what: Mapped[str]
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)
    made_at: Mapped[datetime.datetime]
    made_by: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"))


class IntakeRow(Leased, OfSchoolYear, Table):
    """The sorting of an exam's pages: `wanted` counts what changed, `done` up to where it was sorted out."""

    __tablename__ = "intakes"
    exam_id: Mapped[str] = mapped_column(ForeignKey("exams.id"), unique=True)
    wanted: Mapped[int]
    done: Mapped[int]


SCANS_ONLY_ADDED_TO = (
    ExamLayoutRow.__tablename__,
    PageReadingRow.__tablename__,
    AnswerReadingRow.__tablename__,
    PageDecisionRow.__tablename__,
)
"""Tables whose rows are never changed or removed."""
