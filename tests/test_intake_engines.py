"""Workers that are told of new work: embedded on SQLite, and under the mark `system` on PostgreSQL with Procrastinate."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from api.database_presence import DatabasePresence
from api.job_calls import JobCalls, make_job_tables
from api.worker_presence import FolderPresence
from api.worker_serving import intake_engine
from scoring.storage import exams
from scoring.storage.blobs import FolderBlobs
from scoring.storage.columns import new_id, utc_now
from scoring.storage.database import Database, open_database
from scoring.storage.schema import METADATA
from scoring.storage.table_rows import tables_of
from scoring.storage.work import claim
from tests.intakes import SAMPLE, SCANS, Intake, open_intake
from tests.postgres import new_database, running_postgres
from tests.school_server import Browser, open_school
from tests.test_intake_workers import FILES, check_nothing_lost_or_doubled, leased, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from api.instance import Instance
    from api.worker_presence import Presence

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
WORKER = "import sys; from api.command_line import run; sys.exit(run(sys.argv[1:]))"
SUPERVISOR = """
import sys
from pathlib import Path
from api.database_presence import DatabasePresence
from api.worker_presence import FolderPresence
from scoring.storage.database import open_database
kind, place = sys.argv[1:]
presence = DatabasePresence(open_database(place)) if kind == "postgresql" else FolderPresence(Path(place))
with presence as name:
    print(name, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running_postgres() as address:
        yield address


@pytest.fixture
def postgres(server: str) -> Iterator[Database]:
    """An empty database of a PostgreSQL."""
    with closing(open_database(new_database(server))) as opened:
        yield opened


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.system)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "postgresql":
        yield request.getfixturevalue("postgres")
        return
    with closing(open_database(f"sqlite:///{tmp_path / 'saiten.sqlite3'}")) as opened:
        yield opened


def address_of(database: Database) -> str:
    return database.engine.url.render_as_string(hide_password=False)


def jobs(database: Database) -> list[str]:
    """The exams of the jobs that wait."""
    found = text(
        "SELECT args->>'exam_id' FROM saiten_jobs.procrastinate_jobs WHERE status = 'todo' ORDER BY 1"
    )
    with database.read() as session:
        if not session.scalar(text("SELECT to_regclass('saiten_jobs.procrastinate_jobs')")):
            return []
        return list(session.scalars(found))


def test_what_comes_is_read_without_waiting(database: Database, tmp_path: Path) -> None:
    """By workers that look by themselves once an hour: a file, a decision and a rereading are announced."""
    school = open_school(database, tmp_path)
    with intake_engine(2, database, tmp_path, look_seconds=3600) as engine:
        school.instance = replace(school.instance, announcer=engine)
        browser = school.administrator()
        intake = make_sample_exam(database, browser, school.instance)
        exam_id = intake.exam.id
        engine.announce(new_id())  # an exam that is gone does no harm
        send = browser.send("POST", f"/api/exams/{exam_id}/files", content=FILES[1].read_bytes())
        assert send.status_code == 201, send.text
        wait_for(intake.is_done)
        page = browser.get(f"/api/exams/{exam_id}/pages").json()["pages"][0]
        decision = {"version": page["version"], "decision": {"what": "turn", "turn": 180}}
        address = f"/api/exams/{exam_id}/pages/{page['id']}/decisions"
        decided = browser.send("POST", address, json=decision)
        assert decided.status_code == 201, decided.text
        wait_for(intake.is_done)
        again = browser.send("POST", f"/api/exams/{exam_id}/rereadings", json={"pages": None})
        assert again.json() == {"waiting": 1}
        wait_for(intake.is_done)


def make_sample_exam(database: Database, browser: Browser, instance: Instance) -> Intake:
    made = browser.send("POST", "/api/exams", content=(SAMPLE / "exam.toml").read_bytes())
    assert made.status_code == 201, made.text
    with database.read() as session:
        stored = exams.find_exam(session, instance.school_id, made.json()["id"])
    assert isinstance(instance.blobs, FolderBlobs)
    return Intake(database, instance.blobs, instance.deed(), stored)


def test_who_supervises_is_seen_until_it_is_killed(database: Database, tmp_path: Path) -> None:
    intake = open_intake(database, tmp_path)
    intake.add(SCANS / "scan_0005.jpg")
    kind = database.engine.dialect.name
    place = address_of(database) if kind == "postgresql" else str(tmp_path / "workers")
    watching = DatabasePresence(database) if kind == "postgresql" else FolderPresence(tmp_path / "workers")
    call = [sys.executable, "-c", SUPERVISOR, kind, place]
    with (
        watching,
        subprocess.Popen(call, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as ended,
        subprocess.Popen(call, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as killed,
    ):
        assert ended.stdout is not None
        assert killed.stdout is not None
        ended.stdout.readline()
        name = killed.stdout.readline().strip()
        assert claim(database, f"{name}.1", utc_now()) is not None
        assert found_gone(watching) == []
        ended.communicate(timeout=60)
        assert found_gone(watching) == []
        killed.kill()
        killed.wait()
        wait_for(lambda: found_gone(watching) == [name])
        killed.communicate()


def found_gone(presence: Presence) -> list[str]:
    with presence.find_gone() as gone:
        return gone


@pytest.mark.system
def test_a_machine_that_is_gone_loses_and_doubles_nothing(postgres: Database, tmp_path: Path) -> None:
    """Two machines, each with a data folder of its own, share an exam; one of them is switched off."""
    intake = open_intake(postgres, tmp_path / "first")
    (tmp_path / "second").mkdir()
    (tmp_path / "second" / "blobs").symlink_to(tmp_path / "first" / "blobs")
    call = [sys.executable, "-c", WORKER, "worker", "--database", address_of(postgres), "--data"]
    with (
        subprocess.Popen([*call, tmp_path / "first"], stderr=subprocess.PIPE, start_new_session=True) as one,
        subprocess.Popen([*call, tmp_path / "second"], stderr=subprocess.PIPE, start_new_session=True) as two,
    ):
        intake.add(*FILES)
        wait_for(lambda: len({owner.partition(".")[0] for owner in leased(intake)}) == 2 or intake.is_done())
        assert not intake.is_done()
        os.killpg(one.pid, signal.SIGKILL)
        wait_for(intake.is_done)
        one.communicate()
        two.send_signal(signal.SIGTERM)
        _, errors = two.communicate(timeout=60)
    assert (two.returncode, b"Traceback" in errors) == (0, False)
    check_nothing_lost_or_doubled(intake)


@pytest.mark.system
def test_a_job_waits_for_a_worker_and_there_is_one_of_an_exam(postgres: Database) -> None:
    exam, other = sorted([new_id(), new_id()])
    with JobCalls(postgres, None) as server:
        server.announce(exam)
        server.announce(other)
        wait_for(lambda: jobs(postgres) == [exam, other])
        server.announce(exam)
    heard = threading.Event()
    with JobCalls(postgres, heard.set):
        assert heard.wait(60)
        wait_for(lambda: jobs(postgres) == [])


@pytest.mark.system
def test_all_machines_hear_a_call_also_after_they_were_cut_off(postgres: Database) -> None:
    first, second = threading.Event(), threading.Event()
    with JobCalls(postgres, first.set) as one, JobCalls(postgres, second.set):
        call_until_heard(one, first, second)
        with postgres.write() as session:
            cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            session.execute(text(f"{cut} AND datname = current_database()"))
        call_until_heard(one, first, second)


def call_until_heard(calls: JobCalls, *heard: threading.Event) -> None:
    """Call until all hear it: who is connecting at the moment hears the next one."""
    for event in heard:
        event.clear()

    def call() -> bool:
        calls.announce(new_id())
        return all(event.wait(0.1) for event in heard)

    wait_for(call)


@pytest.mark.system
def test_tables_of_jobs_are_none_of_ours(postgres: Database) -> None:
    with postgres.engine.connect() as connection:
        before = [table.name for table in tables_of(connection)]
    make_job_tables(postgres.engine)
    with postgres.engine.begin() as connection:
        connection.execute(text("COMMENT ON SCHEMA saiten_jobs IS 'procrastinate 1.0'"))
        connection.execute(text("DROP TABLE saiten_jobs.procrastinate_periodic_defers"))
    make_job_tables(postgres.engine)  # anew: another version made them
    make_job_tables(postgres.engine)
    with postgres.engine.connect() as connection:
        assert connection.scalar(text("SELECT to_regclass('saiten_jobs.procrastinate_periodic_defers')"))
        assert [table.name for table in tables_of(connection)] == before  # what a backup holds
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
