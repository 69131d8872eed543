"""The format of a backup: one zip file with a manifest, the rows of each table, and the blobs.

    manifest.json     what the rest is, with the SHA-256 of each part
    tables/NAME.jsonl the rows (`scoring.storage.table_rows`)
    blobs.txt         the hashes of the blobs, one a line
    blobs/HASH        their contents, as they are

The comment at the end of the file holds the SHA-256 of the whole file, so that any byte that changed is noticed before
anything is restored.
"""

from __future__ import annotations

import datetime  # noqa: TC003  (pydantic needs it at run time)
import hashlib
import json
import os
import zipfile
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, BinaryIO, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from omr.errors import InputError
from omr.replace_file import replace_file
from scoring.storage.blobs import CHUNK, sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FORMAT = 1
"""The version of the format; a newer one is refused."""
MANIFEST = "manifest.json"
BLOB_LIST = "blobs.txt"
_COMMENT = b"saiten backup "
_NOT_YET = b"0" * 64
"""Stands where the hash of the whole file will stand, and counts in its place."""


class TablePart(BaseModel):
    """The rows of one table in a backup."""

    model_config = ConfigDict(frozen=True)
    name: str
    rows: int
    sha256: str


class Manifest(BaseModel):
    """What a backup holds.

    Attributes:
        format: version of the format.
        revision: of the schema that made the tables.
        made_at: when its rows were read, in UTC.
        tables: in the order in which they are put back.
        blobs: how many blobs.
        blob_bytes: their size together.
        blob_list_sha256: of `blobs.txt`.
        damaged: hashes of blobs that were missing or damaged already; the backup has nothing of them.
    """

    model_config = ConfigDict(frozen=True)
    format: Literal[1] = 1
    revision: str
    made_at: datetime.datetime
    tables: tuple[TablePart, ...]
    blobs: int
    blob_bytes: int
    blob_list_sha256: str
    damaged: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows all tables have together."""
        return sum(table.rows for table in self.tables)


def table_member(name: str) -> str:
    """The name in the zip file of a table's rows."""
    return f"tables/{name}.jsonl"


def blob_member(digest: str) -> str:
    """The name in the zip file of a blob."""
    return f"blobs/{digest}"


class _Hashed:
    """A stream that can only be written to, and hashes what is."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.known = hashlib.sha256()

    def write(self, data: bytes, /) -> int:
        self.known.update(data)
        return self._stream.write(data)

    def flush(self) -> None:
        self._stream.flush()

    def close(self) -> None:
        """Leaves the stream to who opened it."""


@contextmanager
def new_backup_file(path: Path) -> Iterator[zipfile.ZipFile]:
    """A zip file to write a backup to; it appears under its name when it is whole and on disk.

    Raises:
        OSError: it can't be written; nothing of it stays.
    """
    with replace_file(path) as stream:
        if hasattr(os, "fchmod"):
            os.fchmod(stream.fileno(), 0o600)  # names and marks of pupils
        hashed = _Hashed(stream)
        # Written from front to back, since the stream can't go back: so the hash is that of the file.
        with zipfile.ZipFile(hashed, "w", allowZip64=True) as archive:
            archive.comment = _COMMENT + _NOT_YET
            yield archive
        stream.seek(-len(_NOT_YET), os.SEEK_END)
        stream.write(hashed.known.hexdigest().encode())
    sync_folder(path.resolve().parent)


@contextmanager
def member_to_write(archive: zipfile.ZipFile, name: str, compression: int) -> Iterator[IO[bytes]]:
    """A stream for one part of a backup, of any size."""
    part = zipfile.ZipInfo(name)
    part.compress_type = compression
    with archive.open(part, "w", force_zip64=True) as stream:
        yield stream


@contextmanager
def open_backup_file(path: Path) -> Iterator[tuple[zipfile.ZipFile, Manifest]]:
    """A backup to restore from, and its manifest; every byte of it was compared with its hash.

    Raises:
        InputError: it is no backup, damaged, or of a newer version of saiten.
    """
    try:
        with path.open("rb") as stream:
            _check_whole(stream, path)
            with zipfile.ZipFile(stream) as archive:
                yield archive, _read_manifest(archive, path)
    except (zipfile.BadZipFile, EOFError) as error:
        raise damaged_backup(path) from error
    except FileNotFoundError as error:
        if error.filename != str(path):
            raise
        raise InputError(f"{path} がありません。バックアップのファイルを確かめてください。") from error


def damaged_backup(path: Path) -> InputError:
    """What to raise where a backup is not what it was."""
    return InputError(f"{path} は壊れています。別の日のバックアップを使ってください。")


def _check_whole(stream: BinaryIO, path: Path) -> None:
    size = stream.seek(0, os.SEEK_END)
    ending = len(_COMMENT) + len(_NOT_YET)
    stream.seek(max(0, size - ending))
    comment = stream.read(ending)
    stream.seek(0)
    if not comment.startswith(_COMMENT):
        if stream.read(4) == b"PK\3\4":
            raise damaged_backup(path)  # or another zip file, which nobody calls a backup
        raise InputError(f"{path} は saiten のバックアップではありません。ファイルを確かめてください。")
    known, left = hashlib.sha256(), size - len(_NOT_YET)
    while left > 0 and (part := stream.read(min(CHUNK, left))):
        known.update(part)
        left -= len(part)
    known.update(_NOT_YET)
    if known.hexdigest().encode() != comment[len(_COMMENT) :]:
        raise damaged_backup(path)
    stream.seek(0)


def _read_manifest(archive: zipfile.ZipFile, path: Path) -> Manifest:
    try:
        written = json.loads(archive.read(MANIFEST))
        if written["format"] > FORMAT:
            raise newer_backup(path)
        return Manifest.model_validate(written)
    except (KeyError, TypeError, ValueError, ValidationError) as error:
        raise damaged_backup(path) from error


def newer_backup(path: Path) -> InputError:
    """What to raise where a newer version of saiten made a backup."""
    return InputError(
        f"{path} は新しい版の saiten で作られています。saiten を新しくしてから、もう一度試してください。"
    )
