"""Bubbles of a sheet whose empty print is not known: judged against the other bubbles of the page.

The bubbles with the same label are laid onto each other; what most of them share is the empty print, and a mark
is what is clearly darker than that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from omr.bubble_alignment import COMMON, align_bubbles
from omr.confidence import UNKNOWN_PRINT
from omr.errors import PageSetAside, Trouble
from omr.layout_fit import check_layout_fit
from omr.mark_lines import BubbleScores, BubbleVerdicts, MarkLines, draw_lines
from omr.pixels import map_points, median, sample, shrink

if TYPE_CHECKING:
    from collections.abc import Sequence

    from omr.bubble_alignment import AlignedBubbles
    from omr.geometry import Points
    from omr.layout import QuestionLayout
    from omr.pixels import Floats, Gray, Mask
    from omr.registration import Registration

_GRID = 40
"""Samples along each side of a bubble and its surroundings."""
_AROUND = 2.0
"""Sides of the sampled square, in sides of the bubble."""
_INSIDE = slice(_GRID // 4, _GRID - _GRID // 4)
"""The bubble's own box in that square."""
_MOST_SHIFT = 7
"""Samples that a bubble may lie beside its box: a third of its side."""
_PAPER_FACTOR = 16
_MARKED = 0.22
_EMPTY = 0.05
_STROKE = 0.15
_BARE = 0.02
"""Share of an empty bubble's inside that may look like strokes, above the usual."""
_PIXELS_PER_MM = 5
_AROUND_MM = (0.4, 0.7, 1.0, 1.3)
"""Distances from the box at which the paper beside a bubble is looked at."""
_MOST_SHADE = 0.12
"""Darkness of the paper beside a bubble: more is a fold or a stain, which looks like ink inside."""
_MOST_BESIDE = 0.05
"""Mean darkness of three sides of an empty bubble above what is usual there."""
_LEAST_CONTRAST = 60
_LEAST_PRINT = 0.08
"""Darkness that the darkest part of a usual bubble must have: its outline and label."""


def judge_unknown_print(
    gray: Gray, registration: Registration, questions: Sequence[QuestionLayout], lines: MarkLines
) -> BubbleVerdicts | None:
    """Judge all bubbles of a page; None where there are none.

    Raises:
        PageSetAside: no bubbles are printed where the layout says.
    """
    bubbles = [bubble for question in questions for bubble in question.bubbles]
    if not bubbles:
        return None
    boxes = np.array([(bubble.x, bubble.y, bubble.w, bubble.h) for bubble in bubbles])
    darkness, shade, beside = _sample(gray, registration, boxes)
    if median(np.quantile(darkness[:, _INSIDE, _INSIDE], 0.97, axis=(1, 2))) < _LEAST_PRINT:
        raise PageSetAside(
            Trouble.MISPLACED,
            "レイアウトの示す位置にマークの枠がありません。向きとレイアウトが合っているかを確かめてください。",
        )
    aligned = align_bubbles(darkness, [bubble.label for bubble in bubbles], _MOST_SHIFT)
    added, added_spread = _above_usual(_added(aligned))
    stroke, stroke_spread = _above_usual(_stroke_share(aligned))
    marked_line = max(_MARKED, 6 * added_spread)
    empty_line = min(max(_EMPTY, 3 * added_spread), _MARKED / 2)
    stroke_line = min(max(_BARE, 3 * stroke_spread), _MARKED / 2)
    marked = added > (marked_line + empty_line) / 2
    fit = check_layout_fit(darkness, _is_free(boxes), marked)
    if fit.is_off:
        raise PageSetAside(
            Trouble.MISPLACED,
            "マークの位置がレイアウトと合いません。用紙に合ったレイアウトかどうかと、ページのずれを確かめてください。",
        )
    scores = BubbleScores(
        mark=added / marked_line,
        trace=np.maximum.reduce([added / empty_line, stroke / stroke_line, beside / _MOST_BESIDE]),
        foreign=np.where(fit.misplaced, 2, shade / _MOST_SHADE),
        fill=added,
        outside=np.zeros_like(added),
    )
    return draw_lines(scores, 1.0, lines, UNKNOWN_PRINT)


def _added(aligned: AlignedBubbles) -> Floats:
    """The mean darkness that each bubble's inside has above the empty print, 1 where all paper is black, (K,)."""
    inside = aligned.darkness[:, _INSIDE, _INSIDE].mean(axis=(1, 2))
    empty = aligned.empty[:, _INSIDE, _INSIDE].mean(axis=(1, 2))
    added: Floats = (inside - empty) / np.maximum(1 - empty, 0.2)
    return added


def _stroke_share(aligned: AlignedBubbles) -> Floats:
    """Share of each bubble's inside that is darker than any empty print close by, (K,): a thin stroke is little ink."""
    near = np.stack([cv2.dilate(empty, np.ones((3, 3), np.uint8)) for empty in aligned.empty])
    is_ink = (aligned.darkness - near)[:, _INSIDE, _INSIDE] > _STROKE
    share: Floats = is_ink.mean(axis=(1, 2), dtype=np.float32)
    return share


def _above_usual(measure: Floats) -> tuple[Floats, float]:
    """A measure above what empty bubbles have, (K,), and how much it varies among the lower ones."""
    usual = np.quantile(measure, COMMON)
    spread = 1.4826 * median(usual - measure[measure <= usual]) + 0.005
    return measure - np.float32(usual), spread


def _sample(gray: Gray, registration: Registration, boxes: Points) -> tuple[Floats, Floats, Floats]:
    """Darkness of each box (x, y, w, h) and around it, 0 paper to 1 the page's darkest, (K, _GRID, _GRID); shade and ink beside it, (K,)."""
    points = _sampled_points(boxes).reshape(len(boxes), -1, 2)
    points = np.concatenate([points, _points_beside(boxes, (np.arange(_GRID) + 0.5) / _GRID)], axis=1)
    at = map_points(registration.transform, points.astype(np.float32))
    values = sample(gray, at)
    paper = sample(_paper_map(gray), at / np.float32(_PAPER_FACTOR))
    black = float(np.percentile(values[:, : _GRID**2], 0.5))
    contrast = np.maximum(paper - black, _LEAST_CONTRAST)
    darkness: Floats = (paper - values) / contrast
    pictures = darkness[:, : _GRID**2].reshape(-1, _GRID, _GRID)
    beside = darkness[:, _GRID**2 :].reshape(len(boxes), 4, -1)
    return pictures, _shade(beside), _ink_beside(beside)


def _sampled_points(boxes: Points) -> Points:
    """Where each bubble and its surroundings are sampled, page mm, (K, _GRID, _GRID, 2)."""
    unit = ((np.arange(_GRID) + 0.5) / _GRID - 0.5) * _AROUND + 0.5
    x = boxes[:, 0, None, None] + boxes[:, 2, None, None] * unit[None, None, :]
    y = boxes[:, 1, None, None] + boxes[:, 3, None, None] * unit[None, :, None]
    return np.stack(np.broadcast_arrays(x, y), axis=-1)


def _is_free(boxes: Points) -> Mask:
    """Which sampled points belong to no bubble, with a quarter of its sides around it, (K, _GRID, _GRID)."""
    at = _sampled_points(boxes) * _PIXELS_PER_MM
    taken = np.zeros(np.ceil(at.max(axis=(0, 1, 2)))[::-1].astype(int) + 2, np.uint8)
    corners = np.hstack([boxes[:, :2] - boxes[:, 2:] / 4, boxes[:, :2] + boxes[:, 2:] * 1.25])
    for left, top, right, bottom in np.maximum(np.rint(corners * _PIXELS_PER_MM), 0).astype(int).tolist():
        taken[top:bottom, left:right] = 1
    column, row = (np.maximum(np.rint(at[..., axis]), 0).astype(int) for axis in (0, 1))
    free: Mask = taken[row, column] == 0
    return free


def _points_beside(boxes: Points, unit: Points) -> Points:
    """Short rows of points left, right, above and below the middle half of each box, (K, 4 · n, 2)."""
    x, y, w, h = (boxes[:, side, None, None] for side in range(4))
    out = np.array(_AROUND_MM)[None, :, None]
    along = (0.25 + 0.5 * unit)[None, None, :]
    sides = (
        (x - out, y + along * h),
        (x + w + out, y + along * h),
        (x + along * w, y - out),
        (x + along * w, y + h + out),
    )
    rows = [np.stack(np.broadcast_arrays(*side), axis=-1).reshape(len(boxes), -1, 2) for side in sides]
    return np.concatenate(rows, axis=1)


def _shade(beside: Floats) -> Floats:
    """How dark the paper beside each bubble is at its brightest, on both of two opposite sides, (K,).

    A line or a neighbour leaves white between; a fold or a stain does not.
    """
    brightest = np.quantile(beside, 0.25, axis=2)
    across = np.minimum(brightest[:, 0], brightest[:, 1])
    down = np.minimum(brightest[:, 2], brightest[:, 3])
    shade: Floats = np.maximum(across, down)
    return shade


def _ink_beside(beside: Floats) -> Floats:
    """The darkness that at least three sides of a bubble have above what is usual there, (K,): a ring around it."""
    sides = beside.mean(axis=2)
    ink: Floats = np.sort(sides - np.median(sides, axis=0), axis=1)[:, 1]
    return ink


def _paper_map(gray: Gray) -> Gray:
    """The gray of bare paper, at 1/_PAPER_FACTOR of the page's size: the brightest nearby."""
    small = shrink(gray, _PAPER_FACTOR)
    return cast("Gray", cv2.blur(cv2.dilate(small, np.ones((9, 9), np.uint8)), (9, 9)))
