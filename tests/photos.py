"""Pages that do not lie flat under a camera or a scanner, with the true place of every point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.random import Generator

    from omr.geometry import Points
    from omr.pixels import Gray


@dataclass(frozen=True)
class Bent:
    """A picture of a page, and where a point of the page (mm) lies in it, pixels (n, 2)."""

    gray: Gray
    place: Callable[[Points], Points]


@dataclass(frozen=True)
class Camera:
    """How a page is photographed.

    Attributes:
        size: of the photo, pixels (wide, high).
        share: of the photo's height that the page fills.
        tilt: how much farther away the one end is than the other, as a share of the distance, (x, y).
        turn_deg: clockwise.
        curl_mm: by how much the middle of the paper stands up, a gentle arch across its width.
        light: share of the light that is lost towards one corner.
        ground: gray of the desk.
    """

    size: tuple[int, int] = (2400, 3200)
    share: float = 0.9
    tilt: tuple[float, float] = (0.0, 0.0)
    turn_deg: float = 0.0
    curl_mm: float = 0.0
    light: float = 0.25
    ground: int = 70


def photograph(canvas: Gray, width: float, height: float, camera: Camera, random: Generator) -> Bent:
    """Take a photo of a page of a size in mm."""
    distance = 1.6 * height
    wide, high = camera.size
    focus = camera.share * high / height * distance
    angle = np.deg2rad(camera.turn_deg)

    def place(points: Points) -> Points:
        x, y = points[..., 0] - width / 2, points[..., 1] - height / 2
        up = camera.curl_mm * np.cos(np.pi * x / width)
        # Paper does not stretch: what arches up moves inwards.
        x = x * (1 - 0.6 * (camera.curl_mm / width) ** 2)
        away = distance - up + camera.tilt[0] * x + camera.tilt[1] * y
        u, v = focus * x / away, focus * y / away
        return np.stack(
            [
                u * np.cos(angle) - v * np.sin(angle) + wide / 2,
                u * np.sin(angle) + v * np.cos(angle) + high / 2,
            ],
            axis=-1,
        )

    gray = _drawn(canvas, width, height, place, camera.size, camera.ground)
    x, y = np.meshgrid(np.linspace(0, 1, wide), np.linspace(0, 1, high))
    lit = gray.astype(np.float32) * (1 - camera.light * (0.6 * x + 0.4 * y)).astype(np.float32) * 0.92
    lit += random.normal(0, 3, lit.shape)
    return Bent(np.clip(cv2.GaussianBlur(lit, (0, 0), 0.8), 0, 255).astype(np.uint8), place)


def feed_unevenly(
    canvas: Gray, width: float, height: float, most_mm: float, where: float, dpi: float
) -> Bent:
    """A scan of a page that was drawn in too slowly over a part around `where` (share of the height)."""
    per_mm = dpi / 25.4

    def place(points: Points) -> Points:
        share = np.clip((points[..., 1] / height - where + 0.2) / 0.4, 0, 1)
        slip = most_mm * (share - np.sin(2 * np.pi * share) / (2 * np.pi))
        return np.stack([points[..., 0], points[..., 1] + slip], axis=-1) * per_mm - 0.5

    size = (round(width * per_mm), round(height * per_mm))
    return Bent(_drawn(canvas, width, height, place, size, 255), place)


def lay_on_glass(scan: Gray, size: tuple[int, int], at: tuple[int, int], ground: int) -> Gray:
    """A scan of a small sheet on a larger glass: pixels (wide, high), the sheet's top left corner, gray beyond it."""
    glass = np.full((size[1], size[0]), ground, np.uint8)
    glass[at[1] : at[1] + scan.shape[0], at[0] : at[0] + scan.shape[1]] = scan
    return glass


def _drawn(
    canvas: Gray,
    width: float,
    height: float,
    place: Callable[[Points], Points],
    size: tuple[int, int],
    ground: int,
) -> Gray:
    """The page as `place` puts it: its inverse is found by running after the error."""
    wide, high = size
    pixels = np.stack(np.meshgrid(np.arange(wide, dtype=float), np.arange(high, dtype=float)), axis=-1)
    corners = np.array([(0.0, 0.0), (width, 0.0), (0.0, height)])
    affine = np.linalg.inv(
        np.vstack(
            [
                cv2.getAffineTransform(*(one.astype(np.float32) for one in (corners, place(corners)))),
                (0, 0, 1),
            ]
        )
    )
    back = pixels @ affine[:2, :2].T + affine[:2, 2]
    for _ in range(12):
        back = back + (pixels - place(back)) @ affine[:2, :2].T
    at = (back * np.array([canvas.shape[1] / width, canvas.shape[0] / height]) - 0.5).astype(np.float32)
    # Averaged before it is sampled: the page is finer than the picture.
    soft = cv2.GaussianBlur(canvas, (0, 0), 0.6)
    return np.asarray(
        cv2.remap(
            soft, at, cast("Gray", None), cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=ground
        ),
        np.uint8,
    )
