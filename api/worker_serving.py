"""`saiten worker`: one more worker for a served instance, on this machine or another."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable  # noqa: TC003  (part of public signatures)
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003  (part of public signatures)

from api.announcing import IntakeEngine  # noqa: TC001  (part of public signatures)
from api.intake_process import LOOK_SECONDS, WorkerSettings
from api.intake_workers import IntakeWorkers
from api.request_log import log_as_json
from api.worker_presence import FolderPresence
from omr.errors import InputError
from scoring.storage.database import Database, database_in, open_database

_PRESENCE = "workers"


@dataclass(frozen=True, slots=True)
class WorkRequest:
    """What `saiten worker` was asked for.

    Attributes:
        data: folder of the files, and of the database where none is named; that of the served instance.
        database: URL; None for SQLite in `data`.
        blobs: where its files lie; None for a folder in `data`.
    """

    data: Path
    database: str | None = None
    blobs: str | None = None


def usual_count() -> int:
    """How many workers a server has unless told otherwise: one core is left for those who grade."""
    return max(1, (os.cpu_count() or 1) - 1)


def intake_engine(
    count: int,
    database: Database,
    data: Path,
    blobs: str | None = None,
    look_seconds: float = LOOK_SECONDS,
) -> IntakeEngine:
    """The workers of a served instance and the way to tell them of work, not started yet.

    Args:
        count: how many processes; 0 for none.
        database: open.
        data: its folder.
        blobs: where its files lie; None for a folder in `data`.
        look_seconds: after how long a worker that nobody told anything looks by itself.

    Raises:
        InputError: the database is a PostgreSQL, and parts of the extra `cluster` are not installed.
    """
    address = database.engine.url.render_as_string(hide_password=False)
    settings = WorkerSettings(address, data, blobs, look_seconds=look_seconds)
    if database.engine.dialect.name == "sqlite":
        return IntakeWorkers(count, database, settings, FolderPresence(data / _PRESENCE))
    try:
        from api.cluster_intake import ClusterIntake  # noqa: PLC0415  (of an extra)
    except ModuleNotFoundError as error:
        raise InputError(
            f"PostgreSQL のための部品（{error.name}）がありません。saiten[cluster] を入れてください。"
        ) from error
    return ClusterIntake(count, database, settings)


def work_for_school(request: WorkRequest, announce: Callable[[str], None]) -> None:
    """Work until Ctrl+C or SIGTERM; what was begun is finished or given back.

    Args:
        request: what was asked for.
        announce: is told what the person at the terminal needs to know.

    Raises:
        InputError: there is no such instance.
    """
    if not request.data.is_dir():
        raise InputError(
            f"{request.data} がありません。--data に、saiten serve と同じフォルダーを指定してください。"
        )
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with closing(open_database(request.database or database_in(request.data))) as database:
        log_as_json()
        with intake_engine(1, database, request.data, request.blobs):
            announce("スキャンの読み取りを手伝っています。終わるには Ctrl+C を押してください。")
            while not stop.is_set():
                with contextlib.suppress(InterruptedError):
                    stop.wait(3600)
    announce("読み取りの手伝いを終わりました。")
