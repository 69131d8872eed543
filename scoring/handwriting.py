"""Written answers into readings: the pictures of many pages, question by question, through the reader."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from ocr.reading import WrittenStatus
from ocr.written_answers import AnswerCrop, WrittenQuestion
from omr.layout import QuestionKind
from omr.reading import ReadingStatus
from scoring.marking import answer_rules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ocr.handwriting import HandwritingReader
    from ocr.reading import WrittenReading
    from omr.reading import AnswerPicture, AnswerReading
    from scoring.exam import Exam, Question
    from scoring.page_records import ScannedPage

WRITTEN_KINDS = frozenset([QuestionKind.SYMBOL, QuestionKind.NUMBER, QuestionKind.TEXT])
_MOST_OF_DOUBTED = 0.5
"""A reading from a place that is itself in doubt is given no more confidence than this."""


def has_handwriting(exam: Exam) -> bool:
    """Whether an exam asks for anything that a reader of handwriting can read."""
    return any(question.kind in WRITTEN_KINDS for question in exam.questions)


def read_handwriting(
    reader: HandwritingReader, exam: Exam, pages: Sequence[ScannedPage]
) -> list[ScannedPage]:
    """Pages with their written answers read, and without the pictures.

    Args:
        reader: with its models.
        exam: whose answers these are.
        pages: as they came from the workers.
    """
    questions = {question.id: question for question in exam.questions}
    pictures: dict[str, list[tuple[int, AnswerPicture]]] = defaultdict(list)
    for at, page in enumerate(pages):
        for picture in page.reading.pictures:
            pictures[picture.question].append((at, picture))
    readings: list[dict[str, WrittenReading]] = [{} for _ in pages]
    doubted: set[tuple[int, str]] = set()
    for name, some in pictures.items():
        crops = [AnswerCrop(picture.pixels, picture.frame_px) for _, picture in some]
        answers = reader.read(written_question(questions[name], exam), crops)
        for (at, picture), answer in zip(some, answers, strict=True):
            readings[at][name] = answer.reading
            if picture.is_doubted:
                doubted.add((at, name))
    return [
        _with_readings(page, found, {name for place, name in doubted if place == at})
        for at, (page, found) in enumerate(zip(pages, readings, strict=True))
    ]


def written_question(question: Question, exam: Exam) -> WrittenQuestion:
    """What the reader must know of a question."""
    answers = tuple(right[0] for right in question.right_answers if right)
    return WrittenQuestion(answer_rules(question, exam.compare), answers)


def _with_readings(page: ScannedPage, found: dict[str, WrittenReading], doubted: set[str]) -> ScannedPage:
    answers = tuple(
        _join(answer, found[answer.question], is_doubted=answer.question in doubted)
        if answer.question in found
        else answer
        for answer in page.reading.answers
    )
    return replace(page, reading=replace(page.reading, answers=answers, pictures=()))


def _join(answer: AnswerReading, written: WrittenReading, *, is_doubted: bool) -> AnswerReading:
    """What the box's ink and the reader say together: only the ink says that a box is surely empty."""
    is_safe = written.status is WrittenStatus.OK and not is_doubted
    confidence = written.confidence if written.text else None
    if is_doubted and confidence is not None:
        confidence = min(confidence, _MOST_OF_DOUBTED)
    return replace(
        answer,
        status=ReadingStatus.OK if is_safe else ReadingStatus.DOUBTFUL,
        confidence=confidence,
        text=written.text,
        reader=written.model,
    )
