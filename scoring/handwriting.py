"""Written answers into readings: the pictures of many pages, question by question, through the reader."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from ocr.reading import WrittenStatus
from ocr.written_answers import AnswerCrop, WrittenQuestion
from omr.answer_pictures import is_to_be_read
from omr.layout import QuestionKind
from omr.reading import ReadingStatus
from scoring.marking import answer_rules

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ocr.handwriting import HandwritingReader
    from ocr.reading import WrittenReading
    from ocr.written_answers import ReadAnswer
    from omr.reading import AnswerPicture, AnswerReading, PageReading
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
    found = read_written(reader, exam, [page.reading for page in pages])
    return [
        replace(page, reading=join_written(page.reading, answers))
        for page, answers in zip(pages, found, strict=True)
    ]


def read_written(
    reader: HandwritingReader, exam: Exam, readings: Sequence[PageReading]
) -> list[dict[str, ReadAnswer]]:
    """All that the reader says of the written answers of some pages, by question.

    Args:
        reader: with its models.
        exam: whose answers these are.
        readings: of the pages, with pictures.
    """
    questions = {question.id: question for question in exam.questions}
    pictures: dict[str, list[tuple[int, AnswerPicture]]] = defaultdict(list)
    for at, reading in enumerate(readings):
        unread = {answer.question for answer in reading.answers if is_to_be_read(answer)}
        for picture in reading.pictures:
            if picture.question in unread:
                pictures[picture.question].append((at, picture))
    found: list[dict[str, ReadAnswer]] = [{} for _ in readings]
    for name, some in pictures.items():
        crops = [AnswerCrop(picture.pixels, picture.frame_px) for _, picture in some]
        answers = reader.read(written_question(questions[name], exam), crops)
        for (at, _), answer in zip(some, answers, strict=True):
            found[at][name] = answer
    return found


def join_written(reading: PageReading, found: Mapping[str, ReadAnswer]) -> PageReading:
    """A page's reading with what the reader of handwriting says, and without the pictures.

    Args:
        reading: with pictures.
        found: by question, from `read_written`.
    """
    doubted = {picture.question for picture in reading.pictures if picture.is_doubted}
    answers = tuple(
        _join(answer, found[answer.question].reading, is_doubted=answer.question in doubted)
        if answer.question in found
        else answer
        for answer in reading.answers
    )
    return replace(reading, answers=answers, pictures=())


def written_question(question: Question, exam: Exam) -> WrittenQuestion:
    """What the reader must know of a question."""
    answers = tuple(right[0] for right in question.right_answers if right)
    return WrittenQuestion(answer_rules(question, exam.compare), answers)


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
