"""Registration finds how a printed page lies, and says how well."""

import cv2
import numpy as np
import pytest

from omr.design import Orientation, Paper
from omr.geometry import apply
from omr.registration import register
from sample_scans.scanner import Condition, ScannerModel, draw_model, page_to_scan, scan
from tests.printed_sheets import DPI, PrintedSheet, design_sheet, print_sheet


def _error_mm(sheet: PrintedSheet, model: ScannerModel, seed: int = 0) -> tuple[float, float, int]:
    """Largest distance on the page between truth and registration, its residual, and the rotation found."""
    page = sheet.layout.pages[0]
    image = scan(sheet.copy(), DPI, model, np.random.default_rng(seed))
    found = register(image, page)[0]
    corners = np.array([(x, y) for x in (10, page.width - 10) for y in (10, page.height - 10)])
    truth = page_to_scan(model, page.width, page.height)
    apart = np.linalg.norm(apply(found.transform, corners) - apply(truth, corners), axis=1)
    return float(apart.max()) / (model.dpi / 25.4), found.residual_mm or 0.0, found.rotation or 0


@pytest.mark.parametrize("skew", [-5.0, -2.0, 0.0, 0.3, 3.0, 5.0])
@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_skewed_and_turned_pages_are_found_where_they_lie(skew: float, turns: int) -> None:
    sheet = print_sheet(design_sheet())
    error, residual, rotation = _error_mm(sheet, ScannerModel(skew_deg=skew, quarter_turns=turns))
    assert error < 0.3
    assert residual < 0.2
    assert rotation == (-90 * turns) % 360


@pytest.mark.parametrize("dpi", [150, 200, 300, 400, 600])
def test_every_resolution_is_read(dpi: int) -> None:
    error, _, _ = _error_mm(print_sheet(design_sheet()), ScannerModel(dpi=dpi, skew_deg=1.2))
    assert error < 0.25


@pytest.mark.parametrize("paper", list(Paper))
@pytest.mark.parametrize("orientation", list(Orientation))
@pytest.mark.parametrize("skew", [-4.5, 4.5])
def test_every_paper_is_found(paper: Paper, orientation: Orientation, skew: float) -> None:
    sheet = print_sheet(design_sheet(paper=paper, orientation=orientation))
    error, _, _ = _error_mm(sheet, ScannerModel(dpi=150, skew_deg=skew))
    assert error < 0.4


@pytest.mark.parametrize("condition", list(Condition))
def test_scanner_faults_do_not_move_the_page(condition: Condition) -> None:
    sheet = print_sheet(design_sheet())
    for seed in range(3):
        model = draw_model(condition, np.random.default_rng(seed))
        error, _, _ = _error_mm(sheet, model, seed)
        assert error < 0.4


@pytest.mark.parametrize("corner", range(4))
def test_a_covered_square_is_left_out(corner: int) -> None:
    sheet = print_sheet(design_sheet())
    page = sheet.layout.pages[0]
    image = scan(sheet.copy(), DPI, ScannerModel(skew_deg=1.0), np.random.default_rng(0))
    whole = register(image, page)[0]
    x, y = apply(whole.transform, np.array(page.fiducials[corner].centre))
    cv2.circle(image, (round(float(x)) + 12, round(float(y))), 30, 245, -1)
    found = register(image, page)[0]
    assert found.marks == whole.marks - 1
    assert (
        np.abs(
            apply(found.transform, page.fiducials[corner].corners())
            - apply(whole.transform, page.fiducials[corner].corners())
        ).max()
        < 3
    )


def test_a_page_without_squares_has_no_registration() -> None:
    page = print_sheet(design_sheet()).layout.pages[0]
    noise = np.random.default_rng(0).integers(0, 255, (2339, 1654)).astype(np.uint8)
    assert register(noise, page) == []
    assert register(np.full((2339, 1654), 250, np.uint8), page) == []
    assert register(np.full((3, 3), 250, np.uint8), page) == []
