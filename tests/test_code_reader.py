"""Soiled codes are read as often as asked, and never wrong; pages without one say so."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest
import segno

from benchmarks.codes import CASES, Case, CodePages, count, print_pages
from omr.code_print import code_modules
from omr.code_sampling import function_patterns
from omr.errors import Trouble
from omr.page import Page
from omr.read_page import ReadingPlan, read_page
from omr.reading import PageStatus
from sample_scans.scanner import ScannerModel, scan
from tests.printed_sheets import DPI, design_sheet, print_sheet

print_once = cache(print_pages)
PAGES = 12


@pytest.fixture
def printed() -> CodePages:
    return print_once()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_soiled_codes(case: Case, printed: CodePages) -> None:
    counts = count(case, printed, PAGES, np.random.default_rng(5))
    assert counts.wrong == 0
    assert counts.right >= np.floor(case.least * PAGES)


def test_every_code_has_the_parts_that_are_drawn_anew() -> None:
    known, pattern = function_patterns()
    for text in ("S1" + "0" * 26, "S1" + "ABCDEFGH" * 3 + "JK"):
        modules = np.array([list(row) for row in code_modules(text)], bool)
        assert np.array_equal(modules[known], pattern[known])


def _with_foreign_code(page: np.ndarray, x_mm: float, y_mm: float) -> np.ndarray:
    modules = np.array(segno.make_qr("https://example.com/lesson/12", error="m").matrix)
    code = np.kron(np.where(np.pad(modules, 4) > 0, 0, 255), np.ones((7, 7))).astype(np.uint8)
    left, top = round(x_mm * DPI / 25.4), round(y_mm * DPI / 25.4)
    page[top : top + code.shape[0], left : left + code.shape[1]] = code
    return page


def test_another_code_on_the_page_changes_nothing_and_alone_is_named() -> None:
    sheet = print_sheet(design_sheet())
    plan = ReadingPlan(sheet.layout, sheet.design.exam_id)
    model = ScannerModel(skew_deg=0.4)
    page = _with_foreign_code(sheet.copy(), 150, 235)
    reading = read_page(Page(scan(page, DPI, model, np.random.default_rng(0))), plan)
    assert reading.code is not None
    plain = read_page(Page(scan(sheet.copy(), DPI, model, np.random.default_rng(0))), plan)
    assert reading.code == plain.code
    alone = _with_foreign_code(np.full_like(page, 255), 80, 80)
    reading = read_page(Page(scan(alone, DPI, model, np.random.default_rng(0))), plan)
    assert reading.trouble == Trouble.FOREIGN_CODE


def test_both_codes_gone_is_set_aside() -> None:
    sheet = print_sheet(design_sheet())
    page = sheet.copy()
    for box in (sheet.layout.pages[0].qr, sheet.layout.pages[0].second_qr):
        assert box is not None
        corners = np.rint(box.corners() * DPI / 25.4).astype(int)
        cv2.rectangle(page, corners[0].tolist(), corners[2].tolist(), 255, -1)
    plan = ReadingPlan(sheet.layout, sheet.design.exam_id)
    reading = read_page(Page(scan(page, DPI, ScannerModel(), np.random.default_rng(0))), plan)
    assert (reading.status, reading.trouble) == (PageStatus.QUARANTINED, Trouble.NO_CODE)
    assert "QRコードが読めず" in reading.reason
