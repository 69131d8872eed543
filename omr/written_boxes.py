"""Whether anything is written in an answer box: blank where that is sure, else for a reader or a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from omr.crops import straighten
from omr.geometry import apply
from omr.pixels import shrink

if TYPE_CHECKING:
    from omr.geometry import Rectangle
    from omr.layout import QuestionLayout
    from omr.pixels import Floats, Gray
    from omr.registration import Registration

BLANK_READER = "blank/1"
_LOOK_PIXELS_PER_MM = 4.0
_FRAME_MM = 1.0
"""The printed frame and what registration leaves of it."""
_LINE_SLACK_MM = 0.5
_STROKE_MM = 0.9
"""A connected trace longer than this may be writing."""
_WRITTEN_MM2 = 1.5
_LEAST_DARKNESS = 0.07
_CLEAR_DARKNESS = 0.3
_PLAIN_DARKNESS = 0.5
"""Darker than this against the page's white is ink whatever the light: most written boxes end here."""


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


def judge_box(gray: Gray, registration: Registration, question: QuestionLayout) -> WrittenVerdict:
    """Look for writing in the box of a question.

    Args:
        gray: the page.
        registration: how the page lies, and its black and white.
        question: with its box and the lines printed inside it.
    """
    assert question.box is not None
    inside = question.box.expanded(-_FRAME_MM)
    small = _look(gray, registration, inside)
    scale = small.shape[1] / inside.w
    if not question.lines:
        plainly = small < int(
            registration.white - _PLAIN_DARKNESS * (registration.white - registration.black)
        )
        ink = float(np.count_nonzero(plainly)) / scale**2
        if ink > _WRITTEN_MM2:
            return WrittenVerdict(is_blank=False, confidence=0.0, ink=ink)
    # A box blackened all over has no bright neighbourhood: then the page's own white counts.
    floor = (registration.white + registration.black) / 2
    paper = np.maximum(_paper(small, scale), np.float32(floor))
    contrast = np.maximum(paper - np.float32(registration.black), np.float32(40))
    darkness = ((paper - small) / contrast).astype(np.float32)
    _mask_lines(darkness, question, inside.x, inside.y, scale)
    clear = darkness > _CLEAR_DARKNESS
    ink = float(np.count_nonzero(clear)) / scale**2
    if ink > _WRITTEN_MM2:
        return WrittenVerdict(is_blank=False, confidence=0.0, ink=ink)
    noise = 1.4826 * float(np.median(np.abs(darkness - np.median(darkness))))
    faint = (darkness > max(_LEAST_DARKNESS, 5 * noise)).astype(np.uint8)
    longest = _longest_trace(faint) / scale
    if longest > _STROKE_MM:
        return WrittenVerdict(is_blank=False, confidence=0.0, ink=ink)
    return WrittenVerdict(is_blank=True, confidence=1 - 0.02 * (longest / _STROKE_MM) ** 2, ink=ink)


def _look(gray: Gray, registration: Registration, box: Rectangle) -> Gray:
    """The box upright at about _LOOK_PIXELS_PER_MM: its surroundings shrunk, then straightened."""
    transform = registration.transform
    corners = apply(transform, box.corners())
    left, top = np.maximum(corners.min(axis=0).astype(int) - 8, 0)
    right, bottom = corners.max(axis=0).astype(int) + 9
    factor = max(1, round(registration.scale / _LOOK_PIXELS_PER_MM))
    small = shrink(gray[top:bottom, left:right], factor)
    shrunk = np.array([(1, 0, 0.5 - left), (0, 1, 0.5 - top), (0, 0, factor)], np.float64) / factor
    shrunk[:2, 2] -= 0.5
    return straighten(small, shrunk @ transform, box, registration.scale / factor)


def _paper(small: Gray, scale: float) -> Floats:
    """The gray of the paper at each pixel: the brightest nearby, smoothed, so that a shadow is no ink."""
    reach = max(3, round(3 * scale)) | 1
    smooth = cv2.blur(small, (3, 3))
    bright = cv2.morphologyEx(smooth, cv2.MORPH_CLOSE, np.ones((reach, reach), np.uint8))
    return cv2.blur(bright, (reach, reach)).astype(np.float32)


def _mask_lines(darkness: Floats, question: QuestionLayout, left: float, top: float, scale: float) -> None:
    """Blank out the lines printed inside the box."""
    slack = _LINE_SLACK_MM
    for line in question.lines:
        x1, x2 = sorted((line.x1, line.x2))
        y1, y2 = sorted((line.y1, line.y2))
        rows = slice(
            max(0, int((y1 - slack - top) * scale)), max(0, int(np.ceil((y2 + slack - top) * scale)) + 1)
        )
        columns = slice(
            max(0, int((x1 - slack - left) * scale)), max(0, int(np.ceil((x2 + slack - left) * scale)) + 1)
        )
        darkness[rows, columns] = 0


def _longest_trace(mask: Gray) -> float:
    """The longest side of any connected trace, pixels."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if count < 2:
        return 0.0
    return float(stats[1:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max())
