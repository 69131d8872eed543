"""The life of a worker process: one thing after another, until it is told to end or nobody is there to tell it.

It tells its supervisor, over a pipe that nobody else uses, when it begins something and when there is nothing to do.
"""

from __future__ import annotations

import gc
import os
import signal
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003  (part of public signatures)
from typing import TYPE_CHECKING

import cv2

from api.request_log import log_as_json
from scoring.storage.database import open_database
from scoring.storage.object_blobs import open_blobs

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from types import FrameType

    from api.announcing import Waker
    from api.intake_worker import IntakeWorker

IDLE = ""
"""What a worker tells its supervisor when it is at nothing; else the id of the exam that it is at."""
LOOK_SECONDS = 3.0
"""How long a worker with nothing to do waits before it looks again by itself: what is announced it is told at once."""
_PAUSE_SECONDS = 0.2
"""How long a worker waits when something stood in its way."""
_NICENESS = 5
"""Requests of people go before reading."""


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """What a worker process is started with.

    Attributes:
        database: URL, with its password.
        data: folder of the instance.
        blobs: where its files lie; None for a folder in `data`.
        model_threads: of one run of a model that reads handwriting.
        look_seconds: how long it waits with nothing to do before it looks again by itself.
    """

    database: str
    data: Path
    blobs: str | None = None
    model_threads: int = 1
    look_seconds: float = LOOK_SECONDS


class PipeWaker:
    """Wakes a worker by its supervisor's pipe, which also says when it is to end: when nobody holds the other end."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._goes_on = True

    def wait(self, seconds: float) -> bool:
        """As in `Waker`."""
        try:
            while self._goes_on and self._pipe.poll(seconds):
                self._pipe.recv()
                seconds = 0.0
        except (EOFError, OSError):
            self._goes_on = False
        return self._goes_on

    def stop(self) -> None:
        """Let the worker end when what it is at is done."""
        self._goes_on = False

    def tell(self, what: str) -> None:
        """Tell the supervisor something."""
        with suppress(OSError):  # it is gone: the next wait says so
            self._pipe.send(what)


def work_until_stopped(worker: IntakeWorker, waker: Waker, look_seconds: float = LOOK_SECONDS) -> None:
    """Do what is left to do, and wait for more, until the waker says that it is to end.

    Args:
        worker: does it.
        waker: tells when to look again.
        look_seconds: how long to wait for that.
    """
    from api.intake_worker import Step  # noqa: PLC0415  (as below)

    pauses = {Step.DONE: 0.0, Step.PUT_OFF: _PAUSE_SECONDS, Step.NOTHING: look_seconds}
    goes_on = waker.wait(0)
    while goes_on:
        goes_on = waker.wait(pauses[worker.step()])


def run_worker(pipe: Connection, name: str, settings: WorkerSettings) -> None:
    """The whole of a worker process, which ends with it.

    Args:
        pipe: to the supervisor.
        name: that no other worker ever has.
        settings: what it needs.
    """
    # What reads pages loads slowly, and the server, which imports this module too, is ready sooner without it.
    from api.intake_worker import IntakeWorker  # noqa: PLC0415

    waker = PipeWaker(pipe)

    def stop(signal_number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        waker.stop()

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is the supervisor's to answer: it ends its workers
    signal.signal(signal.SIGTERM, stop)
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
    cv2.setNumThreads(1)
    log_as_json()
    gc.freeze()  # what is there now stays: no collection need look at it again
    with closing(open_database(settings.database)) as database:
        worker = IntakeWorker(
            database,
            open_blobs(settings.blobs, settings.data / "blobs"),
            name,
            begun=waker.tell,
            ended=lambda: waker.tell(IDLE),
            model_threads=settings.model_threads,
        )
        waker.tell(IDLE)  # it is ready
        with worker:
            work_until_stopped(worker, waker, settings.look_seconds)
    # All is kept and closed; libraries that read codes would only complain now of what they themselves leave.
    os._exit(0)
