"""HTTP routes of layouts: where everything stands on an exam's sheets, the empty sheet below, and reading anew."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, Field

from api.http_rules import NOT_FOUND
from api.problems import Stale
from api.rights import Caller, Right, asks
from api.versions import TextBody, Version, entity_tag, version_number
from omr.errors import Refusal, Refused
from omr.layout import layout_to_json, parse_layout
from scoring.storage import exams
from scoring.storage.layouts import EmptySheet, ExamLayout, add_layout, find_layout
from scoring.storage.work import reread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

    from scoring.storage.exams import StoredExam

routes = APIRouter()
Reader = Annotated[Caller, Depends(asks(Right.SEE_EXAMS))]
Writer = Annotated[Caller, Depends(asks(Right.CHANGE_EXAMS))]
_NAME = "レイアウト"
_DIGEST = "^[0-9a-f]{64}$"
_LAYOUT_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}
}
_SHEET_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class LayoutResource(BaseModel):
    """The layout by which an exam's pages are read now.

    Attributes:
        number: counts the layouts that the exam got; 0 where it follows from the exam.
        layout: LAYOUT.json.
        empty_sheet: name of the empty sheet that it was drawn on; null where there is none.
    """

    number: int = Field(examples=[0])
    layout: dict[str, Any] = Field(examples=[{"version": 1, "unit": "mm", "origin": "top-left", "pages": []}])
    empty_sheet: str | None = Field(examples=[None])

    @staticmethod
    def of(layout: ExamLayout) -> LayoutResource:
        """Of a stored layout."""
        sheet = layout.empty_sheet
        return LayoutResource(
            number=layout.number,
            layout=layout_to_json(layout.layout),
            empty_sheet=None if sheet is None else sheet.name,
        )


class SentLayout(BaseModel):
    """A layout as it was sent."""

    layout: dict[str, Any]


class EmptySheetResource(BaseModel):
    """An empty sheet that was sent, for a layout that is to be put."""

    reference: str = Field(examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"])


class PagesToReread(BaseModel):
    """Pages that are to be read once more; all of the exam where none are named."""

    pages: list[str] | None = Field(default=None, max_length=10_000, examples=[None])


class PagesWaiting(BaseModel):
    """How many pages were read and now wait to be read again."""

    waiting: int = Field(examples=[80])


@routes.get("/exams/{exam_id}/layout", responses=NOT_FOUND)
def read_layout(exam_id: str, caller: Reader, response: Response) -> LayoutResource:
    """Where everything stands; the ETag is what a change is to send as If-Match."""
    with caller.instance.database.read() as session:
        stored = exams.find_exam(session, caller.instance.school_id, exam_id)
        layout = find_layout(session, caller.instance.school_id, stored)
    response.headers["ETag"] = entity_tag(layout.number)
    return LayoutResource.of(layout)


@routes.put("/exams/{exam_id}/layout", responses=NOT_FOUND, openapi_extra=_LAYOUT_BODY)
def replace_layout(
    exam_id: str,
    caller: Writer,
    document: TextBody,
    version: Version,
    response: Response,
    reference: Annotated[
        str | None, Query(pattern=_DIGEST, description="of the empty sheet that was sent before")
    ] = None,
) -> LayoutResource:
    """Let the exam's pages be read by another LAYOUT.json; what was read before stays until it is read anew."""
    layout = parse_layout(document, _NAME)
    sheet = None
    if reference is not None:
        caller.instance.blobs.get(reference)  # refused where it was never sent
        sheet = EmptySheet(PurePath(layout.reference or "").name or reference, reference)
    with caller.instance.database.write() as session:
        stored = exams.find_exam(session, caller.instance.school_id, exam_id)
        with _both_sides(caller, session, stored, document):
            kept = add_layout(session, caller.deed, stored, layout, sheet, number=version_number(version))
    response.headers["ETag"] = entity_tag(kept.number)
    return LayoutResource.of(kept)


@routes.post(
    "/exams/{exam_id}/layout/reference", status_code=201, responses=NOT_FOUND, openapi_extra=_SHEET_BODY
)
def send_empty_sheet(exam_id: str, caller: Writer, content: TextBody) -> EmptySheetResource:
    """Send the empty sheet (PDF or image) of a teacher's own layout; then put the layout with its name."""
    with caller.instance.database.read() as session:
        exams.find_exam(session, caller.instance.school_id, exam_id)
    return EmptySheetResource(reference=caller.instance.blobs.put(content))


@routes.post("/exams/{exam_id}/rereadings", status_code=201, responses=NOT_FOUND)
def reread_pages(exam_id: str, wanted: PagesToReread, caller: Writer) -> PagesWaiting:
    """Let pages be read once more, by the exam and the layout as they now are; judgements stay."""
    with caller.instance.database.write() as session:
        stored = exams.find_exam(session, caller.instance.school_id, exam_id)
        waiting = reread(session, caller.deed, stored, wanted.pages)
    caller.instance.announcer.announce(exam_id)
    return PagesWaiting(waiting=waiting)


@contextmanager
def _both_sides(caller: Caller, session: Session, stored: StoredExam, document: bytes) -> Iterator[None]:
    """Tell who is late how the layout is now, and what they sent."""
    try:
        yield
    except Refused as refused:
        if refused.refusal is not Refusal.STALE:
            raise
        now = LayoutResource.of(find_layout(session, caller.instance.school_id, stored))
        raise Stale(
            refused.reason, now, SentLayout(layout=json.loads(document.decode("utf-8-sig")))
        ) from refused
