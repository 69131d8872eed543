"""The one tree of errors: each message tells a teacher or an operator what to do."""

from __future__ import annotations

from enum import StrEnum


class SaitenError(Exception):
    """Base of every error that a person is meant to read; its text is one clear Japanese sentence."""


class InputError(SaitenError):
    """An input that the whole call depends on is missing or wrong."""


class Refusal(StrEnum):
    """Why the server does not do what it was asked for; the text for the teacher travels with it."""

    NOT_FOUND = "not_found"
    NOT_SIGNED_IN = "not_signed_in"
    WRONG_PASSWORD = "wrong_password"  # noqa: S105  (no password)
    WEAK_PASSWORD = "weak_password"  # noqa: S105  (no password)
    TOO_MANY_TRIES = "too_many_tries"
    NOT_ALLOWED = "not_allowed"
    FORGED_REQUEST = "forged_request"
    NOT_ENCRYPTED = "not_encrypted"
    USED_LINK = "used_link"
    ALREADY_THERE = "already_there"
    WRONG_STATE = "wrong_state"
    STALE = "stale"
    VERSION_MISSING = "version_missing"
    OTHER_REQUEST = "other_request"
    TOO_LARGE = "too_large"
    BUSY = "busy"
    DAMAGED = "damaged"
    NO_SPACE = "no_space"


class Refused(SaitenError):
    """Something that the server does not do as things stand.

    Args:
        refusal: the kind, for programs.
        reason: why, and what to do, for the teacher.
    """

    def __init__(self, refusal: Refusal, reason: str) -> None:
        super().__init__(reason)
        self.refusal = refusal
        self.reason = reason

    def __reduce__(self) -> tuple[type[Refused], tuple[Refusal, str]]:
        return Refused, (self.refusal, self.reason)


class Trouble(StrEnum):
    """Why a page or a file was set aside; the text for the teacher travels with it."""

    UNREADABLE_FILE = "unreadable_file"
    ENCRYPTED = "encrypted"
    TOO_LARGE = "too_large"
    TOO_SMALL = "too_small"
    DAMAGED_PAGE = "damaged_page"
    NO_FIDUCIALS = "no_fiducials"
    NO_CODE = "no_code"
    FOREIGN_CODE = "foreign_code"
    FOREIGN_SHEET = "foreign_sheet"
    OTHER_EXAM = "other_exam"
    OTHER_LAYOUT = "other_layout"
    MISPLACED = "misplaced"
    TWO_SHEETS = "two_sheets"
    TIMEOUT = "timeout"
    CRASH = "crash"


class PageSetAside(SaitenError):
    """A page or file that can't be read safely.

    Args:
        trouble: the kind of trouble, for programs.
        reason: what happened and what to do, for the teacher.
    """

    def __init__(self, trouble: Trouble, reason: str) -> None:
        super().__init__(reason)
        self.trouble = trouble
        self.reason = reason

    def __reduce__(self) -> tuple[type[PageSetAside], tuple[Trouble, str]]:
        return PageSetAside, (self.trouble, self.reason)
