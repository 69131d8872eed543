"""The database: SQLite in a file, or PostgreSQL by URL, opened with what keeps its data safe."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable  # noqa: TC003  (part of public signatures)
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError
from sqlalchemy.orm import Session

from omr.errors import InputError, Refusal, Refused
from scoring.storage.migration import bring_up_to_date

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy.engine import Connection, Engine

BUSY_SECONDS = 30.0
"""How long a write waits for another one."""
_DRIVERS = {"sqlite+pysqlite", "postgresql+psycopg"}
_BEGIN = "sqlite_begin"
_WRONG_ADDRESS = "--database は sqlite:///ファイル か postgresql+psycopg://利用者:パスワード@ホスト/名前 の形で指定してください。"


class Turns:
    """Turns at writing to a SQLite file.

    Who finds SQLite's own lock taken sleeps for up to a tenth of a second before it looks again, and may find that
    others were quicker for ever; threads of one process wait for each other here, and get their turn at once.

    Args:
        seconds: how long one waits for its turn.
    """

    def __init__(self, seconds: float) -> None:
        self._lock, self._seconds = threading.Lock(), seconds

    @contextmanager
    def take(self) -> Iterator[None]:
        """Have the turn while the block runs.

        Raises:
            Refused: it did not come in time.
        """
        if not self._lock.acquire(timeout=self._seconds):
            raise _busy()
        try:
            yield
        finally:
            self._lock.release()


@dataclass(frozen=True, slots=True)
class Database:
    """An open database; `read` and `write` are the only ways in.

    Attributes:
        engine: of SQLAlchemy.
        turns: lets one write of this process at a time ask SQLite for its lock; None for PostgreSQL.
        after_write: each is told of every write of this process when it is on disk, in its thread: the seconds that it
            waited for others before it began.
    """

    engine: Engine
    turns: Turns | None = None
    after_write: list[Callable[[float], None]] = field(default_factory=list, compare=False)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees one state of the database and changes nothing.

        Raises:
            Refused: the database can't be reached.
        """
        with _told(), Session(self.engine) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session whose changes are all on disk when the block ends, or none of them where it raises.

        With SQLite one write runs at a time, and sees what those before it did; with PostgreSQL, rows that a decision
        rests on are to be read `with_for_update()`.

        Raises:
            Refused: another write did not end in time, made the same row first, or the database can't be reached.
        """
        writing = self.engine.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})
        turn = nullcontext() if self.turns is None else self.turns.take()
        asked, waited = time.perf_counter(), 0.0
        with turn, _told(), Session(writing, expire_on_commit=False) as session, session.begin():
            session.connection()  # takes the write lock now, not at the first statement
            waited = time.perf_counter() - asked
            yield session
        for tell in tuple(self.after_write):
            tell(waited)

    def check(self) -> None:
        """Make sure that the database answers.

        Raises:
            Refused: it does not.
        """
        with self.read() as session:
            session.execute(text("SELECT 1"))

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def database_in(folder: Path) -> URL:
    """The URL of the SQLite file in a data folder, whatever characters its name has."""
    return URL.create("sqlite+pysqlite", database=str(folder / "saiten.sqlite3"))


def open_database(address: str | URL, *, busy_seconds: float = BUSY_SECONDS) -> Database:
    """Open a database and bring its tables up to date.

    Args:
        address: `sqlite:///FILE`, or `postgresql+psycopg://USER:PASSWORD@HOST/NAME` (extra `cluster`).
        busy_seconds: how long a write to SQLite waits for another one.

    Raises:
        InputError: the address makes no sense, nothing answers there, or a newer saiten made its tables.
    """
    database = connect_database(address, busy_seconds=busy_seconds)
    try:
        bring_up_to_date(database.engine)
    except InputError:
        database.close()
        raise
    except DBAPIError as error:
        database.close()
        raise unreachable(database.engine.url) from error
    return database


def connect_database(address: str | URL, *, busy_seconds: float = BUSY_SECONDS) -> Database:
    """A database with whatever tables it has; nothing is asked of it yet.

    Args:
        address: as in `open_database`.
        busy_seconds: as in `open_database`.

    Raises:
        InputError: the address makes no sense.
    """
    url = _database_url(address)
    try:
        turns = Turns(busy_seconds) if url.get_backend_name() == "sqlite" else None
        return Database(_engine(url, busy_seconds), turns)
    except ModuleNotFoundError as error:
        raise InputError(
            f"PostgreSQL のための部品（{error.name}）がありません。saiten[cluster] を入れてください。"
        ) from error


def unreachable(url: URL) -> InputError:
    """What to raise where nothing answers at an address."""
    shown = url.render_as_string(hide_password=True)
    return InputError(
        f"データベース {shown} を開けません。場所、名前、パスワードと、動いているかを確かめてください。"
    )


def _database_url(address: str | URL) -> URL:
    try:
        url = make_url(address)
        url = url.set(
            drivername={"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg"}.get(
                url.drivername, url.drivername
            )
        )
        url.get_dialect()
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        raise InputError(_WRONG_ADDRESS) from error
    if url.drivername not in _DRIVERS or (url.get_backend_name() == "sqlite" and not url.database):
        raise InputError(_WRONG_ADDRESS)
    return url


def _engine(url: URL, busy_seconds: float) -> Engine:
    if url.get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True, pool_size=10, max_overflow=20)
    engine = create_engine(url, connect_args={"timeout": busy_seconds}, pool_size=20, max_overflow=40)
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _set_up_sqlite(connection: sqlite3.Connection, record: Any) -> None:  # noqa: ARG001
    # The driver's own way of beginning takes the write lock late, where two writers can only fail.
    connection.isolation_level = None
    for setting in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {setting}")


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN"))


@contextmanager
def _told() -> Iterator[None]:
    """What the driver says in English becomes a refusal that a teacher understands."""
    try:
        yield
    except IntegrityError as error:
        raise Refused(
            Refusal.ALREADY_THERE,
            "同じものが先に保存されていました。画面を開き直して確かめてください。",
        ) from error
    except DBAPIError as error:
        raise _busy() from error


def _busy() -> Refused:
    return Refused(Refusal.BUSY, "データベースが今は使えません。しばらく待って、もう一度試してください。")
