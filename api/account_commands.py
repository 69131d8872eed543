"""`saiten account`: accounts from the terminal, for when nobody can sign in any more."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from api.account_routes import setup_path
from api.data_folder import stored_address
from api.passwords import digest, new_token
from omr.errors import InputError
from scoring.storage import accounts
from scoring.storage.accounts import Access, Role
from scoring.storage.columns import utc_now
from scoring.storage.database import open_database
from scoring.storage.events import Deed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_ROLES = {Role.ADMINISTRATOR: "管理者", Role.TEACHER: "教員"}
_SOME = 200


def make_account_link(login: str, data: Path, database: str | None) -> str:
    """A new link by which somebody chooses a password, and what to say of it; the earlier ones end.

    Raises:
        InputError: there is no such account, it is closed, or there are no data.
    """
    with closing(open_database(stored_address(data, database))) as opened, opened.write() as session:
        at = utc_now()
        deed = Deed(accounts.the_school(session, at), None, at)
        found = accounts.find_login(session, deed.school_id, login)
        if found is None:
            raise InputError(
                f"利用者名 {login} は登録されていません。saiten account list で確かめてください。"
            )
        account, _ = found
        if account.access is Access.CLOSED:
            raise InputError(f"利用者 {login} は停止中です。管理者の画面で、先に再開してください。")
        token = new_token()
        until = accounts.make_link(session, deed, digest(token), account.id).astimezone()
    return (
        "サーバーのアドレスの後に次を付けて、本人に開いてもらってください"
        f"（1回だけ、{until:%Y-%m-%d %H:%M} まで使えます）: {setup_path(token)}"
    )


def describe_accounts(data: Path, database: str | None) -> Iterator[str]:
    """A line for each account: login, role, and whether it can sign in.

    Raises:
        InputError: there are no data.
    """
    with closing(open_database(stored_address(data, database))) as opened:
        with opened.write() as session:
            school_id = accounts.the_school(session, utc_now())
        after = None
        while True:
            with opened.read() as session:
                found = accounts.list_accounts(session, school_id, after, _SOME)
            for one in found:
                state = (
                    "停止中" if one.access is Access.CLOSED else "" if one.is_set_up else "パスワード未設定"
                )
                yield "\t".join((one.login, _ROLES[one.role], state)).rstrip()
            if len(found) < _SOME:
                return
            after = found[-1].id
