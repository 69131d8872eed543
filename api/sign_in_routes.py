"""HTTP routes to set up, sign in and sign out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Request, Response

from api.account_resources import AccountResource, SessionResource, SetUp, SignIn
from api.browser_sessions import check_way, close_cookie, open_session
from api.http_rules import problem_answers
from api.instance import Here, Instance  # noqa: TC001  (FastAPI reads it)
from api.passwords import check_password, digest, hash_password, is_password
from api.rights import Caller, Right, asks
from omr.errors import InputError, Refusal, Refused
from scoring.storage import accounts
from scoring.storage.accounts import Access, Account, Role, login_name
from scoring.storage.sessions import begin_try, end_session, end_sessions_of, forget_try

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from scoring.storage.events import Deed

routes = APIRouter()
SignedIn = Annotated[Caller, Depends(asks(Right.BE_SIGNED_IN))]


@routes.post("/setup", status_code=201, responses=problem_answers(410))
def set_up(setup: SetUp, here: Here, request: Request, response: Response) -> SessionResource:
    """Choose a password by a set-up link, which can be used once, and be signed in.

    The school's first link also takes the school's name and the login of its first administrator.
    """
    check_way(here, request)
    deed = here.deed()
    with here.database.write() as session:
        account_id = accounts.use_link(session, here.school_id, digest(setup.token), deed.at)
        if account_id is None:
            account = _first_administrator(session, deed, setup)
        else:
            account = accounts.find_account(session, here.school_id, account_id)
        check_password(setup.password, account.login)
        deed = here.deed(account.id)
        end_sessions_of(session, deed, account.id)
        accounts.set_password(session, deed, account.id, hash_password(setup.password))
        csrf_token = open_session(here, session, deed, response)
        return _session(here, session, account.id, csrf_token)


@routes.post("/session", status_code=201, responses=problem_answers(429))
def sign_in(sign_in: SignIn, here: Here, request: Request, response: Response) -> SessionResource:
    """Sign in with a name and a password."""
    check_way(here, request)
    deed = here.deed()
    address = request.client.host if request.client else ""
    login = login_name(sign_in.login)
    with here.database.write() as session:
        failed = begin_try(
            session, deed, digest("login", here.school_id, login), digest("address", here.school_id, address)
        )
        found = accounts.find_login(session, here.school_id, login)
    account, password_hash = found if found is not None else (None, None)
    right = is_password(sign_in.password, password_hash)  # slow, so outside the write
    if account is None or not right or account.access is Access.CLOSED:
        raise Refused(Refusal.WRONG_PASSWORD, "利用者名かパスワードが違います。確かめて入れ直してください。")
    with here.database.write() as session:
        forget_try(session, failed)
        csrf_token = open_session(here, session, here.deed(account.id), response)
        return _session(here, session, account.id, csrf_token)


@routes.get("/session")
def read_session(caller: SignedIn) -> SessionResource:
    """Who is signed in in this browser."""
    with caller.instance.database.read() as session:
        return _session(caller.instance, session, caller.actor.account_id, caller.actor.csrf_token)


@routes.delete("/session", status_code=204)
def sign_out(caller: SignedIn, response: Response) -> None:
    """Sign out."""
    with caller.instance.database.write() as session:
        end_session(session, caller.deed, caller.actor.session_id)
    close_cookie(caller.instance, response)


def _first_administrator(session: Session, deed: Deed, setup: SetUp) -> Account:
    if setup.login is None or setup.school is None:
        raise InputError("学校の名前と、管理者の利用者名を入れてください。")
    accounts.name_school(session, deed.school_id, setup.school)
    return accounts.add_account(session, deed, setup.login, Role.ADMINISTRATOR)


def _session(here: Instance, session: Session, account_id: str, csrf_token: str) -> SessionResource:
    return SessionResource(
        account=AccountResource.of(accounts.find_account(session, here.school_id, account_id)),
        school=accounts.school_name(session, here.school_id),
        csrf_token=csrf_token,
        transport=here.transport,
    )
