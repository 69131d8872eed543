"""Layouts over HTTP: what follows from the exam, another one given, a teacher's own sheet, and reading anew."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from omr.compose import compose_layout
from omr.layout import layout_to_json
from scoring.exam import design_sheet
from scoring.storage.database import open_database
from scoring.storage.scan_tables import ExamLayoutRow
from tests.school_server import Browser, School, assert_problem, confirm_exam, open_school
from tests.stored_things import exam_toml, make_exam

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def school(tmp_path: Path) -> Iterator[School]:
    with closing(open_database(f"sqlite:///{tmp_path / 'saiten.sqlite3'}")) as database:
        yield open_school(database, tmp_path)


def composed() -> dict[str, Any]:
    return layout_to_json(compose_layout(design_sheet(make_exam())))


def add_exam(browser: Browser) -> str:
    exam: str = browser.send("POST", "/api/exams", content=exam_toml()).json()["id"]
    return exam


def put(browser: Browser, exam: str, layout: Any, number: int = 0, query: str = "") -> Any:
    return browser.send(
        "PUT",
        f"/api/exams/{exam}/layout{query}",
        content=json.dumps(layout),
        headers={"If-Match": f'"{number}"'},
    )


def test_a_layout_follows_from_the_exam_until_another_is_given(school: School) -> None:
    browser = school.administrator()
    exam = add_exam(browser)
    first = browser.get(f"/api/exams/{exam}/layout")
    assert (first.json()["number"], first.json()["layout"]) == (0, composed())
    moved = composed()
    moved["pages"][0]["questions"][0]["bubbles"][0]["x"] += 1.0
    assert put(browser, exam, moved).json()["layout"] == moved
    again = browser.get(f"/api/exams/{exam}/layout")
    assert (again.headers["ETag"], again.json()["layout"]) == ('"1"', moved)
    with school.instance.database.read() as session:
        assert len(session.scalars(select(ExamLayoutRow.id)).all()) == 1


def test_who_is_late_sees_both_sides(school: School) -> None:
    browser = school.administrator()
    exam = add_exam(browser)
    assert put(browser, exam, composed()).status_code == 200
    problem = assert_problem(put(browser, exam, composed()), 412, "stale")
    assert problem["current"]["number"] == 1
    assert problem["sent"]["layout"] == composed()


def test_a_layout_of_other_questions_is_refused(school: School) -> None:
    browser = school.administrator()
    exam = add_exam(browser)
    other = composed()
    other["pages"][0]["questions"][0]["id"] = "9-9"
    assert "9-9" in assert_problem(put(browser, exam, other), 422)["detail"]
    assert_problem(put(browser, exam, {"pages": []}), 422)
    assert browser.get(f"/api/exams/{exam}/layout").json()["number"] == 0


def test_a_confirmed_exam_keeps_its_layout(school: School) -> None:
    browser = school.administrator()
    exam = add_exam(browser)
    confirm_exam(school, exam)
    assert_problem(put(browser, exam, composed()), 409, "wrong_state")
    assert_problem(browser.send("POST", f"/api/exams/{exam}/rereadings", json={}), 409, "wrong_state")


def test_an_own_sheet_needs_its_empty_sheet(school: School) -> None:
    browser = school.administrator()
    exam = add_exam(browser)
    own = composed()
    for page in own["pages"]:
        for name in ("qr", "second_qr", "fiducials", "identity"):
            page.pop(name, None)
    own["reference"] = "../../own.pdf"
    assert_problem(put(browser, exam, own), 404)
    assert_problem(put(browser, exam, own, query=f"?reference={'0' * 64}"), 404)
    sent = browser.send("POST", f"/api/exams/{exam}/layout/reference", content=b"%PDF-").json()
    kept = put(browser, exam, own, query=f"?reference={sent['reference']}")
    assert kept.json()["empty_sheet"] == "own.pdf"
    # Moved again, it is still drawn on the same sheet.
    assert put(browser, exam, own, number=1).json()["empty_sheet"] == "own.pdf"


def test_layouts_of_other_exams_are_not_found(school: School) -> None:
    browser = school.administrator()
    assert_problem(browser.get("/api/exams/unknown/layout"), 404)
    assert_problem(browser.send("POST", "/api/exams/unknown/rereadings", json={}), 404)
