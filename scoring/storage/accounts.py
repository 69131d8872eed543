"""Accounts and set-up links in the database."""

from __future__ import annotations

import datetime
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import func, select, update

from omr.errors import Refusal, Refused
from scoring.storage.events import record
from scoring.storage.tables import AccountRow, SchoolRow, SetupLinkRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from scoring.storage.events import Deed

LINK_LIFETIME = datetime.timedelta(days=3)
"""How long a set-up link can be used."""


class Role(StrEnum):
    """What an account is for: 管理者, 教員."""

    ADMINISTRATOR = "administrator"
    TEACHER = "teacher"


class Access(StrEnum):
    """Whether an account may sign in."""

    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may sign in.

    Attributes:
        id: of the row.
        school_id: whose.
        login: the name to sign in with, as `login_name` makes it.
        role: what it is for.
        access: whether it may sign in.
        is_set_up: whether it has a password.
        version: counts the changes, from 1.
    """

    id: str
    school_id: str
    login: str
    role: Role
    access: Access
    is_set_up: bool
    version: int


def login_name(written: str) -> str:
    """A login as it is kept: full-width and capital letters are the same as others."""
    return unicodedata.normalize("NFKC", written).strip().casefold()


def the_school(session: Session, at: datetime.datetime) -> str:
    """The id of the school that this database serves; one without a name is made where there is none."""
    known = session.scalar(select(SchoolRow.id).order_by(SchoolRow.id).limit(1).with_for_update())
    if known is not None:
        return known
    school = SchoolRow(name="", created_at=at)
    session.add(school)
    session.flush()
    return school.id


def has_school(session: Session) -> bool:
    """Whether this database serves a school already."""
    return session.scalar(select(SchoolRow.id).limit(1)) is not None


def school_name(session: Session, school_id: str) -> str:
    """The name of a school; empty before it is set up."""
    return session.get_one(SchoolRow, school_id).name


def name_school(session: Session, school_id: str, name: str) -> None:
    """Give a school its name."""
    session.get_one(SchoolRow, school_id).name = name


def add_account(session: Session, deed: Deed, login: str, role: Role) -> Account:
    """Keep a new account, which gets its password by a set-up link.

    Raises:
        Refused: the school has an account of this login.
    """
    login = login_name(login)
    if find_login(session, deed.school_id, login) is not None:
        raise Refused(Refusal.ALREADY_THERE, "この利用者名はもう使われています。別の名前にしてください。")
    row = AccountRow(
        school_id=deed.school_id,
        school_year=deed.school_year,
        login=login,
        role=role,
        password_hash=None,
        disabled_at=None,
        created_at=deed.at,
        version=1,
    )
    session.add(row)
    session.flush()
    record(session, deed, "account.created", row.id)
    return _account(row)


def find_account(session: Session, school_id: str, account_id: str) -> Account:
    """An account.

    Raises:
        Refused: this school has none of this id.
    """
    return _account(_row(session, school_id, account_id))


def find_login(session: Session, school_id: str, login: str) -> tuple[Account, str | None] | None:
    """The account of a login, with the hash of its password; None where there is none."""
    row = session.scalar(
        select(AccountRow).where(AccountRow.school_id == school_id, AccountRow.login == login_name(login))
    )
    return (_account(row), row.password_hash) if row is not None else None


def list_accounts(session: Session, school_id: str, after: str | None, limit: int) -> Sequence[Account]:
    """Accounts in the order in which they were made, those after the id `after`, at most `limit`."""
    rows = select(AccountRow).where(AccountRow.school_id == school_id, AccountRow.id > (after or ""))
    return [_account(row) for row in session.scalars(rows.order_by(AccountRow.id).limit(limit))]


def change_account(
    session: Session, deed: Deed, account_id: str, *, version: int, role: Role, access: Access
) -> Account:
    """Give an account another role, close it or open it again.

    Raises:
        Refused: there is none, somebody changed it meanwhile, or no administrator would be left.
    """
    row = _row(session, deed.school_id, account_id)
    if row.version != version:
        raise Refused(
            Refusal.STALE, "ほかの人がこの利用者を変えました。今の内容を確かめて、もう一度変えてください。"
        )
    row.role, row.version = role, version + 1
    row.disabled_at = (row.disabled_at or deed.at) if access is Access.CLOSED else None
    session.flush()
    if not has_administrator(session, deed.school_id):
        raise Refused(Refusal.WRONG_STATE, "管理者がいなくなります。先に、ほかの人を管理者にしてください。")
    record(session, deed, "account.changed", row.id, {"version": row.version, "role": role, "access": access})
    return _account(row)


def set_password(session: Session, deed: Deed, account_id: str, password_hash: str) -> None:
    """Keep the hash of an account's new password."""
    _row(session, deed.school_id, account_id).password_hash = password_hash
    record(session, deed, "account.password_set", account_id)


def has_administrator(session: Session, school_id: str) -> bool:
    """Whether an administrator could sign in."""
    wanted = select(func.count()).where(
        AccountRow.school_id == school_id,
        AccountRow.role == Role.ADMINISTRATOR,
        AccountRow.disabled_at.is_(None),
        AccountRow.password_hash.is_not(None),
    )
    return bool(session.scalar(wanted))


def make_link(session: Session, deed: Deed, token_hash: str, account_id: str | None) -> datetime.datetime:
    """Keep a set-up link and return until when it can be used; the same account's earlier ones end.

    Args:
        session: of `Database.write`.
        deed: who and when.
        token_hash: of the link's token.
        account_id: whose; None for the link that makes a school's first administrator.
    """
    whose = SetupLinkRow.account_id.is_(None) if account_id is None else SetupLinkRow.account_id == account_id
    session.execute(
        update(SetupLinkRow)
        .where(SetupLinkRow.school_id == deed.school_id, whose, SetupLinkRow.used_at.is_(None))
        .values(used_at=deed.at)
    )
    row = SetupLinkRow(
        school_id=deed.school_id,
        school_year=deed.school_year,
        account_id=account_id,
        token_hash=token_hash,
        created_at=deed.at,
        expires_at=deed.at + LINK_LIFETIME,
        used_at=None,
    )
    session.add(row)
    record(session, deed, "setup_link.made", account_id)
    return row.expires_at


def use_link(session: Session, school_id: str, token_hash: str, at: datetime.datetime) -> str | None:
    """Use a set-up link up, and return whose it is (None: nobody's yet).

    Raises:
        Refused: it was used before, is too old, or there is none.
    """
    used = session.execute(
        update(SetupLinkRow)
        .where(
            SetupLinkRow.school_id == school_id,
            SetupLinkRow.token_hash == token_hash,
            SetupLinkRow.used_at.is_(None),
            SetupLinkRow.expires_at > at,
        )
        .values(used_at=at)
        .returning(SetupLinkRow.account_id)
    ).all()
    if not used:
        raise Refused(
            Refusal.USED_LINK,
            "このリンクはもう使えません（1回だけ、3日以内に使えます）。管理者に新しいリンクをもらってください。",
        )
    return used[0][0]


def _row(session: Session, school_id: str, account_id: str) -> AccountRow:
    row = session.scalar(
        select(AccountRow)
        .where(AccountRow.school_id == school_id, AccountRow.id == account_id)
        .with_for_update()
    )
    if row is None:
        raise Refused(Refusal.NOT_FOUND, "この利用者は見つかりません。利用者の一覧を開き直してください。")
    return row


def _account(row: AccountRow) -> Account:
    return Account(
        id=row.id,
        school_id=row.school_id,
        login=row.login,
        role=Role(row.role),
        access=Access.OPEN if row.disabled_at is None else Access.CLOSED,
        is_set_up=row.password_hash is not None,
        version=row.version,
    )
