"""Two sheets side by side in one image, as on A3 paper that is folded to two A4 pages: both are read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from omr.design import Paper
from omr.errors import Trouble
from omr.page import Page
from omr.read_page import ReadingPlan
from omr.reading import PageReading, PageStatus, ReadingStatus
from omr.sheet_pair import read_image
from sample_scans.scanner import ScannerModel, scan
from tests.printed_sheets import DPI, OWNER, PrintedSheet, design_sheet, mark, print_sheet
from tests.test_read_command import School, school

if TYPE_CHECKING:
    from omr.pixels import Gray

__all__ = ["school"]

OTHER = replace(OWNER, student_id="2026-0313")


def _pair(paper: Paper = Paper.A4) -> tuple[PrintedSheet, list[Gray], list[str]]:
    """Two students' sheets of one exam, and the label that each marked in the first question."""
    sheets = [print_sheet(design_sheet(paper=paper), owner) for owner in (OWNER, OTHER)]
    pages, labels = [], []
    for number, sheet in enumerate(sheets):
        page = sheet.copy()
        bubble = next(one for one in sheet.layout.pages[0].questions if one.bubbles).bubbles[number]
        mark(page, bubble, seed=number)
        pages.append(page)
        labels.append(bubble.label)
    return sheets[0], pages, labels


def _read(sheet: PrintedSheet, image: Gray, dpi: float | None = 200.0) -> tuple[PageReading, ...]:
    page = Page(np.ascontiguousarray(image), (dpi, dpi) if dpi else None)
    return read_image(page, ReadingPlan(sheet.layout, sheet.design.exam_id))


def _first_answers(readings: tuple[PageReading, ...]) -> list[str]:
    found = []
    for reading in readings:
        assert reading.status is PageStatus.READ, reading.reason
        (first, *_) = (answer for answer in reading.answers if answer.kind.value == "choice")
        assert first.status is ReadingStatus.OK
        found.append(first.reading)
    return found


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
@pytest.mark.parametrize("dpi", [200.0, None])
def test_both_sheets_of_an_a3_image_are_read(turns: int, dpi: float | None) -> None:
    sheet, pages, labels = _pair()
    wide = np.hstack(pages)
    wide[:, wide.shape[1] // 2 - 1 : wide.shape[1] // 2 + 1] = 170  # the crease
    image = scan(wide, DPI, ScannerModel(dpi=200, skew_deg=0.7), np.random.default_rng(0))
    readings = _read(sheet, np.rot90(image, turns), dpi)
    expected = labels if turns in (0, 3) else labels[::-1]
    assert _first_answers(readings) == expected
    assert len({reading.code for reading in readings}) == 2
    assert [reading.registration.rotation for reading in readings if reading.registration] == [90 * turns] * 2


@pytest.mark.parametrize("turns", [(0, 2), (2, 0)])
def test_each_sheet_may_lie_its_own_way_up(turns: tuple[int, int]) -> None:
    sheet, pages, labels = _pair()
    model = ScannerModel(dpi=200)
    images = [
        np.rot90(scan(page, DPI, model, np.random.default_rng(0)), turn)
        for page, turn in zip(pages, turns, strict=True)
    ]
    assert _first_answers(_read(sheet, np.hstack(images))) == labels


def test_two_smaller_sheets_need_not_meet_in_the_middle() -> None:
    sheet, pages, labels = _pair(Paper.B5)
    model = ScannerModel(dpi=200)
    glass = np.full((round(297 * 200 / 25.4), round(420 * 200 / 25.4)), 128, np.uint8)
    left = 10
    for page in pages:
        image = scan(page, DPI, model, np.random.default_rng(0))
        glass[20 : 20 + image.shape[0], left : left + image.shape[1]] = image
        left += image.shape[1] + 30
    assert _first_answers(_read(sheet, glass)) == labels


def test_two_copies_of_a_blank_set_are_two_pages() -> None:
    sheet = print_sheet(design_sheet(), None)
    image = scan(np.hstack([sheet.copy()] * 2), DPI, ScannerModel(dpi=200), np.random.default_rng(0))
    readings = _read(sheet, image)
    assert [reading.status for reading in readings] == [PageStatus.READ] * 2


def test_a_pair_of_which_one_can_not_be_read_is_set_aside_whole() -> None:
    sheet, pages, _ = _pair()
    for fiducial in sheet.layout.pages[0].fiducials[:2]:
        x, y = (round(one * DPI / 25.4) for one in fiducial.centre)
        pages[1][y - 40 : y + 40, max(0, x - 40) : x + 40] = 255
    image = scan(np.hstack(pages), DPI, ScannerModel(dpi=200), np.random.default_rng(0))
    (reading,) = _read(sheet, image)
    assert reading.trouble is Trouble.TWO_SHEETS
    assert "1枚ずつ" in reading.reason


def test_three_sheets_are_not_taken_for_two() -> None:
    sheet, pages, _ = _pair(Paper.B5)
    third = print_sheet(design_sheet(paper=Paper.B5), replace(OWNER, student_id="2026-0314"))
    image = scan(np.hstack([*pages, third.copy()]), DPI, ScannerModel(dpi=200), np.random.default_rng(0))
    (reading,) = _read(sheet, image)
    assert reading.trouble is Trouble.TWO_SHEETS


def test_pages_csv_names_both_parts_and_the_crops_are_each_student_s(school: School) -> None:
    school.mark(0, "1", "イ")
    school.mark(1, "1", "エ")
    school.put("a.pdf", school.scan(2), np.hstack([school.scan(0), school.scan(1)]))
    assert school.read("--crops", "--roster", str(school.folder / "roster.csv")) == 0
    rows = [(row["page"], row["part"], row["status"]) for row in school.rows("pages.csv")]
    assert rows == [("1", "", "read"), ("2", "1", "read"), ("2", "2", "read")]
    answers = {(row["student"], row["question"]): row["reading"] for row in school.rows("answers.csv")}
    assert (answers["s-1", "1"], answers["s-2", "1"]) == ("イ", "エ")
    assert school.summary["pages"] == 3
    assert len(list((school.folder / "out" / "crops" / "1").iterdir())) == 3


def test_a_part_that_comes_again_alone_is_a_duplicate(school: School) -> None:
    pair = np.hstack([school.scan(0), school.scan(1)])
    school.put("a.pdf", pair, school.scan(1, 2))
    assert school.read() == 0
    assert [row["status"] for row in school.rows("pages.csv")] == ["read", "read", "duplicate"]
    assert "a.pdf#2-" not in school.rows("pages.csv")[2]["reason"]
    assert "a.pdf#1-2" in school.rows("pages.csv")[2]["reason"]
