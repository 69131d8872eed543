"""What goes wrong over HTTP, as RFC 9457 problems: the one place where errors become statuses and words.

The Japanese sentence comes with the error; for who asks for English first (Accept-Language) the kind of error has one.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeAlias

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from api.resources import Problem
from omr.errors import InputError, Refusal, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI, Request, Response

_JAPANESE = {
    404: "このアドレスには何もありません。画面を開き直してください。",
    405: "この操作はできません。画面を開き直してください。",
    421: "この画面は、サーバーを動かしているパソコンで http://127.0.0.1 から開いてください。",
    422: "アドレスか送られた内容の書き方が正しくありません。画面を開き直してください。",
    500: "サーバーで思わぬ誤りが起きました。もう一度試し、続くときは管理者に知らせてください。",
}
_ENGLISH = {
    404: "There is nothing at this address. Open the page again.",
    405: "This can't be done here. Open the page again.",
    421: "Open this page on the computer that runs the server, at http://127.0.0.1.",
    422: "The address or what was sent is not written as expected.",
    500: "The server failed unexpectedly. Try again; tell the administrator if it goes on.",
}
_REFUSALS: dict[Refusal, tuple[int, str]] = {
    Refusal.NOT_FOUND: (404, "This is not here (any more). Open the list again."),
    Refusal.NOT_SIGNED_IN: (401, "Sign in first."),
    Refusal.WRONG_PASSWORD: (401, "The name or the password is wrong."),
    Refusal.WEAK_PASSWORD: (422, "This password is too short or too easy to guess."),
    Refusal.TOO_MANY_TRIES: (429, "Too many sign-ins failed. Wait for 15 minutes, then try again."),
    Refusal.NOT_ALLOWED: (403, "Your role does not include this. Ask an administrator."),
    Refusal.FORGED_REQUEST: (403, "The request did not come from the page. Open the page again."),
    Refusal.NOT_ENCRYPTED: (403, "Open this page at its https address."),
    Refusal.USED_LINK: (410, "This link can't be used (any more). Ask an administrator for a new one."),
    Refusal.ALREADY_THERE: (409, "There is one of this name already. Choose another name."),
    Refusal.WRONG_STATE: (409, "This is not possible as things stand."),
    Refusal.STALE: (412, "Somebody changed this meanwhile. Look at it as it is now, then change it again."),
    Refusal.VERSION_MISSING: (428, "Say which version the change is meant for (If-Match)."),
    Refusal.OTHER_REQUEST: (422, "This Idempotency-Key was used for another request."),
    Refusal.TOO_LARGE: (413, "What was sent is too large."),
    Refusal.BUSY: (503, "The database can't be used now. Wait a little, then try again."),
    Refusal.DAMAGED: (500, "A stored file is damaged. Tell the administrator."),
    Refusal.NO_SPACE: (507, "The disk of the server is full. Tell the administrator."),
}
Side: TypeAlias = BaseModel | Sequence[BaseModel]
"""One side of a change that came too late."""
_WRONG_INPUT = "What was sent is not written as expected; the Japanese sentence says where."
_RETRY_AFTER = {429: "900", 503: "5"}
_LOG = logging.getLogger("saiten.errors")


class Stale(Refused):
    """A change that was meant for something that somebody changed meanwhile, with both sides.

    Args:
        reason: for the teacher.
        current: as it is now; a list where several things were sent at once, of those that changed.
        sent: as it was to be; a list in the same order.
    """

    def __init__(self, reason: str, current: Side, sent: Side) -> None:
        super().__init__(Refusal.STALE, reason)
        self.current = current
        self.sent = sent


def add_problem_handlers(app: FastAPI) -> None:
    """Let every error of `app` end as a problem."""
    app.exception_handler(HTTPException)(_http_problem)
    app.exception_handler(RequestValidationError)(_validation_problem)
    app.exception_handler(Refused)(_refused)
    app.exception_handler(InputError)(_wrong_input)


def problem_response(
    request: Request,
    status: int,
    japanese: str | None = None,
    english: str | None = None,
    more: Mapping[str, Any] | None = None,
) -> Response:
    """A problem in the language that was asked for.

    Args:
        request: whose Accept-Language counts.
        status: of HTTP.
        japanese: the sentence; None for that of the status.
        english: the same.
        more: further members of the problem.
    """
    if _wants_english(request):
        sentence = english or _ENGLISH.get(status) or _ENGLISH[500]
        language = "en"
    else:
        sentence = japanese or _JAPANESE.get(status) or _JAPANESE[500]
        language = "ja"
    problem = Problem(title=HTTPStatus(status).phrase, status=status, detail=sentence)
    headers = {"Content-Language": language, "Vary": "Accept-Language"}
    if status in _RETRY_AFTER:
        headers["Retry-After"] = _RETRY_AFTER[status]
    return JSONResponse(
        {**problem.model_dump(), **(more or {})}, status, headers, media_type="application/problem+json"
    )


def _wants_english(request: Request) -> bool:
    """Whether English stands before Japanese; who names neither reads Japanese."""
    weights: dict[str, float] = {}
    for one in request.headers.get("accept-language", "").split(","):
        tag, _, parameter = one.strip().partition(";")
        try:
            weight = float(parameter.partition("q=")[2] or "1")
        except ValueError:
            weight = 0.0
        language = tag.partition("-")[0].lower()
        weights[language] = max(weight, weights.get(language, 0.0))
    return weights.get("en", 0.0) > weights.get("ja", 0.0)


async def _http_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    own_sentence = error.detail if error.detail != HTTPStatus(error.status_code).phrase else None
    return problem_response(request, error.status_code, own_sentence)


async def _validation_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    # Places only: what was sent may hold a password.
    places = [".".join(str(part) for part in one["loc"]) for one in error.errors()]
    return problem_response(request, 422, more={"places": places})


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    status, english = _REFUSALS[error.refusal]
    more: dict[str, Any] = {"refusal": error.refusal}
    if isinstance(error, Stale):
        more |= {
            "current": _plain(error.current),
            "sent": _plain(error.sent),
        }
    return problem_response(request, status, error.reason, english, more)


def _plain(side: Side) -> Any:
    if isinstance(side, BaseModel):
        return side.model_dump(mode="json")
    return [one.model_dump(mode="json") for one in side]


async def _wrong_input(request: Request, error: Exception) -> Response:
    return problem_response(request, 422, str(error), _WRONG_INPUT, {"japanese": str(error)})


async def unexpected_problem(request: Request, error: Exception) -> Response:
    """The problem of an error that nobody expected; only its kind reaches the log."""
    # The kind alone: the text of an error may name a pupil.
    _LOG.error("fault", extra={"fields": {"error": type(error).__name__, "method": request.method}})
    response = problem_response(request, 500)
    response.headers["Cache-Control"] = "no-store"
    return response
