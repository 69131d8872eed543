"""A served instance over a real database, and browsers that use it, for the tests of the HTTP interface."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fastapi.testclient import TestClient
from sqlalchemy import select

from api.backing_up import Backups
from api.instance import Instance, Transport
from api.passwords import digest, new_token
from api.school_app import create_school_app
from scoring.exam_state import ExamState
from scoring.storage import accounts
from scoring.storage.blobs import FolderBlobs
from scoring.storage.exams import find_exam
from scoring.storage.tables import AccountRow
from tests.stored_things import AT, bring_into

if TYPE_CHECKING:
    from pathlib import Path

    from httpx2 import Response

    from scoring.storage.database import Database

PASSWORD = "うさぎ おいし かの やま"
LOCAL = "http://127.0.0.1:8000"


@dataclass
class Clock:
    """A clock that tests set."""

    now: datetime.datetime = AT

    def __call__(self) -> datetime.datetime:
        """The time that it shows."""
        return self.now

    def pass_by(self, **time: float) -> None:
        """Let time pass."""
        self.now += datetime.timedelta(**time)


@dataclass
class School:
    """A school's server."""

    instance: Instance
    clock: Clock

    def browser(self) -> Browser:
        """A browser that nobody is signed in with."""
        base = LOCAL if self.instance.transport is Transport.LOCAL else "https://saiten.example"
        return Browser(TestClient(create_school_app(self.instance), base_url=base))

    def first_link(self) -> str:
        """The token of a link to set the school up with."""
        token = new_token()
        with self.instance.database.write() as session:
            accounts.make_link(session, self.instance.deed(), digest(token), None)
        return token

    def administrator(self) -> Browser:
        """The browser of the school's first administrator."""
        browser = self.browser()
        answer = browser.set_up(self.first_link(), login="tanaka", school="見本中学校")
        assert answer.status_code == 201, answer.text
        return browser

    def teacher(self, administrator: Browser, login: str = "suzuki") -> Browser:
        """The browser of a teacher whom the administrator let in."""
        account = administrator.send("POST", "/api/accounts", json={"login": login}).json()
        link = administrator.send("POST", f"/api/accounts/{account['id']}/setup-links").json()
        browser = self.browser()
        assert browser.set_up(link["path"].partition("#")[2]).status_code == 201
        return browser


@dataclass
class Browser:
    """A browser with its cookies, and the page in it, which knows the CSRF token."""

    client: TestClient
    csrf_token: str = field(default="")

    def send(self, method: str, address: str, **more: Any) -> Response:
        """Send a request as the page does."""
        headers = {"X-CSRF-Token": self.csrf_token, **more.pop("headers", {})}
        return self.client.request(method, address, headers=headers, **more)

    def get(self, address: str, **more: Any) -> Response:
        """Read something."""
        return self.send("GET", address, **more)

    def set_up(self, token: str, password: str = PASSWORD, **more: str) -> Response:
        """Use a set-up link."""
        return self._begin("/api/setup", {"token": token, "password": password, **more})

    def sign_in(self, login: str, password: str = PASSWORD) -> Response:
        """Sign in."""
        return self._begin("/api/session", {"login": login, "password": password})

    def _begin(self, address: str, body: dict[str, str]) -> Response:
        answer = self.client.post(address, json=body)
        if answer.status_code == 201:
            self.csrf_token = answer.json()["csrf_token"]
        return answer


def open_school(database: Database, folder: Path, transport: Transport = Transport.LOCAL) -> School:
    """A school's server over an open database, at a time of the test's choice."""
    clock = Clock()
    with database.write() as session:
        school_id = accounts.the_school(session, clock())
    blobs = FolderBlobs(folder / "blobs")
    backups = Backups(database, blobs, folder / "backups")
    instance = Instance(database, blobs, school_id, folder, transport, backups, clock=clock)
    return School(instance, clock)


def assert_problem(answer: Response, status: int, refusal: str | None = None) -> dict[str, Any]:
    """The answer is a problem with a sentence for the teacher."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == status
    assert problem["detail"].endswith("。")
    if refusal is not None:
        assert problem["refusal"] == refusal
    return problem


def confirm_exam(school: School, exam_id: str) -> None:
    """Bring an exam to 確定, whatever is left to do in it."""
    with school.instance.database.write() as session:
        deed = school.instance.deed(session.scalars(select(AccountRow.id)).first())
        stored = find_exam(session, school.instance.school_id, exam_id)
        bring_into(session, deed, stored, ExamState.CONFIRMED)
