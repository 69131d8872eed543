"""Worker processes that are killed, that hang, and whose supervisor is killed: nothing is lost or doubled."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from api.command_line import run
from api.intake_process import WorkerSettings
from api.intake_workers import IntakeWorkers
from api.worker_presence import FolderPresence
from scoring.storage.database import Database, open_database
from scoring.storage.scan_tables import AnswerReadingRow, PageReadingRow, ScanPageRow
from tests.intakes import SCANS, Intake, open_intake

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
FILES = [SCANS / name for name in ("scan_0002.tif", "scan_0005.jpg", "scan_0006.jpg")]
PAGES = 16
_CALL = "import sys; from api.command_line import run; sys.exit(run(sys.argv[1:]))"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(open_database(f"sqlite:///{tmp_path / 'saiten.sqlite3'}")) as opened:
        yield opened


@pytest.fixture
def intake(database: Database, tmp_path: Path) -> Intake:
    return open_intake(database, tmp_path)


def workers(intake: Intake, folder: Path, count: int, seconds: float = 120.0) -> IntakeWorkers:
    address = intake.database.engine.url.render_as_string(hide_password=False)
    settings = WorkerSettings(address, folder)
    return IntakeWorkers(count, intake.database, settings, FolderPresence(folder / "workers"), seconds)


def wait_for(what: Callable[[], bool]) -> None:
    """Until something is so; far longer than it takes on a machine that has nothing else to do."""
    until = time.monotonic() + 300
    while not what():
        assert time.monotonic() < until, "it never came"
        time.sleep(0.02)


def leased(intake: Intake) -> set[str]:
    """Who is at some page."""
    with intake.database.read() as session:
        owners = session.scalars(select(ScanPageRow.lease_owner).where(ScanPageRow.lease_owner.is_not(None)))
        return {owner for owner in owners if owner is not None}


def check_nothing_lost_or_doubled(intake: Intake) -> None:
    pages = intake.pages()
    assert [page.status for page in pages] == ["read"] * PAGES
    assert all(page.student_id for page in pages)
    with intake.database.read() as session:
        count = select(PageReadingRow.page_id, func.count()).group_by(PageReadingRow.page_id)
        assert {number for _, number in session.execute(count)} == {1}
        assert len({page.reading_id for page in pages}) == PAGES
        answers = select(AnswerReadingRow.page_id, AnswerReadingRow.question)
        found = session.execute(answers).all()
        assert len(found) == len(set(found))


def test_killed_workers_lose_and_double_nothing(intake: Intake, tmp_path: Path) -> None:
    """One before it took anything, one in the middle of pages, one at whatever the other one is at."""
    with workers(intake, tmp_path, 2):
        wait_for(lambda: bool(multiprocessing.active_children()))
        multiprocessing.active_children()[0].kill()
        intake.add(*FILES)
        for _ in range(2):
            wait_for(lambda: bool(leased(intake)) or intake.is_done())
            for child in multiprocessing.active_children()[:1]:
                child.kill()
        wait_for(intake.is_done)
    check_nothing_lost_or_doubled(intake)
    assert not list((tmp_path / "workers").iterdir())


def test_a_worker_that_hangs_is_replaced(intake: Intake, tmp_path: Path) -> None:
    with workers(intake, tmp_path, 1, seconds=8.0):
        intake.add(*FILES)
        wait_for(lambda: bool(leased(intake)))
        (child,) = multiprocessing.active_children()
        assert child.pid is not None
        os.kill(child.pid, signal.SIGSTOP)
        wait_for(intake.is_done)
    check_nothing_lost_or_doubled(intake)


def test_after_a_killed_supervisor_the_next_one_begins_at_once(intake: Intake, tmp_path: Path) -> None:
    intake.add(*FILES)
    call = [sys.executable, "-c", _CALL, "worker", "--data", str(tmp_path)]
    with subprocess.Popen(call, stderr=subprocess.DEVNULL, start_new_session=True) as killed:
        wait_for(lambda: bool(leased(intake)))
        os.killpg(killed.pid, signal.SIGKILL)  # with its worker, as when the machine is switched off
    before = leased(intake)
    with subprocess.Popen(call, stderr=subprocess.PIPE, text=True) as other:
        wait_for(intake.is_done)
        other.send_signal(signal.SIGTERM)
        _, errors = other.communicate(timeout=60)
    assert (other.returncode, "Traceback" in errors) == (0, False)
    assert not before & leased(intake)
    check_nothing_lost_or_doubled(intake)


def test_a_worker_without_an_instance_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["worker", "--data", str(tmp_path / "nothing")]) == 2
    assert capsys.readouterr().err.strip().endswith("。")
