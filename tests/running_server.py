"""A school's application behind a real server in a thread, for what only a connection shows: streams, cuts, times."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn

from api.listening import listen
from api.serving import SchoolServer

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from fastapi import FastAPI


@contextmanager
def running_server(app: FastAPI) -> Iterator[str]:
    """The address of `app`, served on this computer until the block ends."""
    with listen("127.0.0.1", 0) as listening:
        ready = threading.Event()
        server = _Told(uvicorn.Config(app, log_config=None, access_log=False), ready)
        thread = threading.Thread(target=lambda: server.run(sockets=[listening]))
        thread.start()
        try:
            assert ready.wait(30)
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


class _Told(SchoolServer):
    """A server that says when it is ready."""

    def __init__(self, config: uvicorn.Config, ready: threading.Event) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready.set()
