"""What the confirmed answers of an exam say of the look of each text: prototypes, learnt without training a network again.

The confirmed answers of a text have a centre in the embedding, its prototype. What nearness to a prototype is worth is learnt from the
confirmed answers too, each compared with prototypes made without it, in three careful steps: how the odds of a text rise with
the likeness (`slope`), how far each prototype can be trusted (`limits`), and how much of that the model's chances don't hold
already (`weight`).

Nothing is kept: whoever drops the `Prototypes` has forgotten the exam. They may be those of one question or, where the same
texts can occur, of several.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import beta

from ocr.embeddings import stack_embeddings, sum_by_class, unit_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from ocr.reading import AnswerEvidence

LEAST_CONFIRMED = 10
"""Fewer confirmed answers with others of their text say nothing of how alike such answers are."""
LEAST_SPREAD = 0.03
"""Likenesses are taken to spread at least so much: a few that happen to agree prove no more."""
CONFIDENCE_LEVEL = 0.95
"""Of the upper bound of the share of answers that a prototype names wrongly."""
WEIGHTS = np.linspace(0, 1, 21)
"""The weights that are tried."""
COST_OF_WEIGHT = 2.0
"""Log-likelihood that the full weight must gain on the confirmed answers to be worth more than none."""


@dataclass(frozen=True, slots=True)
class ConfirmedAnswer:
    """An answer whose text a person confirmed or typed.

    Attributes:
        text: what is written; empty if nothing is, which says nothing here.
        evidence: of the answer, as the model gave it, before any adaptation.
    """

    text: str
    evidence: AnswerEvidence


@dataclass(frozen=True, slots=True)
class Prototypes:
    """The look of each confirmed text, and what nearness to it is worth.

    Attributes:
        texts: canonical texts that were confirmed, sorted.
        centres: the mean direction of the confirmed answers of each text, (T, E), unit length.
        counts: how many those are, (T,).
        slope: by how much the log-odds of a text rise with the likeness to its prototype; 0 where too little is known.
        middle: the likeness (cosine) that speaks neither for nor against a text.
        typical: the likeness from which an answer is like most of its text: their mean less their standard deviation.
        limits: the most that each prototype may change the log-odds of its text, (T,), at least 0. They grow with the
            number of confirmed answers that it named, and fall with those that it named wrongly.
        weight: how much of this the model's chances don't hold already, 0 to 1: what best foretold the confirmed texts.
    """

    texts: tuple[str, ...] = ()
    centres: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), np.float32), compare=False)
    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64), compare=False)
    slope: float = 0.0
    middle: float = 1.0
    typical: float = 1.0
    limits: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0), compare=False)
    weight: float = 0.0

    def log_odds(self, text: str, likeness: NDArray[np.float32]) -> float:
        """The log-odds that an answer's look gives a canonical text, without limit; 0 for a text without prototype.

        Args:
            text: canonical.
            likeness: of the answer to each prototype, (T,).
        """
        if text not in self.texts:
            return 0.0
        return self.slope * (float(likeness[self.texts.index(text)]) - self.middle)

    def pool(
        self,
        chances: Sequence[float],
        texts: Sequence[str],
        likeness: NDArray[np.float32],
        weights: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """The model's chances and the look of an answer, pooled by adding their log-odds (log-linear pooling).

        Args:
            chances: of A texts, from the model; what they lack to 1 is the chance of anything else.
            texts: which those are, canonical.
            likeness: of the answer to each prototype, (T,).
            weights: what the look counts, W of them tried at once, (W,).

        Returns:
            (W, A + 1), rows that sum to 1; the last column is the chance of anything else.
        """
        limit = [float(self.limits[self.texts.index(text)]) if text in self.texts else 0.0 for text in texts]
        look = np.array([self.log_odds(text, likeness) for text in texts])
        earned = np.append(np.clip(look, np.negative(limit), limit), 0)
        prior = np.append(chances, max(1 - sum(chances), 0))
        pooled: NDArray[np.float64] = prior * np.exp(weights[:, np.newaxis] * earned)
        pooled /= pooled.sum(axis=1, keepdims=True)
        return pooled


def learn_prototypes(
    confirmed: Sequence[ConfirmedAnswer], *, canonical: Callable[[str], str] = str
) -> Prototypes:
    """The prototypes of the confirmed texts.

    Args:
        confirmed: in any order.
        canonical: what texts are compared by.
    """
    written = sorted((one for one in confirmed if canonical(one.text)), key=lambda one: one.evidence.key)
    if not written:
        return Prototypes()
    true_texts = [canonical(one.text) for one in written]
    texts = sorted(set(true_texts))
    own_text = np.array([texts.index(text) for text in true_texts])
    counts = np.bincount(own_text)
    rows = stack_embeddings([one.evidence for one in written])
    sums = sum_by_class(rows, own_text, len(texts))

    likeness = rows @ unit_rows(sums).T
    itself = (np.arange(len(rows)), own_text)
    # A prototype that an answer is itself part of would always be near.
    without = np.einsum("ne,ne->n", unit_rows(sums[own_text] - rows), rows)
    likeness[itself] = np.where(counts[own_text] > 1, without, -1)
    prototypes = Prototypes(tuple(texts), unit_rows(sums), counts, limits=np.zeros(len(texts)))
    if len(texts) < 2 or (counts[own_text] > 1).sum() < LEAST_CONFIRMED:
        return prototypes
    others = likeness.copy()
    others[itself] = -1
    slope, middle, typical = _fit_slope(without[counts[own_text] > 1], others.max(axis=1))
    limits = _limits(likeness, own_text, middle)
    prototypes = replace(prototypes, slope=slope, middle=middle, typical=typical, limits=limits)
    return replace(prototypes, weight=_fit_weight(prototypes, written, likeness, canonical))


def _fit_slope(own: NDArray[np.float32], other: NDArray[np.float32]) -> tuple[float, float, float]:
    """Slope, middle and typical likeness of `Prototypes`.

    The log likelihood ratio of two normal distributions of one variance is linear in what was measured (linear
    discriminant analysis). The other distribution is that of the *nearest* other text, so the slope is on the careful side.

    Args:
        own: likeness of confirmed answers to the prototype of their text without them, (M,).
        other: likeness of confirmed answers to the nearest prototype of another text, (N,).
    """
    spread = max(float(np.sqrt((own.var(ddof=1) + other.var(ddof=1)) / 2)), LEAST_SPREAD)
    own_mean, other_mean = float(own.mean()), float(other.mean())
    slope = max(own_mean - other_mean, 0) / spread**2
    return slope, (own_mean + other_mean) / 2, own_mean - float(own.std(ddof=1))


def _limits(likeness: NDArray[np.float32], own_text: NDArray[np.intp], middle: float) -> NDArray[np.float64]:
    """The log-odds that each prototype has earned, (T,).

    Of the confirmed answers that a prototype names (it is the nearest, and nearer than `middle`) some are of another text. The
    upper bound of their share (Clopper and Pearson) is what the prototype may be wrong by.

    Args:
        likeness: of the confirmed answers to the prototypes made without them, (N, T).
        own_text: the text of each, as an index, (N,).
        middle: see `Prototypes`.
    """
    texts = likeness.shape[1]
    named = likeness.argmax(axis=1)
    close = likeness.max(axis=1) >= middle
    right = np.bincount(named[close & (named == own_text)], minlength=texts)
    wrong = np.bincount(named[close & (named != own_text)], minlength=texts)
    bound = beta.ppf(CONFIDENCE_LEVEL, wrong + 1, np.maximum(right, 1))
    limits: NDArray[np.float64] = np.where(right > 0, np.maximum(np.log(1 / bound - 1), 0), 0)
    return limits


def _fit_weight(
    prototypes: Prototypes,
    written: Sequence[ConfirmedAnswer],
    likeness: NDArray[np.float32],
    canonical: Callable[[str], str],
) -> float:
    """The weight with which model and look together best foretell the confirmed texts; 0 where that proves too little.

    Model and look see the same crop. Where the exam is like what the model was trained on, the look says nothing new, and counting it
    again would make the chances too sure.

    Args:
        prototypes: all but their weight.
        written: the confirmed answers, N.
        likeness: of each to the prototypes made without it, (N, T).
        canonical: what texts are compared by.
    """
    gain = -COST_OF_WEIGHT * WEIGHTS
    for one, row in zip(written, likeness, strict=True):
        alternatives = one.evidence.reading.alternatives
        texts = [canonical(alternative.text) for alternative in alternatives]
        pooled = prototypes.pool([alternative.chance for alternative in alternatives], texts, row, WEIGHTS)
        is_true = [text == canonical(one.text) for text in texts]
        of_truth = pooled[:, [*is_true, not any(is_true)]].sum(axis=1)
        gain += np.log(np.maximum(of_truth, 1e-9))
    return float(WEIGHTS[gain.argmax()])
