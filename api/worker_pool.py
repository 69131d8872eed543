"""A pool of worker processes that survives the death or hanging of any of them.

Every worker has a pipe of its own, so a process that dies takes nothing with it but the batch it was on. That
batch is done again item by item; only an item that fails alone is given up, and the caller is told why.
"""

from __future__ import annotations

import multiprocessing
import signal
import threading
import time
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from multiprocessing import connection
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from omr.errors import SaitenError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess
    from types import TracebackType

Item = TypeVar("Item")
Result = TypeVar("Result")

_START_SECONDS = 120.0
_STARTS = 3
"""How often a worker that ends before it is ready is started, before the run gives up."""
_NOT_YET = object()
_AHEAD = 4
"""Batches a worker that results may run ahead of the slowest one: bounds what waits to be taken."""


class Failure(Enum):
    """Why an item has no result."""

    HUNG = "hung"
    DIED = "died"


@dataclass
class _Worker(Generic[Item]):
    """A worker process, the parent's end of its pipe, and what it is busy with."""

    process: SpawnProcess
    pipe: Connection
    batch: list[tuple[int, Item]] | None = None
    deadline: float = 0.0


class WorkerPool:
    """A context manager; the processes are ready when it is entered and gone when it is left.

    Args:
        count: worker processes.
        prepare: called once in each process before its first item, with `settings`.
        settings: picklable.
        seconds: after which a batch is taken for hung.
    """

    def __init__(self, count: int, prepare: Callable[[Any], None], settings: object, seconds: float) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._count = count
        self._start = (prepare, settings)
        self._seconds = seconds
        self._workers: list[_Worker[Any]] = []

    def __enter__(self) -> Self:
        try:
            for _ in range(self._count):
                self._workers.append(self._launch())
            for worker in self._workers:
                self._await_ready(worker)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        for worker in self._workers:
            worker.pipe.close()
            worker.process.kill()
        for worker in self._workers:
            worker.process.join()
        self._workers = []

    def map(
        self, function: Callable[[Item], Result], items: Sequence[Item], batch: int = 1
    ) -> Iterator[Result | Failure]:
        """Apply a function to every item; results come in the order of the items, as they are ready.

        Args:
            function: at module level, so that a process can find it.
            items: picklable.
            batch: how many a worker takes at a time.

        Raises:
            Exception: what the function raised.
        """
        numbered = list(enumerate(items))
        queue = deque(numbered[at : at + batch] for at in range(0, len(numbered), batch))
        done: dict[int, Result | Failure] = {}
        for position in range(len(items)):
            while position not in done:
                horizon = position + _AHEAD * self._count * batch
                for worker in self._workers:
                    if worker.batch is None and queue and queue[0][0][0] < horizon:
                        self._give(worker, function, queue.popleft())
                for worker, outcome in self._wait():
                    _settle(worker, outcome, done, queue)
            yield done.pop(position)

    def _give(
        self, worker: _Worker[Item], function: Callable[[Item], Result], batch: list[tuple[int, Item]]
    ) -> None:
        worker.batch = batch
        worker.deadline = time.monotonic() + self._seconds
        try:
            worker.pipe.send((function, [item for _, item in batch]))
        except OSError:
            worker.deadline = 0.0  # it is dead: the next wait finds it so

    def _wait(self) -> list[tuple[_Worker[Any], Any]]:
        """The busy workers that came to an end of their batch, each with its results or its failure."""
        busy = [worker for worker in self._workers if worker.batch is not None]
        patience = max(0.0, min(worker.deadline for worker in busy) - time.monotonic())
        handles = [handle for worker in busy for handle in (worker.pipe, worker.process.sentinel)]
        ready = set(connection.wait(handles, patience))
        ended: list[tuple[_Worker[Any], Any]] = []
        for worker in busy:
            if worker.pipe in ready:
                ended.append((worker, self._receive(worker)))
            elif worker.process.sentinel in ready:
                ended.append((worker, self._replace(worker, Failure.DIED)))
            elif time.monotonic() >= worker.deadline:
                ended.append((worker, self._replace(worker, Failure.HUNG)))
        return ended

    def _receive(self, worker: _Worker[Any]) -> Any:
        try:
            return worker.pipe.recv()
        except (EOFError, OSError):
            return self._replace(worker, Failure.DIED)

    def _replace(self, worker: _Worker[Any], failure: Failure) -> Failure:
        self._relaunch(worker)
        self._await_ready(worker)
        return failure

    def _relaunch(self, worker: _Worker[Any]) -> None:
        worker.process.kill()
        worker.process.join()
        worker.pipe.close()
        fresh = self._launch()
        worker.process, worker.pipe = fresh.process, fresh.pipe

    def _launch(self) -> _Worker[Any]:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_work, args=(theirs, *self._start), daemon=True)
        with without_ctrl_c():
            process.start()
        theirs.close()
        return _Worker(process, ours)

    def _await_ready(self, worker: _Worker[Any]) -> None:
        """Wait for a worker; one that was killed while it started, by a system short of memory, is started again."""
        for attempt in range(_STARTS):
            if attempt:
                self._relaunch(worker)
            connection.wait([worker.pipe, worker.process.sentinel], _START_SECONDS)
            try:
                answer = worker.pipe.recv() if worker.pipe.poll() else _NOT_YET
            except (EOFError, OSError):
                continue
            if isinstance(answer, Exception):
                raise answer
            if answer is None:
                return
        raise SaitenError(
            "読み取りの処理を始められません。メモリーの空きを確かめ、--workers を減らしてやり直してください。"
        )


@contextmanager
def without_ctrl_c() -> Iterator[None]:
    """Start a process whole, out of reach of Ctrl+C, which is the parent's to answer when this is done."""
    came: list[int] = []
    in_main = threading.current_thread() is threading.main_thread()  # no other thread can set or get signals
    before = signal.signal(signal.SIGINT, lambda number, _: came.append(number)) if in_main else None
    try:
        with _masked():
            yield
    finally:
        if in_main:
            signal.signal(signal.SIGINT, before or signal.SIG_DFL)
    if came:
        signal.raise_signal(signal.SIGINT)


@contextmanager
def _masked() -> Iterator[None]:
    """Keep Ctrl+C from processes that are started here: they inherit the mask, and keep it in their imports."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    from multiprocessing import resource_tracker  # noqa: PLC0415  (POSIX only)

    resource_tracker.ensure_running()  # when it starts, it lets signals through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _settle(
    worker: _Worker[Any],
    outcome: list[Any] | Exception | Failure,
    done: dict[int, Any],
    queue: deque[list[tuple[int, Any]]],
) -> None:
    """Note the results of a batch; a failed batch goes back to the queue as single items."""
    batch, worker.batch = worker.batch, None
    assert batch is not None
    if isinstance(outcome, Exception):
        raise outcome
    if not isinstance(outcome, Failure):
        done.update({number: result for (number, _), result in zip(batch, outcome, strict=True)})
    elif len(batch) == 1:
        done[batch[0][0]] = outcome
    else:
        queue.extendleft([single] for single in reversed(batch))


def _work(pipe: Connection, prepare: Callable[[object], None], settings: object) -> None:
    """The life of a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is the parent's to answer: it ends its workers
    try:
        try:
            prepare(settings)
        except Exception as error:  # noqa: BLE001  (raised again in the parent)
            pipe.send(error)
            return
        pipe.send(None)
        while True:
            function, items = pipe.recv()
            try:
                answer: object = [function(item) for item in items]
            except Exception as error:  # noqa: BLE001  (raised again in the parent)
                answer = error
            pipe.send(answer)
    except (EOFError, OSError):
        return  # the parent is gone
