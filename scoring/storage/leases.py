"""Leases: rows that a worker is at, until it says so itself, or its time is over.

`attempts` of a row says how far it is suspected of ending the workers that begin it. To begin counts 1; where a worker
was seen to die at it, 2 more. So a power cut or a killed server, which say little about the row, count a third.
"""

from __future__ import annotations

import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, and_, case, or_, select, union, update

from scoring.storage.scan_tables import IntakeRow, ScanFileRow, ScanPageRow

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from scoring.storage.database import Database

LEASE = datetime.timedelta(seconds=120)
"""How long a worker may be at something; a batch of pages takes some seconds."""
ALONE_FROM = 6
"""From so many attempts on (workers were seen to die twice) a page is taken by itself."""
GIVEN_UP_FROM = 9
"""From so many attempts on (workers were seen to die three times) a row is given up."""
_SEEN_TO_DIE = 2
_LATER = "later"
_LEASED = (ScanFileRow, ScanPageRow, IntakeRow)
LeasedRow = type[ScanFileRow] | type[ScanPageRow] | type[IntakeRow]


class Ending(StrEnum):
    """How a worker's time at a row ended before the row was done.

    STOPPED: in order, or for a reason outside the row. DIED: it was seen to die or hang. VANISHED: it is gone and
    nobody saw how.
    """

    STOPPED = "stopped"
    DIED = "died"
    VANISHED = "vanished"


def is_free(table: LeasedRow, now: datetime.datetime) -> ColumnElement[bool]:
    """Whether nobody is at a row.

    A lease that ends further ahead than any can is from before the clock was set back; twice a lease, since the clocks
    of two machines differ.
    """
    return or_(table.lease_owner.is_(None), table.lease_until < now, table.lease_until > now + 2 * LEASE)


def give_back(database: Database, worker: str, ending: Ending) -> int:
    """Free what a worker is at, for others to begin again; returns how many rows.

    Args:
        database: of the rows.
        worker: its name.
        ending: how its work ended.
    """
    with database.write() as session:
        return sum(_free(session, table, table.lease_owner == worker, ending) for table in _LEASED)


def give_back_all_of(database: Database, supervisor: str) -> int:
    """Free what the workers of a supervisor are at that is gone itself; returns how many rows."""
    with database.write() as session:
        return sum(
            _free(session, table, table.lease_owner.startswith(f"{supervisor}."), Ending.VANISHED)
            for table in _LEASED
        )


def list_supervisors(session: Session) -> set[str]:
    """The supervisors whose workers are at something."""
    held = [select(table.lease_owner).where(table.lease_owner.contains(".")) for table in _LEASED]
    return {owner.partition(".")[0] for owner in session.scalars(union(*held)) if owner is not None}


def put_off(database: Database, worker: str, until: datetime.datetime) -> None:
    """Leave what a worker is at for later, where something outside stands in its way; other work comes first."""
    with database.write() as session:
        for table in _LEASED:
            session.execute(
                update(table)
                .where(table.lease_owner == worker)
                .values(lease_owner=_LATER, lease_until=until, attempts=_fewer(table))
            )


def renew(database: Database, worker: str, now: datetime.datetime) -> None:
    """Let the lease of a worker that is well run on."""
    with database.write() as session:
        for table in _LEASED:
            session.execute(update(table).where(table.lease_owner == worker).values(lease_until=now + LEASE))


def _free(session: Session, table: LeasedRow, which: ColumnElement[bool], ending: Ending) -> int:
    attempts: ColumnElement[int] = table.attempts.expression
    if ending is Ending.STOPPED:
        attempts = _fewer(table)
    elif ending is Ending.DIED:
        attempts = table.attempts + _SEEN_TO_DIE
    freed = (
        update(table)
        .where(and_(which, table.lease_owner.is_not(None)))
        .values(lease_owner=None, lease_until=None, attempts=attempts)
        .returning(table.id)
    )
    return len(session.execute(freed).all())


def _fewer(table: LeasedRow) -> ColumnElement[int]:
    return case((table.attempts > 0, table.attempts - 1), else_=0)
