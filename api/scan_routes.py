"""HTTP routes of scans (スキャン): files, pages, what is to be done about them, and what persons decide."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, TypeAlias

from fastapi import APIRouter, Depends, Query, Request, Response

from api.http_rules import NOT_FOUND
from api.problems import Stale
from api.rights import Caller, Right, asks
from api.scan_resources import (
    ChangedPages,
    DecisionResource,
    DecisionWanted,
    FileList,
    FileResource,
    MissingList,
    MissingResource,
    OwnersWanted,
    PageResource,
    PageWithDecisions,
    ScanPages,
    TaskList,
    TaskResource,
)
from api.versions import IdempotencyKey, entity_tag, once
from scoring.page_decisions import SayOwner
from scoring.scan_tasks import TaskKind  # noqa: TC001  (FastAPI reads it)
from scoring.storage import scan_tasks, scans
from scoring.storage.decisions import StalePages, WantedDecision, decide, list_decisions
from scoring.storage.exams import find_exam
from scoring.storage.layouts import find_layout
from scoring.storage.scan_states import FileState  # noqa: TC001  (FastAPI reads it)
from scoring.storage.scans import PageFilter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydantic import BaseModel
    from sqlalchemy.orm import Session


routes = APIRouter()
Reader = Annotated[Caller, Depends(asks(Right.SEE_EXAMS))]
Writer = Annotated[Caller, Depends(asks(Right.CHANGE_SCANS))]
After: TypeAlias = Annotated[str | None, Query(max_length=40, pattern=r"^[^\x00]*$")]
Offset: TypeAlias = Annotated[int, Query(ge=0, le=1_000_000)]
Limit: TypeAlias = Annotated[int, Query(ge=1, le=500)]
Word: TypeAlias = Annotated[str | None, Query(max_length=40, pattern=r"^[^\x00]*$")]


@routes.get("/exams/{exam_id}/files", responses=NOT_FOUND)
def list_files(
    exam_id: str, caller: Reader, state: FileState | None = None, after: After = None, limit: Limit = 100
) -> FileList:
    """The scan files of an exam in the order in which they came."""
    with caller.instance.database.read() as session:
        exam = find_exam(session, caller.instance.school_id, exam_id)
        found = scans.list_files(session, exam, state, after, limit)
    return FileList(
        files=[FileResource.of(one) for one in found], next=found[-1].id if len(found) == limit else None
    )


@routes.get("/exams/{exam_id}/pages", responses=NOT_FOUND)
def list_pages(
    exam_id: str,
    caller: Reader,
    status: Annotated[Word, Query(examples=["quarantined"])] = None,
    trouble: Annotated[Word, Query(examples=["no_code"])] = None,
    file: Word = None,
    owned: Annotated[bool | None, Query(description="with, or without, a proven owner")] = None,
    after: After = None,
    limit: Limit = 100,
) -> ScanPages:
    """The pages of an exam's scans, file by file."""
    wanted = PageFilter(status=status, trouble=trouble, file_id=file, is_owned=owned)
    with caller.instance.database.read() as session:
        exam = find_exam(session, caller.instance.school_id, exam_id)
        found = scans.list_pages(session, exam, wanted, after, limit)
    return ScanPages(
        pages=[PageResource.of(one) for one in found], next=found[-1].id if len(found) == limit else None
    )


@routes.get("/exams/{exam_id}/pages/{page_id}", responses=NOT_FOUND)
def read_page(exam_id: str, page_id: str, caller: Reader, response: Response) -> PageWithDecisions:
    """One page, and all that was decided about it."""
    with caller.instance.database.read() as session:
        exam = find_exam(session, caller.instance.school_id, exam_id)
        page = scans.find_page(session, exam, page_id)
        kept = list_decisions(session, exam, page_id)
    response.headers["ETag"] = entity_tag(page.version)
    decisions = [DecisionResource.of(one) for one in kept]
    return PageWithDecisions(**dict(PageResource.of(page)), decisions=decisions)


@routes.get("/exams/{exam_id}/tasks", responses=NOT_FOUND)
def list_tasks(
    exam_id: str,
    caller: Reader,
    kind: TaskKind | None = None,
    offset: Offset = 0,
    limit: Limit = 100,
) -> TaskList:
    """What a person must do before the scans are in order."""
    with caller.instance.database.read() as session:
        exam = find_exam(session, caller.instance.school_id, exam_id)
        tasks = scan_tasks.list_tasks(session, exam)
    wanted = [one for one in tasks if kind is None or one.kind is kind]
    return TaskList(
        tasks=[TaskResource.of(one) for one in wanted[offset : offset + limit]],
        counts=Counter(one.kind for one in tasks),
        total=len(wanted),
    )


@routes.get("/exams/{exam_id}/missing", responses=NOT_FOUND)
def list_missing(exam_id: str, caller: Reader, offset: Offset = 0, limit: Limit = 100) -> MissingList:
    """Whose pages are not there, or not proven to be theirs; who is absent (欠席, 公欠) misses none."""
    with caller.instance.database.read() as session:
        exam = find_exam(session, caller.instance.school_id, exam_id)
        layout = find_layout(session, caller.instance.school_id, exam).layout
        missing = scan_tasks.list_missing(session, exam, len(layout.pages))
    shown = missing[offset : offset + limit]
    return MissingList(missing=[MissingResource.of(one) for one in shown], total=len(missing))


@routes.post(
    "/exams/{exam_id}/pages/{page_id}/decisions",
    status_code=201,
    response_model=PageResource,
    responses=NOT_FOUND,
)
def decide_page(
    exam_id: str,
    page_id: str,
    wanted: DecisionWanted,
    caller: Writer,
    request: Request,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Decide something about a page: turn, corners, sheet page, owner, drop, undrop, rescan."""
    one = WantedDecision(page_id, wanted.version, wanted.decision)

    def make(session: Session) -> tuple[PageResource, str]:
        (page,) = _decide(caller, session, exam_id, [one], wanted)
        return page, str(page.version)

    answer = once(caller, request, idempotency_key, wanted.model_dump_json().encode(), make)
    caller.instance.announcer.announce(exam_id)
    return answer


@routes.post("/exams/{exam_id}/owners", status_code=201, response_model=ChangedPages, responses=NOT_FOUND)
def name_owners(
    exam_id: str,
    wanted: OwnersWanted,
    caller: Writer,
    request: Request,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Say whose many pages are, all of them or none: a class whose probable owners somebody confirmed, say."""
    said = {
        one.page: WantedDecision(one.page, one.version, SayOwner(what="owner", student=one.student))
        for one in wanted.owners
    }

    def make(session: Session) -> tuple[ChangedPages, str]:
        pages = _decide(caller, session, exam_id, list(said.values()), wanted)
        return ChangedPages(pages=list(pages)), str(max(page.version for page in pages))

    answer = once(caller, request, idempotency_key, wanted.model_dump_json().encode(), make)
    caller.instance.announcer.announce(exam_id)
    return answer


def _decide(
    caller: Caller, session: Session, exam_id: str, wanted: Sequence[WantedDecision], sent: BaseModel
) -> list[PageResource]:
    exam = find_exam(session, caller.instance.school_id, exam_id)
    with _both_sides(sent):
        return [PageResource.of(one) for one in decide(session, caller.deed, exam, wanted)]


@contextmanager
def _both_sides(sent: BaseModel) -> Iterator[None]:
    """Tell who is late how the pages are now, and what they sent."""
    try:
        yield
    except StalePages as refused:
        now = ChangedPages(pages=[PageResource.of(one) for one in refused.pages])
        raise Stale(refused.reason, now, sent) from refused
