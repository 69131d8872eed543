"""Images that are not just the sheet: read right all the same, or set aside with a reason that helps."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from omr.design import PAPER_SIZES_MM, Paper
from omr.errors import Trouble
from omr.layout import QuestionKind
from omr.page import Page
from omr.pixel_shape import make_pixels_square
from omr.read_page import ReadingPlan, read_page
from omr.reading import PageReading, PageStatus, ReadingStatus
from sample_scans.scanner import ScannerModel, scan
from tests.printed_sheets import DPI, OWNER, PrintedSheet, design_sheet, draw_line, mark, print_sheet
from tests.scan_files import encode, read_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from omr.pixels import Gray

SCAN_DPI = 200


def _fill(sheet: PrintedSheet, page: Gray) -> dict[str, str]:
    """Mark every choice question; the labels marked."""
    meant = {}
    questions = [one for one in sheet.layout.pages[0].questions if one.kind is QuestionKind.CHOICE]
    for number, question in enumerate(questions):
        bubble = question.bubbles[number % len(question.bubbles)]
        mark(page, bubble, seed=number)
        meant[question.id] = bubble.label
    return meant


def _filled(sheet: PrintedSheet, **scanner: float) -> tuple[Gray, dict[str, str]]:
    page = sheet.copy()
    meant = _fill(sheet, page)
    model = ScannerModel(dpi=SCAN_DPI, **scanner)  # type: ignore[arg-type]
    return scan(page, DPI, model, np.random.default_rng(1)), meant


def _read(sheet: PrintedSheet, page: Page) -> PageReading:
    return read_page(page, ReadingPlan(sheet.layout, sheet.design.exam_id))


def _check(reading: PageReading, meant: dict[str, str], least_sure: int = 8) -> None:
    assert reading.status is PageStatus.READ, reading.reason
    sure = 0
    for answer in reading.answers:
        if answer.question in meant and answer.status is not ReadingStatus.DOUBTFUL:
            assert answer.reading == meant[answer.question]
            sure += 1
    assert sure >= least_sure


def _glass(paper: Paper, background: int, dpi: int = SCAN_DPI) -> Gray:
    """An empty landscape scan of a whole glass."""
    high, wide = (round(side * dpi / 25.4) for side in PAPER_SIZES_MM[paper])
    noise = np.random.default_rng(0).normal(background, 2, (high, wide))
    return np.clip(noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("paper", [Paper.A4, Paper.B4, Paper.B5])
@pytest.mark.parametrize(
    ("turns", "corner", "background"),
    [(0, (0, 0), 250), (1, (0, 1), 128), (2, (1, 0), 5), (3, (1, 1), 250), (0, (1, 1), 5)],
)
def test_a_small_sheet_on_large_glass(
    paper: Paper, turns: int, corner: tuple[int, int], background: int
) -> None:
    sheet = print_sheet(design_sheet(paper=paper))
    image, meant = _filled(sheet, skew_deg=0.8)
    placed = np.rot90(image, turns)
    glass = _glass(Paper.A3, background)
    if placed.shape[0] > glass.shape[0]:
        glass = np.rot90(glass).copy()
    top = corner[0] * (glass.shape[0] - placed.shape[0])
    left = corner[1] * (glass.shape[1] - placed.shape[1])
    glass[top : top + placed.shape[0], left : left + placed.shape[1]] = placed
    dpi = (float(SCAN_DPI), float(SCAN_DPI)) if turns % 2 else None
    reading = _read(sheet, Page(glass, dpi))
    _check(reading, meant)
    assert reading.registration is not None
    assert reading.registration.rotation == 90 * turns


def test_a_small_sheet_with_a_crossed_code_on_large_glass() -> None:
    sheet = print_sheet(design_sheet(paper=Paper.B5))
    page = sheet.copy()
    meant = _fill(sheet, page)
    layout = sheet.layout.pages[0]
    for qr in (layout.qr, layout.second_qr):
        assert qr is not None
        draw_line(page, (qr.x + 2, qr.y + 2), (qr.right - 2, qr.bottom - 2), 0.6)
        draw_line(page, (qr.x, qr.y + 5), (qr.right, qr.y + 6), 0.6)
    image = scan(page, DPI, ScannerModel(dpi=SCAN_DPI), np.random.default_rng(1))
    glass = _glass(Paper.A3, 250)
    glass[40 : 40 + image.shape[0], 900 : 900 + image.shape[1]] = image
    for dpi in ((200.0, 200.0), None):
        _check(_read(sheet, Page(glass, dpi)), meant)


def _side_by_side(other: Gray) -> tuple[PrintedSheet, Gray]:
    first = print_sheet(design_sheet())
    model = ScannerModel(dpi=SCAN_DPI)
    images = [scan(page, DPI, model, np.random.default_rng(0)) for page in (first.copy(), other)]
    return first, np.hstack(images)


def test_two_sheets_side_by_side_are_set_aside_and_both_named() -> None:
    other = print_sheet(design_sheet(), replace(OWNER, student_id="2026-0313"))
    sheet, image = _side_by_side(other.copy())
    for turned in (image, np.rot90(image).copy(), np.rot90(image, 3).copy()):
        for dpi in (None, (200.0, 200.0)):
            reading = _read(sheet, Page(turned, dpi))
            assert reading.status is PageStatus.QUARANTINED
            assert reading.trouble == Trouble.TWO_SHEETS
            assert reading.reason.count("の1ページ目") == 2
            assert "1枚ずつ" in reading.reason


def test_a_second_sheet_without_a_code_is_noticed_too() -> None:
    second = print_sheet(design_sheet())
    page = second.copy()
    for qr in (second.layout.pages[0].qr, second.layout.pages[0].second_qr):
        assert qr is not None
        left, top, right, bottom = (round(one * DPI / 25.4) for one in (qr.x, qr.y, qr.right, qr.bottom))
        page[top:bottom, left:right] = 255
    sheet, image = _side_by_side(page)
    reading = _read(sheet, Page(image))
    assert reading.trouble == Trouble.TWO_SHEETS


@pytest.mark.parametrize("scale", [0.9, 0.94, 1.06, 1.1])
def test_sheets_printed_smaller_or_larger(scale: float) -> None:
    sheet = print_sheet(design_sheet())
    image, meant = _filled(sheet, scale=scale, skew_deg=-0.5)
    _check(_read(sheet, Page(image)), meant)


@pytest.mark.parametrize("cut", [3.0, 7.0, 10.0])
def test_margins_cut_off(cut: float) -> None:
    sheet = print_sheet(design_sheet())
    image, meant = _filled(sheet, cut_mm=cut)
    _check(_read(sheet, Page(image)), meant)


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_fax_resolution_is_made_square(turns: int, tmp_path: Path) -> None:
    sheet = print_sheet(design_sheet())
    image, meant = _filled(sheet)
    wide, high = round(210 / 25.4 * 204), round(297 / 25.4 * 98)
    turned = np.rot90(image, turns)
    if turns % 2:
        wide, high = round(297 / 25.4 * 204), round(210 / 25.4 * 98)
    fax = np.asarray(cv2.resize(turned, (wide, high), interpolation=cv2.INTER_AREA), np.uint8)
    page = read_bytes(encode(fax, "TIFF", dpi=(204, 98), compression="tiff_lzw"), tmp_path)
    assert page.dpi == (204, 204)
    _check(_read(sheet, page), meant)


def test_an_image_of_square_pixels_stays_whatever_its_file_says() -> None:
    image, _ = _filled(print_sheet(design_sheet()))
    for dpi in (None, (200.0, 200.0), (200.0, 100.0), (0.0, 200.0), (600.0, 72.0)):
        page = Page(image, dpi)
        assert make_pixels_square(page) is page


def test_fax_resolution_that_is_not_told_is_read_or_set_aside() -> None:
    sheet = print_sheet(design_sheet())
    image, meant = _filled(sheet)
    fax = np.ascontiguousarray(image[::2])
    reading = _read(sheet, Page(fax))
    if reading.status is PageStatus.READ:
        _check(reading, meant, 0)
    else:
        assert reading.reason
