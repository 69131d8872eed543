"""Bubbles of a sheet whose empty print is not known: judged against the other bubbles of the page.

Most bubbles of a page are empty, so the median darkness of the bubbles with the same label is the empty
print; a mark is what is clearly darker than that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from omr.confidence import UNKNOWN_PRINT
from omr.errors import PageSetAside, Trouble
from omr.mark_lines import BubbleScores, BubbleVerdicts, MarkLines, draw_lines
from omr.pixels import map_points, median, sample, shrink

if TYPE_CHECKING:
    from collections.abc import Sequence

    from omr.geometry import Points
    from omr.layout import Bubble, QuestionLayout
    from omr.pixels import Floats, Gray, Mask
    from omr.registration import Registration

_GRID = 24
_PAPER_FACTOR = 16
_RIM = 0.2
"""Width of the band at the border of the box in which the outline lies, of half its size."""
_MARKED = 0.22
_EMPTY = 0.10
_AROUND_MM = (0.4, 0.7, 1.0, 1.3)
"""Distances from the box at which the paper beside a bubble is looked at."""
_MOST_SHADE = 0.12
"""Darkness of the paper beside a bubble: more is a fold or a stain, which looks like ink inside."""
_MOST_BESIDE = 0.05
"""Mean darkness of one side of an empty bubble above what is usual there."""
_STROKE = 0.2
"""Darkness above the usual print that makes a part of a stroke."""
_MOST_STROKE = 0.02
"""Share of an empty box that may be as dark: dust."""
_LEAST_SAME_LABEL = 5
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
    darkness, shade, beside = _sample(gray, registration, bubbles)
    rim = _rim_mask()
    inside = darkness[:, ~rim].mean(axis=1)
    if median(np.quantile(darkness, 0.97, axis=1)) < _LEAST_PRINT:
        raise PageSetAside(
            Trouble.MISPLACED,
            "レイアウトの示す位置にマークの枠がありません。向きとレイアウトが合っているかを確かめてください。",
        )
    empty = _empty_print(inside, bubbles)
    spread = 1.4826 * np.median(np.abs(inside - empty)) + 0.01
    added = (inside - empty) / np.maximum(1 - empty, 0.2)
    marked_line = max(_MARKED, 6 * spread)
    empty_line = max(_EMPTY, min(3 * spread, _MARKED / 2))
    stroke = _stroke_share(darkness, bubbles)
    scores = BubbleScores(
        mark=added / marked_line,
        trace=np.maximum.reduce([added / empty_line, beside / _MOST_BESIDE, stroke / _MOST_STROKE]),
        foreign=shade / _MOST_SHADE,
        fill=inside,
        outside=np.zeros_like(inside),
    )
    return draw_lines(scores, 1.0, lines, UNKNOWN_PRINT)


def _sample(
    gray: Gray, registration: Registration, bubbles: Sequence[Bubble]
) -> tuple[Floats, Floats, Floats]:
    """Darkness of each bubble's box on a grid, 0 paper to 1 the page's darkest, (K, _GRID²); shade and ink beside it, (K,)."""
    boxes = np.array([(b.x, b.y, b.w, b.h) for b in bubbles])
    unit = (np.arange(_GRID) + 0.5) / _GRID
    x = boxes[:, 0, None, None] + boxes[:, 2, None, None] * unit[None, None, :]
    y = boxes[:, 1, None, None] + boxes[:, 3, None, None] * unit[None, :, None]
    points = np.stack(np.broadcast_arrays(x, y), axis=-1).reshape(len(bubbles), -1, 2)
    points = np.concatenate([points, _points_beside(boxes, unit)], axis=1)
    at = map_points(registration.transform, points.astype(np.float32))
    values = sample(gray, at)
    paper = sample(_paper_map(gray), at / np.float32(_PAPER_FACTOR))
    black = float(np.percentile(values[:, : _GRID**2], 1))
    contrast = np.maximum(paper - black, _LEAST_CONTRAST)
    darkness: Floats = (paper - values) / contrast
    beside = darkness[:, _GRID**2 :].reshape(len(bubbles), 4, -1)
    return darkness[:, : _GRID**2], _shade(beside), _ink_beside(beside)


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
    """The mean darkness of the side with most ink, above what bubbles of this page usually have there, (K,).

    It shows a ring around the bubble and the long end of a tick.
    """
    sides = beside.mean(axis=2)
    ink: Floats = (sides - np.median(sides, axis=0)).max(axis=1)
    return ink


def _paper_map(gray: Gray) -> Gray:
    """The gray of bare paper, at 1/_PAPER_FACTOR of the page's size: the brightest nearby."""
    small = shrink(gray, _PAPER_FACTOR)
    return cast("Gray", cv2.blur(cv2.dilate(small, np.ones((9, 9), np.uint8)), (9, 9)))


def _rim_mask() -> Mask:
    unit = np.abs((np.arange(_GRID) + 0.5) / _GRID * 2 - 1) > 1 - _RIM
    return (unit[None, :] | unit[:, None]).reshape(-1)


def _empty_print(inside: Floats, bubbles: Sequence[Bubble]) -> Floats:
    """The darkness of the empty print of each bubble: the median of its label, or of the page."""
    empty = np.full(len(inside), np.median(inside))
    for same in _alike(bubbles):
        empty[same] = np.median(inside[same])
    return np.minimum(empty, np.percentile(inside, 60))


def _stroke_share(darkness: Floats, bubbles: Sequence[Bubble]) -> Floats:
    """The share of each box that is clearly darker than the same place, or one beside it, in usual ones, (K,).

    It shows thin strokes, which hardly change the mean.
    """
    usual = np.empty_like(darkness)
    usual[:] = _widen(np.median(darkness, axis=0))
    for same in _alike(bubbles):
        usual[same] = _widen(np.median(darkness[same], axis=0))
    share: Floats = (darkness - usual > _STROKE).mean(axis=1)
    return share


def _widen(print_there: Floats) -> Floats:
    """The darkest print within one sample, (_GRID²,)."""
    grid = print_there.reshape(_GRID, _GRID).astype(np.float32)
    return np.asarray(cv2.dilate(grid, np.ones((3, 3), np.uint8)), np.float32).reshape(-1)


def _alike(bubbles: Sequence[Bubble]) -> list[Mask]:
    """Which bubbles have the same label, for labels with enough of them."""
    labels = np.array([bubble.label for bubble in bubbles])
    groups = [labels == label for label in np.unique(labels)]
    return [same for same in groups if same.sum() >= _LEAST_SAME_LABEL]
