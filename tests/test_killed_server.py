"""`saiten serve` and its workers, killed at twenty moments of intake and of judging: nothing is lost or doubled.

Each of five campaigns kills two workers and two servers on one data folder, while a teacher sends scans in parts and
judges answers over HTTP. What was not acknowledged is sent again, as a browser does: under the same key, from the
same offset.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from benchmarks.served_school import serve_school
from scoring.storage.blobs import FolderBlobs
from tests.intakes import SAMPLE, SCANS
from tests.test_intake_reading import settled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc"),
]
FIRST = SCANS / "scan_0002.tif"
"""Read before anything is killed: its answers are judged."""
FILES = [
    SCANS / name
    for name in ("scan_0003.pdf", "scan_0005.jpg", "scan_0006.jpg", "scan_0007.jpg", "scan_0009.jpg")
]
PAGES = 14 + 14 + 4
PART_BYTES = 20_000
LONGEST_WAIT = 1.0
"""Seconds, at most, from what a blow waits for to the blow."""
PATIENCE = httpx2.Timeout(60.0)


@dataclass(frozen=True)
class Prepared:
    """A data folder with the sample exam, its first file read, and the administrator's session."""

    data: Path
    exam: str
    cookie: str
    csrf_token: str

    def client(self, address: str) -> httpx2.Client:
        """The administrator's browser at a server's address: sessions outlive servers."""
        client = httpx2.Client(base_url=address, timeout=PATIENCE, headers={"X-CSRF-Token": self.csrf_token})
        client.cookies.set("saiten", self.cookie)
        return client


@dataclass(frozen=True)
class Wish:
    """A judgement as it is sent, however often."""

    page: str
    question: str
    picture: str
    mark: str
    version: int
    key: str


@dataclass
class Teacher:
    """Who sends files and judges; knows what was acknowledged and what was not.

    Attributes:
        prepared: the exam.
        wishes: the judgements, in order.
        judged: keys of those that were acknowledged.
        pending: sent, and not acknowledged.
        uploads: where the parts of files go, by name.
        stored: ids of files that were acknowledged, by name.
        has_enough: whether to stop judging.
    """

    prepared: Prepared
    wishes: Iterator[Wish]
    judged: list[Wish] = field(default_factory=list)
    pending: Wish | None = None
    uploads: dict[str, str] = field(default_factory=dict)
    stored: dict[str, str] = field(default_factory=dict)
    has_enough: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Judging goes on until the block ends, however it does."""
        self.has_enough.clear()
        try:
            yield
        finally:
            self.has_enough.set()

    def judge(self, address: str) -> None:
        """Judge one answer after another, until the server is gone or it is enough."""
        with self.prepared.client(address) as client, suppress(httpx2.TransportError):
            while not self.has_enough.is_set():
                wish = self.pending = self.pending or next(self.wishes)
                item = {
                    "page": wish.page, "question": wish.question, "picture": wish.picture, "mark": wish.mark,
                    "version": wish.version - 1, "key": wish.key,
                }  # fmt: skip
                answer = client.post(f"/api/exams/{self.prepared.exam}/judgements", json={"items": [item]})
                assert answer.status_code == 201, answer.text
                (kept,) = answer.json()["judgements"]
                assert (kept["judgement"]["mark"], kept["version"]) == (wish.mark, wish.version)
                self.judged.append(wish)
                self.pending = None

    def send_files(self, address: str) -> None:
        """Send all files in parts, each from where it was, until the server is gone."""
        with self.prepared.client(address) as client, suppress(httpx2.TransportError):
            for path in FILES:
                while path.name not in self.stored:
                    self._send_part(client, path)

    def _send_part(self, client: httpx2.Client, path: Path) -> None:
        content = path.read_bytes()
        if path.name not in self.uploads:
            name = base64.b64encode(path.name.encode()).decode()
            begun = client.post(
                f"/api/exams/{self.prepared.exam}/uploads",
                headers={"Upload-Length": str(len(content)), "Upload-Metadata": f"filename {name}"},
            )
            assert begun.status_code == 201, begun.text
            self.uploads[path.name] = begun.headers["location"]
        upload = self.uploads[path.name]
        offset = int(client.head(upload).headers["upload-offset"])
        sent = client.patch(
            upload,
            content=content[offset : offset + PART_BYTES],
            headers={"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"},
        )
        assert sent.status_code == 204, sent.text
        if "saiten-file" in sent.headers:
            self.stored[path.name] = sent.headers["saiten-file"]


@contextmanager
def life(data: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running `saiten serve` with two workers, and its address; it is told to end when the block ends."""
    start = "from api.command_line import main; main()"
    command = [sys.executable, "-c", start, "serve", "--data", str(data), "--port", "0", "--workers", "2"]
    with (
        (data.parent / "server.log").open("a") as log,  # a pipe that nobody empties would stop the server
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        assert process.stdout is not None
        address = process.stdout.readline().partition("/ ")[0]
        try:
            yield process, address
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def workers_of(server: int) -> list[int]:
    """The processes of its workers that are there now."""
    return [
        int(path.name)
        for path in Path("/proc").iterdir()
        if path.name.isdigit() and _parent(path) == server and b"spawn_main" in _command(path)
    ]


def _parent(process: Path) -> int | None:
    """Whose child a process is; None where it is gone, even if nobody asked how it ended."""
    with suppress(OSError):
        state, parent, *_ = (process / "stat").read_text().rpartition(")")[2].split()
        return None if state == "Z" else int(parent)
    return None


def _command(process: Path) -> bytes:
    with suppress(OSError):
        return (process / "cmdline").read_bytes()
    return b""


def wait_for(what: Callable[[], bool]) -> None:
    """Until something is so; far longer than it takes on a machine that has nothing else to do."""
    until = time.monotonic() + 120
    while not what():
        assert time.monotonic() < until, "it never came"
        time.sleep(0.05)


def rows(data: Path, *queries: str) -> list[list[sqlite3.Row]]:
    """What one state of the database says to these queries."""
    with closing(sqlite3.connect(data / "saiten.sqlite3", timeout=60)) as connection:
        connection.row_factory = sqlite3.Row
        connection.execute("BEGIN")
        return [connection.execute(query).fetchall() for query in queries]


def await_moment(data: Path, teacher: Teacher, dice: random.Random) -> None:
    """Until a moment by chance: in the middle of what workers do, of judging, or of sending files."""
    count = len(teacher.judged) + dice.randrange(30)
    if dice.random() < 0.7:
        wait_for(lambda: is_worked_at(data) or is_done(data, PAGES))
    else:
        wait_for(lambda: len(teacher.judged) >= count)
    time.sleep(dice.uniform(0, LONGEST_WAIT))


def is_worked_at(data: Path) -> bool:
    """Whether a worker is at a file, at pages or at their sorting."""
    leased = "SELECT 1 FROM {} WHERE lease_owner IS NOT NULL LIMIT 1"
    return any(rows(data, *(leased.format(one) for one in ("scan_files", "scan_pages", "intakes"))))


def is_done(data: Path, pages: int) -> bool:
    """Whether so many pages are read, and sorted out."""
    (left,) = rows(
        data,
        "SELECT (SELECT count(*) FROM scan_pages WHERE state = 'read') AS read,"
        " (SELECT count(*) FROM intakes WHERE wanted > done) AS unsorted",
    )
    return (left[0]["read"], left[0]["unsorted"]) == (pages, 0)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    data = tmp_path_factory.mktemp("prepared") / "data"
    with serve_school(data, "--workers", "1") as school:
        school.add_roster((SAMPLE / "roster.csv").read_text())
        exam = school.add_exam((SAMPLE / "exam.toml").read_text())
        school.drop(exam, FIRST)
        wait_for(lambda: is_done(data, 14))
        cookie = school.client.cookies["saiten"]
        return Prepared(data, exam, cookie, school.client.headers["X-CSRF-Token"])


def teacher_of(prepared: Prepared, dice: random.Random) -> Teacher:
    """A teacher who judges the answers of the first file, often one that is judged already."""
    (answers,) = rows(
        prepared.data, "SELECT page_id, question, picture FROM answer_readings ORDER BY page_id, question"
    )
    chosen = answers[:: len(answers) // 40]
    versions: Counter[sqlite3.Row] = Counter()

    def wishes() -> Iterator[Wish]:
        for number in itertools.count():
            one = dice.choice(chosen)
            versions[one] += 1
            mark = dice.choice(("right", "wrong", "hold"))
            page, question, picture = one
            yield Wish(page, question, picture, mark, versions[one], f"key {number}")

    return Teacher(prepared, wishes())


def outcome(data: Path) -> tuple[dict[Any, Any], dict[Any, Any]]:
    """What came of every page of every file, and what was read of every answer."""
    place = "f.blob, p.number, p.part"
    answer = "a.question, a.picture, a.kind, a.reading, a.status"
    of_page = "FROM scan_pages AS p JOIN scan_files AS f ON f.id = p.file_id"
    pages, answers = rows(
        data,
        f"SELECT {place}, p.status, p.reason, p.trouble, p.sheet_page, p.student_id {of_page}",
        f"SELECT {place}, {answer} {of_page} JOIN answer_readings AS a ON a.reading_id = p.reading_id",
    )
    assert len(pages) == PAGES
    return {tuple(row[:3]): tuple(row[3:]) for row in pages}, {
        tuple(row[:5]): settled(*row[5:]) for row in answers
    }


@pytest.fixture(scope="module")
def undisturbed(prepared: Prepared, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    """What comes of the files where nothing is killed."""
    data = tmp_path_factory.mktemp("undisturbed") / "data"
    shutil.copytree(prepared.data, data)
    teacher = teacher_of(prepared, random.Random(0))
    with life(data) as (_, address):
        teacher.send_files(address)
        wait_for(lambda: is_done(data, PAGES))
    return outcome(data)


def check_nothing_lost_or_doubled(data: Path, teacher: Teacher) -> None:
    """What was acknowledged is there once and stands; what is there hangs together."""
    acknowledged = list(teacher.judged)
    judgements, standing, changes, exam, readings, answers, files = rows(
        data,
        "SELECT key, page_id, question, mark FROM judgements",
        "SELECT s.page_id, s.question, s.version, j.key FROM standing_judgements AS s"
        " JOIN judgements AS j ON j.id = s.judgement_id",
        "SELECT number, what, detail FROM exam_changes ORDER BY number",
        "SELECT change_number FROM exams",
        "SELECT p.state, p.reading_id, count(r.id) AS readings FROM scan_pages AS p"
        " LEFT JOIN page_readings AS r ON r.page_id = p.id GROUP BY p.id",
        "SELECT count(*) FROM answer_readings WHERE reading_id NOT IN (SELECT reading_id FROM scan_pages)",
        "SELECT id, name FROM scan_files",
    )
    kept = {row["key"]: tuple(row)[1:] for row in judgements}
    assert kept.items() >= {one.key: (one.page, one.question, one.mark) for one in acknowledged}.items()
    by_answer = Counter((row["page_id"], row["question"]) for row in judgements)
    assert by_answer == {(row["page_id"], row["question"]): row["version"] for row in standing}
    assert [row["number"] for row in changes] == list(range(1, exam[0]["change_number"] + 1))
    told = [row for row in changes if row["what"] == "answers.judged"]
    assert len(told) == len(judgements)
    assert {(row["state"], row["reading_id"] is not None, row["readings"]) for row in readings} <= {
        ("waiting", False, 0),
        ("read", True, 1),
    }
    assert answers[0][0] == 0
    assert {row["id"] for row in files} >= set(teacher.stored.values())
    assert len({row["name"] for row in files}) == len(files)


def check_what_is_told(teacher: Teacher, address: str) -> None:
    """What a server says that has just been started is what was acknowledged before."""
    exam = teacher.prepared.exam
    last = {(one.page, one.question): one for one in [*teacher.judged, teacher.pending] if one is not None}
    with teacher.prepared.client(address) as client:
        files = client.get(f"/api/exams/{exam}/files").json()["files"]
        assert {one["id"] for one in files} >= set(teacher.stored.values())
        for path in FILES:
            told = [one["sha256"] for one in files if one["name"] == path.name]
            assert told in ([], [hashlib.sha256(path.read_bytes()).hexdigest()])
        for question in {question for _, question in last}:
            answer = client.get(f"/api/exams/{exam}/judgements", params={"question": question})
            for one in answer.json()["judgements"]:
                wish = last[one["page"], question]
                before = wish is teacher.pending and one["version"] == wish.version - 1
                assert before or (one["judgement"]["mark"], one["version"]) == (wish.mark, wish.version)


def check_all_is_told_read(teacher: Teacher, address: str) -> None:
    """The server says that it has all files, and that no page of them waits."""
    with teacher.prepared.client(address) as client:
        files = client.get(f"/api/exams/{teacher.prepared.exam}/files").json()["files"]
    assert {(one["state"], one["waiting"]) for one in files} == {("counted", 0)}
    assert sorted(one["name"] for one in files) == sorted(path.name for path in (FIRST, *FILES))
    assert sum(one["page_count"] for one in files) == PAGES


def check_files(data: Path) -> None:
    """Every file that rows name is there, bit for bit, and no part of an upload is left."""
    scans, atlases = rows(
        data, "SELECT DISTINCT blob FROM scan_files", "SELECT DISTINCT atlas FROM answer_readings"
    )
    assert {row[0] for row in scans} == {
        hashlib.sha256(path.read_bytes()).hexdigest() for path in (FIRST, *FILES)
    }
    for (digest,) in [*scans, *atlases]:
        assert hashlib.sha256(FolderBlobs(data / "blobs").get(digest)).hexdigest() == digest


@pytest.mark.parametrize("seed", range(5))
def test_killed_at_any_moment_nothing_is_lost_or_doubled(
    prepared: Prepared, undisturbed: tuple[Any, Any], tmp_path: Path, seed: int
) -> None:
    dice = random.Random(seed)
    data = tmp_path / "data"
    shutil.copytree(prepared.data, data)
    teacher = teacher_of(prepared, dice)
    orphans: list[int] = []
    for blows in (("worker", "server"), ("worker", "server"), ()):
        with life(data) as (server, address), ThreadPoolExecutor(2) as at_once, teacher.at_work():
            check_what_is_told(teacher, address)
            doing = [at_once.submit(do, address) for do in (teacher.judge, teacher.send_files)]
            for blow in blows:
                await_moment(data, teacher, dice)
                if blow == "worker":
                    wait_for(lambda: bool(workers_of(server.pid)))
                    with suppress(ProcessLookupError):  # it ended by itself
                        os.kill(dice.choice(workers_of(server.pid)), signal.SIGKILL)
                else:
                    orphans += workers_of(server.pid)
                    server.kill()
                    server.wait()
                    wait(doing)
                check_nothing_lost_or_doubled(data, teacher)
            if not blows:
                doing[1].result()
                wait_for(lambda: is_done(data, PAGES))
                check_all_is_told_read(teacher, address)
        for one in doing:
            one.result()
    wait_for(lambda: not any(b"spawn_main" in _command(Path(f"/proc/{one}")) for one in orphans))
    check_nothing_lost_or_doubled(data, teacher)
    assert outcome(data) == undisturbed
    check_files(data)
