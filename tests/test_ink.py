"""Ink: what is written comes out the same however it was scanned; frames, shading and dust do not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocr.ink import find_ink
from ocr.network_input import (
    LINE_HEIGHT,
    LINE_MARGIN,
    LONGEST_LINE,
    SYMBOL_MARGIN,
    SYMBOL_SIDE,
    Direction,
    line_direction,
    line_strip,
    symbol_square,
)

Gray = np.ndarray[tuple[int, int], np.dtype[np.uint8]]


def paper(height: int = 90, width: int = 110, white: int = 235) -> Gray:
    return np.full((height, width), white, np.uint8)


def write(crop: Gray, text: str = "A", *, gray: int = 60, thickness: int = 2) -> Gray:
    """A letter in the middle, in single strokes."""
    (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 1.4, thickness)
    at = ((crop.shape[1] - width) // 2, (crop.shape[0] + height) // 2)
    cv2.putText(crop, text, at, cv2.FONT_HERSHEY_SIMPLEX, 1.4, gray, thickness, cv2.LINE_AA)
    return crop


def likeness(one: Gray, other: Gray) -> float:
    """Correlation of two squares, 1 for the same."""
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


PLAIN = symbol_square(find_ink(write(paper())))


@settings(max_examples=60, deadline=None)
@given(
    gray=st.integers(40, 170),
    white=st.integers(205, 255),
    slope=st.floats(-40, 40),
    noise=st.floats(0, 4),
    seed=st.integers(0, 2**16),
)
def test_the_same_writing_looks_the_same_on_any_paper(
    gray: int, white: int, slope: float, noise: float, seed: int
) -> None:
    crop = write(paper(white=white), gray=gray).astype(np.float64)
    crop += slope * np.linspace(-0.5, 0.5, crop.shape[1])
    crop += noise * np.random.default_rng(seed).standard_normal(crop.shape)
    seen = symbol_square(find_ink(np.clip(crop, 0, 255).astype(np.uint8)))
    assert likeness(seen, PLAIN) > 0.9


def test_light_writing_on_dark_is_the_same() -> None:
    assert likeness(symbol_square(find_ink(255 - write(paper()))), PLAIN) > 0.97


@pytest.mark.parametrize("frame_px", [0.0, 15.0])
def test_a_printed_frame_is_cut_away(frame_px: float) -> None:
    crop = write(paper(), gray=120)
    cv2.rectangle(crop, (12, 12), (97, 77), 40, 2)
    ink = find_ink(crop, frame_px)
    assert ink.left > 15
    assert ink.right < 95
    assert likeness(symbol_square(ink), PLAIN) > 0.85


def test_what_a_wrong_cut_leaves_of_a_frame_is_cut_away() -> None:
    crop = write(paper())
    crop[:2], crop[:, -2:] = 40, 40
    assert likeness(symbol_square(find_ink(crop)), PLAIN) > 0.9


@pytest.mark.parametrize("text", ["E", "="])
def test_long_strokes_in_a_crop_with_little_room_stay(text: str) -> None:
    whole = find_ink(write(paper(), text))
    tight = find_ink(np.pad(255 - whole.cut(), 4, constant_values=255))
    assert likeness(symbol_square(tight), symbol_square(whole)) > 0.8


def test_dust_far_away_does_not_count() -> None:
    crop = write(paper(200, 200))
    crop[5:7, 5:7] = 40
    ink = find_ink(crop)
    assert ink.top > 10
    assert ink.left > 10


def test_nothing_is_nothing() -> None:
    noise = np.random.default_rng(1).normal(235, 2, (90, 110)).clip(0, 255).astype(np.uint8)
    ink = find_ink(noise)
    assert ink.is_empty
    assert not symbol_square(ink).any()


def test_a_faint_stroke_is_something() -> None:
    ink = find_ink(write(paper(), gray=205))
    assert not ink.is_empty
    assert ink.height > 20


def test_dark_dust_does_not_hide_a_faint_stroke() -> None:
    crop = write(paper(), gray=205)
    for row, column in ((8, 9), (30, 90), (70, 20), (80, 100)):
        crop[row : row + 2, column : column + 2] = 30
    assert find_ink(crop).height > 20


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (200, 3), (7, 7), (3000, 40)])
def test_any_size_of_crop_is_taken(shape: tuple[int, int]) -> None:
    crop = np.random.default_rng(2).integers(0, 256, shape).astype(np.uint8)
    ink = find_ink(crop)
    assert symbol_square(ink).shape == (SYMBOL_SIDE, SYMBOL_SIDE)
    strip = line_strip(ink, line_direction(ink))
    assert LINE_HEIGHT in strip.shape
    assert max(strip.shape) <= LONGEST_LINE


def test_squares_keep_proportions() -> None:
    crop = paper()
    cv2.line(crop, (55, 20), (55, 70), 40, 3)
    square = symbol_square(find_ink(crop))
    rows, columns = np.flatnonzero(square.max(axis=1) > 90), np.flatnonzero(square.max(axis=0) > 90)
    assert rows[-1] - rows[0] + 1 == SYMBOL_SIDE - 2 * SYMBOL_MARGIN
    assert columns[-1] - columns[0] + 1 <= 4


def test_a_line_downward_is_the_line_to_the_right_turned() -> None:
    crop = write(paper(80, 300), "ABCDE")
    across = line_strip(find_ink(crop), Direction.HORIZONTAL)
    down = line_strip(find_ink(np.ascontiguousarray(crop.T)), Direction.VERTICAL)
    assert across.shape[0] == LINE_HEIGHT
    assert down.shape[1] == LINE_HEIGHT
    assert likeness(across, np.ascontiguousarray(down.T)) > 0.95
    assert line_direction(find_ink(np.ascontiguousarray(crop.T))) is Direction.VERTICAL


def test_a_lone_dash_stays_flat() -> None:
    crop = paper(80, 200)
    cv2.line(crop, (70, 40), (120, 40), 40, 3)
    strip = line_strip(find_ink(crop), Direction.HORIZONTAL)
    rows = np.flatnonzero(strip.max(axis=1) > 90)
    assert rows[-1] - rows[0] < (LINE_HEIGHT - 2 * LINE_MARGIN) / 3
