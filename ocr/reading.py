"""What the machine says of one written answer: frozen results, each with its raw measure, a confidence and its model."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class WrittenStatus(StrEnum):
    """How far a reading can be trusted, apart from whether it is a right answer."""

    OK = "ok"
    BLANK = "blank"
    DOUBTFUL = "doubtful"


@dataclass(frozen=True, slots=True)
class Alternative:
    """One text that may be what is written.

    Attributes:
        text: as recognised.
        chance: that exactly this is written, 0 to 1.
    """

    text: str
    chance: float


@dataclass(frozen=True, slots=True)
class WrittenReading:
    """What stands in one crop.

    Attributes:
        text: what is written; empty where blank; the best guess or empty where doubtful.
        confidence: calibrated chance (0 to 1) that `text` or emptiness is right; None for writing that nothing reads.
        status: safe to take, surely empty, or for a person.
        alternatives: the likeliest texts, best first; their chances sum to at most 1, the rest is "none of these".
        unlike: chance (0 to 1) that it is nothing that was expected here.
        is_answer: chance (0 to 1) that it is one of the right answers; None where none were given.
        ink: raw measure of ink, as a share of the crop (0 to 1).
        model: name and version of what produced this.
    """

    text: str
    confidence: float | None
    status: WrittenStatus
    alternatives: tuple[Alternative, ...]
    unlike: float
    is_answer: float | None
    ink: float
    model: str


@dataclass(frozen=True, slots=True)
class AnswerEvidence:
    """One answer as it is compared with the other answers to its question.

    Attributes:
        key: what the crop is known by, such as the sheet's id; unique among the answers compared.
        reading: of the crop.
        embedding: what the model makes of the crop before it decides, (E,), unit length; crops that look alike lie
            close. All from the same model. It takes no part in == (arrays have none that is true or false).
    """

    key: str
    reading: WrittenReading
    embedding: NDArray[np.float32] = field(compare=False)
