"""Removing what nobody needs any more: answers kept for repeated requests, ended sessions, used links, failed sign-ins."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from sqlalchemy import delete, or_, select

from scoring.storage.sessions import TRY_WINDOW
from scoring.storage.tables import AnsweredRequestRow, FailedSignInRow, SessionRow, SetupLinkRow

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from scoring.storage.database import Database

ANSWERS_KEPT = datetime.timedelta(days=7)
"""How long a request can be repeated under its Idempotency-Key."""
SESSIONS_KEPT = datetime.timedelta(days=30)
"""How long a session is still there after its end."""
_ROWS_AT_ONCE = 500


def clean_up(database: Database, school_id: str, at: datetime.datetime) -> int:
    """Remove such rows, few in each write so that nobody waits for it, and return how many there were.

    Args:
        database: of the school.
        school_id: whose rows.
        at: the time now, in UTC.

    Raises:
        Refused: the database can't be used now; what was removed before stays so.
    """
    ended = at - SESSIONS_KEPT
    outdated: list[tuple[type[_Row], ColumnElement[bool]]] = [
        (AnsweredRequestRow, AnsweredRequestRow.answered_at < at - ANSWERS_KEPT),
        # One that was never ended ran out of itself when it was not used.
        (SessionRow, or_(SessionRow.ended_at < ended, SessionRow.last_used_at < ended)),
        (SetupLinkRow, or_(SetupLinkRow.used_at.is_not(None), SetupLinkRow.expires_at < at)),
        (FailedSignInRow, FailedSignInRow.tried_at <= at - TRY_WINDOW),
    ]
    return sum(_remove(database, school_id, row, condition) for row, condition in outdated)


_Row = AnsweredRequestRow | SessionRow | SetupLinkRow | FailedSignInRow


def _remove(database: Database, school_id: str, row: type[_Row], condition: ColumnElement[bool]) -> int:
    removed = 0
    while True:
        with database.write() as session:
            some = session.scalars(
                select(row.id).where(row.school_id == school_id, condition).limit(_ROWS_AT_ONCE)
            ).all()
            session.execute(delete(row).where(row.id.in_(some)))
        removed += len(some)
        if len(some) < _ROWS_AT_ONCE:
            return removed
