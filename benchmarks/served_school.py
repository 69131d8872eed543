"""A running `saiten serve` with a school in it, for the benchmarks of the served instance."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2

if TYPE_CHECKING:
    from collections.abc import Iterator

    from httpx2 import Response

_PASSWORD = "うさぎ おいし かの やま"  # noqa: S105  (of a school that is gone afterwards)
_PATIENCE = httpx2.Timeout(120.0)


@dataclass
class ServedSchool:
    """A running server and the browser of its administrator.

    Attributes:
        process: of the server.
        client: signed in.
        start_seconds: from the command to the answer of `/readyz`.
    """

    process: subprocess.Popen[str]
    client: httpx2.Client
    start_seconds: float

    def send(self, method: str, address: str, **more: Any) -> Response:
        """Send a request that must succeed."""
        answer = self.client.request(method, address, **more)
        assert answer.status_code < 300, f"{method} {address}: {answer.status_code} {answer.text}"
        return answer

    def add_roster(self, csv: str, school_year: int = 2026) -> None:
        """Make ROSTER.csv the roster of a school year."""
        address = f"/api/rosters/{school_year}"
        difference = self.send("POST", f"{address}/differences", content=csv.encode())
        self.send(
            "PUT",
            f"{address}?confirmed={difference.json()['digest']}",
            content=csv.encode(),
            headers={"If-Match": difference.headers["ETag"]},
        )

    def add_exam(self, toml: str) -> str:
        """Make an exam of EXAM.toml that is being graded; returns its id."""
        made = self.send("POST", "/api/exams", content=toml.encode())
        exam_id: str = made.json()["id"]
        self.send(
            "POST",
            f"/api/exams/{exam_id}/states",
            json={"state": "grading"},
            headers={"If-Match": made.headers["ETag"]},
        )
        return exam_id

    def drop(self, exam_id: str, path: Path) -> None:
        """Send a scan file."""
        self.send(
            "POST", f"/api/exams/{exam_id}/files", params={"name": path.name}, content=path.read_bytes()
        )

    def memory(self) -> dict[int, int]:
        """The most bytes that the server and each of its processes held so far, by process (Linux only)."""
        pids = [self.process.pid, *_descendants(self.process.pid)]
        return {pid: most for pid in pids if (most := _peak(pid)) is not None}


@contextmanager
def serve_school(data: Path, *options: str) -> Iterator[ServedSchool]:
    """Run `saiten serve` on an empty data folder until the block ends, with its first administrator signed in.

    Args:
        data: the folder.
        options: further options of the command.
    """
    run = "from api.command_line import main; main()"
    command = [sys.executable, "-c", run, "serve", "--data", str(data), "--port", "0", *options]
    started = time.perf_counter()
    with (
        (data.parent / "server.log").open("w") as log,
        subprocess.Popen(  # noqa: S603  (our own command)
            command, stdout=subprocess.PIPE, stderr=log, text=True, encoding="utf-8"
        ) as process,
    ):
        try:
            assert process.stdout is not None
            address = process.stdout.readline().partition("/ ")[0]
            with httpx2.Client(base_url=address, timeout=_PATIENCE) as client:
                _await_ready(client)
                seconds = time.perf_counter() - started
                token = process.stdout.readline().strip().partition("#")[2]
                _set_up(client, token)
                yield ServedSchool(process, client, seconds)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def _await_ready(client: httpx2.Client) -> None:
    while True:
        try:
            if client.get("/readyz").status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.02)


def _set_up(client: httpx2.Client, token: str) -> None:
    body = {"token": token, "password": _PASSWORD, "login": "admin", "school": "見本中学校"}
    answer = client.post("/api/setup", json=body)
    assert answer.status_code == 201, answer.text
    client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]


def _descendants(pid: int) -> list[int]:
    children = [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and _parent(int(entry.name)) == pid
    ]
    return [one for child in children for one in (child, *_descendants(child))]


def _parent(pid: int) -> int | None:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return None


def _peak(pid: int) -> int | None:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    found = [line.split()[1] for line in lines if line.startswith("VmHWM")]
    return int(found[0]) * 1024 if found else None


def cores() -> int:
    """How many cores this machine has."""
    return os.cpu_count() or 1
