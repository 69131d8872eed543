"""Versions of what two people can change (ETag, If-Match), writes that are repeated (Idempotency-Key), bodies of text."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable  # noqa: TC003  (part of public signatures)
from typing import TYPE_CHECKING, Annotated, TypeAlias

from fastapi import Depends, Header, Request
from fastapi.responses import JSONResponse

from api.passwords import digest
from omr.errors import Refusal, Refused
from scoring.storage.answered_requests import Answered, find_answer, keep_answer

if TYPE_CHECKING:
    from fastapi import Response
    from pydantic import BaseModel
    from sqlalchemy.orm import Session

    from api.rights import Caller

LARGEST_TEXT = 5 * 1024**2
"""Bytes of an exam or a roster."""


def entity_tag(tag: str | int) -> str:
    """A tag as an ETag (RFC 9110)."""
    return f'"{tag}"'


def _wanted_version(if_match: Annotated[str | None, Header(examples=['"1.1"'])] = None) -> str:
    if if_match is None:
        raise Refused(
            Refusal.VERSION_MISSING,
            "どの版を変えるのかが分かりません（If-Match がありません）。画面を開き直してください。",
        )
    return if_match.strip().strip('"')


def version_number(version: str) -> int:
    """The number in a tag that is one; -1, which is no version, for anything else."""
    return int(version) if re.fullmatch(r"[0-9]{1,9}", version) else -1


Version: TypeAlias = Annotated[str, Depends(_wanted_version)]
"""The parameter of a route that changes something: the tag that its client saw."""


async def _text_of(request: Request) -> bytes:
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > LARGEST_TEXT:
            raise Refused(
                Refusal.TOO_LARGE, f"送られたファイルが大きすぎます（{LARGEST_TEXT // 1024**2} MB まで）。"
            )
    return bytes(content)


TextBody: TypeAlias = Annotated[bytes, Depends(_text_of)]
"""The parameter of a route that takes a file's content as its body."""


IdempotencyKey: TypeAlias = Annotated[
    str | None,
    Header(alias="Idempotency-Key", min_length=1, max_length=200, examples=["6f0c3f0e-3b0d-4a53-9d0e-b8f2"]),
]
"""The parameter of a route that makes something: one key for one wish, however often it is sent."""


def once(
    caller: Caller,
    request: Request,
    key: str | None,
    sent: bytes,
    make: Callable[[Session], tuple[BaseModel, str]],
) -> Response:
    """Make something once, and answer 201; with the same key again, send the same answer again.

    Args:
        caller: who asks.
        request: for its address.
        key: Idempotency-Key; None to make it whenever asked.
        sent: the body.
        make: makes it in a write; returns the resource and its ETag.

    Raises:
        Refused: the key was used for another request, or as `make`.
    """
    fingerprint = digest(request.method, str(request.url), hashlib.sha256(sent).hexdigest())
    deed = caller.deed
    with caller.instance.database.write() as session:
        known = find_answer(session, deed, key) if key is not None else None
        if known is None:
            resource, tag = make(session)
            body = {"resource": resource.model_dump(mode="json"), "tag": tag}
            known = Answered(fingerprint, 201, body)
            if key is not None:
                keep_answer(session, deed, key, known)
        elif known.fingerprint != fingerprint:
            raise Refused(
                Refusal.OTHER_REQUEST,
                "同じ Idempotency-Key で別の内容が送られました。画面を開き直して、もう一度試してください。",
            )
    return JSONResponse(known.body["resource"], known.status, {"ETag": entity_tag(known.body["tag"])})
