"""Scans sent over HTTP, whole and in parts: nothing is lost or doubled, however it is cut off."""

from __future__ import annotations

import base64
import hashlib
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager, suppress
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
import uvicorn

from api.incoming_files import LARGEST_FILE, part_file, tidy_uploads
from api.listening import listen
from api.school_app import create_school_app
from sample_scans.sample_exam import FOLDER
from scoring.storage import uploads
from scoring.storage.columns import new_id
from scoring.storage.database import open_database
from tests.school_server import Browser, School, assert_problem, confirm_exam, open_school
from tests.stored_things import exam_toml
from tests.test_serve_command import PASSWORD, serving, set_up

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from httpx2 import Response

SCAN = (FOLDER / "scans" / "scan_0005.jpg").read_bytes()
OTHER_SCAN = (FOLDER / "scans" / "scan_0006.jpg").read_bytes()


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    folder = tmp_path_factory.mktemp("school")
    with closing(open_database(f"sqlite:///{folder / 'saiten.sqlite3'}")) as database:
        yield open_school(database, folder)


@pytest.fixture(scope="module")
def teacher(school: School) -> Browser:
    return school.administrator()


@pytest.fixture
def exam(teacher: Browser) -> str:
    return make_exam(teacher, new_id()[:20].upper())


def make_exam(browser: Browser, code: str) -> str:
    answer = browser.send("POST", "/api/exams", content=exam_toml(code))
    assert answer.status_code == 201, answer.text
    made: str = answer.json()["id"]
    return made


def start(browser: Browser, exam: str, size: int, name: str = "組 2-1.jpg") -> str:
    """The address of a new upload."""
    headers = {
        "Tus-Resumable": "1.0.0",
        "Upload-Length": str(size),
        "Upload-Metadata": f"filename {base64.b64encode(name.encode()).decode()},filetype aW1hZ2U=",
    }
    answer = browser.send("POST", f"/api/exams/{exam}/uploads", headers=headers)
    assert answer.status_code == 201, answer.text
    assert answer.headers["tus-resumable"] == "1.0.0"
    return answer.headers["location"]


def send(browser: Browser, address: str, offset: int, content: bytes) -> Response:
    headers = {
        "Tus-Resumable": "1.0.0",
        "Upload-Offset": str(offset),
        "Content-Type": "application/offset+octet-stream",
    }
    return browser.send("PATCH", address, content=content, headers=headers)


def offset_of(browser: Browser, address: str) -> int:
    return int(browser.send("HEAD", address).headers["upload-offset"])


def parts(school: School) -> set[str]:
    """The names of the part files that are there."""
    return {one.stem for one in (school.instance.data / "uploads").glob("*.part")}


def files_of(browser: Browser, exam: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = browser.get(f"/api/exams/{exam}/files").json()["files"]
    return found


def test_a_file_in_parts_is_stored_as_it_was(school: School, teacher: Browser, exam: str) -> None:
    address = start(teacher, exam, len(SCAN))
    cuts = [0, 1, 5000, len(SCAN) - 1, len(SCAN)]
    for first, last in pairwise(cuts):
        assert files_of(teacher, exam) == []
        answer = send(teacher, address, first, SCAN[first:last])
        assert answer.status_code == 204, answer.text
        assert offset_of(teacher, address) == last
    (file,) = files_of(teacher, exam)
    assert (file["name"], file["size"], file["state"]) == ("組 2-1.jpg", len(SCAN), "received")
    assert school.instance.blobs.get(file["sha256"]) == SCAN
    assert address.rpartition("/")[2] not in parts(school)
    again = send(teacher, address, len(SCAN), b"")
    assert (again.status_code, again.headers["saiten-file"]) == (204, file["id"])


def test_a_part_at_the_wrong_place_changes_nothing(teacher: Browser, exam: str) -> None:
    address = start(teacher, exam, len(SCAN))
    send(teacher, address, 0, SCAN[:1000])
    for offset in (0, 999, 1001):
        problem = assert_problem(send(teacher, address, offset, SCAN[offset:2000]), 409, "wrong_state")
        assert "1000" in problem["detail"]
    assert send(teacher, address, 1000, SCAN[1000:]).status_code == 204
    assert files_of(teacher, exam)[0]["sha256"] == hashlib.sha256(SCAN).hexdigest()


def test_more_than_was_promised_is_refused(teacher: Browser, exam: str) -> None:
    address = start(teacher, exam, 100)
    assert_problem(send(teacher, address, 0, SCAN[:101]), 413, "too_large")
    assert offset_of(teacher, address) == 0


def test_the_same_file_by_two_people_is_one_file(school: School, teacher: Browser, exam: str) -> None:
    second = school.teacher(teacher)
    mine, theirs = (
        start(one, exam, len(SCAN), name) for one, name in ((teacher, "a.jpg"), (second, "b.jpg"))
    )
    assert_problem(send(second, mine, 0, SCAN), 404)  # nobody goes on with another's upload
    stored = {
        send(teacher, mine, 0, SCAN).headers["saiten-file"],
        send(second, theirs, 0, SCAN).headers["saiten-file"],
    }
    whole = second.send("POST", f"/api/exams/{exam}/files?name=c.jpg", content=SCAN)
    assert (whole.status_code, {whole.json()["id"]}) == (201, stored)
    assert [one["name"] for one in files_of(teacher, exam)] == ["a.jpg"]
    other = make_exam(teacher, new_id()[:20].upper())
    assert teacher.send("POST", f"/api/exams/{other}/files", content=SCAN).json()["id"] not in stored


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "0バイト"), (b"PK\x03\x04" + bytes(99), "Office"), ("名簿です".encode(), "PDF、TIFF、JPEG、PNG")],
)
def test_what_is_no_scan_is_refused_and_forgotten(
    school: School, teacher: Browser, exam: str, content: bytes, words: str
) -> None:
    before = parts(school)
    answer = teacher.send("POST", f"/api/exams/{exam}/files?name=x.pdf", content=content)
    assert words in assert_problem(answer, 422)["detail"]
    if content:
        address = start(teacher, exam, len(content))
        assert words in assert_problem(send(teacher, address, 0, content), 422)["detail"]
        assert teacher.send("HEAD", address).status_code == 404
    assert files_of(teacher, exam) == []
    assert parts(school) == before


def test_wrong_calls(teacher: Browser, exam: str) -> None:
    address = f"/api/exams/{exam}/uploads"
    assert_problem(teacher.send("POST", address), 422)
    assert_problem(teacher.send("POST", address, headers={"Upload-Length": "0"}), 422)
    too_large = {"Upload-Length": str(LARGEST_FILE + 1)}
    assert_problem(teacher.send("POST", address, headers=too_large), 413, "too_large")
    assert_problem(teacher.send("POST", address, headers={"Upload-Length": "5", "Tus-Resumable": "0.2"}), 412)
    made = start(teacher, exam, len(SCAN))
    assert_problem(teacher.send("PATCH", made, content=SCAN, headers={"Upload-Offset": "0"}), 415)
    assert teacher.client.post(address, headers={"Upload-Length": "5"}).status_code == 403  # no CSRF token
    assert teacher.send("OPTIONS", address).headers["tus-version"] == "1.0.0"
    assert teacher.send("DELETE", made).status_code == 204
    assert teacher.send("HEAD", made).status_code == 404


def test_a_confirmed_exam_takes_no_file(school: School, teacher: Browser, exam: str) -> None:
    made = start(teacher, exam, len(SCAN))
    confirm_exam(school, exam)
    assert_problem(send(teacher, made, 0, SCAN), 409, "wrong_state")
    assert_problem(teacher.send("POST", f"/api/exams/{exam}/files", content=SCAN), 409, "wrong_state")
    assert_problem(
        teacher.send("POST", f"/api/exams/{exam}/uploads", headers={"Upload-Length": "5"}), 409, "wrong_state"
    )
    assert files_of(teacher, exam) == []
    back = {"state": "grading", "reason": "遅れて出た解答用紙を入れるため"}
    teacher.send("POST", f"/api/exams/{exam}/states", json=back, headers={"If-Match": '"1.2"'})
    assert "saiten-file" in send(teacher, made, len(SCAN), b"").headers


def test_stopped_when_all_was_there_the_upload_still_becomes_a_file(
    school: School, teacher: Browser, exam: str
) -> None:
    for finish in ("head", "tidy"):
        content = SCAN if finish == "head" else OTHER_SCAN
        address = start(teacher, exam, len(content))
        part = address.rpartition("/")[2]
        _put_on_disk(school, address, content)
        if finish == "tidy":
            tidy_uploads(school.instance)
        else:
            assert offset_of(teacher, address) == len(content)
        assert part not in parts(school)
    stored = {one["sha256"] for one in files_of(teacher, exam)}
    assert stored == {hashlib.sha256(one).hexdigest() for one in (SCAN, OTHER_SCAN)}


def test_bytes_that_were_never_noted_are_sent_again(school: School, teacher: Browser, exam: str) -> None:
    """After a power cut what stands behind the noted bytes may be anything."""
    address = start(teacher, exam, len(SCAN))
    send(teacher, address, 0, SCAN[:1000])
    part = part_file(school.instance, address.rpartition("/")[2])
    part.path.write_bytes(part.path.read_bytes() + bytes(500))
    assert offset_of(teacher, address) == 1000
    assert send(teacher, address, 1000, SCAN[1000:]).status_code == 204
    assert files_of(teacher, exam)[0]["sha256"] == hashlib.sha256(SCAN).hexdigest()


def test_uploads_that_nobody_ends_are_removed_after_a_week(
    school: School, teacher: Browser, exam: str
) -> None:
    address = start(teacher, exam, len(SCAN))
    send(teacher, address, 0, SCAN[:1000])
    now = school.clock.now
    left = {}
    for days in (6, 2):
        school.clock.pass_by(days=days)
        tidy_uploads(school.instance)
        with school.instance.database.read() as session:
            unfinished = uploads.list_unfinished(session, school.instance.school_id)
        left[days] = {one.id for one in unfinished}
    school.clock.now = now
    assert address.rpartition("/")[2] in left[6]
    assert left[2] == set()


def _put_on_disk(school: School, address: str, content: bytes) -> None:
    """What a server leaves that was killed when the last byte was noted."""
    upload_id = address.rpartition("/")[2]
    part_file(school.instance, upload_id).add(content)
    with school.instance.database.write() as session:
        (upload,) = [
            one for one in uploads.list_unfinished(session, school.instance.school_id) if one.id == upload_id
        ]
        uploads.note_received(session, upload, len(content))


@contextmanager
def served(school: School) -> Iterator[str]:
    """The application on a port of its own; the address."""
    with listen("127.0.0.1", 0) as listening:
        server = uvicorn.Server(uvicorn.Config(create_school_app(school.instance), log_config=None))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def test_cut_off_half_way_what_came_is_kept(school: School, teacher: Browser, exam: str) -> None:
    content = SCAN + bytes(20 * 2**20)
    with served(school) as base, httpx2.Client(base_url=base) as client:
        client.cookies.set("saiten", teacher.client.cookies["saiten"])
        browser = Browser(client, teacher.csrf_token)  # type: ignore[arg-type]
        address = start(browser, exam, len(content))
        with half_sent(base, address, browser, content):
            wait_for(lambda: offset_of(browser, address) > 0)
        wait_for(lambda: send(browser, address, offset_of(browser, address), b"").status_code == 204)
        offset = offset_of(browser, address)
        assert 0 < offset <= len(content) // 2
        assert send(browser, address, offset, content[offset:]).status_code == 204
        before = parts(school)
        with half_sent(base, f"/api/exams/{exam}/files", browser, content + b"other", "POST"):
            wait_for(lambda: parts(school) > before)
        wait_for(lambda: parts(school) == before)
        assert [one["sha256"] for one in files_of(browser, exam)] == [hashlib.sha256(content).hexdigest()]


def test_killed_again_and_again_the_upload_ends_as_one_whole_file(tmp_path: Path) -> None:
    content = SCAN + bytes(4 * 2**20)
    address = exam = ""
    for life in range(3):
        with (
            serving(tmp_path, "--workers", "0", links=1 if life == 0 else 0) as server,
            httpx2.Client() as client,
        ):
            client.base_url = httpx2.URL(server.address)
            body = {"login": "tanaka", "password": PASSWORD}
            token = (
                set_up(server, client)
                if life == 0
                else client.post("/api/session", json=body).json()["csrf_token"]
            )
            browser = Browser(client, token)  # type: ignore[arg-type]
            exam = exam or make_exam(browser, "2026-KILLED")
            address = address or start(browser, exam, len(content))
            if life < 2:
                threading.Timer(0.02 + 0.15 * life, server.process.kill).start()
            with suppress(httpx2.TransportError):
                while (offset := offset_of(browser, address)) < len(content):
                    assert (
                        send(browser, address, offset, content[offset : offset + 50_000]).status_code == 204
                    )
            if life < 2:
                server.process.wait()
            else:
                assert [one["sha256"] for one in files_of(browser, exam)] == [
                    hashlib.sha256(content).hexdigest()
                ]
    assert list((tmp_path / "uploads").glob("*.part")) == []


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@contextmanager
def half_sent(
    base: str, address: str, browser: Browser, content: bytes, method: str = "PATCH"
) -> Iterator[None]:
    """Promise it all, send half of it, and cut the line when the block ends."""
    host, _, port = base.removeprefix("http://").partition(":")
    head = (
        f"{method} {address} HTTP/1.1\r\nHost: {host}:{port}\r\nX-CSRF-Token: {browser.csrf_token}\r\n"
        f"Cookie: saiten={browser.client.cookies['saiten']}\r\nUpload-Offset: 0\r\n"
        f"Content-Type: application/offset+octet-stream\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    with socket.create_connection((host, int(port))) as line:
        line.sendall(head.encode() + content[: len(content) // 2])
        yield


def test_a_full_disk_is_said_and_what_was_sent_before_stays(
    school: School, teacher: Browser, exam: str
) -> None:
    """A process that may write no file beyond a size gets EFBIG as others get ENOSPC."""
    content = SCAN + bytes(3 * 2**20)  # a JPEG with zeros behind it
    address = start(teacher, exam, len(content))
    assert send(teacher, address, 0, content[: 2**20]).status_code == 204
    part = part_file(school.instance, address.rpartition("/")[2])
    code = (
        "import resource, sys; from pathlib import Path; from api.incoming_files import PartFile\n"
        "from omr.errors import Refused\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (3 * 2**19, resource.RLIM_INFINITY))\n"
        "try: PartFile(Path(sys.argv[1])).add(bytes(2**20))\n"
        "except Refused as refused: print(refused.refusal)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(part.path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "no_space"
    assert part.size() == 2**20
    assert send(teacher, address, 2**20, content[2**20 :]).status_code == 204
    assert files_of(teacher, exam)[0]["sha256"] == hashlib.sha256(content).hexdigest()
