"""A served instance: what every request of the application finds there."""

from __future__ import annotations

import datetime  # noqa: TC003  (part of public signatures)
from collections.abc import Callable  # noqa: TC003  (part of public signatures)
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path  # noqa: TC003  (part of public signatures)
from typing import Annotated, TypeAlias

from fastapi import Depends, Request

from api.announcing import Announcer, NobodyTold
from api.backing_up import Backups  # noqa: TC001  (part of public signatures)
from scoring.storage.blobs import BlobStore  # noqa: TC001  (part of public signatures)
from scoring.storage.columns import utc_now
from scoring.storage.database import Database  # noqa: TC001  (part of public signatures)
from scoring.storage.events import Deed


class Transport(StrEnum):
    """How browsers reach the server.

    LOCAL: plain http that never leaves this computer. ENCRYPTED: TLS, here or at a trusted proxy. PLAIN: http
    over a network, as somebody allowed; every page is to warn of it.
    """

    LOCAL = "local"
    ENCRYPTED = "encrypted"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class Instance:
    """A served instance.

    Attributes:
        database: with exams, rosters and accounts.
        blobs: with scans and pictures.
        school_id: the school that it serves.
        data: folder of what lies on this machine: uploads that are not whole yet.
        transport: how browsers reach it.
        backups: its copies; None where it makes none.
        clock: tells the time in UTC.
        drop_folder: that scanners write into; None if there is none.
        announcer: is told of every exam of which something is left to do, after the write that says so.
    """

    database: Database
    blobs: BlobStore
    school_id: str
    data: Path
    transport: Transport = Transport.LOCAL
    backups: Backups | None = None
    clock: Callable[[], datetime.datetime] = field(default=utc_now)
    drop_folder: Path | None = None
    announcer: Announcer = field(default_factory=NobodyTold)

    def deed(self, account_id: str | None = None) -> Deed:
        """What an account, or nobody yet, does now."""
        return Deed(self.school_id, account_id, self.clock())


async def instance_of(request: Request) -> Instance:
    """The instance that a request came to; waits for nothing, and is no plain function since those go to a thread."""
    instance = request.app.state.instance
    assert isinstance(instance, Instance)
    return instance


Here: TypeAlias = Annotated[Instance, Depends(instance_of)]
"""The parameter of a route by which it finds its instance."""
