"""Clean pictures of a damaged sheet code, made from its modules sampled through the page transform.

What every code of this version shares (finders, timing, alignment) is drawn anew, so only damaged data modules are
left for the error correction. Both codes of a page hold the same text, so their modules can be joined: where a
pen darkens modules of one, the other still has them light.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from omr.code_print import MODULES, QUIET_ZONE
from omr.geometry import Rectangle, Transform, apply

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from omr.pixels import Floats, Gray, Mask

_INSIDE = (0.3, 0.5, 0.7)
"""Where a module is sampled, along and across: nine points, so that a speck or a thin line does not decide alone."""
_SHIFTS = tuple((x, y) for x in (-0.6, -0.3, 0.0, 0.3, 0.6) for y in (-0.6, -0.3, 0.0, 0.3, 0.6))
"""By which the print may lie off its place, in modules."""
_LEAST_CONTRAST = 12.0
_SHARPENED = 1.6
"""How much of the difference to its neighbours a module is moved away from them."""


def modules_box(box: Rectangle) -> Rectangle:
    """The box of a code's modules, inside its quiet zone."""
    return box.expanded(-box.w * QUIET_ZONE / (MODULES + 2 * QUIET_ZONE))


def clean_pictures(gray: Gray, transform: Transform, boxes: Sequence[Rectangle]) -> Iterator[Gray]:
    """Pictures of the code that a page bears in some places, the likeliest to be readable first.

    Args:
        gray: the page.
        transform: page (mm) to image (pixels).
        boxes: where the code stands, quiet zone included.
    """
    sampled = [one for box in boxes if (one := _sample(gray, transform, box, (0.0, 0.0))) is not None]
    for points in sampled:
        yield _draw(points.mean(axis=(1, 3)))
    aligned = [one for box in boxes if (one := _align(gray, transform, box)) is not None]
    if not aligned:
        return
    every = np.stack(aligned)
    means = every.mean(axis=(2, 4))
    yield _draw(means.mean(axis=0))
    yield _draw(every.min(axis=(0, 2, 4)))  # dark where nothing is light: lines of a pen fall away
    yield _draw(means.min(axis=0))
    yield _draw(means.max(axis=0))  # light where nothing is dark: what is white falls away
    for grid in means:
        yield _draw(grid)
    for grid in (*means, means.mean(axis=0)):
        yield _draw(_sharpen(grid))


def _align(gray: Gray, transform: Transform, box: Rectangle) -> Floats | None:
    """The samples where the parts that are the same in every code fit best."""
    known, pattern = function_patterns()
    truth = np.where(pattern[known], 1.0, -1.0)
    found = [one for shift in _SHIFTS if (one := _sample(gray, transform, box, shift)) is not None]
    return max(found, key=lambda one: float(one.mean(axis=(1, 3))[known] @ truth), default=None)


def _sample(gray: Gray, transform: Transform, box: Rectangle, shift: tuple[float, float]) -> Floats | None:
    """How dark the modules are, about 0 to 1, shape (modules, 3, modules, 3); None where there is no contrast."""
    inner = modules_box(box)
    step = inner.w / MODULES
    offsets = (np.arange(3 * MODULES) // 3 + np.tile(_INSIDE, MODULES)) * step
    x, y = np.meshgrid(inner.x + offsets + shift[0] * step, inner.y + offsets + shift[1] * step)
    at = apply(transform, np.stack([x, y], axis=-1)).astype(np.float32)
    values = cv2.remap(gray, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderValue=255)
    black, white = np.percentile(values, (10, 90))
    if white - black < _LEAST_CONTRAST:
        return None
    darkness = np.clip((white - values.astype(np.float32)) / np.float32(white - black), -0.2, 1.2)
    return np.asarray(darkness.reshape(MODULES, 3, MODULES, 3), np.float32)


def _draw(darkness: Floats) -> Gray:
    """A crisp picture of a grid of modules, the known ones as they are in every code."""
    levels = np.clip(darkness * 255, 0, 255).astype(np.uint8)
    threshold, _ = cv2.threshold(levels, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    dark = levels > threshold
    known, pattern = function_patterns()
    dark[known] = pattern[known]
    quiet = np.pad(np.where(dark, 0, 255).astype(np.uint8), QUIET_ZONE, constant_values=255)
    return np.kron(quiet, np.ones((4, 4), np.uint8))


def _sharpen(darkness: Floats) -> Floats:
    """Undo a blur that mixes a module with its neighbours."""
    around = cv2.GaussianBlur(darkness, (3, 3), 0.7, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(darkness + _SHARPENED * (darkness - around), np.float32)


@cache
def function_patterns() -> tuple[Mask, Mask]:
    """Where the modules of version 3 are the same in every code, and whether they are dark (ISO/IEC 18004)."""
    n = MODULES
    known = np.zeros((n, n), bool)
    dark = np.zeros((n, n), bool)
    ring = np.maximum.outer(np.abs(np.arange(-3, 4)), np.abs(np.arange(-3, 4)))
    finder = ring != 2
    for top, left in ((0, 0), (0, n - 7), (n - 7, 0)):
        known[max(0, top - 1) : top + 8, max(0, left - 1) : left + 8] = True
        dark[top : top + 7, left : left + 7] = finder
    timing = np.arange(8, n - 8)
    known[6, timing] = known[timing, 6] = True
    dark[6, timing] = dark[timing, 6] = timing % 2 == 0
    centre = n - 7
    known[centre - 2 : centre + 3, centre - 2 : centre + 3] = True
    dark[centre - 2 : centre + 3, centre - 2 : centre + 3] = ring[1:-1, 1:-1] != 1
    known[n - 8, 8] = dark[n - 8, 8] = True
    return known, dark
