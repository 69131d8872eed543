"""Whether anything is written in an answer box: blank where that is sure, else for a reader or a person."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import cv2
import numpy as np

from omr.box_frames import BoxFrame, FramePrint, is_frame_hidden, plan_frame
from omr.confidence import BLANK_BOX
from omr.pixels import map_points, median, sample

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from omr.layout import QuestionLayout
    from omr.pixels import Floats, Gray, Mask
    from omr.registration import Registration

BLANK_READER = "blank/1"
_LOOK_PIXELS_PER_MM = 4.0
_COLUMNS = 1024
_FRAME_MM = 1.0
"""The printed frame and what registration leaves of it."""
_LINE_SLACK_MM = 0.5
_STROKE_MM = 0.9
"""A connected trace longer than this may be writing."""
_WRITTEN_MM2 = 1.5
_LEAST_DARKNESS = 0.07
_SMOOTHED_MM = 0.35
"""Standard deviation of the smoothing in noisy scans."""
_CLEAR_DARKNESS = 0.3
_PLAIN_DARKNESS = 0.5
"""Darker than this against the page's white is ink whatever the light."""
_PLAINLY_WRITTEN_MM2 = 2 * _WRITTEN_MM2
"""So much plain ink at every fourth sample leaves no doubt: most written boxes end here."""


@dataclass(frozen=True, slots=True)
class WrittenVerdict:
    """What stands in a box.

    Attributes:
        is_blank: surely nothing is written.
        confidence: estimated chance that a blank box is blank; 0 where it is not sure.
        ink: area of clear ink in mm².
    """

    is_blank: bool
    confidence: float
    ink: float


@dataclass(frozen=True, slots=True)
class BoxPlan:
    """Where to look in the boxes of one page, worked out once a layout.

    The boxes' insides are sampled on grids of _LOOK_PIXELS_PER_MM, all in one array of N samples.

    Attributes:
        points: page mm, float32 (rows, columns, 2), rows · columns ≥ N; the rest is padding.
        on_line: samples on lines printed inside a box, bool (N,).
        starts: where the samples of each box begin.
        shapes: rows and columns of each box.
        frames: where their frames stand.
        every_fourth: samples for a first look, spread evenly, intp (M,).
        fourth_starts: where those of each box begin, intp (boxes,).
        first_points: of these samples, page mm, float32 (rows, columns, 2), padded as `points`.
        first_on_line: of these samples, bool (M,).
    """

    points: Floats
    on_line: Mask
    starts: tuple[int, ...]
    shapes: tuple[tuple[int, int], ...]
    frames: tuple[BoxFrame, ...]
    every_fourth: NDArray[np.intp]
    fourth_starts: NDArray[np.intp]
    first_points: Floats = field(init=False)
    first_on_line: Mask = field(init=False)

    def __post_init__(self) -> None:
        """Lay the samples of the first look side by side."""
        first = _in_rows(self.points.reshape(-1, 2)[self.every_fourth])
        object.__setattr__(self, "first_points", first)
        object.__setattr__(self, "first_on_line", self.on_line[self.every_fourth])


def plan_boxes(questions: Sequence[QuestionLayout], frame_print: FramePrint) -> BoxPlan:
    """Work out the samples of a page's boxes; `questions` must not be empty and all have a box."""
    grids, lines, fourths = [], [], []
    for question in questions:
        assert question.box is not None
        inside = question.box.expanded(-min(_FRAME_MM, 0.4 * min(question.box.w, question.box.h)))
        wide, high = (max(1, round(side * _LOOK_PIXELS_PER_MM)) for side in (inside.w, inside.h))
        x = inside.x + (np.arange(wide, dtype=np.float64) + 0.5) * (inside.w / wide)
        y = inside.y + (np.arange(high, dtype=np.float64) + 0.5) * (inside.h / high)
        grids.append(np.stack(np.meshgrid(x, y), axis=-1))
        lines.append(_line_mask(question, x, y))
        fourths.append(_every_fourth(high, wide))
    flat = np.concatenate([grid.reshape(-1, 2) for grid in grids]).astype(np.float32)
    ends = np.cumsum([grid.shape[0] * grid.shape[1] for grid in grids])
    every_fourth = np.flatnonzero(np.concatenate(fourths))
    return BoxPlan(
        points=_in_rows(flat),
        on_line=np.concatenate([mask.reshape(-1) for mask in lines]),
        starts=tuple(int(one) for one in (0, *ends[:-1])),
        shapes=tuple((grid.shape[0], grid.shape[1]) for grid in grids),
        frames=tuple(
            plan_frame(question.box, frame_print) for question in questions if question.box is not None
        ),
        every_fourth=every_fourth,
        fourth_starts=np.searchsorted(every_fourth, [0, *ends[:-1]]),
    )


def _in_rows(points: Floats) -> Floats:
    """Points, (N, 2), in rows of _COLUMNS, the last one repeated to fill them."""
    padding = np.repeat(points[-1:], -len(points) % _COLUMNS, axis=0)
    return np.concatenate([points, padding]).reshape(-1, _COLUMNS, 2)


def _every_fourth(high: int, wide: int) -> Mask:
    """Every other sample of every other row, each row shifted against the one before, bool (high · wide,)."""
    row, column = np.divmod(np.arange(high * wide), wide)
    chosen: Mask = (row % 2 == 0) & ((column + row // 2) % 2 == 0)
    return chosen


def judge_boxes(gray: Gray, registration: Registration, plan: BoxPlan) -> list[WrittenVerdict]:
    """Look for writing in all boxes of a page.

    Args:
        gray: the page.
        registration: how the page lies, and its black and white.
        plan: of this page's boxes.
    """
    verdicts = []
    parts = zip(plan.starts, plan.shapes, plan.frames, _plain_ink(gray, registration, plan), strict=True)
    for start, (high, wide), frame, plain in parts:
        if plain > _PLAINLY_WRITTEN_MM2:
            verdicts.append(WrittenVerdict(is_blank=False, confidence=0.0, ink=plain))
            continue
        box = slice(start, start + high * wide)
        points = plan.points.reshape(-1, 2)[box].reshape(high, wide, 2)
        look = sample(gray, map_points(registration.transform, points))
        verdict = _look_closely(look, plan.on_line[box].reshape(high, wide), registration)
        if verdict.is_blank and is_frame_hidden(gray, registration, frame):
            verdict = WrittenVerdict(is_blank=False, confidence=0.0, ink=verdict.ink)
        verdicts.append(verdict)
    return verdicts


def _plain_ink(gray: Gray, registration: Registration, plan: BoxPlan) -> list[float]:
    """The area in mm² of what is plainly ink in each box, at every fourth sample."""
    values = sample(gray, map_points(registration.transform, plan.first_points)).reshape(-1)
    plain_line = registration.white - _PLAIN_DARKNESS * (registration.white - registration.black)
    plain = (values[: len(plan.first_on_line)] < np.float32(plain_line)) & ~plan.first_on_line
    area = np.add.reduceat(plain.astype(np.float32), plan.fourth_starts) * (4 / _LOOK_PIXELS_PER_MM**2)
    ink: list[float] = area.tolist()
    return ink


def _look_closely(look: Floats, on_line: Mask, registration: Registration) -> WrittenVerdict:
    """Judge a box that is not plainly written in: by its longest trace, faint ones included."""
    # A box blackened all over has no bright neighbourhood: then the page's own white counts.
    floor = (registration.white + registration.black) / 2
    paper = np.maximum(_paper(look), np.float32(floor))
    contrast = np.maximum(paper - np.float32(registration.black), np.float32(40))
    darkness: Floats = np.divide(paper - look, contrast, dtype=np.float32)
    darkness[on_line] = 0
    ink = np.count_nonzero(darkness > _CLEAR_DARKNESS) / _LOOK_PIXELS_PER_MM**2
    noise = 1.4826 * _median_size(darkness)
    if 5 * noise > _LEAST_DARKNESS:
        # Strokes are broader than grains of noise: what is left of it after smoothing hides less.
        darkness = _smooth(darkness)
        noise = 1.4826 * _median_size(darkness)
    faint = (darkness > max(_LEAST_DARKNESS, 5 * noise)).astype(np.uint8)
    longest = _longest_trace(faint) / _LOOK_PIXELS_PER_MM
    if ink > _WRITTEN_MM2 or longest > _STROKE_MM:
        return WrittenVerdict(is_blank=False, confidence=0.0, ink=ink)
    return WrittenVerdict(is_blank=True, confidence=BLANK_BOX, ink=ink)


def _smooth(darkness: Floats) -> Floats:
    """The darkness over some 0.8 mm, against that of most of the box."""
    smooth = cast("Floats", cv2.GaussianBlur(darkness, (0, 0), _SMOOTHED_MM * _LOOK_PIXELS_PER_MM))
    return smooth - np.float32(median(smooth))


def _median_size(darkness: NDArray[np.floating[Any]]) -> float:
    """The median of absolute values below 8, to 1/16,000: counting thousands takes a third of sorting them."""
    counts = np.bincount((np.abs(darkness) * np.float32(8000)).astype(np.uint16).reshape(-1))
    return float(np.searchsorted(np.cumsum(counts), darkness.size // 2, side="right") + 0.5) / 8000


def _paper(look: Floats) -> Floats:
    """The gray of the paper at each sample: the brightest nearby, smoothed, so that a shadow is no ink."""
    reach = round(3 * _LOOK_PIXELS_PER_MM) | 1
    bright = cv2.morphologyEx(cv2.blur(look, (3, 3)), cv2.MORPH_CLOSE, np.ones((reach, reach), np.uint8))
    return cast("Floats", cv2.blur(bright, (reach, reach)))


def _line_mask(question: QuestionLayout, x: NDArray[np.float64], y: NDArray[np.float64]) -> Mask:
    """The samples on lines printed inside the box, with some slack, (rows, columns)."""
    mask = np.zeros((len(y), len(x)), bool)
    for line in question.lines:
        across = (x >= min(line.x1, line.x2) - _LINE_SLACK_MM) & (x <= max(line.x1, line.x2) + _LINE_SLACK_MM)
        down = (y >= min(line.y1, line.y2) - _LINE_SLACK_MM) & (y <= max(line.y1, line.y2) + _LINE_SLACK_MM)
        mask |= down[:, None] & across
    return mask


def _longest_trace(mask: Gray) -> float:
    """The longest side of any connected trace, pixels."""
    # The quickest of OpenCV's ways to label, three times as quick as its default on so small a picture.
    count, _, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(mask, 8, cv2.CV_32S, cv2.CCL_BBDT)
    if count < 2:
        return 0.0
    return float(stats[1:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max())
