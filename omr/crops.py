"""Cutting answer regions out of a page at its own resolution, upright."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import cv2
import numpy as np
import simplejpeg

from omr.geometry import Points, Rectangle, Transform, apply, fit_affine, pixels_per_mm

if TYPE_CHECKING:
    from collections.abc import Sequence

    from omr.layout import QuestionLayout
    from omr.pixels import Gray

CROP_MARGIN_MM = 1.5
_JPEG_QUALITY = 60
_STRAIGHT = 0.035
"""Tangent of the tilt (2°) up to which a crop is left as scanned."""


def crop_box(question: QuestionLayout) -> Rectangle:
    """The part of the page that shows an answer: its box, or all its bubbles, with a margin."""
    boxes: Sequence[Rectangle] = question.bubbles or ([question.box] if question.box else [])
    left, top = min(box.x for box in boxes), min(box.y for box in boxes)
    right, bottom = max(box.right for box in boxes), max(box.bottom for box in boxes)
    return Rectangle(left, top, right - left, bottom - top).expanded(CROP_MARGIN_MM)


def cut_region(gray: Gray, transform: Transform, box: Rectangle) -> Gray:
    """The pixels of a box on the page, upright, white beyond the edge of the scan.

    On a page that lies nearly straight these are the scan's own pixels around the box, a view and no copy.
    """
    return cut_regions(gray, transform, [box], box.corners()[np.newaxis])[0]


def cut_regions(gray: Gray, transform: Transform, boxes: Sequence[Rectangle], corners: Points) -> list[Gray]:
    """Cut out many boxes, as `cut_region` does.

    Args:
        gray: the page.
        transform: page (mm) to image (pixels).
        boxes: on the page.
        corners: where theirs really lie, (boxes, 4, 2), page mm: off their own on paper that is not flat.
    """
    placed = apply(transform, corners)
    first, last = placed.min(axis=1), placed.max(axis=1)
    height, width = gray.shape
    inside = ((first >= 0) & (last < (width - 1, height - 1))).all(axis=1).tolist()
    upper = placed[:, 1] - placed[:, 0]
    straight = (np.abs(upper[:, 1]) < _STRAIGHT * upper[:, 0]).tolist()
    spans = zip(first.astype(int).tolist(), (last.astype(int) + 2).tolist(), strict=True)
    return [
        gray[top:bottom, left:right]
        if is_straight and is_inside
        else straighten(gray, fit_affine(box.corners(), seen), box, pixels_per_mm(transform))
        for box, seen, is_inside, is_straight, ((left, top), (right, bottom)) in zip(
            boxes, placed, inside, straight, spans, strict=True
        )
    ]


def straighten(gray: Gray, transform: Transform, box: Rectangle, scale: float) -> Gray:
    """A box on the page drawn anew, exactly upright, white beyond the edge of the scan.

    Args:
        gray: the page; at a scale not far above `scale`, or thin strokes are lost.
        transform: page (mm) to image (pixels).
        box: on the page.
        scale: pixels per mm of the result.
    """
    wide, high = max(1, round(box.w * scale)), max(1, round(box.h * scale))
    to_page = np.array(
        [(box.w / wide, 0, box.x + box.w / wide / 2), (0, box.h / high, box.y + box.h / high / 2), (0, 0, 1)]
    )
    picture = cv2.warpAffine(
        gray,
        (transform @ to_page)[:2],
        (wide, high),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=255,
    )
    return cast("Gray", picture)


def encode_jpeg(picture: Gray) -> bytes:
    """A crop as a gray JPEG, as the screens show it."""
    # A luminance plane without colour: its rows go to the encoder as they are, without a copy.
    return bytes(simplejpeg.encode_jpeg_yuv_planes(picture, None, None, quality=_JPEG_QUALITY, fastdct=True))


def encode_png(picture: Gray) -> bytes:
    """A crop as a PNG, pixel for pixel."""
    done, data = cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    assert done
    return data.tobytes()
