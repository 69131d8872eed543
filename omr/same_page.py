"""Whether two scans show the same paper: compared stroke by stroke, not by the code alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from omr.geometry import pixels_per_mm
from omr.layout import QuestionKind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from omr.layout import PageLayout
    from omr.pixels import Floats, Gray, Mask
    from omr.reading import PageReading
    from omr.registration import Registration

_PIXELS_PER_MM = 8.0
_EDGE_MM = 8.0
"""Left out all round: scanners differ there."""
_TILE_MM = 16.0
"""Side of the tiles that are laid on each other one by one: feeders stretch paper unevenly."""
_FARTHEST_MM = 0.6
"""How far a tile may have to move."""
_LEAST_LIKENESS = 0.2
"""Response of the phase correlation below which a tile (an empty one) says nothing of its place."""
_NEAR_MM = 0.12
"""How far the edge of the same stroke may lie apart in two scans after that."""
_INK = 0.45
_TRACE = 0.1
"""Darkness that any ink of a stroke leaves: what black and white shows as black is darker than this in grey."""
_SPECK_MM = 0.6
"""Unmatched ink no longer than this from corner to corner is dust."""
_BLACK_AND_WHITE_SPECK_MM = 0.65
"""The same where a scan has no grey: dust is larger there."""
_SAME_FILL = 0.12
_SOME_FILL = 0.1


def have_same_marks(one: PageReading, other: PageReading) -> bool:
    """Whether the bubbles of two scans of a page are marked alike.

    How dark a mark is depends on the scan (pencil is full black in black and white), so bubbles that have ink in
    both scans are left to the comparison of strokes.
    """
    if (
        one.identity is not None
        and other.identity is not None
        and one.identity.digits != other.identity.digits
    ):
        return False
    return all(
        a.labels == b.labels
        and all(_is_filled_alike(*fills) for fills in zip(a.measures, b.measures, strict=True))
        for a, b in zip(one.answers, other.answers, strict=True)
        if a.kind is QuestionKind.CHOICE
    )


def _is_filled_alike(one: float, other: float) -> bool:
    return abs(one - other) < _SAME_FILL or min(one, other) > _SOME_FILL


def have_same_content(
    gray: Gray, registration: Registration, other: Gray, other_registration: Registration, page: PageLayout
) -> bool:
    """Whether every stroke of either scan is in the other too; a second filling of a copied sheet is not.

    One scan may be grey and the other black and white, at any resolutions. What one of two scans in black and
    white has lost can't be told from what was never there: they then differ.

    Args:
        gray: one scan.
        registration: how the page lies in it.
        other: the other scan.
        other_registration: how the page lies there.
        page: the printed page that both show.
    """
    one, two = _flatten(gray, registration, page), _flatten(other, other_registration, page)
    two = _lay_on(one, two)
    speck_mm = _SPECK_MM if _is_grey(gray) and _is_grey(other) else _BLACK_AND_WHITE_SPECK_MM
    return not any(_has_stroke_missing(*pair, speck_mm) for pair in ((one, two), (two, one)))


def _is_grey(gray: Gray) -> bool:
    """Whether a scan has more than two shades."""
    return len(np.unique(gray[::16, ::16])) > 2


def _has_stroke_missing(here: Floats, there: Floats, speck_mm: float) -> bool:
    """Whether clear ink here has not even a trace nearby there."""
    near = cv2.dilate(there, _disc(_NEAR_MM))
    missing: Mask = (here > _INK) & (near < _TRACE)
    count, _, stats, _ = cv2.connectedComponentsWithStats(missing.astype(np.uint8), connectivity=8)
    if count < 2:
        return False
    lengths = np.hypot(stats[1:, cv2.CC_STAT_WIDTH], stats[1:, cv2.CC_STAT_HEIGHT])
    return bool(lengths.max() > speck_mm * _PIXELS_PER_MM)


def _disc(radius_mm: float) -> NDArray[np.uint8]:
    side = 2 * round(radius_mm * _PIXELS_PER_MM) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


def _lay_on(one: Floats, two: Floats) -> Floats:
    """The second page moved onto the first, tile by tile, with smooth moves in between."""
    high, wide = one.shape
    rows, columns = (max(1, round(side / (_TILE_MM * _PIXELS_PER_MM))) for side in (high, wide))
    tile = (high // rows, wide // columns)
    soft = [cv2.GaussianBlur(page, (0, 0), 1.0) for page in (one, two)]
    window = cv2.createHanningWindow(tile[::-1], cv2.CV_32F)
    moves, trust = np.zeros((rows, columns, 2), np.float32), np.zeros((rows, columns), np.float32)
    for row in range(rows):
        for column in range(columns):
            y, x = row * high // rows, column * wide // columns
            here = np.s_[y : y + tile[0], x : x + tile[1]]
            move, likeness = cv2.phaseCorrelate(soft[0][here], soft[1][here], window)
            if likeness > _LEAST_LIKENESS and max(map(abs, move)) < _FARTHEST_MM * _PIXELS_PER_MM:
                moves[row, column], trust[row, column] = move, likeness
    spread = [
        cv2.GaussianBlur(grid, (0, 0), 0.8, borderType=cv2.BORDER_REPLICATE)
        for grid in (moves * trust[..., np.newaxis], trust)
    ]
    smooth = spread[0] / np.maximum(spread[1], 1e-3)[..., np.newaxis]
    across, down = cv2.split(cv2.resize(smooth, (wide, high), interpolation=cv2.INTER_LINEAR))
    to_x = across + np.arange(wide, dtype=np.float32)
    to_y = down + np.arange(high, dtype=np.float32)[:, np.newaxis]
    return cast("Floats", cv2.remap(two, to_x, to_y, cv2.INTER_LINEAR, borderValue=0))


def _flatten(gray: Gray, registration: Registration, page: PageLayout) -> Floats:
    """The darkness of the page (0 paper, 1 print) straightened to `_PIXELS_PER_MM`, without its edges."""
    wide = round((page.width - 2 * _EDGE_MM) * _PIXELS_PER_MM)
    high = round((page.height - 2 * _EDGE_MM) * _PIXELS_PER_MM)
    factor = pixels_per_mm(registration.transform) / _PIXELS_PER_MM
    fine = gray if factor < 1.3 else cv2.GaussianBlur(gray, (0, 0), 0.4 * factor)
    to_page = np.array(
        [(1 / _PIXELS_PER_MM, 0, _EDGE_MM), (0, 1 / _PIXELS_PER_MM, _EDGE_MM), (0, 0, 1)], np.float64
    )
    matrix = (registration.transform @ to_page)[:2]
    flat = cv2.warpAffine(
        fine, matrix, (wide, high), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderValue=255
    )
    small = cv2.resize(flat, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    around = cv2.blur(cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((13, 13), np.uint8)), (13, 13))
    paper = cv2.resize(around, (wide, high)).astype(np.float32)
    darkness = (paper - flat) / np.maximum(paper - np.float32(registration.black), 40)
    return cast("Floats", darkness.astype(np.float32))
