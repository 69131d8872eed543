"""How workers learn at once that something is left to do; they would find it by themselves a little later.

Embedded, a supervisor wakes its own workers (`api.intake_workers`). With PostgreSQL, every supervisor on every machine
hears of it too (`api.cluster_intake`).
"""

from __future__ import annotations

from typing import Protocol, Self


class Waker(Protocol):
    """How a worker with nothing to do learns that there is something, and how it learns that it is to end."""

    def wait(self, seconds: float) -> bool:
        """Wait until something may have come, at most so long; whether the worker is to go on."""
        ...


class Announcer(Protocol):
    """How a server lets workers know; nothing that goes wrong with it is the caller's."""

    def announce(self, exam_id: str) -> None:
        """Tell that something of an exam is left to do; the rows that say so are on disk already."""
        ...


class IntakeEngine(Announcer, Protocol):
    """Workers, and the way to tell them; a context manager, which ends with its workers."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


class NobodyTold:
    """The announcer of a server that knows no workers: they look by themselves."""

    def announce(self, exam_id: str) -> None:
        """As in `Announcer`."""
