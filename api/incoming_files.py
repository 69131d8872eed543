"""Files on their way into the instance: parts of them on disk, then a blob and a scan file, nothing lost or doubled.

A part file is removed only after its scan file is stored; whatever stops the server in between, the next try ends
with the same scan file.
"""

from __future__ import annotations

import errno
import os
import shutil
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from omr.errors import InputError, PageSetAside, Refusal, Refused, SaitenError
from scoring.storage import uploads
from scoring.storage.events import Deed
from scoring.storage.exams import find_exam
from scoring.storage.scans import add_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from api.instance import Instance
    from scoring.storage.scans import StoredFile
    from scoring.storage.uploads import StoredUpload

_GIGABYTES = 2
LARGEST_FILE = _GIGABYTES * 1024**3 - 1
"""Bytes of one scan file; the largest number that a column of PostgreSQL holds."""
LONGEST_NAME = 255
_SPARE_BYTES = 256 * 1024**2
"""Room that is left on the disk for the database."""
_HEAD_BYTES = 1024
_ORPHAN_SECONDS = 86_400
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NO_SPACE = (
    "サーバーのディスクに空きがないため、受け取れません。管理者に知らせ、空きができてから続けてください。"
)


@dataclass(frozen=True, slots=True)
class PartFile:
    """The file that the parts of an upload are added to.

    Attributes:
        path: of it.
    """

    path: Path

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep others from adding to it meanwhile.

        Raises:
            Refused: somebody else is at it.
        """
        lock = FileLock(self.path.with_suffix(".lock"), blocking=False, thread_local=False)
        try:
            lock.acquire()
        except Timeout as error:
            raise Refused(
                Refusal.BUSY, "このファイルは、いま別の画面からも送られています。少し待って、続けてください。"
            ) from error
        try:
            yield
        finally:
            # Removed while it is still held: who opened it meanwhile notices that it is gone, and makes a new one.
            with suppress(OSError):  # Windows removes no open file: it stays, empty
                self.path.with_suffix(".lock").unlink()
            lock.release()

    def size(self) -> int:
        """Bytes that are there; 0 where there is no file."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0

    def cut(self, size: int) -> None:
        """Let it end after so many bytes: what stands behind was never acknowledged."""
        with self.path.open("ab") as stream:
            stream.truncate(size)

    def add(self, content: bytes) -> None:
        """Write bytes behind those that are there, down to the disk.

        Raises:
            Refused: the disk is full; the file is as before.
        """
        before = self.size()
        try:
            with self.path.open("ab", buffering=0) as stream:
                view = memoryview(content)
                while view:
                    view = view[stream.write(view) :]
                os.fsync(stream.fileno())
        except OSError as error:
            with suppress(OSError):
                self.cut(before)
            raise _explained(error) from error

    def remove(self) -> None:
        """Remove it."""
        self.path.unlink(missing_ok=True)


def part_file(instance: Instance, upload_id: str) -> PartFile:
    """The part file of an upload."""
    folder = instance.data / "uploads"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return PartFile(folder / f"{upload_id}.part")


def check_size(size: int) -> None:
    """Make sure that a file of so many bytes may be sent.

    Raises:
        InputError: it is empty.
        Refused: it is too large.
    """
    if size == 0:
        raise InputError("空のファイルです（0バイト）。スキャンが途中で止まっていないか確かめてください。")
    if size > LARGEST_FILE:
        raise Refused(
            Refusal.TOO_LARGE,
            f"ファイルが大きすぎます（{_GIGABYTES} GB まで）。分けてスキャンし直してください。",
        )


def check_room(instance: Instance, size: int) -> None:
    """Make sure that a file of so many bytes may be sent, and that there is room for it.

    Raises:
        InputError: it is empty.
        Refused: it is too large, or the disk is too full.
    """
    check_size(size)
    # Twice: the part file goes only when the blob is there.
    if shutil.disk_usage(instance.data).free < 2 * size + _SPARE_BYTES:
        raise Refused(Refusal.NO_SPACE, _NO_SPACE)


def received(instance: Instance, upload: StoredUpload) -> int:
    """How much of an upload is surely here: bytes that were noted after they were on disk."""
    if upload.file_id is not None:
        return upload.size
    return min(upload.received, part_file(instance, upload.id).size())


def finish_upload(instance: Instance, upload: StoredUpload) -> StoredFile:
    """Make a whole upload a scan file; whoever holds its part file calls it, as often as needed.

    Raises:
        InputError: it is no scan; the upload is forgotten.
        Refused: the exam takes nothing now, or the disk is full.
    """
    part = part_file(instance, upload.id)
    try:
        blob = put_scan(instance, part.path)
    except InputError:
        with instance.database.write() as session:
            uploads.remove_upload(session, upload)
        part.remove()
        raise
    deed = Deed(instance.school_id, upload.started_by, instance.clock())
    with instance.database.write() as session:
        file = uploads.finish_upload(session, deed, upload, blob)
    instance.announcer.announce(upload.exam_id)
    part.remove()
    return file


def take_file(instance: Instance, deed: Deed, exam_id: str, name: str, path: Path) -> StoredFile:
    """Make a file that lies whole on the server's disk a scan file; the file itself stays.

    Args:
        instance: where.
        deed: who and when.
        exam_id: for which exam.
        name: as its sender calls it.
        path: of the file.

    Raises:
        InputError: it is no scan.
        Refused: there is no such exam, it takes nothing now, or the disk is full.
    """
    blob = put_scan(instance, path)
    with instance.database.write() as session:
        exam = find_exam(session, deed.school_id, exam_id)
        file = add_file(session, deed, exam, name, blob, path.stat().st_size)
    instance.announcer.announce(exam_id)
    return file


def put_scan(instance: Instance, path: Path) -> str:
    """Keep a scan in the blob store and return its hash.

    Raises:
        InputError: it is no PDF, TIFF, JPEG or PNG.
        Refused: the disk is full.
    """
    from omr.scan_file import check_kind  # noqa: PLC0415  (loads slowly, and a server is ready sooner without it)

    try:
        with path.open("rb") as stream:
            check_kind(stream.read(_HEAD_BYTES))
        return instance.blobs.put_file(path)
    except PageSetAside as error:
        raise InputError(error.reason) from error
    except OSError as error:
        raise _explained(error) from error


def tidy_uploads(instance: Instance) -> None:
    """Finish the uploads that are whole, and remove what nobody will finish."""
    with instance.database.write() as session:
        uploads.remove_old_uploads(session, instance.deed())
        open_uploads = {one.id: one for one in uploads.list_unfinished(session, instance.school_id)}
    for upload in open_uploads.values():
        if received(instance, upload) == upload.size:
            # What can't be finished now stays until it can be, or is too old.
            with suppress(SaitenError), part_file(instance, upload.id).held():
                finish_upload(instance, upload)
    for path in (instance.data / "uploads").glob("*.part"):
        with suppress(OSError):
            # Files that are sent in one piece have no row while they come.
            if path.stem not in open_uploads and time.time() - path.stat().st_mtime > _ORPHAN_SECONDS:
                path.unlink()


def clean_name(name: str) -> str:
    """A file's name as it is kept: without folders and control characters, not too long."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(one for one in last if one.isprintable()).strip()[-LONGEST_NAME:] or "scan"


def _explained(error: OSError) -> Exception:
    """A full disk as a refusal; any other error as it is."""
    return Refused(Refusal.NO_SPACE, _NO_SPACE) if error.errno in _FULL else error
