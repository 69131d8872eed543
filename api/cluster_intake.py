"""Workers on several machines over one PostgreSQL: each machine has its supervisor, and all hear of new work at once."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from api.database_presence import DatabasePresence
from api.intake_workers import IntakeWorkers
from api.job_calls import JobCalls

if TYPE_CHECKING:
    from api.intake_process import WorkerSettings
    from scoring.storage.database import Database


class ClusterIntake:
    """The workers of this process, and the way to tell those of all others too: an `api.announcing.IntakeEngine`.

    Args:
        count: how many worker processes; 0 for none.
        database: on PostgreSQL, open.
        settings: what every worker is started with.
    """

    def __init__(self, count: int, database: Database, settings: WorkerSettings) -> None:
        self._calls = JobCalls(database, self._wake if count else None)
        presence = DatabasePresence(database)
        self._workers = IntakeWorkers(count, database, settings, presence, tell_others=self._calls.announce)
        self._running = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as begun:
            begun.enter_context(self._calls)
            begun.enter_context(self._workers)
            self._running = begun.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def _wake(self) -> None:
        self._workers.announce("")

    def announce(self, exam_id: str) -> None:
        """As in `Announcer`; our own workers need not wait until PostgreSQL tells them."""
        self._workers.announce(exam_id)
        self._calls.announce(exam_id)
