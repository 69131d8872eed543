"""Scan files and their pages in the database: taken in once, and listed."""

from __future__ import annotations

import datetime  # noqa: TC003  (part of public signatures)
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, literal, select, tuple_

from omr.errors import Refusal, Refused
from scoring.exam_state import check_editable
from scoring.storage.changes import note_change
from scoring.storage.events import record
from scoring.storage.exams import find_exam
from scoring.storage.intakes import want_sorting
from scoring.storage.scan_states import FileState, PageState
from scoring.storage.scan_tables import ScanFileRow, ScanPageRow
from scoring.storage.tables import ExamRow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from scoring.storage.events import Deed
    from scoring.storage.exams import StoredExam


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A scan file as it came.

    Attributes:
        id: of the row.
        name: as its sender called it.
        blob: its content, by hash.
        size: bytes.
        state: how far it is.
        page_count: pages in it; None as long as they are not counted.
        reason: why it was refused, for the teacher.
        trouble: the same for programs; empty if none.
        received_at: when.
        received_by: by which account; None from a watched folder.
        waiting: how many of its pages wait for the reader.
    """

    id: str
    name: str
    blob: str
    size: int
    state: FileState
    page_count: int | None
    reason: str
    trouble: str
    received_at: datetime.datetime
    received_by: str | None
    waiting: int


@dataclass(frozen=True, slots=True)
class StoredPage:
    """A page of a scan file as it now stands.

    Attributes:
        id: of the row.
        file_id: the file that it is in.
        file_name: as its sender called it.
        number: of the page in the file, from 1.
        part: 1 or 2 where the page of the file shows two sheets side by side, else 0.
        state: whether it waits for the reader.
        status: read, blank, duplicate, quarantined or dropped; None before it was read.
        reason: why it was set aside, or a remark, for the teacher.
        trouble: the same for programs; empty if none.
        sheet: joins the pages of one sheet; empty where that is not known.
        sheet_page: which page of the answer sheet it is; None where that is not known.
        student_id: row of the student whose it is proven to be.
        owner: whose it may be: outcome, student, chance, grounds.
        reading_id: the reading that counts.
        hints: what a person told the reader.
        version: counts its changes.
    """

    id: str
    file_id: str
    file_name: str
    number: int
    part: int
    state: PageState
    status: str | None
    reason: str
    trouble: str
    sheet: str
    sheet_page: int | None
    student_id: str | None
    owner: Mapping[str, Any] | None
    reading_id: str | None
    hints: Mapping[str, Any] | None
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFilter:
    """Which pages to list; None asks for all.

    Attributes:
        status: only those of this status.
        trouble: only those with this trouble.
        file_id: only those of this file.
        is_owned: only those with, or without, a proven owner.
    """

    status: str | None = None
    trouble: str | None = None
    file_id: str | None = None
    is_owned: bool | None = None


def add_file(session: Session, deed: Deed, exam: StoredExam, name: str, blob: str, size: int) -> StoredFile:
    """Take a scan file in; the same content again is the file that is there.

    Args:
        session: of `Database.write`.
        deed: who and when; nobody's for a watched folder.
        exam: whose sheets are in it.
        name: as its sender calls it.
        blob: its content, already in the blob store.
        size: bytes.

    Raises:
        Refused: the exam is 確定 or 返却.
    """
    want_sorting(session, deed, exam)  # holds off who sends the same file at the same time
    known = session.scalar(
        select(ScanFileRow).where(ScanFileRow.exam_id == exam.id, ScanFileRow.blob == blob)
    )
    if known is not None:
        return _file(known, _waiting(session, known.id))
    row = ScanFileRow(
        school_id=deed.school_id,
        school_year=exam.school_year,
        exam_id=exam.id,
        name=name,
        blob=blob,
        size=size,
        state=FileState.RECEIVED,
        received_at=deed.at,
        received_by=deed.account_id,
    )
    session.add(row)
    session.flush()
    hold_editable(session, deed, exam)
    record(session, deed, "file.received", row.id, {"exam": exam.id, "size": size})
    note_change(session, deed, exam.id, "file.received", {"file": row.id})
    return _file(row, 0)


def hold_editable(session: Session, deed: Deed, exam: StoredExam) -> None:
    """Make sure that an exam may change, and let nobody confirm it before this write ends.

    Call it after the rows of pages and intakes were locked: workers take the exam's row last too.

    Raises:
        Refused: it is 確定 or 返却; it is to be brought back for a reason first.
    """
    session.execute(select(ExamRow.id).where(ExamRow.id == exam.id).with_for_update(key_share=True))
    check_editable(find_exam(session, deed.school_id, exam.id).state)


def list_files(
    session: Session, exam: StoredExam, state: FileState | None, after: str | None, limit: int
) -> Sequence[StoredFile]:
    """The files of an exam in the order in which they came.

    Args:
        session: of `Database.read`.
        exam: whose.
        state: only those in this state.
        after: only those behind the one of this id; None for the first ones.
        limit: at most so many.
    """
    waiting = (
        select(ScanPageRow.file_id, func.count().label("count"))
        .where(ScanPageRow.exam_id == exam.id, ScanPageRow.state == PageState.WAITING)
        .group_by(ScanPageRow.file_id)
        .subquery()
    )
    wanted = (
        select(ScanFileRow, func.coalesce(waiting.c.count, 0))
        .outerjoin(waiting, waiting.c.file_id == ScanFileRow.id)
        .where(ScanFileRow.exam_id == exam.id)
        .order_by(ScanFileRow.id)
        .limit(limit)
    )
    if state is not None:
        wanted = wanted.where(ScanFileRow.state == state)
    if after is not None:
        wanted = wanted.where(ScanFileRow.id > after)
    return [_file(row, count) for row, count in session.execute(wanted)]


def find_page(session: Session, exam: StoredExam, page_id: str) -> StoredPage:
    """A page of an exam.

    Raises:
        Refused: the exam has none of this id.
    """
    found = session.execute(_pages(exam).where(ScanPageRow.id == page_id)).first()
    if found is None:
        raise Refused(Refusal.NOT_FOUND, "このページは見つかりません。ページの一覧を開き直してください。")
    return stored_page(*found)


def list_pages(
    session: Session, exam: StoredExam, wanted: PageFilter, after: str | None, limit: int
) -> Sequence[StoredPage]:
    """Pages of an exam, file by file as they came, in the order of their files.

    Args:
        session: of `Database.read`.
        exam: whose.
        wanted: which of them.
        after: only those behind the one of this id; None for the first ones.
        limit: at most so many.
    """
    place = (ScanPageRow.file_id, ScanPageRow.number, ScanPageRow.part)
    listed = _pages(exam).order_by(*place).limit(limit)
    for column, value in (
        (ScanPageRow.status, wanted.status),
        (ScanPageRow.trouble, wanted.trouble),
        (ScanPageRow.file_id, wanted.file_id),
    ):
        if value is not None:
            listed = listed.where(column == value)
    if wanted.is_owned is not None:
        owned = ScanPageRow.student_id.is_not(None)
        listed = listed.where(owned if wanted.is_owned else ~owned)
    if after is not None:
        last = find_page(session, exam, after)
        listed = listed.where(tuple_(*place) > tuple_(literal(last.file_id), last.number, last.part))
    return [stored_page(*found) for found in session.execute(listed)]


def stored_page(row: ScanPageRow, file_name: str) -> StoredPage:
    """A page's row and the name of its file as a frozen value."""
    return StoredPage(
        id=row.id,
        file_id=row.file_id,
        file_name=file_name,
        number=row.number,
        part=row.part,
        state=PageState(row.state),
        status=row.status,
        reason=row.reason,
        trouble=row.trouble,
        sheet=row.sheet,
        sheet_page=row.sheet_page,
        student_id=row.student_id,
        owner=row.owner,
        reading_id=row.reading_id,
        hints=row.hints,
        version=row.version,
    )


def _pages(exam: StoredExam) -> Select[ScanPageRow, str]:
    return (
        select(ScanPageRow, ScanFileRow.name)
        .join(ScanFileRow, ScanFileRow.id == ScanPageRow.file_id)
        .where(ScanPageRow.exam_id == exam.id)
    )


def _waiting(session: Session, file_id: str) -> int:
    waiting = select(func.count()).where(
        ScanPageRow.file_id == file_id, ScanPageRow.state == PageState.WAITING
    )
    return session.scalar(waiting) or 0


def _file(row: ScanFileRow, waiting: int) -> StoredFile:
    return StoredFile(
        id=row.id,
        name=row.name,
        blob=row.blob,
        size=row.size,
        state=FileState(row.state),
        page_count=row.page_count,
        reason=row.reason,
        trouble=row.trouble,
        received_at=row.received_at,
        received_by=row.received_by,
        waiting=waiting,
    )
