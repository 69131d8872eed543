"""The blob store: files by what they contain, bit for bit."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import time
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path  # noqa: TC003  (part of public signatures)
from typing import TYPE_CHECKING, Protocol

from omr.errors import Refusal, Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import IO

CHUNK = 1024**2
"""Bytes of a large file that are in memory at once."""
_DIGEST = re.compile(r"[0-9a-f]{64}")
_NEW = ".new"


class BlobStore(Protocol):
    """Where files are kept by the SHA-256 of their content, as 64 hex digits."""

    def put(self, content: bytes) -> str:
        """Keep a content and return its hash; on disk when this returns, once however often it is put."""
        ...

    def put_many(self, contents: Sequence[bytes]) -> list[str]:
        """Keep several contents and return their hashes, in their order; on disk, all of them, when this returns."""
        ...

    def put_file(self, path: Path) -> str:
        """Keep the content of a file of any size and return its hash; the file itself stays as it is."""
        ...

    def get(self, digest: str) -> bytes:
        """The content of a hash.

        Raises:
            Refused: there is none, or it is not what it was.
        """
        ...

    def open_path(self, digest: str) -> AbstractContextManager[Path]:
        """A file with the content of a hash, to be read only, as long as the block runs.

        Raises:
            Refused: as `get`.
        """
        ...

    def digests(self) -> Iterable[str]:
        """The hashes of all that is kept, in their order."""
        ...


@dataclass(frozen=True, slots=True)
class FolderBlobs:
    """A blob store in a folder: `ab/cd/abcd…`, written beside and renamed when whole.

    Attributes:
        folder: made when first needed.
    """

    folder: Path
    _verified: dict[str, tuple[int, int]] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Size and time of change of files whose hash this process has checked."""

    def put(self, content: bytes) -> str:
        """As in `BlobStore`.

        Raises:
            OSError: it can't be written; nothing of it stays.
        """
        return self.put_many([content])[0]

    def put_many(self, contents: Sequence[bytes]) -> list[str]:
        """As in `BlobStore`.

        Raises:
            OSError: one can't be written; nothing half written stays.
        """
        digests = [hashlib.sha256(content).hexdigest() for content in contents]
        self.folder.mkdir(parents=True, exist_ok=True)
        written: dict[str, Path] = {}
        try:
            for digest, content in zip(digests, contents, strict=True):
                if digest not in written and not self._stands(digest):
                    written[digest] = self._new_path()
                    written[digest].write_bytes(content)
            # The disk works on all of them before the first one is waited for.
            for path in written.values():
                _sync(path)
            self._name(written)
        except BaseException:
            _remove(written.values())
            raise
        self._sync_folders(digests)
        return digests

    def put_file(self, path: Path) -> str:
        """As in `BlobStore`: a copy, since what others may still write to is no original.

        Raises:
            OSError: the file can't be read, or its content not be written; nothing of it stays.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        new = self._new_path()
        try:
            with path.open("rb") as source, new.open("wb") as copy:
                digest = copy_hashed(source, copy)
                copy.flush()
                os.fsync(copy.fileno())
            if self._stands(digest):
                new.unlink()
            else:
                self._name({digest: new})
        except BaseException:
            _remove([new])
            raise
        self._sync_folders([digest])
        return digest

    def get(self, digest: str) -> bytes:
        """As in `BlobStore`."""
        try:
            content = self._path(digest).read_bytes()
        except FileNotFoundError as error:
            raise missing_blob() from error
        if hashlib.sha256(content).hexdigest() != digest:
            raise damaged_blob()
        return content

    @contextmanager
    def open_path(self, digest: str) -> Iterator[Path]:
        """As in `BlobStore`: the file itself; its hash is checked once in a process, and again when it changed."""
        path = self._path(digest)
        try:
            found = path.stat()
            state = (found.st_size, found.st_mtime_ns)
            if self._verified.get(digest) != state:
                if hash_file(path) != digest:
                    raise damaged_blob()
                self._verified[digest] = state
        except FileNotFoundError as error:
            raise missing_blob() from error
        yield path

    def digests(self) -> Iterator[str]:
        """As in `BlobStore`."""
        for first in _names(self.folder, 2):
            for second in _names(self.folder / first, 2):
                for name in _names(self.folder / first / second, 64):
                    if _DIGEST.fullmatch(name):
                        yield name

    def remove_unfinished(self, older_than_seconds: float) -> int:
        """Remove what writers that were killed left half written, and return how many files that were.

        Args:
            older_than_seconds: what is younger may still be written to.
        """
        before = time.time() - older_than_seconds
        left = [path for path in self.folder.glob(f".*{_NEW}") if path.stat().st_mtime < before]
        _remove(left)
        return len(left)

    def _stands(self, digest: str) -> bool:
        """Whether the content stands there whole: what does may have been damaged since it was put."""
        try:
            return hash_file(self._path(digest)) == digest
        except FileNotFoundError:
            return False

    def _new_path(self) -> Path:
        return self.folder / f".{secrets.token_hex(16)}{_NEW}"  # two may put the same content at once

    def _name(self, written: dict[str, Path]) -> None:
        """Give files that are whole and on disk their names."""
        for digest, new in written.items():
            path = self._path(digest)
            path.parent.mkdir(parents=True, exist_ok=True)
            new.replace(path)

    def _sync_folders(self, digests: Iterable[str]) -> None:
        """Write names to disk, each folder once; also those of contents that somebody else is just putting."""
        leaves = {self._path(digest).parent for digest in digests}
        for folder in (*leaves, *{leaf.parent for leaf in leaves}, self.folder):
            sync_folder(folder)

    def _path(self, digest: str) -> Path:
        check_digest(digest)
        return self.folder / digest[:2] / digest[2:4] / digest


def check_digest(digest: str) -> None:
    """Make sure that this is written as a hash: it becomes a name of a file.

    Raises:
        Refused: it is not.
    """
    if not _DIGEST.fullmatch(digest):
        raise missing_blob()


def missing_blob() -> Refused:
    """What to raise where there is no content of a hash."""
    return Refused(Refusal.NOT_FOUND, "このファイルは保存されていません。画面を開き直してください。")


def damaged_blob() -> Refused:
    """What to raise where a content is not what it was."""
    return Refused(
        Refusal.DAMAGED,
        "保存したファイルが壊れています。バックアップから戻すよう、管理者に知らせてください。",
    )


def copy_hashed(source: IO[bytes], target: IO[bytes]) -> str:
    """Copy a stream to its end, a little at a time, and return the SHA-256 of what was copied."""
    known = hashlib.sha256()
    while part := source.read(CHUNK):
        known.update(part)
        target.write(part)
    return known.hexdigest()


def hash_file(path: Path) -> str:
    """The SHA-256 of a file of any size, as 64 hex digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sync_folder(folder: Path) -> None:
    """Write a new name in a folder to disk; Windows opens no folders and keeps names by itself."""
    if os.name != "nt":
        _sync(folder)


def _sync(path: Path) -> None:
    opened = os.open(
        path, os.O_RDONLY if path.is_dir() else os.O_RDWR
    )  # Windows syncs only what may be written to
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _names(folder: Path, length: int) -> list[str]:
    """The names of so many characters in a folder, sorted; none where there is no folder."""
    try:
        return sorted(path.name for path in folder.iterdir() if len(path.name) == length)
    except (FileNotFoundError, NotADirectoryError):
        return []
