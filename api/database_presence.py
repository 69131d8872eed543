"""Supervisors of workers on several machines: seen by each other through a lock that PostgreSQL holds for a connection.

PostgreSQL frees the lock when the connection ends: at once where the process is killed, half a minute later where its
machine or the network is gone.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.exc import DBAPIError

from scoring.storage.columns import new_id
from scoring.storage.leases import list_supervisors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection

    from scoring.storage.database import Database

_NOTICE_DEAD_MACHINES = (
    "SET tcp_keepalives_idle = 10",
    "SET tcp_keepalives_interval = 5",
    "SET tcp_keepalives_count = 4",
)


class DatabasePresence:
    """Seen by all that work on one PostgreSQL, as `api.worker_presence.Presence` says.

    Args:
        database: on PostgreSQL.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Connection | None = None
        self._name = ""

    def __enter__(self) -> str:
        self._name = new_id()
        with suppress(DBAPIError):  # the next look tries again
            self._hold()
        return self._name

    def __exit__(self, *_: object) -> None:
        self._let_go()

    @contextmanager
    def find_gone(self) -> Iterator[list[str]]:
        """As in `Presence`.

        Raises:
            Refused: the database can't be used now.
        """
        with self._database.read() as session:
            self._hold()
            others = [one for one in list_supervisors(session) if one != self._name]
            # The lock is kept until the block ends, so that one supervisor alone gives back.
            yield [one for one in others if session.scalar(select(func.pg_try_advisory_xact_lock(_key(one))))]

    def _hold(self) -> None:
        """Take the lock, or make sure that the connection that holds it lives."""
        try:
            if self._connection is not None:
                self._connection.execute(text("SELECT 1"))
                return
            # No transaction: the connection lasts as long as this process.
            engine = self._database.engine.execution_options(isolation_level="AUTOCOMMIT")
            self._connection = engine.connect()
            self._connection.detach()  # its end is the end of the lock
            for setting in _NOTICE_DEAD_MACHINES:
                self._connection.execute(text(setting))
            if not self._connection.scalar(select(func.pg_try_advisory_lock(_key(self._name)))):
                self._let_go()  # PostgreSQL has not noticed yet that the connection before is gone
        except DBAPIError:
            self._let_go()
            raise

    def _let_go(self) -> None:
        if self._connection is not None:
            with suppress(DBAPIError):
                self._connection.close()
        self._connection = None


def _key(name: str) -> ColumnElement[int]:
    return func.hashtextextended(name, 0)
