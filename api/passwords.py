"""Passwords and tokens: argon2id for what people choose, SHA-256 for what chance made."""

from __future__ import annotations

import hashlib
import secrets
import unicodedata
from functools import cache

from pwdlib import PasswordHash

from omr.errors import Refusal, Refused

SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 200
_FEWEST_CHARACTERS = 5
"""Different characters in a password; fewer are a pattern of keys."""


def check_password(password: str, login: str) -> None:
    """Make sure that a password is worth having: length, not composition (NIST SP 800-63B).

    Raises:
        Refused: it is too short, too long, the login's name or one key many times.
    """
    plain = unicodedata.normalize("NFKC", password)
    if not SHORTEST_PASSWORD <= len(plain) <= LONGEST_PASSWORD:
        raise Refused(
            Refusal.WEAK_PASSWORD,
            f"パスワードは {SHORTEST_PASSWORD} 文字以上 {LONGEST_PASSWORD} 文字以内にしてください。",
        )
    if login.casefold() in plain.casefold() or len(set(plain)) < _FEWEST_CHARACTERS:
        raise Refused(
            Refusal.WEAK_PASSWORD,
            "このパスワードは推測されやすいものです。利用者名や同じ文字の繰り返しを避けてください。",
        )


def hash_password(password: str) -> str:
    """The argon2id hash of a password, with its salt and cost."""
    return _hasher().hash(unicodedata.normalize("NFKC", password))


def is_password(password: str, password_hash: str | None) -> bool:
    """Whether this is the password; as slow where there is none, so that time does not tell which logins exist."""
    found = _hasher().verify(
        unicodedata.normalize("NFKC", password), password_hash if password_hash else _hash_of_nothing()
    )
    return found and password_hash is not None


def new_token() -> str:
    """A secret of 256 bits that fits into an address or a cookie."""
    return secrets.token_urlsafe(32)


def digest(*parts: str) -> str:
    """The SHA-256 of a token, or of what must not be kept in the clear, as 64 hex digits."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


@cache
def _hasher() -> PasswordHash:
    return PasswordHash.recommended()


@cache
def _hash_of_nothing() -> str:
    return _hasher().hash(secrets.token_hex())
