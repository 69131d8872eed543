"""HTTP routes of backups, for administrators."""

from __future__ import annotations

import datetime  # noqa: TC003  (pydantic needs it at run time)
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from api.http_rules import NOT_FOUND
from api.rights import Caller, Right, asks
from omr.errors import Refusal, Refused

if TYPE_CHECKING:
    from api.backing_up import Backups

routes = APIRouter()
Keeper = Annotated[Caller, Depends(asks(Right.MANAGE_BACKUPS))]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class BackupResource(_Model):
    """A copy of everything.

    Attributes:
        name: of the file in the folder of backups.
        size: bytes.
        made_at: when.
    """

    name: str = Field(examples=["saiten-20261127-030000.zip"])
    size: int = Field(examples=[1_288_490_188])
    made_at: datetime.datetime


class BackupFailure(_Model):
    """Why the last copy was not made."""

    at: datetime.datetime
    reason: str = Field(examples=["ディスクの空きが足りません。"])


class BackupPage(_Model):
    """Copies, the newest first.

    Attributes:
        backups: some of them.
        running: whether one is being made.
        failure: of the last try; null where it went well or there was none since the start.
        damaged: stored files that the last copy could not hold, since they are missing or damaged.
        next: to be asked for as `after`; null at the end.
    """

    backups: list[BackupResource]
    running: bool
    failure: BackupFailure | None
    damaged: int = Field(examples=[0])
    next: str | None


@routes.get("/backups", responses=NOT_FOUND)
def list_backups(
    caller: Keeper,
    after: Annotated[str | None, Query(max_length=100)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> BackupPage:
    """The copies that are there, and how the last try went."""
    return _page(_backups(caller), after, limit)


@routes.post("/backups", status_code=202, responses=NOT_FOUND)
def start_backup(caller: Keeper) -> BackupPage:
    """Begin to make a copy now; the list tells when it is there."""
    backups = _backups(caller)
    backups.start(caller.deed)
    return _page(backups, None, 50)


def _backups(caller: Caller) -> Backups:
    if caller.instance.backups is None:
        raise Refused(
            Refusal.NOT_FOUND,
            "このサーバーはバックアップを作りません。saiten backup で作るか、管理者に知らせてください。",
        )
    return caller.instance.backups


def _page(backups: Backups, after: str | None, limit: int) -> BackupPage:
    copies = backups.copies()
    names = [copy.name for copy in copies]
    start = names.index(after) + 1 if after in names else 0
    shown = copies[start : start + limit]
    failure = backups.failure
    return BackupPage(
        backups=[BackupResource(name=one.name, size=one.size, made_at=one.made_at) for one in shown],
        running=backups.running,
        failure=BackupFailure(at=failure.at, reason=failure.reason) if failure is not None else None,
        damaged=backups.damaged,
        next=shown[-1].name if start + limit < len(copies) else None,
    )
