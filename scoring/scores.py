"""Scores (得点) of a whole exam at once: what every answer earns, on what that rests, and the totals.

A person's judgement stands above what the machine proposes, and what is doubtful has no points. Points are whole
hundredths, so nothing is rounded. Rules are asked once for each different reading and each different word of
persons; the answers of all students are then gathered by index.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from omr.layout import QuestionKind
from scoring.exam_answers import THIS_PICTURE
from scoring.judgement import Finding, Grading, decide
from scoring.marking import Proposal, Rule, propose

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scoring.exam import Exam, Question
    from scoring.exam_answers import ExamAnswers, Examinee, ReadAnswer, Words


class Basis(StrEnum):
    """On what the points of an answer rest, or why it has none yet.

    PROPOSED: the key says so. BLANK: surely empty (空欄). JUDGED: a person says so. All others have no points:
    UNGRADED: nobody judged it (未採点). DOUBTFUL: the reading must be looked at (要確認). HELD: put off (保留). HALF: one of
    two graders judged it, DIFFERENT: they differ (照合). OUTDATED: judged on another picture, or with more points than
    the question now has. TWICE: the question stands on two read pages. MISSING: on none. ABSENT: the student did not
    sit the exam, or not yet (未受験).
    """

    PROPOSED = "proposed"
    BLANK = "blank"
    JUDGED = "judged"
    UNGRADED = "ungraded"
    DOUBTFUL = "doubtful"
    HELD = "held"
    HALF = "half"
    DIFFERENT = "different"
    OUTDATED = "outdated"
    TWICE = "twice"
    MISSING = "missing"
    ABSENT = "absent"


BASES = tuple(Basis)
RULES = tuple(Rule)
"""What the numbers in the tables of `ExamScores` stand for."""
NONE = -1
"""An index that points at nothing."""
_CODE = {basis: code for code, basis in enumerate(BASES)}
_WITH_POINTS = [_CODE[one] for one in (Basis.PROPOSED, Basis.BLANK, Basis.JUDGED)]
_OF_FINDING = {
    Finding.HELD: Basis.HELD,
    Finding.HALF: Basis.HALF,
    Finding.DIFFERENT: Basis.DIFFERENT,
    Finding.OUTDATED: Basis.OUTDATED,
    Finding.DECIDED: Basis.JUDGED,
}


@dataclass(frozen=True, slots=True)
class ExamineeTotal:
    """What an examinee has so far.

    Attributes:
        points: of the answers that have points; None for who did not sit the exam.
        undecided: questions without points yet.
    """

    points: Decimal | None
    undecided: int


@dataclass(frozen=True, eq=False)
class ExamScores:
    """The scores of an exam; the tables have a row for each examinee and a column for each question.

    Attributes:
        exam: whose questions the columns are.
        answers: that the scores follow from.
        points: hundredths, int64; 0 where there are none.
        basis: index in `BASES`, int8.
        rule: index in `RULES` of what the machine proposes, int8; `NONE` where nothing was read.
        reading: index in `answers.readings`, int32; `NONE` where there is none, or more than one.
        page: index in `answers.pages`, the same.
    """

    exam: Exam
    answers: ExamAnswers
    points: NDArray[np.int64]
    basis: NDArray[np.int8]
    rule: NDArray[np.int8]
    reading: NDArray[np.int32]
    page: NDArray[np.int32]

    @property
    def examinees(self) -> tuple[Examinee, ...]:
        """Whose the rows are."""
        return self.answers.examinees

    @cached_property
    def has_points(self) -> NDArray[np.bool_]:
        """Which answers have points."""
        found: NDArray[np.bool_] = np.isin(self.basis, _WITH_POINTS)
        return found

    @cached_property
    def totals(self) -> tuple[ExamineeTotal, ...]:
        """Of each row."""
        sums = self.points.sum(axis=1).tolist()
        absent = self.basis == _CODE[Basis.ABSENT]
        undecided = (~self.has_points & ~absent).sum(axis=1).tolist()
        did_not_sit = absent.all(axis=1).tolist()
        return tuple(
            ExamineeTotal(None if gone else from_hundredths(points), left)
            for points, left, gone in zip(sums, undecided, did_not_sit, strict=True)
        )

    def is_basis(self, basis: Basis) -> NDArray[np.bool_]:
        """Which answers rest on this."""
        found: NDArray[np.bool_] = self.basis == _CODE[basis]
        return found


def compute_scores(exam: Exam, answers: ExamAnswers) -> ExamScores:
    """The scores that follow from an exam and its answers.

    Args:
        exam: with the key and the points that count.
        answers: of its students; those to questions that the exam has not (any more) play no part.
    """
    columns = {question.id: column for column, question in enumerate(exam.questions)}
    shape = len(answers.examinees), len(columns)
    column_of = np.array([columns.get(one.question, NONE) for one in answers.readings], np.int32)
    column = column_of[answers.reading] if len(column_of) else np.empty(0, np.int32)
    asked = column != NONE
    cell = answers.row[asked].astype(np.int64) * shape[1] + column[asked]
    points, basis, rule = (one[asked] for one in _score_answers(exam, answers))

    scores = ExamScores(
        exam=exam,
        answers=answers,
        points=_spread(shape, cell, points, 0),
        basis=_spread(shape, cell, basis, _CODE[Basis.MISSING]),
        rule=_spread(shape, cell, rule, NONE),
        reading=_spread(shape, cell, answers.reading[asked], NONE),
        page=_spread(shape, cell, answers.page[asked], NONE),
    )
    _take_back_doubled(scores, cell)
    absent = np.array(
        [one.student is not None and one.student.did_not_sit for one in answers.examinees], bool
    )
    # An absent student with a page is a contradiction: what is on it counts until a person settles it.
    scores.basis[absent & scores.is_basis(Basis.MISSING).all(axis=1)] = _CODE[Basis.ABSENT]
    return scores


def to_hundredths(points: Decimal) -> int:
    """Points as whole hundredths; exact, since points have at most two decimals."""
    return int(points * 100)


def from_hundredths(points: int) -> Decimal:
    """Whole hundredths as points."""
    return Decimal(points).scaleb(-2)


def propose_for(exam: Exam, question: Question, answer: ReadAnswer) -> Proposal:
    """What the key says of a stored reading."""
    if not answer.reading:
        return propose(question, answer.status, (), exam.compare)
    # No label of a choice holds a semicolon.
    is_choice = question.kind is QuestionKind.CHOICE
    read = tuple(answer.reading.split(";")) if is_choice else (answer.reading,)
    return propose(question, answer.status, read, exam.compare)


def _score_answers(
    exam: Exam, answers: ExamAnswers
) -> tuple[NDArray[np.int64], NDArray[np.int8], NDArray[np.int8]]:
    """Points, basis and rule of each answer."""
    questions = {question.id: question for question in exam.questions}
    proposed = np.array(
        [_score_reading(exam, questions.get(one.question), one, answers) for one in answers.readings],
        np.int64,
    ).reshape(-1, 3)[answers.reading]
    said = np.array(
        [_score_words(questions.get(one.question), one, answers) for one in answers.words], np.int64
    ).reshape(-1, 2)
    # The last row is that of answers that nobody judged: `NOBODY_SAID` is -1, which points at it.
    said = np.vstack([said, [0, NONE]])[answers.word]
    counts = said[:, 1] != NONE
    points = np.where(counts, said[:, 0], proposed[:, 0])
    basis = np.where(counts, said[:, 1], proposed[:, 1]).astype(np.int8)
    return points, basis, proposed[:, 2].astype(np.int8)


def _score_reading(
    exam: Exam, question: Question | None, answer: ReadAnswer, answers: ExamAnswers
) -> tuple[int, int, int]:
    """Points, basis and rule of an answer that nobody judged."""
    if question is None:
        return 0, _CODE[Basis.MISSING], NONE
    proposal = propose_for(exam, question, answer)
    rule = RULES.index(proposal.rule)
    if proposal.rule is Rule.BLANK:
        return 0, _CODE[Basis.BLANK], rule
    if proposal.rule is Rule.DOUBTFUL:
        return 0, _CODE[Basis.DOUBTFUL], rule
    # Where two people are to grade, the machine's word does not take the place of theirs.
    if proposal.points is None or question.id in answers.graded_twice:
        return 0, _CODE[Basis.UNGRADED], rule
    return to_hundredths(proposal.points), _CODE[Basis.PROPOSED], rule


def _score_words(question: Question | None, words: Words, answers: ExamAnswers) -> tuple[int, int]:
    """Points and basis by what persons said; basis `NONE` where that leaves it to the machine."""
    if question is None:
        return 0, NONE
    grading = Grading.SECOND if question.id in answers.graded_twice else Grading.SINGLE
    verdict = decide(dict(words.by_round), question.points, THIS_PICTURE, grading)
    if verdict.finding is Finding.UNJUDGED:
        return 0, NONE
    points = 0 if verdict.points is None else to_hundredths(verdict.points)
    return points, _CODE[_OF_FINDING[verdict.finding]]


def _spread(
    shape: tuple[int, int], cell: NDArray[np.int64], values: NDArray[Any], elsewhere: int
) -> NDArray[Any]:
    table = np.full(shape, elsewhere, values.dtype)
    table.ravel()[cell] = values
    return table


def _take_back_doubled(scores: ExamScores, cell: NDArray[np.int64]) -> None:
    """Where two read pages of an examinee answer one question, neither counts: which one is right, a person says."""
    doubled = (np.bincount(cell, minlength=scores.points.size) > 1).reshape(scores.points.shape)
    scores.points[doubled] = 0
    scores.basis[doubled] = _CODE[Basis.TWICE]
    for table in (scores.rule, scores.reading, scores.page):
        table[doubled] = NONE
