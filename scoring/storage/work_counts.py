"""How much there is to do and was done in the whole database, as numbers for those who look after the server."""

from __future__ import annotations

import datetime  # noqa: TC003  (part of public signatures)
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import exists, func, select, union

from scoring.storage.grading_tables import JudgementRow
from scoring.storage.scan_states import FileState, PageState
from scoring.storage.scan_tables import IntakeRow, ScanFileRow, ScanPageRow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from scoring.storage.exams import StoredExam


@dataclass(frozen=True, slots=True)
class WorkCounts:
    """The numbers.

    Attributes:
        files: scan files by state: received (waiting), counted, refused.
        pages: pages by state: waiting, read.
        busy_workers: workers that are at something.
        judgements: stored, those that were taken back too.
    """

    files: Mapping[str, int]
    pages: Mapping[str, int]
    busy_workers: int
    judgements: int


def count_work(session: Session, now: datetime.datetime) -> WorkCounts:
    """The numbers as they now are."""
    owners = union(
        *(
            select(table.lease_owner).where(table.lease_owner.is_not(None), table.lease_until > now)
            for table in (ScanFileRow, ScanPageRow, IntakeRow)
        )
    ).subquery()
    files = select(ScanFileRow.state, func.count().label("number")).group_by(ScanFileRow.state)
    pages = select(ScanPageRow.state, func.count().label("number")).group_by(ScanPageRow.state)
    return WorkCounts(
        files={row.state: row.number for row in session.execute(files)},
        pages={row.state: row.number for row in session.execute(pages)},
        busy_workers=session.scalar(select(func.count()).select_from(owners)) or 0,
        judgements=session.scalar(select(func.count()).select_from(JudgementRow)) or 0,
    )


def is_work_left(session: Session, exam: StoredExam) -> bool:
    """Whether anything of an exam is still to be counted, read or sorted."""
    left = (
        exists().where(ScanFileRow.exam_id == exam.id, ScanFileRow.state == FileState.RECEIVED),
        exists().where(ScanPageRow.exam_id == exam.id, ScanPageRow.state == PageState.WAITING),
        exists().where(IntakeRow.exam_id == exam.id, IntakeRow.wanted > IntakeRow.done),
    )
    return any(session.scalar(select(one)) for one in left)
