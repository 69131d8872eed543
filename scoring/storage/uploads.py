"""Files that are being sent in parts: what is known of them until they are scan files."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update

from omr.errors import Refusal, Refused
from scoring.storage.exams import find_exam
from scoring.storage.scan_tables import UploadRow
from scoring.storage.scans import add_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from scoring.storage.events import Deed
    from scoring.storage.exams import StoredExam
    from scoring.storage.scans import StoredFile

KEPT = datetime.timedelta(days=7)
"""How long an upload is kept after its start."""


@dataclass(frozen=True, slots=True)
class StoredUpload:
    """A file that is being sent.

    Attributes:
        id: of the row, and of the part file.
        exam_id: for which exam.
        name: as its sender calls it.
        size: bytes of the whole file.
        received: bytes that are surely on disk.
        started_by: by which account.
        file_id: the scan file that it became; None until it is whole.
    """

    id: str
    exam_id: str
    name: str
    size: int
    received: int
    started_by: str
    file_id: str | None


def start_upload(session: Session, deed: Deed, exam: StoredExam, name: str, size: int) -> StoredUpload:
    """Note that a file is going to be sent, by an account."""
    row = UploadRow(
        school_id=deed.school_id,
        school_year=exam.school_year,
        exam_id=exam.id,
        name=name,
        size=size,
        received=0,
        started_at=deed.at,
        started_by=deed.by,
    )
    session.add(row)
    session.flush()
    return _stored(row)


def find_upload(session: Session, deed: Deed, exam_id: str, upload_id: str) -> StoredUpload:
    """An upload of the account.

    Raises:
        Refused: it has none of this id for this exam (any more).
    """
    row = session.scalar(
        select(UploadRow).where(
            UploadRow.id == upload_id,
            UploadRow.exam_id == exam_id,
            UploadRow.school_id == deed.school_id,
            UploadRow.started_by == deed.by,
        )
    )
    if row is None:
        raise Refused(
            Refusal.NOT_FOUND, "この送信は見つかりません（7日で消えます）。もう一度はじめから送ってください。"
        )
    return _stored(row)


def note_received(session: Session, upload: StoredUpload, received: int) -> None:
    """Note how much of an upload is on disk."""
    session.execute(update(UploadRow).where(UploadRow.id == upload.id).values(received=received))


def finish_upload(session: Session, deed: Deed, upload: StoredUpload, blob: str) -> StoredFile:
    """Let a whole upload become a scan file; once, however often it is asked for.

    Args:
        session: of `Database.write`.
        deed: who and when.
        upload: all of which lies in the blob store.
        blob: its hash.

    Raises:
        Refused: the upload is gone, or as `scans.add_file`.
    """
    exam = find_exam(session, deed.school_id, upload.exam_id)
    file = add_file(session, deed, exam, upload.name, blob, upload.size)
    find_upload(session, deed, upload.exam_id, upload.id)
    session.execute(update(UploadRow).where(UploadRow.id == upload.id).values(file_id=file.id))
    return file


def list_unfinished(session: Session, school_id: str) -> Sequence[StoredUpload]:
    """The uploads of a school that are no scan files yet."""
    rows = session.scalars(
        select(UploadRow).where(UploadRow.school_id == school_id, UploadRow.file_id.is_(None))
    )
    return [_stored(row) for row in rows]


def remove_upload(session: Session, upload: StoredUpload) -> None:
    """Forget an upload; the scan file that it may have become stays."""
    session.execute(delete(UploadRow).where(UploadRow.id == upload.id))


def remove_old_uploads(session: Session, deed: Deed) -> None:
    """Forget the uploads of a school that were started too long ago."""
    session.execute(
        delete(UploadRow).where(UploadRow.school_id == deed.school_id, UploadRow.started_at < deed.at - KEPT)
    )


def _stored(row: UploadRow) -> StoredUpload:
    return StoredUpload(row.id, row.exam_id, row.name, row.size, row.received, row.started_by, row.file_id)
