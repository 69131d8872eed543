"""Looking for printed sheets in an image that is not just the sheet: small on large glass, or two side by side.

The slow way, for the few images in which the squares are not where they are on a scan of the sheet alone.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import cv2
import numpy as np

from omr.code_reader import code_transform, find_codes, read_code
from omr.errors import PageSetAside, Trouble
from omr.fiducials import find_squares
from omr.geometry import MM_PER_INCH, apply, pixels_per_mm
from omr.registration import Registration, refine

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from omr.geometry import Points, Transform
    from omr.layout import PageLayout
    from omr.page import Page
    from omr.pixels import Gray
    from omr.sheet_code import SheetCode

_GLASS_MM = (432.0, 420.0, 364.0, 356.0, 297.0)
"""Long sides of what is scanned: ledger, A3, B4, legal, A4."""
_MOST_SQUARES = 24
_MOST_SCALE_ERROR = 0.12
_MOST_CORNER_MM = 6.0
_APART_MM = 20.0
"""Middles nearer than this are one sheet, found both ways up."""
_MOST_TILT = 0.14
"""Tangent of the largest skew (8°)."""


def search_sheet(page: Page, frame: PageLayout) -> tuple[Registration, SheetCode] | None:
    """The one printed sheet of an image, wherever it lies in it, and its code; None where there is none.

    Args:
        page: decoded.
        frame: any page of the layout; its size, squares and codes count.

    Raises:
        PageSetAside: there is more than one sheet, or its squares are hidden.
    """
    gray = page.gray
    codes = find_codes(gray)
    if len({code for code, _ in codes}) > 1:
        raise _two_sheets([code for code, _ in codes])
    rough = [transform for _, corners in codes for transform in _from_code(corners, frame)]
    scales = [pixels_per_mm(transform) for transform in rough] or _likely_scales(page)
    for scale in scales:
        fits = find_sheets(gray, frame, scale)
        read = [(fit, code) for fit in fits if (code := read_code(gray, fit.transform, frame)) is not None]
        if read:
            _check_alone(read, fits, frame)
            return read[0]
    for (code, _), transform in zip(codes, rough, strict=False):
        guess = refine(gray, frame, transform)
        if guess is not None:
            return guess, code
    if codes:
        raise PageSetAside(
            Trouble.NO_FIDUCIALS,
            "四隅の■が足りず、解答欄の位置を決められません。端が切れたり隠れたりしていないかを確かめて読み取り直してください。",
        )
    return None


def sheet_centres(page: Page, frame: PageLayout) -> list[tuple[float, float]]:
    """Where the middles of all printed sheets of an image lie, in pixels.

    Args:
        page: decoded.
        frame: any page of the layout.
    """
    rough = [transform for _, corners in find_codes(page.gray) for transform in _from_code(corners, frame)]
    found = [
        _centres(find_sheets(page.gray, frame, scale), frame)
        for scale in [pixels_per_mm(transform) for transform in rough] or _likely_scales(page)
    ]
    return max(found, key=len, default=[])


def _centres(fits: Sequence[Registration], frame: PageLayout) -> list[tuple[float, float]]:
    centres: list[tuple[float, float]] = []
    for fit in fits:
        x, y = (float(one) for one in _outline(fit, frame).mean(axis=0))
        if all(np.hypot(x - u, y - v) > _APART_MM * fit.scale for u, v in centres):
            centres.append((x, y))
    return sorted(centres)


def find_sheets(gray: Gray, frame: PageLayout, scale: float) -> list[Registration]:
    """How sheets can lie in an image, by their squares; those with most squares first.

    Args:
        gray: the image.
        frame: any page of the layout.
        scale: expected pixels per mm, within 12 %.
    """
    squares = np.array(find_squares(gray, frame.fiducials[0].w, scale, _MOST_SQUARES)).reshape(-1, 2)
    fits: list[Registration] = []
    for guess in _guesses(squares, frame, scale):
        fit = refine(gray, frame, guess)
        if fit is not None and not any(_is_same(fit, other) for other in fits):
            fits.append(fit)
    return sorted(fits, key=lambda fit: (-fit.marks, fit.residual_mm or 0.0))


def _guesses(squares: Points, frame: PageLayout, scale: float) -> Iterator[Transform]:
    """Similarities that put two opposite corners on squares and find a third square at another corner."""
    corners = np.array([fiducial.centre for fiducial in frame.fiducials[:4]])
    for start, end in itertools.permutations(range(len(squares)), 2):
        for first, second in ((0, 2), (1, 3)):
            guess = _similarity(corners[first], corners[second], squares[start], squares[end])
            if not _can_lie(guess, scale):
                continue
            expected = apply(guess, corners[[k for k in range(4) if k not in (first, second)]])
            apart = np.linalg.norm(expected[:, np.newaxis] - squares[np.newaxis], axis=2)
            if apart.min() < _MOST_CORNER_MM * scale / 2:
                yield guess


def _similarity(one: Points, other: Points, at: Points, other_at: Points) -> Transform:
    along, placed = complex(*(other - one)), complex(*(other_at - at))
    factor = placed / along
    shift = complex(*at) - factor * complex(*one)
    return np.array(
        [(factor.real, -factor.imag, shift.real), (factor.imag, factor.real, shift.imag), (0, 0, 1)]
    )


def _can_lie(guess: Transform, scale: float) -> bool:
    if abs(pixels_per_mm(guess) / scale - 1) > _MOST_SCALE_ERROR:
        return False
    a, b = abs(guess[0, 0]), abs(guess[1, 0])
    return bool(min(a, b) < _MOST_TILT * max(a, b))


def _is_same(one: Registration, other: Registration) -> bool:
    return bool(np.allclose(one.transform, other.transform, rtol=0.01, atol=one.scale))


def _from_code(corners: Points, frame: PageLayout) -> list[Transform]:
    boxes = [box for box in (frame.qr, frame.second_qr) if box is not None]
    return [code_transform(corners, box) for box in boxes]


def _likely_scales(page: Page) -> list[float]:
    """Pixels per mm as the file says, or as some usual glass would have it."""
    if page.dpi is not None and min(page.dpi) >= 72:
        return [float(np.mean(page.dpi)) / MM_PER_INCH]
    return [max(page.gray.shape) / long for long in _GLASS_MM]


def _check_alone(
    read: Sequence[tuple[Registration, SheetCode]], fits: Sequence[Registration], frame: PageLayout
) -> None:
    """Make sure that no other sheet lies beside the one that was read, even one whose code is hidden.

    Raises:
        PageSetAside: one does.
    """
    outline = _outline(read[0][0], frame)
    for fit in fits:
        x, y = _outline(fit, frame).mean(axis=0)
        if cv2.pointPolygonTest(outline, (float(x), float(y)), measureDist=False) < 0:
            raise _two_sheets([code for _, code in read])


def _outline(fit: Registration, frame: PageLayout) -> Points:
    corners = np.array([(0, 0), (frame.width, 0), (frame.width, frame.height), (0, frame.height)])
    return apply(fit.transform, corners).astype(np.float32)


def _two_sheets(codes: Sequence[SheetCode]) -> PageSetAside:
    names = "、".join(sorted({f"{code.sheet} の{code.page}ページ目" for code in codes}))
    return PageSetAside(
        Trouble.TWO_SHEETS,
        f"1つの画像に2枚以上の解答用紙が写っています（{names}）。1枚ずつスキャンし直してください。",
    )
