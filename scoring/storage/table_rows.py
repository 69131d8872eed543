"""Rows of any table as lines of JSON, and back: the same lines from SQLite and from PostgreSQL."""

from __future__ import annotations

import base64
import datetime
import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    JSON,
    Date,
    DateTime,
    LargeBinary,
    MetaData,
    Text,
    bindparam,
    cast,
    insert,
    select,
    update,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy import Column, Table
    from sqlalchemy.engine import Connection

_ROWS_AT_ONCE = 500
_REVISION_TABLE = "alembic_version"


def tables_of(connection: Connection) -> list[Table]:
    """The tables that a database has, whatever version made them; those that others refer to stand first."""
    metadata = MetaData()
    metadata.reflect(connection)
    tables = [table for table in metadata.sorted_tables if table.name != _REVISION_TABLE]
    for table in tables:
        for column in table.columns:
            if isinstance(column.type, JSON):
                column.type = JSON(none_as_null=True)  # keeps no value and the value null apart
    return tables


def lines_of(connection: Connection, table: Table) -> Iterator[bytes]:
    """The lines of a table: the names of its columns, then its rows by primary key; few are in memory at once."""
    yield _line([column.name for column in table.columns])
    values = [cast(one, Text) if isinstance(one.type, JSON) else one for one in table.columns]
    rows = connection.execute(
        select(*values).order_by(*table.primary_key.columns),
        execution_options={"stream_results": True, "yield_per": _ROWS_AT_ONCE},
    )
    for row in rows:
        yield _line([_plain(value) for value in row])


def insert_lines(connection: Connection, table: Table, lines: Iterable[bytes]) -> int:
    """Put the rows of `lines_of` into an empty table, and return how many there were.

    Raises:
        ValueError: the lines are not those of such a table.
    """
    coming = iter(lines)
    names: list[str] = json.loads(next(coming, b"[]"))
    if sorted(names) != sorted(table.columns.keys()):
        raise ValueError(f"other columns than those of {table.name}")
    columns = [table.columns[name] for name in names]
    own_references = [one.name for one in columns if any(key.references(table) for key in one.foreign_keys)]
    later: list[dict[str, Any]] = []
    count = 0
    for rows in _batches(coming, columns, connection.dialect.name):
        # A row may refer to a later one of its own table: it does when all are there.
        for row in rows:
            referring = {name: row[name] for name in own_references if row[name] is not None}
            if referring:
                later.append({"_id": row["id"], **dict.fromkeys(own_references), **referring})
                row.update(dict.fromkeys(referring))
        connection.execute(insert(table), rows)
        count += len(rows)
    if later:
        connection.execute(
            update(table)
            .where(table.columns["id"] == bindparam("_id"))
            .values({name: bindparam(name) for name in own_references}),
            later,
        )
    return count


def _batches(
    lines: Iterator[bytes], columns: Sequence[Column[Any]], dialect: str
) -> Iterator[list[dict[str, Any]]]:
    rows: list[dict[str, Any]] = []
    for line in lines:
        values = json.loads(line)
        rows.append(
            {one.name: _value(one, value, dialect) for one, value in zip(columns, values, strict=True)}
        )
        if len(rows) == _ROWS_AT_ONCE:
            yield rows
            rows = []
    if rows:
        yield rows


def _line(values: list[Any]) -> bytes:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _plain(value: Any) -> Any:
    """A value as JSON can hold it."""
    if isinstance(value, datetime.datetime):
        # SQLite keeps times in UTC without saying so.
        aware = value.replace(tzinfo=datetime.UTC) if value.tzinfo is None else value
        return aware.astimezone(datetime.UTC).isoformat()
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value


def _value(column: Column[Any], plain: Any, dialect: str) -> Any:
    """The value of a column from what `_plain` made of it."""
    if plain is None:
        return None
    if isinstance(column.type, JSON):
        value = json.loads(plain)
        return JSON.NULL if value is None else value
    if isinstance(column.type, DateTime):
        time = datetime.datetime.fromisoformat(plain)
        return time.replace(tzinfo=None) if dialect == "sqlite" else time
    if isinstance(column.type, Date):
        return datetime.date.fromisoformat(plain)
    if isinstance(column.type, LargeBinary):
        return base64.b64decode(plain)
    return plain
