"""The supervisor of worker processes: keeps so many running, and gives back what one was at that died or hangs."""

from __future__ import annotations

import logging
import multiprocessing
import threading
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from multiprocessing import connection
from typing import TYPE_CHECKING, Self

from api.intake_process import IDLE, run_worker
from api.worker_pool import without_ctrl_c
from omr.errors import Refused
from scoring.storage.leases import LEASE, Ending, give_back, give_back_all_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

    from api.intake_process import WorkerSettings
    from api.worker_presence import Presence
    from scoring.storage.database import Database

_LOOK_SECONDS = 1.0
_GONE_SECONDS = 5.0
"""How often to look for supervisors that were killed."""
_END_SECONDS = 10.0
"""How long workers may finish what they are at when they are told to end."""
_SHORT_LIFE_SECONDS = 10.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 30.0
"""Seconds before another worker is started for one that died soon after its start; doubled each time."""
_LOG = logging.getLogger("saiten.intake")


@dataclass
class _Worker:
    """A worker process, our end of its pipe, whether it is ready, and until when it may be at what it is at."""

    name: str
    process: SpawnProcess
    pipe: Connection
    started: float
    is_ready: bool = False
    deadline: float | None = None


class IntakeWorkers:
    """Worker processes for what is left to do with scans; a context manager.

    They are started by a thread, so nobody waits for them; they are gone when the context is left.

    Args:
        count: how many processes; 0 for none.
        database: as the settings name it, open.
        settings: what every worker is started with.
        presence: how supervisors are seen by each other.
        seconds: how long a worker may be at one thing.
        tell_others: is told of an exam of which a worker here took something: more of it may be left for others.
    """

    def __init__(
        self,
        count: int,
        database: Database,
        settings: WorkerSettings,
        presence: Presence,
        seconds: float = LEASE.total_seconds(),
        tell_others: Callable[[str], None] = lambda exam_id: None,  # noqa: ARG005
    ) -> None:
        self._count, self._database, self._settings = count, database, settings
        self._presence, self._seconds, self._tell_others = presence, seconds, tell_others
        self._context = multiprocessing.get_context("spawn")
        self._workers: list[_Worker] = []
        self._to_give_back: list[tuple[str, Ending]] = []
        self._pause, self._next_start, self._made = 0.0, 0.0, 0
        self._wakes, self._wake = self._context.Pipe(duplex=False)
        self._announced, self._is_more_left = threading.Event(), False
        self._next_look = 0.0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._supervise, name="intake", daemon=True)
        self._present = ExitStack()
        self._name = ""

    def __enter__(self) -> Self:
        if self._count:
            self._name = self._present.enter_context(self._presence)
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._count:
            self._stopping.set()
            self.announce("")
            self._thread.join()
        self._present.close()

    def announce(self, exam_id: str) -> None:  # noqa: ARG002  (whoever is free looks)
        """As in `Announcer`."""
        if self._count and not self._announced.is_set():  # else the pipe could fill up
            self._announced.set()
            with suppress(OSError):
                self._wake.send(None)

    def _supervise(self) -> None:
        while not self._stopping.is_set():
            self._free_what_is_left()
            try:
                self._start_missing()
            except OSError as error:  # too little memory for one more process, for now
                self._report("not_started", type(error).__name__)
                self._next_start = time.monotonic() + _LONGEST_PAUSE
            self._wait()
            self._look_after()
        self._end_all()

    def _free_what_is_left(self) -> None:
        """Give back what the workers of supervisors were at that were killed."""
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + _GONE_SECONDS
        try:
            with self._presence.find_gone() as gone:
                for name in gone:
                    self._is_more_left |= give_back_all_of(self._database, name) > 0
        except (Refused, OSError) as error:
            self._report("not_given_back", type(error).__name__)
            self._next_look = 0.0

    def _start_missing(self) -> None:
        while len(self._workers) < self._count and time.monotonic() >= self._next_start:
            self._made += 1
            name = f"{self._name}.{self._made}"
            ours, theirs = self._context.Pipe()
            process = self._context.Process(
                target=run_worker, args=(theirs, name, self._settings), daemon=True
            )
            with without_ctrl_c():
                process.start()
            theirs.close()
            self._workers.append(_Worker(name, process, ours, time.monotonic()))

    def _wait(self) -> None:
        """Until something happens: a worker says something or dies, or somebody announces or ends."""
        handles = [handle for one in self._workers for handle in (one.pipe, one.process.sentinel)]
        ready = connection.wait([*handles, self._wakes], _LOOK_SECONDS)
        if self._wakes in ready:
            while self._wakes.poll():
                self._wakes.recv()
            self._announced.clear()
            self._is_more_left = True

    def _wake_idle(self) -> None:
        """Let workers look that have nothing to do; who says so later looks later."""
        if self._is_more_left:
            self._is_more_left = False
            for worker in self._workers:
                if worker.deadline is None:
                    with suppress(OSError):  # it is dead: it is found so next
                        worker.pipe.send(None)

    def _look_after(self) -> None:
        for worker in list(self._workers):
            self._listen(worker)
            if worker.deadline is not None and time.monotonic() > worker.deadline:
                self._report("hung", worker.name)
                worker.process.kill()
                worker.process.join()
            if not worker.process.is_alive():
                self._listen(worker)
                self._bury(worker)
        self._give_back_all()
        self._wake_idle()

    def _listen(self, worker: _Worker) -> None:
        with suppress(EOFError, OSError):
            while worker.pipe.poll():
                exam_id = worker.pipe.recv()
                worker.is_ready = True
                worker.deadline = None
                if exam_id != IDLE:
                    worker.deadline = time.monotonic() + self._seconds
                    self._is_more_left = True
                    self._tell_others(exam_id)

    def _bury(self, worker: _Worker) -> None:
        """Note what a dead worker was at for others, and when the next one may start."""
        self._workers.remove(worker)
        worker.pipe.close()
        died_at_work = worker.deadline is not None
        self._report("died", f"{worker.name} {worker.process.exitcode}")
        self._to_give_back.append((worker.name, Ending.DIED if died_at_work else Ending.VANISHED))
        is_short = time.monotonic() - worker.started < _SHORT_LIFE_SECONDS
        self._pause = min(_LONGEST_PAUSE, max(_FIRST_PAUSE, 2 * self._pause)) if is_short else 0.0
        self._next_start = time.monotonic() + self._pause

    def _give_back_all(self) -> None:
        while self._to_give_back:
            try:
                self._is_more_left |= give_back(self._database, *self._to_give_back[0]) > 0
            except Refused as refused:
                self._report("not_given_back", refused.refusal)
                return
            self._to_give_back.pop(0)

    def _end_all(self) -> None:
        """Let all workers finish what they are at, but not for long."""
        for worker in self._workers:
            self._listen(worker)
            worker.pipe.close()  # which tells it to end
            if not worker.is_ready:
                worker.process.kill()  # it took nothing yet
        until = time.monotonic() + _END_SECONDS
        for worker in self._workers:
            worker.process.join(max(0.0, until - time.monotonic()))
            worker.process.kill()
            worker.process.join()
            self._to_give_back.append((worker.name, Ending.VANISHED))
        self._give_back_all()

    def _report(self, what: str, about: str) -> None:
        _LOG.warning(what, extra={"fields": {"about": about}})
