"""What an empty sheet prints in and around its answer regions, so that only added ink counts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from omr.box_frames import FramePrint
from omr.bubble_plan import EIGHTHS, SECTORS, BubblePlan, plan_bubbles
from omr.page_print import darken
from omr.patch_matching import sample_floats
from omr.reference import FINE_PIXELS_PER_MM
from omr.written_boxes import BoxPlan, plan_boxes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from omr.layout import Bubble, QuestionLayout
    from omr.pixels import Floats, Gray, Mask

_PRINT = 0.12
_PALEST_PRINT = 0.03
"""Print may be a pale tint, which another scanner sees darker."""
_PRINT_SHARE = 0.97
"""The darkest of the samples around a bubble are print on every sheet."""
_LEAST_OUTLINE = 0.15
"""Share of each eighth of the rim that an outline all round prints."""
_BUBBLE_SLACK_MM = 0.2
_BOX_SLACK_MM = 0.5
_LEAST_FREE = 0.2
"""Share of a bubble or a box that must be free of print to call it empty."""


def plan_bubbles_on_print(bubbles: Sequence[Bubble], picture: Gray) -> tuple[BubblePlan, Mask]:
    """Plan the bubbles of an empty sheet; also whether each has enough room free of print to be judged.

    Args:
        bubbles: of one page, at least one.
        picture: of the empty page, at `FINE_PIXELS_PER_MM`.
    """
    darkness = darken(picture, FINE_PIXELS_PER_MM)
    plan = plan_bubbles(bubbles)
    half = np.array([(bubble.w, bubble.h) for bubble in bubbles])[:, None, :] / 2
    centres = np.array([bubble.centre for bubble in bubbles])[:, None, :]
    away = (plan.points - centres) / half
    inside = (away**2).sum(axis=-1) < 1
    usual = float(np.median(np.quantile(sample_floats(darkness, _at(plan.points)), _PRINT_SHARE, axis=1)))
    line = float(np.clip(usual / 3, _PALEST_PRINT, _PRINT))
    printed = _printed(darkness, line, plan.points, _BUBBLE_SLACK_MM)
    strokes = sample_floats(darkness, _at(plan.points)) * inside
    around = (plan.around > 0) & ~printed & ~inside
    free = inside & ~printed
    elsewhere = len(bubbles) * SECTORS
    adapted = replace(
        plan,
        inner=_weights(free),
        label=inside & printed,
        glyph=_weights(strokes),
        outline=_weights(strokes),
        rim=plan.rim * _has_outline(darkness, line, plan)[:, None],
        around=_weights(around),
        sector=np.where(around, plan.sector, elsewhere).astype(np.int32),
        has_grey_labels=False,
    )
    return adapted, free.sum(axis=1) >= _LEAST_FREE * inside.sum(axis=1)


def plan_boxes_on_print(questions: Sequence[QuestionLayout], picture: Gray) -> tuple[BoxPlan, Mask]:
    """Plan the written boxes of an empty sheet; also whether each has enough room free of print.

    Args:
        questions: of one page, each with a box, at least one.
        picture: of the empty page, at `FINE_PIXELS_PER_MM`.
    """
    plan = plan_boxes(questions, FramePrint.UNKNOWN)
    printed = _printed(darken(picture, FINE_PIXELS_PER_MM), _PRINT, plan.points, _BOX_SLACK_MM).reshape(-1)[
        : len(plan.on_line)
    ]
    masked = plan.on_line | printed
    covered = np.add.reduceat(masked, plan.starts, dtype=np.intp)
    samples = np.diff([*plan.starts, len(masked)])
    return replace(plan, on_line=masked), 1 - covered / samples >= _LEAST_FREE


def print_of_bubbles(plan: BubblePlan, picture: Gray) -> Floats:
    """The mean darkness of the strokes printed in each bubble, (K,).

    Args:
        plan: from `plan_bubbles_on_print`.
        picture: of the empty page, at `FINE_PIXELS_PER_MM`.
    """
    darkness = sample_floats(darken(picture, FINE_PIXELS_PER_MM), _at(plan.points))
    return np.asarray(np.einsum("kg,kg->k", darkness, plan.outline), np.float32)


def _has_outline(darkness: Floats, line: float, plan: BubblePlan) -> Floats:
    """1 for bubbles with an outline all round, which shows what hides it, 0 for brackets and the like, (K,)."""
    is_printed = sample_floats((darkness > line).astype(np.float32), _at(plan.points))
    eighths = (is_printed * plan.rim) @ EIGHTHS
    return np.asarray(eighths.min(axis=1) > _LEAST_OUTLINE, np.float32)


def _printed(darkness: Floats, line: float, points: Floats, slack_mm: float) -> Mask:
    """Whether the empty page prints, darker than a line, within a slack of each point."""
    reach = 2 * round(slack_mm * FINE_PIXELS_PER_MM) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    grown = cv2.dilate((darkness > line).astype(np.float32), disc)
    printed: Mask = sample_floats(np.asarray(grown, np.float32), _at(points)) > 0.3
    return printed


def _at(points: Floats) -> Floats:
    return (points * np.float32(FINE_PIXELS_PER_MM) - np.float32(0.5)).astype(np.float32)


def _weights(values: Mask | Floats) -> Floats:
    flat = values.astype(np.float32)
    return np.asarray(flat / np.maximum(flat.sum(axis=1, keepdims=True), np.float32(1e-6)), np.float32)
