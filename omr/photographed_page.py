"""Photographs of a sheet that lies on something darker: the sheet alone, as if seen from straight above."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SEARCH_PIXELS = 1000  # the longer side of the picture in which the sheet's edges are looked for
_LEAST_SHARE = 0.3
_LARGEST_SHARE = 0.97
_LEAST_FILL = 0.95  # of the quadrilateral by the bright region
_PAPER_RATIO = 2**0.5  # all of A3, A4, B4 and B5
_CORNER_SHARE = 0.12  # of a side, left out where the side's line is fitted: corners curl


def flatten_photograph(gray: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """The sheet in a photograph, its corners in the corners of the picture; None if no whole sheet is seen.

    Args:
        gray: uint8, shape (height, width).

    Returns:
        uint8, of the shape of paper (1 : √2), about as fine as the photograph.
    """
    corners = find_sheet_corners(gray)
    if corners is None:
        return None
    sides = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
    across, down = float(sides[[0, 2]].max()), float(sides[[1, 3]].max())
    long = max(across, down)
    wide, high = (long, long / _PAPER_RATIO) if across > down else (long / _PAPER_RATIO, long)
    target = np.array([(0, 0), (wide, 0), (wide, high), (0, high)], np.float32) - 0.5
    view = cv2.getPerspectiveTransform(corners.astype(np.float32), target)
    flat = cv2.warpPerspective(
        gray, view, (round(wide), round(high)), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(flat, np.uint8)


def find_sheet_corners(gray: NDArray[np.uint8]) -> NDArray[np.float64] | None:
    """The corners of the sheet in a photograph, clockwise from the top left, shape (4, 2), in pixels.

    None where no bright quadrilateral with something darker around it fills a good part of the picture.
    """
    scale = min(1.0, _SEARCH_PIXELS / max(gray.shape))
    scaled = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    small = np.asarray(cv2.medianBlur(scaled, 5), np.uint8)
    outline = _sheet_outline(small)
    if outline is None:
        return None
    rough = _four_corners(outline)
    if rough is None:
        return None
    area = cv2.contourArea(rough.astype(np.float32))
    if not _LEAST_SHARE <= area / small.size <= _LARGEST_SHARE:
        return None
    if cv2.contourArea(outline) < _LEAST_FILL * area:
        return None
    fitted = _fitted_corners(outline.reshape(-1, 2).astype(np.float64), rough)
    return np.asarray((fitted + 0.5) / scale - 0.5)


def _sheet_outline(small: NDArray[np.uint8]) -> NDArray[np.int32] | None:
    """The outline of the largest bright region with all that is printed in it."""
    _, bright = cv2.threshold(small, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    closed = cv2.morphologyEx(bright, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    outlines, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not outlines:
        return None
    return np.asarray(max(outlines, key=cv2.contourArea), np.int32)


def _four_corners(outline: NDArray[np.int32]) -> NDArray[np.float64] | None:
    """The quadrilateral that an outline comes near to, clockwise from the top left."""
    hull = cv2.convexHull(outline)
    length = cv2.arcLength(hull, closed=True)
    for share in (0.01, 0.02, 0.03, 0.05):
        corners = cv2.approxPolyDP(hull, share * length, closed=True).reshape(-1, 2).astype(np.float64)
        if len(corners) == 4:
            turn = np.arctan2(*(corners - corners.mean(axis=0)).T[::-1])
            clockwise = corners[np.argsort(turn)]
            return np.asarray(np.roll(clockwise, -int(clockwise.sum(axis=1).argmin()), axis=0))
    return None


def _fitted_corners(outline: NDArray[np.float64], rough: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where the lines through the four sides cross: finer than any single pixel of a corner."""
    lines = []
    for start, end in zip(rough, np.roll(rough, -1, axis=0), strict=True):
        along = (end - start) / np.linalg.norm(end - start)
        across = np.array([-along[1], along[0]])
        place = (outline - start) @ along / np.linalg.norm(end - start)
        near = np.abs((outline - start) @ across) <= 4
        inner = near & (place >= _CORNER_SHARE) & (place <= 1 - _CORNER_SHARE)
        points = outline[inner] if inner.sum() >= 2 else np.array([start, end])
        vx, vy, x, y = cv2.fitLine(points.astype(np.float32), cv2.DIST_HUBER, 0, 0.01, 0.01).ravel()
        lines.append(np.cross(np.array([x, y, 1.0]), np.array([x + vx, y + vy, 1.0])))
    crossings = [
        np.cross(before, after) for before, after in zip([lines[-1], *lines[:-1]], lines, strict=True)
    ]
    return np.array([crossing[:2] / crossing[2] for crossing in crossings])
