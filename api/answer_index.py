"""The answers to one question, loaded with what the caller may see of their judgements, put in order, written as compact JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, cached_property
from typing import TYPE_CHECKING

from api.question_resources import AlternativeCell, AnswerCells, AnswerOrder, JudgementCell
from omr.errors import Refusal, Refused
from scoring.answer_comparison import compare_answers, order_by_likeness
from scoring.judgement import Judgement, Mark, both_judged, points_of
from scoring.marking import propose
from scoring.points import format_points
from scoring.question_answer import reading_parts
from scoring.storage import question_answers
from scoring.storage.duties import find_second_gradings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy.orm import Session

    from ocr.reading import AnswerEvidence
    from omr.reading import ReadingStatus
    from scoring.exam import Question
    from scoring.marking import Proposal
    from scoring.question_answer import QuestionAnswer, StandingMark
    from scoring.storage.exams import StoredExam


@dataclass(frozen=True)
class LoadedQuestion:
    """A question with its answers.

    Attributes:
        stored: its exam.
        question: what was asked.
        answers: in grading order.
        standing: the judgements that count and that the caller may see, by page.
        embeddings: what the readers made of the pictures, by page; empty where nobody asked.
    """

    stored: StoredExam
    question: Question
    answers: Sequence[QuestionAnswer]
    standing: Mapping[str, Sequence[StandingMark]]
    embeddings: Mapping[str, bytes]

    @cached_property
    def evidence(self) -> list[AnswerEvidence]:
        """The answers as they are compared with each other."""
        return compare_answers(self.answers, self.embeddings)


def load_question(
    session: Session, stored: StoredExam, question_id: str, account_id: str, *, embeddings: bool = False
) -> LoadedQuestion:
    """A question with its answers as an account may see them.

    Args:
        session: of `Database.read`.
        stored: the exam.
        question_id: of the question.
        account_id: who looks.
        embeddings: whether the answers are to be compared.

    Raises:
        Refused: the exam has no such question.
    """
    question = next((one for one in stored.exam.questions if one.id == question_id), None)
    if question is None:
        raise Refused(Refusal.NOT_FOUND, "この設問は試験にありません。試験を開き直してください。")
    standing = question_answers.load_standing(session, stored, question_id)
    if question_id in find_second_gradings(session, stored).questions:
        standing = {page: _unblinded(rounds, account_id) for page, rounds in standing.items()}
    return LoadedQuestion(
        stored,
        question,
        question_answers.load_answers(session, stored, question_id),
        standing,
        question_answers.load_embeddings(session, stored, question_id) if embeddings else {},
    )


def write_index(loaded: LoadedQuestion, order: AnswerOrder, *, names: bool) -> bytes:
    """The JSON of `AnswerIndex`.

    Args:
        loaded: the answers; with embeddings for the order by similarity.
        order: of the rows.
        names: whether the names of the owners are told.
    """
    atlases = list(dict.fromkeys(answer.atlas for answer in loaded.answers if answer.atlas is not None))
    place = {atlas: at for at, atlas in enumerate(atlases)}
    proposed = _proposals(loaded)
    index = {
        "question": loaded.question.id,
        "change": loaded.stored.change_number,
        "atlases": atlases,
        "columns": AnswerCells._fields,
        "rows": [
            _cells(
                answer,
                proposed(answer.status, answer.reading),
                loaded.standing.get(answer.page_id, ()),
                place.get(answer.atlas or ""),
                answer.name if names else None,
            )
            for answer in _in_order(loaded, order, proposed)
        ],
    }
    return json.dumps(index, ensure_ascii=False, separators=(",", ":")).encode()


def _unblinded(rounds: Sequence[StandingMark], account_id: str) -> list[StandingMark]:
    """What a grader may see in a second grading: their own word, and the others' when both have judged."""
    if both_judged({one.round: Mark(one.mark) for one in rounds}):
        return list(rounds)
    return [one for one in rounds if one.made_by == account_id]


def _proposals(loaded: LoadedQuestion) -> Callable[[ReadingStatus, str], Proposal]:
    """What a reading earns; each is marked once, for most answers say the same."""
    question, compare = loaded.question, loaded.stored.exam.compare

    @cache
    def proposed(status: ReadingStatus, reading: str) -> Proposal:
        return propose(question, status, reading_parts(question.kind, reading), compare)

    return proposed


def _in_order(
    loaded: LoadedQuestion, order: AnswerOrder, proposed: Callable[[ReadingStatus, str], Proposal]
) -> Sequence[QuestionAnswer]:
    """The answers in an order; within what is alike in it they stay in grading order."""
    match order:
        case AnswerOrder.NUMBER:
            return loaded.answers
        case AnswerOrder.PROPOSAL:
            return sorted(loaded.answers, key=lambda one: _rank(proposed(one.status, one.reading).points))
        case AnswerOrder.POINTS:
            return sorted(
                loaded.answers,
                key=lambda one: _rank(_judged_points(loaded, loaded.standing.get(one.page_id, ()))),
            )
        case AnswerOrder.SIMILARITY:
            right = {
                page for page, rounds in loaded.standing.items() if rounds and rounds[-1].mark == Mark.RIGHT
            }
            by_page = {answer.page_id: answer for answer in loaded.answers}
            return [by_page[page] for page in order_by_likeness(loaded.evidence, right)]


def _rank(points: Decimal | None) -> tuple[bool, Decimal]:
    """Undecided ones first: they are what is left to do."""
    return points is not None, points or Decimal(0)


def _judged_points(loaded: LoadedQuestion, rounds: Sequence[StandingMark]) -> Decimal | None:
    """What the last round's judgement says."""
    if not rounds:
        return None
    last = rounds[-1]
    points = None if last.points is None else Decimal(last.points)
    return points_of(Judgement(Mark(last.mark), points, last.picture), loaded.question.points)


def _cells(
    answer: QuestionAnswer,
    proposal: Proposal,
    rounds: Sequence[StandingMark],
    atlas: int | None,
    name: str | None,
) -> AnswerCells:
    return AnswerCells(
        page=answer.page_id,
        sheet=answer.sheet,
        student=answer.student_id,
        grade=answer.grade,
        class_name=answer.class_name,
        number=answer.number,
        name=name,
        status=answer.status,
        reading=answer.reading,
        confidence=None if answer.confidence is None else round(answer.confidence, 4),
        is_answer=None if answer.is_answer is None else round(answer.is_answer, 4),
        alternatives=[AlternativeCell(text, round(chance, 4)) for text, chance in answer.alternatives],
        points=None if proposal.points is None else format_points(proposal.points),
        rule=proposal.rule,
        judgements=[
            JudgementCell(
                one.round,
                one.version,
                Mark(one.mark),
                one.points,
                one.made_by,
                is_of_this_picture=one.picture == answer.picture,
            )
            for one in rounds
        ],
        picture=answer.picture,
        atlas=atlas,
        x=answer.place[0],
        y=answer.place[1],
        w=answer.place[2],
        h=answer.place[3],
    )
