"""Signed-in browsers, and sign-ins that failed, in the database."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, func, select, update

from omr.errors import Refusal, Refused
from scoring.storage.events import record
from scoring.storage.tables import AccountRow, FailedSignInRow, SessionRow

if TYPE_CHECKING:
    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from scoring.storage.events import Deed

IDLE = datetime.timedelta(minutes=30)
"""A session that is not used for so long ends."""
LONGEST = datetime.timedelta(hours=12)
"""No session is longer, however much it is used: a school day."""
NOTED_EVERY = datetime.timedelta(minutes=1)
"""How exactly the last use of a session is kept; a write for every request would be too much."""
TRY_WINDOW = datetime.timedelta(minutes=15)
"""Failed sign-ins are counted over so long."""
MOST_TRIES = 5
"""Failed sign-ins of one account from one address; others can so not lock its owner out elsewhere."""
MOST_TRIES_OF_ADDRESS = 60
"""Failed sign-ins of all accounts from one address, which a whole school may share."""
MOST_TRIES_OF_LOGIN = 100
"""Failed sign-ins of one account from all addresses."""


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session that may be used.

    Attributes:
        id: of the row.
        account_id: whose.
        role: of the account, now.
        noted: whether its use was noted lately.
    """

    id: str
    account_id: str
    role: str
    noted: bool


def start_session(session: Session, deed: Deed, token_hash: str) -> None:
    """Keep a new session of the account that does it."""
    row = SessionRow(
        school_id=deed.school_id,
        school_year=deed.school_year,
        account_id=deed.by,
        token_hash=token_hash,
        created_at=deed.at,
        last_used_at=deed.at,
        ended_at=None,
    )
    session.add(row)
    session.flush()
    record(session, deed, "session.started", row.id)


def find_session(
    session: Session, school_id: str, token_hash: str, at: datetime.datetime
) -> OpenSession | None:
    """The session of a token; None where it has ended, was idle for too long, or its account is closed."""
    return _open_session(session, _FIND_BY_HASH, school_id, token_hash, at)


def find_session_of_id(
    session: Session, school_id: str, session_id: str, at: datetime.datetime
) -> OpenSession | None:
    """The session of a row, as `find_session`: whether it still is what it was when its request began."""
    return _open_session(session, _FIND_BY_ID, school_id, session_id, at)


_FIND = (  # built once: every request asks this
    select(SessionRow.id, SessionRow.account_id, SessionRow.last_used_at, AccountRow.role)
    .join(AccountRow, AccountRow.id == SessionRow.account_id)
    .where(
        SessionRow.school_id == bindparam("of_school"),
        SessionRow.ended_at.is_(None),
        SessionRow.last_used_at > bindparam("used_after"),
        SessionRow.created_at > bindparam("begun_after"),
        AccountRow.disabled_at.is_(None),
    )
)
_FIND_BY_HASH = _FIND.where(SessionRow.token_hash == bindparam("wanted"))
_FIND_BY_ID = _FIND.where(SessionRow.id == bindparam("wanted"))


def note_use(session: Session, session_id: str, at: datetime.datetime) -> None:
    """Note that a session is in use."""
    session.execute(update(SessionRow).where(SessionRow.id == session_id).values(last_used_at=at))


def end_session(session: Session, deed: Deed, session_id: str) -> None:
    """End a session."""
    session.execute(update(SessionRow).where(SessionRow.id == session_id).values(ended_at=deed.at))
    record(session, deed, "session.ended", session_id)


def end_sessions_of(session: Session, deed: Deed, account_id: str) -> None:
    """End all sessions of an account."""
    session.execute(
        update(SessionRow)
        .where(SessionRow.account_id == account_id, SessionRow.ended_at.is_(None))
        .values(ended_at=deed.at)
    )


def begin_try(session: Session, deed: Deed, login_digest: str, address_digest: str) -> str:
    """Count a sign-in as failed before its password is looked at, so that many at once count too.

    Returns:
        Its id, for `forget_try` when the password was right.

    Raises:
        Refused: too many failed lately.
    """
    since = FailedSignInRow.tried_at > deed.at - TRY_WINDOW
    of_login, of_address = (
        FailedSignInRow.login_digest == login_digest,
        FailedSignInRow.address_digest == address_digest,
    )
    for conditions, most in (
        ((of_login, of_address), MOST_TRIES),
        ((of_address,), MOST_TRIES_OF_ADDRESS),
        ((of_login,), MOST_TRIES_OF_LOGIN),
    ):
        count = session.scalar(select(func.count()).select_from(FailedSignInRow).where(since, *conditions))
        if (count or 0) >= most:
            raise Refused(
                Refusal.TOO_MANY_TRIES,
                "サインインの失敗が続いています。15分ほど待ってから、もう一度試してください。",
            )
    session.execute(delete(FailedSignInRow).where(FailedSignInRow.tried_at <= deed.at - TRY_WINDOW))
    row = FailedSignInRow(
        school_id=deed.school_id,
        school_year=deed.school_year,
        login_digest=login_digest,
        address_digest=address_digest,
        tried_at=deed.at,
    )
    session.add(row)
    session.flush()
    return row.id


def forget_try(session: Session, try_id: str) -> None:
    """A sign-in did not fail."""
    session.execute(delete(FailedSignInRow).where(FailedSignInRow.id == try_id))


def _open_session(
    session: Session,
    statement: Select[str, str, datetime.datetime, str],
    school_id: str,
    wanted: str,
    at: datetime.datetime,
) -> OpenSession | None:
    times = {"used_after": at - IDLE, "begun_after": at - LONGEST}
    found = session.execute(statement, {"of_school": school_id, "wanted": wanted, **times}).first()
    if found is None:
        return None
    return OpenSession(found.id, found.account_id, found.role, at - found.last_used_at < NOTED_EVERY)
