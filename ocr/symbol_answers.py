"""From the chances of characters to readings: what is written, how sure that is, and whether it is right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ocr.answer_text import same_answer
from ocr.emptiness import is_surely_empty
from ocr.ink import find_ink
from ocr.network_input import symbol_square
from ocr.reading import Alternative, WrittenReading, WrittenStatus
from ocr.written_answers import ReadAnswer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ocr.alphabet import Alphabet
    from ocr.ink import Ink
    from ocr.symbol_reader import SymbolReader
    from ocr.written_answers import AnswerCrop, WrittenQuestion

_ALTERNATIVES = 4
_SURELY_NOTHING = 0.9


def read_symbols(
    reader: SymbolReader, question: WrittenQuestion, alphabet: Alphabet, crops: Sequence[AnswerCrop]
) -> list[ReadAnswer]:
    """Read the answers to a question of one character.

    Args:
        reader: the network.
        question: with its right answers.
        alphabet: the characters that can occur.
        crops: of the answers.
    """
    inks = [find_ink(crop.picture, crop.frame_px) for crop in crops]
    scores = reader.score([symbol_square(ink) for ink in inks])
    narrowed = reader.narrow(scores.chances, alphabet)
    right = [
        any(same_answer(one, answer, question.rules) for answer in question.answers)
        for one in alphabet.characters
    ]
    is_right = np.array([*right, False], np.float32)
    nothing = scores.chances[:, 0]
    safe = reader.safe_chance(alphabet)
    return [
        ReadAnswer(
            _reading(
                ink,
                chances,
                alphabet,
                float(chances @ is_right) if question.answers else None,
                float(empty),
                safe,
                reader.label,
            ),
            embedding,
        )
        for ink, chances, empty, embedding in zip(inks, narrowed, nothing, scores.embeddings, strict=True)
    ]


def _reading(
    ink: Ink,
    chances: NDArray[np.float32],
    alphabet: Alphabet,
    is_answer: float | None,
    nothing: float,
    safe: float,
    model: str,
) -> WrittenReading:
    if is_surely_empty(ink, nothing):
        return blank_reading(ink, is_answer, max(nothing, _SURELY_NOTHING), model)
    order = np.argsort(-chances[:-1], kind="stable")[:_ALTERNATIVES]
    alternatives = tuple(Alternative(alphabet.characters[at], float(chances[at])) for at in order)
    best = alternatives[0]
    chance = best.chance * (1 - nothing)
    return WrittenReading(
        text=best.text,
        confidence=chance,
        status=WrittenStatus.OK if chance >= safe else WrittenStatus.DOUBTFUL,
        alternatives=alternatives,
        unlike=float(chances[-1]),
        is_answer=is_answer,
        ink=ink.area,
        model=model,
    )


def blank_reading(ink: Ink, is_answer: float | None, confidence: float, model: str) -> WrittenReading:
    """The reading of a box in which nobody wrote."""
    return WrittenReading(
        text="",
        confidence=confidence,
        status=WrittenStatus.BLANK,
        alternatives=(),
        unlike=0.0,
        is_answer=None if is_answer is None else 0.0,
        ink=ink.area,
        model=model,
    )
