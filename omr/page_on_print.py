"""What there is to read on a page whose empty print was learnt: bubbles, boxes, and what can't be told apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from omr.learn_print import find_marked_print
from omr.pixels import median
from omr.reference_print import (
    plan_boxes_on_print,
    plan_bubbles_on_print,
    print_of_bubbles,
)

if TYPE_CHECKING:
    from omr.bubble_plan import BubblePlan
    from omr.layout import PageLayout
    from omr.pixels import Gray, Mask
    from omr.written_boxes import BoxPlan


@dataclass(frozen=True, slots=True)
class PageOnPrint:
    """A page with its empty print left out: Q questions.

    Attributes:
        bubbles: of all choices.
        boxes: of all other questions.
        has_room: questions whose regions are free enough of print to be judged, (Q,).
        outline: how dark the strokes in the bubbles usually are.
    """

    bubbles: BubblePlan | None
    boxes: BoxPlan | None
    has_room: Mask
    outline: float


def plan_page_on_print(page: PageLayout, picture: Gray) -> PageOnPrint:
    """Plan the bubbles and boxes of a page.

    Args:
        page: of the layout.
        picture: of its empty print, from `learn_empty_page`.
    """
    has_room = np.ones(len(page.questions), bool)
    bubbles = [bubble for question in page.questions for bubble in question.bubbles]
    bubble_plan, box_plan, outline = None, None, 0.0
    if bubbles:
        owner = np.repeat(np.arange(len(page.questions)), [len(one.bubbles) for one in page.questions])
        bubble_plan, room = plan_bubbles_on_print(bubbles, picture)
        has_room[owner[~room | find_marked_print(bubbles, picture)]] = False
        outline = median(print_of_bubbles(bubble_plan, picture))
    written = [at for at, question in enumerate(page.questions) if question.box is not None]
    if written:
        box_plan, room = plan_boxes_on_print([page.questions[at] for at in written], picture)
        has_room[np.array(written)[~room]] = False
    return PageOnPrint(bubble_plan, box_plan, has_room, outline)
