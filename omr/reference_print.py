"""What an empty sheet prints in and around its answer regions, so that only added ink counts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from omr.bubble_plan import SECTORS, BubblePlan, plan_bubbles
from omr.page_print import darken
from omr.patch_matching import sample_floats
from omr.reference import FINE_PIXELS_PER_MM
from omr.written_boxes import BoxPlan, plan_boxes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from omr.layout import Bubble, QuestionLayout
    from omr.pixels import Floats, Mask
    from omr.reference import ReferencePage

_PRINT = 0.12
_BUBBLE_SLACK_MM = 0.2
_BOX_SLACK_MM = 0.5
_LEAST_FREE = 0.2
"""Share of a bubble or a box that must be free of print to call it empty."""


def plan_bubbles_on_print(bubbles: Sequence[Bubble], reference: ReferencePage) -> tuple[BubblePlan, Mask]:
    """Plan the bubbles of an empty sheet; also whether each has enough room free of print to be judged.

    Args:
        bubbles: of one page, at least one.
        reference: the empty page.
    """
    plan = plan_bubbles(bubbles)
    half = np.array([(bubble.w, bubble.h) for bubble in bubbles])[:, None, :] / 2
    centres = np.array([bubble.centre for bubble in bubbles])[:, None, :]
    away = (plan.points - centres) / half
    inside = (away**2).sum(axis=-1) < 1
    printed = _printed(reference, plan.points, _BUBBLE_SLACK_MM)
    strokes = sample_floats(_darkness(reference), _at(plan.points)) * inside
    around = (plan.around > 0) & ~printed & ~inside
    free = inside & ~printed
    elsewhere = len(bubbles) * SECTORS
    adapted = replace(
        plan,
        inner=_weights(free),
        label=inside & printed,
        glyph=_weights(strokes),
        outline=_weights(strokes),
        around=_weights(around),
        sector=np.where(around, plan.sector, elsewhere).astype(np.int32),
        has_grey_labels=False,
    )
    return adapted, free.sum(axis=1) >= _LEAST_FREE * inside.sum(axis=1)


def plan_boxes_on_print(
    questions: Sequence[QuestionLayout], reference: ReferencePage
) -> tuple[BoxPlan, Mask]:
    """Plan the written boxes of an empty sheet; also whether each has enough room free of print.

    Args:
        questions: of one page, each with a box, at least one.
        reference: the empty page.
    """
    plan = plan_boxes(questions)
    printed = _printed(reference, plan.points, _BOX_SLACK_MM).reshape(-1)[: len(plan.on_line)]
    masked = plan.on_line | printed
    covered = np.add.reduceat(masked, plan.starts, dtype=np.intp)
    samples = np.diff([*plan.starts, len(masked)])
    return replace(plan, on_line=masked), 1 - covered / samples >= _LEAST_FREE


def _printed(reference: ReferencePage, points: Floats, slack_mm: float) -> Mask:
    """Whether the empty page prints within a slack of each point."""
    reach = 2 * round(slack_mm * FINE_PIXELS_PER_MM) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    grown = cv2.dilate((_darkness(reference) > _PRINT).astype(np.float32), disc)
    printed: Mask = sample_floats(np.asarray(grown, np.float32), _at(points)) > 0.3
    return printed


def _darkness(reference: ReferencePage) -> Floats:
    return darken(reference.picture, FINE_PIXELS_PER_MM)


def _at(points: Floats) -> Floats:
    return (points * np.float32(FINE_PIXELS_PER_MM) - np.float32(0.5)).astype(np.float32)


def _weights(values: Mask | Floats) -> Floats:
    flat = values.astype(np.float32)
    return np.asarray(flat / np.maximum(flat.sum(axis=1, keepdims=True), np.float32(1e-6)), np.float32)
