"""HTTP routes of what changes in an exam: as server-sent events, as a list, and who is where."""

from __future__ import annotations

import datetime  # noqa: TC003  (pydantic needs it at run time)
import json
import time
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from api.change_feeds import ChangeFeeds, Presence, Reload, Silence
from api.http_rules import NOT_FOUND
from api.rights import Caller, Right, asks, still_has
from omr.errors import Refused
from scoring.storage import exams
from scoring.storage.changes import ExamChange, list_changes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from api.change_feeds import Told

routes = APIRouter()
Reader = Annotated[Caller, Depends(asks(Right.SEE_EXAMS))]
_LARGEST = 2**31 - 1
_RECONNECT = "retry: 2000\n\n"
_STREAM: dict[int | str, dict[str, Any]] = {
    **NOT_FOUND,
    200: {
        "description": "Events: `id` is the number of the change, `event` what changed (`answers.judged`, `pages.read` …), `data` "
        "JSON of a change without both. Without id: `presence`, JSON of who is at which question. `reload`: all is to be "
        "read anew.",
        "content": {
            "text/event-stream": {
                "schema": {"type": "string"},
                "example": 'id: 7\nevent: answers.judged\ndata: {"detail":{"question":"1-1"},"at":"2026-11-27T03:00:00+00:00","by":null}\n\n',
            }
        },
    },
}


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ChangeResource(_Model):
    """Something that changed in an exam.

    Attributes:
        number: from 1, without gaps; the `id` of the event.
        what: as `thing.verb`; the `event`.
        detail: ids and numbers.
        at: when.
        by: the account; null for the machine.
    """

    number: int = Field(examples=[7])
    what: str = Field(examples=["answers.judged"])
    detail: dict[str, Any] = Field(examples=[{"question": "1-1"}])
    at: datetime.datetime
    by: str | None


class ChangePage(_Model):
    """Some changes in their order.

    Attributes:
        changes: behind the number that was asked for.
        next: to be asked for as `after`; the same as before where nothing changed.
        last: number of the exam's last change.
    """

    changes: list[ChangeResource]
    next: int
    last: int


class Place(_Model):
    """Where somebody is.

    Attributes:
        question: at which question; null for none in particular.
        is_leaving: they look at the exam no more.
    """

    question: Annotated[str, Field(max_length=32, examples=["1-1"])] | None = None
    is_leaving: bool = False


def feeds_of(request: Request) -> ChangeFeeds:
    """The feeds of the application that a request came to."""
    feeds = request.app.state.change_feeds
    assert isinstance(feeds, ChangeFeeds)
    return feeds


Feeds = Annotated[ChangeFeeds, Depends(feeds_of)]


@routes.get("/exams/{exam_id}/changes", response_class=StreamingResponse, responses=_STREAM)
async def follow_changes(
    exam_id: str,
    caller: Reader,
    feeds: Feeds,
    after: Annotated[
        int | None, Query(ge=0, le=_LARGEST, description="number of the last change known")
    ] = None,
    last_event_id: Annotated[int | None, Header(ge=0, le=_LARGEST)] = None,
) -> StreamingResponse:
    """Every change behind Last-Event-ID or `after`, then as they come; without either, those that come."""
    await run_in_threadpool(_check_exam, caller, exam_id)
    known = after if last_event_id is None else last_event_id
    return StreamingResponse(
        _events(feeds, caller, exam_id, known),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},  # a proxy would otherwise collect some before it sends them on
    )


@routes.get("/exams/{exam_id}/changes.json", responses=NOT_FOUND)
def read_changes(
    exam_id: str,
    caller: Reader,
    after: Annotated[int, Query(ge=0, le=_LARGEST)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 200,
) -> ChangePage:
    """Changes behind a number, for clients that can't follow events."""
    with caller.instance.database.read() as session:
        stored = exams.find_exam(session, caller.instance.school_id, exam_id)
        found = list_changes(session, stored.id, after, limit)
    return ChangePage(
        changes=[
            ChangeResource(
                number=one.number, what=one.what, detail=dict(one.detail), at=one.made_at, by=one.made_by
            )
            for one in found
        ],
        next=found[-1].number if found else after,
        last=stored.change_number,
    )


@routes.post("/exams/{exam_id}/presence", status_code=204, responses=NOT_FOUND)
def tell_place(exam_id: str, place: Place, caller: Reader, feeds: Feeds) -> None:
    """Tell the others who look at an exam where one is; to be told again once a minute. Nothing is stored."""
    _check_exam(caller, exam_id)
    feeds.place(exam_id, caller.actor.account_id, place.question, is_leaving=place.is_leaving)


def _check_exam(caller: Caller, exam_id: str) -> None:
    with caller.instance.database.read() as session:
        exams.find_exam(session, caller.instance.school_id, exam_id)


async def _events(feeds: ChangeFeeds, caller: Caller, exam_id: str, after: int | None) -> AsyncIterator[str]:
    """The text of the events, until the listener goes, signs out or loses the right."""
    yield _RECONNECT
    checked = time.monotonic()
    try:
        async with aclosing(feeds.listen(exam_id, after)) as heard:
            async for told in heard:
                if time.monotonic() - checked >= feeds.times.check:
                    if not await run_in_threadpool(still_has, caller, Right.SEE_EXAMS):
                        return
                    checked = time.monotonic()
                yield _event(told)
    except Refused:
        return  # the database can't be used now: the browser connects again, and misses nothing


def _event(told: Told) -> str:
    match told:
        case ExamChange():
            data = {"detail": told.detail, "at": told.made_at.isoformat(), "by": told.made_by}
            return f"id: {told.number}\nevent: {told.what}\ndata: {_compact(data)}\n\n"
        case Presence():
            people = [{"account": who, "question": where} for who, where in told.people.items()]
            return f"event: presence\ndata: {_compact({'people': people})}\n\n"
        case Reload():
            return f"id: {told.number}\nevent: reload\ndata: {_compact({'number': told.number})}\n\n"
        case Silence():
            return ": still here\n\n"


def _compact(data: object) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))
