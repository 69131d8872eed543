"""Work at scans in real databases: taken by lease, read and sorted as `saiten read` does, kept once."""

from __future__ import annotations

import datetime
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event, func, select, update

from api.intake_worker import Step
from omr.errors import PageSetAside, Refused, Trouble
from omr.layout import QuestionKind
from omr.reading import AnswerReading, PageReading, PageStatus, ReadingStatus
from scoring.exam_reader import PageBatch, PictureInAtlas, ReadPart, StoredAnswer
from scoring.exam_state import ExamState
from scoring.storage.columns import new_id
from scoring.storage.kept_work import keep_batch, keep_page_count, keep_refused_file
from scoring.storage.leases import Ending, give_back, give_back_all_of, put_off
from scoring.storage.scan_tables import (
    IntakeRow,
    PageReadingRow,
    ScanPageRow,
)
from scoring.storage.work import BATCH_PAGES, CountPages, ReadPages, SortPages, claim, reread
from tests.intakes import Intake, open_intake
from tests.stored_things import bring_into

if TYPE_CHECKING:
    from pathlib import Path

    from scoring.storage.database import Database

NOW = datetime.datetime(2026, 11, 27, 9, 0, tzinfo=datetime.UTC)
SMALL = ("scan_0005.jpg", "scan_0006.jpg")


@pytest.fixture
def intake(database: Database, tmp_path: Path) -> Intake:
    return open_intake(database, tmp_path)


def later(**time: float) -> datetime.datetime:
    return NOW + datetime.timedelta(**time)


def count_pages(intake: Intake, pages: int, worker: str = "w.0") -> str:
    """Let a file be counted whose pages nobody opens; returns its id."""
    (file_id,) = intake.add(new_id().encode())
    taken = claim(intake.database, worker, NOW)
    assert isinstance(taken, CountPages)
    with intake.database.write() as session:
        assert keep_page_count(session, NOW, taken, pages)
    return file_id


def read_batch(taken: ReadPages) -> PageBatch:
    """What a reader could have said of the pages: two answers each."""
    parts = []
    for page in taken.pages:
        answers = tuple(
            AnswerReading(question, QuestionKind.TEXT, ReadingStatus.DOUBTFUL, None, (1.5,), "reader 1")
            for question in ("1-1", "1-2")
        )
        reading = PageReading(PageStatus.READ, sheet_page=1, answers=answers)
        stored = tuple(
            StoredAnswer(one, None, (), None, PictureInAtlas("a" * 64, 0, 0, 8, 8, f"{page.number}"))
            for one in answers
        )
        parts.append(ReadPart(page.id, 0, reading, stored))
    return PageBatch(tuple(parts), {})


def keep(intake: Intake, taken: ReadPages, at: datetime.datetime = NOW) -> int:
    with intake.database.write() as session:
        return keep_batch(session, at, taken, read_batch(taken), exam_version=1, layout_number=0)


def take_pages(intake: Intake, worker: str, at: datetime.datetime = NOW) -> ReadPages:
    taken = claim(intake.database, worker, at)
    assert isinstance(taken, ReadPages)
    return taken


def numbers(taken: ReadPages) -> list[int]:
    return [page.number for page in taken.pages]


def readings(intake: Intake) -> int:
    with intake.database.read() as session:
        return session.scalars(select(func.count()).select_from(PageReadingRow)).one()


def test_files_then_pages_in_their_order_then_sorting(intake: Intake) -> None:
    count_pages(intake, 60)
    assert numbers(take_pages(intake, "w.1")) == list(range(1, 26))
    assert numbers(take_pages(intake, "w.2")) == list(range(26, 51))
    (second,) = intake.add(b"another")
    counting = claim(intake.database, "w.3", NOW)
    assert isinstance(counting, CountPages)
    assert counting.file_id == second
    last = take_pages(intake, "w.4")
    assert numbers(last) == list(range(51, 61))
    with intake.database.write() as session:
        aside = PageSetAside(Trouble.UNREADABLE_FILE, "開けません。")
        assert keep_refused_file(session, NOW, counting, aside)
    assert keep(intake, last) == 10


def test_nothing_is_taken_twice_by_many_at_once(intake: Intake) -> None:
    count_pages(intake, 200)

    def take_some(worker: int) -> list[str]:
        mine = []
        for turn in range(4):
            taken = claim(intake.database, f"w.{worker}.{turn}", NOW)
            if isinstance(taken, ReadPages):
                mine += [page.id for page in taken.pages]
        return mine

    with ThreadPoolExecutor(4) as pool:
        taken = [page for some in pool.map(take_some, range(4)) for page in some]
    assert len(taken) == len(set(taken)) == 200


def test_work_of_a_lost_lease_is_dropped_and_work_kept_twice_is_kept_once(intake: Intake) -> None:
    count_pages(intake, 10)
    slow = take_pages(intake, "slow.1")
    assert not isinstance(claim(intake.database, "early.1", later(seconds=119)), ReadPages)
    at = later(seconds=121)
    quick = take_pages(intake, "quick.1", at)
    assert [page.id for page in quick.pages] == [page.id for page in slow.pages]
    assert keep(intake, slow, at) == 0
    assert keep(intake, quick, at) == 10
    assert keep(intake, quick, at) == keep(intake, slow, at) == 0
    assert readings(intake) == 10
    assert {page.state for page in intake.pages()} == {"read"}


def test_work_done_late_is_kept_where_nobody_took_over(intake: Intake) -> None:
    count_pages(intake, 3)
    slow = take_pages(intake, "slow.1")
    assert keep(intake, slow, later(hours=1)) == 3


def test_what_a_person_changed_meanwhile_is_not_overwritten(intake: Intake) -> None:
    """A page that is to be read by new hints, and one that was dropped."""
    count_pages(intake, 3)
    taken = take_pages(intake, "w.1")
    first, second, _ = intake.pages()
    with intake.database.write() as session:
        again = update(ScanPageRow).where(ScanPageRow.id == first.id)
        session.execute(again.values(hints={"turn": 180}, lease_owner=None, lease_until=None))
        session.execute(update(ScanPageRow).where(ScanPageRow.id == second.id).values(status="dropped"))
    assert keep(intake, taken) == 2
    assert [(one.state, one.status) for one in intake.pages()] == [
        ("waiting", None),
        ("read", "dropped"),
        ("read", "read"),
    ]


def test_a_clock_set_back_stops_nothing(intake: Intake) -> None:
    count_pages(intake, 3)
    take_pages(intake, "before.1", NOW)
    back = NOW - datetime.timedelta(days=400)
    taken = take_pages(intake, "after.1", back)
    assert keep(intake, taken, back) == 3


@pytest.mark.parametrize("ending", Ending)
def test_what_a_worker_was_at_is_free_at_once(intake: Intake, ending: Ending) -> None:
    count_pages(intake, 30)
    take_pages(intake, "gone.1")
    kept = take_pages(intake, "other.1")
    assert give_back(intake.database, "gone.1", ending) == 25
    assert numbers(take_pages(intake, "next.1")) == list(range(1, 26))
    assert keep(intake, kept) == 5


def test_what_the_workers_of_a_killed_supervisor_were_at_is_free(intake: Intake) -> None:
    count_pages(intake, 60)
    for worker in ("gone.1", "gone.2", "other.1"):
        take_pages(intake, worker)
    assert give_back_all_of(intake.database, "gone") == 50


def test_a_page_at_which_workers_die_is_taken_alone_and_then_set_aside(intake: Intake) -> None:
    count_pages(intake, 4)
    begun: Counter[int] = Counter()
    for turn in range(40):
        taken = claim(intake.database, f"w.{turn}", NOW)
        if not isinstance(taken, ReadPages):
            break
        if taken.is_given_up:
            assert numbers(taken) == [3]
            keep(intake, taken)
        elif 3 in numbers(taken):
            begun[len(taken.pages)] += 1
            give_back(intake.database, taken.worker, Ending.DIED)
        else:
            keep(intake, taken)
    assert begun == {4: 2, 1: 1}
    assert readings(intake) == 4


def test_power_cuts_make_no_page_suspect(intake: Intake) -> None:
    count_pages(intake, 4)
    for turn in range(5):
        assert len(take_pages(intake, f"gone.{turn}").pages) == 4
        give_back_all_of(intake.database, "gone")
    assert not take_pages(intake, "w.1").is_given_up


def test_who_stops_in_order_leaves_no_trace(intake: Intake) -> None:
    count_pages(intake, 4)
    for turn in range(20):
        assert len(take_pages(intake, f"w.{turn}").pages) == 4
        give_back(intake.database, f"w.{turn}", Ending.STOPPED)
    assert {page.attempts for page in intake.pages()} == {0}


def test_what_is_put_off_lets_other_work_pass(intake: Intake) -> None:
    count_pages(intake, 2)
    count_pages(intake, 1)
    first = take_pages(intake, "w.1")
    put_off(intake.database, "w.1", later(seconds=10))
    assert take_pages(intake, "w.2").file_id != first.file_id
    assert not isinstance(claim(intake.database, "early.1", later(seconds=9)), ReadPages)
    assert take_pages(intake, "w.3", later(seconds=11)).file_id == first.file_id


def test_pages_are_sorted_when_nothing_waits_or_a_minute_after_the_last_time(intake: Intake) -> None:
    count_pages(intake, 60)
    with intake.worker("sorter.1", clock=lambda: NOW) as sorter:
        for worker in ("w.1", "w.2", "w.3"):
            taken = take_pages(intake, worker)
            if worker == "w.1":
                keep(intake, taken)
        # What was read first can be seen soon, even though more waits; then it rests for a minute.
        assert sorter.step() is Step.DONE
    assert claim(intake.database, "w.4", NOW) is None
    with intake.database.write() as session:
        session.execute(update(IntakeRow).values(wanted=IntakeRow.wanted + 1))
    assert claim(intake.database, "w.4", later(seconds=59)) is None
    assert isinstance(claim(intake.database, "w.4", later(seconds=61)), SortPages)


def test_a_confirmed_exam_is_not_read_again(intake: Intake) -> None:
    with intake.database.write() as session:
        stored = bring_into(session, intake.deed, intake.exam, ExamState.CONFIRMED)
        with pytest.raises(Refused):
            reread(session, intake.deed, stored)


def test_keeping_a_batch_is_quick(intake: Intake) -> None:
    """25 pages of 48 answers in a few statements, not one an answer."""
    count_pages(intake, BATCH_PAGES)
    taken = take_pages(intake, "w.1")
    part = read_batch(taken).parts[0]
    answers = tuple(
        StoredAnswer(
            AnswerReading(f"{n}", QuestionKind.TEXT, ReadingStatus.DOUBTFUL, None, (1.5,), "reader 1"),
            embedding=bytes(256),
            picture=PictureInAtlas("a" * 64, 0, 0, 8, 8, "p"),
        )
        for n in range(48)
    )
    batch = PageBatch(tuple(ReadPart(page.id, 0, part.reading, answers) for page in taken.pages), {})
    statements: list[str] = []

    def note(*arguments: object) -> None:
        statements.append(str(arguments[2]))

    event.listen(intake.database.engine, "before_cursor_execute", note)
    with intake.database.write() as session:
        keep_batch(session, NOW, taken, batch, exam_version=1, layout_number=0)
    assert len(statements) < 20
