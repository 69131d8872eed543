"""Exams and rosters over HTTP and a real database: versions, repeated requests, problems, the schema."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import APIRouter
from fastapi.testclient import TestClient

from api.request_log import log_as_json
from api.school_app import create_school_app
from scoring.storage.columns import new_id
from scoring.storage.database import open_database
from tests.school_server import LOCAL, Browser, School, assert_problem, open_school
from tests.stored_things import ROSTER, exam_toml

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    folder = tmp_path_factory.mktemp("school")
    with closing(open_database(f"sqlite:///{folder / 'saiten.sqlite3'}")) as database:
        yield open_school(database, folder)


@pytest.fixture(scope="module")
def administrator(school: School) -> Browser:
    return school.administrator()


def _create(browser: Browser, code: str, **more: Any) -> dict[str, Any]:
    answer = browser.send("POST", "/api/exams", content=exam_toml(code), **more)
    assert answer.status_code == 201, answer.text
    exam: dict[str, Any] = answer.json()
    return exam


def test_an_exam_comes_back_as_it_was_sent(administrator: Browser) -> None:
    made = _create(administrator, "2026-BACK")
    assert (made["max_points"], made["state"], made["school_year"]) == ("2.25", "preparing", 2026)
    assert made["exam"]["questions"][0]["points"] == "2.25"
    read = administrator.get(f"/api/exams/{made['id']}")
    assert read.json() == made
    assert read.headers["etag"] == '"1.1"'
    assert read.headers["cache-control"] == "no-store"


def test_an_exam_with_a_mistake_names_its_line(administrator: Browser) -> None:
    answer = administrator.send("POST", "/api/exams", content=exam_toml("2026-BAD", points='"many"'))
    assert "12行目" in assert_problem(answer, 422)["detail"]
    english = administrator.send(
        "POST", "/api/exams", content="[exam", headers={"Accept-Language": "en-US,en;q=0.9,ja;q=0.5"}
    ).json()
    assert english["detail"].isascii()
    assert english["japanese"].endswith("。")


def test_two_people_change_an_exam(administrator: Browser, school: School) -> None:
    teacher = school.teacher(administrator, "two-people")
    made = _create(administrator, "2026-TWO")
    address, seen = f"/api/exams/{made['id']}", {"If-Match": '"1.1"'}
    mine = teacher.send("PUT", address, content=exam_toml("2026-TWO", points="3"), headers=seen)
    assert (mine.status_code, mine.headers["etag"]) == (200, '"2.1"')
    late = administrator.send("PUT", address, content=exam_toml("2026-TWO", points="4"), headers=seen)
    problem = assert_problem(late, 412, "stale")
    assert problem["current"]["max_points"] == "3"
    assert problem["sent"]["exam"]["questions"][0]["points"] == "4"
    assert administrator.get(address).json()["max_points"] == "3"
    assert_problem(administrator.send("PUT", address, content=exam_toml("2026-TWO")), 428, "version_missing")


def test_the_id_on_the_sheets_stays(administrator: Browser) -> None:
    made = _create(administrator, "2026-STAYS")
    answer = administrator.send(
        "PUT", f"/api/exams/{made['id']}", content=exam_toml("2026-OTHER"), headers={"If-Match": '"1.1"'}
    )
    assert_problem(answer, 409, "wrong_state")


def test_a_repeated_request_makes_one_exam(administrator: Browser) -> None:
    key = {"Idempotency-Key": "a wish"}
    first, again = (_create(administrator, "2026-ONCE", headers=key) for _ in range(2))
    assert first == again
    other = administrator.send("POST", "/api/exams", content=exam_toml("2026-TWICE"), headers=key)
    assert_problem(other, 422, "other_request")
    unnamed = administrator.send("POST", "/api/exams", content=exam_toml("2026-ONCE"))
    assert_problem(unnamed, 409, "already_there")


def test_a_copy_is_an_exam_of_its_own(administrator: Browser) -> None:
    made = _create(administrator, "2026-FIRST")
    answer = administrator.send(
        "POST", f"/api/exams/{made['id']}/copies", json={"code": "2027-FIRST", "date": "2027-11-26"}
    )
    copy = answer.json()
    assert (copy["code"], copy["school_year"], copy["copied_from"]) == ("2027-FIRST", 2027, made["id"])
    assert copy["exam"]["questions"] == made["exam"]["questions"]
    bad = administrator.send("POST", f"/api/exams/{made['id']}/copies", json={"code": "small letters"})
    assert_problem(bad, 422)


def test_states(administrator: Browser) -> None:
    made = _create(administrator, "2026-STATES")
    address, tag = f"/api/exams/{made['id']}", made["tag"]
    wanted = {"state": "grading"}
    answer = administrator.send("POST", f"{address}/states", json=wanted, headers={"If-Match": f'"{tag}"'})
    assert answer.status_code == 201, answer.text
    now = {"If-Match": f'"{answer.json()["tag"]}"'}
    wanted = {"state": "confirmed"}
    problem = assert_problem(
        administrator.send("POST", f"{address}/states", json=wanted, headers=now), 409, "wrong_state"
    )
    assert "解答用紙" in problem["detail"]
    back = {"state": "preparing"}
    assert_problem(administrator.send("POST", f"{address}/states", json=back, headers=now), 409)
    late = {"If-Match": '"1.1"'}
    assert_problem(administrator.send("POST", f"{address}/states", json=back, headers=late), 412, "stale")
    back["reason"] = "問3に別解"
    assert administrator.send("POST", f"{address}/states", json=back, headers=now).status_code == 201
    states = administrator.get(f"{address}/states").json()
    assert [one["state"] for one in states] == ["preparing", "grading", "preparing"]
    assert states[-1]["reason"] == "問3に別解"


def test_exams_are_listed_page_by_page(administrator: Browser) -> None:
    made = {_create(administrator, f"2026-PAGE-{number}")["id"] for number in range(3)}
    seen: list[str] = []
    before: str | None = "z"
    while before is not None:
        page = administrator.get(f"/api/exams?school_year=2026&limit=2&before={before}").json()
        seen += [one["id"] for one in page["exams"]]
        before = page["next"]
    assert made <= set(seen)
    assert len(seen) == len(set(seen))
    assert administrator.get("/api/exams?school_year=1999").json() == {"exams": [], "next": None}


def test_a_roster_is_compared_then_applied(administrator: Browser) -> None:
    address = "/api/rosters/2026"
    seen = administrator.send("POST", f"{address}/differences", content=ROSTER.encode("cp932"))
    difference = seen.json()
    assert [one["name"] for one in difference["joined"]] == ["見本 一郎", "例題 花子", "試験 三郎"]
    assert administrator.get(address).json()["total"] == 0
    put, tag = f"{address}?confirmed={difference['digest']}", {"If-Match": seen.headers["etag"]}
    another = ROSTER.replace("花子", "華子")
    assert_problem(administrator.send("PUT", put, content=another, headers=tag), 412, "stale")
    assert administrator.send("PUT", put, content=ROSTER, headers=tag).headers["etag"] == '"1"'
    assert_problem(administrator.send("PUT", put, content=ROSTER, headers=tag), 412, "stale")
    page = administrator.get(f"{address}?offset=1&limit=1").json()
    assert (page["total"], [one["name"] for one in page["students"]]) == (3, ["例題 花子"])
    changed = administrator.send("POST", f"{address}/differences", content=another).json()
    assert (len(changed["changed"]), changed["unchanged"]) == (1, 2)
    assert administrator.get("/api/rosters/2025").json()["version"] == 0


@pytest.mark.parametrize("tag", ["", "*", "9" * 5000, '"1.1', "W/1", "-1"])
def test_tags_that_make_no_sense(administrator: Browser, tag: str) -> None:
    address = f"/api/rosters/2032?confirmed={'0' * 64}"
    assert_problem(
        administrator.send("PUT", address, content=ROSTER, headers={"If-Match": tag}), 412, "stale"
    )


def test_a_roster_with_a_student_twice(administrator: Browser) -> None:
    twice = ROSTER + "s-1,2,2,9,見本 一郎,みほん いちろう\n"
    answer = administrator.send("POST", "/api/rosters/2030/differences", content=twice)
    assert "5行目" in assert_problem(answer, 422)["detail"]


def test_a_body_without_end_is_cut_off(administrator: Browser) -> None:
    assert_problem(administrator.send("POST", "/api/exams", content=b"#" * 6_000_000), 413, "too_large")


@pytest.mark.parametrize(
    "address",
    [
        "/api/exams/nothing",
        "/api/exams/nothing/states",
        "/api/nothing",
        "/nothing.js",
        "/%2e%2e/entry/entry.js",
    ],
)
def test_what_is_not_there(administrator: Browser, address: str) -> None:
    assert_problem(administrator.get(address), 404)


@pytest.mark.parametrize("body", ["", "nothing", '{"state": "burnt"}', '{"state": "grading", "x": 1}'])
def test_bodies_that_make_no_sense(administrator: Browser, body: str) -> None:
    made = _create(administrator, f"B-{new_id()[:12].upper()}")
    answer = administrator.send(
        "POST",
        f"/api/exams/{made['id']}/states",
        content=body,
        headers={"If-Match": '"1.1"', "Content-Type": "application/json"},
    )
    assert_problem(answer, 422)


@pytest.mark.parametrize(
    "address", ["/..%2fpyproject.toml", "/..%5cpackage.json", "/entry/%2e%2e%2fpackage.json"]
)
def test_nothing_outside_the_pages_is_sent(school: School, address: str) -> None:
    assert_problem(school.browser().get(address), 404)


@pytest.mark.parametrize(
    "address", ["/", "/main.js", "/entry/entry.js", "/api/exams", "/healthz", "/nothing"]
)
def test_every_answer_is_guarded(school: School, address: str) -> None:
    headers = school.browser().get(address).headers
    assert headers["content-security-policy"].startswith("default-src 'self';")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("address", ["/main.js", "/entry/entry.js"])
def test_scripts_are_scripts(school: School, address: str) -> None:
    assert school.browser().get(address).headers["content-type"].startswith("text/javascript")


def test_other_host_names_are_refused(school: School) -> None:
    """A foreign page could point a name of its own at this computer."""
    for address in ("/", "/api/exams", "/api/session"):
        assert_problem(school.browser().get(address, headers={"Host": "school.example"}), 421)


def test_a_method_that_is_not_there(administrator: Browser) -> None:
    assert_problem(administrator.send("PATCH", "/api/exams"), 405)


def test_a_fault_of_the_server_is_a_problem(school: School) -> None:
    more = APIRouter()

    @more.get("/api/fault")
    def fail() -> None:
        raise ZeroDivisionError

    app = create_school_app(school.instance, more)
    answer = TestClient(app, base_url=LOCAL, raise_server_exceptions=False).get("/api/fault")
    assert_problem(answer, 500)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "ZeroDivision" not in answer.text


def test_only_the_demo_lets_in_without_a_password(school: School) -> None:
    client = school.browser().client
    assert_problem(client.get("/demo"), 404)
    assert client.post("/api/demo-session", json={"token": "x"}).status_code == 405


def test_health(school: School) -> None:
    client = school.browser().client
    assert [client.get(one).status_code for one in ("/healthz", "/readyz")] == [200, 200]


def test_a_locked_database_says_wait(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'saiten.sqlite3'}"
    with (
        closing(open_database(address, busy_seconds=0.05)) as database,
        closing(open_database(address)) as other,
    ):
        administrator = open_school(database, tmp_path).administrator()
        with other.write():
            answer = administrator.send("POST", "/api/exams", content=exam_toml("2026-LOCKED"))
        assert_problem(answer, 503, "busy")
        assert answer.headers["retry-after"] == "5"
        assert _create(administrator, "2026-LOCKED")["code"] == "2026-LOCKED"


def test_the_log_names_routes_and_ids_but_nobody(
    administrator: Browser, capsys: pytest.CaptureFixture[str]
) -> None:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        log_as_json()
        administrator.send("POST", "/api/rosters/2031/differences?x=見本", content=ROSTER)
        administrator.send("POST", "/api/session", json={"login": "tanaka-hanako", "password": "見本 花子"})
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
    written = capsys.readouterr().err
    lines = [json.loads(line) for line in written.splitlines()]
    requests = [line for line in lines if line["event"] == "request"]
    assert [(one["route"], one["status"]) for one in requests] == [
        ("/rosters/{school_year}/differences", 200),
        ("/session", 401),
    ]
    assert requests[0]["account"]
    for name in ("見本", "花子", "tanaka", "s-1"):
        assert name not in written


def test_the_schema_describes_every_operation(school: School) -> None:
    schema = school.browser().client.get("/api/openapi.json").json()
    operations = [one for methods in schema["paths"].values() for one in methods.values()]
    assert all(one["description"] for one in operations)
    assert "example" in json.dumps(schema["paths"]["/api/exams"]["post"])


def test_the_command_line_does_not_load_the_server() -> None:
    """What `saiten read` starts again and again in worker processes stays light."""
    code = "import sys, api.command_line; print([m for m in ('sqlalchemy', 'fastapi') if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
