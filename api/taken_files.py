"""The files that a watched folder has given: kept as they came, once each, remembered from run to run."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from api.scan_inputs import ScanInput
from omr.errors import InputError, SaitenError
from omr.replace_file import replace_file

if TYPE_CHECKING:
    from collections.abc import Sequence

_FOLDER, _LIST = "watched", "watched.json"
_CHUNK = 1 << 20
_NO_ROOM = "{} に書き込めません。空き容量と書き込みの権限を確かめてください。"


@dataclass(frozen=True, slots=True)
class TakenFile:
    """One file that was taken.

    Attributes:
        source: its name in the results: its path below the watched folder.
        sha256: of its content.
        file: its copy, below the results folder.
    """

    source: str
    sha256: str
    file: str


class TakenFiles:
    """Copies of all taken files in `OUT/watched/`, and their list in order of arrival in `OUT/watched.json`.

    A scanner writes over its own files and people tidy folders, so results that must stay whole and can be made
    again rest on copies.

    Args:
        out: the results folder.

    Raises:
        InputError: the list can't be read.
    """

    def __init__(self, out: Path) -> None:
        self._out = out
        self._files = _read_list(out / _LIST)
        self._known = {one.sha256 for one in self._files}
        self._names: set[str] = set()

    def start(self, given: Sequence[ScanInput]) -> list[ScanInput]:
        """The files of earlier runs, to be read again from their copies, in order of arrival.

        Args:
            given: scans that this run reads anyway; files of the same content are left out, now and later.
        """
        contents = {digest for one in given if (digest := _digest(one.path)) is not None}
        self._known |= contents
        self._names |= {one.source for one in given}
        return [
            ScanInput(self._out / one.file, self._name(one.source))
            for one in self._files
            if one.sha256 not in contents
        ]

    def take(self, path: Path, source: str) -> ScanInput | None:
        """Copy a file and remember it; None where its content is known or it changed meanwhile.

        Args:
            path: of the complete file; it is only read.
            source: what to call it.

        Raises:
            OSError: it can't be read at present.
            SaitenError: the copy can't be written.
        """
        before = _state(path)
        new = self._out / _FOLDER / f".{_LIST}.copy"
        try:
            digest = _copy(path, new)
            if digest in self._known or _state(path) != before:
                return None
            self._known.add(digest)
            file = f"{_FOLDER}/{digest}{path.suffix.lower()}"
            new.replace(self._out / file)
        finally:
            new.unlink(missing_ok=True)
        self._files.append(TakenFile(source, digest, file))
        self._write_list()
        return ScanInput(self._out / file, self._name(source))

    def _name(self, source: str) -> str:
        """The name, with a number before its suffix where another file of the run has it."""
        stem, dot, suffix = source.rpartition(".")
        name, number = source, 1
        while name in self._names:
            number += 1
            name = f"{stem} ({number}){dot}{suffix}"
        self._names.add(name)
        return name

    def _write_list(self) -> None:
        text = json.dumps(
            {"version": 1, "files": [asdict(one) for one in self._files]}, ensure_ascii=False, indent=1
        )
        with replace_file(self._out / _LIST) as stream:
            stream.write(f"{text}\n".encode())


def _read_list(path: Path) -> list[TakenFile]:
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return []
    try:
        files = [TakenFile(**one) for one in json.loads(text)["files"]]
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(
            f"{path} が壊れていて、どのファイルを読み取ったか分かりません。ほかの結果フォルダー（-o）を指定してください。"
        ) from error
    if any(Path(one.file).parent.as_posix() != _FOLDER for one in files):
        raise InputError(
            f"{path} に結果フォルダーの外のファイルがあります。ほかの結果フォルダー（-o）を指定してください。"
        )
    return files


def _state(path: Path) -> tuple[int, int]:
    facts = path.stat()
    return facts.st_size, facts.st_mtime_ns


def _copy(path: Path, new: Path) -> str:
    """Copy a file; the SHA-256 of what was copied."""
    digest = hashlib.sha256()
    with path.open("rb") as source, _open_new(new) as target:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            left = memoryview(chunk)
            try:
                while left:
                    left = left[target.write(left) :]  # a disk that is nearly full takes a part
            except OSError as error:
                raise SaitenError(_NO_ROOM.format(new.parent)) from error
    return digest.hexdigest()


def _open_new(new: Path) -> BinaryIO:
    try:
        new.parent.mkdir(exist_ok=True)
        return new.open("wb", buffering=0)
    except OSError as error:
        raise SaitenError(_NO_ROOM.format(new.parent)) from error


def _digest(path: Path) -> str | None:
    """The SHA-256 of a file's content; None where it can't be read, as the reading will tell."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return None
