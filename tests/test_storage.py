"""Exams and rosters in real databases: SQLite files, and under the mark `system` PostgreSQL."""

from __future__ import annotations

import datetime
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, delete, func, select, text, update
from sqlalchemy.exc import DBAPIError

import scoring.storage.migrations
from omr.errors import InputError, Refusal, Refused
from scoring.exam_state import ExamState
from scoring.roster import Roster
from scoring.roster_changes import compare_rosters
from scoring.storage import exams, rosters
from scoring.storage.columns import new_id, school_year_of
from scoring.storage.database import Database, database_in, open_database
from scoring.storage.migration import bring_up_to_date, revisions
from scoring.storage.schema import METADATA
from scoring.storage.tables import EventRow, ExamRow, ExamStateRow, ExamVersionRow, StudentRow
from tests.stored_things import ROSTER, add_school, bring_into, make_exam, make_roster

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from scoring.storage.events import Deed

WRITER = """
import sys, time
from scoring.storage import exams
from scoring.storage.database import open_database
from scoring.storage.events import Deed
from scoring.storage.columns import utc_now
from tests.stored_things import make_exam
address, school, account, name, count = sys.argv[1:]
database = open_database(address)
for number in range(int(count)):
    with database.write() as session:
        exams.add_exam(session, Deed(school, account, utc_now()), make_exam(f"{name}-{number}"))
    print(number, flush=True)
"""


def test_every_change_of_an_exam_is_a_row_and_points_are_exact(database: Database) -> None:
    deed = add_school(database)
    with database.write() as session:
        first = exams.add_exam(session, deed, make_exam(points="0.1"))
    with database.write() as session:
        now = exams.find_exam_to_change(session, deed.school_id, first.id, first.tag)
        exams.replace_exam(session, deed, now, make_exam(points="0.3"))
    with database.read() as session:
        stored = exams.find_exam(session, deed.school_id, first.id)
        documents = session.scalars(select(ExamVersionRow.document).order_by(ExamVersionRow.number)).all()
        done = session.scalars(select(EventRow.what).order_by(EventRow.id)).all()
    assert (first.max_points, stored.max_points, stored.version) == (Decimal("0.1"), Decimal("0.3"), 2)
    assert (stored.exam, stored.school_year) == (make_exam(points="0.3"), 2026)
    assert ["points = 0.1" in documents[0], "points = 0.3" in documents[1]] == [True, True]
    assert sorted(done) == ["exam.created", "exam.replaced"]


def test_who_saw_an_earlier_exam_changes_nothing(database: Database) -> None:
    deed = add_school(database)
    with database.write() as session:
        seen = exams.add_exam(session, deed, make_exam())
        exams.replace_exam(session, deed, seen, make_exam(points="3"))
    with pytest.raises(Refused) as refused, database.write() as session:
        exams.find_exam_to_change(session, deed.school_id, seen.id, seen.tag)
    assert refused.value.refusal is Refusal.STALE


def test_two_exams_with_one_id_are_refused(database: Database) -> None:
    deed = add_school(database)
    with database.write() as session:
        exams.add_exam(session, deed, make_exam())
    with pytest.raises(Refused) as refused, database.write() as session:
        exams.add_exam(session, deed, make_exam())
    assert refused.value.refusal is Refusal.ALREADY_THERE


def test_another_school_sees_nothing(database: Database) -> None:
    deed, other = add_school(database), add_school(database, "suzuki")
    with database.write() as session:
        stored = exams.add_exam(session, deed, make_exam())
    with database.read() as session:
        assert exams.list_exams(session, other.school_id, None, None, 10) == []
        with pytest.raises(Refused):
            exams.find_exam(session, other.school_id, stored.id)


def test_an_exam_goes_onward_freely_and_back_for_a_reason(database: Database) -> None:
    deed = add_school(database)
    with database.write() as session:
        stored = exams.add_exam(session, deed, make_exam())
        stored = exams.change_state(session, deed, stored, ExamState.GRADING, None)
        with pytest.raises(Refused, match="まだ1枚もありません"):
            exams.change_state(session, deed, stored, ExamState.CONFIRMED, None)
        stored = bring_into(session, deed, stored, ExamState.CONFIRMED)
        stored = exams.change_state(session, deed, stored, ExamState.RETURNED, None)
        with pytest.raises(Refused, match="採点中"):
            exams.replace_exam(session, deed, stored, make_exam(points="9"))
        with pytest.raises(Refused, match="理由"):
            exams.change_state(session, deed, stored, ExamState.GRADING, " ")
        stored = exams.change_state(session, deed, stored, ExamState.GRADING, "問3の別解")
        with pytest.raises(Refused, match="次は「確定」"):
            exams.change_state(session, deed, stored, ExamState.RETURNED, None)
        said = [(one.state, one.reason) for one in exams.list_states(session, stored)]
    assert [state for state, _ in said] == ["preparing", "grading", "confirmed", "returned", "grading"]
    assert said[-1][1] == "問3の別解"


@pytest.mark.parametrize("table", [ExamVersionRow, ExamStateRow, EventRow])
def test_the_database_itself_keeps_what_was_added(
    database: Database, table: type[ExamVersionRow | ExamStateRow | EventRow]
) -> None:
    deed = add_school(database)
    with database.write() as session:
        exams.add_exam(session, deed, make_exam())
    for statement in (update(table).values(school_year=1), delete(table)):
        with pytest.raises(Refused), database.write() as session:
            session.execute(statement)
    with database.read() as session:
        assert session.scalars(select(table.school_year)).all() == [2026]


def _apply(database: Database, deed: Deed, text_of_roster: str) -> rosters.StoredRoster:
    with database.write() as session:
        now = rosters.find_roster(session, deed.school_id, 2026)
        new = make_roster(text_of_roster)
        digest = compare_rosters(now.roster, new).digest
        return rosters.apply_roster(session, deed, 2026, new, version=now.version, confirmed=digest)[0]


def test_rosters(database: Database) -> None:
    deed = add_school(database)
    assert _apply(database, deed, ROSTER).version == 1
    moved = ROSTER.replace("s-2,2,1,2", "s-2,2,2,2").replace("s-3,2,2,1,試験 三郎,しけん さぶろう\n", "")
    moved += "s-4,2,1,2,転入 四郎,てんにゅう しろう\n"
    changes = compare_rosters(make_roster(), make_roster(moved))
    assert [one.student_id for one in changes.joined] == ["s-4"]
    assert [one.student_id for one in changes.left] == ["s-3"]
    assert [(one.before.class_name, one.after.class_name) for one in changes.changed] == [("1", "2")]
    assert changes.unchanged == 1
    _apply(database, deed, moved)
    with database.read() as session:
        assert rosters.find_roster(session, deed.school_id, 2026).roster == make_roster(moved)
        assert rosters.find_roster(session, deed.school_id, 2025).roster == Roster(())
        gone = session.scalar(select(StudentRow).where(StudentRow.student_id == "s-3"))
        assert gone is not None
        assert gone.left_at == deed.at
    assert _apply(database, deed, ROSTER).version == 3  # who comes back is the same row
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(StudentRow)) == 4


def test_a_roster_that_was_not_confirmed_is_not_applied(database: Database) -> None:
    deed = add_school(database)
    digest = compare_rosters(Roster(()), make_roster()).digest
    fewer = make_roster("\n".join(ROSTER.splitlines()[:-1]))
    for roster, version in ((fewer, 0), (make_roster(), 1)):
        with pytest.raises(Refused), database.write() as session:
            rosters.apply_roster(session, deed, 2026, roster, version=version, confirmed=digest)


def test_two_processes_write_at_once(database: Database, address: str) -> None:
    deed = add_school(database)
    with _writer(address, deed, "A", 15) as one, _writer(address, deed, "B", 15) as other:
        assert [one.wait(60), other.wait(60)] == [0, 0]
    with database.read() as session:
        counts = [session.scalar(select(func.count()).select_from(one)) for one in (ExamRow, ExamStateRow)]
    assert counts == [30, 30]


def test_killed_in_the_middle_of_writing_nothing_is_half_done(database: Database, address: str) -> None:
    deed = add_school(database)
    said = 0
    for attempt, lines in enumerate((3, 7)):
        with _writer(address, deed, f"K{attempt}", 10_000) as writer:
            assert writer.stdout is not None
            for _ in range(lines):
                assert writer.stdout.readline()
                said += 1
            time.sleep(0.004 * attempt)
            writer.kill()
            said += len(writer.stdout.read().splitlines())
    with database.read() as session:
        counts = {
            session.scalar(select(func.count()).select_from(one))
            for one in (ExamRow, ExamVersionRow, ExamStateRow, EventRow)
        }
    assert len(counts) == 1
    assert said <= counts.pop() <= said + 2  # type: ignore[operator]  # what was told is there, and at most one more each


def _writer(address: str, deed: Deed, name: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, address, deed.school_id, deed.by, name, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_a_write_waits_for_another_and_says_so_if_it_takes_too_long(tmp_path: Path) -> None:
    file = tmp_path / "saiten.sqlite3"
    address = f"sqlite:///{file}"
    with (
        closing(open_database(address)) as patient,
        closing(open_database(address, busy_seconds=0.05)) as impatient,
        closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as other,
    ):
        deed = add_school(patient)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Refused) as refused, impatient.write() as session:
            exams.add_exam(session, deed, make_exam("2026-A"))
        assert refused.value.refusal is Refusal.BUSY
        end = threading.Timer(0.3, other.execute, ["COMMIT"])
        end.start()
        with patient.write() as session:
            exams.add_exam(session, deed, make_exam("2026-B"))
        end.join()


def test_sqlite_is_set_to_keep_what_it_said(tmp_path: Path) -> None:
    names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    with (
        closing(open_database(f"sqlite:///{tmp_path / 'a.sqlite3'}")) as database,
        database.read() as session,
    ):
        assert [session.scalar(text(f"PRAGMA {name}")) for name in names] == ["wal", 2, 1, 30000]


def test_migrations_make_the_tables_that_the_code_speaks_of(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []


def test_migrations_are_named_by_their_revisions() -> None:
    scripts = ScriptDirectory(Path(scoring.storage.migrations.__path__[0]))
    assert tuple(reversed([one.revision for one in scripts.walk_revisions()])) == revisions()


@pytest.mark.parametrize("revision", revisions())
def test_every_earlier_schema_comes_up_to_date_with_its_data(tmp_path: Path, revision: str) -> None:
    address = f"sqlite:///{tmp_path / 'saiten.sqlite3'}"
    engine = create_engine(address)
    bring_up_to_date(engine, revision)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO schools VALUES ('s', '見本中学校', '2026-04-01 00:00:00')"))
        connection.execute(
            text(
                "INSERT INTO accounts (id, school_id, school_year, login, role, created_at, version) "
                "VALUES ('a', 's', 2026, 'tanaka', 'teacher', '2026-04-01 00:00:00', 1)"
            )
        )
    engine.dispose()
    with closing(open_database(address)) as database, database.read() as session:
        assert session.execute(text("SELECT login, role FROM accounts")).all() == [("tanaka", "teacher")]
        assert session.execute(text("PRAGMA foreign_key_check")).all() == []


def test_data_of_a_newer_version_are_left_alone(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'saiten.sqlite3'}"
    with closing(open_database(address)) as database, database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(InputError, match="新しい版"):
        open_database(address)


@pytest.mark.parametrize(
    "address",
    ["", "nonsense", "mysql://a@b/c", "sqlite://", "sqlite:////nowhere/at/all.sqlite3", "postgresql://:x/y"],
)
def test_addresses_that_make_no_sense(address: str) -> None:
    with pytest.raises(InputError, match=r"。$"):
        open_database(address)


def test_servers_that_start_at_once_make_the_tables_once(address: str) -> None:
    with ThreadPoolExecutor(6) as starting:
        for database in starting.map(open_database, [address] * 6):
            with closing(database), database.read() as session:
                assert session.execute(text("SELECT version_num FROM alembic_version")).all() == [
                    (revisions()[-1],)
                ]


def test_a_folder_of_any_name(tmp_path: Path) -> None:
    folder = tmp_path / "採点?a=b#c%20d"
    folder.mkdir()
    with closing(open_database(database_in(folder))) as database:
        add_school(database)
    assert (folder / "saiten.sqlite3").is_file()


def test_a_text_file_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no database at all, but long enough to look at" * 30)
    with pytest.raises(InputError, match="開けません"):
        open_database(f"sqlite:///{tmp_path / 'notes.txt'}")


@pytest.mark.parametrize(
    ("moment", "year"),
    [("2027-03-31T14:59:59+00:00", 2026), ("2027-03-31T15:00:00+00:00", 2027)],
)
def test_the_school_year_begins_in_april_in_japan(moment: str, year: int) -> None:
    assert school_year_of(datetime.datetime.fromisoformat(moment)) == year


def test_ids_sort_in_the_order_in_which_they_are_made() -> None:
    made = []
    for _ in range(3):
        made.append(new_id())
        time.sleep(0.002)
    assert made == sorted(made)
    assert {len(one) for one in made} == {26}


def test_what_a_failed_write_did_is_undone(database: Database) -> None:
    deed = add_school(database)
    with pytest.raises(Refused), database.write() as session:
        _add_twice(session, deed)
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(ExamRow)) == 0


def _add_twice(session: Session, deed: Deed) -> None:
    for _ in range(2):
        exams.add_exam(session, deed, make_exam())


def test_errors_of_the_driver_stay_inside(database: Database) -> None:
    with pytest.raises(Refused) as refused, database.read() as session:
        session.execute(text("SELECT * FROM nowhere"))
    assert isinstance(refused.value.__cause__, DBAPIError)
