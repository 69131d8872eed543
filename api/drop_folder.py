"""The watched folder of a served instance: a folder for each exam, whose complete files are taken in and put aside.

    DIR/2026-2F-MATH2/scan.pdf                        a multifunction printer writes here
    DIR/2026-2F-MATH2/取り込み済み/scan.pdf              taken in
    DIR/2026-2F-MATH2/取り込めなかったファイル/note.pdf   no scan; note.pdf.txt beside it says why

Whatever stops the server in between, the next look ends the same: a file is moved only after it is stored, and what is
stored already is not stored again.
"""

from __future__ import annotations

import itertools
import logging
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from api.incoming_files import clean_name, put_scan
from api.scan_inputs import is_scan_name, shown_path
from api.watch_folder import WatchFolder, WatchRules
from omr.errors import InputError, Refused
from scoring.exam_state import STATE_NAMES, is_editable
from scoring.storage.exams import find_exam_of_code, list_codes
from scoring.storage.scans import add_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from api.instance import Instance
    from scoring.storage.exams import StoredExam

DONE, FAILED = "取り込み済み", "取り込めなかったファイル"
_FOLDERS_EVERY_SECONDS = 30.0
_OF_THE_SYSTEM = {"thumbs.db", "desktop.ini"}
_UNFINISHED = (".tmp", ".part", ".partial", ".crdownload", ".lock", ".filepart")
_NO_END = "ファイルの終わりがありません。書き込みが途中で止まっていないか確かめ、スキャンし直して、もう一度入れてください。"
_NO_EXAM = "「{folder}」という id の試験はありません。試験の id と同じ名前のフォルダーに入れてください。"
_NOT_IN_FOLDER = "どの試験のスキャンか分かりません。試験の id と同じ名前のフォルダーに入れてください。"
_CLOSED = "この試験は「{state}」です。入れるには、理由を書いて「採点中」に戻してください。"
_NO_SCAN = "スキャンのファイルではありません。PDF、TIFF、JPEG、PNG のどれかを入れてください。"
_LOG = logging.getLogger("saiten.drops")


@dataclass(frozen=True, slots=True)
class StrayFile:
    """A file in the watched folder that is not taken in as things stand.

    Attributes:
        path: below the watched folder, with slashes.
        size: bytes.
        reason: why, and what to do.
    """

    path: str
    size: int
    reason: str


@dataclass
class DropFolder:
    """The watched folder of an instance, and what of it was seen.

    Attributes:
        instance: that takes the files in.
        folder: to look into.
        rules: how long to wait for a file.
    """

    instance: Instance
    folder: Path
    rules: WatchRules = field(default_factory=WatchRules)
    _watch: WatchFolder = field(init=False)
    _folders_at: float | None = field(default=None, init=False)
    _told: frozenset[StrayFile] = field(default=frozenset(), init=False)

    def __post_init__(self) -> None:
        self._watch = WatchFolder(self.folder, self.rules, pattern="*/*")

    def look(self, now: float) -> None:
        """Look once: take in what is complete, and say in the log what can't be.

        Args:
            now: seconds on a clock that never goes back.
        """
        if self._folders_at is None or now - self._folders_at >= _FOLDERS_EVERY_SECONDS:
            _make_folders(self.instance, self.folder)
            self._folders_at = now
        for path in self._watch.poll(now):
            try:
                self._take(path)
            except (OSError, Refused) as error:
                # Full disk, busy database, locked file: it stays where it is, for a later look.
                self._watch.put_back(path)
                _LOG.warning("drop.waits", extra={"fields": {"error": type(error).__name__}})
        for path in self._watch.give_up(now):
            with suppress(OSError):
                if _exam_of(self.instance, path.parent.name) is not None:
                    _put_aside(path, _NO_END)
        self._tell()

    def _take(self, path: Path) -> None:
        exam = _exam_of(self.instance, path.parent.name)
        if exam is None or not is_editable(exam.state) or path.is_symlink():
            self._watch.put_back(path)  # until there is one, or it is open
            return
        before = path.stat()
        try:
            blob = put_scan(self.instance, path)
        except InputError as error:
            _put_aside(path, str(error))
            return
        after = path.stat()
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            self._watch.put_back(path)  # somebody wrote to it meanwhile
            return
        deed = self.instance.deed()
        with self.instance.database.write() as session:
            add_file(session, deed, exam, clean_name(shown_path(Path(path.name))), blob, after.st_size)
        self.instance.announcer.announce(exam.id)
        _move(path, path.parent / DONE)

    def _tell(self) -> None:
        """Log the strays that are new; their names may be pupils' names, and stay out of it."""
        strays = frozenset(list_strays(self.instance, self.folder))
        for stray in strays - self._told:
            _LOG.warning("drop.stray", extra={"fields": {"bytes": stray.size, "reason": stray.reason}})
        self._told = strays


def list_strays(instance: Instance, folder: Path) -> list[StrayFile]:
    """The files in a watched folder that are not taken in as things stand, by path."""
    strays = []
    for path in sorted(_files(folder)):
        reason = _why_not(instance, folder, path)
        with suppress(OSError):
            if reason:
                strays.append(StrayFile(shown_path(path.relative_to(folder)), path.stat().st_size, reason))
    return strays


def _why_not(instance: Instance, folder: Path, path: Path) -> str:
    """Why a file is not taken in; empty where it is, or may be still on its way."""
    if path.parent == folder:
        return _NOT_IN_FOLDER
    exam = _exam_of(instance, path.parent.name)
    if exam is None:
        return _NO_EXAM.format(folder=shown_path(Path(path.parent.name)))
    if not is_scan_name(path.relative_to(folder)):
        return _NO_SCAN
    return "" if is_editable(exam.state) else _CLOSED.format(state=STATE_NAMES[exam.state])


def _files(folder: Path) -> Iterator[Path]:
    """The files in a watched folder and in the folders of its exams; hidden, temporary and the system's are left out."""
    for pattern in ("*", "*/*"):
        try:
            found = list(folder.glob(pattern))
        except OSError:  # a share that is away for a moment
            continue
        for path in found:
            name = path.name.lower()
            is_passing = name.startswith((".", "~$")) or name.endswith(_UNFINISHED) or name in _OF_THE_SYSTEM
            with suppress(OSError):
                if not is_passing and path.is_file():
                    yield path


def _exam_of(instance: Instance, code: str) -> StoredExam | None:
    if not code.isascii():  # no id is, and names from old Windows machines are no text that a database takes
        return None
    with instance.database.read() as session:
        return find_exam_of_code(session, instance.school_id, code)


def _make_folders(instance: Instance, folder: Path) -> None:
    """Make a folder for each exam that takes scans."""
    with instance.database.read() as session:
        codes = list_codes(session, instance.school_id)
    for code, state in codes:
        if is_editable(state):
            with suppress(OSError):  # a share that is away, or a name that Windows keeps for itself
                (folder / code).mkdir(exist_ok=True)


def _put_aside(path: Path, reason: str) -> None:
    """Move a file that can't be taken in, and say why in a text beside it."""
    moved = _move(path, path.parent / FAILED)
    moved.with_name(f"{moved.name}.txt").write_text(f"{reason}\n", encoding="utf-8-sig", newline="\r\n")


def _move(path: Path, folder: Path) -> Path:
    """Move a file into a folder, under a name that is free there."""
    folder.mkdir(exist_ok=True)
    names = itertools.chain([path.name], (f"{path.stem} ({at}){path.suffix}" for at in itertools.count(2)))
    target = next(folder / name for name in names if not (folder / name).exists())
    return path.rename(target)
