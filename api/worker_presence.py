"""Who supervises workers on a data folder: a file that is locked as long as the process lives, however it ends."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from scoring.storage.columns import new_id

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_ENDING = ".lock"


@contextmanager
def be_present(folder: Path) -> Iterator[str]:
    """Be seen as a supervisor, under a name that no other one ever has.

    Args:
        folder: for these files; made if it is not there.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = new_id()
    lock = FileLock(folder / f"{name}{_ENDING}")
    with lock:
        yield name
        # Removed while it is still held: nobody takes a supervisor that ended in order for one that is gone.
        with suppress(OSError):  # Windows removes no open file: it is found later, and found to hold nothing
            (folder / f"{name}{_ENDING}").unlink()


@contextmanager
def find_gone(folder: Path) -> Iterator[list[str]]:
    """The supervisors that are gone and did not end in order; they are forgotten when the block ends well.

    Args:
        folder: of `be_present`.
    """
    held: dict[Path, FileLock] = {}
    for path in folder.glob(f"*{_ENDING}"):
        lock = FileLock(path, blocking=False)
        with suppress(Timeout, OSError):
            lock.acquire()
            held[path] = lock
    try:
        yield [path.name.removesuffix(_ENDING) for path in held]
        for path in held:
            with suppress(OSError):
                path.unlink()
    finally:
        for lock in held.values():
            lock.release()
