"""One page, one pure function: from decoded pixels to a frozen reading."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from omr.blank_page import is_empty_page
from omr.box_frames import FramePrint
from omr.bubbles import measure_bubbles
from omr.choices import CHOICE_READER, MarkRules, judge_bubbles
from omr.code_reader import read_code
from omr.crops import CROP_MARGIN_MM, cut_regions, encode_jpeg, encode_png
from omr.errors import PageSetAside, Trouble
from omr.foreign_page import check_belongs, explain_unknown_page
from omr.gray import DAMAGE_WARNING
from omr.identity_bubbles import read_identity
from omr.layout import BubblePrint, QuestionKind
from omr.mark_lines import BubbleVerdicts, ChoiceVerdict, join_verdicts
from omr.own_sheet import OwnSheet, place_page, plan_own_sheet
from omr.page_plan import PagePlan, plan_page
from omr.pixels import is_two_tone, median
from omr.reading import AnswerReading, Crop, PageReading, PageStatus, ReadingStatus, WrittenPicture
from omr.registration import Registration, register, register_as_it_lies
from omr.sheet_code import exam_digest, layout_digest
from omr.sheet_search import search_sheet
from omr.unknown_print import judge_unknown_print
from omr.written_boxes import BLANK_READER, WrittenVerdict, judge_boxes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from omr.layout import Layout, PageLayout, QuestionLayout
    from omr.page import Page
    from omr.pixels import Gray
    from omr.sheet_code import SheetCode

_MOST_RESIDUAL_MM = 0.8
_MAY_BE_BLANK = (Trouble.NO_FIDUCIALS, Trouble.FOREIGN_SHEET)
_LEAST_SIDE = 200
"""Pixels; a sheet at 50 dpi has more."""
_READABLE = (QuestionKind.SYMBOL, QuestionKind.NUMBER, QuestionKind.TEXT)
_FRAME_MM = 0.45
"""From the edge of an answer box to where no ink of its printed frame is any more."""


class Crops(StrEnum):
    """Which pictures of answers come back: none, those that a person looks at (JPEG), or all (PNG)."""

    NONE = "none"
    TO_GRADE = "to_grade"
    ALL = "all"


class Handwriting(StrEnum):
    """Whether written answers are read after this, so that their pixels are needed, or left to a person."""

    READ = "read"
    LEFT = "left"


@dataclass(frozen=True)
class ReadingPlan:
    """Everything a worker needs to know to read the pages of one exam; no state.

    Attributes:
        layout: where everything stands.
        exam_id: whose pages these are; pages of another exam are set aside.
        crops: whether and how the pictures of the answers come back.
        handwriting: whether the pixels of written answers come back, for a reader of handwriting.
        rules: the lines between marked, doubtful and empty.
        reference: pictures of the empty pages of a sheet without marks, from `load_reference`; else empty.
        enlarged: sizes of copies that may lie among the scans of such a sheet, against its own (1.41 for 141 %).
        learnt: pictures of the empty pages of a sheet whose print is not known, from `learn_empty_page`; None for
            pages of which there were too few; empty where nothing was learnt.
    """

    layout: Layout
    exam_id: str
    crops: Crops = Crops.NONE
    handwriting: Handwriting = Handwriting.LEFT
    rules: MarkRules = field(default_factory=MarkRules)
    reference: tuple[Gray, ...] = ()
    enlarged: tuple[float, ...] = ()
    learnt: tuple[Gray | None, ...] = ()

    @cached_property
    def pages(self) -> tuple[PagePlan, ...]:
        """One plan a page."""
        learnt = self.learnt or (None,) * len(self.layout.pages)
        is_ours = self.layout.has_code and self.layout.bubble_print is None
        frames = FramePrint.WHOLE if is_ours else FramePrint.UNKNOWN
        return tuple(
            plan_page(page, picture, frames) for page, picture in zip(self.layout.pages, learnt, strict=True)
        )

    @property
    def must_learn_print(self) -> bool:
        """Whether nothing but the pile itself says what is printed in the bubbles."""
        return self.layout.has_code and self.layout.bubble_print is BubblePrint.FOREIGN

    def knows_print(self, page: int) -> bool:
        """Whether the empty print of a page, from 0, is known: ours, or learnt."""
        if self.layout.has_code and self.layout.bubble_print is None:
            return True
        return bool(self.learnt) and self.learnt[page] is not None

    @cached_property
    def own_sheet(self) -> OwnSheet:
        """What is printed on a sheet without marks; InputError where that is too little."""
        return plan_own_sheet(self.layout, self.reference)

    @cached_property
    def exam(self) -> str:
        """The exam part of this exam's codes."""
        return exam_digest(self.exam_id)

    @cached_property
    def layout_part(self) -> str:
        """The layout part of this exam's codes."""
        return layout_digest(self.layout.digest)


def read_page(page: Page, plan: ReadingPlan, index: int = 0) -> PageReading:
    """Read one page; whatever is wrong with it ends in the reading's status and reason.

    Args:
        page: decoded.
        plan: of the exam.
        index: of the page in its file, from 0; on sheets without a code it says which page of the sheet
            this is, page after page.
    """
    if min(page.gray.shape) < _LEAST_SIDE:
        return set_aside(
            PageSetAside(
                Trouble.TOO_SMALL, "画像が小さすぎて読めません。200 dpi 以上でスキャンし直してください。"
            )
        )
    try:
        if plan.reference and not plan.layout.has_code:
            return _read_by_reference(page, plan, index % len(plan.pages))
        if not plan.layout.has_code:
            return _read_as_it_lies(page, plan, index % len(plan.pages) + 1)
        return _read_printed_sheet(page, plan)
    except PageSetAside as aside:
        if aside.trouble in _MAY_BE_BLANK and is_empty_page(page.gray):
            return _read_empty_page(page)
        return set_aside(aside)


def _read_empty_page(page: Page) -> PageReading:
    """An empty back, unless the file lost what stood on the page."""
    if DAMAGE_WARNING in page.warning:
        return set_aside(
            PageSetAside(
                Trouble.DAMAGED_PAGE,
                "ファイルが壊れていて、このページには何も残っていません。スキャンし直してください。",
            )
        )
    return PageReading(PageStatus.BLANK, f"何も書かれていない裏面です。{page.warning}")


def set_aside(aside: PageSetAside) -> PageReading:
    """The reading of a page that can't be read."""
    return PageReading(PageStatus.QUARANTINED, aside.reason, aside.trouble)


def _read_printed_sheet(page: Page, plan: ReadingPlan) -> PageReading:
    gray = page.gray
    registration, code = _locate(page, plan.layout.pages[0])
    check_belongs(code, plan.exam, plan.layout_part, len(plan.pages))
    page_plan = plan.pages[code.page - 1]
    residual = registration.residual_mm
    if residual is not None and residual > _MOST_RESIDUAL_MM:
        raise PageSetAside(
            Trouble.MISPLACED,
            f"四隅の■の位置が印刷と合いません（ずれ {residual:.1f} mm）。紙の折れや重なりを直して読み取り直してください。",
        )
    verdicts = _judge_choices(gray, registration, plan, code.page - 1)
    identity = None
    if code.is_blank_set and page_plan.digits is not None:
        digits = judge_bubbles(
            measure_bubbles(gray, registration, page_plan.digits), page_plan.digits, plan.rules
        )
        identity = read_identity(page_plan.layout.identity, digits)
    answers = _answers(gray, registration, page_plan, verdicts, page.warning)
    return PageReading(
        PageStatus.READ,
        reason=page.warning,
        code=code,
        sheet_page=code.page,
        registration=registration,
        answers=answers,
        identity=identity,
        crops=_crops(gray, registration, page_plan, answers, plan.crops),
        pictures=_pictures(page, registration, page_plan, answers, plan.handwriting),
    )


def _read_as_it_lies(page: Page, plan: ReadingPlan, page_number: int) -> PageReading:
    page_plan = plan.pages[page_number - 1]
    registration = register_as_it_lies(page.gray, page_plan.layout)
    verdicts = _judge_choices(page.gray, registration, plan, page_number - 1)
    answers = _answers(page.gray, registration, page_plan, verdicts, page.warning)
    return PageReading(
        PageStatus.READ,
        reason=page.warning,
        sheet_page=page_number,
        registration=registration,
        answers=answers,
        crops=_crops(page.gray, registration, page_plan, answers, plan.crops),
        pictures=_pictures(page, registration, page_plan, answers, plan.handwriting),
    )


def _read_by_reference(page: Page, plan: ReadingPlan, expected: int) -> PageReading:
    dpi = None if page.dpi is None else max(page.dpi)
    placed = place_page(page.gray, plan.own_sheet, expected, dpi, plan.enlarged)
    page_plan = replace(
        plan.pages[placed.page],
        bubbles=placed.bubbles,
        boxes=placed.boxes,
        crop_corners=placed.crop_corners,
        doubted=placed.doubted,
    )
    verdicts = None
    if page_plan.bubbles is not None:
        measures = measure_bubbles(page.gray, placed.registration, page_plan.bubbles)
        verdicts = judge_bubbles(measures, page_plan.bubbles, plan.rules.amid_print())
    answers = _answers(page.gray, placed.registration, page_plan, verdicts, page.warning)
    return PageReading(
        PageStatus.READ,
        reason=page.warning,
        sheet_page=placed.page + 1,
        registration=placed.registration,
        answers=answers,
        crops=_crops(page.gray, placed.registration, page_plan, answers, plan.crops),
        pictures=_pictures(page, placed.registration, page_plan, answers, plan.handwriting),
    )


def _locate(page: Page, frame: PageLayout) -> tuple[Registration, SheetCode]:
    """Registration and code of a printed page: where a scan of the sheet alone has them, or anywhere."""
    fits = register(page.gray, frame)
    for fit in fits:
        code = read_code(page.gray, fit.transform, frame)
        if code is not None:
            return fit, code
    found = search_sheet(page, frame)
    if found is None:
        raise explain_unknown_page(page.gray, bool(fits))
    return found


def _judge_choices(
    gray: Gray, registration: Registration, plan: ReadingPlan, page: int
) -> BubbleVerdicts | None:
    page_plan = plan.pages[page]
    if page_plan.bubbles is None:
        return None
    if not plan.knows_print(page):
        questions = [question for question, _ in page_plan.choices]
        return judge_unknown_print(gray, registration, questions, plan.rules.lines)
    measures = measure_bubbles(gray, registration, page_plan.bubbles)
    if median(measures.outline) < page_plan.outline:
        raise PageSetAside(
            Trouble.MISPLACED,
            "マークの枠が印刷した位置にありません。用紙のずれや写りの薄さを確かめて読み取り直してください。",
        )
    rules = plan.rules.amid_print() if plan.learnt else plan.rules
    return judge_bubbles(measures, page_plan.bubbles, rules)


def _answers(
    gray: Gray,
    registration: Registration,
    page_plan: PagePlan,
    verdicts: BubbleVerdicts | None,
    warning: str,
) -> tuple[AnswerReading, ...]:
    """One reading a question, in exam order; on a damaged page nothing is sure."""
    found = {}
    if page_plan.boxes is not None:
        boxes = judge_boxes(gray, registration, page_plan.boxes)
        shows_grey = not is_two_tone(gray) if verdicts is None else verdicts.print_seen >= 1
        found = {
            question.id: _read_written(question, verdict if shows_grey else replace(verdict, is_blank=False))
            for question, verdict in zip(page_plan.written, boxes, strict=True)
        }
    if verdicts is not None:
        joined = join_verdicts(verdicts, [where for _, where in page_plan.choices])
        for (question, _), verdict in zip(page_plan.choices, joined, strict=True):
            found[question.id] = _read_choice(question, verdict)
    return tuple(
        _doubt(found[question.id]) if warning or is_doubted else found[question.id]
        for question, is_doubted in zip(page_plan.layout.questions, page_plan.doubted.tolist(), strict=True)
    )


def _read_choice(question: QuestionLayout, verdict: ChoiceVerdict) -> AnswerReading:
    return AnswerReading(
        question=question.id,
        kind=question.kind,
        status=verdict.status,
        confidence=verdict.confidence,
        measures=tuple(score.fill for score in verdict.scores.bubbles),
        reader=CHOICE_READER,
        labels=tuple(question.bubbles[index].label for index in verdict.marked),
        scores=verdict.scores,
    )


def _read_written(question: QuestionLayout, verdict: WrittenVerdict) -> AnswerReading:
    return AnswerReading(
        question=question.id,
        kind=question.kind,
        status=ReadingStatus.BLANK if verdict.is_blank else ReadingStatus.DOUBTFUL,
        confidence=verdict.confidence if verdict.is_blank else None,
        measures=(round(verdict.ink, 3),),
        reader=BLANK_READER,
    )


def _doubt(answer: AnswerReading) -> AnswerReading:
    is_choice = answer.kind is QuestionKind.CHOICE
    confidence = min(answer.confidence, 0.5) if is_choice and answer.confidence is not None else None
    return replace(answer, status=ReadingStatus.DOUBTFUL, confidence=confidence)


def _crops(
    gray: Gray,
    registration: Registration,
    page_plan: PagePlan,
    answers: Sequence[AnswerReading],
    crops: Crops,
) -> tuple[Crop, ...]:
    if crops is Crops.NONE:
        return ()
    encode = encode_png if crops is Crops.ALL else encode_jpeg
    which = [at for at, answer in enumerate(answers) if crops is Crops.ALL or _is_for_a_person(answer)]
    boxes = [page_plan.crops[at] for at in which]
    pictures = cut_regions(gray, registration.transform, boxes, page_plan.crop_corners[which])
    return tuple(
        Crop(answers[at].question, encode(picture)) for at, picture in zip(which, pictures, strict=True)
    )


def _pictures(
    page: Page,
    registration: Registration,
    page_plan: PagePlan,
    answers: Sequence[AnswerReading],
    handwriting: Handwriting,
) -> tuple[WrittenPicture, ...]:
    """The pixels of the written answers that are not surely empty."""
    if handwriting is Handwriting.LEFT:
        return ()
    which = [
        at
        for at, answer in enumerate(answers)
        if answer.kind in _READABLE and answer.status is not ReadingStatus.BLANK
    ]
    if not which:
        return ()
    boxes = [page_plan.crops[at] for at in which]
    cut = cut_regions(page.gray, registration.transform, boxes, page_plan.crop_corners[which])
    doubted = page_plan.doubted.tolist()
    return tuple(
        WrittenPicture(
            question=answers[at].question,
            pixels=np.ascontiguousarray(pixels),
            frame_px=(CROP_MARGIN_MM + _FRAME_MM) * pixels.shape[1] / box.w,
            is_doubted=bool(page.warning or doubted[at]),
        )
        for at, pixels, box in zip(which, cut, boxes, strict=True)
    )


def _is_for_a_person(answer: AnswerReading) -> bool:
    return answer.kind is not QuestionKind.CHOICE or answer.status is ReadingStatus.DOUBTFUL
