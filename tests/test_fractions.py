"""Stacked fractions are told from everything else with a bar in it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ocr.fractions import find_fraction
from ocr.ink import find_ink

Gray = np.ndarray[tuple[int, int], np.dtype[np.uint8]]


def put(crop: Gray, text: str, x: int, y: int, size: float = 0.8) -> None:
    cv2.putText(crop, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, size, 40, 2, cv2.LINE_AA)


def fraction(numerator: str, denominator: str, before: str = "") -> Gray:
    crop = np.full((100, 160), 240, np.uint8)
    middle = 95
    for text, y in ((numerator, 40), (denominator, 82)):
        put(crop, text, middle - 8 * len(text), y)
    reach = 10 + 8 * max(len(numerator), len(denominator))
    cv2.line(crop, (middle - reach, 52), (middle + reach, 51), 40, 2)
    put(crop, before, 30, 62)
    return crop


@pytest.mark.parametrize(("numerator", "denominator"), [("3", "4"), ("12", "35"), ("1", "100"), ("125", "7")])
def test_a_stacked_fraction_is_cut_at_its_bar(numerator: str, denominator: str) -> None:
    found = find_fraction(find_ink(fraction(numerator, denominator)))
    assert found is not None
    assert found.before is None
    assert found.numerator.bottom <= found.denominator.top
    widths = found.numerator.width / len(numerator), found.denominator.width / len(denominator)
    assert widths[0] == pytest.approx(widths[1], rel=0.6)


@pytest.mark.parametrize("before", ["-", "2"])
def test_what_stands_before_it_is_kept_apart(before: str) -> None:
    found = find_fraction(find_ink(fraction("3", "4", before)))
    assert found is not None
    assert found.before is not None
    assert found.before.right <= found.numerator.left


@pytest.mark.parametrize("text", ["-5", "=", "7", "12", "2-3", "5.6", "+", "E", "Z", "x=3", "1/2"])
def test_other_bars_are_none(text: str) -> None:
    crop = np.full((80, 200), 240, np.uint8)
    put(crop, text, 40, 55, 1.2)
    assert find_fraction(find_ink(crop)) is None


def test_an_underlined_number_is_none() -> None:
    crop = np.full((80, 200), 240, np.uint8)
    put(crop, "48", 60, 50, 1.2)
    cv2.line(crop, (50, 65), (130, 65), 40, 2)
    assert find_fraction(find_ink(crop)) is None


def test_nothing_is_none() -> None:
    assert find_fraction(find_ink(np.full((80, 80), 240, np.uint8))) is None
