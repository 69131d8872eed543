"""From the line network to readings: the likeliest texts, and the chance that the line is one of the right answers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ocr.answer_rules import AnswerKind
from ocr.answer_text import same_answer, spellings
from ocr.emptiness import is_surely_empty
from ocr.fractions import find_fraction
from ocr.ink import find_ink
from ocr.line_texts import SMALLEST, LineTexts, allowed_classes, fraction_texts, line_texts
from ocr.network_input import Direction, line_direction, line_strip
from ocr.reading import Alternative, WrittenReading, WrittenStatus
from ocr.symbol_answers import blank_reading
from ocr.written_answers import ReadAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ocr.ink import Ink
    from ocr.line_reader import LineReader, LineScores
    from ocr.written_answers import AnswerCrop, WrittenQuestion

_ALTERNATIVES = 4
_EMPTY_CONFIDENCE = 0.99
_FAINTEST_RIVAL = -10.0
"""Natural logarithm of the least chance that all else is counted with."""


class TextMeasures(NamedTuple):
    """How a text, or several that count as one, stands against all else that a line may say; natural logarithms.

    Attributes:
        above: its likelihood over that of all else together, where that is more than 1; else 0.
        below: the same where it is less than 1; else 0.
        character: its likelihood, by character.
    """

    above: float
    below: float
    character: float


@dataclass(frozen=True, slots=True)
class LineEvidence:
    """What the verdict on a line follows from.

    Attributes:
        texts: that may stand on it.
        right: those that are one of the right answers.
        answer: measures of the right answers.
        reading: measures of the likeliest text.
        is_askable: the network knows all characters of the right answers, so that it can tell whether they stand there.
    """

    texts: LineTexts
    right: frozenset[str]
    answer: TextMeasures
    reading: TextMeasures
    is_askable: bool


def read_lines(
    reader: LineReader, question: WrittenQuestion, crops: Sequence[AnswerCrop]
) -> list[ReadAnswer]:
    """Read the answers to a question of one line: a number, or a word.

    Args:
        reader: the network.
        question: with its right answers.
        crops: of the answers.
    """
    inks = [find_ink(crop.picture, crop.frame_px) for crop in crops]
    return [
        ReadAnswer(_reading(reader, question, ink, evidence), scores.embedding)
        for ink, (evidence, scores) in zip(inks, weigh_lines(reader, question, inks), strict=True)
    ]


def weigh_lines(
    reader: LineReader, question: WrittenQuestion, inks: Sequence[Ink]
) -> list[tuple[LineEvidence, LineScores]]:
    """What speaks for which text on each line, before any line is drawn; calibration starts here.

    Args:
        reader: the network.
        question: with its right answers.
        inks: of the answers.
    """
    kind = question.rules.kind
    of_answers = [spellings(answer, question.rules) for answer in question.answers]
    asked = tuple(dict.fromkeys([*question.rules.choices, *(one for some in of_answers for one in some)]))
    classes = reader.facts.classes
    allowed = allowed_classes(classes, kind, asked)
    is_askable = all(any(set(one) <= reader.class_places.keys() for one in some) for some in of_answers)
    fractions = [find_fraction(ink) if kind is AnswerKind.NUMBER else None for ink in inks]
    parts = [
        [ink]
        if fraction is None
        else [one for one in (fraction.before, fraction.numerator, fraction.denominator) if one]
        for ink, fraction in zip(inks, fractions, strict=True)
    ]
    flat = [part for some in parts for part in some]
    directions = [
        Direction.HORIZONTAL if kind is AnswerKind.NUMBER else line_direction(part) for part in flat
    ]
    scored = iter(reader.score([line_strip(*one) for one in zip(flat, directions, strict=True)], directions))

    def texts_of(scores: LineScores, asked: Iterable[str]) -> LineTexts:
        return line_texts(scores, classes, reader.class_places, allowed, asked)

    found: list[tuple[LineEvidence, LineScores]] = []
    for some, fraction in zip(parts, fractions, strict=True):
        scores = [next(scored) for _ in some]
        texts = texts_of(scores[0], asked) if fraction is None else _fraction(scores, asked, texts_of)
        found.append((_weigh(texts, question, is_askable=is_askable), scores[-1]))
    return found


def _fraction(
    scores: Sequence[LineScores],
    asked: Iterable[str],
    texts_of: Callable[[LineScores, Iterable[str]], LineTexts],
) -> LineTexts:
    halves = [one.split("/") for one in asked if one.count("/") == 1]
    above = [half[0].split(" ")[-1].lstrip("−") for half in halves]
    below = [half[1] for half in halves]
    before = texts_of(scores[0], ("−",)) if len(scores) > 2 else None
    return fraction_texts(before, texts_of(scores[-2], above), texts_of(scores[-1], below))


def _weigh(texts: LineTexts, question: WrittenQuestion, *, is_askable: bool) -> LineEvidence:
    right = frozenset(
        text
        for text in texts.likelihoods
        if any(same_answer(text, answer, question.rules) for answer in question.answers)
    )
    best = next(iter(texts.likelihoods), "")
    return LineEvidence(texts, right, _measure(texts, right), _measure(texts, frozenset([best])), is_askable)


def _measure(texts: LineTexts, some: frozenset[str]) -> TextMeasures:
    """How some of the texts stand against the others."""
    own = _sum([value for text, value in texts.likelihoods.items() if text in some])
    others = [value for text, value in texts.likelihoods.items() if text not in some]
    # The search follows nothing below a small share: how far below that all else lies says nothing.
    margin = own - max(_sum([*others, texts.unlisted]), _FAINTEST_RIVAL)
    length = max((len(text) for text in some), default=1)
    return TextMeasures(max(margin, 0.0), min(margin, 0.0), own / max(length, 1))


def _sum(logarithms: Sequence[float]) -> float:
    return max(SMALLEST, float(np.logaddexp.reduce(logarithms))) if logarithms else SMALLEST


def _reading(
    reader: LineReader, question: WrittenQuestion, ink: Ink, evidence: LineEvidence
) -> WrittenReading:
    facts, kind = reader.facts, question.rules.kind.value
    best = next(iter(evidence.texts.likelihoods), "")
    can_say = bool(question.answers) and evidence.is_askable
    is_answer = facts.answer[kind].chance(evidence.answer) if can_say else None
    if is_surely_empty(ink, 0.0):
        return blank_reading(ink, is_answer, _EMPTY_CONFIDENCE, facts.label)
    if is_answer is not None and evidence.right and is_answer >= 0.5:
        text = next(text for text in evidence.texts.likelihoods if text in evidence.right)
        confidence, safe = is_answer, facts.answer[kind].safe
    else:
        text, confidence = best, facts.reading[kind].chance(evidence.reading)
        safe = facts.reading[kind].safe
    likelihoods = evidence.texts.likelihoods.items()
    return WrittenReading(
        text=text,
        confidence=confidence,
        status=WrittenStatus.OK
        if text and confidence >= safe and evidence.is_askable
        else WrittenStatus.DOUBTFUL,
        alternatives=tuple(Alternative(one, math.exp(value)) for one, value in likelihoods)[:_ALTERNATIVES],
        unlike=math.exp(evidence.texts.unlisted),
        is_answer=is_answer,
        ink=ink.area,
        model=facts.label,
    )
