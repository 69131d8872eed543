"""Judgements, duties, second gradings and attendance over HTTP and a real database."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from scoring.storage.columns import new_id
from scoring.storage.database import open_database
from scoring.storage.events import Deed
from scoring.storage.scan_tables import AnswerReadingRow
from scoring.storage.tables import AccountRow
from tests.graded_exams import GradedExam, add_graded_exam, read_again
from tests.school_server import Browser, School, assert_problem, open_school

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    folder: Path = tmp_path_factory.mktemp("school")
    with closing(open_database(f"sqlite:///{folder / 'saiten.sqlite3'}")) as database:
        yield open_school(database, folder)


@pytest.fixture(scope="module")
def administrator(school: School) -> Browser:
    return school.administrator()


@pytest.fixture(scope="module")
def suzuki(school: School, administrator: Browser) -> Browser:
    return school.teacher(administrator)


@pytest.fixture
def graded(school: School, administrator: Browser) -> GradedExam:
    assert administrator.csrf_token
    with school.instance.database.read() as session:
        account = session.scalars(select(AccountRow.id).where(AccountRow.role == "administrator")).one()
    deed = Deed(school.instance.school_id, account, school.clock())
    return add_graded_exam(school.instance.database, deed, code=f"E-{new_id()[-12:]}".upper())


def _sent(
    school: School, graded: GradedExam, at: int = 0, question: str = "q5", **more: Any
) -> dict[str, Any]:
    page = graded.page_ids[at]
    with school.instance.database.read() as session:
        picture = session.scalars(
            select(AnswerReadingRow.picture).where(
                AnswerReadingRow.page_id == page, AnswerReadingRow.question == question
            )
        ).first()
    return {
        "page": page,
        "question": question,
        "mark": "right",
        "picture": picture,
        "version": 0,
        "key": new_id(),
        **more,
    }


def _judge(browser: Browser, graded: GradedExam, *items: dict[str, Any], **more: Any) -> Any:
    return browser.send("POST", f"/api/exams/{graded.exam.id}/judgements", json={"items": items, **more})


def _put(browser: Browser, address: str, body: dict[str, Any]) -> Any:
    tag = browser.get(address).headers["etag"]
    answer = browser.send("PUT", address, json=body, headers={"If-Match": tag})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_judgement_comes_back_as_it_was_sent(
    school: School, graded: GradedExam, administrator: Browser
) -> None:
    stroke = {"colour": "#d00000", "width": 0.01, "points": [[0.1, 0.2], [0.3, 0.4]]}
    item = _sent(
        school, graded, mark="partial", points="1.50", comment="途中まで", rubric=["理由"], strokes=[stroke]
    )
    answer = _judge(administrator, graded, item)
    assert answer.status_code == 201, answer.text
    assert _judge(administrator, graded, item).json() == answer.json()
    (kept,) = answer.json()["judgements"]
    said = kept["judgement"]
    assert (kept["page"], kept["question"], kept["round"], kept["version"]) == (item["page"], "q5", 1, 1)
    assert (said["mark"], said["points"], said["comment"]) == ("partial", "1.5", "途中まで")
    assert (said["rubric"], said["strokes"], said["picture"]) == (["理由"], [stroke], item["picture"])
    for address in (f"judgements?question={'q5'}", f"answers/{item['page']}/judgements?question=q5"):
        listed = administrator.get(f"/api/exams/{graded.exam.id}/{address}").json()
        assert listed == {"judgements": [kept], "next": None}


def test_pages_of_lists(school: School, graded: GradedExam, administrator: Browser) -> None:
    assert _judge(administrator, graded, *(_sent(school, graded, at) for at in range(3))).status_code == 201
    address = f"/api/exams/{graded.exam.id}/judgements?question=q5&limit=2"
    first = administrator.get(address).json()
    second = administrator.get(f"{address}&after={first['next']}").json()
    pages = [one["page"] for one in [*first["judgements"], *second["judgements"]]]
    assert [len(one["judgements"]) for one in (first, second)] == [2, 1]
    assert (set(pages), second["next"]) == (set(graded.page_ids), None)


def test_who_is_late_gets_both_sides(
    school: School, graded: GradedExam, administrator: Browser, suzuki: Browser
) -> None:
    mine = [_sent(school, graded, at) for at in (0, 1)]
    assert _judge(administrator, graded, mine[1]).status_code == 201
    theirs = [{**one, "mark": "wrong", "key": new_id()} for one in mine]
    problem = assert_problem(_judge(suzuki, graded, *theirs), 412, "stale")
    (current,), (sent,) = problem["current"], problem["sent"]
    assert (current["page"], current["version"], current["judgement"]["mark"]) == (
        mine[1]["page"],
        1,
        "right",
    )
    assert current["judgement"]["made_at"]
    assert current["judgement"]["made_by"]
    assert (sent["page"], sent["mark"], sent["key"]) == (mine[1]["page"], "wrong", theirs[1]["key"])
    again = _judge(suzuki, graded, theirs[0], {**theirs[1], "version": current["version"]})
    assert again.status_code == 201


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"mark": "partial"}, 422),
        ({"mark": "partial", "points": "6.01"}, 422),
        ({"mark": "partial", "points": "1.005"}, 422),
        ({"mark": "partial", "points": 1.5}, 422),
        ({"points": "1"}, 422),
        ({"mark": "great"}, 422),
        ({"round": 2}, 409),
        ({"round": 4}, 422),
        ({"page": "nowhere"}, 404),
        ({"question": "a/b 問"}, 404),
    ],
)
def test_wrong_judgements(
    school: School, graded: GradedExam, administrator: Browser, wrong: dict[str, Any], status: int
) -> None:
    assert_problem(_judge(administrator, graded, {**_sent(school, graded), **wrong}), status)


def test_a_confirmed_exam_asks_for_a_reason(
    school: School, graded: GradedExam, administrator: Browser
) -> None:
    states = administrator.send(
        "POST",
        f"/api/exams/{graded.exam.id}/states",
        json={"state": "confirmed"},
        headers={"If-Match": f'"{graded.exam.tag}"'},
    )
    assert states.status_code == 201
    item = _sent(school, graded)
    assert_problem(_judge(administrator, graded, item), 409, "wrong_state")
    kept = _judge(administrator, graded, item, reason="別解があったため").json()["judgements"][0]
    assert kept["judgement"]["reason"] == "別解があったため"


def test_second_gradings_are_blind(
    school: School, graded: GradedExam, administrator: Browser, suzuki: Browser
) -> None:
    base = f"/api/exams/{graded.exam.id}"
    assert _put(administrator, f"{base}/second-gradings", {"questions": ["q5"]}) == {"questions": ["q5"]}
    item = _sent(school, graded, comment="よく書けています")
    assert _judge(administrator, graded, item).status_code == 201
    for address in (
        f"{base}/judgements?question=q5",
        f"{base}/answers/{item['page']}/judgements?question=q5",
    ):
        hidden = suzuki.get(address)
        assert [(one["version"], one["judgement"]) for one in hidden.json()["judgements"]] == [(1, None)]
        assert "よく書けています" not in hidden.text
    probe = _judge(suzuki, graded, {**item, "mark": "wrong", "key": new_id()})
    assert assert_problem(probe, 412, "stale")["current"][0]["judgement"] is None
    read_again(school.instance.database, graded, item["page"], ["q5"])
    outdated = suzuki.get(f"{base}/outdated-judgements").json()["outdated"]
    assert [one["standing"]["judgement"] for one in outdated] == [None]


def test_differences_are_settled_by_a_third_word(
    school: School, graded: GradedExam, administrator: Browser, suzuki: Browser
) -> None:
    base = f"/api/exams/{graded.exam.id}"
    _put(administrator, f"{base}/second-gradings", {"questions": ["q5"]})
    item = _sent(school, graded)
    assert _judge(administrator, graded, item).status_code == 201
    second = {**item, "round": 2, "key": new_id(), "mark": "wrong"}
    assert_problem(_judge(administrator, graded, second), 403, "not_allowed")
    assert _judge(suzuki, graded, second).status_code == 201
    (difference,) = administrator.get(f"{base}/differences").json()["differences"]
    marks = [difference[one]["judgement"]["mark"] for one in ("first", "second")]
    assert (difference["page"], marks) == (item["page"], ["right", "wrong"])
    third = {**item, "round": 3, "key": new_id(), "mark": "partial", "points": "3"}
    assert _judge(suzuki, graded, third).status_code == 201
    assert administrator.get(f"{base}/differences").json()["differences"] == []
    history = suzuki.get(f"{base}/answers/{item['page']}/judgements?question=q5").json()["judgements"]
    assert [one["judgement"]["mark"] for one in history] == ["right", "wrong", "partial"]


def test_two_people_replace_the_duties(graded: GradedExam, administrator: Browser, suzuki: Browser) -> None:
    address = f"/api/exams/{graded.exam.id}/duties"
    account = administrator.get("/api/session").json()["account"]["id"]
    duty = {"account": account, "round": 1, "question": "q1", "class_id": graded.class_ids[0]}
    seen = suzuki.get(address).headers["etag"]
    assert _put(administrator, address, {"duties": [duty]}) == {"duties": [duty]}
    late = suzuki.send("PUT", address, json={"duties": []}, headers={"If-Match": seen})
    problem = assert_problem(late, 412, "stale")
    assert (problem["current"], problem["sent"]) == ({"duties": [duty]}, {"duties": []})
    assert_problem(suzuki.send("PUT", address, json={"duties": []}), 428, "version_missing")


def test_attendance(graded: GradedExam, administrator: Browser, suzuki: Browser) -> None:
    address = f"/api/exams/{graded.exam.id}/attendance"
    student = graded.student_ids[0]
    body = {"items": [{"student": student, "attendance": "absent", "version": 0}]}
    kept = administrator.send("POST", address, json=body)
    assert kept.status_code == 201, kept.text
    assert administrator.send("POST", address, json=body).json() == kept.json()
    late = suzuki.send(
        "POST", address, json={"items": [{"student": student, "attendance": "elsewhere", "version": 0}]}
    )
    problem = assert_problem(late, 412, "stale")
    assert (problem["current"][0]["attendance"], problem["sent"][0]["attendance"]) == ("absent", "elsewhere")
    (contradiction,) = administrator.get(f"{address}?contradictions=true").json()["attendances"]
    assert (contradiction["student"], contradiction["pages"]) == (student, [graded.page_ids[0]])
    everybody = administrator.get(address).json()["attendances"]
    assert [one["attendance"] for one in everybody] == ["absent", None, None]
