"""A PostgreSQL of the tests' own, from the system's programs, in a folder that is gone afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import create_engine, text

from scoring.storage.columns import new_id

if TYPE_CHECKING:
    from collections.abc import Iterator

_SETTINGS = "-c listen_addresses= -c fsync=off -c max_connections=60"


@contextmanager
def running_postgres() -> Iterator[str]:
    """The address of an empty database in a server that is running; PostgreSQL refuses to run as root."""
    user = "postgres" if hasattr(os, "geteuid") and os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="saiten-postgres-"))
    try:
        if user is not None:
            shutil.chown(folder, user)
        data = folder / "data"
        _run(user, folder, "initdb", "-D", data, "-A", "trust", "-U", "saiten", "-E", "UTF8", "--no-sync")
        _run(
            user,
            folder,
            "pg_ctl",
            "-D",
            data,
            "-w",
            "-l",
            folder / "log",
            "-o",
            f"{_SETTINGS} -k {folder}",
            "start",
        )
        try:
            yield f"postgresql+psycopg://saiten@/postgres?host={folder}"
        finally:
            _run(user, folder, "pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def new_database(server: str) -> str:
    """The address of a new, empty database in a running server."""
    name = f"test_{new_id()}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return server.replace("/postgres?", f"/{name}?")


def _run(user: str | None, folder: Path, name: str, *arguments: str | Path) -> None:
    # What a server that goes on running inherits as its output must not be a pipe that somebody waits for.
    subprocess.run(
        [_program(name), *arguments],
        user=user,
        cwd=folder,
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _program(name: str) -> str:
    """Debian keeps each version's programs in a folder of its own, not on the path."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    path = str(found[-1]) if found else shutil.which(name)
    assert path is not None, f"{name} of PostgreSQL is not installed"
    return path
