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
from ocr.model_file import Logistic
from ocr.symbol_reader import narrow_chances
from ocr.written_answers import WrittenQuestion

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from models.training.hands import Hands
    from ocr.line_answers import TextMeasures
    from ocr.line_reader import LineReader

_ALLOWED_ERROR = 0.001
_CLAIMED_ERROR = 0.0005
"""Half of what is allowed: other hands are other."""
_LEAST_LINE, _MOST_LINE = 0.9, 0.9999
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
) -> tuple[dict[str, float], dict[str, float]]:
    """For each kind of alphabet, how sharp its chances are, and the least at which a reading is safe to take.

    Args:
        chances: of all classes, (n, classes).
        labels: the right classes, (n,).
        random: source of chance, for the alphabets.

    Returns:
        sharpness and lines, as in `ocr.model_file.ModelFacts`.
    """
    texts = [SYMBOL_CLASSES[label] for label in labels.tolist()]
    sharpness: dict[str, float] = {}
    lines: dict[str, float] = {}
    for kind, pools in _POOLS.items():
        rows: list[NDArray[np.float32]] = []
        wanted: list[int] = []
        own = sum(any(text and text in pool for pool in pools) for text in texts)
        strangers = _STRANGERS * own / max(len(texts) - own, 1)
        for text, row in zip(texts, chances, strict=True):
            fitting = [pool for pool in pools if text and text in pool]
            if not text or (not fitting and random.random() > strangers):
                continue
            pool = fitting[0] if fitting else pools[int(random.integers(len(pools)))]
            alphabet = narrow(SYMBOL_CLASSES, random_alphabet(text if fitting else "", pool, random))
            assert alphabet is not None
            rows.append(narrow_chances(row[np.newaxis], alphabet)[0])
            wanted.append(alphabet.characters.index(text) if fitting else len(alphabet.characters))
        power = _fit_sharpness(rows, wanted)
        raised = [row**power / (row**power).sum() for row in rows]
        best = np.array([row[:-1].max() for row in raised])
        right = np.array([row[:-1].argmax() == at for row, at in zip(raised, wanted, strict=True)])
        sharpness[kind.value], lines[kind.value] = power, safe_line(best, right)
    return sharpness, lines


def _fit_sharpness(rows: Sequence[NDArray[np.float32]], wanted: Sequence[int]) -> float:
    """The power at which the chances are as right as they claim."""
    logs = [np.log(np.maximum(row.astype(np.float64), 1e-9)) for row in rows]

    def loss(power: float) -> float:
        return -float(
            np.mean(
                [
                    power * log[at] - np.logaddexp.reduce(power * log)
                    for log, at in zip(logs, wanted, strict=True)
                ]
            )
        )

    return float(minimize_scalar(loss, bounds=(0.5, 3.0), method="bounded").x)


def random_alphabet(text: str, pool: str, random: Generator) -> tuple[str, ...]:
    """Four to ten characters that a question may offer, with the one given among them: a run, as teachers take."""
    size = min(int(random.integers(4, 11)), len(pool))
    at = pool.index(text) if text else int(random.integers(len(pool)))
    start = int(np.clip(at - random.integers(size), 0, len(pool) - size))
    return tuple(pool[start : start + size])


def line_facts(
    reader: LineReader, hands: Hands, joyo: str, random: Generator, count: int
) -> Mapping[str, object]:
    """Chances from margins, and the safe lines, of the line model.

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
    logistics = {
        name: _fit_logistic(np.array([m for _, m, _ in rows]), np.array([r for _, _, r in rows]))
        for name, rows in (("answer", answer), ("reading", reading))
    }
    lines = {}
    for kind in (AnswerKind.NUMBER, AnswerKind.TEXT):
        chances = [logistics["answer"].chance(m) for k, m, _ in answer if k is kind]
        chances += [logistics["reading"].chance(m) for k, m, _ in reading if k is kind]
        right = [r for k, _, r in answer if k is kind] + [r for k, _, r in reading if k is kind]
        lines[kind.value] = safe_line(np.array(chances), np.array(right))
    lines[AnswerKind.SYMBOL.value] = lines[AnswerKind.TEXT.value]
    return {"lines": lines, **{name: one.model_dump() for name, one in logistics.items()}}


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


def _fit_logistic(measures: NDArray[np.float64], right: NDArray[np.bool_]) -> Logistic:
    """Maximum likelihood, with a little pull to nothing that keeps separable data finite.

    Args:
        measures: (n, 3).
        right: (n,).
    """
    signs = np.where(right, 1.0, -1.0)

    def loss(parameters: NDArray[np.float64]) -> float:
        scores = measures @ parameters[:-1] + parameters[-1]
        return float(np.logaddexp(0, -signs * scores).mean() + 1e-5 * (parameters**2).sum())

    *weights, offset = minimize(loss, np.array([0.3, 0.1, 0.1, 0.0]), method="L-BFGS-B").x.tolist()
    return Logistic(weights=tuple(weights), offset=offset)
