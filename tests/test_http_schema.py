"""The whole HTTP interface against its own schema: whatever is sent, no 500, and only answers that the schema tells of."""

from __future__ import annotations

from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.browser_sessions import CSRF_HEADER
from api.passwords import digest, new_token
from api.school_app import create_school_app
from scoring.storage import exams
from scoring.storage.database import database_in, open_database
from scoring.storage.sessions import start_session
from tests.graded_exams import Given, GradedExam, add_graded_exam, add_judgement_rows, add_teacher
from tests.intakes import SCANS, Intake, open_intake
from tests.running_server import running_server
from tests.school_server import School, open_school
from tests.stored_things import ROSTER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemathesis import SerializationContext


pytestmark = pytest.mark.long
EXAMPLES = 12
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
ENDLESS = {"GET /api/exams/{exam_id}/changes"}
"""Streams, which `tests/test_changes.py` listens to."""

LAST = {"POST /api/exams/{exam_id}/states"}
"""What ends the time in which most else is possible."""


def _send_as_it_is(context: SerializationContext, value: Any) -> bytes:  # noqa: ARG001
    """The body of types that are plain text or bytes."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


for media_type in ("application/toml", "text/csv", "application/offset+octet-stream"):
    schemathesis.serializer(media_type)(_send_as_it_is)


@dataclass(frozen=True)
class Target:
    """A server with something of everything, and what stands there."""

    school: School
    address: str
    schema: dict[str, Any]
    graded: GradedExam
    known: dict[str, list[Any]]
    bodies: dict[str, str]

    def headers(self) -> dict[str, str]:
        """Those of a browser whose administrator has just signed in: some requests sign out."""
        here, token = self.school.instance, new_token()
        with here.database.write() as session:
            start_session(session, here.deed(self.graded.deed.by), digest(token))
        return {"Cookie": f"saiten={token}", CSRF_HEADER: digest("csrf", token)}

    def tag(self, path: str, headers: dict[str, str]) -> str:
        """The ETag of what stands at an address, else of the exam, as they now are."""
        found = httpx2.get(self.address + path, headers=headers).headers.get("etag")
        if found is not None:
            return found
        here = self.school.instance
        with here.database.read() as session:
            return f'"{exams.find_exam(session, here.school_id, self.graded.exam.id).tag}"'


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    folder = tmp_path_factory.mktemp("school")
    with closing(open_database(database_in(folder))) as database:
        read = open_intake(database, folder)
        read.add(SCANS / "scan_0003.pdf", SCANS / "scan_0005.jpg")
        read.work_off()
        school = open_school(database, folder)
        graded = add_graded_exam(database, read.deed, students=8)
        add_judgement_rows(database, graded, read.deed, [Given(page, "q1") for page in graded.page_ids[:4]])
        teacher = add_teacher(database, read.deed, "suzuki")
        app = create_school_app(school.instance)
        with running_server(app) as address:
            known = _known(read, graded, teacher.by)
            bodies = {"application/toml": graded.exam.document, "text/csv": ROSTER}
            yield Target(school, address, app.openapi(), graded, known, bodies)


def _known(read: Intake, graded: GradedExam, teacher: str) -> dict[str, list[Any]]:
    """Ids of what is there, by the names that parameters and members have; the administrator's own account is not told."""
    pages, questions = list(graded.page_ids), list(graded.questions)
    return {
        "exam_id": [graded.exam.id, read.exam.id],
        "account_id": [teacher],
        "account": [teacher],
        "page_id": [one.id for one in read.pages()],
        "page": pages,
        "pages": [pages[:2]],
        "question": [*questions, *(one.id for one in read.exam.exam.questions)],
        "questions": [questions[:2]],
        "student_id": list(graded.student_ids),
        "student": list(graded.student_ids),
        "class_id": list(graded.class_ids),
        "school_year": [2026],
        "code": ["COPY-1", "COPY-2"],
        "version": [0, 1],
    }


def make_known(value: Any, known: dict[str, list[Any]], draw: Any) -> Any:
    """The same with ids of things that are there, wherever a name says of what."""
    if isinstance(value, dict):
        return {
            name: draw(st.sampled_from(known[name])) if name in known else make_known(one, known, draw)
            for name, one in value.items()
        }
    if isinstance(value, list):
        # One at a time: several would say something of the same thing.
        return [make_known(one, known, draw) for one in value[:1]]
    return value


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_nothing_that_is_sent_brings_more_than_the_schema_says(target: Target, mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_dict(target.schema)
    failures = {}
    found: list[Any] = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
    for operation in sorted(found, key=lambda one: one.label in LAST):
        if operation.label in ENDLESS:
            continue
        try:
            check_operation(target, operation, mode)
        except FailureGroup as group:
            failures[operation.label] = [str(one) for one in group.exceptions]
    assert not failures


def check_operation(target: Target, operation: Any, mode: GenerationMode) -> None:
    """Send an operation what the strategy makes, by itself and with things that are there."""

    @seed(20261127)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), data=st.data())
    def send(case: Any, data: st.DataObject) -> None:
        headers = target.headers()
        if data.draw(st.integers(0, 3)):
            case.path_parameters = make_known(case.path_parameters, target.known, data.draw)
            case.query = make_known(case.query, target.known, data.draw)
            case.body = target.bodies.get(case.media_type or "") or make_known(
                case.body, target.known, data.draw
            )
            if operation.method in {"put", "post", "patch"}:
                headers["If-Match"] = target.tag(case.formatted_path, headers)
        response = case.call(base_url=target.address, headers=headers)
        case.validate_response(response, checks=CHECKS)

    with suppress(Unsatisfiable):  # nothing wrong can be sent to who takes everything
        send()
