"""Two people at the same thing in the same second, over HTTP: one of them is first, and both are told the truth."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from sqlalchemy import select

from scoring.storage.columns import new_id
from scoring.storage.database import open_database
from scoring.storage.grading_tables import JudgementRow
from scoring.storage.scan_tables import AnswerReadingRow
from scoring.storage.tables import AccountRow
from tests.graded_exams import GradedExam, add_graded_exam
from tests.intakes import SCANS
from tests.school_server import Browser, School, assert_problem, open_school
from tests.test_uploads import served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from httpx2 import Response

ROUNDS = 3


@pytest.fixture
def school(tmp_path: Path) -> Iterator[School]:
    with closing(open_database(f"sqlite:///{tmp_path / 'saiten.sqlite3'}")) as database:
        yield open_school(database, tmp_path)


@pytest.fixture
def people(school: School) -> Iterator[list[Browser]]:
    """Two people who are signed in at one running server."""
    administrator = school.administrator()
    with served(school) as address, ExitStack() as clients:
        people = []
        for one in (administrator, school.teacher(administrator, "suzuki")):
            client = clients.enter_context(httpx2.Client(base_url=address, timeout=60))
            client.cookies.set("saiten", one.client.cookies["saiten"])
            people.append(Browser(client, one.csrf_token))  # type: ignore[arg-type]
        yield people


@pytest.fixture
def graded(school: School, people: list[Browser]) -> GradedExam:
    assert people
    with school.instance.database.read() as session:
        account = session.scalars(select(AccountRow.id).where(AccountRow.role == "administrator")).one()
    return add_graded_exam(school.instance.database, school.instance.deed(account))


def at_once(people: list[Browser], do: Callable[[Browser], Response]) -> list[Response]:
    """What each of them is answered, who all do it at the same moment."""
    start = threading.Barrier(len(people))

    def begin(one: Browser) -> Response:
        start.wait()
        return do(one)

    with ThreadPoolExecutor(len(people)) as threads:
        return list(threads.map(begin, people))


def test_the_same_file_is_one_file_and_both_get_it(people: list[Browser], graded: GradedExam) -> None:
    address = f"/api/exams/{graded.exam.id}/files"
    for name in ("scan_0005.jpg", "scan_0006.jpg", "scan_0009.jpg"):
        content = (SCANS / name).read_bytes()

        def drop(one: Browser, content: bytes = content) -> Response:
            return one.send("POST", address, content=content)

        answers = at_once(people, drop)
        assert [one.status_code for one in answers] == [201, 201]
        assert answers[0].json() == answers[1].json()
    files = people[0].get(address).json()["files"]
    assert len(files) == 1 + ROUNDS  # and the one of the exam's pages


def test_of_two_judgements_one_is_kept_and_the_other_is_told_both_sides(
    school: School, people: list[Browser], graded: GradedExam
) -> None:
    address = f"/api/exams/{graded.exam.id}/judgements"
    for page in graded.page_ids[:ROUNDS]:
        with school.instance.database.read() as session:
            chosen = (AnswerReadingRow.page_id == page, AnswerReadingRow.question == "q5")
            picture = session.scalars(select(AnswerReadingRow.picture).where(*chosen)).one()
        base = {"page": page, "question": "q5", "picture": picture, "version": 0}
        said: dict[int, dict[str, Any]] = {
            id(one): {**base, "mark": mark, "key": new_id()}
            for one, mark in zip(people, ("right", "wrong"), strict=True)
        }

        def judge(one: Browser, said: dict[int, dict[str, Any]] = said) -> Response:
            return one.send("POST", address, json={"items": [said[id(one)]]})

        won, lost = sorted(at_once(people, judge), key=lambda answer: answer.status_code)
        assert won.status_code == 201, won.text
        (kept,) = won.json()["judgements"]
        problem = assert_problem(lost, 412, "stale")
        assert problem["current"] == [{**kept, "picture": picture}]
        assert {kept["judgement"]["mark"], problem["sent"][0]["mark"]} == {"right", "wrong"}
    with school.instance.database.read() as session:
        assert len(session.scalars(select(JudgementRow.id)).all()) == ROUNDS
