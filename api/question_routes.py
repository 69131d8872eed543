"""HTTP routes of grading by question: how far each is, the index of one's answers, the atlases with their pictures."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from api.answer_index import load_question, write_index
from api.http_rules import NOT_FOUND
from api.passwords import digest
from api.question_resources import AnswerIndex, AnswerOrder, QuestionList, QuestionSummary, RoundCount
from api.rights import Caller, Right, asks, require
from api.versions import entity_tag
from omr.errors import Refusal, Refused
from omr.reading import ReadingStatus
from scoring.judgement import Mark
from scoring.marking import propose
from scoring.points import format_points
from scoring.question_answer import reading_parts
from scoring.storage import exams, question_answers
from scoring.storage.rosters import find_roster_version

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scoring.exam import Exam, Question
    from scoring.storage.question_answers import JudgementCount, ReadingCount

routes = APIRouter()
Reader = Annotated[Caller, Depends(asks(Right.SEE_EXAMS))]
OfQuestion = Annotated[str, Query(min_length=1, max_length=32, examples=["1-1"])]
WithNames = Annotated[
    bool, Query(description="with the names of the owners; asks for the right to see rosters")
]
_FOR_EVER = "private, max-age=31536000, immutable"
_DECIDED = {Mark.RIGHT, Mark.PARTIAL, Mark.WRONG}
_INDEX: dict[int | str, dict[str, Any]] = {
    **NOT_FOUND,
    200: {"model": AnswerIndex, "description": "The index; its ETag is to be sent as If-None-Match."},
    304: {"description": "Nothing changed since."},
}
_PICTURE: dict[int | str, dict[str, Any]] = {
    **NOT_FOUND,
    200: {"content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}},
}


@routes.get("/exams/{exam_id}/questions", responses=NOT_FOUND)
def list_questions(exam_id: str, caller: Reader) -> QuestionList:
    """The questions of an exam, and how far the grading of each is."""
    with caller.instance.database.read() as session:
        stored = exams.find_exam(session, caller.instance.school_id, exam_id)
        readings: dict[str, list[ReadingCount]] = defaultdict(list)
        for reading in question_answers.count_readings(session, stored):
            readings[reading.question].append(reading)
        judgements: dict[str, list[JudgementCount]] = defaultdict(list)
        for judgement in question_answers.count_judgements(session, stored):
            judgements[judgement.question].append(judgement)
    exam = stored.exam
    return QuestionList(
        questions=[_summary(exam, one, readings[one.id], judgements[one.id]) for one in exam.questions],
        change=stored.change_number,
    )


@routes.get("/exams/{exam_id}/answers", responses=_INDEX, response_class=Response)
def index_answers(
    exam_id: str,
    question: OfQuestion,
    caller: Reader,
    request: Request,
    order: AnswerOrder = AnswerOrder.NUMBER,
    names: WithNames = False,  # noqa: FBT002  (a parameter of the address)
) -> Response:
    """The answers to one question on all pages that are read, with what the caller may see of their judgements."""
    if names:
        require(caller, Right.SEE_ROSTERS)
    here = caller.instance
    with here.database.read() as session:
        stored = exams.find_exam(session, here.school_id, exam_id)
        roster = find_roster_version(session, here.school_id, stored.school_year)
        # Who may see which judgements is no matter of the exam alone.
        known = (stored.tag, str(stored.change_number), str(roster), caller.actor.account_id)
        tag = entity_tag(digest("index", *known)[:32])
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers={"ETag": tag})
        loaded = load_question(
            session,
            stored,
            question,
            caller.actor.account_id,
            embeddings=order is AnswerOrder.SIMILARITY,
        )
    body = write_index(loaded, order, names=names)
    return Response(body, media_type="application/json", headers={"ETag": tag})


@routes.get("/atlases/{sha256}.jpg", responses=_PICTURE, response_class=Response)
def read_atlas(
    sha256: Annotated[str, Path(pattern="^[0-9a-f]{64}$", examples=["0f" * 32])], caller: Reader
) -> Response:
    """Pictures of some dozen answers in one JPEG; it never changes."""
    here = caller.instance
    with here.database.read() as session:
        is_ours = question_answers.has_atlas(session, here.school_id, sha256)
    if not is_ours:
        raise Refused(Refusal.NOT_FOUND, "この画像は見つかりません。画面を開き直してください。")
    return Response(here.blobs.get(sha256), media_type="image/jpeg", headers={"Cache-Control": _FOR_EVER})


def _summary(
    exam: Exam, question: Question, readings: Sequence[ReadingCount], judgements: Sequence[JudgementCount]
) -> QuestionSummary:
    return QuestionSummary(
        question=question.id,
        section=question.section,
        kind=question.kind,
        points=format_points(question.points),
        answers=sum(one.answers for one in readings),
        blank=sum(one.answers for one in readings if one.status is ReadingStatus.BLANK),
        doubtful=sum(one.answers for one in readings if one.status is ReadingStatus.DOUBTFUL),
        proposed=sum(
            one.answers
            for one in readings
            if propose(question, one.status, reading_parts(question.kind, one.reading), exam.compare).points
            is not None
        ),
        rounds=[
            RoundCount(
                round=number,
                judged=sum(one.answers for one in judgements if one.round == number and one.mark in _DECIDED),
                held=sum(one.answers for one in judgements if one.round == number and one.mark == Mark.HOLD),
            )
            for number in sorted({one.round for one in judgements})
        ],
    )
