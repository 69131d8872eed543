"""How soon a judgement is kept while 50 teachers judge, one key a second each.

    uv run python -m benchmarks.judging [--seconds 60] [--teachers 50] [--sharing 10] [--while-reading] [--stacks DIR]

A real `saiten serve` with the embedded database holds an exam of 400 answers to 50 questions. Every teacher judges a question of
their own, but the last `--sharing` ones, who judge the first question together, each in another order, and so meet. With
`--while-reading` the scans of `benchmarks.school_scans` are read at the same time. A time is that of one request, seen by the browser.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx2
import numpy as np

from api.browser_sessions import CSRF_HEADER, csrf_token_of
from api.passwords import digest, new_token
from benchmarks.school_scans import exam_document, make_stacks
from benchmarks.served_school import ServedSchool, cores, serve_school
from scoring.storage.columns import utc_now
from scoring.storage.database import Database, database_in, open_database
from scoring.storage.events import Deed
from scoring.storage.sessions import start_session
from tests.graded_exams import GradedExam, add_graded_exam, add_teacher

_STUDENTS, _QUESTIONS = 400, 50
_TARGET = 100
"""Milliseconds in which 99 of 100 judgements are to be kept."""


@dataclass(frozen=True, slots=True)
class Teacher:
    """A teacher at work: the session's cookie, and the answers to judge in their order, as page, question, picture."""

    token: str
    answers: list[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class Load:
    """What all teachers do together: where, for how long, and who they are."""

    address: str
    exam: str
    seconds: float
    teachers: list[Teacher]


@dataclass
class Told:
    """What the browsers were told: keys of judgements that were kept, milliseconds of every answer, its status."""

    kept: list[str]
    milliseconds: list[float]
    statuses: list[int]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.judging", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--teachers", type=int, default=50)
    parser.add_argument("--sharing", type=int, default=10)
    parser.add_argument("--while-reading", action="store_true")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--stacks", type=Path, help="folder of the scans, kept")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        with serve_school(data, "--workers", str(arguments.workers)) as school:
            with closing(open_database(database_in(data))) as database:
                graded = _add_exam(database)
                teachers = _add_teachers(database, graded, arguments.teachers, arguments.sharing)
            if arguments.while_reading:
                _begin_reading(school, arguments.stacks or Path(folder) / "stacks")
            load = Load(str(school.client.base_url), graded.exam.id, arguments.seconds, teachers)
            before = _cpu_seconds(school.process.pid)
            told = _run_apart(load, Path(folder) / "load.json")
            used = _cpu_seconds(school.process.pid) - before
            _report(told, data / "saiten.sqlite3", arguments)
            print(f"computing, a request    {used * 1000 / len(told.statuses):>8.1f} ms")


def _add_exam(database: Database) -> GradedExam:
    """The exam, in the school that was just set up."""
    with database.write() as session:
        connection = session.connection()
        school, account = connection.exec_driver_sql("SELECT school_id, id FROM accounts").one()
    deed = Deed(school, account, utc_now())
    return add_graded_exam(database, deed, students=_STUDENTS, questions=_QUESTIONS)


def _add_teachers(database: Database, graded: GradedExam, count: int, sharing: int) -> list[Teacher]:
    """Teachers who are signed in."""
    with database.read() as session:
        rows = session.connection().exec_driver_sql(
            "SELECT page_id, question, picture FROM answer_readings ORDER BY page_id"
        )
        answers = [(str(page), str(question), str(picture)) for page, question, picture in rows]
    teachers = []
    for at in range(count):
        is_alone = at < count - sharing
        question = graded.questions[(at + 1) % _QUESTIONS if is_alone else 0]
        mine = [one for one in answers if one[1] == question]
        if not is_alone:
            random.Random(at).shuffle(mine)
        token = new_token()
        deed = add_teacher(database, graded.deed, f"teacher{at}")
        with database.write() as session:
            start_session(session, deed, digest(token))
        teachers.append(Teacher(token, mine))
    return teachers


def _begin_reading(school: ServedSchool, folder: Path) -> None:
    """Send the scans of two subjects; reading them takes longer than a minute."""
    exams = {f"BENCH-{at + 1}": school.add_exam(exam_document(at)) for at in range(2)}
    for stack in make_stacks(folder, _STUDENTS, 2, cores()):
        school.drop(exams[stack.exam], stack.path)


def _run_apart(load: Load, path: Path) -> Told:
    """Let the teachers work in a process of their own, so that they do not wait for this one."""
    path.write_text(json.dumps(asdict(load)))
    command = [sys.executable, "-c", "from benchmarks.judging import work; work()", str(path)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603  (our own command)
    return Told(**json.loads(done.stdout))


def work() -> None:
    """The process of the teachers: a load as JSON in a file, what they were told as JSON on stdout."""
    load = json.loads(Path(sys.argv[1]).read_text())
    teachers = [Teacher(**one) for one in load.pop("teachers")]
    told = asyncio.run(_work(Load(**load, teachers=teachers)))
    print(json.dumps(asdict(told)))


async def _work(load: Load) -> Told:
    told = Told([], [], [])
    start = time.perf_counter() + 3.0
    await asyncio.gather(
        *(
            _judge(load, teacher, told, start + at / len(load.teachers))
            for at, teacher in enumerate(load.teachers)
        )
    )
    return told


async def _judge(load: Load, teacher: Teacher, told: Told, start: float) -> None:
    """Judge one answer a second."""
    headers = {CSRF_HEADER: csrf_token_of(teacher.token)}
    async with httpx2.AsyncClient(
        base_url=load.address, cookies={"saiten": teacher.token}, headers=headers, timeout=60
    ) as client:
        opened = await client.get(  # as the page does that shows a question
            f"/api/exams/{load.exam}/judgements", params={"question": teacher.answers[0][1]}
        )
        assert opened.status_code == 200, opened.text
        for at, (page, question, picture) in enumerate(teacher.answers[: round(load.seconds)]):
            await asyncio.sleep(max(0.0, start + at - time.perf_counter()))
            key = f"{teacher.token[:8]} {at}"
            item = {
                "page": page, "question": question, "picture": picture,
                "mark": "right", "version": 0, "key": key,
            }  # fmt: skip
            sent = time.perf_counter()
            answer = await client.post(f"/api/exams/{load.exam}/judgements", json={"items": [item]})
            told.milliseconds.append((time.perf_counter() - sent) * 1000)
            told.statuses.append(answer.status_code)
            if answer.status_code == 201:
                told.kept.append(key)


def _cpu_seconds(pid: int) -> float:
    """How long the server has computed so far (Linux only); tells more than the clock where others compute too."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _report(told: Told, database: Path, arguments: argparse.Namespace) -> None:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        keys = Counter(key for (key,) in connection.execute("SELECT key FROM judgements"))
        standing = connection.execute("SELECT count(*) FROM standing_judgements").fetchone()[0]
        waiting, read = connection.execute(
            "SELECT count(*) FILTER (WHERE state = 'waiting'), count(*) FILTER (WHERE state = 'read') FROM scan_pages"
        ).fetchone()
    statuses = Counter(told.statuses)
    late = statuses.pop(412, 0) + statuses.pop(409, 0)
    print(f"{arguments.teachers} teachers, {arguments.sharing} of them on one question; {cores()} cores")
    if arguments.while_reading:
        print(f"pages read meanwhile    {read - _STUDENTS:>8}  ({waiting} more waited)")
    print(f"acknowledged            {len(told.kept):>8}")
    print(f"others were there first {late:>8}")
    print(f"other answers           {sum(statuses.values()) - len(told.kept):>8}")
    print(f"lost                    {sum(keys[key] != 1 for key in told.kept):>8}")
    print(f"kept unasked            {keys.total() - len(told.kept):>8}")
    print(f"not standing            {keys.total() - standing:>8}")
    for name, value in zip(
        ("p50", "p95", "p99", "max"), np.percentile(told.milliseconds, (50, 95, 99, 100)), strict=True
    ):
        print(f"{name:<24}{value:>8.1f} ms")
    print(f"target: p99 at most {_TARGET} ms")


if __name__ == "__main__":
    main()
