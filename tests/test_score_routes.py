"""Scores, previews, completeness and 確定 over real databases, and over HTTP."""

from __future__ import annotations

from contextlib import closing
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, update

from omr.errors import Refused
from omr.reading import ReadingStatus
from scoring.completeness import NotComplete
from scoring.exam_file import exam_to_toml
from scoring.exam_state import ExamState
from scoring.scores import BASES, Basis, compute_scores
from scoring.storage import exams
from scoring.storage.attendance import Attendance, NewAttendance, add_attendances
from scoring.storage.completeness import list_obstacles
from scoring.storage.database import Database, open_database
from scoring.storage.exam_answers import load_answers
from scoring.storage.grading_tables import SecondGradingRow
from scoring.storage.scan_tables import ScanFileRow, ScanPageRow
from scoring.storage.score_snapshots import find_changes_since
from scoring.storage.tables import ClassRow, RosterRow, StudentRow
from tests.graded_exams import (
    Given,
    GradedExam,
    Written,
    add_graded_exam,
    add_judgement_rows,
    read_again,
)
from tests.school_server import Browser, School, assert_problem, open_school
from tests.stored_things import add_school

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from scoring.exam import Question
    from scoring.scores import ExamScores
    from scoring.storage.events import Deed


def all_right(student: int, question: Question) -> Written:  # noqa: ARG001
    """Nobody leaves anything open; essays and drawings are blank."""
    return Written(ReadingStatus.OK, question.answer[0]) if question.answer else Written(ReadingStatus.BLANK)


def one_doubtful(student: int, question: Question) -> Written:
    """The same, but the first answer must be looked at."""
    if (student, question.id) == (0, "q1"):
        return Written(ReadingStatus.DOUBTFUL, question.answer[0], 0.6)
    return all_right(student, question)


def scores_of(database: Database, graded: GradedExam) -> ExamScores:
    with database.read() as session:
        stored = exams.find_exam(session, graded.deed.school_id, graded.exam.id)
        return compute_scores(stored.exam, load_answers(session, stored))


def confirm(database: Database, graded: GradedExam) -> exams.StoredExam:
    return _step(database, graded, ExamState.CONFIRMED)


def _step(
    database: Database, graded: GradedExam, state: ExamState, reason: str | None = None
) -> exams.StoredExam:
    with database.write() as session:
        stored = exams.find_exam(session, graded.deed.school_id, graded.exam.id)
        return exams.change_state(session, graded.deed, stored, state, reason)


def say_attendance(database: Database, graded: GradedExam, student: str, attendance: Attendance) -> None:
    with database.write() as session:
        stored = exams.hold_exam(session, graded.deed.school_id, graded.exam.id)
        add_attendances(session, graded.deed, stored, [NewAttendance(student, attendance, 0)])


def basis(scores: ExamScores, row: int, column: int) -> Basis:
    return BASES[int(scores.basis[row, column])]


def test_a_judgement_stands_above_the_proposal_until_its_picture_changes(database: Database) -> None:
    graded = add_graded_exam(database, add_school(database), answer=all_right)
    before = scores_of(database, graded)
    assert [total.points for total in before.totals] == [Decimal("9.5")] * 3
    page = graded.page_ids[1]
    said = [
        Given(page, "q1", "wrong"),
        Given(page, "q3", "partial", Decimal("1.25")),
        Given(page, "q5", "hold"),
    ]
    add_judgement_rows(database, graded, graded.deed, said)
    after = scores_of(database, graded)
    assert [basis(after, 1, column) for column in (0, 2, 4)] == [Basis.JUDGED, Basis.JUDGED, Basis.HELD]
    assert (after.totals[1].points, after.totals[1].undecided) == (Decimal("5.75"), 1)
    assert after.totals[0] == before.totals[0]
    read_again(database, graded, page, {"q1"})
    again = scores_of(database, graded)
    assert [basis(again, 1, column) for column in (0, 2)] == [Basis.OUTDATED, Basis.JUDGED]


def test_two_graders_must_agree(database: Database) -> None:
    graded = add_graded_exam(database, add_school(database), answer=all_right)
    deed = graded.deed
    with database.write() as session:
        row = SecondGradingRow(
            school_id=deed.school_id, school_year=2026, exam_id=graded.exam.id, question="q1"
        )
        session.add(row)
    one, two, three = graded.page_ids
    said = [Given(one, "q1"), Given(two, "q1"), Given(two, "q1", "wrong", round=2), Given(three, "q1")]
    add_judgement_rows(database, graded, deed, [*said, Given(three, "q1", round=2)])
    found = scores_of(database, graded)
    assert [basis(found, row, 0) for row in range(3)] == [Basis.HALF, Basis.DIFFERENT, Basis.JUDGED]
    add_judgement_rows(database, graded, deed, [Given(two, "q1", "partial", Decimal(1), round=3)])
    assert scores_of(database, graded).totals[1].points == Decimal("8.5")


def test_a_sheet_of_nobody_has_a_row_and_other_grades_none(database: Database) -> None:
    deed = add_school(database)
    graded = add_graded_exam(database, deed, answer=all_right)
    with database.write() as session:
        roster = session.scalars(select(RosterRow)).one()
        row = {"school_id": deed.school_id, "school_year": 2026, "roster_id": roster.id}
        other = ClassRow(**row, grade="3", name="1")
        session.add(other)
        session.flush()
        more = {"number": "1", "name": "見本", "kana": "みほん", "left_at": None}
        session.add(StudentRow(**row, **more, class_id=other.id, student_id="other", place=9))
        session.execute(
            update(ScanPageRow)
            .where(ScanPageRow.id == graded.page_ids[0])
            .values(student_id=None, owner={"outcome": "unknown", "grounds": []})
        )
    found = scores_of(database, graded)
    assert [one.student.student_id if one.student else one.sheets for one in found.examinees] == [
        "s-1",
        "s-2",
        "s-3",
        ("2026-GRADED-1",),
    ]
    assert basis(found, 0, 0) is Basis.MISSING
    assert found.totals[3].points == Decimal("9.5")


@pytest.mark.parametrize(
    "obstacle", ["doubtful", "hold", "quarantined", "nobody", "missing", "unread", "absent"]
)
def test_an_exam_is_confirmed_exactly_when_nothing_is_left(database: Database, obstacle: str) -> None:
    graded = add_graded_exam(
        database, add_school(database), answer=one_doubtful if obstacle == "doubtful" else all_right
    )
    page, student = graded.page_ids[0], graded.student_ids[0]
    columns: dict[str, dict[str, Any]] = {
        "quarantined": {"status": "quarantined"},
        "nobody": {"student_id": None, "owner": {"outcome": "unknown", "grounds": []}},
        "missing": {"status": "dropped"},
        "unread": {"state": "waiting"},
    }
    if obstacle in columns:
        with database.write() as session:
            session.execute(update(ScanPageRow).where(ScanPageRow.id == page).values(**columns[obstacle]))
    elif obstacle == "absent":
        say_attendance(database, graded, student, Attendance.ABSENT)
    elif obstacle == "hold":
        add_judgement_rows(database, graded, graded.deed, [Given(page, "q1", "hold")])
    with database.read() as session:
        found = list_obstacles(session, graded.exam, scores_of(database, graded))
    assert found
    with pytest.raises(NotComplete) as refused:
        confirm(database, graded)
    assert refused.value.obstacles == tuple(found)
    if obstacle in columns:
        with database.write() as session:
            whole = {"status": "read", "state": "read", "student_id": student}
            session.execute(update(ScanPageRow).where(ScanPageRow.id == page).values(**whole))
    elif obstacle == "doubtful":
        add_judgement_rows(database, graded, graded.deed, [Given(page, "q1")])
    if obstacle in {*columns, "doubtful"}:
        assert confirm(database, graded).state is ExamState.CONFIRMED


def test_who_was_absent_keeps_no_exam_open_and_has_no_score(database: Database) -> None:
    graded = add_graded_exam(database, add_school(database), answer=all_right)
    with database.write() as session:
        session.execute(
            update(ScanPageRow).where(ScanPageRow.id == graded.page_ids[0]).values(status="dropped")
        )
    with pytest.raises(Refused):
        confirm(database, graded)
    say_attendance(database, graded, graded.student_ids[0], Attendance.LATER)
    confirm(database, graded)
    assert [total.points for total in scores_of(database, graded).totals] == [None, *[Decimal("9.5")] * 2]


def test_a_file_that_is_still_to_be_read_keeps_an_exam_open(database: Database) -> None:
    graded = add_graded_exam(database, add_school(database), answer=all_right)
    for state in ("received", "refused"):
        with database.write() as session:
            session.execute(update(ScanFileRow).where(ScanFileRow.id == graded.file_id).values(state=state))
        if state == "received":
            with pytest.raises(NotComplete, match="読み取りの終わっていないファイルが1件"):
                confirm(database, graded)
    confirm(database, graded)


def test_what_changes_after_an_exam_was_confirmed_is_told(database: Database) -> None:
    graded = add_graded_exam(database, add_school(database), answer=all_right)
    confirm(database, graded)
    _step(database, graded, ExamState.RETURNED)
    add_judgement_rows(database, graded, graded.deed, [Given(graded.page_ids[2], "q1", "wrong")])
    now = scores_of(database, graded)
    with database.read() as session:
        stored = exams.find_exam(session, graded.deed.school_id, graded.exam.id)
        for state, number in ((ExamState.CONFIRMED, 2), (ExamState.RETURNED, 3)):
            since = find_changes_since(session, stored, state, now)
            assert since is not None
            assert since.change_number == number
            (one,) = since.totals
            assert (one.student_id, one.before, one.after) == (
                graded.student_ids[2],
                Decimal("9.5"),
                Decimal("7.5"),
            )
    _step(database, graded, ExamState.GRADING, "判定を直したため")
    confirm(database, graded)
    with database.read() as session:
        since = find_changes_since(session, stored, ExamState.CONFIRMED, now)
    assert since is not None
    assert since.totals == ()


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    folder = tmp_path_factory.mktemp("school")
    with closing(open_database(f"sqlite:///{folder / 'saiten.sqlite3'}")) as opened:
        yield open_school(opened, folder)


@pytest.fixture(scope="module")
def browser(school: School) -> Browser:
    return school.administrator()


def deed_in(school: School, browser: Browser) -> Deed:
    return school.instance.deed(browser.get("/api/session").json()["account"]["id"])


def test_scores_and_previews_over_http(school: School, browser: Browser) -> None:
    database = school.instance.database
    graded = add_graded_exam(database, deed_in(school, browser), answer=all_right, code="2026-HTTP")
    page = graded.page_ids[0]
    add_judgement_rows(database, graded, graded.deed, [Given(page, "q1", "hold")])
    address = f"/api/exams/{graded.exam.id}"
    table = browser.get(f"{address}/scores").json()
    assert [one["id"] for one in table["questions"]] == list(graded.questions)
    first, second = table["rows"][:2]
    assert first["student"]["student_id"] == "s-1"
    assert (first["total"], first["points"][:3]) == ({"points": "7.5", "undecided": 1}, [None, "2", "3"])
    assert (first["basis"][0], second["basis"][0]) == ("held", "proposed")
    assert (second["basis"][4], second["rule"][4]) == ("blank", "blank")
    assert table["confirmed_at_change"] is None
    part = browser.get(f"{address}/scores", params={"after": 1, "limit": 1}).json()
    assert (part["rows"], part["next"]) == ([second], 2)
    lines = browser.get(f"{address}/scores.csv").text.splitlines()
    assert lines[1] == "2026-HTTP-1,s-1,7.5,19.5,1,"

    exam = graded.exam.exam
    number = exam.questions[2].model_copy(update={"answer": ("13",)})
    other = exam.model_copy(update={"questions": (*exam.questions[:2], number, *exam.questions[3:])})
    seen = browser.send("POST", f"{address}/previews", content=exam_to_toml(other)).json()
    assert [one["before"]["points"] for one in seen["totals"]] == ["7.5", "9.5", "9.5"]
    assert [one["after"]["points"] for one in seen["totals"]] == ["4.5", "6.5", "6.5"]
    (move,) = seen["moves"]
    assert (move["question"], move["reading"], move["before"]["rule"], move["after"]["rule"]) == (
        "q3",
        "12",
        "answer",
        "wrong",
    )
    assert browser.get(address).json()["tag"] == table["tag"]
    renamed = exam_to_toml(exam.model_copy(update={"id": "2026-ELSE"}))
    assert_problem(browser.send("POST", f"{address}/previews", content=renamed), 409, "wrong_state")


def test_what_is_left_is_named_over_http(school: School, browser: Browser) -> None:
    database = school.instance.database
    graded = add_graded_exam(database, deed_in(school, browser), answer=all_right, code="2026-LEFT")
    page = graded.page_ids[0]
    add_judgement_rows(database, graded, graded.deed, [Given(page, "q1", "hold")])
    address = f"/api/exams/{graded.exam.id}"
    left = browser.get(f"{address}/completeness").json()
    assert left == {
        "is_complete": False,
        "sentence": "保留が1件",
        "obstacles": [{"kind": "held", "count": 1, "question": "q1", "first": [page]}],
    }
    now = {"If-Match": f'"{graded.exam.tag}"'}
    refused = browser.send("POST", f"{address}/states", json={"state": "confirmed"}, headers=now)
    problem = assert_problem(refused, 409, "wrong_state")
    assert problem["obstacles"] == left["obstacles"]
    assert "保留が1件" in problem["detail"]


def test_another_school_sees_no_scores(school: School, browser: Browser) -> None:
    database = school.instance.database
    elsewhere = add_graded_exam(database, add_school(database, "suzuki"), code="2026-FAR")
    for what in ("scores", "scores.csv", "completeness"):
        assert_problem(browser.get(f"/api/exams/{elsewhere.exam.id}/{what}"), 404, "not_found")
