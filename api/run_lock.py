"""One run at a time in a results folder: two that write there at once would mix their results."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from omr.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NAME = ".saiten.lock"


@contextmanager
def hold_folder(out: Path) -> Iterator[None]:
    """Keep other runs out of a results folder.

    The operating system gives the lock back when the process ends, however it ends.

    Args:
        out: the folder; it is there and can be written to.

    Raises:
        InputError: another run is writing there.
    """
    lock = FileLock(out / _NAME, blocking=False)
    try:
        lock.acquire()
    except Timeout as error:
        raise InputError(
            f"{out} には、いま別の saiten read が結果を書いています。終わるのを待つか、-o に別のフォルダーを指定してください。"
        ) from error
    try:
        yield
    finally:
        # Removed while it is still held: who opened it meanwhile notices that it is gone, and makes a new one.
        with suppress(OSError):  # Windows removes no open file: it stays, empty
            (out / _NAME).unlink()
        lock.release()
