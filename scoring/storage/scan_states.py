"""The states of scan files and pages, as their rows name them."""

from __future__ import annotations

from enum import StrEnum


class FileState(StrEnum):
    """How far a file is: received, its pages counted, or refused as a whole."""

    RECEIVED = "received"
    COUNTED = "counted"
    REFUSED = "refused"


class PageState(StrEnum):
    """Whether a page waits for the reader."""

    WAITING = "waiting"
    READ = "read"


DROPPED = "dropped"
"""The status of a page that a person said does not count, beside those of `omr.reading.PageStatus`."""
