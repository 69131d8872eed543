"""HTTP routes of scans on their way in: whole in one request, or in parts by tus 1.0 (https://tus.io/protocols/resumable-upload)."""

from __future__ import annotations

import asyncio
import base64
import binascii
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Header, HTTPException, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from api import incoming_files
from api.drop_folder import list_strays
from api.http_rules import NOT_FOUND, problem_answers
from api.incoming_files import LARGEST_FILE, PartFile, part_file
from api.rights import Caller, Right, asks
from api.scan_resources import FileResource, StrayResource
from omr.errors import InputError, Refusal, Refused
from scoring.storage import uploads
from scoring.storage.columns import new_id
from scoring.storage.exams import find_exam
from scoring.storage.scans import hold_editable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from scoring.storage.uploads import StoredUpload

routes = APIRouter()
Sender = Annotated[Caller, Depends(asks(Right.CHANGE_SCANS))]
Administrator = Annotated[Caller, Depends(asks(Right.MANAGE_ACCOUNTS))]
VERSION = "1.0.0"
PART_TYPE = "application/offset+octet-stream"
_PIECE_BYTES = 8 * 1024**2
"""What comes is on disk, and noted, after each of these."""
_IDLE_SECONDS = 60.0
"""A sender who is silent for so long is gone: what came is kept, and they may go on."""
_MOST_STRAYS = 500
_TUS = {"Tus-Resumable": VERSION, "Cache-Control": "no-store"}
_PART_BODY: dict[str, Any] = {
    "requestBody": {"content": {PART_TYPE: {"schema": {"type": "string", "format": "binary"}}}}
}
_SCAN_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


def _check_protocol(tus_resumable: Annotated[str | None, Header(examples=[VERSION])] = None) -> None:
    if tus_resumable not in {None, VERSION}:
        raise HTTPException(
            412,
            f"tus の版 {VERSION} だけが使えます。画面を開き直してください。",
            {"Tus-Version": VERSION},
        )


_PROTOCOL = [Depends(_check_protocol)]


@routes.options("/exams/{exam_id}/uploads", status_code=204)
def describe_uploads(exam_id: str, caller: Sender) -> Response:  # noqa: ARG001
    """What this server understands of tus."""
    offers = {
        "Tus-Version": VERSION,
        "Tus-Extension": "creation,termination",
        "Tus-Max-Size": str(LARGEST_FILE),
    }
    return Response(status_code=204, headers=_TUS | offers)


@routes.post(
    "/exams/{exam_id}/uploads",
    status_code=201,
    response_class=Response,
    responses=NOT_FOUND,
    dependencies=_PROTOCOL,
)
def start_upload(
    exam_id: str,
    caller: Sender,
    upload_length: Annotated[int | None, Header(ge=0, le=2**53, examples=[1048576])] = None,
    upload_metadata: Annotated[str, Header(max_length=4000, examples=["filename c2Nhbi5wZGY="])] = "",
) -> Response:
    """Begin to send a file; Location is where its parts go."""
    if upload_length is None:
        raise InputError("ファイルの大きさが分かりません（Upload-Length）。画面を開き直してください。")
    incoming_files.check_room(caller.instance, upload_length)
    name = incoming_files.clean_name(_file_name(upload_metadata))
    deed = caller.deed
    with caller.instance.database.write() as session:
        exam = find_exam(session, deed.school_id, exam_id)
        hold_editable(session, deed, exam)
        upload = uploads.start_upload(session, deed, exam, name, upload_length)
    headers = {"Location": f"/api/exams/{exam_id}/uploads/{upload.id}", "Upload-Offset": "0"}
    return Response(status_code=201, headers=_TUS | headers)


@routes.head(
    "/exams/{exam_id}/uploads/{upload_id}",
    response_class=Response,
    responses=NOT_FOUND,
    dependencies=_PROTOCOL,
)
def ask_offset(exam_id: str, upload_id: str, caller: Sender) -> Response:
    """How much of a file came: Upload-Offset; Saiten-File is its id once it is whole and stored."""
    upload = _find(caller, exam_id, upload_id)
    if upload.file_id is None and incoming_files.received(caller.instance, upload) == upload.size:
        # The server was stopped when all was there: the client would not come again.
        with part_file(caller.instance, upload.id).held():
            incoming_files.finish_upload(caller.instance, upload)
        upload = _find(caller, exam_id, upload_id)
    return Response(status_code=200, headers=_state(caller, upload))


@routes.patch(
    "/exams/{exam_id}/uploads/{upload_id}",
    status_code=204,
    response_class=Response,
    responses={**NOT_FOUND, **problem_answers(415)},
    dependencies=_PROTOCOL,
    openapi_extra=_PART_BODY,
)
async def add_part(
    exam_id: str,
    upload_id: str,
    request: Request,
    caller: Sender,
    upload_offset: Annotated[int | None, Header(ge=0, le=2**53, examples=[0])] = None,
) -> Response:
    """Send the bytes from Upload-Offset on; after the last one the file is stored, and Saiten-File is its id."""
    if request.headers.get("content-type") != PART_TYPE:
        raise HTTPException(415, f"Content-Type は {PART_TYPE} にしてください。")
    upload = await run_in_threadpool(_find, caller, exam_id, upload_id)
    part = part_file(caller.instance, upload.id)
    with part.held():
        upload = await run_in_threadpool(_find, caller, exam_id, upload_id)
        offset = incoming_files.received(caller.instance, upload)
        if upload_offset != offset:
            raise Refused(
                Refusal.WRONG_STATE,
                f"続きの位置が違います（{offset} バイトまで届いています）。もう一度続きから送ってください。",
            )
        if upload.file_id is None:
            part.cut(offset)
            await _receive(request, caller, upload, part)
            if part.size() == upload.size:
                await run_in_threadpool(incoming_files.finish_upload, caller.instance, upload)
    upload = await run_in_threadpool(_find, caller, exam_id, upload_id)
    return Response(status_code=204, headers=_state(caller, upload))


@routes.delete(
    "/exams/{exam_id}/uploads/{upload_id}",
    status_code=204,
    response_class=Response,
    responses=NOT_FOUND,
    dependencies=_PROTOCOL,
)
def stop_upload(exam_id: str, upload_id: str, caller: Sender) -> Response:
    """Give an upload up; a file that is stored already stays."""
    upload = _find(caller, exam_id, upload_id)
    part = part_file(caller.instance, upload.id)
    with part.held():
        with caller.instance.database.write() as session:
            uploads.remove_upload(session, upload)
        part.remove()
    return Response(status_code=204, headers=_TUS)


@routes.post("/exams/{exam_id}/files", status_code=201, responses=NOT_FOUND, openapi_extra=_SCAN_BODY)
async def send_file(
    exam_id: str,
    request: Request,
    caller: Sender,
    name: Annotated[str, Query(max_length=1000, examples=["scan_0001.pdf"])] = "scan",
) -> FileResource:
    """Send a whole file in one request; the same content again is the file that is there."""
    promised = request.headers.get("content-length", "")
    incoming_files.check_room(caller.instance, int(promised) if promised.isdecimal() else 1)
    part = part_file(caller.instance, new_id())
    try:
        async for piece in _pieces(request, LARGEST_FILE):
            await run_in_threadpool(part.add, piece)
        incoming_files.check_size(part.size())
        file = await run_in_threadpool(
            incoming_files.take_file,
            caller.instance,
            caller.deed,
            exam_id,
            incoming_files.clean_name(name),
            part.path,
        )
    finally:
        part.remove()
    return FileResource.of(file)


@routes.get("/dropped")
def list_dropped(caller: Administrator) -> list[StrayResource]:
    """The files in the watched folder that are not taken in, and why: of an exam that is not there, say."""
    folder = caller.instance.drop_folder
    if folder is None:
        return []
    return [
        StrayResource(path=one.path, size=one.size, reason=one.reason)
        for one in list_strays(caller.instance, folder.resolve())[:_MOST_STRAYS]
    ]


async def _receive(request: Request, caller: Caller, upload: StoredUpload, part: PartFile) -> None:
    """Add what comes to the part file, and note what is on disk."""

    def keep(piece: bytes) -> None:
        part.add(piece)
        with caller.instance.database.write() as session:
            uploads.note_received(session, upload, part.size())

    async for piece in _pieces(request, upload.size - part.size()):
        await run_in_threadpool(keep, piece)


async def _pieces(request: Request, at_most: int) -> AsyncIterator[bytes]:
    """The body in large pieces.

    Raises:
        Refused: there are more bytes than `at_most`, or, after all that came, it was cut off.
    """
    piece = bytearray()
    stream = request.stream()
    is_cut = False
    while True:
        try:
            async with asyncio.timeout(_IDLE_SECONDS):
                chunk = await anext(stream, b"")
        except (ClientDisconnect, TimeoutError):
            chunk, is_cut = b"", True
        at_most -= len(chunk)
        if at_most < 0:
            raise Refused(
                Refusal.TOO_LARGE, "届いた内容が、知らされた大きさより大きいです。もう一度送ってください。"
            )
        piece += chunk
        if piece and (not chunk or len(piece) >= _PIECE_BYTES):
            yield bytes(piece)
            piece.clear()
        if is_cut:
            raise Refused(Refusal.BUSY, "送信が途中で止まりました。もう一度、続きから送ってください。")
        if not chunk:
            return


def _find(caller: Caller, exam_id: str, upload_id: str) -> StoredUpload:
    with caller.instance.database.read() as session:
        return uploads.find_upload(session, caller.deed, exam_id, upload_id)


def _state(caller: Caller, upload: StoredUpload) -> dict[str, str]:
    offset = incoming_files.received(caller.instance, upload)
    stored = {"Saiten-File": upload.file_id} if upload.file_id is not None else {}
    return _TUS | stored | {"Upload-Offset": str(offset), "Upload-Length": str(upload.size)}


def _file_name(metadata: str) -> str:
    """The file's name in Upload-Metadata: pairs of key and base64, parted by commas."""
    for pair in metadata.split(","):
        key, _, value = pair.strip().partition(" ")
        if key == "filename":
            try:
                return base64.b64decode(value, validate=True).decode()
            except (binascii.Error, UnicodeDecodeError) as error:
                raise InputError(
                    "ファイルの名前が読めません（Upload-Metadata）。画面を開き直してください。"
                ) from error
    return ""
