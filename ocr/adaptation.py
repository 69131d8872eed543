"""Adaptation inside one exam: what a person confirmed sharpens the readings of the rest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ocr.embeddings import stack_embeddings
from ocr.reading import Alternative, WrittenStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from numpy.typing import NDArray

    from ocr.prototypes import Prototypes
    from ocr.reading import AnswerEvidence, WrittenReading


@dataclass(frozen=True, slots=True)
class AdaptationLines:
    """When prototypes may change the status of a reading.

    Attributes:
        ok: pooled chance from which a doubtful reading becomes ok, if model and prototypes name the same text. Stricter than
            the model's own line, so that those added are as exact as the rest.
        least_chance: the least chance that the model itself gives a text that becomes ok.
        contradicted: from so much log-odds for another text than the one read, an ok reading becomes doubtful.
        least_confirmed: how many confirmed answers of that other text this takes.
    """

    ok: float = 0.9995
    least_chance: float = 0.5
    contradicted: float = 4.0
    least_confirmed: int = 3


def adapt_readings(
    evidence: Sequence[AnswerEvidence],
    prototypes: Prototypes,
    *,
    right_answers: Collection[str] = (),
    canonical: Callable[[str], str] = str,
    lines: AdaptationLines | None = None,
) -> tuple[WrittenReading, ...]:
    """The readings, sharpened by what was confirmed.

    A doubtful reading gets new chances, and becomes ok only where model and nearest prototype name the same text. An ok reading
    stays as it is, or becomes doubtful where the prototypes strongly speak for another text. It never becomes ok with
    another text. Blank readings, and those without alternatives, stay as they are.

    Args:
        evidence: of answers that nobody confirmed, as the model gave it.
        prototypes: of this exam, from embeddings of the same model.
        right_answers: canonical texts that `is_answer` speaks of.
        canonical: what texts are compared by; the same as for the prototypes.
        lines: when a status changes.

    Returns:
        One reading an answer, in the order given. A changed one says so in `model`.
    """
    readings = tuple(one.reading for one in evidence)
    if not evidence or prototypes.slope <= 0:
        return readings
    adaptation = _Adaptation(prototypes, frozenset(right_answers), canonical, lines or AdaptationLines())
    likeness = stack_embeddings(evidence) @ prototypes.centres.T
    return tuple(adaptation.adapt(reading, row) for reading, row in zip(readings, likeness, strict=True))


@dataclass(frozen=True, slots=True)
class _Adaptation:
    """What is the same for all answers. `likeness` is always that of one answer to the prototypes, (T,)."""

    prototypes: Prototypes
    right_answers: frozenset[str]
    canonical: Callable[[str], str]
    lines: AdaptationLines

    def adapt(self, reading: WrittenReading, likeness: NDArray[np.float32]) -> WrittenReading:
        """One reading after a look at the prototypes."""
        if reading.status is WrittenStatus.BLANK or not reading.alternatives:
            return reading
        if reading.status is WrittenStatus.DOUBTFUL:
            pooled = self._pooled(reading, likeness)
            return (
                replace(pooled, status=WrittenStatus.OK) if self._agree(reading, pooled, likeness) else pooled
            )
        return self._disputed(reading, likeness) if self._contradicted(reading, likeness) else reading

    def _agree(self, reading: WrittenReading, pooled: WrittenReading, likeness: NDArray[np.float32]) -> bool:
        """Whether model, prototypes and both together say the same, surely enough."""
        best, nearest = reading.alternatives[0], int(likeness.argmax())
        return (
            float(likeness[nearest]) >= self.prototypes.typical
            and self.prototypes.texts[nearest] == self.canonical(best.text)
            and best.chance >= self.lines.least_chance
            and pooled.text == best.text
            and pooled.alternatives[0].chance >= self.lines.ok
        )

    def _contradicted(self, reading: WrittenReading, likeness: NDArray[np.float32]) -> bool:
        """Whether an answer clearly looks like another text than the one read."""
        nearest = int(likeness.argmax())
        other, text = self.prototypes.texts[nearest], self.canonical(reading.text)
        gain = self.prototypes.log_odds(other, likeness) - self.prototypes.log_odds(text, likeness)
        return (
            other != text
            and float(likeness[nearest]) >= self.prototypes.typical
            and int(self.prototypes.counts[nearest]) >= self.lines.least_confirmed
            and float(self.prototypes.limits[nearest]) > 0
            and gain >= self.lines.contradicted
        )

    def _pooled(self, reading: WrittenReading, likeness: NDArray[np.float32]) -> WrittenReading:
        """The reading with the chances of model and prototypes together."""
        texts = [self.canonical(one.text) for one in reading.alternatives]
        chances = [one.chance for one in reading.alternatives]
        weight = np.array([self.prototypes.weight])
        after = self.prototypes.pool(chances, texts, likeness, weight)[0, :-1].tolist()
        return self._with_chances(
            reading,
            [Alternative(one.text, chance) for one, chance in zip(reading.alternatives, after, strict=True)],
        )

    def _disputed(self, reading: WrittenReading, likeness: NDArray[np.float32]) -> WrittenReading:
        """The reading that prototypes contradict: half of each opinion, for one of the two must be badly wrong."""
        other = self.prototypes.texts[int(likeness.argmax())]
        halves = [Alternative(one.text, one.chance / 2) for one in reading.alternatives]
        same = [index for index, one in enumerate(halves) if self.canonical(one.text) == other]
        if same:
            halves[same[0]] = Alternative(halves[same[0]].text, halves[same[0]].chance + 0.5)
        else:
            halves.append(Alternative(other, 0.5))
        return replace(self._with_chances(reading, halves), status=WrittenStatus.DOUBTFUL)

    def _with_chances(self, reading: WrittenReading, alternatives: Sequence[Alternative]) -> WrittenReading:
        """The reading with these chances, its text the likeliest, and what else follows from them."""
        best = sorted(alternatives, key=lambda one: -one.chance)
        rest_before, rest = (
            max(1 - sum(one.chance for one in some), 0) for some in (reading.alternatives, alternatives)
        )
        is_answer = reading.is_answer
        if is_answer is not None:
            # The model may know of right answers that are not among the alternatives: only what these gained is added.
            gain = self._chance_of_right(alternatives) - self._chance_of_right(reading.alternatives)
            is_answer = min(max(is_answer + gain, 0.0), 1.0)
        return replace(
            reading,
            text=best[0].text,
            confidence=best[0].chance,
            alternatives=tuple(best),
            unlike=min(reading.unlike * rest / rest_before, 1.0) if rest_before else reading.unlike,
            is_answer=is_answer,
            model=f"{reading.model}, {int(self.prototypes.counts.sum())} confirmed",
        )

    def _chance_of_right(self, alternatives: Sequence[Alternative]) -> float:
        return sum(one.chance for one in alternatives if self.canonical(one.text) in self.right_answers)
