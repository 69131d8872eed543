"""The watched folder of a served instance: complete scans come in once, and nothing else does."""

from __future__ import annotations

import hashlib
import json
import logging
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from api.drop_folder import DONE, FAILED, DropFolder, list_strays
from api.watch_folder import WatchRules
from sample_scans.sample_exam import FOLDER
from scoring.exam_state import ExamState
from scoring.storage import exams, scans
from scoring.storage.database import open_database
from tests.school_server import School, assert_problem, open_school
from tests.stored_things import add_school, bring_into, exam_toml, make_exam

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from scoring.storage.events import Deed
    from scoring.storage.exams import StoredExam
    from scoring.storage.scans import StoredFile

SCAN = (FOLDER / "scans" / "scan_0005.jpg").read_bytes()
CODE = "2026-DROP"
RULES = WatchRules(stable_seconds=3, give_up_seconds=60)


@dataclass
class Dropped:
    """A watched folder, the server that looks into it, and one exam."""

    school: School
    deed: Deed
    folder: Path
    drops: DropFolder
    exam: StoredExam
    now: float = 0.0

    def look(self, seconds: float = 4.0) -> None:
        """Let time pass, looking before and after."""
        self.drops.look(self.now)
        self.now += seconds
        self.drops.look(self.now)

    def files(self) -> Sequence[StoredFile]:
        """What was taken in."""
        with self.school.instance.database.read() as session:
            return scans.list_files(session, self.exam, None, None, 100)

    def names(self) -> set[str]:
        """All files below the watched folder."""
        return {one.relative_to(self.folder).as_posix() for one in self.folder.rglob("*") if one.is_file()}

    def strays(self) -> dict[str, str]:
        """Why which files are left."""
        return {one.path: one.reason for one in list_strays(self.school.instance, self.folder)}


@pytest.fixture
def dropped(tmp_path: Path) -> Iterator[Dropped]:
    folder = tmp_path / "drops"
    folder.mkdir()
    with closing(open_database(f"sqlite:///{tmp_path / 'saiten.sqlite3'}")) as database:
        deed = add_school(database, "kato")
        school = open_school(database, tmp_path)
        school.instance = replace(school.instance, drop_folder=folder)
        assert school.instance.school_id == deed.school_id
        with database.write() as session:
            exam = exams.add_exam(session, deed, make_exam(CODE))
        yield Dropped(school, deed, folder, DropFolder(school.instance, folder, RULES), exam)


def test_a_complete_file_is_taken_in_once_and_put_aside(dropped: Dropped) -> None:
    dropped.look()
    assert (dropped.folder / CODE).is_dir()
    (dropped.folder / CODE / "2年1組.jpg").write_bytes(SCAN)
    dropped.look()
    (file,) = dropped.files()
    assert (file.name, file.received_by, file.state) == ("2年1組.jpg", None, "received")
    assert dropped.school.instance.blobs.get(file.blob) == SCAN
    assert dropped.names() == {f"{CODE}/{DONE}/2年1組.jpg"}
    (dropped.folder / CODE / "2年1組.jpg").write_bytes(SCAN)
    dropped.look()
    assert dropped.files() == [file]
    assert dropped.names() == {f"{CODE}/{DONE}/2年1組.jpg", f"{CODE}/{DONE}/2年1組 (2).jpg"}
    assert dropped.strays() == {}


def test_a_half_written_file_waits_for_its_end(dropped: Dropped) -> None:
    dropped.look()
    path = dropped.folder / CODE / "slow.jpg"
    for size in (1000, 50_000, len(SCAN) - 1):
        path.write_bytes(SCAN[:size])
        dropped.look(30)
        assert dropped.files() == []
    path.write_bytes(SCAN)
    dropped.look()
    assert [one.blob for one in dropped.files()] == [hashlib.sha256(SCAN).hexdigest()]


def test_what_never_ends_or_is_no_scan_is_put_aside_with_a_word(dropped: Dropped) -> None:
    dropped.look()
    (dropped.folder / CODE / "half.jpg").write_bytes(SCAN[:5000])
    (dropped.folder / CODE / "notes.docx").write_bytes(b"PK\x03\x04")
    dropped.look(100)
    assert dropped.files() == []
    assert dropped.names() == {
        f"{CODE}/{FAILED}/half.jpg",
        f"{CODE}/{FAILED}/half.jpg.txt",
        f"{CODE}/notes.docx",
    }
    assert "終わり" in (dropped.folder / CODE / FAILED / "half.jpg.txt").read_text("utf-8-sig")
    assert list(dropped.strays()) == [f"{CODE}/notes.docx"]


def test_a_scan_of_an_exam_that_is_not_there_waits_until_there_is_one(
    dropped: Dropped, caplog: pytest.LogCaptureFixture
) -> None:
    lost, outside = dropped.folder / "2026-LATER" / "山田.jpg", dropped.folder / "佐藤.jpg"
    lost.parent.mkdir()
    for path in (lost, outside):
        path.write_bytes(SCAN)
    with caplog.at_level(logging.WARNING, "saiten.drops"):
        dropped.look()
        dropped.look()
    assert set(dropped.strays()) == {"2026-LATER/山田.jpg", "佐藤.jpg"}
    assert [one.message for one in caplog.records] == ["drop.stray", "drop.stray"]
    told = json.dumps([vars(one)["fields"] for one in caplog.records], ensure_ascii=False)
    assert "山田" not in told
    assert "佐藤" not in told
    with dropped.school.instance.database.write() as session:
        dropped.exam = exams.add_exam(session, dropped.deed, make_exam("2026-LATER"))
    dropped.look()
    assert [one.name for one in dropped.files()] == ["山田.jpg"]
    assert set(dropped.strays()) == {"佐藤.jpg"}


def test_a_confirmed_exam_takes_nothing_until_it_is_open_again(dropped: Dropped) -> None:
    database = dropped.school.instance.database
    with database.write() as session:
        stored = bring_into(session, dropped.deed, dropped.exam, ExamState.CONFIRMED)
    (dropped.folder / CODE).mkdir()
    (dropped.folder / CODE / "late.jpg").write_bytes(SCAN)
    dropped.look()
    assert dropped.files() == []
    assert "確定" in dropped.strays()[f"{CODE}/late.jpg"]
    with database.write() as session:
        exams.change_state(session, dropped.deed, stored, ExamState.GRADING, "遅れて出たため")
    dropped.look()
    assert [one.name for one in dropped.files()] == ["late.jpg"]


def test_stopped_between_keeping_and_moving_a_file_is_there_once(dropped: Dropped) -> None:
    dropped.look()
    (dropped.folder / CODE / "a.jpg").write_bytes(SCAN)
    with dropped.school.instance.database.write() as session:
        blob = dropped.school.instance.blobs.put(SCAN)
        scans.add_file(session, dropped.school.instance.deed(), dropped.exam, "a.jpg", blob, len(SCAN))
    DropFolder(dropped.school.instance, dropped.folder, RULES)
    dropped.look()
    assert len(dropped.files()) == 1
    assert dropped.names() == {f"{CODE}/{DONE}/a.jpg"}


def test_administrators_see_what_is_left(dropped: Dropped) -> None:
    administrator = dropped.school.administrator()
    teacher = dropped.school.teacher(administrator)
    administrator.send("POST", "/api/exams", content=exam_toml("2026-SEEN"))
    (dropped.folder / "unknown.jpg").write_bytes(SCAN)
    (left,) = administrator.get("/api/dropped").json()
    assert (left["path"], left["size"]) == ("unknown.jpg", len(SCAN))
    assert left["reason"].endswith("。")
    assert_problem(teacher.get("/api/dropped"), 403)
