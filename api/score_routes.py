"""HTTP routes of scores (得点): the whole exam, as CSV, previews of a change, and what keeps it from 確定."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from api.http_rules import NOT_FOUND
from api.preview_resources import PreviewResource
from api.rights import Caller, Right, asks
from api.score_resources import Completeness, ScoreTable
from api.versions import TextBody  # noqa: TC001  (FastAPI reads it)
from scoring.exam_file import parse_exam
from scoring.exam_state import ExamState
from scoring.score_preview import preview
from scoring.scores import compute_scores
from scoring.scores_file import scores_csv
from scoring.storage import exams
from scoring.storage.completeness import list_obstacles
from scoring.storage.exam_answers import load_answers
from scoring.storage.score_snapshots import find_changes_since

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from scoring.scores import ExamScores
    from scoring.storage.exams import StoredExam

routes = APIRouter()
Reader = Annotated[Caller, Depends(asks(Right.SEE_SCORES))]
_NAME = "試験の設定"
_TOML_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/toml": {"schema": {"type": "string"}}}}
}
_CSV: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}


@routes.get("/exams/{exam_id}/scores", responses=NOT_FOUND)
def read_scores(
    exam_id: str,
    caller: Reader,
    after: Annotated[int, Query(ge=0, le=10**6, description="so many rows are left out")] = 0,
    limit: Annotated[int, Query(ge=1, le=2000)] = 2000,
) -> ScoreTable:
    """The scores of all examinees, computed now, and which totals changed since the exam was 確定 and 返却."""
    with caller.instance.database.read() as session:
        stored, scores = _scores(caller, session, exam_id)
        confirmed, returned = (
            find_changes_since(session, stored, state, scores)
            for state in (ExamState.CONFIRMED, ExamState.RETURNED)
        )
    return ScoreTable.of(stored.tag, scores, slice(after, after + limit), confirmed, returned)


@routes.get("/exams/{exam_id}/scores.csv", response_class=Response, responses={**NOT_FOUND, **_CSV})
def download_scores(exam_id: str, caller: Reader) -> Response:
    """The totals as scores.csv, in the columns of `saiten read` and with the attendance of each student."""
    with caller.instance.database.read() as session:
        stored, scores = _scores(caller, session, exam_id)
    return Response(
        scores_csv(scores),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{stored.code}-scores.csv"'},
    )


@routes.post("/exams/{exam_id}/previews", responses=NOT_FOUND, openapi_extra=_TOML_BODY)
def preview_exam(
    exam_id: str, caller: Annotated[Caller, Depends(asks(Right.CHANGE_EXAMS))], toml: TextBody
) -> PreviewResource:
    """Whose scores would move if the exam said what is sent, from what to what and why; nothing is kept."""
    exam = parse_exam(toml, _NAME)
    with caller.instance.database.read() as session:
        stored = exams.find_exam(session, caller.instance.school_id, exam_id)
        exams.check_same_exam(stored, exam)
        answers = load_answers(session, stored)
    return PreviewResource.of(stored.tag, preview(stored.exam, exam, answers))


@routes.get("/exams/{exam_id}/completeness", responses=NOT_FOUND)
def read_completeness(exam_id: str, caller: Reader) -> Completeness:
    """Everything that keeps the exam from 確定."""
    with caller.instance.database.read() as session:
        stored, scores = _scores(caller, session, exam_id)
        return Completeness.of(list_obstacles(session, stored, scores))


def _scores(caller: Caller, session: Session, exam_id: str) -> tuple[StoredExam, ExamScores]:
    stored = exams.find_exam(session, caller.instance.school_id, exam_id)
    return stored, compute_scores(stored.exam, load_answers(session, stored))
