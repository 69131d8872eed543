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
from ocr.line_answers import chance_of, weigh_lines
from ocr.model_file import Logistic
from ocr.symbol_reader import narrow_chances
from ocr.written_answers import WrittenQuestion

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.random import Generator
    from numpy.typing import NDArray

    from models.training.hands import Hands
    from ocr.line_reader import LineReader

_ALLOWED_ERROR = 0.001
_CLAIMED_ERROR = 0.0005
"""Half of what is allowed: other hands are other."""
_LEAST_LINE, _MOST_LINE = 0.9, 0.9999
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


def symbol_lines(
    chances: NDArray[np.float32], labels: NDArray[np.int64], random: Generator
) -> dict[str, float]:
    """For each kind of alphabet the least chance at which a reading is safe to take.

    Args:
        chances: of all classes, (n, classes).
        labels: the right classes, (n,).
        random: source of chance, for the alphabets.
    """
    texts = [SYMBOL_CLASSES[label] for label in labels.tolist()]
    found: dict[str, float] = {}
    for kind, pools in _POOLS.items():
        best: list[float] = []
        right: list[bool] = []
        for text, row in zip(texts, chances, strict=True):
            if not text:
                continue
            fitting = [pool for pool in pools if text in pool]
            if not fitting and random.random() > 0.05:
                continue  # what is not offered comes rarely
            pool = fitting[0] if fitting else pools[int(random.integers(len(pools)))]
            alphabet = narrow(SYMBOL_CLASSES, random_alphabet(text if fitting else "", pool, random))
            assert alphabet is not None
            narrowed = narrow_chances(row[np.newaxis], alphabet)[0]
            at = int(narrowed[:-1].argmax())
            best.append(float(narrowed[at] * (1 - row[0])))
            right.append(alphabet.characters[at] == text)
        found[kind.value] = safe_line(np.array(best), np.array(right))
    return found


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
    answer: list[tuple[AnswerKind, float, bool]] = []
    reading: list[tuple[AnswerKind, float, bool]] = []
    for _ in range(count):
        sample = maker.sample()
        kind = AnswerKind.NUMBER if sample.text[0] in DIGITS + "−" else AnswerKind.TEXT
        rules = AnswerRules(kind)
        wanted = sample.text if random.random() < 0.5 else near_miss(sample.text, joyo, random)
        ink = find_ink(sample.crop.picture, sample.crop.frame_px)
        evidence, _ = weigh_lines(reader, WrittenQuestion(rules, (wanted,)), [ink])[0]
        answer.append((kind, evidence.answer_margin, same_answer(wanted, sample.text, rules)))
        best = next(iter(evidence.texts.likelihoods), "")
        reading.append((kind, evidence.reading_margin, same_answer(best, sample.text, rules)))
    logistics = {
        name: _fit_logistic(np.array([m for _, m, _ in rows]), np.array([r for _, _, r in rows]))
        for name, rows in (("answer", answer), ("reading", reading))
    }
    lines = {}
    for kind in (AnswerKind.NUMBER, AnswerKind.TEXT):
        chances = [chance_of(logistics["answer"], m) for k, m, _ in answer if k is kind]
        chances += [chance_of(logistics["reading"], m) for k, m, _ in reading if k is kind]
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


def _fit_logistic(margins: NDArray[np.float64], right: NDArray[np.bool_]) -> Logistic:
    signs = np.where(right, 1.0, -1.0)

    def loss(parameters: NDArray[np.float64]) -> float:
        return float(np.logaddexp(0, -signs * (parameters[0] * margins + parameters[1])).mean())

    slope, offset = minimize(loss, np.array([0.5, 0.0]), method="Nelder-Mead").x.tolist()
    return Logistic(slope=max(slope, 1e-3), offset=offset)
