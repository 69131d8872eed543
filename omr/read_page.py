"""One page, one pure function: from decoded pixels to a frozen reading."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from omr.answer_pictures import Crops, Handwriting, cut_pictures, encode_crops
from omr.blank_page import is_empty_page
from omr.box_frames import FramePrint
from omr.bubbles import measure_bubbles
from omr.choices import CHOICE_READER, MarkRules, judge_bubbles
from omr.errors import PageSetAside, Trouble
from omr.foreign_page import check_belongs
from omr.gray import DAMAGE_WARNING
from omr.identity_bubbles import read_identity
from omr.layout import BubblePrint, QuestionKind
from omr.locate_sheet import check_placement, locate_sheet
from omr.mark_lines import BubbleVerdicts, ChoiceVerdict, join_verdicts
from omr.own_sheet import OwnSheet, place_by_hand, place_page, plan_own_sheet
from omr.page_hints import PageHints, register_by_hand, remark_corners, turn_back, turn_page
from omr.page_plan import PagePlan, plan_page
from omr.pixels import is_two_tone, median
from omr.reading import AnswerReading, PageReading, PageStatus, ReadingStatus
from omr.registration import Registration, register_as_it_lies
from omr.sheet_code import exam_digest, layout_digest
from omr.unknown_print import judge_unknown_print
from omr.written_boxes import BLANK_READER, WrittenVerdict, judge_boxes

if TYPE_CHECKING:
    from omr.layout import Layout, QuestionLayout
    from omr.locate_sheet import LocatedSheet
    from omr.page import Page
    from omr.pixels import Gray
    from omr.reading import IdentityReading

__all__ = ["Crops", "Handwriting", "ReadingPlan", "read_page", "set_aside"]

_MAY_BE_BLANK = (Trouble.NO_FIDUCIALS, Trouble.FOREIGN_SHEET)
_LEAST_SIDE = 200
"""Pixels; a sheet at 50 dpi has more."""


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


def read_page(page: Page, plan: ReadingPlan, index: int = 0, hints: PageHints | None = None) -> PageReading:
    """Read one page; whatever is wrong with it ends in the reading's status and reason.

    Args:
        page: decoded.
        plan: of the exam.
        index: of the page in its file, from 0; on sheets without a code it says which page of the sheet
            this is, page after page.
        hints: what a person said of the page.
    """
    if hints is not None and hints.turn:
        reading = read_page(turn_page(page, hints.turn), plan, index, replace(hints, turn=0))
        if reading.registration is None:
            return reading
        return replace(reading, registration=turn_back(reading.registration, page.gray.shape, hints.turn))
    if min(page.gray.shape) < _LEAST_SIDE:
        return set_aside(
            PageSetAside(
                Trouble.TOO_SMALL, "画像が小さすぎて読めません。200 dpi 以上でスキャンし直してください。"
            )
        )
    try:
        return _read(page, plan, index, hints or PageHints())
    except PageSetAside as aside:
        if aside.trouble in _MAY_BE_BLANK and is_empty_page(page.gray):
            return _read_empty_page(page)
        return set_aside(aside)


def _read(page: Page, plan: ReadingPlan, index: int, hints: PageHints) -> PageReading:
    if hints.sheet_page is not None and hints.sheet_page > len(plan.pages):
        raise PageSetAside(
            Trouble.OTHER_LAYOUT,
            f"指定された{hints.sheet_page}ページ目は、この試験の解答用紙にありません。ページを指定し直してください。",
        )
    if plan.layout.has_code:
        return _read_printed_sheet(page, plan, hints)
    expected = index % len(plan.pages) + 1 if hints.sheet_page is None else hints.sheet_page
    if plan.reference:
        return _read_by_reference(page, plan, expected, hints)
    return _read_as_it_lies(page, plan, expected, hints)


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


def _read_printed_sheet(page: Page, plan: ReadingPlan, hints: PageHints) -> PageReading:
    sheet = locate_sheet(page, plan.layout.pages[0], hints)
    if sheet.code is not None:
        check_belongs(sheet.code, plan.exam, plan.layout_part, len(plan.pages))
    check_placement(sheet.registration)
    page = remark_corners(page, hints, sheet.registration)
    verdicts = _judge_choices(page.gray, sheet.registration, plan, sheet.sheet_page - 1)
    identity = _identity(page.gray, sheet, plan)
    page_plan = plan.pages[sheet.sheet_page - 1]
    reading = _finish(page, sheet.registration, page_plan, verdicts, plan)
    return replace(reading, code=sheet.code, identity=identity)


def _identity(gray: Gray, sheet: LocatedSheet, plan: ReadingPlan) -> IdentityReading | None:
    """The digit bubbles of a blank set; where no code says that it is one, their printed outlines do."""
    page_plan = plan.pages[sheet.sheet_page - 1]
    if page_plan.digits is None or (sheet.code is not None and not sheet.code.is_blank_set):
        return None
    measures = measure_bubbles(gray, sheet.registration, page_plan.digits)
    if sheet.code is None and median(measures.outline) < page_plan.outline:
        return None
    digits = judge_bubbles(measures, page_plan.digits, plan.rules)
    return read_identity(page_plan.layout.identity, digits)


def _read_as_it_lies(page: Page, plan: ReadingPlan, page_number: int, hints: PageHints) -> PageReading:
    page_plan = plan.pages[page_number - 1]
    if hints.corners is None:
        registration = register_as_it_lies(page.gray, page_plan.layout)
    else:
        registration = register_by_hand(page.gray, page_plan.layout, hints.corners)
    page = remark_corners(page, hints, registration)
    verdicts = _judge_choices(page.gray, registration, plan, page_number - 1)
    return _finish(page, registration, page_plan, verdicts, plan)


def _read_by_reference(page: Page, plan: ReadingPlan, page_number: int, hints: PageHints) -> PageReading:
    if hints.corners is None:
        dpi = None if page.dpi is None else max(page.dpi)
        placed = place_page(page.gray, plan.own_sheet, page_number - 1, dpi, plan.enlarged)
    else:
        layout = plan.pages[page_number - 1].layout
        registration = register_by_hand(page.gray, layout, hints.corners)
        placed = place_by_hand(plan.own_sheet, page_number - 1, registration)
        page = remark_corners(page, hints, registration)
    page_plan = replace(
        plan.pages[placed.page],
        bubbles=placed.bubbles,
        boxes=placed.boxes,
        crop_corners=placed.crop_corners.round(
            2
        ),  # as they are kept, so that the same pixels can be cut again
        doubted=placed.doubted,
    )
    verdicts = None
    if page_plan.bubbles is not None:
        measures = measure_bubbles(page.gray, placed.registration, page_plan.bubbles)
        verdicts = judge_bubbles(measures, page_plan.bubbles, plan.rules.amid_print())
    reading = _finish(page, placed.registration, page_plan, verdicts, plan)
    corners = tuple(tuple((x, y) for x, y in box) for box in page_plan.crop_corners.tolist())
    return replace(reading, crop_corners=corners)


def _finish(
    page: Page,
    registration: Registration,
    page_plan: PagePlan,
    verdicts: BubbleVerdicts | None,
    plan: ReadingPlan,
) -> PageReading:
    """The reading of a page that was found, with its answers and their pictures."""
    answers = _answers(page.gray, registration, page_plan, verdicts, page.warning)
    return PageReading(
        PageStatus.READ,
        reason=page.warning,
        sheet_page=page_plan.layout.number,
        registration=registration,
        answers=answers,
        crops=encode_crops(page.gray, registration, page_plan, answers, plan.crops),
        pictures=cut_pictures(page, registration, page_plan, answers, plan.crops, plan.handwriting),
    )


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
