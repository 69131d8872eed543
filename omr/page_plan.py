"""What there is to read on one page of a layout, worked out once an exam."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from omr.bubble_plan import BubblePlan, plan_bubbles
from omr.crops import crop_box
from omr.page_on_print import plan_page_on_print
from omr.written_boxes import BoxPlan, plan_boxes

if TYPE_CHECKING:
    from omr.box_frames import FramePrint
    from omr.geometry import Points, Rectangle
    from omr.layout import Bubble, PageLayout, QuestionLayout
    from omr.pixels import Gray, Mask

_LEAST_OUTLINE = 0.2
"""Mean darkness of the printed outlines, below which the bubbles are not where the sheet says."""


@dataclass(frozen=True)
class PagePlan:
    """What there is to read on one page of a layout, worked out once.

    Attributes:
        layout: of the page.
        bubbles: of all its choices.
        choices: the choice questions, and which of the bubbles are theirs.
        digits: the digit bubbles of a blank set.
        boxes: of all other questions.
        written: those questions.
        crops: the part of the page that shows each question of the layout.
        crop_corners: of these parts, page mm, (questions, 4, 2).
        doubted: whether the print leaves too little room to be sure of each question, (questions,).
        outline: how dark the outlines of its bubbles are in the least.
    """

    layout: PageLayout
    bubbles: BubblePlan | None
    choices: tuple[tuple[QuestionLayout, slice], ...]
    digits: BubblePlan | None
    boxes: BoxPlan | None
    written: tuple[QuestionLayout, ...]
    crops: tuple[Rectangle, ...]
    crop_corners: Points
    doubted: Mask
    outline: float = _LEAST_OUTLINE


def plan_page(page: PageLayout, learnt: Gray | None, frame_print: FramePrint) -> PagePlan:
    """Work out what there is to read; the bubbles of a page are numbered, question after question.

    Args:
        page: of the layout.
        learnt: a picture of the empty page from `learn_empty_page`; None where the layout knows its print, or nobody does.
        frame_print: what is printed around its boxes.
    """
    bubbles: list[Bubble] = []
    choices = []
    for question in page.questions:
        if question.bubbles:
            choices.append((question, slice(len(bubbles), len(bubbles) + len(question.bubbles))))
            bubbles.extend(question.bubbles)
    digits = [bubble for row in page.identity for bubble in row.bubbles]
    written = tuple(question for question in page.questions if question.box is not None)
    crops = tuple(crop_box(question) for question in page.questions)
    plan = PagePlan(
        layout=page,
        bubbles=plan_bubbles(bubbles) if bubbles else None,
        choices=tuple(choices),
        digits=plan_bubbles(digits) if digits else None,
        boxes=plan_boxes(written, frame_print) if written else None,
        written=written,
        crops=crops,
        crop_corners=np.array([box.corners() for box in crops]).reshape(-1, 4, 2),
        doubted=np.zeros(len(page.questions), bool),
    )
    if learnt is None:
        return plan
    on_print = plan_page_on_print(page, learnt)
    return replace(
        plan,
        bubbles=on_print.bubbles,
        boxes=on_print.boxes,
        doubted=~on_print.has_room,
        outline=on_print.outline / 2,
    )
