"""A question with the pictures of its answers: what goes into a reader of handwriting and what comes out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ocr.answer_rules import AnswerRules
    from ocr.ink import Gray
    from ocr.reading import WrittenReading


@dataclass(frozen=True, slots=True)
class WrittenQuestion:
    """What a reader must know of a question.

    Attributes:
        rules: kind, characters that can occur, and what counts as the same answer.
        answers: the model answer and all other right ones (別解), as teachers wrote them; may be empty.
    """

    rules: AnswerRules
    answers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AnswerCrop:
    """The picture of one answer.

    Attributes:
        picture: grey, uint8 (height, width).
        frame_px: how far a printed frame stands from its edges; 0 where that is not known.
    """

    picture: Gray
    frame_px: float = 0.0


@dataclass(frozen=True, slots=True)
class ReadAnswer:
    """What a reader says of one answer.

    Attributes:
        reading: frozen result.
        embedding: what the model makes of the picture, float32 (E,), unit length; for groups of equal answers.
    """

    reading: WrittenReading
    embedding: NDArray[np.float32] = field(compare=False)
