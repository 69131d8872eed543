"""The server: one finished run over HTTP, and the page (webui/) that shows it."""

from __future__ import annotations

import contextlib
import threading
import webbrowser
from enum import StrEnum
from typing import TYPE_CHECKING

import uvicorn
from fastapi import FastAPI

from api.http_rules import add_http_rules
from api.listening import listen
from api.picture_routes import picture_routes
from api.result_routes import result_routes
from api.results_reader import ServedRun, read_results
from api.web_pages import page_files
from omr.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

_LOOPBACK = "127.0.0.1"


class Browser(StrEnum):
    """What `serve` does with the browser of this machine."""

    OPEN = "open"
    LEAVE = "leave"


def create_app(run: ServedRun) -> FastAPI:
    """The application that shows one finished run; the run is read once, here.

    Raises:
        InputError: a file of the run is missing or damaged.
    """
    results = read_results(run)
    app = FastAPI(
        title="saiten",
        openapi_url="/api/openapi.json",
        docs_url=None,  # FastAPI's pages load their scripts from outside
        redoc_url=None,
    )
    app.include_router(result_routes(results), prefix="/api", tags=["results"])
    app.include_router(picture_routes(run, results), prefix="/api", tags=["pictures"])
    app.mount("/", page_files("page"))
    add_http_rules(app)
    return app


def serve(
    app: FastAPI,
    host: str,
    port: int,
    *,
    browser: Browser = Browser.LEAVE,
    announce: Callable[[str], None] = lambda address: None,  # noqa: ARG005
) -> None:
    """Serve until Ctrl+C.

    Args:
        app: from `create_app`.
        host: 127.0.0.1; `saiten serve` serves others.
        port: 1 to 65535, or 0 for any free one.
        browser: whether to open the page.
        announce: is told the page's address once it can be opened.

    Raises:
        InputError: this host or port can't be used.
    """
    if host not in {_LOOPBACK, "localhost"}:
        raise InputError(
            f"ホスト {host} では公開できません。見本はこのパソコンの中（{_LOOPBACK}）だけで動きます。"
        )
    with listen(_LOOPBACK, port) as listening:
        address = f"http://{host}:{listening.getsockname()[1]}/"
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
        # The socket listens already: a browser that is quicker than the server waits for it.
        announce(address)
        if browser is Browser.OPEN:
            # Some browsers of a text terminal keep their caller waiting.
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
        with contextlib.suppress(KeyboardInterrupt):
            server.run(sockets=[listening])
