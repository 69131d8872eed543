"""What a server does once a day by itself: a copy of everything, and removing what nobody needs any more."""

from __future__ import annotations

import datetime
import logging
import threading
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING

from api.backing_up import is_due
from omr.errors import Refused
from scoring.storage.blobs import FolderBlobs
from scoring.storage.clean_up import clean_up

if TYPE_CHECKING:
    from collections.abc import Iterator

    from api.instance import Instance


class Nightly(StrEnum):
    """Whether the server copies everything each night by itself."""

    MADE = "made"
    NOT_MADE = "not_made"


FIRST_AFTER = datetime.timedelta(minutes=10)
"""How long after its start a server looks first: then teachers wait for their pages, not for a copy."""
_LOOK_EVERY = datetime.timedelta(minutes=5)
_UNFINISHED_AFTER = datetime.timedelta(days=1)
_LOG = logging.getLogger("saiten.daily")


@contextmanager
def daily_work(instance: Instance, nightly: Nightly) -> Iterator[None]:
    """Do it in a thread as long as the block runs; a copy that is being made then is given up."""
    stop = threading.Event()
    thread = threading.Thread(target=_work, args=(instance, nightly, stop), name="daily", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()


def do_daily_work(instance: Instance, nightly: Nightly, tried: datetime.datetime | None) -> bool:
    """Do what is due now.

    Args:
        instance: of the server.
        nightly: whether a copy is made.
        tried: when this was done last by this server; None for never.

    Returns:
        Whether anything was due.
    """
    deed = instance.deed()
    now = deed.at.astimezone()
    backups = instance.backups if nightly is Nightly.MADE else None
    if not is_due(now, tried):
        return False
    copies = backups.copies() if backups is not None else []
    try:
        removed = clean_up(instance.database, instance.school_id, deed.at)
        if isinstance(instance.blobs, FolderBlobs):
            removed += instance.blobs.remove_unfinished(_UNFINISHED_AFTER.total_seconds())
        _LOG.info("cleaned up", extra={"fields": {"removed": removed}})
        if backups is not None and is_due(now, copies[0].made_at if copies else None):
            backups.make(deed)
    except Refused as refused:  # a database that is busy now, or somebody asked for a copy at this moment
        _LOG.warning("put off", extra={"fields": {"refusal": refused.refusal}})
        return False
    return True


def _work(instance: Instance, nightly: Nightly, stop: threading.Event) -> None:
    tried: datetime.datetime | None = None
    wait = FIRST_AFTER
    while not stop.wait(wait.total_seconds()):
        wait = _LOOK_EVERY
        try:
            if do_daily_work(instance, nightly, tried):
                tried = instance.clock()
        except Exception as error:  # noqa: BLE001  (nothing that goes wrong here may end the nights to come)
            tried = instance.clock()
            _LOG.error("fault", extra={"fields": {"error": type(error).__name__}})
