"""HTTP routes of a run's exam, scores, questions, answers and pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, HTTPException

from api import result_views
from api.http_rules import NOT_FOUND
from api.resources import (  # noqa: TC001  (FastAPI needs them at run time)
    Answer,
    ExamHeading,
    PageResult,
    QuestionSummary,
    Score,
)

if TYPE_CHECKING:
    from api.results_reader import Results


def result_routes(results: Results) -> APIRouter:
    """Routes that send `results` as JSON."""
    routes = APIRouter()
    question_ids = {question.id for question in results.exam.questions}

    @routes.get("/exam")
    def read_exam_heading() -> ExamHeading:
        """The exam."""
        return result_views.exam_heading(results)

    @routes.get("/scores")
    def list_scores() -> list[Score]:
        """The score of every student and sheet, those without a sheet included."""
        return result_views.scores(results)

    @routes.get("/questions")
    def list_questions() -> list[QuestionSummary]:
        """The questions in exam order."""
        return result_views.questions(results)

    # An id may hold a slash, hence ":path".
    @routes.get("/questions/{question_id:path}/answers", responses=NOT_FOUND)
    def list_answers(question_id: str) -> list[Answer]:
        """All answers to one question."""
        if question_id not in question_ids:
            raise HTTPException(
                404, f"設問「{question_id}」はこの試験にありません。設問の一覧から選んでください。"
            )
        return result_views.answers(results, question_id)

    @routes.get("/pages")
    def list_pages() -> list[PageResult]:
        """Every page of the scans."""
        return result_views.pages(results)

    return routes
