"""Putting a backup back, into an empty folder and an empty database: all of it, or nothing."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from sqlalchemy import inspect
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from omr.errors import InputError
from scoring.storage.backup_file import (
    BLOB_LIST,
    Manifest,
    blob_member,
    damaged_backup,
    newer_backup,
    open_backup_file,
    table_member,
)
from scoring.storage.blobs import copy_hashed, sync_folder
from scoring.storage.database import connect_database, database_in, unreachable
from scoring.storage.migration import migrating, revisions, upgrade
from scoring.storage.object_blobs import open_blobs
from scoring.storage.table_rows import insert_lines, tables_of

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection, Engine

    from scoring.storage.blobs import BlobStore

_UNFINISHED = ".restoring"
"""The folder, in that of the data, where everything is made ready; what stands beside it is not yet data."""
_DATABASE = "saiten.sqlite3"
_BLOBS = "blobs"
_SMALL = 8 * 1024**2
_BLOBS_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class RestoreTarget:
    """Where a backup is put.

    Attributes:
        data: an empty folder, or none yet.
        database: URL of an empty database; None for SQLite in `data`.
        blobs: URL of an object store; None for a folder in `data`.
    """

    data: Path
    database: str | None = None
    blobs: str | None = None


def restore_backup(path: Path, target: RestoreTarget) -> Manifest:
    """Put a backup back and bring it up to date with this version; when it fails, the target is empty again.

    Raises:
        InputError: the file is no backup, damaged, or of a newer version; the target is not empty or not there.
        OSError: there is no room.
    """
    with open_backup_file(path) as (archive, manifest):
        if manifest.revision not in revisions():
            raise newer_backup(path)
        try:
            with _empty_folder(target.data) as new:
                _restore(archive, manifest, target, new)
        except (ValueError, KeyError, SQLAlchemyError) as error:
            raise damaged_backup(path) from error
    return manifest


def _restore(archive: zipfile.ZipFile, manifest: Manifest, target: RestoreTarget, new: Path) -> None:
    blobs = open_blobs(target.blobs, new / _BLOBS)
    with (
        closing(connect_database(target.database or database_in(new))) as database,
        _empty_database(database.engine) as connection,
    ):
        upgrade(connection, manifest.revision)
        _restore_rows(archive, manifest, connection)
        upgrade(connection)
        _restore_blobs(archive, manifest, blobs)
        _appear(new / _BLOBS)
        # Only now are the rows there for others, or, in the folder, when their file gets its name.
    _appear(new / _DATABASE)


@contextmanager
def _empty_folder(data: Path) -> Iterator[Path]:
    """A folder to make everything ready in; what is not finished when the block ends is removed."""
    new = data / _UNFINISHED
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        if new.is_dir() and not (data / _DATABASE).exists():
            _clear(data)  # of a restore that was killed
        if any(one.name != "lost+found" for one in data.iterdir()):
            raise InputError(
                f"{data} は空ではありません。バックアップは、空のフォルダーか、まだないフォルダーに戻してください。"
            )
        new.mkdir(mode=0o700)
    except (FileExistsError, NotADirectoryError) as error:
        raise InputError(f"{data} にフォルダーを作れません。--data の場所を確かめてください。") from error
    try:
        yield new
    except BaseException:
        _clear(data)
        raise
    shutil.rmtree(new, ignore_errors=True)


def _clear(data: Path) -> None:
    """Remove what an unfinished restore left; the sign of it last."""
    shutil.rmtree(data / _BLOBS, ignore_errors=True)
    shutil.rmtree(data / _UNFINISHED, ignore_errors=True)


def _appear(path: Path) -> None:
    """Move something that is ready out of the folder where it was made."""
    data = path.parent.parent
    if path.exists():
        path.rename(data / path.name)
        sync_folder(data)


@contextmanager
def _empty_database(engine: Engine) -> Iterator[Connection]:
    """A connection to a database that is empty, and is again where the block raises."""
    try:
        engine.connect().close()
    except DBAPIError as error:
        raise unreachable(engine.url) from error
    with migrating(engine) as connection:
        if inspect(connection).get_table_names():
            shown = engine.url.render_as_string(hide_password=True)
            raise InputError(
                f"データベース {shown} は空ではありません。バックアップは、空のデータベースに戻してください。"
            )
        yield connection


def _restore_rows(archive: zipfile.ZipFile, manifest: Manifest, connection: Connection) -> None:
    tables = {table.name: table for table in tables_of(connection)}
    if tables.keys() != {part.name for part in manifest.tables}:
        raise ValueError("other tables than those of the revision")
    for part in manifest.tables:
        with archive.open(table_member(part.name)) as stream:
            lines = _HashedLines(stream)
            rows = insert_lines(connection, tables[part.name], lines)
        if (rows, lines.known.hexdigest()) != (part.rows, part.sha256):
            raise ValueError(f"other rows of {part.name}")


class _HashedLines:
    """The lines of a stream, hashed while they are read."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.known = hashlib.sha256()

    def __iter__(self) -> Iterator[bytes]:
        for line in self._stream:
            self.known.update(line)
            yield line


def _restore_blobs(archive: zipfile.ZipFile, manifest: Manifest, blobs: BlobStore) -> None:
    written = archive.read(BLOB_LIST)
    digests = written.decode().split()
    if hashlib.sha256(written).hexdigest() != manifest.blob_list_sha256:
        raise ValueError("another list of blobs")
    small: list[str] = []
    for digest in digests:
        if archive.getinfo(blob_member(digest)).file_size > _SMALL:
            _restore_large(archive, digest, blobs)
            continue
        small.append(digest)
        if len(small) == _BLOBS_AT_ONCE:
            _restore_small(archive, small, blobs)
            small = []
    _restore_small(archive, small, blobs)


def _restore_small(archive: zipfile.ZipFile, digests: list[str], blobs: BlobStore) -> None:
    if blobs.put_many([archive.read(blob_member(one)) for one in digests]) != digests:
        raise ValueError("another blob")


def _restore_large(archive: zipfile.ZipFile, digest: str, blobs: BlobStore) -> None:
    with tempfile.NamedTemporaryFile(prefix="saiten-blob-") as copy:
        with archive.open(blob_member(digest)) as stream:
            copy_hashed(stream, copy)
        copy.flush()
        if blobs.put_file(Path(copy.name)) != digest:
            raise ValueError("another blob")
