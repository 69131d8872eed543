"""Answers that were judged unlike the others of the same reading: slips of a grader, or readings to look at again.

Which answers say the same follows from the groups, else from the text read. A doubtful reading has no text to rely on: it takes
part only where it also looks like the sure answers of its text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ocr.embeddings import stack_embeddings, unit_rows
from ocr.groups import GroupKind
from ocr.reading import WrittenStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from ocr.groups import AnswerGroup
    from ocr.reading import AnswerEvidence

OTHERS = 3
"""How many answers judged otherwise, for each one judged so, make this one stand out; with fewer the reading is split."""
ALIKE = 0.5
"""Least likeness (cosine) of a doubtful answer to the centre of the sure ones of its text to be compared with them."""
NEAREST = 3
"""How many of the others are shown beside a contradiction, and count for its suspicion."""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """An answer that was judged unlike most others of the same reading.

    Attributes:
        key: of the answer.
        text: the canonical reading; empty for blank answers.
        judgement: what it got.
        others_judgement: what most others of this reading got.
        others: how many those are.
        nearest: keys of those of them that look most like it, the likest first.
        suspicion: 0 to 1, by which contradictions are ordered: the confidence of its reading, times the share of the others
            among both, times its likeness to the nearest. No probability.
    """

    key: str
    text: str
    judgement: str
    others_judgement: str
    others: int
    nearest: tuple[str, ...]
    suspicion: float


@dataclass(frozen=True, slots=True)
class SplitReading:
    """A reading whose answers were judged in two or more ways, none of which is the exception.

    Attributes:
        text: the canonical reading; empty for blank answers.
        judgements: each with the keys of the answers that got it, the most frequent first.
    """

    text: str
    judgements: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Contradictions:
    """What to look at again after grading a question.

    Attributes:
        contradictions: single answers, the most suspicious first.
        splits: readings judged in several ways, the largest first.
    """

    contradictions: tuple[Contradiction, ...]
    splits: tuple[SplitReading, ...]


def find_contradictions(
    evidence: Sequence[AnswerEvidence],
    judgements: Mapping[str, str],
    groups: Sequence[AnswerGroup] = (),
    *,
    canonical: Callable[[str], str] = str,
) -> Contradictions:
    """The judged answers to one question that don't fit the judgements on answers of the same reading.

    Args:
        evidence: of the answers; their order doesn't matter.
        judgements: what each judged answer got, by key, such as ○, △ or × with its points. Answers without one, and keys
            without evidence, are left out.
        groups: of equal answers; who is in one is compared with it, whatever its own text.
        canonical: what texts are compared by.
    """
    judged = sorted((one for one in evidence if one.key in judgements), key=lambda one: one.key)
    rows = stack_embeddings(judged)
    found: list[Contradiction] = []
    splits: list[SplitReading] = []
    for text, members in _same_readings(judged, rows, groups, canonical).items():
        ways = _by_judgement(members, [judgements[one.key] for one in judged])
        exceptions = [way for way in ways[1:] if len(ways[0][1]) >= OTHERS * len(way[1])]
        for way in exceptions:
            found += _contradictions(text, way, ways[0], judged, rows)
        split = [way for way in ways if way not in exceptions]
        if len(split) > 1:
            keys = [(judgement, tuple(judged[index].key for index in one)) for judgement, one in split]
            splits.append(SplitReading(text, tuple(keys)))
    found.sort(key=lambda one: (-one.suspicion, one.key))
    splits.sort(key=lambda one: (-sum(len(keys) for _, keys in one.judgements), one.text))
    return Contradictions(tuple(found), tuple(splits))


def _same_readings(
    judged: Sequence[AnswerEvidence],
    rows: NDArray[np.float32],
    groups: Sequence[AnswerGroup],
    canonical: Callable[[str], str],
) -> dict[str, list[int]]:
    """Indices of the answers that say the same, by canonical text; answers whose reading is open are in none."""
    grouped = {
        key: group.text for group in groups if group.kind is not GroupKind.ALONE for key in group.members
    }
    same: dict[str, list[int]] = {}
    open_readings: dict[str, list[int]] = {}
    for index, one in enumerate(judged):
        text = canonical(one.reading.text)
        if one.key in grouped:
            same.setdefault(grouped[one.key], []).append(index)
        elif one.reading.status is WrittenStatus.BLANK:
            same.setdefault("", []).append(index)
        elif text:
            sure = one.reading.status is WrittenStatus.OK
            (same if sure else open_readings).setdefault(text, []).append(index)
    for text in same.keys() & open_readings.keys():
        centre = unit_rows(rows[same[text]].sum(axis=0, keepdims=True))[0]
        alike = rows[open_readings[text]] @ centre >= ALIKE
        same[text] += np.array(open_readings[text])[alike].tolist()
    return same


def _by_judgement(members: Sequence[int], judgements: Sequence[str]) -> list[tuple[str, list[int]]]:
    """The members with each judgement, the most frequent judgement first."""
    ways: dict[str, list[int]] = {}
    for index in members:
        ways.setdefault(judgements[index], []).append(index)
    return sorted(ways.items(), key=lambda way: (-len(way[1]), way[0]))


def _contradictions(
    text: str,
    exception: tuple[str, list[int]],
    usual: tuple[str, list[int]],
    judged: Sequence[AnswerEvidence],
    rows: NDArray[np.float32],
) -> list[Contradiction]:
    """One contradiction for each answer with the exceptional judgement, against those with the usual one."""
    judgement, few = exception
    others_judgement, others = usual
    likeness = rows[few] @ rows[others].T
    nearest = np.argsort(-likeness, axis=1, kind="stable")[:, :NEAREST]
    alike = np.take_along_axis(likeness, nearest, axis=1).mean(axis=1).clip(0, 1)
    share = len(others) / (len(others) + len(few))
    return [
        Contradiction(
            key=judged[index].key,
            text=text,
            judgement=judgement,
            others_judgement=others_judgement,
            others=len(others),
            nearest=tuple(judged[others[position]].key for position in positions),
            suspicion=(judged[index].reading.confidence or 0) * share * like,
        )
        for index, positions, like in zip(few, nearest.tolist(), alike.tolist(), strict=True)
    ]
