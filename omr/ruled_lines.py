"""The ruled lines of a printed sheet and the closed cells between them.

A cell is a white region that ruled lines close on all sides. Taking regions instead of pairs of lines makes
merged cells, nested frames, double lines and rounded corners fall out without a rule for each.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np

from omr.cell_print import PIXELS_PER_MM, CellPrint, classify_print, paper_brightness
from omr.geometry import Rectangle

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Mask: TypeAlias = NDArray[np.uint8]

_SHORTEST_LINE_MM = 5.0
_SHORTEST_DOTTED_LINE_MM = 12.0
_COPY_GAP_MM = 0.5
_DOT_GAP_MM = 2.2
_DOT_THICKNESS_MM = 1.0
_LETTER_GAP_MM = 0.6
_LINE_END_MM = 1.2
_LONG_LINE_MM = 15.0
_SMALLEST_CELL_MM = 4.0
_LARGEST_SHARE_OF_PAGE = 0.75
_RECTANGULARITY = 0.8
_LEAST_OWN_AREA = 0.4  # of a frame, beside what stands in it
_HALF_LINE_MM = 0.3
_LARGEST_SKEW_DEG = 10.0


@dataclass(frozen=True, slots=True)
class Cell:
    """A closed rectangle between ruled lines, in page millimetres, and what is printed in it."""

    rectangle: Rectangle
    print: CellPrint


@dataclass(frozen=True)
class RuledSheet:
    """An upright sheet at `PIXELS_PER_MM`.

    Attributes:
        gray: uint8, shape (height, width).
        ink: 255 where there is print, else 0; same shape.
    """

    gray: NDArray[np.uint8]
    ink: Mask

    @cached_property
    def lines(self) -> tuple[Mask, Mask]:
        """What closes a cell (ruled lines and the print that hangs on them), and the long lines alone."""
        return _find_lines(self.ink)

    @cached_property
    def print(self) -> Mask:
        """The ink without its long lines and without dust."""
        return _without_specks(self.ink & ~self.lines[1])


def scale_sheet(gray: NDArray[np.uint8], size: tuple[float, float]) -> RuledSheet:
    """Bring an upright scan to `PIXELS_PER_MM` and part its print from the paper.

    Args:
        gray: uint8, shape (height, width), any resolution.
        size: width and height of the page in millimetres.
    """
    scaled = _to_working_scale(gray, size)
    return RuledSheet(scaled, _find_ink(scaled))


def measure_skew(gray: NDArray[np.uint8], size: tuple[float, float]) -> float:
    """The skew of a sheet's long lines in degrees, clockwise positive; 0.0 where it has none.

    Args:
        gray: uint8, shape (height, width), any resolution.
        size: width and height of the page in millimetres.
    """
    scaled = _to_working_scale(gray, size)
    if min(scaled.shape) < 10 * PIXELS_PER_MM:
        return 0.0
    half = cv2.resize(scaled, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    segments = cv2.createLineSegmentDetector().detect(half)[0]
    if segments is None:
        return 0.0
    segments = segments.reshape(-1, 4)
    along = segments[:, 2:] - segments[:, :2]
    length = np.hypot(along[:, 0], along[:, 1])
    angle = (np.degrees(np.arctan2(along[:, 1], along[:, 0])) + 45) % 90 - 45
    usable = (length >= 10 * PIXELS_PER_MM / 2) & (np.abs(angle) <= _LARGEST_SKEW_DEG)
    if not usable.any():
        return 0.0
    order = np.argsort(angle[usable])
    weight = np.cumsum(length[usable][order])
    return float(angle[usable][order][np.searchsorted(weight, weight[-1] / 2)])


def find_cells(sheet: RuledSheet) -> tuple[Cell, ...]:
    """All closed cells of a sheet with sides of at least 4 mm, from top to bottom."""
    barrier = sheet.lines[0]
    count, labels, stats, _ = cv2.connectedComponentsWithStats(255 - barrier, connectivity=4)
    paper = paper_brightness(sheet.gray)
    high, wide = sheet.ink.shape
    x, y, w, h, area = stats[:count].T.astype(np.int64)
    least = _SMALLEST_CELL_MM * PIXELS_PER_MM
    is_cell = (
        (np.minimum(w, h) >= least)
        & (w * h <= _LARGEST_SHARE_OF_PAGE * wide * high)
        & (area >= _LEAST_OWN_AREA * w * h)
        & (x > 0)
        & (y > 0)
        & (x + w < wide)
        & (y + h < high)
    )
    is_cell[0] = False  # label 0 is the barrier itself
    cells = []
    for index in np.flatnonzero(is_cell):
        window = np.s_[y[index] : y[index] + h[index], x[index] : x[index] + w[index]]
        region = labels[window] == index
        if area[index] < _RECTANGULARITY * w[index] * h[index]:
            region = _filled(region)
            if region.mean() < _RECTANGULARITY:
                continue
        inside = _inner_rectangle(region, int(x[index]), int(y[index]))
        cells.append(Cell(_to_page(inside), classify_print(inside, sheet.gray, sheet.print, paper)))
    return tuple(sorted(cells, key=lambda cell: (cell.rectangle.y, cell.rectangle.x)))


def _to_working_scale(gray: NDArray[np.uint8], size: tuple[float, float]) -> NDArray[np.uint8]:
    wide, high = (max(1, round(side * PIXELS_PER_MM)) for side in size)
    method = cv2.INTER_AREA if gray.shape[1] >= wide else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(gray, (wide, high), interpolation=method), np.uint8)


def _find_ink(gray: NDArray[np.uint8]) -> Mask:
    """Print against its surroundings (8 mm around), so that shadows and tinted paper do not count."""
    smooth = cv2.GaussianBlur(gray, (3, 3), 0)
    window = 8 * PIXELS_PER_MM + 1
    return np.asarray(
        cv2.adaptiveThreshold(smooth, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, window, 22),
        np.uint8,
    )


def _find_lines(ink: Mask) -> tuple[Mask, Mask]:
    barrier = np.zeros_like(ink)
    long_lines = np.zeros_like(ink)
    inks = (ink, np.ascontiguousarray(ink.T))
    solid = [_solid_lines(one) for one in inks]
    crossing = [np.ascontiguousarray(one.T) for one in reversed(solid)]
    bounded = [_bounded_lines(one, over) for one, over in zip(solid, crossing, strict=True)]
    # Short lines that end in the open are strokes of print.
    solid = [some | _open_along(one, _LONG_LINE_MM) for some, one in zip(bounded, solid, strict=True)]
    found = solid
    for _ in range(2):  # the second time with the dotted lines that the first found
        found = [
            lines | _dotted_lines(one & ~_widen(some, 1, 3), over)
            for one, lines, some, over in zip(inks, solid, bounded, crossing, strict=True)
        ]
        crossing = [np.ascontiguousarray(one.T) for one in reversed(found)]
    for transpose, lines in enumerate(found):
        long = _widen(_open_along(lines, _LONG_LINE_MM), 1, 5)
        ends = _widen(lines, _pixels(0.8), 1)
        barrier |= ends.T if transpose else ends
        long_lines |= long.T if transpose else long
    count, labels = cv2.connectedComponents(ink, connectivity=8)
    touches = np.zeros(count, bool)
    touches[np.unique(labels[barrier > 0])] = True
    touches[0] = False
    return barrier | np.where(touches[labels], np.uint8(255), np.uint8(0)), long_lines


def _solid_lines(ink: Mask) -> Mask:
    """Horizontal lines, with the short gaps that copying leaves bridged."""
    return _open_along(_close_along(_widen(ink, 1, 3), _COPY_GAP_MM), _SHORTEST_LINE_MM)


def _bounded_lines(lines: Mask, crossing: Mask) -> Mask:
    """The lines that run from one crossing line to another."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(lines, connectivity=8)
    left, width = stats[:, cv2.CC_STAT_LEFT], stats[:, cv2.CC_STAT_WIDTH]
    rows, columns = np.nonzero(lines & _widen(crossing, 2 * _pixels(_LINE_END_MM) + 1, 3))
    owner: NDArray[np.intp] = labels[rows, columns].astype(np.intp)
    first, last = left + width, left.copy()
    np.minimum.at(first, owner, columns)
    np.maximum.at(last, owner, columns + 1)
    from_line, to_line = first - left <= _pixels(_LINE_END_MM), left + width - last <= _pixels(_LINE_END_MM)
    kept = from_line & to_line
    kept[0] = False
    return np.where(kept[labels], np.uint8(255), np.uint8(0))


def _dotted_lines(ink: Mask, crossing: Mask) -> Mask:
    """Horizontal lines of dots or dashes: long chains of pieces that are all thin, as letters are not.

    A chain goes on where it crosses another line, as the pieces there hang on that line.
    """
    apart = ink & ~_widen(crossing, 3, 1)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(apart, connectivity=8)
    thin = stats[:, cv2.CC_STAT_HEIGHT] <= _pixels(_DOT_THICKNESS_MM)
    letters = np.where(thin[labels], np.uint8(0), apart)
    near_letters = _widen(letters, 3, 2 * _pixels(_LETTER_GAP_MM) + 1)
    thin[np.unique(labels[near_letters > 0])] = False  # the dots of 点
    thin[0] = False
    pieces = np.where(thin[labels], np.uint8(255), np.uint8(0)) | crossing
    chains = _open_along(_close_along(pieces, _DOT_GAP_MM), _SHORTEST_DOTTED_LINE_MM)
    return _widen(chains, _pixels(2 * _DOT_GAP_MM), 1)


def _widen(mask: Mask, along: int, across: int) -> Mask:
    return np.asarray(cv2.dilate(mask, np.ones((across, along), np.uint8)), np.uint8)


def _close_along(mask: Mask, length_mm: float) -> Mask:
    kernel = np.ones((1, _pixels(length_mm) + 1), np.uint8)
    return np.asarray(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, kernel), np.uint8)


def _open_along(mask: Mask, length_mm: float) -> Mask:
    return np.asarray(
        cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((1, _pixels(length_mm)), np.uint8)), np.uint8
    )


def _without_specks(ink: Mask) -> Mask:
    """The ink without dust: pieces of under 0.06 mm²."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    kept = stats[:, cv2.CC_STAT_AREA] >= 0.06 * PIXELS_PER_MM**2
    kept[0] = False
    return np.where(kept[labels], np.uint8(255), np.uint8(0))


def _filled(region: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A region with all that stands in it: a frame round other cells."""
    outlines, _ = cv2.findContours(region.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    filled = np.zeros(region.shape, np.uint8)
    cv2.drawContours(filled, outlines, -1, 1, cv2.FILLED)
    return np.asarray(filled > 0)


def _inner_rectangle(region: NDArray[np.bool_], x: int, y: int) -> tuple[int, int, int, int]:
    """Left, top, right, bottom (pixels, half open) of a region without its notches and spurs."""
    rows = np.flatnonzero(region.mean(axis=1) >= 0.4)
    columns = np.flatnonzero(region.mean(axis=0) >= 0.4)
    if not len(rows) or not len(columns):
        return x, y, x + region.shape[1], y + region.shape[0]
    return x + int(columns[0]), y + int(rows[0]), x + int(columns[-1]) + 1, y + int(rows[-1]) + 1


def _to_page(inside: tuple[int, int, int, int]) -> Rectangle:
    left, top, right, bottom = (edge / PIXELS_PER_MM for edge in inside)
    return Rectangle(left, top, right - left, bottom - top).expanded(_HALF_LINE_MM)


def _pixels(millimetres: float) -> int:
    return max(1, round(millimetres * PIXELS_PER_MM))
