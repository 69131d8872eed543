"""Grading by question over HTTP and in both databases: counts, the index of answers, atlases, groups, contradictions."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from api.group_memory import GroupMemory
from omr.layout import QuestionKind
from omr.reading import ReadingStatus
from scoring.answer_comparison import compare_answers, group_equal
from scoring.marking import propose
from scoring.points import format_points
from scoring.question_answer import QuestionAnswer, reading_parts
from scoring.storage import exams, question_answers
from scoring.storage.changes import note_change
from scoring.storage.columns import new_id
from scoring.storage.database import Database, database_in, open_database
from scoring.storage.grading_tables import SecondGradingRow
from scoring.storage.scan_tables import ScanPageRow
from scoring.storage.tables import StudentRow
from tests.graded_exams import (
    Given,
    GradedExam,
    Written,
    add_graded_exam,
    add_judgement_rows,
    add_teacher,
    scan_again,
    write_answer,
)
from tests.school_server import assert_problem, open_school
from tests.stored_things import add_school, make_exam

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ocr.groups import AnswerGroup
    from scoring.exam import Question
    from scoring.storage.events import Deed
    from tests.school_server import Browser, School

STUDENTS = 12


@dataclass(frozen=True)
class Graded:
    """A school's server with an exam whose pages were read."""

    school: School
    browser: Browser
    deed: Deed
    exam: GradedExam

    @property
    def database(self) -> Database:
        """The server's."""
        return self.school.instance.database

    def get(self, path: str, **parameters: Any) -> dict[str, Any]:
        """What the server says of the exam."""
        answer = self.browser.get(f"/api/exams/{self.exam.exam.id}/{path}", params=parameters)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def rows(self, question: str, **parameters: Any) -> list[dict[str, Any]]:
        """The rows of an index with their names."""
        index = self.get("answers", question=question, **parameters)
        return [dict(zip(index["columns"], row, strict=True)) for row in index["rows"]]


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[School, Browser]]:
    folder = tmp_path_factory.mktemp("school")
    with closing(open_database(database_in(folder))) as database:
        opened = open_school(database, folder)
        yield opened, opened.administrator()


@pytest.fixture
def graded(school: tuple[School, Browser]) -> Graded:
    return grade(*school)


def grade(opened: School, browser: Browser, **more: Any) -> Graded:
    """A new exam in the school."""
    deed = opened.instance.deed(browser.get("/api/session").json()["account"]["id"])
    more = {"students": STUDENTS, "code": f"E-{new_id()[:12].upper()}", **more}
    return Graded(opened, browser, deed, add_graded_exam(opened.instance.database, deed, **more))


def test_the_index_says_what_stands_in_the_rows(graded: Graded) -> None:
    for question in graded.exam.exam.exam.questions:
        rows = graded.rows(question.id)
        assert [row["page"] for row in rows] == list(graded.exam.page_ids)
        assert [row["student"] for row in rows] == list(graded.exam.student_ids)
        for at, row in enumerate(rows):
            written = write_answer(at, question)
            proposal = propose(question, written.status, reading_parts(question.kind, written.reading), None)
            assert (row["status"], row["reading"]) == (written.status, written.reading)
            assert row["rule"] == proposal.rule
            assert row["points"] == (None if proposal.points is None else format_points(proposal.points))
            assert row["judgements"] == []


def test_answers_stand_by_class_and_number_those_of_nobody_last(graded: Graded) -> None:
    first, last = graded.exam.student_ids[0], graded.exam.student_ids[-1]
    with graded.database.write() as session:
        # 10 comes behind 9, whatever the order of texts and of the roster is.
        session.execute(update(StudentRow).where(StudentRow.id == first).values(number="10"))
        session.execute(
            update(ScanPageRow).where(ScanPageRow.id == graded.exam.page_ids[1]).values(student_id=None)
        )
    try:
        rows = graded.rows("q1")
    finally:
        with graded.database.write() as session:
            session.execute(update(StudentRow).where(StudentRow.id == first).values(number="1"))
    assert [(row["class_name"], row["number"]) for row in rows] == [
        *[("1", number) for number in ("3", "4", "5", "6", "10")],
        *[("2", number) for number in ("1", "2", "3", "4", "5", "6")],
        (None, None),
    ]
    assert rows[-2]["student"] == last


def test_names_come_only_where_they_are_asked_for(graded: Graded) -> None:
    assert {row["name"] for row in graded.rows("q1")} == {None}
    assert graded.rows("q1", names=1)[0]["name"] == "見本 1"


def test_an_index_is_sent_again_only_after_a_change(graded: Graded) -> None:
    address = f"/api/exams/{graded.exam.exam.id}/answers?question=q1"
    first = graded.browser.get(address)
    same = graded.browser.get(address, headers={"If-None-Match": first.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    with graded.database.write() as session:
        note_change(session, graded.deed, graded.exam.exam.id, "answers.judged", {})
    again = graded.browser.get(address, headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 200
    assert again.json()["change"] == first.json()["change"] + 1


def test_a_page_that_was_scanned_again_takes_the_place_of_the_old_one(graded: Graded) -> None:
    old = graded.exam.page_ids[3]
    add_judgement_rows(graded.database, graded.exam, graded.deed, [Given(old, "q1")])
    new = scan_again(graded.database, graded.exam, old, ["q1"])
    pages = [row["page"] for row in graded.rows("q1")]
    assert pages.index(new) == 3
    assert old not in pages
    assert graded.get("questions")["questions"][0]["rounds"] == []


def test_questions_count_what_the_indexes_hold(graded: Graded) -> None:
    pages = graded.exam.page_ids
    marks = [Given(pages[0], "q1"), Given(pages[1], "q1", "hold"), Given(pages[2], "q1", "none")]
    add_judgement_rows(graded.database, graded.exam, graded.deed, marks)
    listed = {one["question"]: one for one in graded.get("questions")["questions"]}
    assert list(listed) == list(graded.exam.questions)
    for question, found in listed.items():
        rows = graded.rows(question)
        statuses = Counter(row["status"] for row in rows)
        assert found["answers"] == STUDENTS
        assert (found["blank"], found["doubtful"]) == (statuses["blank"], statuses["doubtful"])
        assert found["proposed"] == sum(row["points"] is not None for row in rows)
    assert listed["q1"]["rounds"] == [{"round": 1, "judged": 1, "held": 1}]
    assert listed["q2"]["rounds"] == []


def test_graders_of_a_second_grading_do_not_see_each_other_too_soon(graded: Graded) -> None:
    teacher = add_teacher(graded.database, graded.deed, f"t-{new_id()[:8]}")
    page, other = graded.exam.page_ids[:2]
    with graded.database.write() as session:
        session.add(
            SecondGradingRow(
                school_id=graded.deed.school_id,
                school_year=2026,
                exam_id=graded.exam.exam.id,
                question="q4",
            )
        )
    add_judgement_rows(graded.database, graded.exam, graded.deed, [Given(page, "q4")])
    add_judgement_rows(
        graded.database, graded.exam, teacher, [Given(other, "q4", round=2), Given(other, "q5", round=2)]
    )

    def seen(question: str) -> dict[str, list[int]]:
        return {row["page"]: [one[0] for one in row["judgements"]] for row in graded.rows(question)}

    assert seen("q4")[page] == [1]
    assert seen("q4")[other] == []
    assert seen("q5")[other] == [2]
    add_judgement_rows(graded.database, graded.exam, teacher, [Given(page, "q4", "wrong", round=2)])
    assert seen("q4")[page] == [1, 2]


def test_orders_hold_the_same_answers(graded: Graded) -> None:
    pages = graded.exam.page_ids
    add_judgement_rows(
        graded.database, graded.exam, graded.deed, [Given(pages[0], "q4"), Given(pages[1], "q4", "wrong")]
    )
    by_number = graded.rows("q4")
    for order in ("proposal", "similarity", "points"):
        rows = graded.rows("q4", order=order)
        assert sorted(row["page"] for row in rows) == sorted(row["page"] for row in by_number)
    assert [row["page"] for row in graded.rows("q4", order="points")][-2:] == [pages[1], pages[0]]
    proposed = [row["points"] for row in graded.rows("q4", order="proposal")]
    assert proposed == sorted(proposed, key=lambda one: (one is not None, float(one or 0)))
    assert graded.rows("q4", order="similarity")[0]["status"] == "blank"


def test_an_atlas_is_sent_for_ever_to_its_school_alone(
    graded: Graded, school: tuple[School, Browser]
) -> None:
    opened, browser = school
    ours, theirs = (opened.instance.blobs.put(content) for content in (b"our jpeg", b"their jpeg"))

    def in_atlas(atlas: str) -> Any:
        return lambda at, question: replace(write_answer(at, question), atlas=atlas)

    grade(opened, browser, students=1, answer=in_atlas(ours))
    stranger = add_school(graded.database, f"s-{new_id()[:8]}")
    add_graded_exam(graded.database, stranger, students=1, code="THEIRS", answer=in_atlas(theirs))
    sent = browser.get(f"/api/atlases/{ours}.jpg")
    assert (sent.status_code, sent.content) == (200, b"our jpeg")
    assert sent.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert_problem(browser.get(f"/api/atlases/{theirs}.jpg"), 404, "not_found")
    assert_problem(browser.get(f"/api/atlases/{'0' * 64}.jpg"), 404, "not_found")
    assert_problem(opened.browser().get(f"/api/atlases/{ours}.jpg"), 401)


def look(direction: int, tilt: int = 0) -> bytes:
    """An embedding near one of a few directions."""
    row = np.zeros(16)
    row[direction], row[15] = 1.0, tilt / 100
    return np.asarray(row / np.linalg.norm(row), np.float16).tobytes()


def handwritten(at: int, question: Question) -> Written:
    """Three texts that look different, a blank answer and a doubtful one."""
    if question.kind is not QuestionKind.TEXT:
        return write_answer(at, question)
    if at == 0:
        return Written(ReadingStatus.BLANK)
    if at == 1:
        return Written(ReadingStatus.DOUBTFUL, "呼吸", 0.4, embedding=look(9))
    said = ("光合成", "呼吸")[at % 2]
    return Written(ReadingStatus.OK, said, embedding=look(at % 2, at))


def test_groups_hold_every_answer_once(graded: Graded, school: tuple[School, Browser]) -> None:
    of_texts = grade(*school, answer=handwritten)
    for question in graded.exam.questions:
        groups = graded.get("groups", question=question)["groups"]
        assert sorted(page for one in groups for page in one["pages"]) == sorted(graded.exam.page_ids)
    groups = of_texts.get("groups", question="q4")["groups"]
    sizes = {(one["kind"], one["text"]): len(one["pages"]) for one in groups}
    assert sizes == {("blank", ""): 1, ("alone", "呼吸"): 1, ("equal", "光合成"): 5, ("equal", "呼吸"): 5}


def test_a_slip_of_the_grader_is_found(school: tuple[School, Browser]) -> None:
    graded = grade(*school, answer=handwritten)
    judged = [
        Given(page, "q4", "right" if at % 2 == 0 and at != 6 else "wrong")
        for at, page in enumerate(graded.exam.page_ids)
        if at > 1
    ]
    add_judgement_rows(graded.database, graded.exam, graded.deed, judged)
    found = graded.get("contradictions", question="q4")
    [slip] = found["contradictions"]
    assert slip["page"] == graded.exam.page_ids[6]
    assert (slip["judged"]["mark"], slip["others_judged"]["mark"]) == ("wrong", "right")
    assert found["splits"] == []
    assert graded.get("contradictions", question="q4", round=2)["contradictions"] == []


@pytest.mark.parametrize("path", ["answers", "groups", "contradictions"])
def test_there_is_no_such_question_or_exam(graded: Graded, path: str) -> None:
    known = graded.exam.exam.id
    assert_problem(graded.browser.get(f"/api/exams/{known}/{path}?question=none"), 404, "not_found")
    assert_problem(graded.browser.get(f"/api/exams/none/{path}?question=q1"), 404, "not_found")
    assert_problem(graded.browser.get(f"/api/exams/{known}/{path}"), 422)


def make_answer(key: str, status: ReadingStatus, said: str, reading_id: str = "r") -> QuestionAnswer:
    """An answer without owner and picture."""
    return QuestionAnswer(
        page_id=key,
        sheet="",
        student_id=None,
        grade=None,
        class_name=None,
        number=None,
        name=None,
        reading_id=reading_id,
        kind=QuestionKind.CHOICE,
        status=status,
        reading="" if status is ReadingStatus.BLANK else said,
        confidence=0.9,
        is_answer=None,
        alternatives=(),
        reader="test 1",
        picture="",
        atlas=None,
        place=(0, 0, 0, 0),
    )


statuses = st.sampled_from(list(ReadingStatus))
several = st.lists(st.tuples(statuses, st.sampled_from("アイウ")), max_size=30)


@given(several)
def test_marks_are_grouped_by_what_they_say(said: list[tuple[ReadingStatus, str]]) -> None:
    question = make_exam().questions[0]
    answers = [make_answer(f"{at:03}", status, label) for at, (status, label) in enumerate(said)]
    groups = group_equal(question, None, compare_answers(answers, {}))
    expected: dict[tuple[str, str], set[str]] = {}
    for one in answers:
        alone = one.page_id if one.status is ReadingStatus.DOUBTFUL else ""
        expected.setdefault((one.reading + alone, alone), set()).add(one.page_id)
    assert sorted(sorted(one.members) for one in groups) == sorted(map(sorted, expected.values()))


@given(st.lists(several, min_size=1, max_size=4), st.data())
def test_remembered_groups_only_grow(
    batches: list[list[tuple[ReadingStatus, str]]], data: st.DataObject
) -> None:
    question, memory = make_exam().questions[0], GroupMemory()
    answers: list[QuestionAnswer] = []
    before: Sequence[AnswerGroup] = ()
    for number, batch in enumerate(batches):
        answers += [make_answer(f"{number}-{at:03}", *one) for at, one in enumerate(batch)]
        groups = recall(memory, question, answers)
        now = {one.identity: one.members for one in groups}
        assert len(now) == len(groups)
        for one in before:
            assert now[one.identity][: len(one.members)] == one.members
        before = groups
    if answers:
        # One was read again, one is gone: each answer still stands in one group.
        again = data.draw(st.integers(0, len(answers) - 1))
        answers[again] = replace(answers[again], reading_id="again", status=ReadingStatus.OK, reading="ウ")
        answers.pop(data.draw(st.integers(0, len(answers) - 1)))
        groups = recall(memory, question, answers)
        assert sorted(key for one in groups for key in one.members) == sorted(one.page_id for one in answers)
        assert len({one.identity for one in groups}) == len(groups)


def recall(
    memory: GroupMemory, question: Question, answers: Sequence[QuestionAnswer]
) -> tuple[AnswerGroup, ...]:
    evidence = compare_answers(answers, {})
    return memory.recall(
        "exam",
        question.id,
        1,
        {one.page_id: one.reading_id for one in answers},
        lambda earlier: group_equal(question, None, evidence, earlier),
    )


def test_both_databases_tell_the_same_of_a_question(database: Database) -> None:
    deed = add_school(database)
    said = json.dumps([["光合成", 0.9], ["呼吸", 0.05]], ensure_ascii=False)

    def answer(at: int, question: Question) -> Written:
        return replace(write_answer(at, question), alternatives=said, embedding=look(at % 3))

    graded = add_graded_exam(database, deed, students=6, answer=answer)
    judged = [Given(page, "q1") for page in graded.page_ids[:4]]
    add_judgement_rows(database, graded, deed, judged)
    with database.read() as session:
        stored = exams.find_exam(session, deed.school_id, graded.exam.id)
        answers = question_answers.load_answers(session, stored, "q4")
        assert [one.student_id for one in answers] == list(graded.student_ids)
        assert answers[0].alternatives == (("光合成", 0.9), ("呼吸", 0.05))
        assert question_answers.load_embeddings(session, stored, "q4") == {
            page: look(at % 3) for at, page in enumerate(graded.page_ids)
        }
        standing = question_answers.load_standing(session, stored, "q1")
        assert {page: [one.mark for one in rounds] for page, rounds in standing.items()} == {
            page: ["right"] for page in graded.page_ids[:4]
        }
        assert sum(one.answers for one in question_answers.count_readings(session, stored)) == 6 * 6
        assert [tuple(one) for one in question_answers.count_judgements(session, stored)] == [
            ("q1", 1, "right", 4)
        ]
        atlas = answers[0].atlas
        assert atlas is not None
        assert question_answers.has_atlas(session, deed.school_id, atlas)
        assert not question_answers.has_atlas(session, new_id(), atlas)
