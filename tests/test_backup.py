"""Backups of real databases and blobs: SQLite files, and under the mark `system` PostgreSQL."""

from __future__ import annotations

import datetime
import hashlib
import json
import random
import shutil
import subprocess
import sys
import time
import zipfile
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import (
    JSON,
    Date,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    String,
    create_engine,
    insert,
    inspect,
    text,
)

from api.command_line import run
from omr.errors import InputError, Refused
from scoring.storage.backup import make_backup
from scoring.storage.backup_file import new_backup_file
from scoring.storage.blobs import FolderBlobs
from scoring.storage.columns import new_id
from scoring.storage.database import connect_database, database_in, open_database
from scoring.storage.migration import bring_up_to_date, current_revision, revisions
from scoring.storage.restore import RestoreTarget, restore_backup
from scoring.storage.schema import BLOB_COLUMNS, METADATA
from scoring.storage.table_rows import lines_of, tables_of
from tests.postgres import new_database
from tests.stored_things import add_school

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Table
    from sqlalchemy.engine import URL, Engine


def new_address(kind: str, request: pytest.FixtureRequest, folder: Path) -> str:
    """The address of an empty database."""
    if kind == "sqlite":
        return f"sqlite:///{folder / f'{new_id()}.sqlite3'}"
    return new_database(request.getfixturevalue("postgres"))


def fill(engine: Engine, rows: int = 3) -> None:
    """Put rows into every table, whatever tables there are: each refers to those of its number."""
    with engine.begin() as connection:
        ids: dict[str, list[str]] = {}
        for table in tables_of(connection):
            made = [_row(table, number, ids, connection.dialect.name) for number in range(rows)]
            connection.execute(insert(table), made)
            ids[table.name] = [one["id"] for one in made]
        # An earlier row that refers to a later one of its own table, as a clock that was set back makes them.
        later = text("UPDATE exams SET copied_from = (SELECT max(id) FROM exams) WHERE id = :id")
        connection.execute(later, {"id": ids["exams"][0]})


def _row(table: Table, number: int, ids: dict[str, list[str]], dialect: str) -> dict[str, Any]:
    chance = random.Random(f"{table.name} {number}")
    now = datetime.datetime(2026, 11, 27, 3, 0, number, 250, datetime.UTC)
    of_type: dict[type, Any] = {
        JSON: {"答え": [1, 2.5, None, "\u2028"]} if number else JSON.NULL,
        DateTime: now.replace(tzinfo=None) if dialect == "sqlite" else now,
        Date: now.date(),
        LargeBinary: chance.randbytes(40),
        Float: chance.random(),
        Integer: chance.getrandbits(30),
        String: f'採点 "\\" \n {number} {chance.random()}',
    }
    row: dict[str, Any] = {}
    for column in table.columns:
        if column.name == "id":
            row["id"] = f"{number}{chance.getrandbits(100):025x}"
        elif column.nullable and number == 2:
            row[column.name] = None
        elif column.foreign_keys:
            (key,) = column.foreign_keys
            others = ids.get(key.column.table.name)
            row[column.name] = others[number] if others else None
        elif (table.name, column.name) in BLOB_COLUMNS:
            row[column.name] = hashlib.sha256(_blob(number)).hexdigest()
        else:
            row[column.name] = next(one for kind, one in of_type.items() if isinstance(column.type, kind))
    return row


def _blob(number: int) -> bytes:
    return random.Random(number).randbytes(9_000_000 if number == 0 else 1000)


def contents(address: str | URL) -> dict[str, tuple[int, str]]:
    """The number of rows and the hash of the rows of every table."""
    with closing(connect_database(address)) as database, database.engine.connect() as connection:
        lines = {table.name: list(lines_of(connection, table)) for table in tables_of(connection)}
    return {name: (len(some) - 1, hashlib.sha256(b"".join(some)).hexdigest()) for name, some in lines.items()}


@pytest.fixture
def school(tmp_path: Path) -> Path:
    """The data folder of an instance with rows in every table, and their blobs."""
    data = tmp_path / "school"
    data.mkdir()
    with closing(open_database(database_in(data))) as database:
        fill(database.engine)
    FolderBlobs(data / "blobs").put_many([_blob(number) for number in range(3)])
    return data


@pytest.fixture
def copy(school: Path, tmp_path: Path) -> Path:
    """A backup of that instance."""
    file = tmp_path / "backup.zip"
    assert run(["backup", str(file), "--data", str(school)]) == 0
    return file


def test_what_is_restored_is_what_was_there(school: Path, copy: Path, tmp_path: Path) -> None:
    new = tmp_path / "new"
    assert run(["restore", str(copy), "--data", str(new)]) == 0
    before, after = contents(database_in(school)), contents(database_in(new))
    assert before == after
    assert before.keys() == METADATA.tables.keys()
    assert {count for count, _ in before.values()} == {3}
    blobs = FolderBlobs(new / "blobs")
    assert [blobs.get(one) for one in blobs.digests()] == sorted(
        (_blob(number) for number in range(3)), key=lambda one: hashlib.sha256(one).hexdigest()
    )
    assert sorted(one.name for one in new.iterdir()) == ["blobs", "saiten.sqlite3"]
    with (
        pytest.raises(Refused),
        closing(open_database(database_in(new))) as database,
        database.write() as session,
    ):
        session.execute(text("DELETE FROM judgements"))  # still only added to


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("sqlite", "sqlite"),
        pytest.param("sqlite", "postgresql", marks=pytest.mark.system),
        pytest.param("postgresql", "sqlite", marks=pytest.mark.system),
        pytest.param("postgresql", "postgresql", marks=pytest.mark.system),
    ],
)
@pytest.mark.parametrize("revision", revisions())
def test_from_every_database_and_revision_to_every_database(
    request: pytest.FixtureRequest, tmp_path: Path, source: str, target: str, revision: str
) -> None:
    old, new = (new_address(kind, request, tmp_path) for kind in (source, target))
    with closing(connect_database(old)) as database:
        bring_up_to_date(database.engine, revision)
        fill(database.engine)
        manifest = make_backup(database, FolderBlobs(tmp_path / "blobs"), tmp_path / "backup.zip")
        with database.engine.connect() as connection:
            assert current_revision(connection) == manifest.revision == revision  # a backup migrates nothing
            before = {
                table.name: len(list(lines_of(connection, table))) - 1 for table in tables_of(connection)
            }
        open_database(old).close()
    now = {name: count for name, (count, _) in contents(old).items()}
    assert now.items() >= before.items()  # migrated with their rows, all of them
    assert set(before.values()) == {3}
    restore_backup(tmp_path / "backup.zip", RestoreTarget(tmp_path / "new", new))
    assert contents(new) == contents(old)
    with pytest.raises(InputError, match=r"データベース .* は空ではありません"):
        restore_backup(tmp_path / "backup.zip", RestoreTarget(tmp_path / "other", new))
    assert not list((tmp_path / "other").iterdir())


WRITER = """
import sys
from pathlib import Path
from scoring.storage import exams
from scoring.storage.blobs import FolderBlobs
from scoring.storage.changes import note_change
from scoring.storage.database import open_database
from scoring.storage.events import Deed
from scoring.storage.columns import utc_now
from scoring.storage.scan_tables import ScanFileRow
from tests.stored_things import make_exam
address, school, account, folder = sys.argv[1:]
database, blobs = open_database(address), FolderBlobs(Path(folder))
for number in range(100_000):
    blob = blobs.put(b"%d" % number)
    deed = Deed(school, account, utc_now())
    with database.write() as session:
        exam = exams.add_exam(session, deed, make_exam(f"E-{number}"))
        session.add(ScanFileRow(school_id=school, school_year=2026, exam_id=exam.id, name="a.pdf", blob=blob, size=1,
                                state="received", received_at=deed.at, received_by=account))
        session.flush()
        note_change(session, deed, exam.id, "file.received", {})
    print(number, flush=True)
"""


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.system)])
def test_a_backup_while_others_write_is_of_one_moment(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str
) -> None:
    address = new_address(kind, request, tmp_path)
    blobs = FolderBlobs(tmp_path / "blobs")
    with closing(open_database(address)) as database:
        deed = add_school(database)
        command = [sys.executable, "-c", WRITER, address, deed.school_id, deed.by, str(blobs.folder)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            for _ in range(5):
                assert writer.stdout.readline()
            manifests = [make_backup(database, blobs, tmp_path / f"{number}.zip") for number in range(2)]
            assert writer.stdout.readline()  # was not stopped by it
            writer.kill()
    for number, manifest in enumerate(manifests):
        new = tmp_path / f"new-{number}"
        restore_backup(tmp_path / f"{number}.zip", RestoreTarget(new))
        rows = {name: count for name, (count, _) in contents(database_in(new)).items()}
        together = {rows[name] for name in ("exams", "exam_versions", "exam_changes", "scan_files", "events")}
        assert len(together) == 1
        assert together.pop() >= 5
        assert manifest.damaged == ()


def test_a_byte_that_changed_is_noticed_wherever_it_is(copy: Path, tmp_path: Path) -> None:
    whole = copy.read_bytes()
    chance = random.Random(5)
    with zipfile.ZipFile(copy) as archive:
        places = [
            one.header_offset + 12 for one in archive.infolist()
        ]  # in what the zip format itself does not check
    for place in [0, 5, *places[::6], *(chance.randrange(len(whole)) for _ in range(12)), len(whole) - 1]:
        damaged = bytearray(whole)
        damaged[place] ^= 1 << chance.randrange(8)
        (tmp_path / "damaged.zip").write_bytes(damaged)
        assert _told(tmp_path / "damaged.zip", tmp_path / "new").endswith("。"), place
    for length in (0, 10, len(whole) // 2, len(whole) - 1):
        (tmp_path / "damaged.zip").write_bytes(whole[:length])
        _told(tmp_path / "damaged.zip", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def _told(file: Path, data: Path, **more: str) -> str:
    """Why a backup is not restored."""
    with pytest.raises(InputError) as refused:
        restore_backup(file, RestoreTarget(data, **more))
    return str(refused.value)


def test_other_files_are_no_backups(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("a", "b")
    (tmp_path / "text").write_text("a" * 1000)
    assert "壊れています" in _told(tmp_path / "other.zip", tmp_path / "new")
    assert "バックアップではありません" in _told(tmp_path / "text", tmp_path / "new")
    assert "がありません" in _told(tmp_path / "nothing.zip", tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("changed", [{"revision": "9999"}, {"format": 2, "more": "unknown"}])
def test_a_backup_of_a_newer_version(copy: Path, tmp_path: Path, changed: dict[str, Any]) -> None:
    with zipfile.ZipFile(copy) as archive, new_backup_file(tmp_path / "newer.zip") as newer:
        manifest = json.loads(archive.read("manifest.json")) | changed
        newer.writestr("manifest.json", json.dumps(manifest))
    assert "新しい版" in _told(tmp_path / "newer.zip", tmp_path / "new")


def test_nothing_is_restored_over_something(copy: Path, school: Path, tmp_path: Path) -> None:
    before = contents(database_in(school))
    assert "空ではありません" in _told(copy, school)
    assert contents(database_in(school)) == before
    assert "--data" in _told(copy, copy)
    (tmp_path / "empty").mkdir()
    restore_backup(copy, RestoreTarget(tmp_path / "empty"))


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.system)])
def test_where_it_fails_everything_is_empty_again(
    request: pytest.FixtureRequest, copy: Path, tmp_path: Path, kind: str
) -> None:
    """A backup that is whole but says of its last blob something else: it fails after all rows."""
    with zipfile.ZipFile(copy) as archive, new_backup_file(tmp_path / "wrong.zip") as wrong:
        for name in archive.namelist():
            content = archive.read(name)
            wrong.writestr(name, content[:-1] if name.startswith("blobs/") else content)
    address = new_address(kind, request, tmp_path)
    assert "壊れています" in _told(tmp_path / "wrong.zip", tmp_path / "new", database=address)
    assert not list((tmp_path / "new").iterdir())
    with closing(connect_database(address)) as database:
        assert inspect(database.engine).get_table_names() == []
    restore_backup(copy, RestoreTarget(tmp_path / "new", address))


def test_killed_in_the_middle_it_can_be_restored_again(school: Path, copy: Path, tmp_path: Path) -> None:
    new, start = tmp_path / "new", "from api.command_line import main; main()"
    for seconds in (0.0, 0.15):
        command = [sys.executable, "-c", start, "restore", str(copy), "--data", str(new)]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as restoring:
            while restoring.poll() is None and not (new / ".restoring").exists():
                time.sleep(0.001)
            time.sleep(seconds)
            restoring.kill()
        if restoring.returncode == 0:  # it was quicker
            shutil.rmtree(new)
        else:
            assert not (new / "saiten.sqlite3").exists()
    restore_backup(copy, RestoreTarget(new))
    assert contents(database_in(new)) == contents(database_in(school))


def test_damaged_and_missing_blobs_are_named(
    school: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    digests = list(FolderBlobs(school / "blobs").digests())
    paths = [school / "blobs" / one[:2] / one[2:4] / one for one in digests]
    paths[0].write_bytes(b"something else")
    paths[1].unlink()
    assert run(["backup", str(tmp_path / "backup.zip"), "--data", str(school)]) == 0
    assert "2 個" in capsys.readouterr().err
    restore_backup(tmp_path / "backup.zip", RestoreTarget(tmp_path / "new"))
    assert list(FolderBlobs(tmp_path / "new" / "blobs").digests()) == digests[2:]


def test_a_backup_of_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["backup", str(tmp_path / "backup.zip"), "--data", str(tmp_path / "nothing")]) == 2
    assert "がありません" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
    create_engine(f"sqlite:///{tmp_path / 'saiten.sqlite3'}").connect().close()
    assert run(["backup", str(tmp_path / "backup.zip"), "--data", str(tmp_path)]) == 2
    assert not (tmp_path / "backup.zip").exists()


def test_every_column_of_blobs_is_known() -> None:
    named = {
        (table.name, column.name)
        for table in METADATA.tables.values()
        for column in table.columns
        if "blob" in column.name or column.name == "atlas"
    }
    assert named == BLOB_COLUMNS
