"""HTTP routes of a run's pictures: crops and pages."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, HTTPException, Request
from fastapi import Path as InPath
from fastapi.responses import FileResponse, Response

from api.http_rules import NOT_FOUND
from api.page_pictures import PictureSize, find_scan, page_picture
from omr.errors import PageSetAside

if TYPE_CHECKING:
    from pathlib import Path

    from api.results_reader import PageRow, Results, ServedRun

Number = Annotated[int, InPath(ge=1)]


def picture_routes(run: ServedRun, results: Results) -> APIRouter:
    """Routes that send the crops of `results` and the pages that they were read from."""
    routes = APIRouter()

    @routes.get("/answers/{number}/crop", response_class=FileResponse, responses=NOT_FOUND)
    def read_crop(request: Request, number: Number) -> Response:
        """The answer region (解答欄) of one answer, as PNG."""
        if number > len(results.answers):
            raise HTTPException(404, "この解答はありません。画面を開き直してください。")
        answer = results.answers[number - 1]
        path = results.crops.get((answer.question, answer.sheet))
        if path is None or not path.is_file():
            raise HTTPException(
                404, "この解答欄の画像はありません。--crops を付けて読み取りをやり直してください。"
            )
        tag = _tag(path)
        if _has(request, tag):
            return _not_modified(tag)
        return FileResponse(path, media_type="image/png", headers={"ETag": tag})

    @routes.get("/pages/{number}/image", response_class=Response, responses=NOT_FOUND)
    def read_page_image(request: Request, number: Number, size: PictureSize = PictureSize.FULL) -> Response:
        """One page, upright, as JPEG."""
        if number > len(results.pages):
            raise HTTPException(404, "このページはありません。画面を開き直してください。")
        page = results.pages[number - 1]
        path = find_scan(run.scans, page.source)
        if path is None or page.page < 1:
            raise HTTPException(
                404, f"スキャン「{page.source}」を開けません。ファイルの場所を確かめてください。"
            )
        tag = _tag(path, page.page, page.rotation, size)
        if _has(request, tag):
            return _not_modified(tag)
        return Response(_picture(path, page, size), media_type="image/jpeg", headers={"ETag": tag})

    return routes


def _picture(path: Path, page: PageRow, size: PictureSize) -> bytes:
    try:
        return page_picture(path, page, size)
    except PageSetAside as error:
        raise HTTPException(404, error.reason) from error
    except IndexError as error:
        raise HTTPException(
            404, f"スキャン「{page.source}」に{page.page}ページ目がありません。読み取りをやり直してください。"
        ) from error


def _tag(path: Path, *parts: object) -> str:
    """An entity tag that changes with the file and with what is made of it."""
    state = path.stat()
    text = repr((str(path), state.st_mtime_ns, state.st_size, *map(str, parts)))
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def _has(request: Request, tag: str) -> bool:
    """Whether the browser says that it has this very content."""
    return tag in request.headers.get("if-none-match", "")


def _not_modified(tag: str) -> Response:
    return Response(status_code=304, headers={"ETag": tag})
