"""HTTP routes of a question's answers compared with each other: groups of equal ones, and odd judgements among them."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Query, Request

from api.answer_index import load_question
from api.group_memory import GroupMemory
from api.http_rules import NOT_FOUND
from api.question_resources import (
    ContradictionList,
    ContradictionResource,
    GroupList,
    GroupResource,
    JudgedAs,
    SplitResource,
    SplitWay,
)
from api.question_routes import OfQuestion, Reader  # noqa: TC001  (FastAPI reads them)
from scoring.answer_comparison import find_odd_judgements, group_equal
from scoring.judgement import Mark
from scoring.storage import exams

if TYPE_CHECKING:
    from api.answer_index import LoadedQuestion
    from api.rights import Caller
    from ocr.contradictions import Contradiction, SplitReading
    from ocr.groups import AnswerGroup

routes = APIRouter()
_DECIDED = {Mark.RIGHT, Mark.PARTIAL, Mark.WRONG}


def memory_of(request: Request) -> GroupMemory:
    """The groups that the application of a request remembers."""
    memory = request.app.state.group_memory
    assert isinstance(memory, GroupMemory)
    return memory


Memory = Annotated[GroupMemory, Depends(memory_of)]


@routes.get("/exams/{exam_id}/groups", responses=NOT_FOUND)
def list_groups(exam_id: str, question: OfQuestion, caller: Reader, memory: Memory) -> GroupList:
    """The answers to a question in groups of equal ones; while the server runs, groups only grow."""
    loaded = _load(exam_id, question, caller)
    said = {answer.page_id: answer.reading for answer in loaded.answers}
    return GroupList(
        question=question,
        change=loaded.stored.change_number,
        groups=[
            GroupResource(
                group=one.identity,
                kind=one.kind,
                # Its own text is one to compare by, not to show.
                text=Counter(said[page] for page in one.members).most_common(1)[0][0],
                pages=list(one.members),
            )
            for one in _groups(loaded, memory)
        ],
    )


@routes.get("/exams/{exam_id}/contradictions", responses=NOT_FOUND)
def list_contradictions(
    exam_id: str,
    question: OfQuestion,
    caller: Reader,
    memory: Memory,
    round: Annotated[int, Query(ge=1, le=3)] = 1,  # noqa: A002  (its name in the address)
) -> ContradictionList:
    """Answers to a question that were judged unlike others of the same reading, as far as the caller may see it."""
    loaded = _load(exam_id, question, caller)
    judged = {
        page: json.dumps([one.mark, one.points])
        for page, rounds in loaded.standing.items()
        for one in rounds
        if one.round == round and one.mark in _DECIDED
    }
    found = find_odd_judgements(
        loaded.question, loaded.stored.exam.compare, loaded.evidence, judged, _groups(loaded, memory)
    )
    return ContradictionList(
        question=question,
        round=round,
        contradictions=[_contradiction(one) for one in found.contradictions],
        splits=[_split(one) for one in found.splits],
    )


def _load(exam_id: str, question: str, caller: Caller) -> LoadedQuestion:
    with caller.instance.database.read() as session:
        stored = exams.find_exam(session, caller.instance.school_id, exam_id)
        return load_question(session, stored, question, caller.actor.account_id, embeddings=True)


def _groups(loaded: LoadedQuestion, memory: GroupMemory) -> tuple[AnswerGroup, ...]:
    return memory.recall(
        loaded.stored.id,
        loaded.question.id,
        loaded.stored.version,
        {answer.page_id: answer.reading_id for answer in loaded.answers},
        lambda earlier: group_equal(loaded.question, loaded.stored.exam.compare, loaded.evidence, earlier),
    )


def _contradiction(found: Contradiction) -> ContradictionResource:
    return ContradictionResource(
        page=found.key,
        text=found.text,
        judged=_judged_as(found.judgement),
        others_judged=_judged_as(found.others_judgement),
        others=found.others,
        nearest=list(found.nearest),
        suspicion=round(found.suspicion, 4),
    )


def _split(found: SplitReading) -> SplitResource:
    return SplitResource(
        text=found.text,
        ways=[SplitWay(judged=_judged_as(word), pages=list(pages)) for word, pages in found.judgements],
    )


def _judged_as(word: str) -> JudgedAs:
    mark, points = json.loads(word)
    return JudgedAs(mark=mark, points=points)
