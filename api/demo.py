"""`saiten demo`: a finished sample exam, printed, read and marked before your eyes, then served on this computer."""

from __future__ import annotations

import contextlib
import signal
import tempfile
import threading
import time
import webbrowser
from collections.abc import Callable  # noqa: TC003  (part of public signatures)
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

from api.demo_report import describe_reading, show_scores
from api.demo_routes import demo_path, demo_routes
from api.handwriting import open_reader
from api.intake_worker import IntakeWorker, Step
from api.listening import listen
from api.passwords import new_token
from api.printing import print_exam
from api.progress import show_progress
from api.reading_run import Progress
from api.sample_school import EXAM, ROSTER, TEACHER, SampleSchool, open_sample_school
from api.school_app import create_school_app
from api.serving import SchoolServer
from api.worker_serving import intake_engine, usual_count
from omr.errors import InputError
from scoring.storage.columns import utc_now
from scoring.storage.database import database_in, open_database
from scoring.storage.leases import Ending, give_back
from scoring.storage.sessions import end_sessions_of
from scoring.storage.work_counts import count_work, is_work_left

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

LOOPBACK = "127.0.0.1"
_LOOK_SECONDS = 0.1
_SECONDS_TO_END = 3


class Showing(StrEnum):
    """What comes after the table: the page in a browser, the page without opening a browser, or nothing."""

    BROWSER = "browser"
    SERVED = "served"
    TABLE_ONLY = "table_only"


@dataclass(frozen=True, slots=True)
class DemoRequest:
    """What `saiten demo` was asked for.

    Attributes:
        data: folder of the demo's data; None for one that is gone afterwards.
        port: to listen at; 0 for any free one.
        showing: what comes after the table.
    """

    data: Path | None = None
    port: int = 8000
    showing: Showing = Showing.BROWSER


def run_demo(request: DemoRequest, announce: Callable[[str], None]) -> None:
    """Load the sample exam, read it, show what was read and scored, and serve it until Ctrl+C.

    Args:
        request: what was asked for.
        announce: is told, sentence by sentence, what the person at the terminal needs to know.

    Raises:
        InputError: the folder or the port can't be used, or the folder holds a school's own data.
    """
    with ExitStack() as held:
        held.enter_context(_stopped_in_order())
        is_served = request.showing is not Showing.TABLE_ONLY
        listening = held.enter_context(listen(LOOPBACK, request.port)) if is_served else None
        folder = held.enter_context(_demo_folder(request.data))
        database = held.enter_context(closing(open_database(database_in(folder))))
        school = open_sample_school(database, folder)
        _read(school, announce)
        show_scores(school, announce)
        if listening is not None:
            _serve(school, listening, request.showing, announce)


@contextmanager
def _stopped_in_order() -> Iterator[None]:
    """Let SIGTERM do what Ctrl+C does, so that no folder and no processes are left."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _demo_folder(data: Path | None) -> Iterator[Path]:
    """The folder for the demo's data: the given one, or one that is gone afterwards."""
    if data is not None:
        try:
            data.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{data} にフォルダーを作れません。--data の場所を確かめてください。") from error
        yield data
        return
    with tempfile.TemporaryDirectory(prefix="saiten-demo-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _read(school: SampleSchool, announce: Callable[[str], None]) -> None:
    """Print the sheets and read what waits to be read, with a bar on a terminal; say what came of it."""
    here = school.instance
    if not school.is_new and _is_read(school):
        announce(f"{here.data} にある見本のデータを使います。")
        announce(describe_reading(school, None))
        return
    announce(print_exam(EXAM, ROSTER, here.data / "sheets.pdf", here.data / "layout.json", duplex=False))
    if remark := open_reader(school.exam.exam, threads=1).remark:
        announce(remark)
    begun = time.monotonic()
    _work(school)
    announce(describe_reading(school, time.monotonic() - begun))


def _work(school: SampleSchool) -> None:
    """Read in this process: the sample's few files are our own, and processes take longer to start than to read them."""
    here, name = school.instance, f"demo {new_token()}"
    try:
        with show_progress() as report, IntakeWorker(here.database, here.blobs, name) as worker:
            while not _is_read(school):
                if worker.step() is not Step.DONE:
                    time.sleep(_LOOK_SECONDS)
                report(_progress(school))
    finally:
        give_back(here.database, name, Ending.STOPPED)


def _is_read(school: SampleSchool) -> bool:
    with school.instance.database.read() as session:
        return not is_work_left(session, school.exam)


def _progress(school: SampleSchool) -> Progress:
    with school.instance.database.read() as session:
        pages = count_work(session, utc_now()).pages
    return Progress(pages.get("read", 0), sum(pages.values()))


def _serve(
    school: SampleSchool, listening: socket.socket, showing: Showing, announce: Callable[[str], None]
) -> None:
    token = new_token()
    engine = intake_engine(usual_count(), school.instance.database, school.instance.data)
    here = replace(school.instance, announcer=engine)
    app = create_school_app(here, demo_routes(school.teacher, token))
    server = SchoolServer(
        uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=_SECONDS_TO_END,
        )
    )
    # The socket listens already: a browser that is quicker than the server waits for it.
    address = f"http://{LOOPBACK}:{listening.getsockname()[1]}{demo_path(token)}"
    announce(
        f"{address} を開くと、{TEACHER}としてサインインした画面になります（このパソコンの中だけで動きます）。"
        "終わるには Ctrl+C を押してください。"
    )
    if showing is Showing.BROWSER:
        # Some browsers of a text terminal keep their caller waiting.
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
    try:
        with (
            contextlib.suppress(KeyboardInterrupt),
            engine,
        ):
            server.run(sockets=[listening])
    finally:
        with here.database.write() as session:
            end_sessions_of(session, here.deed(school.teacher), school.teacher)
