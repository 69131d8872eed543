"""A folder that scanners write into: which of its files are complete, found by looking again and again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from api.scan_inputs import is_scan_name
from omr.whole_file import is_whole_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class WatchRules:
    """How long to wait for a file.

    Attributes:
        stable_seconds: for which size and time of change must stay the same before a file is taken.
        give_up_seconds: after which a file that stays the same, but without its end, is given up.
    """

    stable_seconds: float = 3.0
    give_up_seconds: float = 600.0


@dataclass(slots=True)
class _Seen:
    """A file as it was at the last look.

    Attributes:
        state: its size in bytes and time of change in nanoseconds.
        since: when it was first seen like this.
        given: whether it was handed out like this, as complete or as given up.
    """

    state: tuple[int, int]
    since: float
    given: bool = False


@dataclass
class WatchFolder:
    """The scans that arrive in a folder and the folders below it; nothing in it is ever changed.

    Files are told apart by path, size and time of change: one that is written anew is handed out anew. Hidden,
    temporary, lock and empty files, and those without a scan's suffix, are left alone.

    Attributes:
        folder: to look into.
        rules: how long to wait.
        excluded: a folder below it that is not looked into (where results go); None if there is none.
        pattern: of the paths below it that are looked at; all of them by default.
    """

    folder: Path
    rules: WatchRules = field(default_factory=WatchRules)
    excluded: Path | None = None
    pattern: str = "**/*"
    _seen: dict[Path, _Seen] = field(default_factory=dict, init=False)

    def poll(self, now: float) -> list[Path]:
        """Look once: the files that are complete since this look, each once, in the order of their change.

        Args:
            now: seconds on a clock that never goes back.
        """
        self._look(now)
        settled = self._settled(now, self.rules.stable_seconds)
        complete = [path for path in settled if _is_whole(path)]
        self._give(complete)
        return complete

    def give_up(self, now: float) -> list[Path]:
        """The files that have stayed without their end for too long as of the last look, each once."""
        stuck = self._settled(now, self.rules.give_up_seconds)
        self._give(stuck)
        return stuck

    def put_back(self, path: Path) -> None:
        """Take back a file that was handed out but could not be read: it is handed out again."""
        self._seen.pop(path, None)

    def _look(self, now: float) -> None:
        found = dict(self._list())
        self._seen = {path: seen for path, seen in self._seen.items() if path in found}
        for path, state in found.items():
            seen = self._seen.get(path)
            if seen is None or seen.state != state:
                self._seen[path] = _Seen(state, now)

    def _list(self) -> Iterator[tuple[Path, tuple[int, int]]]:
        """The files that can be scans and are not empty; what vanishes or is locked meanwhile is left out."""
        try:
            paths = list(self.folder.glob(self.pattern))
        except OSError:  # a share that is away for a moment
            return
        for path in paths:
            if self.excluded is not None and path.is_relative_to(self.excluded):
                continue
            if not is_scan_name(path.relative_to(self.folder)):
                continue
            try:
                facts = path.stat()
                if path.is_file() and facts.st_size > 0:
                    yield path, (facts.st_size, facts.st_mtime_ns)
            except OSError:
                continue

    def _settled(self, now: float, seconds: float) -> list[Path]:
        ready = [
            (seen.state[1], path)
            for path, seen in self._seen.items()
            if not seen.given and now - seen.since >= seconds
        ]
        return [path for _, path in sorted(ready)]

    def _give(self, paths: list[Path]) -> None:
        for path in paths:
            self._seen[path].given = True


def _is_whole(path: Path) -> bool:
    try:
        return is_whole_file(path)
    except OSError:  # its writer still holds it
        return False
