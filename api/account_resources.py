"""What the HTTP interface takes and sends of accounts, sessions and set-up links."""

from __future__ import annotations

import datetime  # noqa: TC003  (pydantic needs it at run time)
from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from api.instance import Transport  # noqa: TC001  (pydantic needs it at run time)
from api.passwords import LONGEST_PASSWORD
from scoring.storage.accounts import Access, Account, Role

Login: TypeAlias = Annotated[
    str, Field(min_length=1, max_length=64, pattern=r"^[^\s\x00-\x1f\x7f]+$", examples=["tanaka"])
]
Password: TypeAlias = Annotated[
    str, Field(max_length=4 * LONGEST_PASSWORD, examples=["correct horse battery staple"])
]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SignIn(_Model):
    """A name and a password."""

    login: Annotated[str, Field(max_length=200, examples=["tanaka"])]
    password: Password


class SetUp(_Model):
    """A set-up link's token and the password that its owner chose.

    Attributes:
        token: what stands behind # in the link.
        password: chosen.
        login: chosen name; only with the school's first link.
        school: name of the school; only with the school's first link.
    """

    token: Annotated[str, Field(max_length=200)]
    password: Password
    login: Login | None = None
    school: (
        Annotated[
            str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]+$", examples=["見本中学校"])
        ]
        | None
    ) = None


class AccountResource(_Model):
    """Somebody who may sign in.

    Attributes:
        id: of the account.
        login: the name to sign in with.
        role: administrator (管理者) or teacher (教員).
        access: open, or closed: may not sign in.
        is_set_up: whether a password was chosen.
        version: counts the changes; also in the ETag.
    """

    id: str
    login: str
    role: Role
    access: Access
    is_set_up: bool
    version: int

    @classmethod
    def of(cls, account: Account) -> AccountResource:
        """An account as it is sent."""
        return cls(
            id=account.id,
            login=account.login,
            role=account.role,
            access=account.access,
            is_set_up=account.is_set_up,
            version=account.version,
        )


class NewAccount(_Model):
    """An account to make; its owner chooses the password by a set-up link."""

    login: Login
    role: Role = Role.TEACHER


class AccountChange(_Model):
    """What an account is to be."""

    role: Role
    access: Access


class AccountPage(_Model):
    """Some accounts; `next` is to be asked for as `after`, null at the end."""

    accounts: list[AccountResource]
    next: str | None


class SessionResource(_Model):
    """A signed-in browser.

    Attributes:
        account: whose.
        school: name of the school.
        csrf_token: to be sent as X-CSRF-Token with everything but GET.
        transport: local, encrypted, or plain: then every page is to warn that others can listen.
    """

    account: AccountResource
    school: str
    csrf_token: str
    transport: Transport


class SetupLink(_Model):
    """A link that can be used once; it is shown this once.

    Attributes:
        path: to be put behind the server's address; the token stands behind # and so reaches no log.
        expires_at: until when it can be used.
    """

    path: str = Field(examples=["/setup#0vX…"])
    expires_at: datetime.datetime
