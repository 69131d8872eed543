"""Judgements, duties, second gradings and attendance in real databases."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text

from omr.errors import InputError, Refusal, Refused
from scoring.exam_state import ExamState
from scoring.judgement import Mark
from scoring.storage import attendance, duties, exams, judged_answers, judgements
from scoring.storage.attendance import Attendance, NewAttendance, SaidMeanwhile
from scoring.storage.carried_judgements import carry_over
from scoring.storage.changes import list_changes
from scoring.storage.columns import new_id
from scoring.storage.database import Database, open_database
from scoring.storage.duties import Duty
from scoring.storage.grading_tables import JudgementRow, StandingJudgementRow
from scoring.storage.judgement_rows import StandingJudgement, find_standing
from scoring.storage.judgements import JudgedMeanwhile, NewJudgement
from scoring.storage.scan_tables import AnswerReadingRow, ScanPageRow
from tests.graded_exams import (
    Given,
    GradedExam,
    add_graded_exam,
    add_judgement_rows,
    add_teacher,
    read_again,
    scan_again,
)
from tests.postgres import new_database
from tests.stored_things import add_school

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from scoring.storage.events import Deed


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.system)])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    if request.param == "sqlite":
        folder: Path = tmp_path_factory.mktemp("judgements")
        address = f"sqlite:///{folder / 'saiten.sqlite3'}"
    else:
        address = new_database(request.getfixturevalue("postgres"))
    with closing(open_database(address)) as opened:
        yield opened


@pytest.fixture
def deed(database: Database) -> Deed:
    return add_school(database)


@pytest.fixture
def graded(database: Database, deed: Deed) -> GradedExam:
    return add_graded_exam(database, deed)


def _picture(database: Database, page_id: str, question: str) -> str:
    with database.read() as session:
        return session.scalars(
            select(AnswerReadingRow.picture)
            .join(ScanPageRow, ScanPageRow.reading_id == AnswerReadingRow.reading_id)
            .where(ScanPageRow.id == page_id, AnswerReadingRow.question == question)
        ).one()


def _new(
    database: Database, graded: GradedExam, at: int = 0, question: str = "q5", mark: Mark = Mark.RIGHT
) -> NewJudgement:
    page = graded.page_ids[at]
    return NewJudgement(page, question, mark, _picture(database, page, question), version=0, key=new_id())


def _judge(
    database: Database, graded: GradedExam, deed: Deed, *items: NewJudgement, reason: str | None = None
) -> Sequence[StandingJudgement]:
    with database.write() as session:
        exam = exams.hold_exam(session, deed.school_id, graded.exam.id)
        return judgements.add_judgements(session, deed, exam, items, reason)


def _standing(database: Database, graded: GradedExam) -> dict[tuple[str, str, int], StandingJudgement]:
    with database.read() as session:
        return find_standing(session, graded.exam, None, graded.questions)


def _count(database: Database, graded: GradedExam) -> int:
    with database.read() as session:
        counted = select(func.count()).where(JudgementRow.exam_id == graded.exam.id)
        return session.scalar(counted) or 0


def _grade_twice(database: Database, graded: GradedExam, *questions: str) -> None:
    with database.write() as session:
        exam = exams.hold_exam(session, graded.deed.school_id, graded.exam.id)
        tag = duties.find_second_gradings(session, exam).tag
        duties.replace_second_gradings(session, graded.deed, exam, questions, tag)


def _refusal(database: Database, graded: GradedExam, deed: Deed, *items: NewJudgement) -> Refusal:
    before = _count(database, graded)
    with pytest.raises(Refused) as refused:
        _judge(database, graded, deed, *items)
    assert refused.value.reason.endswith("。")
    assert _count(database, graded) == before
    return refused.value.refusal


def test_a_sweep_is_kept_whole_and_told(database: Database, deed: Deed) -> None:
    graded = add_graded_exam(database, deed, students=400)
    standing_before = _standing(database, graded)
    with database.read() as session:
        rows = session.execute(
            select(AnswerReadingRow.page_id, AnswerReadingRow.picture).where(
                AnswerReadingRow.exam_id == graded.exam.id, AnswerReadingRow.question == "q1"
            )
        ).all()
    items = [
        NewJudgement(page, "q1", Mark.PARTIAL, picture, 0, new_id(), points=Decimal("0.10"))
        for page, picture in rows
    ]
    kept = _judge(database, graded, deed, *items)
    assert standing_before == {}
    assert [one.judgement.page_id for one in kept] == [item.page_id for item in items]
    assert {one.version for one in kept} == {1}
    stored = _standing(database, graded)
    assert len(stored) == 400
    assert {one.judgement.points for one in stored.values()} == {Decimal("0.1")}
    with database.read() as session:
        _, change = list_changes(session, graded.exam.id, 0)  # the first: 採点中
    assert (change.what, change.detail["question"], change.detail["round"]) == ("answers.judged", "q1", 1)
    assert {item["page"] for item in change.detail["items"]} == set(graded.page_ids)
    again = _judge(database, graded, deed, *items)
    assert again == kept
    assert _count(database, graded) == 400


def test_a_key_names_one_judgement_of_one_account(database: Database, graded: GradedExam, deed: Deed) -> None:
    first = _new(database, graded)
    kept = _judge(database, graded, deed, first)
    _judge(database, graded, deed, replace(first, mark=Mark.WRONG, version=1, key=new_id()))
    assert _judge(database, graded, deed, first) == kept  # as it was kept, though another one stands by now
    assert _refusal(database, graded, deed, replace(first, mark=Mark.WRONG)) is Refusal.OTHER_REQUEST
    other = add_teacher(database, deed, "suzuki")
    (of_other,) = _judge(database, graded, other, replace(first, version=2))
    assert (of_other.version, of_other.judgement.made_by) == (3, other.account_id)
    (mixed, fresh) = _judge(database, graded, deed, first, _new(database, graded, 1))
    assert (mixed, fresh.version) == (kept[0], 1)


def test_who_comes_late_sees_both_sides_of_every_answer(
    database: Database, graded: GradedExam, deed: Deed
) -> None:
    other = add_teacher(database, deed, "suzuki")
    items = [_new(database, graded, at) for at in range(3)]
    _judge(database, graded, deed, items[0], items[2])
    late = [replace(item, mark=Mark.WRONG, key=new_id()) for item in items]
    with pytest.raises(JudgedMeanwhile) as stale:
        _judge(database, graded, other, *late)
    assert stale.value.refusal is Refusal.STALE
    assert [one.sent for one in stale.value.conflicts] == [late[0], late[2]]
    for one in stale.value.conflicts:
        assert one.standing is not None
        assert (one.standing.version, one.standing.judgement.made_by) == (1, deed.account_id)
        assert one.standing.judgement.made_at == deed.at
    assert len(_standing(database, graded)) == 2  # the one between was not kept either


def test_of_two_at_the_same_moment_one_wins(database: Database, graded: GradedExam, deed: Deed) -> None:
    people = [add_teacher(database, deed, f"teacher-{one}") for one in range(4)]
    for at in range(3):
        start, item = threading.Barrier(len(people)), _new(database, graded, at)
        outcomes: list[StandingJudgement | JudgedMeanwhile] = []

        def judge(
            person: Deed,
            start: threading.Barrier,
            item: NewJudgement,
            outcomes: list[StandingJudgement | JudgedMeanwhile],
        ) -> None:
            start.wait()
            try:
                outcomes += _judge(database, graded, person, replace(item, key=new_id()))
            except JudgedMeanwhile as late:
                outcomes.append(late)

        threads = [threading.Thread(target=judge, args=(person, start, item, outcomes)) for person in people]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        won = [one for one in outcomes if isinstance(one, StandingJudgement)]
        lost = [one for one in outcomes if isinstance(one, JudgedMeanwhile)]
        assert (len(won), len(lost)) == (1, 3)
        assert {one.conflicts[0].standing for one in lost} == {won[0]}
    assert _count(database, graded) == 3
    with database.read() as session:
        assert [one.number for one in list_changes(session, graded.exam.id, 1)] == [2, 3, 4]


def test_many_judge_different_answers_at_once(database: Database, deed: Deed) -> None:
    graded = add_graded_exam(database, deed, students=40, questions=2)
    people = [add_teacher(database, deed, f"grader-{one}") for one in range(8)]
    of_person = [
        [_new(database, graded, at, "q1") for at in range(place, 40, len(people))]
        for place in range(len(people))
    ]

    def grade(person: Deed, items: Sequence[NewJudgement]) -> None:
        for item in items:
            _judge(database, graded, person, item)

    threads = [threading.Thread(target=grade, args=both) for both in zip(people, of_person, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stored = _standing(database, graded)
    made_by = Counter(one.judgement.made_by for one in stored.values())
    assert made_by == {person.account_id: 5 for person in people}
    with database.read() as session:
        assert [one.number for one in list_changes(session, graded.exam.id, 1)] == list(range(2, 42))


MARKS = st.sampled_from([*Mark])


@settings(max_examples=8)
@given(sequence=st.lists(st.tuples(st.integers(0, 2), MARKS, st.booleans()), max_size=8))
def test_every_judgement_stays_and_the_last_accepted_one_stands(
    database: Database, sequence: list[tuple[int, Mark, bool]]
) -> None:
    deed = add_school(database)
    graded = add_graded_exam(database, deed)
    accepted: dict[int, list[Mark]] = {0: [], 1: [], 2: []}
    for at, mark, is_up_to_date in sequence:
        said = accepted[at]
        points = Decimal("1.25") if mark is Mark.PARTIAL else None
        version = len(said) if is_up_to_date else len(said) + 1
        item = replace(_new(database, graded, at, mark=mark), points=points, version=version)
        if is_up_to_date:
            (kept,) = _judge(database, graded, deed, item)
            said.append(mark)
            assert kept.version == len(said)
        else:
            assert _refusal(database, graded, deed, item) is Refusal.STALE
    assert _count(database, graded) == sum(map(len, accepted.values()))
    standing = _standing(database, graded)
    for at, said in accepted.items():
        page = graded.page_ids[at]
        with database.read() as session:
            history = judged_answers.list_answer_history(session, graded.exam, page, "q5", deed.by)
        assert [one.standing.judgement.mark for one in history] == said
        assert [one.standing.version for one in history] == list(range(1, len(said) + 1))
        if said:
            assert standing[page, "q5", 1] == history[-1].standing
        else:
            assert (page, "q5", 1) not in standing


def test_undo_many_times(database: Database, graded: GradedExam, deed: Deed) -> None:
    item = _new(database, graded)
    for version in range(0, 20, 2):
        _judge(database, graded, deed, replace(item, version=version, key=new_id()))
        _judge(database, graded, deed, replace(item, mark=Mark.NONE, version=version + 1, key=new_id()))
    (standing,) = _standing(database, graded).values()
    assert (standing.version, standing.judgement.mark, _count(database, graded)) == (20, Mark.NONE, 20)


def test_the_database_keeps_every_judgement(database: Database, graded: GradedExam, deed: Deed) -> None:
    _judge(database, graded, deed, _new(database, graded))
    for statement in ("UPDATE judgements SET mark = 'wrong'", "DELETE FROM judgements"):
        with pytest.raises(Refused), database.write() as session:
            session.execute(text(statement))
    assert _count(database, graded) == 1


def test_what_is_not_there_or_out_of_range_is_refused(
    database: Database, graded: GradedExam, deed: Deed
) -> None:
    good = _new(database, graded)
    other = add_graded_exam(database, deed, code="2026-OTHER")
    assert _refusal(database, graded, deed, good, _new(database, other)) is Refusal.NOT_FOUND
    assert _refusal(database, graded, deed, replace(good, question="q99")) is Refusal.NOT_FOUND
    assert _refusal(database, graded, deed, replace(good, round=2)) is Refusal.WRONG_STATE
    assert _refusal(database, graded, deed, replace(good, picture="another")) is Refusal.STALE
    for wrong in (
        replace(good, mark=Mark.PARTIAL),
        replace(good, mark=Mark.PARTIAL, points=Decimal("6.01")),
        replace(good, points=Decimal(6)),
    ):
        with pytest.raises(InputError, match=r"。$"):
            _judge(database, graded, deed, wrong)
    with pytest.raises(InputError, match="2回"):
        _judge(database, graded, deed, good, replace(good, key=new_id()))
    with database.write() as session:
        session.get_one(ScanPageRow, good.page_id).status = "quarantined"
    assert _refusal(database, graded, deed, good) is Refusal.WRONG_STATE
    stranger = add_school(database, "stranger")
    assert _refusal(database, graded, stranger, good) is Refusal.NOT_FOUND


@pytest.mark.parametrize("state", [ExamState.PREPARING, ExamState.CONFIRMED, ExamState.RETURNED])
def test_judging_outside_of_grading(database: Database, deed: Deed, state: ExamState) -> None:
    graded = add_graded_exam(database, deed, state=state)
    item = _new(database, graded)
    assert _refusal(database, graded, deed, item) is Refusal.WRONG_STATE
    if state is ExamState.PREPARING:
        with pytest.raises(Refused, match="採点中"):
            _judge(database, graded, deed, item, reason="早く始めたい")
        return
    (kept,) = _judge(database, graded, deed, item, reason="問3に別解があったため")
    assert kept.judgement.reason == "問3に別解があったため"


def test_one_person_does_not_grade_an_answer_twice(
    database: Database, graded: GradedExam, deed: Deed
) -> None:
    other = add_teacher(database, deed, "suzuki")
    _grade_twice(database, graded, "q5")
    first = _new(database, graded)
    second = replace(first, round=2, key=new_id())
    _judge(database, graded, deed, first)
    assert _refusal(database, graded, deed, second) is Refusal.NOT_ALLOWED
    settling = replace(first, round=3, key=new_id())
    assert _refusal(database, graded, deed, settling) is Refusal.WRONG_STATE  # nobody did the second round
    _judge(database, graded, other, second)
    assert _refusal(database, graded, other, replace(first, version=1)) is Refusal.NOT_ALLOWED
    _judge(database, graded, deed, settling)


def test_graders_are_blind_until_both_are_done(database: Database, graded: GradedExam, deed: Deed) -> None:
    one, other, looker = deed, add_teacher(database, deed, "suzuki"), add_teacher(database, deed, "sato")
    _grade_twice(database, graded, "q5")
    item = _new(database, graded)

    def seen(person: Deed) -> dict[int, bool]:
        with database.read() as session:
            listed = judged_answers.list_standing(session, graded.exam, "q5", person.by)
            history = judged_answers.list_answer_history(session, graded.exam, item.page_id, "q5", person.by)
        by_round = {line.standing.judgement.round: not line.is_hidden for line in listed}
        assert by_round == {line.standing.judgement.round: not line.is_hidden for line in history}
        return by_round

    _judge(database, graded, one, item)
    assert [seen(person) for person in (one, other, looker)] == [{1: True}, {1: False}, {1: False}]
    held = replace(item, round=2, mark=Mark.HOLD, key=new_id())
    _judge(database, graded, other, held)
    assert [seen(person) for person in (one, other)] == [{1: True, 2: False}, {1: False, 2: True}]
    with database.read() as session:
        assert judged_answers.list_differences(session, graded.exam) == []
    _judge(database, graded, other, replace(held, mark=Mark.WRONG, version=1, key=new_id()))
    assert [seen(person) for person in (one, other, looker)] == [{1: True, 2: True}] * 3
    with database.read() as session:
        (difference,) = judged_answers.list_differences(session, graded.exam)
    assert difference.first.judgement.mark is Mark.RIGHT
    assert difference.second.judgement.mark is Mark.WRONG
    _judge(
        database,
        graded,
        looker,
        replace(item, round=3, mark=Mark.PARTIAL, points=Decimal(3), key=new_id()),
    )
    with database.read() as session:
        assert judged_answers.list_differences(session, graded.exam) == []
    assert len(_standing(database, graded)) == 3


def test_judgements_since_a_change(database: Database, graded: GradedExam, deed: Deed) -> None:
    for at in range(3):
        _judge(database, graded, deed, _new(database, graded, at), _new(database, graded, at, "q1"))
    with database.read() as session:
        listed = [
            [
                line.standing.judgement.page_id
                for line in judged_answers.list_standing(
                    session, graded.exam, "q5", deed.by, in_round=1, since=since
                )
            ]
            for since in (0, 4, 6)
        ]
    assert listed == [list(graded.page_ids), [graded.page_ids[2]], []]


def test_another_picture_is_asked_about_again(database: Database, graded: GradedExam, deed: Deed) -> None:
    _judge(database, graded, deed, _new(database, graded), _new(database, graded, question="q1"))
    page = graded.page_ids[0]
    read_again(database, graded, page, ["q5"])
    with database.read() as session:
        (outdated,) = judged_answers.list_outdated(session, graded.exam)
    assert outdated.standing.judgement.question == "q5"
    assert outdated.picture == _picture(database, page, "q5")
    _judge(database, graded, deed, replace(_new(database, graded), version=1))
    with database.read() as session:
        assert judged_answers.list_outdated(session, graded.exam) == []


def test_judgements_go_along_with_a_rescan(database: Database, graded: GradedExam, deed: Deed) -> None:
    one, other = add_teacher(database, deed, "suzuki"), add_teacher(database, deed, "sato")
    _grade_twice(database, graded, "q5")
    first = _new(database, graded)
    _judge(database, graded, one, first, _new(database, graded, question="q1"))
    _judge(database, graded, other, replace(first, round=2, mark=Mark.WRONG, key=new_id()))
    _judge(database, graded, one, _new(database, graded, question="q2"))
    new = scan_again(database, graded, first.page_id, ["q1"])
    with database.write() as session:
        exam = exams.hold_exam(session, deed.school_id, graded.exam.id)
        kept = carry_over(session, deed, exam, first.page_id, new)
        assert carry_over(session, deed, exam, first.page_id, new) == []
    carried = {(line.judgement.question, line.judgement.round): line.judgement for line in kept}
    assert set(carried) == {("q1", 1), ("q2", 1), ("q5", 1), ("q5", 2)}
    assert {line.made_by for line in carried.values()} == {one.account_id, other.account_id}
    assert all(line.reason and line.follows for line in carried.values())
    with database.read() as session:
        (outdated,) = judged_answers.list_outdated(session, graded.exam)
        (difference,) = judged_answers.list_differences(session, graded.exam)
    assert (outdated.standing.judgement.page_id, outdated.standing.judgement.question) == (new, "q1")
    assert difference.page_id == new
    assert (
        _refusal(database, graded, one, replace(first, page_id=new, round=2, version=1, key=new_id()))
        is Refusal.NOT_ALLOWED
    )


def test_a_page_that_still_counts_gives_nothing_away(
    database: Database, graded: GradedExam, deed: Deed
) -> None:
    one, other = graded.page_ids[:2]
    with pytest.raises(Refused) as refused, database.write() as session:
        carry_over(session, deed, graded.exam, one, other)
    assert refused.value.refusal is Refusal.WRONG_STATE


def test_duties_are_replaced_as_a_whole(database: Database, graded: GradedExam, deed: Deed) -> None:
    other = add_teacher(database, deed, "suzuki")
    wanted = [
        Duty(deed.by, 1, "q1", graded.class_ids[0]),
        Duty(other.by, 1, "q1", graded.class_ids[1]),
        Duty(deed.by, 2, "q1", graded.class_ids[1]),
    ]

    def put(*listed: Duty, tag: str) -> duties.StoredDuties:
        with database.write() as session:
            exam = exams.hold_exam(session, deed.school_id, graded.exam.id)
            return duties.replace_duties(session, deed, exam, listed, tag)

    with database.read() as session:
        empty = duties.find_duties(session, graded.exam)
    stored = put(*wanted, wanted[0], tag=empty.tag)
    assert set(stored.duties) == set(wanted)
    for refusal, listed, tag in (
        (Refusal.STALE, wanted[:1], empty.tag),
        (Refusal.NOT_FOUND, [Duty("nobody")], stored.tag),
        (Refusal.NOT_FOUND, [Duty(deed.by, 1, "q99")], stored.tag),
        (Refusal.NOT_FOUND, [Duty(deed.by, 1, None, "no class")], stored.tag),
        (Refusal.WRONG_STATE, [Duty(deed.by, 1), Duty(deed.by, 2, "q5")], stored.tag),
    ):
        with pytest.raises(Refused) as refused:
            put(*listed, tag=tag)
        assert refused.value.refusal is refusal
    assert put(tag=stored.tag) == empty


def test_a_second_grading_that_began_stays(database: Database, graded: GradedExam, deed: Deed) -> None:
    _grade_twice(database, graded, "q5", "q6")
    _grade_twice(database, graded, "q5")
    second = replace(_new(database, graded), round=2)
    _judge(database, graded, deed, second)
    with pytest.raises(Refused, match="2回目"):
        _grade_twice(database, graded, "q6")
    _judge(database, graded, deed, replace(second, mark=Mark.NONE, version=1, key=new_id()))
    _grade_twice(database, graded)


def test_attendance_is_added_to_and_contradictions_are_listed(database: Database, deed: Deed) -> None:
    big = add_graded_exam(database, deed, students=3)
    graded = add_graded_exam(database, deed, students=2, code="2026-SECOND")
    here, there, away = big.student_ids

    def say(*items: NewAttendance, by: Deed = deed) -> Sequence[attendance.StudentAttendance]:
        with database.write() as session:
            exam = exams.hold_exam(session, deed.school_id, graded.exam.id)
            return attendance.add_attendances(session, by, exam, items)

    absent = [NewAttendance(one, Attendance.ABSENT, 0) for one in (away, there)]
    said = say(*absent)
    assert [(one.student_id, one.is_contradiction) for one in said] == [(there, True), (away, False)]
    assert say(*absent) == said  # the same request again
    other = add_teacher(database, deed, "suzuki")
    with pytest.raises(SaidMeanwhile) as late:
        say(NewAttendance(here, Attendance.PRESENT, 0), NewAttendance(there, Attendance.LATER, 0), by=other)
    ((sent, now),) = late.value.conflicts
    assert (sent.student_id, now.said and now.said.attendance) == (there, Attendance.ABSENT)
    (mended,) = say(NewAttendance(there, Attendance.LATER, 1), by=other)
    assert not mended.is_contradiction
    for item in (NewAttendance("nobody", Attendance.ABSENT, 0),):
        with pytest.raises(Refused) as refused:
            say(item)
        assert refused.value.refusal is Refusal.NOT_FOUND
    with database.read() as session:
        listed = attendance.list_attendances(session, graded.exam, deed.school_id)
    assert [(one.student_id, one.said and one.said.number, len(one.page_ids)) for one in listed] == [
        (here, None, 1),
        (there, 2, 1),
        (away, 1, 0),
    ]


def test_rows_of_tests_are_as_the_storage_makes_them(
    database: Database, graded: GradedExam, deed: Deed
) -> None:
    page = graded.page_ids[0]
    add_judgement_rows(database, graded, deed, [Given(page, "q5"), Given(page, "q1", "partial", Decimal(1))])
    assert {one.judgement.mark for one in _standing(database, graded).values()} == {Mark.RIGHT, Mark.PARTIAL}
    (kept,) = _judge(database, graded, deed, replace(_new(database, graded), mark=Mark.WRONG, version=1))
    assert kept.version == 2
    with database.read() as session:
        assert session.scalar(select(func.count()).where(StandingJudgementRow.exam_id == graded.exam.id)) == 2
