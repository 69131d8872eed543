"""Rows of printed bubbles (ovals or circles) on a teacher's own sheet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from omr.cell_print import PIXELS_PER_MM
from omr.geometry import Rectangle

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SIDE_MM = (3.0, 8.5)
_FEWEST_IN_ROW = 3
_LEAST_OVAL_OVERLAP = 0.93
_PITCH = (1.25, 4.0)  # in widths: letters stand closer together
_BLUR_MM = 0.3  # by which an outline seems wider than it is printed


def find_bubble_rows(ink: NDArray[np.uint8]) -> tuple[tuple[Rectangle, ...], ...]:
    """Rows of at least three equal, evenly spaced ovals, from top to bottom, each from left to right.

    Args:
        ink: 255 where there is print, shape (height, width), at `PIXELS_PER_MM`, upright.
    """
    ovals = _find_ovals(ink)
    rows: list[tuple[Rectangle, ...]] = []
    taken = np.zeros(len(ovals), bool)
    for index in np.lexsort((ovals[:, 0], ovals[:, 1])):
        if taken[index]:
            continue
        like = ~taken & (np.abs(ovals[:, 1:] - ovals[index, 1:]) <= (0.6, 0.5, 0.5)).all(axis=1)
        members = np.flatnonzero(like)
        taken[members] = True
        rows += _evenly_spaced(ovals[members[np.argsort(ovals[members, 0])]])
    return tuple(sorted(rows, key=lambda row: (row[0].y, row[0].x)))


def _find_ovals(ink: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Centre x, centre y, width, height of every oval outline, in millimetres, shape (n, 4)."""
    contours, _ = cv2.findContours(ink, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    boxes = np.array([cv2.boundingRect(contour) for contour in contours], np.float64).reshape(-1, 4)
    least, most = (side * PIXELS_PER_MM for side in _SIDE_MM)
    w, h = boxes[:, 2], boxes[:, 3]
    plausible = (np.minimum(w, h) >= least) & (np.maximum(w, h) <= most) & (h <= 2.2 * w) & (w <= 2.2 * h)
    found = [
        box
        for contour, box, is_plausible in zip(contours, boxes, plausible, strict=True)
        if is_plausible and _is_oval(np.asarray(contour, np.int32), box)
    ]
    ovals = np.array(found, np.float64).reshape(-1, 4) / PIXELS_PER_MM
    ovals[:, :2] += ovals[:, 2:] / 2
    outer = _outer_only(ovals)
    outer[:, 2:] -= _BLUR_MM
    return outer


def _is_oval(contour: NDArray[np.int32], box: NDArray[np.float64]) -> bool:
    """Whether a contour fills the ellipse (or the capsule) of its box, and no more."""
    x, y, w, h = box
    canvas = np.zeros((int(h), int(w)), np.uint8)
    cv2.drawContours(canvas, [contour - np.array([x, y], np.int32)], -1, 1, cv2.FILLED)
    ellipse, capsule = np.zeros_like(canvas), np.zeros_like(canvas)
    centre = (int(w) // 2, int(h) // 2)
    cv2.ellipse(ellipse, centre, (int(w) // 2, int(h) // 2), 0, 0, 360, 1, cv2.FILLED)
    radius = min(centre)
    cv2.line(capsule, (radius, radius), (int(w) - 1 - radius, int(h) - 1 - radius), 1, 2 * radius)
    overlaps = [
        float((canvas & form).sum()) / max(1.0, float((canvas | form).sum())) for form in (ellipse, capsule)
    ]
    return max(overlaps) >= _LEAST_OVAL_OVERLAP


def _outer_only(ovals: NDArray[np.float64]) -> NDArray[np.float64]:
    """One oval a bubble: an outline has an outer and an inner edge, the larger is kept."""
    ordered = ovals[np.argsort(-ovals[:, 2])]
    apart = np.abs(ordered[:, None, :2] - ordered[None, :, :2]).max(axis=2) > 0.8
    hidden = np.tril(~apart, -1).any(axis=1)
    return np.asarray(ordered[~hidden])


def _evenly_spaced(row: NDArray[np.float64]) -> list[tuple[Rectangle, ...]]:
    """Split a row where its spacing changes; parts of fewer than three are no choice."""
    rows: list[tuple[Rectangle, ...]] = []
    start = 0
    while start + _FEWEST_IN_ROW <= len(row):
        pitch = row[start + 1, 0] - row[start, 0]
        end = start + 1
        while end < len(row) and abs(row[end, 0] - row[end - 1, 0] - pitch) <= 0.12 * pitch + 0.3:
            end += 1
        is_row = end - start >= _FEWEST_IN_ROW
        if is_row and _PITCH[0] * row[start, 2] <= pitch <= _PITCH[1] * row[start, 2]:
            rows.append(
                tuple(Rectangle(x - w / 2, y - h / 2, w, h) for x, y, w, h in row[start:end].tolist())
            )
            start = end
        else:
            start += 1
    return rows
