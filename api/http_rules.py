"""What holds for every answer of the server: security headers, caching, which names it answers to, errors as problems."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from api.problems import add_problem_handlers, problem_response, unexpected_problem
from api.resources import Problem

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from fastapi import FastAPI, Request, Response


def problem_answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For the schema of routes: that they can end in problems of these statuses."""
    sent = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"model": Problem, "content": sent} for status in statuses}


NOT_FOUND = problem_answers(404)
"""For the schema of routes that speak of one thing."""
LOCAL_HOSTS = frozenset(["127.0.0.1", "localhost", "::1"])
"""The names of this computer."""
_SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; object-src 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def add_http_rules(
    app: FastAPI,
    hosts: frozenset[str] | None = LOCAL_HOSTS,
    caching: str = "private, no-cache",
    more_headers: Mapping[str, str] | None = None,
) -> None:
    """Make `app` keep the rules of this module.

    Args:
        app: with its routes.
        hosts: the names that it answers to; None for any.
        caching: Cache-Control of answers that do not say it themselves.
        more_headers: for every answer.
    """
    headers = {**_SECURITY_HEADERS, **(more_headers or {})}

    async def guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        # A foreign page can point a name of its own at 127.0.0.1 and read pupils' data (DNS rebinding); the
        # browser then still sends that name as Host.
        known = hosts is None or request.url.hostname in hosts
        try:
            response = await call_next(request) if known else problem_response(request, 421)
        except Exception as error:  # noqa: BLE001  (no error may leave without these headers)
            response = await unexpected_problem(request, error)
        response.headers.update(headers)
        response.headers.setdefault("Cache-Control", caching)
        return response

    app.middleware("http")(guard)
    add_problem_handlers(app)
