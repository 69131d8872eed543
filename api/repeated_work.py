"""Work that the server does beside its requests, again and again, in a thread of its own."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_LOG = logging.getLogger("saiten.errors")


@contextmanager
def repeating(name: str, seconds: float, work: Callable[[], object]) -> Iterator[None]:
    """Do something at once and then every so many seconds until the block ends.

    What goes wrong is logged, and tried again at the next turn. A turn that runs is waited for at the end.

    Args:
        name: of the thread, and in the log.
        seconds: from the end of a turn to the next.
        work: one turn.
    """
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set():
            try:
                work()
            except Exception as error:  # noqa: BLE001  (one bad turn may not end all that follow)
                # The kind alone: the text of an error may name a pupil.
                _LOG.error("fault", extra={"fields": {"error": type(error).__name__, "work": name}})
            stop.wait(seconds)

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
