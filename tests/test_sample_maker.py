"""The sample exam's maker: pens leave the ink they should, scans lie where they say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from omr.geometry import apply
from sample_scans.bubble_fillings import MARKED, Filling, draw_filling
from sample_scans.scanner import Condition, Gray, ScannerModel, draw_model, page_to_scan, scan

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sample_scans.pens import Canvas

BUBBLE_MM = (4.6, 3.0)


def fill(filling: Filling, seed: int, pixels_per_mm: float = 8.0) -> NDArray[np.float32]:
    """A white 14 mm square with one filling in its middle."""
    side = round(14 * pixels_per_mm)
    canvas = np.full((side, side), 255, np.float32)
    draw(canvas, filling, seed, pixels_per_mm)
    return canvas


def draw(canvas: Canvas, filling: Filling, seed: int, pixels_per_mm: float) -> None:
    centre = ((canvas.shape[1] - 1) / 2, (canvas.shape[0] - 1) / 2)
    size = (BUBBLE_MM[0] * pixels_per_mm, BUBBLE_MM[1] * pixels_per_mm)
    draw_filling(canvas, centre, size, filling, np.random.default_rng(seed), pixels_per_mm)


def oval(pixels_per_mm: float = 8.0) -> NDArray[np.bool_]:
    side = round(14 * pixels_per_mm)
    y, x = (np.mgrid[:side, :side] - (side - 1) / 2) / pixels_per_mm
    return np.asarray((2 * x / BUBBLE_MM[0]) ** 2 + (2 * y / BUBBLE_MM[1]) ** 2 <= 1)


def inks(filling: Filling, count: int = 60) -> NDArray[np.float64]:
    """Mean ink inside the oval, 0 to 1, for many pupils."""
    inside = oval()
    return np.array([1 - fill(filling, seed)[inside].mean() / 255 for seed in range(count)])


@pytest.mark.parametrize("filling", Filling)
@pytest.mark.parametrize("pixels_per_mm", [6.0, 24.0])
def test_same_seed_same_ink_at_any_scale(filling: Filling, pixels_per_mm: float) -> None:
    first = fill(filling, 5, pixels_per_mm)
    assert np.array_equal(first, fill(filling, 5, pixels_per_mm))
    assert (first.min() < 250) == (filling is not Filling.EMPTY)


def test_marked_fillings_carry_more_ink_than_the_others() -> None:
    assert inks(Filling.FULL).min() > 0.3
    assert inks(Filling.LIGHT).min() > 0.17
    assert inks(Filling.ERASED).max() < 0.13
    assert inks(Filling.LIGHT).min() > 1.5 * inks(Filling.ERASED).max()
    assert inks(Filling.DUST).max() < 0.03
    assert inks(Filling.NEXT_TO).max() == 0
    assert Filling.CIRCLED in MARKED
    assert inks(Filling.CIRCLED).mean() < 0.02  # the ring stands around the bubble


def test_dots_stay_under_a_millimetre() -> None:
    for seed in range(60):
        ys, xs = np.nonzero(fill(Filling.DOT, seed, 24.0) < 200)
        assert max(np.ptp(ys), np.ptp(xs)) / 24 < 1.0


def test_half_covers_about_half() -> None:
    inside = oval()
    shares = [(fill(Filling.HALF, seed)[inside] < 215).mean() for seed in range(60)]
    assert 0.4 < np.mean(shares) < 0.65


def test_ink_at_the_edge_of_the_canvas_is_cut_off() -> None:
    canvas = np.full((40, 40), 255, np.uint8)
    draw_filling(canvas, (-200.0, 10.0), (37, 24), Filling.FULL, np.random.default_rng(1), 8.0)
    assert canvas.min() == 255
    draw_filling(canvas, (0.0, 0.0), (37, 24), Filling.FULL, np.random.default_rng(1), 8.0)
    assert canvas[0, 0] < 200


def dotted_page() -> tuple[Gray, NDArray[np.float64]]:
    """A 100 × 140 mm page at 300 dpi with four round marks, and their places in mm."""
    page = np.full((1654, 1181), 255, np.uint8)
    places = np.array([(20.0, 20.0), (80.0, 20.0), (80.0, 120.0), (30.0, 120.0)])
    for x, y in places:
        at = np.rint(np.array([x, y]) * 300 / 25.4 * 16 - 8).astype(int)
        cv2.circle(page, (int(at[0]), int(at[1])), 30 * 16, 0, -1, cv2.LINE_AA, 4)
    return page, places


def found_marks(image: Gray, expected: NDArray[np.float64], reach: int = 40) -> NDArray[np.float64]:
    """Centres of gravity of the dark pixels around the expected places."""
    found = []
    for x, y in np.rint(expected).astype(int):
        left, top = max(x - reach, 0), max(y - reach, 0)
        window = 255.0 - image[top : y + reach, left : x + reach]
        window[window < 100] = 0
        ys, xs = np.mgrid[: window.shape[0], : window.shape[1]]
        found.append((left + (xs * window).sum() / window.sum(), top + (ys * window).sum() / window.sum()))
    return np.array(found)


@pytest.mark.parametrize("condition", Condition)
def test_scans_lie_where_page_to_scan_says(condition: Condition) -> None:
    page, places = dotted_page()
    random = np.random.default_rng(11)
    model = draw_model(condition, random)
    image = scan(page, 300, model, random)
    expected = apply(page_to_scan(model, 1181 / 300 * 25.4, 1654 / 300 * 25.4), places)
    found = found_marks(image, expected, round(6 * model.dpi / 25.4))
    assert np.abs(found - expected).max() < 0.12 * model.dpi / 25.4


def test_skew_is_clockwise_positive() -> None:
    page, _ = dotted_page()
    model = ScannerModel(skew_deg=3.0)
    corners = apply(page_to_scan(model, 100, 140), np.array([(20.0, 20.0), (80.0, 20.0)]))
    (x, y) = corners[1] - corners[0]
    assert np.rad2deg(np.arctan2(y, x)) == pytest.approx(3.0)
    assert scan(page, 300, model, np.random.default_rng(0)).shape == (1103, 787)


def test_bilevel_keeps_light_pencil_and_drops_erased() -> None:
    inside = oval()
    kept: list[float] = []
    dropped: list[float] = []
    for seed in range(12):
        random = np.random.default_rng(seed)
        model = ScannerModel(bilevel=draw_model(Condition.BILEVEL, random).bilevel, threshold=0.82)
        for filling, shares in ((Filling.LIGHT, kept), (Filling.ERASED, dropped)):
            canvas = np.full((112, 112), 255, np.uint8)
            draw(canvas, filling, seed, 8.0)
            image = scan(canvas, 8 * 25.4, model, random)
            assert set(np.unique(image)) <= {0, 255}
            level = np.asarray(cv2.resize(image, inside.shape, interpolation=cv2.INTER_NEAREST))
            shares.append(float((level[inside] == 0).mean()))
    assert min(kept) > 0.35
    assert max(dropped) < 0.15


def test_the_same_seed_gives_the_same_scan() -> None:
    page, _ = dotted_page()
    images = []
    for _ in range(2):
        random = np.random.default_rng(7)
        images.append(scan(page, 300, draw_model(Condition.DUSTY, random), random))
    assert np.array_equal(images[0], images[1])
