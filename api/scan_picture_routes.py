"""HTTP routes of the pictures of scanned pages: the page upright, one answer, the name, from the scan file itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from api.http_rules import NOT_FOUND
from api.page_pictures import PictureSize, decode_page, gray_jpeg, turn_and_shrink
from api.rights import Caller, Right, asks
from api.versions import entity_tag
from omr.answer_pictures import cut_answer
from omr.crops import CROP_MARGIN_MM, cut_region
from omr.errors import PageSetAside, Refusal, Refused
from scoring.storage.exams import find_exam
from scoring.storage.page_sources import find_source

if TYPE_CHECKING:
    from collections.abc import Callable

    from omr.page import Page
    from omr.pixels import Gray
    from scoring.storage.page_sources import PageSource

routes = APIRouter()
Reader = Annotated[Caller, Depends(asks(Right.SEE_EXAMS))]
ReadingId = Annotated[
    str | None,
    Query(
        alias="reading",
        max_length=40,
        description="`reading` of the page: with it the browser may keep the picture for ever",
    ),
]
_FOR_EVER = "private, max-age=31536000, immutable"
_PICTURE: dict[int | str, dict[str, Any]] = NOT_FOUND | {200: {"content": {"image/jpeg": {}}}}


@routes.get("/exams/{exam_id}/pages/{page_id}/image", response_class=Response, responses=_PICTURE)
def read_page_image(
    exam_id: str,
    page_id: str,
    caller: Reader,
    request: Request,
    size: PictureSize = PictureSize.FULL,
    reading: ReadingId = None,
) -> Response:
    """A page, upright as far as that is known; Saiten-Page-Size is its size (width x height) in the scan's pixels."""
    source = _source(caller, exam_id, page_id)

    def draw(page: Page) -> Response:
        turn = _turn(source)
        height, width = page.gray.shape if turn % 180 == 0 else page.gray.shape[::-1]
        answer = _picture(turn_and_shrink(page.gray, turn, size))
        answer.headers["Saiten-Page-Size"] = f"{width}x{height}"
        return answer

    return _answer(caller, request, source, reading, size, draw)


@routes.get(
    "/exams/{exam_id}/pages/{page_id}/answers/{question:path}",
    response_class=Response,
    responses=_PICTURE,
)
def read_answer_image(
    exam_id: str,
    page_id: str,
    question: str,
    caller: Reader,
    request: Request,
    reading: ReadingId = None,
) -> Response:
    """One answer region (解答欄) at the scan's full resolution, upright."""
    source = _source(caller, exam_id, page_id)

    def draw(page: Page) -> Response:
        picture = cut_answer(page, source.reading, source.layout, question) if source.reading else None
        return _picture(picture)

    return _answer(caller, request, source, reading, f"answer {question}", draw)


@routes.get("/exams/{exam_id}/pages/{page_id}/name", response_class=Response, responses=_PICTURE)
def read_name_image(
    exam_id: str, page_id: str, caller: Reader, request: Request, reading: ReadingId = None
) -> Response:
    """The name on a page, as written or printed, at the scan's full resolution, upright."""
    source = _source(caller, exam_id, page_id)

    def draw(page: Page) -> Response:
        return _picture(_cut_name(page, source))

    return _answer(caller, request, source, reading, "name", draw)


def _source(caller: Caller, exam_id: str, page_id: str) -> PageSource:
    with caller.instance.database.read() as session:
        exam = find_exam(session, caller.instance.school_id, exam_id)
        return find_source(session, caller.instance.school_id, exam, page_id)


def _answer(
    caller: Caller,
    request: Request,
    source: PageSource,
    reading_id: str | None,
    what: str,
    draw: Callable[[Page], Response],
) -> Response:
    """Send a picture, or that the browser has it already."""
    page = source.page
    # What a picture shows follows from the reading, or without one from what a person said, which counts versions.
    tag = entity_tag(f"{page.reading_id or page.version} {what}".encode().hex())
    is_lasting = page.reading_id is not None and reading_id == page.reading_id
    headers = {"ETag": tag, "Cache-Control": _FOR_EVER if is_lasting else "private, no-cache"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    try:
        with caller.instance.blobs.open_path(source.blob) as path:
            image = decode_page(path, page.number, page.part, source.layout.pages[0])
    except PageSetAside as error:
        raise Refused(Refusal.NOT_FOUND, error.reason) from error
    except IndexError as error:
        raise Refused(
            Refusal.NOT_FOUND, "このページはファイルの中にありません。ページの一覧を開き直してください。"
        ) from error
    answer = draw(image)
    answer.headers.update(headers)
    return answer


def _picture(pixels: Gray | None) -> Response:
    if pixels is None:
        raise Refused(
            Refusal.NOT_FOUND, "このページのどこにあるかが分かりません。ページ全体の画像を見てください。"
        )
    return Response(gray_jpeg(pixels), media_type="image/jpeg")


def _turn(source: PageSource) -> int:
    """Degrees clockwise that bring the page upright, as far as that is known."""
    registration = source.reading.registration if source.reading is not None else None
    if registration is not None and registration.rotation is not None:
        return registration.rotation
    turn: int = (source.page.hints or {}).get("turn", 0)
    return turn


def _cut_name(page: Page, source: PageSource) -> Gray | None:
    reading = source.reading
    if reading is None or reading.registration is None or reading.sheet_page is None:
        return None
    box = source.layout.pages[reading.sheet_page - 1].name_box
    if box is None:
        return None
    return cut_region(page.gray, reading.registration.transform, box.expanded(CROP_MARGIN_MM))
