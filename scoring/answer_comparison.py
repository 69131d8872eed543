"""The answers to one question compared with each other: groups of equal ones, their order, odd judgements among them.

Written answers are compared by what a reader made of their pictures. A mark in a bubble looks like what it says: answers
without an embedding are alike where their readings are the same, and unlike all others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ocr.answer_text import canonical
from ocr.contradictions import find_contradictions
from ocr.embeddings import unit_rows
from ocr.groups import group_answers
from ocr.reading import Alternative, AnswerEvidence, WrittenReading, WrittenStatus
from ocr.similarity import order_by_similarity
from scoring.handwriting import WRITTEN_KINDS
from scoring.marking import answer_rules

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from ocr.contradictions import Contradictions
    from ocr.groups import AnswerGroup
    from scoring.answer_switches import AnswerSwitches
    from scoring.exam import Question
    from scoring.question_answer import QuestionAnswer

_ONE = np.ones(1, np.float16).tobytes()


def compare_answers(
    answers: Sequence[QuestionAnswer], embeddings: Mapping[str, bytes]
) -> list[AnswerEvidence]:
    """Answers as `ocr` compares them, known by their pages.

    Args:
        answers: to one question.
        embeddings: float16 values, by page; absent where there are none.
    """
    rows = _unit_rows(answers, embeddings)
    return [AnswerEvidence(one.page_id, _reading(one), row) for one, row in zip(answers, rows, strict=True)]


def group_equal(
    question: Question,
    compare: AnswerSwitches | None,
    evidence: Sequence[AnswerEvidence],
    earlier: Sequence[AnswerGroup] = (),
) -> tuple[AnswerGroup, ...]:
    """The answers in groups of equal ones; earlier groups only grow.

    Args:
        question: what was asked.
        compare: the exam's own switches.
        evidence: of all answers.
        earlier: groups of an earlier call.
    """
    return group_answers(evidence, earlier, canonical=_canonical(question, compare))


def find_odd_judgements(
    question: Question,
    compare: AnswerSwitches | None,
    evidence: Sequence[AnswerEvidence],
    judgements: Mapping[str, str],
    groups: Sequence[AnswerGroup],
) -> Contradictions:
    """The answers that were judged unlike others of the same reading.

    Args:
        question: what was asked.
        compare: the exam's own switches.
        evidence: of all answers.
        judgements: mark and points of each judged answer as one text, by key.
        groups: of equal answers.
    """
    return find_contradictions(evidence, judgements, groups, canonical=_canonical(question, compare))


def order_by_likeness(evidence: Sequence[AnswerEvidence], right: Collection[str]) -> tuple[str, ...]:
    """The keys of the answers in the order to look through them, those like the right ones first."""
    return order_by_similarity(evidence, right)


def _canonical(question: Question, compare: AnswerSwitches | None) -> Callable[[str], str]:
    if question.kind not in WRITTEN_KINDS:
        return str
    rules = answer_rules(question, compare)
    return lambda text: canonical(text, rules)


def _reading(answer: QuestionAnswer) -> WrittenReading:
    # The chance of being nothing expected is not kept: what the alternatives leave over is the most that it can be.
    listed = sum(chance for _, chance in answer.alternatives)
    return WrittenReading(
        text=answer.reading,
        confidence=answer.confidence,
        status=WrittenStatus(answer.status),
        alternatives=tuple(Alternative(text, chance) for text, chance in answer.alternatives),
        unlike=max(0.0, 1.0 - listed) if answer.alternatives else 0.0,
        is_answer=answer.is_answer,
        ink=0.0,
        model=answer.reader,
    )


def _unit_rows(answers: Sequence[QuestionAnswer], embeddings: Mapping[str, bytes]) -> NDArray[np.float32]:
    """One row of unit length each (N, E): every reader has columns of its own, and so has every text without embedding."""
    families: dict[tuple[str, str], list[int]] = {}
    for index, one in enumerate(answers):
        known = embeddings.get(one.page_id)
        family = ("text", one.reading) if known is None else (one.reader, f"{len(known)} bytes")
        families.setdefault(family, []).append(index)
    blocks: list[NDArray[np.float32]] = []
    for members in families.values():
        values = [embeddings.get(answers[at].page_id, _ONE) for at in members]
        own = np.frombuffer(b"".join(values), np.float16).reshape(len(members), -1)
        block = np.zeros((len(answers), own.shape[1]), np.float32)
        block[members] = own
        blocks.append(block)
    return unit_rows(np.concatenate(blocks, axis=1)) if blocks else np.zeros((0, 0), np.float32)
