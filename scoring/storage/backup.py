"""Making a backup: all rows as they were at one moment, and all blobs, while others go on reading and writing."""

from __future__ import annotations

import hashlib
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from omr.errors import InputError, Refusal, Refused
from scoring.storage.backup_file import (
    BLOB_LIST,
    MANIFEST,
    Manifest,
    TablePart,
    blob_member,
    member_to_write,
    new_backup_file,
    table_member,
)
from scoring.storage.blobs import copy_hashed
from scoring.storage.columns import utc_now
from scoring.storage.migration import current_revision
from scoring.storage.schema import BLOB_COLUMNS
from scoring.storage.table_rows import lines_of, tables_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sqlalchemy import Table
    from sqlalchemy.engine import Connection

    from scoring.storage.blobs import BlobStore
    from scoring.storage.database import Database


def make_backup(database: Database, blobs: BlobStore, path: Path) -> Manifest:
    """Write all that an instance keeps into one file, and return what it holds.

    A blob is put before the row that names it, so the blobs that are there after the rows were read are all that
    they need. One that is missing or damaged spoils no backup: the manifest names it.

    Args:
        database: at whatever schema it is.
        blobs: of the same instance.
        path: of the new file; an earlier one of this name is replaced when the new one is whole.

    Raises:
        InputError: the database has no tables of saiten.
        OSError: the file can't be written; an earlier one stays as it was.
        Refused: the database or the object store can't be reached.
    """
    with new_backup_file(path) as archive:
        made_at = utc_now()
        with _snapshot(database) as connection:
            revision = current_revision(connection)
            if revision is None:
                raise InputError(
                    "このデータベースには saiten のデータがありません。--data と --database を確かめてください。"
                )
            found = tables_of(connection)
            tables = tuple(_write_table(archive, connection, one) for one in found)
            named = _named_blobs(connection, found)
        kept, damaged = _write_blobs(archive, blobs)
        manifest = Manifest(
            revision=revision,
            made_at=made_at,
            tables=tables,
            blobs=len(kept),
            blob_bytes=sum(kept.values()),
            blob_list_sha256=_write_part(archive, BLOB_LIST, (f"{one}\n".encode() for one in kept)).sha256,
            damaged=tuple(sorted(damaged | (named - kept.keys()))),
        )
        _write_part(archive, MANIFEST, iter([manifest.model_dump_json(indent=1).encode()]))
    return manifest


@contextmanager
def _snapshot(database: Database) -> Iterator[Connection]:
    """A connection that sees the database as it is now, whatever others write meanwhile."""
    try:
        engine = database.engine
        if engine.dialect.name != "sqlite":  # where every transaction sees one state
            engine = engine.execution_options(isolation_level="REPEATABLE READ")
        with engine.connect() as connection:
            yield connection
    except DBAPIError as error:
        raise Refused(
            Refusal.BUSY, "データベースが今は使えません。しばらく待って、もう一度試してください。"
        ) from error


def _write_table(archive: zipfile.ZipFile, connection: Connection, table: Table) -> TablePart:
    part = _write_part(archive, table_member(table.name), lines_of(connection, table))
    return TablePart(
        name=table.name, rows=part.pieces - 1, sha256=part.sha256
    )  # the first line names the columns


def _named_blobs(connection: Connection, tables: Sequence[Table]) -> set[str]:
    """The hashes of all blobs that rows name."""
    columns = [one for table in tables for one in table.columns if (table.name, one.name) in BLOB_COLUMNS]
    return {
        digest
        for column in columns
        for digest in connection.scalars(select(column).where(column.is_not(None)).distinct())
    }


def _write_blobs(archive: zipfile.ZipFile, blobs: BlobStore) -> tuple[dict[str, int], set[str]]:
    """Write all blobs; returns the size of each, and those that are damaged."""
    kept: dict[str, int] = {}
    damaged = set()
    for digest in blobs.digests():
        try:
            with (
                blobs.open_path(digest) as path,
                path.open("rb") as content,
                member_to_write(archive, blob_member(digest), zipfile.ZIP_STORED) as stream,
            ):
                known = copy_hashed(content, stream)
                size = content.tell()
        except Refused as refused:
            if refused.refusal is Refusal.BUSY:
                raise
            known, size = "", 0
        if known == digest:
            kept[digest] = size
        else:
            damaged.add(digest)
    return kept, damaged


@dataclass(frozen=True, slots=True)
class _Part:
    sha256: str
    pieces: int


def _write_part(archive: zipfile.ZipFile, name: str, pieces: Iterator[bytes]) -> _Part:
    """Write a part that packs well."""
    known, count = hashlib.sha256(), 0
    with member_to_write(archive, name, zipfile.ZIP_DEFLATED) as stream:
        for piece in pieces:
            known.update(piece)
            stream.write(piece)
            count += 1
    return _Part(known.hexdigest(), count)
