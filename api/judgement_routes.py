"""HTTP routes of judgements (判定): keep, list by question, history of an answer, differences, changed pictures."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Query

from api.http_rules import NOT_FOUND
from api.judgement_resources import (
    AnswerJudgement,
    CurrentAnswer,
    DifferencePage,
    DifferenceResource,
    JudgementPage,
    KeptJudgements,
    OutdatedPage,
    OutdatedResource,
    SentJudgement,
    SentJudgements,
)
from api.problems import Stale
from api.rights import Caller, Right, asks
from scoring.storage import exams, judged_answers, judgements

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

    from scoring.storage.exams import StoredExam

routes = APIRouter()
Reader = Annotated[Caller, Depends(asks(Right.SEE_EXAMS))]
Judge = Annotated[Caller, Depends(asks(Right.JUDGE))]
Question = Annotated[
    str, Query(min_length=1, max_length=32, examples=["1-1"], description="id of the question")
]
Limit = Annotated[int, Query(ge=1, le=2000)]
After = Annotated[int, Query(ge=0, le=10**9)]


@routes.post("/exams/{exam_id}/judgements", status_code=201, responses=NOT_FOUND)
def add_judgements(exam_id: str, sent: SentJudgements, caller: Judge) -> KeptJudgements:
    """Keep judgements, all or none; those sent again under their keys are answered as they were kept.

    Where somebody else judged one meanwhile, nothing is kept, and the problem's `current` and `sent` name every
    answer that this holds for, in the same order.
    """
    items = [one.to_item() for one in sent.items]
    with caller.instance.database.write() as session:
        exam = exams.hold_exam(session, caller.instance.school_id, exam_id)
        with _both_sides(caller, session, exam):
            kept = judgements.add_judgements(session, caller.deed, exam, items, sent.reason)
    return KeptJudgements(judgements=[AnswerJudgement.of(one) for one in kept])


@routes.get("/exams/{exam_id}/judgements", responses=NOT_FOUND)
def list_judgements(
    exam_id: str,
    question: Question,
    caller: Reader,
    in_round: Annotated[int | None, Query(alias="round", ge=1, le=3)] = None,
    since: Annotated[
        int | None, Query(ge=0, le=2**31 - 1, description="number of a change of the exam")
    ] = None,
    after: After = 0,
    limit: Limit = 1000,
) -> JudgementPage:
    """The standing judgements of a question; in a second grading, others' are hidden until both are done."""
    with caller.instance.database.read() as session:
        exam = exams.find_exam(session, caller.instance.school_id, exam_id)
        found = judged_answers.list_standing(
            session, exam, question, caller.actor.account_id, in_round=in_round, since=since
        )
    return JudgementPage(
        judgements=[AnswerJudgement.seen(one) for one in found[after : after + limit]],
        next=_next(after, limit, len(found)),
    )


@routes.get("/exams/{exam_id}/answers/{page}/judgements", responses=NOT_FOUND)
def list_history(
    exam_id: str, page: str, question: Question, caller: Reader, after: After = 0, limit: Limit = 1000
) -> JudgementPage:
    """Every judgement of one answer, by round, the first one first."""
    with caller.instance.database.read() as session:
        exam = exams.find_exam(session, caller.instance.school_id, exam_id)
        found = judged_answers.list_answer_history(session, exam, page, question, caller.actor.account_id)
    return JudgementPage(
        judgements=[AnswerJudgement.seen(one) for one in found[after : after + limit]],
        next=_next(after, limit, len(found)),
    )


@routes.get("/exams/{exam_id}/differences", responses=NOT_FOUND)
def list_differences(exam_id: str, caller: Reader, after: After = 0, limit: Limit = 1000) -> DifferencePage:
    """The answers whose two graders differ and that nobody settled yet."""
    with caller.instance.database.read() as session:
        exam = exams.find_exam(session, caller.instance.school_id, exam_id)
        found = judged_answers.list_differences(session, exam)
    return DifferencePage(
        differences=[DifferenceResource.of(one) for one in found[after : after + limit]],
        next=_next(after, limit, len(found)),
    )


@routes.get("/exams/{exam_id}/outdated-judgements", responses=NOT_FOUND)
def list_outdated(exam_id: str, caller: Reader, after: After = 0, limit: Limit = 1000) -> OutdatedPage:
    """The judgements of answers whose picture is another by now, to be asked about again."""
    with caller.instance.database.read() as session:
        exam = exams.find_exam(session, caller.instance.school_id, exam_id)
        found = judged_answers.list_outdated(session, exam)
        hidden = judged_answers.list_hidden(
            session, exam, [one.standing for one in found], caller.actor.account_id
        )
    listed = [
        OutdatedResource.of(one, is_hidden=one.standing.judgement.id in hidden)
        for one in found[after : after + limit]
    ]
    return OutdatedPage(outdated=listed, next=_next(after, limit, len(found)))


def _next(after: int, limit: int, count: int) -> int | None:
    return after + limit if after + limit < count else None


@contextmanager
def _both_sides(caller: Caller, session: Session, exam: StoredExam) -> Iterator[None]:
    """Tell who is late how the answers are now, as far as they may see it, and what they sent."""
    try:
        yield
    except judgements.JudgedMeanwhile as late:
        standing = [one.standing for one in late.conflicts if one.standing is not None]
        hidden = judged_answers.list_hidden(session, exam, standing, caller.actor.account_id)
        current = [
            CurrentAnswer.of(one, is_hidden=one.standing is not None and one.standing.judgement.id in hidden)
            for one in late.conflicts
        ]
        raise Stale(late.reason, current, [SentJudgement.of(one.sent) for one in late.conflicts]) from late
