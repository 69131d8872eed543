"""HTTP routes of exams (試験): list, create, read, replace, copy, states."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from api.exam_resources import (
    ExamCopy,
    ExamPage,
    ExamResource,
    ExamSummary,
    SentExam,
    StateResource,
    StateWanted,
)
from api.http_rules import NOT_FOUND
from api.problems import Stale
from api.rights import Caller, Right, asks
from api.versions import IdempotencyKey, TextBody, Version, entity_tag, once
from omr.errors import Refusal, Refused
from scoring.exam_file import exam_to_toml, parse_exam
from scoring.storage import exams

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel
    from sqlalchemy.orm import Session

routes = APIRouter()
Reader = Annotated[Caller, Depends(asks(Right.SEE_EXAMS))]
Writer = Annotated[Caller, Depends(asks(Right.CHANGE_EXAMS))]
_NAME = "試験の設定"
_EXAMPLE = """[exam]
id = "2026-2F-MATH2"
title = "2学期期末考査 数学"
date = 2026-11-27

[[question]]
id = "1-1"
kind = "choice"
choices = ["ア", "イ", "ウ", "エ"]
answer = ["イ"]
points = 2
"""
_TOML_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/toml": {"schema": {"type": "string"}, "example": _EXAMPLE}},
    }
}


@routes.get("/exams")
def list_exams(
    caller: Reader,
    school_year: Annotated[int | None, Query(ge=1900, le=2999, description="年度; all without")] = None,
    before: Annotated[str | None, Query(max_length=40)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> ExamPage:
    """Exams, the newest first."""
    with caller.instance.database.read() as session:
        found = exams.list_exams(session, caller.instance.school_id, school_year, before, limit)
    return ExamPage(
        exams=[ExamSummary.of(one) for one in found], next=found[-1].id if len(found) == limit else None
    )


@routes.post("/exams", status_code=201, response_model=ExamResource, openapi_extra=_TOML_BODY)
def create_exam(
    caller: Writer, request: Request, toml: TextBody, idempotency_key: IdempotencyKey = None
) -> Response:
    """Make an exam from EXAM.toml."""
    exam = parse_exam(toml, _NAME)

    def make(session: Session) -> tuple[ExamResource, str]:
        stored = exams.add_exam(session, caller.deed, exam)
        return ExamResource.of(stored), stored.tag

    return once(caller, request, idempotency_key, toml, make)


@routes.get("/exams/{exam_id}", responses=NOT_FOUND)
def read_exam(exam_id: str, caller: Reader, response: Response) -> ExamResource:
    """One exam with its questions; the ETag is what a change is to send as If-Match."""
    with caller.instance.database.read() as session:
        stored = exams.find_exam(session, caller.instance.school_id, exam_id)
    response.headers["ETag"] = entity_tag(stored.tag)
    return ExamResource.of(stored)


@routes.put("/exams/{exam_id}", responses=NOT_FOUND, openapi_extra=_TOML_BODY)
def replace_exam(
    exam_id: str, caller: Writer, toml: TextBody, version: Version, response: Response
) -> ExamResource:
    """Let an exam say something else; what it said before is kept."""
    exam = parse_exam(toml, _NAME)
    with caller.instance.database.write() as session:
        with _both_sides(caller, session, exam_id, SentExam(exam=exam)):
            stored = exams.find_exam_to_change(session, caller.instance.school_id, exam_id, version)
        stored = exams.replace_exam(session, caller.deed, stored, exam)
    response.headers["ETag"] = entity_tag(stored.tag)
    return ExamResource.of(stored)


@routes.post("/exams/{exam_id}/copies", status_code=201, response_model=ExamResource, responses=NOT_FOUND)
def copy_exam(
    exam_id: str, copy: ExamCopy, caller: Writer, request: Request, idempotency_key: IdempotencyKey = None
) -> Response:
    """Make an exam that says what an earlier one says, under an id of its own."""

    def make(session: Session) -> tuple[ExamResource, str]:
        earlier = exams.find_exam(session, caller.instance.school_id, exam_id)
        new = earlier.exam.model_copy(
            update={
                "id": copy.code,
                "title": copy.title or earlier.title,
                "date": copy.date,
            }
        )
        # Written and read again: what came from outside is held to the same rules as a file.
        checked = parse_exam(exam_to_toml(new).encode(), _NAME)
        stored = exams.add_exam(session, caller.deed, checked, copied_from=earlier.id)
        return ExamResource.of(stored), stored.tag

    return once(caller, request, idempotency_key, copy.model_dump_json().encode(), make)


@routes.get("/exams/{exam_id}/states", responses=NOT_FOUND)
def list_states(exam_id: str, caller: Reader) -> list[StateResource]:
    """The states that an exam came into, the first one first."""
    with caller.instance.database.read() as session:
        stored = exams.find_exam(session, caller.instance.school_id, exam_id)
        return [StateResource.of(one) for one in exams.list_states(session, stored)]


@routes.post("/exams/{exam_id}/states", status_code=201, responses=NOT_FOUND)
def change_state(
    exam_id: str, wanted: StateWanted, caller: Writer, version: Version, response: Response
) -> ExamSummary:
    """Bring an exam into the next state, or for a reason back into an earlier one."""
    with caller.instance.database.write() as session:
        with _both_sides(caller, session, exam_id, wanted):
            stored = exams.find_exam_to_change(session, caller.instance.school_id, exam_id, version)
        stored = exams.change_state(session, caller.deed, stored, wanted.state, wanted.reason)
    response.headers["ETag"] = entity_tag(stored.tag)
    return ExamSummary.of(stored)


@contextmanager
def _both_sides(caller: Caller, session: Session, exam_id: str, sent: BaseModel) -> Iterator[None]:
    """Tell who is late how the exam is now, and what they sent."""
    try:
        yield
    except Refused as refused:
        if refused.refusal is not Refusal.STALE:
            raise
        now = exams.find_exam(session, caller.instance.school_id, exam_id)
        raise Stale(refused.reason, ExamResource.of(now), sent) from refused
