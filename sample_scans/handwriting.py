"""Writes text as pupils do: in a box, in manuscript squares or over ruled lines, horizontally or vertically."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from omr.design import Writing
from omr.geometry import Rectangle
from sample_scans.hands import Hand, advance, draw_character
from sample_scans.pens import Canvas, Coverage, lay_ink

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray


def write_line(
    canvas: Canvas,
    text: str,
    place: Rectangle,
    hand: Hand,
    random: Generator,
    pixels_per_mm: float,
    *,
    writing: Writing = Writing.HORIZONTAL,
) -> None:
    """Write one line into a box: as large as the hand writes, smaller where the text is long.

    Args:
        canvas: the page, ink is added in place.
        text: without line breaks.
        place: the box, in mm from the canvas's corner.
        hand: whose writing.
        random: everything that varies comes from here.
        pixels_per_mm: scale of the canvas.
        writing: HORIZONTAL from the left, VERTICAL from the top.

    Raises:
        ValueError: a character that none of the hand's fonts has.
    """
    vertical = writing is Writing.VERTICAL
    length, depth = (place.h, place.w) if vertical else (place.w, place.h)
    advances = np.array([1.02 if vertical else advance(hand, one) for one in text])
    wished = hand.size_mm * (1.45 if len(text) <= 4 else 1.0)  # short answers are written large
    size = min(wished, 0.8 * depth, 0.94 * length / advances.sum())
    free = length - size * advances.sum()
    start = free * (random.uniform(0.25, 0.65) if len(text) == 1 else random.uniform(0.08, 0.45))
    middle = depth / 2 + random.normal(0, 0.06) * (depth - size)
    middles = start + size * (np.cumsum(advances) - advances / 2)
    offsets = middle - hand.drift * (middles - length / 2) * (-1 if vertical else 1)
    if vertical:
        centres = np.column_stack([place.x + offsets, place.y + middles])
    else:
        centres = np.column_stack([place.x + middles, place.y + offsets])
    _write_at(canvas, text, centres, size, hand, random, pixels_per_mm, writing)


def write_in_squares(
    canvas: Canvas,
    text: str,
    squares: Sequence[Rectangle],
    hand: Hand,
    random: Generator,
    pixels_per_mm: float,
    *,
    writing: Writing = Writing.HORIZONTAL,
) -> None:
    """Write one character into each square (mm), as far as text and squares reach.

    Raises:
        ValueError: a character that none of the hand's fonts has.
    """
    count = min(len(text), len(squares))
    if not count:
        return
    size = min(hand.size_mm * 1.1, 0.86 * min(squares[0].w, squares[0].h))
    centres = np.array([square.centre for square in squares[:count]])
    _write_at(canvas, text[:count], centres, size, hand, random, pixels_per_mm, writing)


def write_lines(
    canvas: Canvas,
    text: str,
    lines: Sequence[Rectangle],
    hand: Hand,
    random: Generator,
    pixels_per_mm: float,
    *,
    writing: Writing = Writing.HORIZONTAL,
) -> None:
    """Write a longer text over ruled lines (mm), breaking where a line is full.

    Raises:
        ValueError: a character that none of the hand's fonts has.
    """
    vertical = writing is Writing.VERTICAL
    length = lines[0].h if vertical else lines[0].w
    depth = lines[0].w if vertical else lines[0].h
    widths = np.array([1.02 if vertical else advance(hand, one) for one in text])
    size = min(hand.size_mm, 0.66 * depth, 0.93 * len(lines) * length / widths.sum() * 0.94)
    rest = text
    for line in lines:
        taken, used = 0, 0.0
        while taken < len(rest) and used < 0.93 * length:
            used += size * (1.02 if vertical else advance(hand, rest[taken]))
            taken += 1
        while taken < len(rest) and rest[taken] in "、。":  # no line begins with a mark
            used += size * advance(hand, rest[taken])
            taken += 1
        piece, rest = rest[:taken], rest[taken:]
        if not piece:
            return
        fitted = Rectangle(
            line.x, line.y, line.w if vertical else used * 1.08, used * 1.08 if vertical else line.h
        )
        write_line(canvas, piece, fitted, replace(hand, size_mm=size), random, pixels_per_mm, writing=writing)


def _write_at(
    canvas: Canvas,
    text: str,
    centres: NDArray[np.float64],
    size_mm: float,
    hand: Hand,
    random: Generator,
    pixels_per_mm: float,
    writing: Writing,
) -> None:
    """Write characters around the given middles (mm), all in one coat of ink."""
    margin = size_mm
    low = np.floor((centres.min(axis=0) - margin) * pixels_per_mm).astype(int)
    high = np.ceil((centres.max(axis=0) + margin) * pixels_per_mm).astype(int)
    low, high = np.maximum(low, 0), np.minimum(high, canvas.shape[::-1])
    if (high <= low).any():
        return
    coverage = np.zeros((high[1] - low[1], high[0] - low[0]), np.float32)
    for character, centre in zip(text, centres, strict=True):
        if not character.isspace():
            spot = centre + random.normal(0, 0.025 * hand.unrest * size_mm, 2)
            glyph = draw_character(character, size_mm * pixels_per_mm, hand, random, writing)
            _put(coverage, glyph, spot * pixels_per_mm - low)
    region = canvas[low[1] : high[1], low[0] : high[0]]
    lay_ink(region, coverage, hand.pen, random, pixels_per_mm)


def _put(coverage: Coverage, glyph: Coverage, centre: NDArray[np.float64]) -> None:
    side = glyph.shape[0]
    x, y = np.rint(centre - side / 2).astype(int)
    x0, y0 = max(x, 0), max(y, 0)
    x1, y1 = min(x + side, coverage.shape[1]), min(y + side, coverage.shape[0])
    if x1 > x0 and y1 > y0:
        part = coverage[y0:y1, x0:x1]
        np.maximum(part, glyph[y0 - y : y1 - y, x0 - x : x1 - x], out=part)
