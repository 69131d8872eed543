"""Scan files, pages and what persons decide about them, in SQLite and under the mark `system` in PostgreSQL."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from sqlalchemy import select

from omr.errors import InputError, Refusal, Refused, Trouble
from omr.page_hints import PageHints, hints_from_json
from scoring.exam_state import ExamState
from scoring.page_decisions import PageDecision, changed_hints
from scoring.scan_tasks import TaskKind, Way, ways_to_mend, words
from scoring.storage import scan_tasks, scans
from scoring.storage.changes import list_changes
from scoring.storage.decisions import StalePages, WantedDecision, decide, list_decisions
from scoring.storage.grading_tables import AttendanceRow
from scoring.storage.scan_tables import IntakeRow, ScanFileRow, ScanPageRow
from scoring.storage.scans import PageFilter
from tests.graded_exams import GradedExam, add_graded_exam, add_teacher
from tests.stored_things import add_school, bring_into

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scoring.storage.database import Database
    from scoring.storage.scans import StoredPage

DECISIONS: TypeAdapter[PageDecision] = TypeAdapter(PageDecision)
SQUARE = ((10.0, 10.0), (90.0, 10.0), (90.0, 90.0), (10.0, 90.0))


@pytest.fixture
def graded(database: Database) -> GradedExam:
    """An exam with four students, each with one read page."""
    return add_graded_exam(database, add_school(database), students=4)


def say(what: str, **more: Any) -> PageDecision:
    return DECISIONS.validate_python({"what": what, **more})


def decided(
    database: Database, graded: GradedExam, page_id: str, decision: PageDecision, version: int | None = None
) -> StoredPage:
    """Decide something about a page, as who saw it as it now is."""
    with database.write() as session:
        seen = version or scans.find_page(session, graded.exam, page_id).version
        (page,) = decide(session, graded.deed, graded.exam, [WantedDecision(page_id, seen, decision)])
    return page


def tasks_of(database: Database, graded: GradedExam) -> dict[str, TaskKind]:
    """What is to be done about which pages."""
    with database.read() as session:
        tasks = scan_tasks.list_tasks(session, graded.exam)
    return {task.page.id: task.kind for task in tasks if task.page is not None}


def set_page(database: Database, page_id: str, **values: object) -> None:
    with database.write() as session:
        row = session.get_one(ScanPageRow, page_id)
        for name, value in values.items():
            setattr(row, name, value)


def wanted_sorting(database: Database, graded: GradedExam) -> int:
    with database.read() as session:
        wanted = session.scalar(select(IntakeRow.wanted).where(IntakeRow.exam_id == graded.exam.id))
    return wanted or 0


def test_the_same_content_is_one_file_however_many_send_it_at_once(
    database: Database, graded: GradedExam
) -> None:
    other = add_teacher(database, graded.deed, "suzuki")
    barrier = threading.Barrier(6)

    def send(at: int) -> str:
        barrier.wait()
        deed = (graded.deed, other)[at % 2]
        with database.write() as session:
            return scans.add_file(session, deed, graded.exam, f"{at}.pdf", "ab" * 32, 12).id

    with ThreadPoolExecutor(6) as threads:
        ids = set(threads.map(send, range(6)))
    with database.read() as session:
        stored = session.scalars(select(ScanFileRow.id).where(ScanFileRow.blob == "ab" * 32)).all()
        told = [one.what for one in list_changes(session, graded.exam.id, 0)]
    assert (ids, told.count("file.received")) == (set(stored), 1)


def test_lists_by_pages_hold_everything_once(database: Database, graded: GradedExam) -> None:
    with database.write() as session:
        for number in range(5):
            scans.add_file(session, graded.deed, graded.exam, f"{number}.pdf", f"{number:064x}", 9)
    with database.read() as session:
        files: list[scans.StoredFile] = []
        pages: list[StoredPage] = []
        last: str | None = None
        while part := scans.list_files(session, graded.exam, None, last, 2):
            files += part
            last = part[-1].id
        last = None
        while found := scans.list_pages(session, graded.exam, PageFilter(), last, 3):
            pages += found
            last = found[-1].id
        assert len({one.id for one in files}) == len(files) == 6
        assert [one.id for one in pages] == list(graded.page_ids)
        assert scans.list_pages(session, graded.exam, PageFilter(is_owned=False), None, 9) == []
        assert (
            len(scans.list_pages(session, graded.exam, PageFilter(status="read", is_owned=True), None, 9))
            == 4
        )


def test_another_school_finds_neither_exam_nor_page(database: Database, graded: GradedExam) -> None:
    stranger = add_school(database, "stranger")
    theirs = add_graded_exam(database, stranger, students=1)
    with database.read() as session, pytest.raises(Refused) as refused:
        scans.find_page(session, theirs.exam, graded.page_ids[0])
    assert refused.value.refusal is Refusal.NOT_FOUND
    with pytest.raises(Refused):
        decided(database, theirs, graded.page_ids[0], say("drop"), version=1)
    with pytest.raises(Refused):  # a student of another school's roster
        decided(database, theirs, theirs.page_ids[0], say("owner", student=graded.student_ids[0]))


@pytest.mark.parametrize(
    ("decision", "hints"),
    [
        (say("turn", turn=180), {"turn": 180, "corners": None, "sheet_page": None}),
        (
            say("corners", turn=90, corners=SQUARE),
            {"turn": 90, "corners": [list(one) for one in SQUARE], "sheet_page": None},
        ),
        (say("sheet_page", sheet_page=2), {"turn": 0, "corners": None, "sheet_page": 2}),
    ],
)
def test_what_tells_the_reader_more_lets_it_read_again(
    database: Database, graded: GradedExam, decision: PageDecision, hints: dict[str, Any]
) -> None:
    page_id, before = graded.page_ids[0], wanted_sorting(database, graded)
    set_page(database, page_id, lease_owner="somebody", lease_until=graded.deed.at, attempts=2)
    page = decided(database, graded, page_id, decision)
    assert (page.state, page.version) == ("waiting", 2)
    assert page.hints == hints
    hints_from_json(dict(page.hints or {}))
    with database.read() as session:
        row = session.get_one(ScanPageRow, page_id)
        (kept,) = list_decisions(session, graded.exam, page_id)
        (change,) = list_changes(session, graded.exam.id, 0)[-1:]
    assert (row.lease_owner, row.lease_until, row.attempts) == (None, None, 0)
    assert (kept.number, kept.what, kept.made_by) == (1, decision.what, graded.deed.account_id)
    assert change.what == "page.decided"
    assert wanted_sorting(database, graded) == before + 1


def test_who_saw_an_earlier_page_changes_nothing_and_learns_how_it_is(
    database: Database, graded: GradedExam
) -> None:
    first, second = graded.page_ids[:2]
    decided(database, graded, first, say("owner", student=graded.student_ids[3]))
    wanted = [
        WantedDecision(second, 1, say("owner", student=graded.student_ids[2])),
        WantedDecision(first, 1, say("drop")),
    ]
    with pytest.raises(StalePages) as stale, database.write() as session:
        decide(session, graded.deed, graded.exam, wanted)
    assert [(one.id, one.version) for one in stale.value.pages] == [(first, 2)]
    with database.read() as session:
        assert scans.find_page(session, graded.exam, second).version == 1
        assert list_decisions(session, graded.exam, second) == []


def test_two_who_decide_in_the_same_second(database: Database, graded: GradedExam) -> None:
    other = add_teacher(database, graded.deed, "suzuki")
    barrier = threading.Barrier(2)

    def name(at: int) -> bool:
        barrier.wait()
        deed = (graded.deed, other)[at]
        pages = graded.page_ids if at else graded.page_ids[::-1]
        wanted = [WantedDecision(one, 1, say("owner", student=graded.student_ids[at])) for one in pages]
        try:
            with database.write() as session:
                decide(session, deed, graded.exam, wanted)
        except StalePages:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        done = list(threads.map(name, range(2)))
    assert sorted(done) == [False, True]
    winner = graded.student_ids[done.index(True)]
    with database.read() as session:
        pages = scans.list_pages(session, graded.exam, PageFilter(), None, 9)
    assert {(one.student_id, one.version) for one in pages} == {(winner, 2)}


def test_whose_a_page_is(database: Database, graded: GradedExam) -> None:
    page_id, student = graded.page_ids[0], graded.student_ids[0]
    set_page(
        database,
        page_id,
        student_id=None,
        owner={"outcome": "probable", "student": student, "chance": 0.97, "grounds": ["order"]},
    )
    assert tasks_of(database, graded) == {page_id: TaskKind.PROBABLE_OWNER}
    page = decided(database, graded, page_id, say("owner", student=student))
    assert page.student_id == student
    assert page.owner == {"outcome": "proven", "student": student, "chance": None, "grounds": ["person"]}
    assert tasks_of(database, graded) == {}
    twice = decided(database, graded, page_id, say("owner", student=graded.student_ids[1]))
    assert tasks_of(database, graded) == {
        twice.id: TaskKind.OWNED_TWICE,
        graded.page_ids[1]: TaskKind.OWNED_TWICE,
    }
    nobody = decided(database, graded, page_id, say("owner", student=None))
    assert (nobody.student_id, tasks_of(database, graded)) == (None, {})


def test_a_dropped_page_counts_no_more_until_it_is_put_back(database: Database, graded: GradedExam) -> None:
    page_id, student = graded.page_ids[0], graded.student_ids[0]
    dropped = decided(database, graded, page_id, say("drop", reason="白紙"))
    assert (dropped.status, dropped.student_id) == ("dropped", None)
    with pytest.raises(Refused) as refused:
        decided(database, graded, page_id, say("drop"))
    assert refused.value.refusal is Refusal.WRONG_STATE
    with database.read() as session:
        missing = scan_tasks.list_missing(session, graded.exam, 1)
    assert [(one.student_id, one.sheet_page) for one in missing] == [(student, 1)]
    back = decided(database, graded, page_id, say("undrop"))
    assert (back.status, back.student_id) == ("read", student)
    with pytest.raises(Refused):
        decided(database, graded, page_id, say("undrop"))
    with database.read() as session:
        kept = list_decisions(session, graded.exam, page_id)
    assert [(one.number, one.what) for one in kept] == [(1, "drop"), (2, "undrop")]


def test_tasks_name_what_is_the_matter_and_how_to_mend_it(database: Database, graded: GradedExam) -> None:
    aside, clash, waiting, asked = graded.page_ids
    set_page(database, aside, status="quarantined", trouble="no_fiducials", reason="四隅がありません。")
    owner = {"outcome": "twice", "student": graded.student_ids[1], "chance": None, "grounds": ["code"]}
    set_page(database, clash, status="quarantined", owner=owner, student_id=None)
    set_page(database, waiting, status="quarantined", trouble="no_code", state="waiting")
    decided(database, graded, asked, say("rescan", reason="薄い"))
    with database.write() as session:
        file = scans.add_file(session, graded.deed, graded.exam, "x.pdf", "cd" * 32, 9)
        session.get_one(ScanFileRow, file.id).state = "refused"
    with database.read() as session:
        tasks = scan_tasks.list_tasks(session, graded.exam)
    assert [(one.kind, (one.page or file).id) for one in tasks] == [
        (TaskKind.REFUSED_FILE, file.id),
        (TaskKind.SET_ASIDE, aside),
        (TaskKind.CONFLICT, clash),
        (TaskKind.RESCAN, asked),
    ]
    assert tasks[1].reason == "四隅がありません。"
    assert tasks[1].ways[0] is Way.CORNERS
    decided(database, graded, asked, say("drop"))
    assert asked not in tasks_of(database, graded)


def test_who_is_absent_misses_nothing(database: Database, graded: GradedExam) -> None:
    for page_id in graded.page_ids[:3]:
        set_page(database, page_id, student_id=None)
    with database.read() as session:
        missing = scan_tasks.list_missing(session, graded.exam, 2)
    *others, fourth = graded.student_ids
    assert [(one.student_id, one.sheet_page, one.has_other_pages) for one in missing] == [
        *((student, page, False) for student in others for page in (1, 2)),
        (fourth, 2, True),
    ]
    said = {0: ("present", "absent"), 1: ("excused",), 2: ("absent", "later")}
    with database.write() as session:
        for at, words_of in said.items():
            for number, attendance in enumerate(words_of, 1):
                session.add(
                    AttendanceRow(
                        school_id=graded.deed.school_id,
                        school_year=2026,
                        exam_id=graded.exam.id,
                        student_id=graded.student_ids[at],
                        number=number,
                        attendance=attendance,
                        made_at=graded.deed.at,
                        made_by=graded.deed.by,
                    )
                )
    with database.read() as session:
        missing = scan_tasks.list_missing(session, graded.exam, 2)
    assert [(one.student_id, one.sheet_page) for one in missing] == [(fourth, 2)]


def test_a_confirmed_exam_takes_neither_files_nor_decisions(database: Database, graded: GradedExam) -> None:
    with database.write() as session:
        bring_into(session, graded.deed, graded.exam, ExamState.CONFIRMED)
    with pytest.raises(Refused, match="採点中"), database.write() as session:
        scans.add_file(session, graded.deed, graded.exam, "late.pdf", "ef" * 32, 9)
    with pytest.raises(Refused, match="採点中"):
        decided(database, graded, graded.page_ids[0], say("drop"))
    with database.read() as session:
        assert scans.find_page(session, graded.exam, graded.page_ids[0]).status == "read"


@given(
    st.lists(
        st.one_of(
            st.builds(lambda turn: say("turn", turn=turn), st.sampled_from([0, 90, 180, 270])),
            st.builds(lambda page: say("sheet_page", sheet_page=page), st.integers(1, 9)),
            st.builds(lambda turn: say("corners", turn=turn, corners=SQUARE), st.sampled_from([0, 90])),
        ),
        max_size=6,
    )
)
def test_hints_are_the_last_word_of_each_kind(decisions: Sequence[PageDecision]) -> None:
    hints: dict[str, Any] | None = None
    expected = PageHints()
    for one in decisions:
        hints = changed_hints(hints, one)
        told = {name: value for name, value in one.detail.items() if name != "corners"}
        expected = replace(expected, **told)
        if one.what != "sheet_page":  # corners belong to the picture as it is turned
            expected = replace(expected, corners=SQUARE if one.what == "corners" else None)
    assert hints_from_json(hints or {}) == expected


def test_corners_that_are_no_corners_are_refused() -> None:
    with pytest.raises(InputError, match="左上"):
        changed_hints(None, say("corners", corners=SQUARE[::-1]))


@pytest.mark.parametrize("kind", TaskKind)
def test_every_task_has_words_and_ways(kind: TaskKind) -> None:
    for trouble in ("", *Trouble):
        assert ways_to_mend(kind, trouble)
    assert words(kind, "").endswith("。")
