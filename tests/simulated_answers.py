"""Answers of an imagined class to one question: what was meant, and what a calibrated model makes of it.

Each text has a centre in the embedding; some centres lie close (シ and ツ). An exam moves each centre a little (its paper, its
pens, its pupils' school), a writer much more. The model knows the centres and how far exams and writers stray, but not this
exam: its chances are the exact posterior of that, so they are calibrated over exams.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ocr.reading import Alternative, AnswerEvidence, WrittenReading, WrittenStatus

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIZE = 64
TEXTS = ("シ", "ツ", "ソ", "ン", "ア", "イ", "ウ", "エ")
SURE = 0.998
"""The chance from which the model calls a reading ok."""


@dataclass(frozen=True, slots=True)
class SimulatedClass:
    """Answers with their truth.

    Attributes:
        evidence: one an answer.
        truth: what was meant, by key; empty where nothing was written.
    """

    evidence: tuple[AnswerEvidence, ...]
    truth: dict[str, str]

    def wrong_ok(self) -> int:
        """How many readings are called ok and are not what was meant."""
        return sum(
            one.reading.status is WrittenStatus.OK and one.reading.text != self.truth[one.key]
            for one in self.evidence
        )


def simulate_class(
    seed: int,
    answers: int = 160,
    *,
    writers: float = 0.12,
    exam: float = 0.06,
    blank: float = 0.05,
    slips: float = 0.0,
) -> SimulatedClass:
    """Answers to one question.

    Args:
        seed: of the chance; the centres of the texts are always the same.
        answers: how many.
        writers: deviation of an answer from its centre, in each of the `SIZE` directions (the centres have length 1).
        exam: deviation of the exam's centres from the general ones.
        blank: share of blank answers.
        slips: share of answers for which the model is sure of another text, whatever the embedding says.
    """
    rng = np.random.default_rng(seed)
    centres = _centres()
    exam_centres = centres + rng.normal(0, exam, centres.shape)
    share = rng.dirichlet(np.ones(len(TEXTS)))
    meant = rng.choice(len(TEXTS), answers, p=share)
    points = exam_centres[meant] + rng.normal(0, writers, (answers, SIZE))
    is_blank = rng.random(answers) < blank
    points[is_blank] = np.eye(SIZE)[-1] + rng.normal(0, writers / 2, (int(is_blank.sum()), SIZE))
    distance = np.square(points[:, np.newaxis] - centres).sum(axis=2)
    logits = -distance / (2 * (writers**2 + exam**2))
    chances = np.exp(logits - logits.max(axis=1, keepdims=True))
    chances /= chances.sum(axis=1, keepdims=True)
    slipped = np.flatnonzero(rng.random(answers) < slips)
    chances[slipped] = 1e-6
    chances[slipped, (meant[slipped] + 1) % len(TEXTS)] = 0.9999

    keys = [f"S{number:05d}" for number in rng.permutation(answers)]
    evidence = tuple(
        AnswerEvidence(
            key, blank_reading() if empty else reading_of(dict(zip(TEXTS, row, strict=True))), unit(point)
        )
        for key, empty, row, point in zip(keys, is_blank, chances.tolist(), points, strict=True)
    )
    truth = {
        key: "" if empty else TEXTS[number] for key, empty, number in zip(keys, is_blank, meant, strict=True)
    }
    return SimulatedClass(evidence, truth)


def unit(point: NDArray[np.float64]) -> NDArray[np.float32]:
    """A point brought to unit length, as embeddings are."""
    return (point / np.linalg.norm(point)).astype(np.float32)


def reading_of(
    chances: dict[str, float], is_answer: float | None = None, unlike: float = 0.0
) -> WrittenReading:
    """What a model says that gives each text this chance."""
    best = sorted(chances, key=lambda text: -chances[text])[:5]
    status = WrittenStatus.OK if chances[best[0]] >= SURE else WrittenStatus.DOUBTFUL
    alternatives = tuple(Alternative(text, chances[text]) for text in best)
    return WrittenReading(
        best[0], chances[best[0]], status, alternatives, unlike, is_answer, 0.1, "simulated 1"
    )


def blank_reading() -> WrittenReading:
    """What a model says of an empty crop."""
    return WrittenReading("", 0.9995, WrittenStatus.BLANK, (), 0.0, 0.0, 0.0, "simulated 1")


def _centres() -> NDArray[np.float64]:
    """The general centres of `TEXTS`, (T, SIZE); those of シ and ツ, and of ソ and ン, lie close."""
    centres = np.random.default_rng(4).normal(size=(len(TEXTS), SIZE))
    centres[:, -1] = 0
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    for one, other in ((0, 1), (2, 3)):
        centres[other] = centres[one] + 0.55 * (centres[other] - centres[one])
    normed: NDArray[np.float64] = centres / np.linalg.norm(centres, axis=1, keepdims=True)
    return normed
