"""HTTP routes of who grades what (分担), and of the questions that two people grade (照合採点)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from api.http_rules import NOT_FOUND
from api.judgement_resources import Duties, DutyResource, SecondGradings
from api.problems import Stale
from api.rights import Caller, Right, asks
from api.versions import Version, entity_tag
from omr.errors import Refusal, Refused
from scoring.storage import duties, exams

routes = APIRouter()
Reader = Annotated[Caller, Depends(asks(Right.SEE_EXAMS))]
Writer = Annotated[Caller, Depends(asks(Right.CHANGE_EXAMS))]


@routes.get("/exams/{exam_id}/duties", responses=NOT_FOUND)
def read_duties(exam_id: str, caller: Reader, response: Response) -> Duties:
    """Who grades what; the ETag is what a change is to send as If-Match."""
    with caller.instance.database.read() as session:
        stored = duties.find_duties(session, exams.find_exam(session, caller.instance.school_id, exam_id))
    response.headers["ETag"] = entity_tag(stored.tag)
    return _duties(stored)


@routes.put("/exams/{exam_id}/duties", responses=NOT_FOUND)
def replace_duties(
    exam_id: str, sent: Duties, caller: Writer, version: Version, response: Response
) -> Duties:
    """Let others grade from now on."""
    wanted = [one.to_duty() for one in sent.duties]
    with caller.instance.database.write() as session:
        exam = exams.hold_exam(session, caller.instance.school_id, exam_id)
        try:
            stored = duties.replace_duties(session, caller.deed, exam, wanted, version)
        except Refused as refused:
            if refused.refusal is not Refusal.STALE:
                raise
            raise Stale(refused.reason, _duties(duties.find_duties(session, exam)), sent) from refused
    response.headers["ETag"] = entity_tag(stored.tag)
    return _duties(stored)


@routes.get("/exams/{exam_id}/second-gradings", responses=NOT_FOUND)
def read_second_gradings(exam_id: str, caller: Reader, response: Response) -> SecondGradings:
    """The questions that two people grade; the ETag is what a change is to send as If-Match."""
    with caller.instance.database.read() as session:
        exam = exams.find_exam(session, caller.instance.school_id, exam_id)
        stored = duties.find_second_gradings(session, exam)
    response.headers["ETag"] = entity_tag(stored.tag)
    return SecondGradings(questions=list(stored.questions))


@routes.put("/exams/{exam_id}/second-gradings", responses=NOT_FOUND)
def replace_second_gradings(
    exam_id: str, sent: SecondGradings, caller: Writer, version: Version, response: Response
) -> SecondGradings:
    """Let two people grade these questions and no others."""
    with caller.instance.database.write() as session:
        exam = exams.hold_exam(session, caller.instance.school_id, exam_id)
        try:
            stored = duties.replace_second_gradings(session, caller.deed, exam, sent.questions, version)
        except Refused as refused:
            if refused.refusal is not Refusal.STALE:
                raise
            now = duties.find_second_gradings(session, exam)
            raise Stale(refused.reason, SecondGradings(questions=list(now.questions)), sent) from refused
    response.headers["ETag"] = entity_tag(stored.tag)
    return SecondGradings(questions=list(stored.questions))


def _duties(stored: duties.StoredDuties) -> Duties:
    return Duties(duties=[DutyResource.of(one) for one in stored.duties])
