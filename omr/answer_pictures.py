"""The pictures of the answers on a page that was read: encoded for a person, or as pixels for a reader or an atlas."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from omr.crops import CROP_MARGIN_MM, crop_box, cut_regions, encode_jpeg, encode_png
from omr.layout import QuestionKind
from omr.reading import AnswerPicture, Crop, ReadingStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from omr.layout import Layout
    from omr.page import Page
    from omr.page_plan import PagePlan
    from omr.pixels import Gray
    from omr.reading import AnswerReading, PageReading
    from omr.registration import Registration

_READABLE = (QuestionKind.SYMBOL, QuestionKind.NUMBER, QuestionKind.TEXT)
_FRAME_MM = 0.45
"""From the edge of an answer box to where no ink of its printed frame is any more."""


class Crops(StrEnum):
    """Which pictures of answers come back: none, those that a person looks at (JPEG), all (PNG), or the pixels of all."""

    NONE = "none"
    TO_GRADE = "to_grade"
    ALL = "all"
    PIXELS = "pixels"


class Handwriting(StrEnum):
    """Whether written answers are read after this, so that their pixels are needed, or left to a person."""

    READ = "read"
    LEFT = "left"


def is_to_be_read(answer: AnswerReading) -> bool:
    """Whether a reader of handwriting can say more of an answer than the page's reading does."""
    return answer.kind in _READABLE and answer.status is not ReadingStatus.BLANK


def encode_crops(
    gray: Gray,
    registration: Registration,
    page_plan: PagePlan,
    answers: Sequence[AnswerReading],
    crops: Crops,
) -> tuple[Crop, ...]:
    """The encoded pictures of a page's answers.

    Args:
        gray: the page.
        registration: how it lies.
        page_plan: of the page, its crop corners where the answers really lie.
        answers: of the page, in the order of the plan.
        crops: which of them.
    """
    if crops in (Crops.NONE, Crops.PIXELS):
        return ()
    encode = encode_png if crops is Crops.ALL else encode_jpeg
    which = [at for at, answer in enumerate(answers) if crops is Crops.ALL or _is_for_a_person(answer)]
    pictures = _cut(gray, registration, page_plan, which)
    return tuple(
        Crop(answers[at].question, encode(picture)) for at, picture in zip(which, pictures, strict=True)
    )


def cut_pictures(
    page: Page,
    registration: Registration,
    page_plan: PagePlan,
    answers: Sequence[AnswerReading],
    crops: Crops,
    handwriting: Handwriting,
) -> tuple[AnswerPicture, ...]:
    """The pixels of a page's answers: of all, or of those that a reader of handwriting needs.

    Args:
        page: decoded.
        registration: how it lies.
        page_plan: of the page, its crop corners where the answers really lie.
        answers: of the page, in the order of the plan.
        crops: whether all are wanted.
        handwriting: whether written ones are wanted.
    """
    if crops is not Crops.PIXELS and handwriting is Handwriting.LEFT:
        return ()
    which = [at for at, answer in enumerate(answers) if crops is Crops.PIXELS or is_to_be_read(answer)]
    if not which:
        return ()
    cut = _cut(page.gray, registration, page_plan, which)
    doubted = page_plan.doubted.tolist()
    return tuple(
        AnswerPicture(
            question=answers[at].question,
            pixels=pixels.copy(),
            frame_px=(CROP_MARGIN_MM + _FRAME_MM) * pixels.shape[1] / page_plan.crops[at].w,
            is_doubted=bool(page.warning or doubted[at]),
        )
        for at, pixels in zip(which, cut, strict=True)
    )


def cut_answer(page: Page, reading: PageReading, layout: Layout, question: str) -> Gray | None:
    """The picture of one answer at the scan's own resolution, upright, with a margin.

    Args:
        page: decoded again, as it lies in its file (`omr.sheet_pair.open_page`).
        reading: of the page; its answers need not be there.
        layout: that it was read by.
        question: the question's id.

    Returns:
        None where the page was not read or does not hold the question.
    """
    if reading.registration is None or reading.sheet_page is None or reading.sheet_page > len(layout.pages):
        return None
    questions = layout.pages[reading.sheet_page - 1].questions
    at = next((at for at, one in enumerate(questions) if one.id == question), None)
    if at is None:
        return None
    box = crop_box(questions[at])
    corners = np.array(reading.crop_corners[at]) if reading.crop_corners else box.corners()
    (picture,) = cut_regions(page.gray, reading.registration.transform, [box], corners[np.newaxis])
    return picture


def _cut(gray: Gray, registration: Registration, page_plan: PagePlan, which: Sequence[int]) -> list[Gray]:
    boxes = [page_plan.crops[at] for at in which]
    return cut_regions(
        gray, registration.transform, boxes, page_plan.crop_corners[np.asarray(which, np.intp)]
    )


def _is_for_a_person(answer: AnswerReading) -> bool:
    return answer.kind is not QuestionKind.CHOICE or answer.status is ReadingStatus.DOUBTFUL
