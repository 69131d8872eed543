"""What is left to do for scans, taken by workers: it stands in the rows of files, pages and intakes themselves.

To take something is a lease on its rows. Work that is done is kept by `scoring.storage.kept_work` and
`scoring.storage.sorted_pages`; a worker whose lease is lost keeps nothing.
"""

from __future__ import annotations

import datetime  # noqa: TC003  (part of public signatures)
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import and_, exists, or_, select, update

from scoring.exam_state import check_editable
from scoring.storage.changes import note_change
from scoring.storage.events import record
from scoring.storage.intakes import want_sorting
from scoring.storage.leases import ALONE_FROM, GIVEN_UP_FROM, LEASE, is_free
from scoring.storage.scan_states import FileState, PageState
from scoring.storage.scan_tables import IntakeRow, ScanFileRow, ScanPageRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from scoring.storage.database import Database
    from scoring.storage.events import Deed
    from scoring.storage.exams import StoredExam
    from scoring.storage.leases import LeasedRow

BATCH_PAGES = 25


@dataclass(frozen=True, slots=True)
class Claim:
    """Something that a worker took.

    Attributes:
        worker: who took it.
        school_id: whose it is.
        exam_id: of which exam.
        is_given_up: it ended too many workers: it is to be set aside without being begun.
    """

    worker: str
    school_id: str
    exam_id: str
    is_given_up: bool


@dataclass(frozen=True, slots=True)
class CountPages(Claim):
    """A file whose pages are to be counted: its row and its blob."""

    file_id: str
    blob: str


@dataclass(frozen=True, slots=True)
class WaitingPage:
    """A page to read: its row, its number in the file (from 1), its part, and the row's hints."""

    id: str
    number: int
    part: int
    hints: dict[str, object] | None


@dataclass(frozen=True, slots=True)
class ReadPages(Claim):
    """Pages of one file to read: the file's row and blob, and at most `BATCH_PAGES` pages in order."""

    file_id: str
    blob: str
    pages: tuple[WaitingPage, ...]


@dataclass(frozen=True, slots=True)
class SortPages(Claim):
    """An exam whose pages are to be sorted out, up to what was wanted when this was taken."""

    wanted: int


def claim(
    database: Database, worker: str, now: datetime.datetime
) -> CountPages | ReadPages | SortPages | None:
    """Take what is to be done next: files first, then pages in the order in which they came, then sorting.

    Args:
        database: of all schools that it holds.
        worker: a name that no other worker ever has.
        now: the time.

    Returns:
        What was taken, or None where there is nothing to do.

    Raises:
        Refused: the database can't be used now.
    """
    with database.read() as session:  # to look takes no write lock
        if not any(session.scalar(select(exists().where(one))) for one in _all_to_do(now)):
            return None
    with database.write() as session:
        return (
            _claim_file(session, worker, now)
            or _claim_pages(session, worker, now)
            or _claim_sorting(session, worker, now)
        )


def reread(session: Session, deed: Deed, stored: StoredExam, pages: Sequence[str] | None = None) -> int:
    """Let pages be read once more; what was read before stays, and counts until then. Returns how many.

    Args:
        session: of `Database.write`.
        deed: who and when.
        stored: the exam.
        pages: ids of its pages; None for all.

    Raises:
        Refused: the exam is 確定 or 返却.
    """
    check_editable(stored.state)
    which = [
        ScanPageRow.exam_id == stored.id,
        ScanPageRow.school_id == deed.school_id,
        ScanPageRow.state == PageState.READ,
    ]
    if pages is not None:
        which.append(ScanPageRow.id.in_(pages))
    again = (
        update(ScanPageRow)
        .where(*which)
        .values(state=PageState.WAITING, attempts=0, lease_owner=None, lease_until=None)
        .returning(ScanPageRow.id)
    )
    count = len(session.execute(again).all())
    if count:
        want_sorting(session, deed, stored)
        record(session, deed, "pages.reread", stored.id, {"pages": count})
        note_change(session, deed, stored.id, "pages.waiting", {"pages": count})
    return count


def _all_to_do(now: datetime.datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        and_(ScanFileRow.state == FileState.RECEIVED, is_free(ScanFileRow, now)),
        and_(ScanPageRow.state == PageState.WAITING, is_free(ScanPageRow, now)),
        _is_to_sort(now),
    )


def _is_to_sort(now: datetime.datetime) -> ColumnElement[bool]:
    """Exams of which nothing is to be read any more, or that were last sorted long ago.

    `lease_until` of an intake that nobody is at says until when it is left, as long as pages come.
    """
    more_comes = or_(
        exists().where(ScanFileRow.exam_id == IntakeRow.exam_id, ScanFileRow.state == FileState.RECEIVED),
        exists().where(ScanPageRow.exam_id == IntakeRow.exam_id, ScanPageRow.state == PageState.WAITING),
    )
    return and_(
        IntakeRow.wanted > IntakeRow.done,
        is_free(IntakeRow, now),
        or_(
            ~more_comes,
            IntakeRow.lease_until.is_(None),
            IntakeRow.lease_until < now,
            IntakeRow.lease_until > now + 2 * LEASE,
        ),
    )


def _claim_file(session: Session, worker: str, now: datetime.datetime) -> CountPages | None:
    row = session.scalar(
        select(ScanFileRow)
        .where(ScanFileRow.state == FileState.RECEIVED, is_free(ScanFileRow, now))
        .order_by(ScanFileRow.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if row is None:
        return None
    taken = CountPages(worker, row.school_id, row.exam_id, row.attempts >= GIVEN_UP_FROM, row.id, row.blob)
    _take(session, ScanFileRow, [row.id], worker, now)
    return taken


def _claim_pages(session: Session, worker: str, now: datetime.datetime) -> ReadPages | None:
    waiting = (
        select(ScanPageRow)
        .where(ScanPageRow.state == PageState.WAITING, is_free(ScanPageRow, now))
        .order_by(ScanPageRow.file_id, ScanPageRow.number, ScanPageRow.part)
        .with_for_update(skip_locked=True)
    )
    first = session.scalar(waiting.limit(1))
    if first is None:
        return None
    rows = [first]
    if first.attempts < ALONE_FROM:
        more = waiting.where(ScanPageRow.file_id == first.file_id, ScanPageRow.attempts < ALONE_FROM)
        rows = list(session.scalars(more.limit(BATCH_PAGES)))
    pages = tuple(WaitingPage(row.id, row.number, row.part, row.hints) for row in rows)
    blob = session.scalars(select(ScanFileRow.blob).where(ScanFileRow.id == first.file_id)).one()
    is_given_up = first.attempts >= GIVEN_UP_FROM
    _take(session, ScanPageRow, [row.id for row in rows], worker, now)
    return ReadPages(worker, first.school_id, first.exam_id, is_given_up, first.file_id, blob, pages)


def _claim_sorting(session: Session, worker: str, now: datetime.datetime) -> SortPages | None:
    row = session.scalar(
        select(IntakeRow)
        .where(_is_to_sort(now))
        .order_by(IntakeRow.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if row is None:
        return None
    taken = SortPages(worker, row.school_id, row.exam_id, row.attempts >= GIVEN_UP_FROM, row.wanted)
    _take(session, IntakeRow, [row.id], worker, now)
    return taken


def _take(
    session: Session, table: LeasedRow, ids: Sequence[str], worker: str, now: datetime.datetime
) -> None:
    session.execute(
        update(table)
        .where(table.id.in_(ids))
        .values(lease_owner=worker, lease_until=now + LEASE, attempts=table.attempts + 1)
        .execution_options(synchronize_session=False)
    )
