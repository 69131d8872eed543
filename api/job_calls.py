"""Calls to the workers of all machines, as jobs of Procrastinate that hold the id of an exam and nothing else.

A job is no work: what is left to do stands in the rows. It wakes every machine that hears of it, and waits in
PostgreSQL until one has taken it; a job that is lost or comes twice loses and doubles nothing. All of it happens in one
thread, and nothing that goes wrong there is anybody else's.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from contextlib import suppress
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Self

import procrastinate
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from sqlalchemy import text

from scoring.storage.migration import migrating

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from sqlalchemy.engine import Engine

    from scoring.storage.database import Database

SCHEMA = "saiten_jobs"
"""Where Procrastinate's tables lie: apart from ours, and from their backups."""
QUEUE = "intake"
_AGAIN_SECONDS = 2.0
_CONNECT_SECONDS = _END_SECONDS = 10.0
_PARTS = "procrastinate"
_LOG = logging.getLogger("saiten.intake")


class JobCalls:
    """Calls workers and, where there are some, hears calls; a context manager.

    Args:
        database: on PostgreSQL.
        wake: is called, in another thread, for every call from any machine; None where nobody here waits for one.
    """

    def __init__(self, database: Database, wake: Callable[[], None] | None) -> None:
        self._engine, self._wake = database.engine, wake
        self._to_tell: set[str] = set()
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._news, self._stopping = asyncio.Event(), asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._set(self._stopping)
        self._thread.join(_END_SECONDS)  # it may be at a database that does not answer

    def announce(self, exam_id: str) -> None:
        """As in `Announcer`; waits for nothing."""
        with self._lock:
            self._to_tell.add(exam_id)
        self._set(self._news)

    def _set(self, event: asyncio.Event) -> None:
        with suppress(RuntimeError):  # the loop is closed
            if self._loop is None:
                event.set()  # it has not begun
            else:
                self._loop.call_soon_threadsafe(event.set)

    def _run(self) -> None:
        # psycopg can't work on the loop that is usual on Windows.
        with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
            runner.run(self._stay_connected())

    async def _stay_connected(self) -> None:
        self._loop = asyncio.get_running_loop()
        while not self._stopping.is_set():
            try:
                await self._take_part()
            except Exception as error:  # noqa: BLE001  (workers look by themselves until it goes again)
                _LOG.warning("jobs_cut_off", extra={"fields": {"error": type(error).__name__}})
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), _AGAIN_SECONDS)

    async def _take_part(self) -> None:
        """Call and hear calls until this is to stop, or something goes wrong."""
        await asyncio.to_thread(make_job_tables, self._engine)
        app = _app(self._engine)
        task = app.task(name="look", queue=QUEUE)(self._look)
        async with app.open_async():
            if self._wake is not None:
                await _forget_stalled(app)
            parts: list[Coroutine[Any, Any, object]] = [self._stopping.wait(), self._tell_all(task)]
            if self._wake is not None:
                heard = app.job_manager.listen_for_jobs(on_notification=self._hear, queues=[QUEUE])
                parts += [_take_jobs(app), heard]
            await _until_one_ends([asyncio.create_task(part) for part in parts])

    async def _tell_all(self, task: Any) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            while exam_id := self._next():
                try:
                    # One job of an exam waits at most: who takes it later looks later, and finds all.
                    with suppress(AlreadyEnqueued):
                        await task.configure(queueing_lock=exam_id).defer_async(exam_id=exam_id)
                except BaseException:
                    self.announce(exam_id)
                    raise

    def _next(self) -> str | None:
        with self._lock:
            return self._to_tell.pop() if self._to_tell else None

    async def _look(self, exam_id: str) -> None:  # noqa: ARG002  (whoever is free looks, and finds what there is)
        if self._wake is not None:
            self._wake()

    async def _hear(self, **_: object) -> None:
        """A job was made: one machine takes it, but there may be something for all of them."""
        if self._wake is not None:
            self._wake()


def make_job_tables(engine: Engine) -> None:
    """Make Procrastinate's tables where they are not there yet, or another version made them.

    Args:
        engine: of a PostgreSQL.

    Raises:
        DBAPIError: it can't be reached, or its user may not make a schema.
    """
    made_by = f"{_PARTS} {version(_PARTS)}"
    known = text("SELECT obj_description(to_regnamespace(:schema), 'pg_namespace')")
    with engine.connect() as connection:
        if connection.scalar(known, {"schema": SCHEMA}) == made_by:
            return
    with migrating(engine) as connection:
        if connection.scalar(known, {"schema": SCHEMA}) == made_by:
            return  # another server was quicker
        connection.execute(text(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE"))  # jobs may be lost
        connection.execute(text(f"CREATE SCHEMA {SCHEMA}"))
        connection.execute(text(f"SET LOCAL search_path TO {SCHEMA}"))
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.execute(procrastinate.schema.SchemaManager.get_schema())  # many statements, with % in them
        connection.execute(text(f"COMMENT ON SCHEMA {SCHEMA} IS '{made_by}'"))


def _app(engine: Engine) -> procrastinate.App:
    arguments = dict(engine.dialect.create_connect_args(engine.url)[1])
    arguments.pop("context", None)  # SQLAlchemy's own types
    options = f"{arguments.pop('options', '')} -c search_path={SCHEMA}".strip()
    connector = procrastinate.PsycopgConnector(
        kwargs={**arguments, "options": options}, min_size=1, max_size=3, timeout=_CONNECT_SECONDS
    )
    return procrastinate.App(connector=connector)


async def _take_jobs(app: procrastinate.App) -> None:
    await app.run_worker_async(
        queues=[QUEUE], name=QUEUE, delete_jobs="always", install_signal_handlers=False
    )


async def _forget_stalled(app: procrastinate.App) -> None:
    """Remove the jobs at which processes were killed: whoever comes looks by itself."""
    for job in await app.job_manager.get_stalled_jobs(queue=QUEUE):
        with suppress(ConnectorException):  # another process was quicker
            await app.job_manager.finish_job(job, status=procrastinate.jobs.Status.FAILED, delete_job=True)


async def _until_one_ends(tasks: list[asyncio.Task[object]]) -> None:
    """Run tasks until one ends or fails; the others are cancelled."""
    done, rest = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    while rest:
        for one in rest:
            one.cancel()
        # Before Python 3.12 a cancellation can be lost in a task that hears something at that moment.
        _, rest = await asyncio.wait(rest, timeout=1.0)
    await asyncio.gather(
        *tasks, return_exceptions=True
    )  # what went wrong with the others follows from the first
    for one in done:
        one.result()
