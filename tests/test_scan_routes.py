"""Scans over HTTP, read by a real worker: lists, tasks, decisions, pictures."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from omr.scan_file import decode_image
from scoring.storage.database import open_database
from scoring.storage.scans import PageFilter, list_pages
from tests.intakes import SCANS, Intake, open_intake
from tests.school_server import School, assert_problem, open_school

if TYPE_CHECKING:
    from collections.abc import Iterator


class ReadExam:
    """A school's server with the sample exam, of which two sheets were scanned."""

    def __init__(self, school: School, intake: Intake) -> None:
        self.school, self.intake = school, intake
        self.browser = school.browser()
        assert self.browser.set_up(school.first_link(), login="kato", school="見本中学校").status_code == 201
        self.address = f"/api/exams/{intake.exam.id}"

    def pages(self, **query: str) -> list[dict[str, Any]]:
        """Its pages as lists show them."""
        found: list[dict[str, Any]] = self.browser.get(f"{self.address}/pages", params=query).json()["pages"]
        return found


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReadExam]:
    folder = tmp_path_factory.mktemp("school")
    with closing(open_database(f"sqlite:///{folder / 'saiten.sqlite3'}")) as database:
        intake = open_intake(database, folder)
        school = open_school(database, folder)
        assert school.instance.school_id == intake.deed.school_id
        read = ReadExam(school, intake)
        for name in ("scan_0005.jpg", "scan_0006.jpg"):
            content = (SCANS / name).read_bytes()
            sent = read.browser.send("POST", f"{read.address}/files?name={name}", content=content)
            assert sent.status_code == 201, sent.text
        intake.work_off()
        yield read


def test_from_upload_to_pages(read: ReadExam) -> None:
    files = read.browser.get(f"{read.address}/files").json()["files"]
    assert [(one["name"], one["state"], one["page_count"], one["waiting"]) for one in files] == [
        ("scan_0005.jpg", "counted", 1, 0),
        ("scan_0006.jpg", "counted", 1, 0),
    ]
    pages = read.pages()
    assert [(one["file_name"], one["number"], one["state"]) for one in pages] == [
        ("scan_0005.jpg", 1, "read"),
        ("scan_0006.jpg", 1, "read"),
    ]
    answer = read.browser.get(f"{read.address}/pages/{pages[0]['id']}")
    assert answer.headers["etag"] == f'"{pages[0]["version"]}"'
    assert answer.json()["decisions"][-1]["made_by"] is None
    assert read.pages(file=files[1]["id"]) == [pages[1]]
    assert_problem(read.browser.get(f"{read.address}/pages/nowhere"), 404)


def test_what_is_missing(read: ReadExam) -> None:
    answer = read.browser.get(f"{read.address}/missing", params={"limit": "3"}).json()
    assert len(answer["missing"]) == 3
    owned = len(read.pages(owned="true"))
    roster = read.browser.get("/api/rosters/2026").json()
    sheet_pages = (answer["total"] + owned) // roster["total"]
    assert answer["total"] == roster["total"] * sheet_pages - owned


def test_pictures(read: ReadExam) -> None:
    page = read.pages()[0]
    address = f"{read.address}/pages/{page['id']}"
    whole, small = (
        read.browser.get(f"{address}/image", params={"size": one}) for one in ("full", "thumbnail")
    )
    width, height = map(int, whole.headers["saiten-page-size"].split("x"))
    big = decode_image(whole.content).gray
    assert big.shape[0] / big.shape[1] == pytest.approx(height / width, abs=0.01)
    assert max(decode_image(small.content).gray.shape) == 480
    question = read.intake.exam.exam.questions[0].id
    crop = read.browser.get(f"{address}/answers/{question}")
    if page["sheet_page"] == 1:
        assert crop.status_code == 200
        pixels = decode_image(crop.content).gray
        assert pixels.shape[1] < width / 2
        assert np.ptp(pixels) > 50  # bubbles on paper
    name = decode_image(read.browser.get(f"{address}/name").content).gray
    assert name.shape[1] > name.shape[0]
    assert_problem(read.browser.get(f"{address}/answers/nothing"), 404)


def test_pictures_are_kept_by_the_browser(read: ReadExam) -> None:
    page = read.pages()[0]
    address = f"{read.address}/pages/{page['id']}/name"
    lasting = read.browser.get(address, params={"reading": page["reading"]})
    assert "immutable" in lasting.headers["cache-control"]
    asked = read.browser.get(address)
    assert asked.headers["cache-control"] == "private, no-cache"
    again = read.browser.get(address, headers={"If-None-Match": asked.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_decisions_and_who_comes_late(read: ReadExam) -> None:
    page = read.pages()[1]
    address = f"{read.address}/pages/{page['id']}/decisions"
    wanted = {"version": page["version"], "decision": {"what": "turn", "turn": 180}}
    key = {"Idempotency-Key": "turn it"}
    first, again = (read.browser.send("POST", address, json=wanted, headers=key) for _ in range(2))
    assert (first.status_code, first.json()["state"]) == (201, "waiting")
    assert first.json() == again.json()
    late = read.browser.send("POST", address, json=wanted | {"decision": {"what": "drop"}})
    problem = assert_problem(late, 412, "stale")
    assert problem["current"]["pages"][0]["version"] == page["version"] + 1
    assert problem["sent"]["decision"]["what"] == "drop"
    assert_problem(read.browser.send("POST", address, json={"version": 1, "decision": {"what": "burn"}}), 422)
    before = page["reading"]
    read.intake.work_off("b.1")
    now = read.browser.get(f"{read.address}/pages/{page['id']}").json()
    assert (now["state"], now["reading"] != before) == ("read", True)
    assert now["decisions"][-1]["what"] in {"turn", "sorted"}


def test_a_class_is_confirmed_at_once(read: ReadExam) -> None:
    with read.school.instance.database.read() as session:
        pages = list_pages(session, read.intake.exam, PageFilter(), None, 10)
    owners = [
        {"page": one.id, "version": one.version, "student": (one.owner or {}).get("student")} for one in pages
    ]
    answer = read.browser.send("POST", f"{read.address}/owners", json={"owners": owners})
    assert answer.status_code == 201, answer.text
    assert {tuple(one["owner"]["grounds"]) for one in answer.json()["pages"]} == {("person",)}
    assert_problem(read.browser.send("POST", f"{read.address}/owners", json={"owners": owners}), 412)
    read.intake.work_off("c.1")
    kept = {one["id"]: one["student"] for one in read.pages()}
    assert kept == {one["page"]: one["student"] for one in owners}


def test_teachers_may_and_nobody_else(read: ReadExam) -> None:
    teacher = read.school.teacher(read.browser)
    assert teacher.get(f"{read.address}/tasks").status_code == 200
    assert_problem(read.school.browser().get(f"{read.address}/tasks"), 401)
