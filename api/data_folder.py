"""The data of an instance that was served before, for commands that work on it from the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from omr.errors import InputError
from scoring.storage.database import connect_database, database_in

if TYPE_CHECKING:
    from sqlalchemy.engine import URL


def stored_address(data: Path, address: str | None) -> str | URL:
    """The address of an instance's database.

    Args:
        data: folder of the instance.
        address: URL of its database; None for SQLite in `data`.

    Raises:
        InputError: the address makes no sense, or there is no such file; none is made.
    """
    database = connect_database(address or database_in(data))
    url = database.engine.url
    if url.get_backend_name() == "sqlite" and not (url.database and Path(url.database).is_file()):
        raise InputError(
            f"{url.database} がありません。--data か --database で、データの場所を指定してください。"
        )
    return address or url
