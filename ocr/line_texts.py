"""The texts that may stand on a line, each with its likelihood: the likeliest ones, and the ones asked about."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from ocr.answer_rules import AnswerKind
from ocr.ctc import best_texts, text_log_likelihoods

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from ocr.line_reader import LineScores

SMALLEST = -40.0
"""Natural logarithm of the smallest chance that is told apart from none."""
_COUNT = 6
_IN_NUMBERS = (
    "0123456789+−×÷=<>.,/%°:()√π-"
    "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "円個人本枚回倍秒分時間度点年月日通番目匹冊台杯歳組位割厘万億兆千百り"
    "Ω"
)


@dataclass(frozen=True, slots=True)
class LineTexts:
    """Texts that may stand on a line.

    Attributes:
        likelihoods: natural logarithm of the chance of each, likeliest first.
        unlisted: the same of everything else, at least SMALLEST.
    """

    likelihoods: Mapping[str, float]
    unlisted: float


def allowed_classes(
    classes: Sequence[str], kind: AnswerKind, answers: Iterable[str]
) -> NDArray[np.bool_] | None:
    """Which classes can occur in answers of a kind; None for all.

    Args:
        classes: of the network.
        kind: of the question.
        answers: the right ones and, of a symbol, all that are offered; their characters can always occur.
    """
    given = list(answers)
    if kind is AnswerKind.TEXT or (kind is AnswerKind.SYMBOL and not given):
        return None
    wanted = set(_IN_NUMBERS if kind is AnswerKind.NUMBER else "").union(*given)
    return np.array([one in wanted for one in classes])


def line_texts(
    scores: LineScores,
    classes: Sequence[str],
    places: Mapping[str, int],
    allowed: NDArray[np.bool_] | None,
    asked: Iterable[str],
) -> LineTexts:
    """What may stand on one line.

    Args:
        scores: of the network.
        classes: of the network.
        places: of each character among them.
        allowed: classes that can occur, (C,); None for all.
        asked: texts whose likelihood is wanted; ones with unknown characters are left out.
    """
    logs = _log_softmax(scores.scores)
    found = {
        "".join(classes[at] for at in one.text): one.log_likelihood
        for one in best_texts(logs, allowed, count=_COUNT)
    }
    more = [text for text in dict.fromkeys(asked) if text not in found and set(text) <= places.keys()]
    if more:
        values = text_log_likelihoods(logs, [[places[one] for one in text] for text in more])
        found |= zip(more, values.tolist(), strict=True)
    return _ordered(found)


def fraction_texts(before: LineTexts | None, numerator: LineTexts, denominator: LineTexts) -> LineTexts:
    """What a stacked fraction may say, from its parts: 3 over 4 is 3/4, with 1 before it 1 3/4."""
    fronts = before.likelihoods if before else {"": 0.0}
    found: dict[str, float] = {}
    parts = product(fronts.items(), numerator.likelihoods.items(), denominator.likelihoods.items())
    for (front, a), (above, b), (below, c) in parts:
        gap = " " if front[-1:].isdigit() else ""
        found[f"{front}{gap}{above}/{below}"] = a + b + c
    return _ordered(found)


def _ordered(found: Mapping[str, float]) -> LineTexts:
    ordered = dict(sorted(found.items(), key=lambda item: -item[1]))
    rest = 1.0 - sum(math.exp(value) for value in ordered.values())
    return LineTexts(ordered, math.log(max(rest, math.exp(SMALLEST))))


def _log_softmax(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    shifted = scores - scores.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)), np.float32)
