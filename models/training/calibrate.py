"""Calibration: temperature, chances from margins, and the lines above which a reading is safe to take.

All from hands that no network was trained on, and other ones than those of the figures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize, minimize_scalar
from scipy.stats import binom

from models.training.characters import (
    CAPITALS,
    CIRCLED,
    DIGITS,
    HIRAGANA,
    KATAKANA,
    LETTERS,
    SIGNS,
    SYMBOL_CLASSES,
)
from models.training.line_samples import LineMaker
from models.training.near_misses import near_miss
from ocr.alphabet import SymbolKind, narrow
from ocr.answer_rules import AnswerKind, AnswerRules
from ocr.answer_text import same_answer
from ocr.ink import find_ink
from ocr.line_answers import weigh_lines
from ocr.model_file import Curve, Logistic
from ocr.symbol_reader import measure_best, narrow_chances
from ocr.written_answers import WrittenQuestion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from models.training.hands import Hands
    from ocr.line_answers import TextMeasures
    from ocr.line_reader import LineReader

_ALLOWED_ERROR = 0.001
_CLAIMED_ERROR = 0.0003
"""A third of what is allowed: other hands are other."""
_LEAST_LINE, _MOST_LINE = 0.9985, 0.9999
"""Never less: the hands of the calibration are few, and what they claim may be too good."""
_STRANGERS = 0.02
"""So often something is written that the question does not offer, against what it does."""
_POOLS = {
    SymbolKind.DIGITS: (DIGITS, CIRCLED),
    SymbolKind.LATIN: (CAPITALS, LETTERS),
    SymbolKind.KANA: (HIRAGANA, KATAKANA),
    SymbolKind.SIGNS: (SIGNS,),
    SymbolKind.MIXED: (CAPITALS + DIGITS, KATAKANA + HIRAGANA, KATAKANA + DIGITS),
}


def fit_temperature(scores: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """The temperature at which the scores' chances are as right as they claim (Guo et al., 2017)."""

    def loss(logarithm: float) -> float:
        scaled = scores / np.exp(logarithm)
        top = scaled.max(axis=1, keepdims=True)
        sums = np.log(np.exp(scaled - top).sum(axis=1)) + top[:, 0]
        return float((sums - scaled[np.arange(len(labels)), labels]).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-1.5, 1.5), method="bounded").x))


def symbol_facts(
    chances: NDArray[np.float32], labels: NDArray[np.int64], random: Generator
) -> tuple[Logistic, dict[str, float]]:
    """When the likeliest character offered is right, and for each kind of alphabet the least safe chance.

    One curve for all kinds: the hands of some kinds are too few, or too easy, for a curve of their own.

    Args:
        chances: of all classes, (n, classes).
        labels: the right classes, (n,).
        random: source of chance, for the alphabets.

    Returns:
        best and lines, as in `ocr.model_file.ModelFacts`.
    """
    tried = {kind: _try_alphabets(pools, chances, labels, random) for kind, pools in _POOLS.items()}
    best = _fit_logistic(*(np.concatenate(parts) for parts in zip(*tried.values(), strict=True)))
    lines = {
        kind.value: safe_line(best.chances(measures).astype(np.float64), right)
        for kind, (measures, right) in tried.items()
    }
    return best, lines


def _try_alphabets(
    pools: Sequence[str], chances: NDArray[np.float32], labels: NDArray[np.int64], random: Generator
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Measures of the likeliest character of an alphabet drawn for each sample, and whether it is right."""
    texts = [SYMBOL_CLASSES[label] for label in labels.tolist()]
    own = sum(any(text and text in pool for pool in pools) for text in texts)
    strangers = _STRANGERS * own / max(len(texts) - own, 1)
    measures: list[NDArray[np.float32]] = []
    right: list[bool] = []
    for text, row in zip(texts, chances, strict=True):
        fitting = [pool for pool in pools if text and text in pool]
        if not text or (not fitting and random.random() > strangers):
            continue
        pool = fitting[0] if fitting else pools[int(random.integers(len(pools)))]
        alphabet = narrow(SYMBOL_CLASSES, random_alphabet(text if fitting else "", pool, random))
        assert alphabet is not None
        measures.append(measure_best(row[np.newaxis], alphabet)[0])
        found = narrow_chances(row[np.newaxis], alphabet)[0, :-1].argmax()
        right.append(bool(fitting) and alphabet.characters[found] == text)
    return np.array(measures), np.array(right)


def random_alphabet(text: str, pool: str, random: Generator) -> tuple[str, ...]:
    """Four to ten characters that a question may offer, with the one given among them: a run, as teachers take."""
    size = min(int(random.integers(4, 11)), len(pool))
    at = pool.index(text) if text else int(random.integers(len(pool)))
    start = int(np.clip(at - random.integers(size), 0, len(pool) - size))
    return tuple(pool[start : start + size])


def line_curves(
    reader: LineReader, hands: Hands, joyo: str, random: Generator, count: int
) -> tuple[dict[str, Curve], dict[str, Curve]]:
    """When a line is one of the right answers, and when the likeliest text is right, by kind of question.

    Args:
        reader: with the model, its temperature fitted.
        hands: of the calibration part.
        joyo: kanji for wrong answers.
        random: source of chance.
        count: lines to try.
    """
    maker = LineMaker(hands, joyo, random)
    answer: list[tuple[AnswerKind, TextMeasures, bool]] = []
    reading: list[tuple[AnswerKind, TextMeasures, bool]] = []
    for _ in range(count):
        sample = maker.sample()
        kind = AnswerKind.NUMBER if sample.text[0] in DIGITS + "−" else AnswerKind.TEXT
        rules = AnswerRules(kind)
        wanted = sample.text if random.random() < 0.5 else near_miss(sample.text, joyo, random)
        ink = find_ink(sample.crop.picture, sample.crop.frame_px)
        evidence, _ = weigh_lines(reader, WrittenQuestion(rules, (wanted,)), [ink])[0]
        answer.append((kind, evidence.answer, same_answer(wanted, sample.text, rules)))
        best = next(iter(evidence.texts.likelihoods), "")
        reading.append((kind, evidence.reading, same_answer(best, sample.text, rules)))
    return _fit_curves(answer), _fit_curves(reading)


def _fit_curves(
    tried: Sequence[tuple[AnswerKind, TextMeasures, bool]],
) -> dict[str, Curve]:
    """A curve for each kind of question, and the least chance on it that is safe to take."""
    curves: dict[str, Curve] = {}
    for kind in (AnswerKind.NUMBER, AnswerKind.TEXT):
        measures = np.array([one for k, one, _ in tried if k is kind], np.float32)
        right = np.array([outcome for k, _, outcome in tried if k is kind])
        fitted = _fit_logistic(measures, right)
        safe = safe_line(fitted.chances(measures).astype(np.float64), right)
        curves[kind.value] = Curve(**fitted.model_dump(), safe=safe)
    curves[AnswerKind.SYMBOL.value] = curves[AnswerKind.TEXT.value]
    return curves


def safe_line(chances: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """The least chance above which few enough are wrong: by what the chances claim, if what was counted does not deny it.

    Counting alone would hang the line on one or two samples with a wrong label.
    """
    order = np.argsort(-chances, kind="stable")
    count = np.arange(1, len(order) + 1)
    claimed = np.cumsum(1 - chances[order]) / count
    wrong = np.cumsum(~right[order])
    fine = np.flatnonzero((claimed <= _CLAIMED_ERROR) & (wrong <= binom.ppf(0.95, count, _ALLOWED_ERROR)))
    line = float(chances[order[fine[-1]]]) if fine.size else _MOST_LINE
    return float(np.clip(line, _LEAST_LINE, _MOST_LINE))


def _fit_logistic(measures: NDArray[np.float32], right: NDArray[np.bool_]) -> Logistic:
    """Maximum likelihood, with a little pull to nothing that keeps separable data finite; no measure speaks against.

    Args:
        measures: (n, m).
        right: (n,).
    """
    signs = np.where(right, 1.0, -1.0)
    count = measures.shape[1]

    def loss(parameters: NDArray[np.float64]) -> float:
        scores = measures @ parameters[:-1] + parameters[-1]
        return float(np.logaddexp(0, -signs * scores).mean() + 1e-5 * (parameters**2).sum())

    bounds = [(0.0, None)] * count + [(None, None)]
    *weights, offset = minimize(loss, np.zeros(count + 1), method="L-BFGS-B", bounds=bounds).x.tolist()
    return Logistic(weights=tuple(weights), offset=offset)
