"""The feed of an exam's changes over real connections: nothing is missed, nothing comes twice."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from api.change_feeds import ChangeFeeds, FeedTimes
from api.school_app import create_school_app
from scoring.storage.changes import note_change
from scoring.storage.columns import new_id
from scoring.storage.database import database_in, open_database
from tests.running_server import running_server
from tests.school_server import PASSWORD, School, assert_problem, open_school
from tests.stored_things import exam_toml

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scoring.storage.events import Deed
    from tests.school_server import Browser

SOON = FeedTimes(silence=0.1, check=0.0)
OTHER_PROCESS = """
import sys
from scoring.storage.changes import note_change
from scoring.storage.columns import utc_now
from scoring.storage.columns import new_id
from scoring.storage.database import open_database
from scoring.storage.events import Deed
address, school, exam, count = sys.argv[1:]
database = open_database(address)
for number in range(int(count)):
    with database.write() as session:
        note_change(session, Deed(school, None, utc_now()), exam, "pages.read", {"place": number})
"""


@dataclass(frozen=True)
class Served:
    """A school with an exam, behind a server."""

    school: School
    feeds: ChangeFeeds
    exam: str
    client: httpx2.Client
    csrf_token: str

    @property
    def deed(self) -> Deed:
        """What the machine does now."""
        return self.school.instance.deed()

    def change(self, count: int = 1, what: str = "answers.judged") -> None:
        """Let the exam change."""
        for place in range(count):
            with self.school.instance.database.write() as session:
                note_change(session, self.deed, self.exam, what, {"place": place})

    def post(self, path: str, body: object) -> httpx2.Response:
        """Send something as the page does."""
        return self.client.post(path, json=body, headers={"X-CSRF-Token": self.csrf_token})

    @contextmanager
    def listening(
        self, after: int | None = None, last_event_id: str | None = None
    ) -> Iterator[Iterator[dict[str, Any]]]:
        """The events of the exam."""
        parameters = {} if after is None else {"after": after}
        headers = {} if last_event_id is None else {"Last-Event-ID": last_event_id}
        address = f"/api/exams/{self.exam}/changes"
        with self.client.stream("GET", address, params=parameters, headers=headers) as answer:
            assert answer.status_code == 200, answer.read()
            assert answer.headers["content-type"].startswith("text/event-stream")
            yield parse_events(answer.iter_lines())


def parse_events(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    """Events as a browser takes them; a comment as {}."""
    event: dict[str, Any] = {}
    for line in lines:
        if line.startswith(":"):
            yield {}
        elif line:
            name, _, value = line.partition(": ")
            event[name] = json.loads(value) if name == "data" else value
        elif event:
            if "data" in event:
                yield event
            event = {}


def take(events: Iterator[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """The next events that are no comments."""
    found: list[dict[str, Any]] = []
    while len(found) < count:
        if event := next(events):
            found.append(event)
    return found


def numbers(events: list[dict[str, Any]]) -> list[int]:
    return [int(one["id"]) for one in events]


@contextmanager
def serve(folder: Path, times: FeedTimes | None = None) -> Iterator[Served]:
    with closing(open_database(database_in(folder))) as database:
        school = open_school(database, folder)
        administrator = school.administrator()
        made = administrator.send("POST", "/api/exams", content=exam_toml())
        app = create_school_app(school.instance)
        app.state.change_feeds = feeds = ChangeFeeds(database, school.instance.school_id, times)
        with running_server(app) as address, httpx2.Client(base_url=address, timeout=30) as client:
            answer = client.post("/api/session", json={"login": "tanaka", "password": PASSWORD})
            yield Served(school, feeds, made.json()["id"], client, answer.json()["csrf_token"])


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("served")) as one:
        yield one


@pytest.fixture
def served(running: Served) -> Served:
    """A served exam that nothing happened to yet."""
    toml = exam_toml(f"EXAM-{new_id()[:12].upper()}")
    made = running.client.post(
        "/api/exams", content=toml.encode(), headers={"X-CSRF-Token": running.csrf_token}
    )
    return replace(running, exam=made.json()["id"])


def test_changes_come_in_their_order_and_go_on_after_a_cut(served: Served) -> None:
    served.change(3)
    with served.listening(after=0) as events:
        assert numbers(take(events, 3)) == [1, 2, 3]
        served.change(2)
        heard = take(events, 2)
        assert numbers(heard) == [4, 5]
        assert heard[0]["event"] == "answers.judged"
        assert heard[0]["data"]["detail"] == {"place": 0}
    served.change(4)
    with served.listening(last_event_id="5") as events:
        assert numbers(take(events, 4)) == [6, 7, 8, 9]


def test_who_names_no_number_hears_what_comes(served: Served) -> None:
    served.change(3)
    with served.listening() as events:
        wait_for_listeners(served, 1)
        served.change()
        assert numbers(take(events, 1)) == [4]


def test_many_listeners_hear_all_that_several_processes_write(served: Served) -> None:
    address = str(served.school.instance.database.engine.url)
    heard: dict[int, list[int]] = {}

    def hear(place: int) -> None:
        with served.listening(after=0) as events:
            heard[place] = numbers(take(events, 60))

    listeners = [threading.Thread(target=hear, args=(place,)) for place in range(20)]
    for one in listeners:
        one.start()
    writer = subprocess.Popen(
        [sys.executable, "-c", OTHER_PROCESS, address, served.deed.school_id, served.exam, "30"]
    )
    served.change(30)
    assert writer.wait() == 0
    for one in listeners:
        one.join(30)
    assert heard == {place: list(range(1, 61)) for place in range(20)}


def test_who_is_far_behind_gets_everything(served: Served) -> None:
    with served.school.instance.database.write() as session:
        for place in range(1200):
            note_change(session, served.deed, served.exam, "answers.judged", {"place": place})
    with served.listening(after=0) as events:
        assert numbers(take(events, 1200)) == list(range(1, 1201))


def test_a_number_that_never_was_means_reload(served: Served) -> None:
    served.change(2)
    with served.listening(after=1000) as events:
        [event] = take(events, 1)
        assert (event["event"], event["id"]) == ("reload", "2")
        served.change()
        assert numbers(take(events, 1)) == [3]


def test_a_listener_who_signs_out_is_cut(tmp_path: Path) -> None:
    with serve(tmp_path, SOON) as served, served.listening() as events:
        assert next(events) == {}
        signed_out = served.client.request(
            "DELETE", "/api/session", headers={"X-CSRF-Token": served.csrf_token}
        )
        assert signed_out.status_code in {200, 204}
        assert not [event for event in events if event]


def test_listeners_who_go_are_forgotten_and_a_server_that_stops_ends_them(tmp_path: Path) -> None:
    with ExitStack() as listening:
        with serve(tmp_path, FeedTimes(silence=0.1)) as served:
            with served.listening():
                wait_for_listeners(served, 1)
            wait_for_listeners(served, 0)
            client = listening.enter_context(httpx2.Client(base_url=served.client.base_url, timeout=30))
            client.cookies = served.client.cookies
            events = listening.enter_context(replace(served, client=client).listening())
            wait_for_listeners(served, 1)
        # The server has ended in order, with a listener there: its stream is over, not cut.
        assert not [event for event in events if event]


def test_who_is_where_is_told_and_not_stored(served: Served) -> None:
    with served.listening() as events:
        wait_for_listeners(served, 1)
        assert served.post(f"/api/exams/{served.exam}/presence", {"question": "1-1"}).status_code == 204
        [event] = take(events, 1)
        assert event["event"] == "presence"
        assert "id" not in event
        [person] = event["data"]["people"]
        assert person["question"] == "1-1"
        served.post(f"/api/exams/{served.exam}/presence", {"is_leaving": True})
        assert take(events, 1)[0]["data"] == {"people": []}
    assert served.client.get(f"/api/exams/{served.exam}/changes.json").json()["changes"] == []


def test_changes_as_pages(served: Served) -> None:
    served.change(5)
    address = f"/api/exams/{served.exam}/changes.json"
    first = served.client.get(address, params={"limit": 3}).json()
    rest = served.client.get(address, params={"after": first["next"]}).json()
    end = served.client.get(address, params={"after": rest["next"]}).json()
    assert [one["number"] for one in first["changes"] + rest["changes"]] == [1, 2, 3, 4, 5]
    assert (end["changes"], end["next"], end["last"]) == ([], 5, 5)


def test_changes_are_for_the_school_of_the_exam(served: Served) -> None:
    nobody: Browser = served.school.browser()
    assert_problem(nobody.get(f"/api/exams/{served.exam}/changes"), 401)
    assert served.client.get("/api/exams/0000/changes").status_code == 404
    assert served.client.get(f"/api/exams/{served.exam}/changes?after=-1").status_code == 422


def wait_for_listeners(served: Served, count: int) -> None:
    """Until so many listen; a stream's first line comes before it does."""
    tick = threading.Event()
    for _ in range(300):
        if served.feeds.listeners == count:
            return
        tick.wait(0.02)
    raise AssertionError(f"{served.feeds.listeners} listen")
