"""Worker processes: order kept, and a worker that dies or hangs costs at most the page that it was on."""

from __future__ import annotations

import multiprocessing
import os
import signal
from typing import TYPE_CHECKING

import img2pdf
import numpy as np
import pytest

from api.page_workers import PageTask, WorkerSettings, start_page_workers
from omr.crops import encode_jpeg
from omr.decode_limits import DecodeLimits
from omr.read_page import ReadingPlan
from omr.reading import PageReading, PageStatus
from sample_scans.scanner import ScannerModel, scan
from tests.printed_sheets import DPI, design_sheet, print_sheet

if TYPE_CHECKING:
    from pathlib import Path

PAGES = 60


@pytest.fixture
def pile(tmp_path: Path) -> list[PageTask]:
    """A PDF of sheets with an empty back after every third."""
    sheet = print_sheet(design_sheet())
    page = encode_jpeg(scan(sheet.copy(), DPI, ScannerModel(dpi=150), np.random.default_rng(0)))
    back = encode_jpeg(np.full((1754, 1240), 245, np.uint8))
    path = tmp_path / "pile.pdf"
    path.write_bytes(img2pdf.convert([back if n % 4 == 3 else page for n in range(PAGES)]))
    return [PageTask(path, index) for index in range(PAGES)]


def _settings() -> WorkerSettings:
    sheet = print_sheet(design_sheet())
    return WorkerSettings(ReadingPlan(sheet.layout, sheet.design.exam_id), DecodeLimits())


def _expected(number: int) -> PageStatus:
    return PageStatus.BLANK if number % 4 == 3 else PageStatus.READ


def test_results_come_in_order_from_several_workers(pile: list[PageTask]) -> None:
    with start_page_workers(_settings(), 2) as workers:
        assert workers.count_pages([pile[0].path]) == [PAGES]
        readings = [reading for (reading,) in workers.read(pile)]
    assert [reading.status for reading in readings] == [_expected(n) for n in range(PAGES)]


def test_a_killed_worker_loses_no_page(pile: list[PageTask]) -> None:
    with start_page_workers(_settings(), 2) as workers:
        readings: list[PageReading] = []
        for (reading,) in workers.read(pile * 4):
            readings.append(reading)
            if len(readings) in (10, 70, 150):
                multiprocessing.active_children()[0].kill()
    assert len(readings) == 4 * PAGES
    assert [reading.status for reading in readings] == [_expected(n) for n in range(PAGES)] * 4


@pytest.mark.system
def test_a_hung_worker_is_replaced_and_its_pages_read_again(pile: list[PageTask]) -> None:
    def freeze_the_worker() -> None:
        """Stop the worker in the middle of its batch, as an endless loop in a decoder would."""
        (child,) = multiprocessing.active_children()
        assert child.pid is not None
        os.kill(child.pid, signal.SIGSTOP)

    with start_page_workers(_settings(), 1, seconds=3.0) as workers:
        readings: list[PageReading] = []
        for (reading,) in workers.read(pile):
            if not readings:
                freeze_the_worker()
            readings.append(reading)
    assert [reading.status for reading in readings] == [_expected(n) for n in range(PAGES)]
