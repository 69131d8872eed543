"""The server's log: one JSON object a line on stderr, with ids but nothing personal."""

from __future__ import annotations

import datetime
import json
import logging
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fastapi import FastAPI, Request, Response

_LOG = logging.getLogger("saiten.requests")


class _JsonLine(logging.Formatter):
    """A record as one line; the text of exceptions stays out, for it may hold what a person wrote."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        at = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
        fields = getattr(record, "fields", {})
        line = {
            "at": at.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "log": record.name,
            "event": record.getMessage(),
            **fields,
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
        return json.dumps(line, ensure_ascii=False)


def log_as_json() -> None:
    """Let everything that this process logs go to stderr as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLine())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("saiten").setLevel(logging.INFO)


def add_request_log(app: FastAPI) -> None:
    """Let `app` log every request: by its route, not its address, whose query could hold anything."""

    async def note(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        started = time.perf_counter()
        response = await call_next(request)
        route = request.scope.get("route")
        fields = {
            "method": request.method,
            "route": getattr(route, "path", "other"),
            "status": response.status_code,
            "milliseconds": round((time.perf_counter() - started) * 1000, 1),
            "account": getattr(request.state, "account_id", None),
        }
        _LOG.info("request", extra={"fields": fields})
        return response

    app.middleware("http")(note)
