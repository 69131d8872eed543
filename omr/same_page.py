"""Whether two scans show the same paper: compared stroke by stroke, not by the code alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from omr.geometry import pixels_per_mm
from omr.layout import QuestionKind

if TYPE_CHECKING:
    from omr.layout import PageLayout
    from omr.pixels import Floats, Gray, Mask
    from omr.reading import PageReading
    from omr.registration import Registration

_PIXELS_PER_MM = 5.0
_EDGE_MM = 8.0
"""Left out all round: scanners differ there."""
_NEAR_MM = 0.7
"""How far the same stroke may lie apart in two scans."""
_INK = 0.4
_TRACE = 0.15
_SAME_FILL = 0.12
_SPECK_MM = 1.0
"""Unmatched ink no longer than this is dust."""


def have_same_marks(one: PageReading, other: PageReading) -> bool:
    """Whether the bubbles of two scans of a page are marked alike; strokes inside the print are seen only so."""
    if (
        one.identity is not None
        and other.identity is not None
        and one.identity.digits != other.identity.digits
    ):
        return False
    return all(
        a.labels == b.labels
        and max(abs(x - y) for x, y in zip(a.measures, b.measures, strict=True)) < _SAME_FILL
        for a, b in zip(one.answers, other.answers, strict=True)
        if a.kind is QuestionKind.CHOICE
    )


def have_same_content(
    gray: Gray, registration: Registration, other: Gray, other_registration: Registration, page: PageLayout
) -> bool:
    """Whether every stroke of either scan is in the other too; a second filling of a copied sheet is not.

    Args:
        gray: one scan.
        registration: how the page lies in it.
        other: the other scan.
        other_registration: how the page lies there.
        page: the printed page that both show.
    """
    one, two = _flatten(gray, registration, page), _flatten(other, other_registration, page)
    return not _has_stroke_missing(one, two) and not _has_stroke_missing(two, one)


def _has_stroke_missing(here: Floats, there: Floats) -> bool:
    """Whether clear ink here has not even a trace nearby there."""
    reach = 2 * round(_NEAR_MM * _PIXELS_PER_MM) + 1
    near = cv2.dilate(there, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)))
    missing: Mask = (here > _INK) & (near < _TRACE)
    count, _, stats, _ = cv2.connectedComponentsWithStats(missing.astype(np.uint8), connectivity=8)
    if count < 2:
        return False
    return bool(stats[1:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max() > _SPECK_MM * _PIXELS_PER_MM)


def _flatten(gray: Gray, registration: Registration, page: PageLayout) -> Floats:
    """The darkness of the page (0 paper, 1 print) straightened to `_PIXELS_PER_MM`, without its edges."""
    wide = round((page.width - 2 * _EDGE_MM) * _PIXELS_PER_MM)
    high = round((page.height - 2 * _EDGE_MM) * _PIXELS_PER_MM)
    factor = max(1, int(pixels_per_mm(registration.transform) / _PIXELS_PER_MM))
    small = cv2.blur(gray, (factor, factor))
    to_page = np.array(
        [(1 / _PIXELS_PER_MM, 0, _EDGE_MM), (0, 1 / _PIXELS_PER_MM, _EDGE_MM), (0, 0, 1)], np.float64
    )
    matrix = (registration.transform @ to_page)[:2]
    flat = cv2.warpAffine(
        small, matrix, (wide, high), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderValue=255
    )
    paper = cv2.blur(cv2.morphologyEx(flat, cv2.MORPH_CLOSE, np.ones((31, 31), np.uint8)), (31, 31))
    darkness = (paper.astype(np.float32) - flat) / np.maximum(paper - np.float32(registration.black), 40)
    return cast("Floats", darkness.astype(np.float32))
