"""Faults around the database: another process that holds it, clocks that are set back."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

from scoring.storage import exams
from scoring.storage.columns import new_id
from scoring.storage.database import database_in, open_database
from scoring.storage.tables import ExamRow, ExamStateRow, ExamVersionRow
from tests.school_server import assert_problem, open_school
from tests.stored_things import add_school, exam_toml, make_exam

if TYPE_CHECKING:
    from pathlib import Path

HOLDER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


def test_a_database_that_another_process_holds(tmp_path: Path) -> None:
    with closing(open_database(database_in(tmp_path), busy_seconds=0.2)) as database:
        administrator = open_school(database, tmp_path).administrator()
        address, toml = "/api/exams", exam_toml()
        key = {"Idempotency-Key": "one wish"}
        command = [sys.executable, "-c", HOLDER, str(tmp_path / "saiten.sqlite3")]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"held\n"
            answer = administrator.send("POST", address, content=toml, headers=key)
            assert_problem(answer, 503, "busy")
            assert answer.headers["Retry-After"]
            assert administrator.get(address).json()["exams"] == []  # who reads waits for nobody
            holder.communicate(b"")
        again = administrator.send("POST", address, content=toml, headers=key)
        assert again.status_code == 201
        assert [one["id"] for one in administrator.get(address).json()["exams"]] == [again.json()["id"]]


def test_a_clock_that_is_set_back(tmp_path: Path) -> None:
    with closing(open_database(database_in(tmp_path))) as database:
        school = open_school(database, tmp_path)
        administrator = school.administrator()
        first = administrator.send("POST", "/api/exams", content=exam_toml("2026-A")).json()
        school.clock.pass_by(days=-400)
        assert administrator.get("/api/session").status_code == 200  # nobody is thrown out
        headers = {"If-Match": f'"{first["tag"]}"'}
        for state in ("grading", "confirmed"):
            answer = administrator.send(
                "POST", f"/api/exams/{first['id']}/states", json={"state": state}, headers=headers
            )
            assert answer.status_code == 201, answer.text
            headers = {"If-Match": answer.headers["ETag"]}
        states = administrator.get(f"/api/exams/{first['id']}/states").json()
        assert [one["state"] for one in states] == [
            "preparing",
            "grading",
            "confirmed",
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
