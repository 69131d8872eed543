"""Who supervises workers: seen by others as long as the process lives, however it ends."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Protocol

from filelock import FileLock, Timeout

from scoring.storage.columns import new_id

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

_ENDING = ".lock"


class Presence(Protocol):
    """A context manager in which this process is seen as a supervisor, under a name that no other one ever has."""

    def __enter__(self) -> str: ...

    def __exit__(self, *_: object) -> None: ...

    def find_gone(self) -> AbstractContextManager[list[str]]:
        """The supervisors that are gone and did not end in order; they are forgotten when the block ends well."""
        ...


class FolderPresence:
    """Seen on this machine, by a file that is locked as long as the process lives.

    Args:
        folder: for these files; made if it is not there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held = ExitStack()

    def __enter__(self) -> str:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = new_id()
        path = self._folder / f"{name}{_ENDING}"
        self._held.enter_context(FileLock(path))
        # Removed while it is still held: nobody takes a supervisor that ended in order for one that is gone.
        self._held.callback(_remove, path)
        return name

    def __exit__(self, *_: object) -> None:
        self._held.close()

    @contextmanager
    def find_gone(self) -> Iterator[list[str]]:
        """As in `Presence`."""
        held: dict[Path, FileLock] = {}
        for path in self._folder.glob(f"*{_ENDING}"):
            lock = FileLock(path, blocking=False)
            with suppress(Timeout, OSError):
                lock.acquire()
                held[path] = lock
        try:
            yield [path.name.removesuffix(_ENDING) for path in held]
            for path in held:
                _remove(path)
        finally:
            for lock in held.values():
                lock.release()


def _remove(path: Path) -> None:
    with suppress(OSError):  # Windows removes no open file: it is found later, and found to hold nothing
        path.unlink()
