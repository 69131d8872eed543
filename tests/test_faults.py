"""Faults around the database and the disk: held by another process, full; clocks that are set back."""

from __future__ import annotations

import datetime
import subprocess
import sys
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from api.intake_worker import Step
from scoring.storage import exams
from scoring.storage.columns import new_id
from scoring.storage.database import database_in, open_database
from scoring.storage.leases import LEASE
from scoring.storage.scan_tables import AnswerReadingRow, PageReadingRow
from scoring.storage.tables import ExamRow, ExamStateRow, ExamVersionRow
from tests.intakes import SCANS, open_intake
from tests.school_server import assert_problem, open_school
from tests.stored_things import add_school, exam_toml, make_exam

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

if sys.platform != "win32":
    import resource

HOLDER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Another process holds the database's write lock."""
    command = [sys.executable, "-c", HOLDER, str(folder / "saiten.sqlite3")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        try:
            yield
        finally:
            holder.communicate(b"")


@contextmanager
def full_disk(folder: Path) -> Iterator[None]:  # noqa: ARG001  (all of this process is held to it)
    """No file can become longer than 512 bytes: neither pictures nor the database's log."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (512, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_database_that_another_process_holds(tmp_path: Path) -> None:
    with closing(open_database(database_in(tmp_path), busy_seconds=0.2)) as database:
        administrator = open_school(database, tmp_path).administrator()
        address, toml = "/api/exams", exam_toml()
        key = {"Idempotency-Key": "one wish"}
        with held(tmp_path):
            answer = administrator.send("POST", address, content=toml, headers=key)
            assert_problem(answer, 503, "busy")
            assert answer.headers["Retry-After"]
            assert administrator.get(address).json()["exams"] == []  # who reads waits for nobody
        again = administrator.send("POST", address, content=toml, headers=key)
        assert again.status_code == 201
        assert [one["id"] for one in administrator.get(address).json()["exams"]] == [again.json()["id"]]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no such limit")
@pytest.mark.parametrize("fault", [held, full_disk])
@pytest.mark.parametrize("done", range(3), ids=["counting", "reading", "sorting"])
def test_what_stands_in_a_workers_way_loses_nothing(
    tmp_path: Path, fault: Callable[[Path], AbstractContextManager[None]], done: int
) -> None:
    """It comes before a worker takes something, or while it is at it; and goes."""
    with closing(open_database(database_in(tmp_path), busy_seconds=0.2)) as database, ExitStack() as faults:
        intake = open_intake(database, tmp_path)
        intake.add(SCANS / "scan_0005.jpg")
        now = intake.deed.at
        with intake.worker("a.1", clock=lambda: now) as worker:
            assert [worker.step() for _ in range(done)] == [Step.DONE] * done
            with fault(tmp_path):
                assert worker.step() is Step.PUT_OFF
        with intake.worker(
            "b.1", clock=lambda: now, begun=lambda _: faults.enter_context(fault(tmp_path))
        ) as worker:
            assert worker.step() is Step.PUT_OFF
        assert not intake.is_done()
        faults.close()
        now += LEASE + datetime.timedelta(seconds=1)
        with intake.worker("c.1", clock=lambda: now) as worker:
            assert [worker.step() for _ in range(4 - done)] == [Step.DONE] * (3 - done) + [Step.NOTHING]
        assert intake.is_done()
        (page,) = intake.pages()
        assert (page.status, page.trouble) == ("read", "")
        with database.read() as session:
            atlases = {one for one in session.scalars(select(AnswerReadingRow.atlas)) if one}
            assert session.scalars(select(PageReadingRow.page_id)).all() == [page.id]
        assert atlases <= set(intake.blobs.digests())
        assert atlases


def test_a_clock_that_is_set_back(tmp_path: Path) -> None:
    with closing(open_database(database_in(tmp_path))) as database:
        school = open_school(database, tmp_path)
        administrator = school.administrator()
        first = administrator.send("POST", "/api/exams", content=exam_toml("2026-A")).json()
        school.clock.pass_by(days=-400)
        assert administrator.get("/api/session").status_code == 200  # nobody is thrown out
        headers = {"If-Match": f'"{first["tag"]}"'}
        for state in ("grading", "preparing"):
            wanted = {"state": state, "reason": "問3を直すため"}
            answer = administrator.send(
                "POST", f"/api/exams/{first['id']}/states", json=wanted, headers=headers
            )
            assert answer.status_code == 201, answer.text
            headers = {"If-Match": answer.headers["ETag"]}
        states = administrator.get(f"/api/exams/{first['id']}/states").json()
        assert [one["state"] for one in states] == [
            "preparing",
            "grading",
            "preparing",
        ]  # by number, not by time
        assert states[0]["made_at"] > states[-1]["made_at"]
        school.clock.pass_by(days=400, hours=13)
        assert_problem(administrator.get("/api/session"), 401)  # and no session lasts longer for it


def test_what_is_made_after_a_clock_was_set_back_is_still_found(tmp_path: Path) -> None:
    """An id holds the time: exams that were made before have later ones."""
    with closing(open_database(database_in(tmp_path))) as database:
        deed = add_school(database)
        shared = {"school_id": deed.school_id, "school_year": 2026}
        with database.write() as session:
            exam = ExamRow(**shared, id=f"v{'0' * 25}", code="LATER", created_at=deed.at, created_by=deed.by)
            said = {"exam_id": exam.id, "number": 1, "made_at": deed.at, "made_by": deed.by}
            what = {"title": "理科", "max_points": "2", "document": exam_toml("LATER"), "subject": None}
            session.add(exam)
            session.flush()
            session.add(ExamVersionRow(**shared, **said, **what, date=None))
            session.add(ExamStateRow(**shared, **said, state="preparing", reason=None))
            for number in range(5):
                exams.add_exam(session, deed, make_exam(f"2026-{number}"))
        found: list[str] = []
        with database.read() as session:
            while part := exams.list_exams(session, deed.school_id, None, found[-1] if found else None, 2):
                found += [one.id for one in part]
        assert (found[0], len(found), len(set(found))) == (exam.id, 6, 6)
        assert len({new_id() for _ in range(2000)}) == 2000
