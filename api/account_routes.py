"""HTTP routes of accounts, for administrators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from api.account_resources import AccountChange, AccountPage, AccountResource, NewAccount, SetupLink
from api.http_rules import NOT_FOUND
from api.passwords import digest, new_token
from api.problems import Stale
from api.rights import Caller, Right, asks
from api.versions import IdempotencyKey, Version, entity_tag, once, version_number
from omr.errors import Refusal, Refused
from scoring.storage import accounts
from scoring.storage.accounts import Access
from scoring.storage.sessions import end_sessions_of

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

routes = APIRouter()
Administrator = Annotated[Caller, Depends(asks(Right.MANAGE_ACCOUNTS))]


@routes.get("/accounts")
def list_accounts(
    caller: Administrator,
    after: Annotated[str | None, Query(max_length=40)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> AccountPage:
    """Accounts in the order in which they were made."""
    with caller.instance.database.read() as session:
        found = accounts.list_accounts(session, caller.instance.school_id, after, limit)
    return AccountPage(
        accounts=[AccountResource.of(one) for one in found],
        next=found[-1].id if len(found) == limit else None,
    )


@routes.post("/accounts", status_code=201, response_model=AccountResource)
def create_account(
    new: NewAccount, caller: Administrator, request: Request, idempotency_key: IdempotencyKey = None
) -> Response:
    """Make an account; a set-up link for it is asked for next."""

    def make(session: Session) -> tuple[AccountResource, str]:
        account = accounts.add_account(session, caller.deed, new.login, new.role)
        return AccountResource.of(account), str(account.version)

    return once(caller, request, idempotency_key, new.model_dump_json().encode(), make)


@routes.get("/accounts/{account_id}", responses=NOT_FOUND)
def read_account(account_id: str, caller: Administrator, response: Response) -> AccountResource:
    """One account."""
    with caller.instance.database.read() as session:
        account = accounts.find_account(session, caller.instance.school_id, account_id)
    response.headers["ETag"] = entity_tag(account.version)
    return AccountResource.of(account)


@routes.put("/accounts/{account_id}", responses=NOT_FOUND)
def change_account(
    account_id: str, change: AccountChange, caller: Administrator, version: Version, response: Response
) -> AccountResource:
    """Give an account another role, close it (its sessions end) or open it again."""
    with caller.instance.database.write() as session:
        before = accounts.find_account(session, caller.instance.school_id, account_id)
        try:
            account = accounts.change_account(
                session,
                caller.deed,
                account_id,
                version=version_number(version),
                role=change.role,
                access=change.access,
            )
        except Refused as refused:
            if refused.refusal is not Refusal.STALE:
                raise
            raise Stale(refused.reason, AccountResource.of(before), change) from refused
        if account.access is Access.CLOSED:
            end_sessions_of(session, caller.deed, account_id)
    response.headers["ETag"] = entity_tag(account.version)
    return AccountResource.of(account)


@routes.post("/accounts/{account_id}/setup-links", status_code=201, responses=NOT_FOUND)
def make_setup_link(account_id: str, caller: Administrator) -> SetupLink:
    """A new set-up link, by which the account's owner chooses a password; earlier ones end."""
    token = new_token()
    with caller.instance.database.write() as session:
        account = accounts.find_account(session, caller.instance.school_id, account_id)
        expires_at = accounts.make_link(session, caller.deed, digest(token), account.id)
    return SetupLink(path=setup_path(token), expires_at=expires_at)


def setup_path(token: str) -> str:
    """The path of an account's set-up link; what stands behind # is sent to no server, so it reaches no log."""
    return f"/setup#{token}"


def first_setup_path(token: str) -> str:
    """The path of a school's first set-up link, whose page also asks for names."""
    return f"/setup?first#{token}"
