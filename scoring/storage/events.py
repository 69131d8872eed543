"""Who does something, and the log of what was done: it is only added to and holds ids, never names."""

from __future__ import annotations

import datetime  # noqa: TC003  (part of public signatures)
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scoring.storage.columns import school_year_of
from scoring.storage.tables import EventRow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Deed:
    """By whom and when something is done.

    Attributes:
        school_id: in which school.
        account_id: by whom; None before anybody has an account.
        at: when, in UTC.
    """

    school_id: str
    account_id: str | None
    at: datetime.datetime

    @property
    def school_year(self) -> int:
        """The school year (年度) in which it is done."""
        return school_year_of(self.at)

    @property
    def by(self) -> str:
        """The account, where the deed can only be somebody's."""
        assert self.account_id is not None
        return self.account_id


def record(
    session: Session,
    deed: Deed,
    what: str,
    subject_id: str | None = None,
    detail: Mapping[str, str | int | None] | None = None,
) -> None:
    """Add an event to the log, in the same transaction as what it tells of.

    Args:
        session: of that transaction.
        deed: who and when.
        what: what was done, as `thing.verb` ("exam.replaced").
        subject_id: to what.
        detail: numbers and ids; nothing personal.
    """
    session.add(
        EventRow(
            school_id=deed.school_id,
            school_year=deed.school_year,
            happened_at=deed.at,
            account_id=deed.account_id,
            what=what,
            subject_id=subject_id,
            detail=dict(detail or {}),
        )
    )
