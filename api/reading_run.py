"""`saiten read`: scans in, result files out, no server."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from api.crop_files import CropFiles
from api.page_workers import PageTask, WorkerSettings, start_page_workers
from api.scan_inputs import ScanInput, list_scans
from omr.compose import compose_layout
from omr.errors import InputError
from omr.layout import Layout, read_layout
from omr.read_page import Crops, ReadingPlan
from omr.reading import PageReading
from omr.reference import load_reference
from omr.scan_file import DecodeLimits
from scoring.exam import design_sheet
from scoring.exam_file import read_exam
from scoring.intake import Intake, ScannedPage, sort_pages
from scoring.layout_check import check_layout
from scoring.results import ReadResults, write_results
from scoring.roster import read_roster

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from api.page_workers import PageWorkers
    from omr.pixels import Gray
    from scoring.roster import Roster


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """What to read, and how.

    Attributes:
        exam: EXAM.toml.
        scans: files and folders.
        out: folder of the results; made if it is not there.
        layout: LAYOUT.json, None where the layout follows from the exam.
        roster: ROSTER.csv, None where nobody is known.
        workers: worker processes; None for one a core.
        crops: whether the pictures of the answers are kept.
        password: of encrypted PDF files.
    """

    exam: Path
    scans: Sequence[Path]
    out: Path
    layout: Path | None = None
    roster: Path | None = None
    workers: int | None = None
    crops: Crops = Crops.NONE
    password: str | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is."""

    pages: int
    of: int


def read_scans(request: ReadRequest, report: Callable[[Progress], None] = lambda _: None) -> ReadResults:
    """Read all scans of an exam and write the result files.

    Args:
        request: what to read.
        report: called after every page.

    Raises:
        InputError: an input that the whole run depends on is missing or wrong.
    """
    exam = read_exam(request.exam)
    if request.layout is None:
        layout = compose_layout(design_sheet(exam))
    else:
        layout = read_layout(request.layout)
        check_layout(exam, layout, request.layout)
    roster = read_roster(request.roster) if request.roster else None
    inputs = list_scans(request.scans)
    if not inputs.scans:
        raise InputError(
            "スキャンのファイル（PDF・TIFF・JPEG・PNG）が見つかりません。フォルダーを確かめてください。"
        )
    _prepare_folder(request.out)
    plan = ReadingPlan(layout, exam.id, request.crops, reference=_reference(layout, request.layout))
    if plan.reference:
        _ = plan.own_sheet  # worked out once for all workers; a sheet with too little print ends the run here
    settings = WorkerSettings(plan, DecodeLimits(), request.password)
    count = request.workers or os.cpu_count() or 1
    with start_page_workers(settings, count) as workers, CropFiles(request.out, request.crops) as crops:
        start = time.perf_counter()
        scanned, tasks = _read_all(workers, inputs.scans, crops, report)
        intake = _sort(scanned, tasks, roster, layout, workers)
        seconds = time.perf_counter() - start
        crops.place(intake)
        results = ReadResults(exam, layout, roster, intake, seconds)
        write_results(results, request.out)
    return results


def _reference(layout: Layout, path: Path | None) -> tuple[Gray, ...]:
    """The empty sheet of a layout without a code; nothing where pages are found in another way."""
    if path is None or layout.reference is None or layout.has_code:
        return ()
    return load_reference(layout, path)


def _prepare_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{out} に結果のフォルダーを作れません。同じ名前のファイルがないか、書き込みできる場所かを確かめてください。"
        ) from error


def _read_all(
    workers: PageWorkers, scans: Sequence[ScanInput], crops: CropFiles, report: Callable[[Progress], None]
) -> tuple[list[ScannedPage], dict[str, PageTask]]:
    """All pages of all files, in order, and the task behind each page's place."""
    counts = workers.count_pages([scan.path for scan in scans])
    tasks: list[PageTask] = []
    for scan, pages in zip(scans, counts, strict=True):
        if isinstance(pages, int):
            tasks += [PageTask(scan.path, index) for index in range(pages)]
    readings = workers.read(tasks)
    scanned: list[ScannedPage] = []
    by_place: dict[str, PageTask] = {}
    for scan, pages in zip(scans, counts, strict=True):
        if isinstance(pages, PageReading):
            scanned.append(ScannedPage(scan.source, 0, pages))
            continue
        for index in range(pages):
            page = ScannedPage(scan.source, index + 1, crops.keep(scan.source, index + 1, next(readings)))
            by_place[page.place] = PageTask(scan.path, index)
            scanned.append(page)
            report(Progress(len(by_place), len(tasks)))
    return scanned, by_place


def _sort(
    scanned: Sequence[ScannedPage],
    tasks: dict[str, PageTask],
    roster: Roster | None,
    layout: Layout,
    workers: PageWorkers,
) -> Intake:
    def same_content(one: ScannedPage, other: ScannedPage) -> bool:
        return workers.compare((tasks[one.place], one.reading), (tasks[other.place], other.reading))

    return sort_pages(scanned, roster, len(layout.pages), same_content)
