"""Bringing a database's tables to those of this version, whatever earlier version made them."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from omr.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection, Engine

_SCRIPTS = Path(__file__).parent / "migrations"
_LOCK = 7_242_026
"""The key of PostgreSQL's lock under which one server at a time migrates; any number would do."""


def bring_up_to_date(engine: Engine, revision: str = "head") -> None:
    """Run the migrations that a database lacks, all or none of them; two servers may do so at once.

    Args:
        engine: of the database.
        revision: how far to go; tests stop earlier.

    Raises:
        InputError: a newer version of saiten made the tables.
        DBAPIError: the database can't be reached or written to.
    """
    known = revisions()
    with engine.connect() as connection:
        current = current_revision(connection)
    if current is not None and current not in known:
        raise InputError(
            "このデータは新しい版の saiten で作られています。saiten を新しくしてから、もう一度試してください。"
        )
    if current == known[-1]:
        return
    with migrating(engine) as connection:
        upgrade(connection, revision)  # does nothing where another server was quicker


def revisions() -> tuple[str, ...]:
    """The revisions of the schema, the first one first: the numbers with which the names of the scripts begin."""
    return tuple(sorted(path.name[:4] for path in (_SCRIPTS / "versions").glob("[0-9]*.py")))


def current_revision(connection: Connection) -> str | None:
    """The revision that made the tables; None where there are none yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return str(found) if found is not None else None


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Run the migrations up to a revision in the transaction of `migrating`; does nothing where they ran before."""
    # Alembic loads slowly, and most starts have nothing to migrate.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", _SCRIPTS.as_posix().replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


@contextmanager
def migrating(engine: Engine) -> Iterator[Connection]:
    """A connection in a transaction that keeps other migrations out, and in which references are checked at the end."""
    if engine.dialect.name != "sqlite":
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            yield connection
        return
    with engine.connect() as connection:
        # Batch migrations make tables anew; with foreign keys on, the rows that refer to the old ones would go too.
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.execute("PRAGMA foreign_keys = OFF")
        try:
            with connection.execution_options(sqlite_begin="BEGIN IMMEDIATE").begin():
                yield connection
                broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
                assert broken is None, f"a migration broke a reference in {broken}"
        finally:
            raw.execute("PRAGMA foreign_keys = ON")
