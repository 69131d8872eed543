"""Set-up links, sign-in, sessions and rights, over HTTP and a real database."""

from __future__ import annotations

import re
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from api.instance import Transport
from api.rights import RIGHTS, Right
from scoring.storage.accounts import Role
from scoring.storage.database import open_database
from tests.school_server import PASSWORD, School, assert_problem, open_school

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OPEN_TO_ALL = {("get", "/healthz"), ("get", "/readyz"), ("post", "/api/setup"), ("post", "/api/session")}


@pytest.fixture
def school(tmp_path: Path) -> Iterator[School]:
    with closing(open_database(f"sqlite:///{tmp_path / 'saiten.sqlite3'}")) as database:
        yield open_school(database, tmp_path)


def test_the_first_link_makes_an_administrator_once(school: School) -> None:
    token = school.first_link()
    first, second = school.browser(), school.browser()
    answer = first.set_up(token, login="Ｔanaka", school="見本中学校")
    assert answer.json()["account"]["role"] == "administrator"
    assert answer.json()["account"]["login"] == "tanaka"
    assert first.get("/api/session").json()["school"] == "見本中学校"
    assert_problem(second.set_up(token, login="eve", school="x"), 410, "used_link")
    assert first.get("/api/accounts").json()["accounts"][0]["login"] == "tanaka"


@pytest.mark.parametrize(
    ("password", "status"),
    [("short", 422), ("tanaka-tanaka", 422), ("aaaaaaaaaaaaaaa", 422), ("x" * 5000, 422), (PASSWORD, 201)],
)
def test_a_weak_password_leaves_the_link_as_it_was(school: School, password: str, status: int) -> None:
    token = school.first_link()
    assert school.browser().set_up(token, password, login="tanaka", school="x").status_code == status
    again = school.browser().set_up(token, login="tanaka", school="x")
    assert again.status_code == (410 if status == 201 else 201)


def test_an_old_or_replaced_link(school: School) -> None:
    old = school.first_link()
    school.clock.pass_by(days=3)
    assert_problem(school.browser().set_up(old, login="a", school="b"), 410)
    replaced, _ = school.first_link(), school.first_link()
    assert_problem(school.browser().set_up(replaced, login="a", school="b"), 410)


def test_signing_in_and_out(school: School) -> None:
    school.administrator()
    browser = school.browser()
    assert_problem(browser.get("/api/exams"), 401, "not_signed_in")
    assert browser.sign_in(" TANAKA").status_code == 201
    assert browser.get("/api/exams").status_code == 200
    stolen = dict(browser.client.cookies)
    left = browser.send("DELETE", "/api/session")
    assert left.status_code == 204
    assert "cache" in left.headers["clear-site-data"]
    other = school.browser()
    other.client.cookies.update(stolen)
    assert_problem(other.get("/api/exams"), 401)


def test_a_wrong_password_and_an_unknown_name_are_told_alike(school: School) -> None:
    school.administrator()
    wrong, unknown = (school.browser().sign_in(login, "not the password") for login in ("tanaka", "nobody"))
    assert assert_problem(wrong, 401) == assert_problem(unknown, 401, "wrong_password")


def test_who_guesses_is_stopped_but_the_owner_elsewhere_is_not(school: School) -> None:
    school.administrator()
    guesser, elsewhere = school.browser(), school.browser()
    elsewhere.client._transport.client = ("192.0.2.7", 5000)  # type: ignore[attr-defined]  # noqa: SLF001
    for _ in range(5):
        assert guesser.sign_in("tanaka", "guessed wrongly").status_code == 401
    stopped = guesser.sign_in("tanaka")
    assert_problem(stopped, 429, "too_many_tries")
    assert stopped.headers["retry-after"] == "900"
    assert elsewhere.sign_in("tanaka").status_code == 201
    school.clock.pass_by(minutes=16)
    assert guesser.sign_in("tanaka").status_code == 201


def test_right_passwords_are_not_counted(school: School) -> None:
    school.administrator()
    assert {school.browser().sign_in("tanaka").status_code for _ in range(7)} == {201}


@pytest.mark.parametrize(("minutes", "times", "status"), [(29, 3, 200), (31, 1, 401), (29, 25, 401)])
def test_sessions_end_when_idle_and_after_a_day(
    school: School, minutes: int, times: int, status: int
) -> None:
    browser = school.administrator()
    answers = []
    for _ in range(times):
        school.clock.pass_by(minutes=minutes)
        answers.append(browser.get("/api/exams").status_code)
    assert answers[-1] == status


def test_the_cookie(tmp_path: Path) -> None:
    with closing(open_database(f"sqlite:///{tmp_path / 'saiten.sqlite3'}")) as database:
        for transport, prefix in ((Transport.ENCRYPTED, "__Host-saiten"), (Transport.LOCAL, "saiten")):
            school = open_school(database, tmp_path, transport)
            answer = school.browser().set_up(school.first_link(), login=transport, school="見本中学校")
            cookie = answer.headers["set-cookie"]
            assert cookie.startswith(f"{prefix}=")
            assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
            assert ("Secure" in cookie) == (transport is Transport.ENCRYPTED)
            assert ("strict-transport-security" in answer.headers) == (transport is Transport.ENCRYPTED)
            token = cookie.partition("=")[2].partition(";")[0]
            with database.read() as session:
                assert token not in str(session.execute(text("SELECT * FROM sessions")).all())


@pytest.mark.parametrize(
    "headers", [{"X-CSRF-Token": ""}, {"X-CSRF-Token": "0" * 64}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_what_another_page_sends_is_refused(school: School, headers: dict[str, str]) -> None:
    browser = school.administrator()
    answer = browser.send("POST", "/api/accounts", json={"login": "eve"}, headers=headers)
    assert_problem(answer, 403, "forged_request")
    assert len(browser.get("/api/accounts").json()["accounts"]) == 1


def test_another_page_cannot_sign_somebody_in(school: School) -> None:
    school.administrator()
    body = {"login": "tanaka", "password": PASSWORD}
    client = school.browser().client
    assert client.post("/api/session", json=body, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert client.post("/api/session", data=body).status_code == 422  # a form, which needs no script


def test_every_other_route_asks_for_a_right(school: School) -> None:
    """Whatever is added without one fails here."""
    client = school.browser().client
    operations = {
        (method, address)
        for address, methods in client.get("/api/openapi.json").json()["paths"].items()
        for method in methods
    }
    assert operations > OPEN_TO_ALL
    for method, address in operations - OPEN_TO_ALL:
        filled = re.sub(r"\{\w+\}", "2026", address)
        assert client.request(method, filled).status_code == 401, (method, address)


@pytest.mark.parametrize(
    "address", ["/signin", "/setup?first", "/entry/entry.js", "/entry/entry.css", "/", "/main.js"]
)
def test_the_page_to_come_in_by_is_open_to_all(school: School, address: str) -> None:
    answer = school.browser().client.get(address)
    assert answer.status_code == 200
    assert answer.headers["content-security-policy"].startswith("default-src 'self';")


def test_teachers_do_not_do_what_administrators_do(school: School) -> None:
    teacher = school.teacher(school.administrator())
    assert teacher.get("/api/exams").status_code == 200
    for address in ("/api/accounts", "/api/accounts/x"):
        assert_problem(teacher.get(address), 403, "not_allowed")
    assert_problem(
        teacher.send("PUT", f"/api/rosters/2026?confirmed={'0' * 64}", headers={"If-Match": '"0"'}), 403
    )
    assert RIGHTS[Role.TEACHER] < RIGHTS[Role.ADMINISTRATOR] == frozenset(Right)


def test_a_closed_account_is_out_at_once(school: School) -> None:
    administrator = school.administrator()
    teacher = school.teacher(administrator)
    account = teacher.get("/api/session").json()["account"]
    address = f"/api/accounts/{account['id']}"
    change = {"role": "teacher", "access": "closed"}
    assert administrator.send("PUT", address, json=change, headers={"If-Match": '"1"'}).status_code == 200
    assert_problem(teacher.get("/api/exams"), 401)
    assert_problem(school.browser().sign_in("suzuki"), 401, "wrong_password")
    late = administrator.send("PUT", address, json={**change, "access": "open"}, headers={"If-Match": '"1"'})
    problem = assert_problem(late, 412, "stale")
    assert (problem["current"]["access"], problem["sent"]["access"]) == ("closed", "open")


def test_the_last_administrator_stays(school: School) -> None:
    administrator = school.administrator()
    account = administrator.get("/api/session").json()["account"]
    for change in ({"role": "teacher", "access": "open"}, {"role": "administrator", "access": "closed"}):
        answer = administrator.send(
            "PUT", f"/api/accounts/{account['id']}", json=change, headers={"If-Match": '"1"'}
        )
        assert_problem(answer, 409, "wrong_state")
    assert administrator.get("/api/accounts").status_code == 200


def test_a_new_password_ends_the_sessions_of_the_old_one(school: School) -> None:
    administrator = school.administrator()
    teacher = school.teacher(administrator)
    account = teacher.get("/api/session").json()["account"]
    link = administrator.send("POST", f"/api/accounts/{account['id']}/setup-links").json()
    assert school.browser().set_up(link["path"].partition("#")[2], "another long password").status_code == 201
    assert_problem(teacher.get("/api/exams"), 401)
    assert school.browser().sign_in("suzuki").status_code == 401
    assert school.browser().sign_in("suzuki", "another long password").status_code == 201


def test_accounts_are_listed_page_by_page(school: School) -> None:
    administrator = school.administrator()
    for number in range(4):
        administrator.send("POST", "/api/accounts", json={"login": f"teacher{number}"})
    seen, after = [], ""
    while after is not None:
        page = administrator.get(f"/api/accounts?limit=2&after={after}").json()
        seen += [one["login"] for one in page["accounts"]]
        after = page["next"]
    assert sorted(seen) == ["tanaka", "teacher0", "teacher1", "teacher2", "teacher3"]
    assert_problem(
        administrator.send("POST", "/api/accounts", json={"login": "Teacher1"}), 409, "already_there"
    )
