"""What holds for every answer of the server: security headers, caching, and errors as RFC 9457 problems."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from api.resources import Problem

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fastapi import FastAPI, Request, Response

NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"model": Problem}}
"""For the schema of routes that can end in a problem."""
_LOCAL_HOSTS = {"127.0.0.1", "localhost"}
_SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; object-src 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_WRONG_HOST = "この画面は、サーバーを動かしているパソコンで http://127.0.0.1 から開いてください。"
_DEFAULT_SENTENCES = {
    404: "このアドレスには何もありません。画面を開き直してください。",
    405: "この操作はできません。画面を開き直してください。",
    422: "アドレスの書き方が正しくありません。画面を開き直してください。",
    500: "サーバーで思わぬ誤りが起きました。もう一度試し、続くときは管理者に知らせてください。",
}


def add_http_rules(app: FastAPI) -> None:
    """Make `app` keep the rules of this module."""
    app.middleware("http")(_guard)
    app.exception_handler(HTTPException)(_http_problem)
    app.exception_handler(RequestValidationError)(_validation_problem)
    app.exception_handler(Exception)(_server_problem)


async def _guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    # A foreign page can point a name of its own at 127.0.0.1 and read pupils' data (DNS rebinding); the
    # browser then still sends that name as Host.
    local = request.url.hostname in _LOCAL_HOSTS
    response = await call_next(request) if local else _problem(421, _WRONG_HOST)
    response.headers.update(_SECURITY_HEADERS)
    # Another run may be served at the same addresses: browsers ask each time and get 304 if nothing changed.
    response.headers.setdefault("Cache-Control", "private, no-cache")
    return response


async def _http_problem(request: Request, error: Exception) -> Response:  # noqa: ARG001
    assert isinstance(error, HTTPException)
    own_sentence = error.detail if error.detail != HTTPStatus(error.status_code).phrase else None
    return _problem(error.status_code, own_sentence)


async def _validation_problem(request: Request, error: Exception) -> Response:  # noqa: ARG001
    return _problem(422)


async def _server_problem(request: Request, error: Exception) -> Response:  # noqa: ARG001
    # Starlette sends this one from outside every middleware.
    response = _problem(500)
    response.headers.update(_SECURITY_HEADERS)
    response.headers["Cache-Control"] = "no-store"
    return response


def _problem(status: int, sentence: str | None = None) -> Response:
    problem = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=sentence or _DEFAULT_SENTENCES.get(status, _DEFAULT_SENTENCES[500]),
    )
    return JSONResponse(problem.model_dump(), status, media_type="application/problem+json")
