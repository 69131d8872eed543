"""What was read in an answer region."""

from __future__ import annotations

from enum import StrEnum


class ReadingStatus(StrEnum):
    """How far a reading can be trusted: ok is safe to take, blank is surely empty, doubtful goes to a person."""

    OK = "ok"
    BLANK = "blank"
    DOUBTFUL = "doubtful"
