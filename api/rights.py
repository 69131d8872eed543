"""Who may do what: the one place where a right is asked for."""

from __future__ import annotations

from collections.abc import Callable  # noqa: TC003  (part of public signatures)
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from fastapi import Request  # noqa: TC002  (FastAPI reads it)

from api.browser_sessions import Actor, identify
from api.instance import Here, Instance  # noqa: TC001  (FastAPI reads it)
from omr.errors import Refusal, Refused
from scoring.storage.accounts import Role
from scoring.storage.sessions import find_session_of_id

if TYPE_CHECKING:
    from scoring.storage.events import Deed


class Right(StrEnum):
    """What somebody may do."""

    BE_SIGNED_IN = "be_signed_in"
    SEE_EXAMS = "see_exams"
    CHANGE_EXAMS = "change_exams"
    SEE_SCORES = "see_scores"
    JUDGE = "judge"
    CHANGE_SCANS = "change_scans"
    SEE_ROSTERS = "see_rosters"
    CHANGE_ROSTERS = "change_rosters"
    MANAGE_ACCOUNTS = "manage_accounts"
    MANAGE_BACKUPS = "manage_backups"


RIGHTS: dict[Role, frozenset[Right]] = {
    Role.ADMINISTRATOR: frozenset(Right),
    Role.TEACHER: frozenset(
        [
            Right.BE_SIGNED_IN,
            Right.SEE_EXAMS,
            Right.CHANGE_EXAMS,
            Right.CHANGE_SCANS,
            Right.SEE_SCORES,
            Right.JUDGE,
            Right.SEE_ROSTERS,
        ]
    ),
}
"""What each role may do."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who has the right that a route asks for, and the instance at which they have it."""

    instance: Instance
    actor: Actor

    @property
    def deed(self) -> Deed:
        """What they do now."""
        return self.instance.deed(self.actor.account_id)


def asks(right: Right) -> Callable[[Request, Instance], Caller]:
    """The dependency by which a route asks for a right.

    It raises `Refused` where nobody is signed in, the request does not come from our page, or the role has not
    this right.
    """

    def check(request: Request, here: Here) -> Caller:
        actor = identify(here, request)
        request.state.account_id = actor.account_id
        caller = Caller(here, actor)
        require(caller, right)
        return caller

    return check


def require(caller: Caller, right: Right) -> None:
    """Ask for a right beyond that of the route, for a part of what it sends.

    Raises:
        Refused: the caller's role has not this right.
    """
    if right not in RIGHTS[caller.actor.role]:
        raise Refused(Refusal.NOT_ALLOWED, "この操作をする権限がありません。管理者に頼んでください。")


def still_has(caller: Caller, right: Right) -> bool:
    """Whether somebody whose request goes on for long is still signed in and still has a right."""
    here = caller.instance
    with here.database.read() as session:
        found = find_session_of_id(session, here.school_id, caller.actor.session_id, here.clock())
    return found is not None and right in RIGHTS[Role(found.role)]
