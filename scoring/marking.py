"""Proposals (採点候補): the points that follow from a reading by the key of its question, and their total.

Pure arithmetic: the same reading and key always give the same proposal, so a changed key is simply marked again.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from ocr.answer_text import AnswerKind, AnswerRules, is_number, same_answer, written_unit
from omr.layout import QuestionKind
from omr.reading import ReadingStatus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scoring.answer_switches import AnswerSwitches
    from scoring.exam import Exam, Question

_JUDGED_BY_PERSON = {QuestionKind.ESSAY, QuestionKind.DRAWING}


class Rule(StrEnum):
    """Why a proposal is as it is."""

    ANSWER = "answer"  # the reading is the answer (正答)
    ACCEPTED = "accepted"  # it is one of the accepted answers (別解)
    WRONG = "wrong"  # it is none of them
    NOT_A_NUMBER = "not_a_number"  # x=3 where 3 is asked for: right or wrong, a person says
    UNIT = "unit"  # the number is right, but carries a unit (単位) that neither key nor sheet names
    BLANK = "blank"  # nothing was written (空欄)
    DOUBTFUL = "doubtful"  # a person must look first (要確認)
    NO_KEY = "no_key"  # the answer is not decided yet
    BY_PERSON = "by_person"  # essays and drawings are judged by a person
    UNKNOWN_LABEL = "unknown_label"  # a marked label is not a choice of the exam: layout and exam disagree


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a reading earns.

    Attributes:
        points: None where a person decides.
        rule: what led to it.
    """

    points: Decimal | None
    rule: Rule


@dataclass(frozen=True, slots=True)
class Total:
    """A student's points over the questions of an exam.

    Attributes:
        points: of the questions that have points.
        max_points: of all questions.
        undecided: questions without points yet.
    """

    points: Decimal
    max_points: Decimal
    undecided: int


def propose(
    question: Question, status: ReadingStatus, reading: Sequence[str], compare: AnswerSwitches | None
) -> Proposal:
    """The points that a reading earns.

    Args:
        question: with its key.
        status: of the reading; what is doubtful never earns or loses points.
        reading: the marked labels of a choice in any order; for written kinds the one recognised text.
        compare: the exam's own, for written answers.
    """
    if status is ReadingStatus.BLANK:
        return Proposal(Decimal(0), Rule.BLANK)
    if question.kind in _JUDGED_BY_PERSON:
        return Proposal(None, Rule.BY_PERSON)
    if status is ReadingStatus.DOUBTFUL or not reading:
        return Proposal(None, Rule.DOUBTFUL)
    if question.kind is QuestionKind.CHOICE and not set(reading) <= set(question.choices):
        return Proposal(None, Rule.UNKNOWN_LABEL)
    if not question.right_answers:
        return Proposal(None, Rule.NO_KEY)
    if question.kind is QuestionKind.CHOICE:
        rule = _rule_of_marks(question, frozenset(reading))
    else:
        rule = _rule_of_text(question, reading[0], answer_rules(question, compare))
    if rule in (Rule.UNIT, Rule.NOT_A_NUMBER):
        return Proposal(None, rule)
    return Proposal(Decimal(0) if rule is Rule.WRONG else question.points, rule)


def answer_rules(question: Question, compare: AnswerSwitches | None) -> AnswerRules:
    """When two texts are the same answer to a written question.

    Args:
        question: of kind symbol, number or text.
        compare: the exam's; the question's own goes before it.
    """
    switches = {
        name: switch
        for one in (compare, question.compare)
        if one is not None
        for name, switch in one.model_dump(exclude_none=True).items()
    }
    return AnswerRules(AnswerKind(question.kind), question.choices, question.unit or "", **switches)


def add_up(exam: Exam, proposals: Mapping[str, Proposal]) -> Total:
    """The total of one student.

    Args:
        exam: all of its questions count.
        proposals: by question id; a question that is absent is undecided.
    """
    found = [proposals.get(question.id) for question in exam.questions]
    points = [one.points for one in found if one is not None and one.points is not None]
    return Total(sum(points, Decimal(0)), exam.max_points, len(found) - len(points))


def _rule_of_marks(question: Question, marked: frozenset[str]) -> Rule:
    if marked == frozenset(question.answer):
        return Rule.ANSWER
    return Rule.ACCEPTED if marked in map(frozenset, question.accept) else Rule.WRONG


def _rule_of_text(question: Question, text: str, rules: AnswerRules) -> Rule:
    asks_for_number = rules.kind is AnswerKind.NUMBER and any(
        is_number(right[0], rules) for right in question.right_answers
    )
    found = Rule.NOT_A_NUMBER if asks_for_number and not is_number(text, rules) else Rule.WRONG
    for rule, right in [(Rule.ANSWER, question.answer), *((Rule.ACCEPTED, one) for one in question.accept)]:
        if same_answer(text, right[0], rules):
            if written_unit(right[0], rules) or not written_unit(text, rules):
                return rule
            found = Rule.UNIT  # 12kg for 12: who knows whether kg is right
    return found
