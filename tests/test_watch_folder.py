"""A watched folder gives each complete scan once, and nothing else."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from PIL import Image

from api.command_line import run
from api.taken_files import TakenFiles
from api.watch_folder import WatchFolder, WatchRules
from omr.errors import InputError
from omr.whole_file import is_whole_file
from tests.scan_files import GOOD_FILES, SHEET, encode, repeat_page
from tests.test_read_command import ROSTER, School, school

__all__ = ["school"]

JPEG = GOOD_FILES["jpeg"]
RULES = WatchRules(stable_seconds=3, give_up_seconds=60)


@pytest.mark.parametrize("kind", GOOD_FILES)
def test_a_file_is_whole_only_with_its_end(kind: str, tmp_path: Path) -> None:
    path, data = tmp_path / "scan", GOOD_FILES[kind]
    for size in (*range(1, len(data) - 12, max(1, len(data) // 50)), len(data) - 12):
        path.write_bytes(data[:size])
        assert not is_whole_file(path), size
        if data[:2] not in (b"II", b"MM"):  # their end is where the data are, whatever they are
            path.write_bytes(data[:size] + bytes(len(data) - size))  # some servers make room first
            assert not is_whole_file(path), size
    for end in (b"", b"\n", bytes(7)):
        path.write_bytes(data + end)
        assert is_whole_file(path)


def test_many_pages_and_other_things(tmp_path: Path) -> None:
    path = tmp_path / "scan"
    path.write_bytes(repeat_page(encode(SHEET, "TIFF"), 40))
    assert is_whole_file(path)
    for data in (
        b"PK\x03\x04",
        b"hello %%EOF",
        b"%PDF-1.4 1 0 obj <</Linearized 1/L 999>> startxref 0 %%EOF",
    ):
        path.write_bytes(data)
        assert not is_whole_file(path)


def test_what_is_no_scan_is_left_alone(tmp_path: Path) -> None:
    for name in ("a.tmp", "~$a.pdf", ".a.jpg", "Thumbs.db", "a.jpg.part", ".~lock.a.pdf#", "a.jpg.lock"):
        (tmp_path / name).write_bytes(JPEG)
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "a.jpg").write_bytes(JPEG)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.jpg").write_bytes(JPEG)
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "folder.pdf").mkdir()
    watch = WatchFolder(tmp_path, RULES, tmp_path / "out")
    assert [watch.poll(now) for now in (0.0, 10.0, 1000.0)] == [[], [], []]
    assert watch.give_up(1000.0) == []
    (tmp_path / "a.tmp").rename(tmp_path / "a.JPG")
    assert watch.poll(1001.0) == []
    assert watch.poll(1004.0) == [tmp_path / "a.JPG"]


def test_a_folder_that_is_away_for_a_moment_gives_nothing(tmp_path: Path) -> None:
    watch = WatchFolder(tmp_path / "share", RULES)
    assert watch.poll(0.0) == []
    (tmp_path / "share").mkdir()
    (tmp_path / "share" / "a.jpg").write_bytes(JPEG)
    watch.poll(1.0)
    assert watch.poll(4.0) == [tmp_path / "share" / "a.jpg"]


@dataclass
class _Upload:
    """A file as the test knows it: its bytes so far, when they last changed, and whether it was given so."""

    data: bytes
    changed: float
    given: bool = False


class Arrivals(RuleBasedStateMachine):
    """Uploads begin, go on, end, are renamed and written anew in any order while the folder is looked into."""

    @initialize()
    def start(self) -> None:
        import tempfile  # noqa: PLC0415

        self.temporary = tempfile.TemporaryDirectory()
        self.folder = Path(self.temporary.name)
        self.watch = WatchFolder(self.folder, RULES)
        self.now = 0.0
        self.stamp = 1_000_000_000
        self.files: dict[str, _Upload] = {}

    def _write(self, name: str, data: bytes) -> None:
        path = self.folder / name
        path.write_bytes(data)
        self.stamp += 1
        os.utime(path, (self.stamp, self.stamp))  # clocks of file systems may be coarse
        self.files[name] = _Upload(data, self.now)
        self.watch._look(self.now)  # noqa: SLF001  (the test's clock stands still between looks)

    @rule(name=st.sampled_from(["a.jpg", "b.jpg", "c.tmp"]), share=st.sampled_from([0.0, 0.3, 0.9, 1.0]))
    def upload(self, name: str, share: float) -> None:
        self._write(name, JPEG[: round(share * len(JPEG))])

    @rule()
    def rename_into_place(self) -> None:
        if "c.tmp" in self.files:
            (self.folder / "c.tmp").rename(self.folder / "c.jpg")
            self.files["c.jpg"] = _Upload(self.files.pop("c.tmp").data, self.now)
            self.watch._look(self.now)  # noqa: SLF001

    @rule(name=st.sampled_from(["a.jpg", "b.jpg", "c.jpg"]))
    def remove(self, name: str) -> None:
        if self.files.pop(name, None):
            (self.folder / name).unlink()
            self.watch._look(self.now)  # noqa: SLF001

    @rule(seconds=st.sampled_from([0.5, 1.0, 3.0, 70.0]))
    def wait_and_look(self, seconds: float) -> None:
        self.now += seconds
        given = self.watch.poll(self.now)
        stuck = self.watch.give_up(self.now)
        for name, file in self.files.items():
            waited, path = self.now - file.changed, self.folder / name
            scan = name.endswith(".jpg") and bool(file.data) and not file.given
            whole = file.data == JPEG
            assert (path in given) == (scan and whole and waited >= 3)
            assert (path in stuck) == (scan and not whole and waited >= 60)
            file.given |= path in given or path in stuck
        assert len(set(given) | set(stuck)) == len(given) + len(stuck)

    @invariant()
    def nothing_is_touched(self) -> None:
        if hasattr(self, "files"):
            assert {path.name for path in self.folder.iterdir()} == set(self.files)

    def teardown(self) -> None:
        if hasattr(self, "temporary"):
            self.temporary.cleanup()


TestArrivals = Arrivals.TestCase


def test_a_content_is_taken_once_whatever_its_name(tmp_path: Path) -> None:
    out, folder = tmp_path / "out", tmp_path / "in"
    out.mkdir()
    folder.mkdir()
    path = folder / "scan.jpg"
    path.write_bytes(JPEG)
    taken = TakenFiles(out)
    first = taken.take(path, "scan.jpg")
    assert first is not None
    assert first.path.read_bytes() == JPEG
    (folder / "copy.jpg").write_bytes(JPEG)
    assert taken.take(folder / "copy.jpg", "copy.jpg") is None
    path.write_bytes(encode(255 - SHEET, "JPEG"))
    second = taken.take(path, "scan.jpg")
    assert second is not None
    assert second.source == "scan (2).jpg"
    again = TakenFiles(out)
    assert again.start([]) == [first, second]
    assert again.take(path, "scan.jpg") is None
    assert sorted(one.name for one in (out / "watched").iterdir()) == sorted(
        [first.path.name, second.path.name]
    )


def test_a_list_that_is_no_list_says_so(tmp_path: Path) -> None:
    for text in ("", "[]", '{"files": [{"source": "a", "sha256": "b", "file": "../../x.jpg"}]}'):
        (tmp_path / "watched.json").write_text(text)
        with pytest.raises(InputError):
            TakenFiles(tmp_path)


def _watch(school: School, *scans: str) -> subprocess.Popen[str]:
    arguments = ["read", school.exam, *scans, "-o", str(school.folder / "out"), "--workers", "1"]
    arguments += ["--watch", str(school.folder / "in"), "--watch-settle", "0.3", "--watch-give-up", "1"]
    arguments += ["--roster", str(school.folder / "roster.csv"), "--crops"]
    code = "import sys; from api.command_line import run; sys.exit(run(sys.argv[1:]))"
    return subprocess.Popen([sys.executable, "-c", code, *arguments], stderr=subprocess.PIPE, text=True)


def _wait_for(school: School, count: int) -> list[dict[str, str]]:
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline:
        if (school.folder / "out" / "summary.json").is_file() and school.summary["pages"] == count:
            return school.rows("pages.csv")
        time.sleep(0.1)
    raise AssertionError(f"no {count} pages")


@pytest.mark.skipif(sys.platform == "win32", reason="no signal ends a process cleanly there from outside")
def test_scans_are_read_as_they_arrive_and_once_over_restarts(school: School) -> None:
    assert ROSTER
    folder = school.folder / "in"
    folder.mkdir()
    given = school.put("given.pdf", school.scan(0))
    (folder / "half.jpg").write_bytes(JPEG[:500])
    late = school.put("../in/late.tmp", school.scan(1))
    with _watch(school, str(given)) as process:
        _wait_for(school, 2)
        late.rename(folder / "late.pdf")
        rows = _wait_for(school, 3)
        assert [(row["source"], row["page"], row["status"]) for row in rows] == [
            ("given.pdf", "1", "read"),
            ("half.jpg", "0", "quarantined"),
            ("late.pdf", "1", "read"),
        ]
        assert "途中で切れている" in rows[1]["reason"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    (folder / "late.pdf").unlink()
    (school.folder / "out" / "summary.json").unlink()
    (folder / "copy of given.pdf").write_bytes(given.read_bytes())
    (folder / "half.jpg").write_bytes(encode(Image.fromarray(school.scan(2)), "JPEG"))
    with _watch(school, str(given)) as process:
        rows = _wait_for(school, 3)
        assert [(row["source"], row["status"]) for row in rows] == [
            ("given.pdf", "read"),
            ("late.pdf", "read"),
            ("half.jpg", "read"),
        ]
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()
    assert len(list((school.folder / "out" / "crops" / "3").iterdir())) == 3
    listed = json.loads((school.folder / "out" / "watched.json").read_text("utf-8"))["files"]
    assert [one["source"] for one in listed] == ["late.pdf", "half.jpg"]


def test_wrong_folders_end_in_one_sentence(school: School, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(school.folder / "out")
    assert run(["read", school.exam, "-o", out]) == 2
    assert run(["read", school.exam, "-o", out, "--watch", str(school.folder / "none")]) == 2
    assert run(["read", school.exam, "-o", out, "--watch", out]) == 2
    assert capsys.readouterr().err.count("\n") == 3
