"""Whose request it is: the session's cookie, and the token that shows that our page sent it (CSRF)."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

from api.instance import Transport
from api.passwords import digest, new_token
from omr.errors import Refusal, Refused
from scoring.storage.accounts import Role
from scoring.storage.sessions import LONGEST, find_session, note_use, start_session

if TYPE_CHECKING:
    from fastapi import Request, Response
    from sqlalchemy.orm import Session

    from api.instance import Instance
    from scoring.storage.events import Deed

CSRF_HEADER = "X-CSRF-Token"
_SAFE = {"GET", "HEAD", "OPTIONS"}
_OWN_SITE = {"same-origin", "none"}


@dataclass(frozen=True, slots=True)
class Actor:
    """Who sent a request.

    Attributes:
        account_id: of the account.
        role: what it is for.
        session_id: of the row.
        csrf_token: that unsafe requests of this session carry in `CSRF_HEADER`.
    """

    account_id: str
    role: Role
    session_id: str
    csrf_token: str


def cookie_name(instance: Instance) -> str:
    """The cookie's name; a browser takes `__Host-` only over TLS, for the whole of this host and no other."""
    return "__Host-saiten" if instance.transport is Transport.ENCRYPTED else "saiten"


def open_session(instance: Instance, session: Session, deed: Deed, response: Response) -> str:
    """Start a session in a write and set its cookie; returns its CSRF token."""
    token = new_token()
    start_session(session, deed, digest(token))
    response.set_cookie(
        cookie_name(instance),
        token,
        max_age=int(LONGEST.total_seconds()),
        path="/",
        secure=instance.transport is Transport.ENCRYPTED,
        httponly=True,
        samesite="lax",
    )
    return csrf_token_of(token)


def close_cookie(instance: Instance, response: Response) -> None:
    """Let the browser forget the session and what it kept of our pages."""
    response.delete_cookie(
        cookie_name(instance),
        path="/",
        secure=instance.transport is Transport.ENCRYPTED,
        httponly=True,
        samesite="lax",
    )
    response.headers["Clear-Site-Data"] = '"cache", "storage"'


def identify(instance: Instance, request: Request) -> Actor:
    """Who sent a request.

    Raises:
        Refused: nobody is signed in, or an unsafe request does not come from our page.
    """
    check_way(instance, request)
    token = request.cookies.get(cookie_name(instance), "")
    at = instance.clock()
    with instance.database.read() as session:
        found = find_session(session, instance.school_id, digest(token), at) if token else None
    if found is None:
        raise Refused(
            Refusal.NOT_SIGNED_IN,
            "サインインしていないか、しばらく使わなかったためサインアウトしました。サインインしてください。",
        )
    csrf_token = csrf_token_of(token)
    sent = request.headers.get(CSRF_HEADER, "")
    if request.method not in _SAFE and not hmac.compare_digest(sent.encode(), csrf_token.encode()):
        raise _forged()
    if not found.noted:
        with instance.database.write() as session:
            note_use(session, found.id, at)
    return Actor(found.account_id, Role(found.role), found.id, csrf_token)


def check_way(instance: Instance, request: Request) -> None:
    """Make sure of the way that a request came: encrypted where it should be, and not from another site's page.

    Raises:
        Refused: it came past the proxy that encrypts, or, as far as the browser tells, from another site.
    """
    if instance.transport is Transport.ENCRYPTED and request.url.scheme != "https":
        raise Refused(
            Refusal.NOT_ENCRYPTED, "暗号化されていない接続です。https:// で始まるアドレスから開いてください。"
        )
    site = request.headers.get("sec-fetch-site")
    if request.method not in _SAFE and site is not None and site not in _OWN_SITE:
        raise _forged()


def csrf_token_of(token: str) -> str:
    """The CSRF token of the session with this token in its cookie."""
    # Who knows this can't know the cookie, and who can't read the cookie can't make this.
    return digest("csrf", token)


def _forged() -> Refused:
    return Refused(
        Refusal.FORGED_REQUEST,
        "この操作は、この画面からのものと確かめられませんでした。画面を開き直して、もう一度試してください。",
    )
