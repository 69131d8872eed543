"""`saiten demo` as a process of its own: stopped and begun again, its table, how its teacher comes in and nobody else."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import httpx2
import pytest

from api.command_line import run
from api.sample_school import open_sample_school
from omr.errors import InputError
from scoring.storage import accounts
from scoring.storage.accounts import Role
from scoring.storage.database import database_in, open_database
from tests.school_server import open_school

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
_CALL = "import sys; from api.command_line import run; sys.exit(run(sys.argv[1:]))"
COUNTS = "81ページ: 読み取り 78、白紙 1、重複 1、とりおき 1。"


@contextmanager
def demo(data: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """A running `saiten demo`; it never ends with a traceback."""
    call = [sys.executable, "-c", _CALL, "demo", "--data", str(data), *options]
    with subprocess.Popen(
        call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8", bufsize=1
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=60)
            assert errors in {"", "中止しました。\n"}


def read_until(process: subprocess.Popen[str], words: str) -> str:
    """What it says, up to the line with these words."""
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if words in line:
            return said
    raise AssertionError(said)


def test_stopped_then_read_then_served(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "data"
    with demo(data, "--no-serve") as process:
        read_until(process, "80ページを書き出しました")
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    with demo(data, "--no-browser", "--port", "0") as process:
        first = read_until(process, "見本の先生としてサインインした画面")
        assert COUNTS in first
        assert "39人分" in first
        assert re.search(r"│ 2-1 +│ +3 │ +3\d │ +2 │ +\d │ +24 │", first)
        assert (data / "sheets.pdf").stat().st_size > 10_000
        address, token = re.search(r"(http://127\.0\.0\.1:\d+)/demo#(\S+)", first).groups()  # type: ignore[union-attr]
        cookie = come_in(address, token)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert run(["demo", "--no-serve", "--data", str(data)]) == 0
    again = capsys.readouterr().out
    assert f"{data} にある見本のデータを使います。" in again
    assert _cells(again) == _cells(first)
    with closing(open_database(database_in(data))) as database:
        # Whoever came in is out, also where the same data are served later.
        browser = open_school(database, data).browser()
        browser.client.cookies.set("saiten", cookie)
        assert browser.get("/api/session").status_code == 401


def _cells(said: str) -> list[list[str]]:
    """The rows of the table."""
    return [line.strip("│").split("│") for line in said.splitlines() if line.startswith("│")]


def come_in(address: str, token: str) -> str:
    """By the address of the terminal, and by no other; returns the cookie."""
    with httpx2.Client(base_url=address) as client:
        assert client.get("/api/exams").status_code == 401
        wrong = client.post("/api/demo-session", json={"token": "x" * len(token)})
        assert (wrong.status_code, wrong.json()["refusal"]) == (410, "used_link")
        foreign = {"Sec-Fetch-Site": "cross-site"}
        assert client.post("/api/demo-session", json={"token": token}, headers=foreign).status_code == 403
        assert client.get("/signin").headers["location"] == "/demo"
        assert client.get("/demo").status_code == 200
        assert not client.cookies
        assert client.post("/api/demo-session", json={"token": token}).status_code == 204
        session = client.get("/api/session").json()
        assert (session["school"], session["account"]["role"]) == ("見本中学校", "teacher")
        (exam,) = client.get("/api/exams").json()["exams"]
        assert (exam["title"], exam["state"]) == ("2学期期末考査 理科", "grading")
        rows = client.get(f"/api/exams/{exam['id']}/scores").json()["rows"]
        assert len(rows) == 40
        named = client.get("/api/exams", headers={"Host": "school.example"})
        assert named.status_code == 421
        return str(client.cookies["saiten"])


def test_a_schools_own_data_are_left_alone(tmp_path: Path) -> None:
    with closing(open_database(database_in(tmp_path))) as database:
        open_school(database, tmp_path)
        with pytest.raises(InputError, match="--data"):
            open_sample_school(database, tmp_path)


def test_a_sample_that_became_a_school_is_one(tmp_path: Path) -> None:
    """Once anybody else has an account there, nobody comes in without a password."""
    with closing(open_database(database_in(tmp_path))) as database:
        sample = open_sample_school(database, tmp_path)
        assert sample.is_new
        assert not open_sample_school(database, tmp_path).is_new
        with database.write() as session:
            accounts.add_account(session, sample.instance.deed(), "tanaka", Role.ADMINISTRATOR)
        with pytest.raises(InputError, match="--data"):
            open_sample_school(database, tmp_path)


def test_a_teacher_with_a_password_is_no_sample(tmp_path: Path) -> None:
    with closing(open_database(database_in(tmp_path))) as database:
        sample = open_sample_school(database, tmp_path)
        with database.write() as session:
            accounts.set_password(session, sample.instance.deed(), sample.teacher, "hash")
        with pytest.raises(InputError, match="--data"):
            open_sample_school(database, tmp_path)


@pytest.mark.parametrize(("options", "words"), [([], "ポート"), (["--data", "file.txt"], "file.txt")])
def test_wrong_calls_end_in_one_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file.txt").write_text("")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1] if not options else 0
        assert run(["demo", "--no-browser", "--port", str(port), *options]) == 2
    said, complaint = capsys.readouterr()
    assert said == ""
    assert words in complaint
    assert re.fullmatch(r"[^\n]+。\n", complaint)
