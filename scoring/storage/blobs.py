"""The blob store: files by what they contain, bit for bit."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003  (part of public signatures)
from typing import Protocol

from omr.errors import Refusal, Refused

_HASH = re.compile(r"[0-9a-f]{64}")


class BlobStore(Protocol):
    """Where files are kept by the SHA-256 of their content, as 64 hex digits."""

    def put(self, content: bytes) -> str:
        """Keep a content and return its hash; on disk when this returns, once however often it is put."""
        ...

    def get(self, digest: str) -> bytes:
        """The content of a hash.

        Raises:
            Refused: there is none, or it is not what it was.
        """
        ...


@dataclass(frozen=True, slots=True)
class FolderBlobs:
    """A blob store in a folder: `ab/cd/abcd…`, written beside and renamed when whole.

    Attributes:
        folder: made when first needed.
    """

    folder: Path

    def put(self, content: bytes) -> str:
        """As in `BlobStore`.

        Raises:
            OSError: it can't be written; nothing of it stays.
        """
        digest = hashlib.sha256(content).hexdigest()
        path = self._path(digest)
        # What stands there may have been damaged since: only the same content makes a second write needless.
        if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == digest:
            return digest
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f".{digest}.{secrets.token_hex(8)}.new")  # two may put the same content at once
        try:
            with new.open("wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            new.replace(path)
        except BaseException:
            new.unlink(missing_ok=True)
            raise
        for folder in (path.parent, path.parent.parent, self.folder):
            _sync_folder(folder)
        return digest

    def get(self, digest: str) -> bytes:
        """As in `BlobStore`."""
        path = self._path(digest)
        try:
            content = path.read_bytes()
        except FileNotFoundError as error:
            raise Refused(
                Refusal.NOT_FOUND, "このファイルは保存されていません。画面を開き直してください。"
            ) from error
        if hashlib.sha256(content).hexdigest() != digest:
            raise Refused(
                Refusal.DAMAGED,
                "保存したファイルが壊れています。バックアップから戻すよう、管理者に知らせてください。",
            )
        return content

    def _path(self, digest: str) -> Path:
        if not _HASH.fullmatch(digest):
            raise Refused(Refusal.NOT_FOUND, "このファイルは保存されていません。画面を開き直してください。")
        return self.folder / digest[:2] / digest[2:4] / digest


def _sync_folder(folder: Path) -> None:
    """Write a new name in a folder to disk; Windows opens no folders and keeps names by itself."""
    if os.name == "nt":
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
