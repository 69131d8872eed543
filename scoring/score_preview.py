"""What a change of an exam (正答, 別解, 配点, rules) would move: whose total, which answers, from what to what and why.

A judgement of a person never moves by another key. Other points (配点) move what rests on them: ○ is always worth all
of them, and a △ worth more than the question has nothing any more and is to be looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scoring.exam import design_sheet
from scoring.scores import BASES, NONE, RULES, Basis, compute_scores, from_hundredths

if TYPE_CHECKING:
    from decimal import Decimal

    from numpy.typing import NDArray

    from omr.reading import ReadingStatus
    from scoring.exam import Exam
    from scoring.exam_answers import ExamAnswers
    from scoring.marking import Rule
    from scoring.scores import ExamineeTotal, ExamScores


@dataclass(frozen=True, slots=True)
class Standing:
    """How an answer stands by one version of an exam.

    Attributes:
        points: None where it has none yet.
        basis: on what they rest, or why there are none.
        rule: what the machine proposes; None where nothing was read.
    """

    points: Decimal | None
    basis: Basis
    rule: Rule | None


@dataclass(frozen=True, slots=True)
class AnswerMove:
    """Answers to one question that all move the same way.

    Attributes:
        question: its id.
        status: of their reading; None where nothing was read.
        reading: what was read.
        before: how they stand now; None if the question is new.
        after: how they would stand; None if the question is gone.
        rows: the indices of their examinees.
    """

    question: str
    status: ReadingStatus | None
    reading: str
    before: Standing | None
    after: Standing | None
    rows: tuple[int, ...]

    @property
    def is_conflict(self) -> bool:
        """Whether persons gave more points than the question would have: they must be asked again."""
        return (
            self.before is not None
            and self.before.basis is Basis.JUDGED
            and self.after is not None
            and self.after.basis is Basis.OUTDATED
        )


@dataclass(frozen=True, slots=True)
class TotalMove:
    """An examinee (by row) whose total changes, or the number of their questions without points."""

    row: int
    before: ExamineeTotal
    after: ExamineeTotal


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change of an exam would move.

    Attributes:
        before: the scores as they are.
        after: as they would be.
        totals: of whom they move, in the order of the rows.
        moves: of answers, by question.
        changes_sheet: whether something printed on the sheets would be another one too.
    """

    before: ExamScores
    after: ExamScores
    totals: tuple[TotalMove, ...]
    moves: tuple[AnswerMove, ...]
    changes_sheet: bool


def preview(before: Exam, after: Exam, answers: ExamAnswers) -> Preview:
    """What would move if an exam said something else.

    Args:
        before: the exam as it is.
        after: as it would be.
        answers: of its students.
    """
    old, new = compute_scores(before, answers), compute_scores(after, answers)
    totals = tuple(
        TotalMove(row, one, other)
        for row, (one, other) in enumerate(zip(old.totals, new.totals, strict=True))
        if one != other
    )
    return Preview(old, new, totals, _moves(old, new), design_sheet(before) != design_sheet(after))


def _moves(old: ExamScores, new: ExamScores) -> tuple[AnswerMove, ...]:
    old_columns = {question.id: at for at, question in enumerate(old.exam.questions)}
    new_columns = {question.id: at for at, question in enumerate(new.exam.questions)}
    moves: list[AnswerMove] = []
    for question in dict.fromkeys([*new_columns, *old_columns]):
        sides = _side(old, old_columns.get(question)), _side(new, new_columns.get(question))
        moves += _moves_of(old.answers, question, *sides)
    return tuple(moves)


def _side(scores: ExamScores, column: int | None) -> NDArray[np.int64]:
    """Points (`NONE` without), basis, rule and reading of a question's answers, (rows, 4); all `NONE` if it isn't there."""
    if column is None:
        return np.full((len(scores.examinees), 4), NONE, np.int64)
    points = np.where(scores.has_points[:, column], scores.points[:, column], NONE)
    tables = (scores.basis[:, column], scores.rule[:, column], scores.reading[:, column])
    return np.stack([points, *tables], axis=1).astype(np.int64)


def _moves_of(
    answers: ExamAnswers, question: str, old: NDArray[np.int64], new: NDArray[np.int64]
) -> list[AnswerMove]:
    """The moves of the answers to one question; those that lose or win nothing but change their basis are none."""
    (moved,) = np.nonzero(old[:, 0] != new[:, 0])
    if not len(moved):
        return []
    ways = np.column_stack([old[moved, :3], new[moved, :3], np.maximum(old[moved, 3], new[moved, 3])])
    order = np.lexsort(ways.T)
    starts = np.flatnonzero((np.diff(ways[order], axis=0) != 0).any(axis=1)) + 1
    return [
        _move(answers, question, *ways[group[0]].tolist(), rows=tuple(moved[group].tolist()))
        for group in np.split(order, starts)
    ]


def _move(answers: ExamAnswers, question: str, *way: int, rows: tuple[int, ...]) -> AnswerMove:
    """The move of the answers of some rows; `way` is how they stand before and after, and their reading."""
    read = answers.readings[way[6]] if way[6] != NONE else None
    return AnswerMove(
        question,
        read.status if read else None,
        read.reading if read else "",
        _standing(*way[:3]),
        _standing(*way[3:6]),
        rows,
    )


def _standing(points: int, basis: int, rule: int) -> Standing | None:
    if basis == NONE:
        return None
    return Standing(
        None if points == NONE else from_hundredths(points),
        BASES[basis],
        None if rule == NONE else RULES[rule],
    )
