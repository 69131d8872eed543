"""Answers to writes that a client may repeat (Idempotency-Key), kept in the same transaction as the write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from scoring.storage.tables import AnsweredRequestRow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from scoring.storage.events import Deed


@dataclass(frozen=True, slots=True)
class Answered:
    """What was answered.

    Attributes:
        fingerprint: of the request; another one with the same key is a mistake of the client.
        status: of HTTP.
        body: JSON.
    """

    fingerprint: str
    status: int
    body: Mapping[str, Any]


def find_answer(session: Session, deed: Deed, key: str) -> Answered | None:
    """What this account was answered under a key; None where it is new."""
    row = session.scalar(
        select(AnsweredRequestRow).where(
            AnsweredRequestRow.account_id == deed.by, AnsweredRequestRow.key == key
        )
    )
    return Answered(row.fingerprint, row.status, row.body) if row is not None else None


def keep_answer(session: Session, deed: Deed, key: str, answered: Answered) -> None:
    """Keep an answer under a key."""
    session.add(
        AnsweredRequestRow(
            school_id=deed.school_id,
            school_year=deed.school_year,
            account_id=deed.by,
            key=key,
            fingerprint=answered.fingerprint,
            status=answered.status,
            body=dict(answered.body),
            answered_at=deed.at,
        )
    )
