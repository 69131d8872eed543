"""`saiten read`: scans in, result files out, no server."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from api.crop_files import CROPS_FOLDER, CropFiles
from api.handwriting import open_reader
from api.page_workers import PAGE_SECONDS, PageTask, WorkerSettings, start_page_workers
from api.print_learning import learn_print, remark_on_print
from api.run_lock import hold_folder
from api.scan_inputs import list_scans
from omr.choices import MarkRules
from omr.compose import compose_layout
from omr.errors import InputError
from omr.layout import read_layout
from omr.mark_lines import MarkLines
from omr.read_page import Crops, Handwriting, ReadingPlan, set_aside
from omr.reading import PageReading
from omr.reference import load_reference
from omr.scan_file import DecodeLimits
from scoring.exam import design_sheet
from scoring.exam_file import read_exam
from scoring.handwriting import read_handwriting
from scoring.intake import sort_pages
from scoring.layout_check import check_layout
from scoring.page_records import ScannedPage
from scoring.results import ReadResults, write_results
from scoring.roster import read_roster

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from api.page_workers import PageWorkers
    from api.scan_inputs import ScanInput
    from ocr.handwriting import HandwritingReader
    from omr.errors import PageSetAside
    from omr.layout import Layout
    from omr.pixels import Gray
    from scoring.exam import Exam
    from scoring.roster import Roster


_PAGES_AT_ONCE = 32
"""Written answers are read from so many pages together: the pictures of more are never kept."""
_LEAST_PERCENT, _MOST_PERCENT = 50, 200


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
        limits: on what a scan file may ask for.
        page_seconds: after which a page is given up.
        enlarged: sizes of enlarged copies of an own sheet among the scans (1.41 for 141 %).
        model_threads: of one run of a model that reads handwriting.
    """

    exam: Path
    scans: Sequence[Path]
    out: Path
    layout: Path | None = None
    roster: Path | None = None
    workers: int | None = None
    crops: Crops = Crops.NONE
    password: str | None = None
    limits: DecodeLimits = field(default_factory=DecodeLimits)
    page_seconds: float = PAGE_SECONDS
    enlarged: tuple[float, ...] = ()
    model_threads: int = 1


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is."""

    pages: int
    of: int


def parse_scales(text: str) -> tuple[float, ...]:
    """Sizes of copies from percentages such as `122,141`.

    Raises:
        InputError: one of them is no percentage from 50 to 200.
    """
    sizes = []
    for part in text.replace("%", "").split(",") if text else ():
        percent = float(part) if part.strip().replace(".", "", 1).isdigit() else 0.0
        if not _LEAST_PERCENT <= percent <= _MOST_PERCENT:
            raise InputError(
                f"--scale の「{part}」は倍率として読めません。50 から 200 までの数（％）を、122,141 のように書いてください。"
            )
        sizes.append(percent / 100)
    return tuple(sizes)


def read_scans(request: ReadRequest, report: Callable[[Progress], None] = lambda _: None) -> ReadResults:
    """Read all scans of an exam and write the result files.

    Args:
        request: what to read.
        report: called after every page.

    Raises:
        InputError: an input that the whole run depends on is missing or wrong.
    """
    with start_reading(request) as run:
        if not run.given:
            raise InputError(
                "スキャンのファイル（PDF・TIFF・JPEG・PNG）が見つかりません。フォルダーを確かめてください。"
                if request.scans
                else "読み取るスキャンの指定がありません。EXAM.toml の後に、スキャンのファイルかフォルダーを指定してください。"
            )
        run.read(run.given, report)
        return run.write()


@contextmanager
def start_reading(request: ReadRequest) -> Iterator[ReadingRun]:
    """Check the inputs and start the workers; nothing is read yet.

    Args:
        request: what to read; its scans are listed, for the caller to give to the run.

    Raises:
        InputError: an input that the whole run depends on is missing or wrong.
    """
    exam, layout = _read_exam(request)
    roster = read_roster(request.roster) if request.roster else None
    given = tuple(list_scans(request.scans, request.out / CROPS_FOLDER))
    _prepare_folder(request.out)
    rules = MarkRules(lines=MarkLines(cancelled_marks=exam.cancelled_marks))
    handwriting = open_reader(exam, request.model_threads)
    plan = ReadingPlan(
        layout,
        exam.id,
        request.crops,
        Handwriting.LEFT if handwriting.reader is None else Handwriting.READ,
        rules,
        _reference(layout, request.layout),
        enlarged=request.enlarged,
    )
    if plan.reference:
        _ = plan.own_sheet  # worked out once for all workers; a sheet with too little print ends the run here
    settings = WorkerSettings(plan, request.limits, request.password)
    count = request.workers or os.cpu_count() or 1
    with hold_folder(request.out):
        if plan.must_learn_print and given:
            settings = learn_print(settings, count, [scan.path for scan in given])
        with (
            start_page_workers(settings, count, request.page_seconds) as workers,
            CropFiles(request.out, request.crops) as crops,
        ):
            remark = "\n".join(filter(None, (remark_on_print(settings.plan), handwriting.remark)))
            inputs = RunInputs(exam, layout, roster, given, request.out, remark)
            yield ReadingRun(inputs, workers, crops, handwriting.reader)


@dataclass(frozen=True, slots=True)
class RunInputs:
    """What a run starts with: exam, layout and roster, the scans given by name, the folder of its results, a remark."""

    exam: Exam
    layout: Layout
    roster: Roster | None
    scans: tuple[ScanInput, ...]
    out: Path
    remark: str = ""


class ReadingRun:
    """A run that is given files in turn; each `write` replaces the results by those of all pages so far.

    Made by `start_reading`.
    """

    def __init__(
        self, inputs: RunInputs, workers: PageWorkers, crops: CropFiles, reader: HandwritingReader | None
    ) -> None:
        self._inputs, self._workers, self._crops, self._reader = inputs, workers, crops, reader
        self._scanned: list[ScannedPage] = []
        self._tasks: dict[str, PageTask] = {}
        self._same: dict[tuple[str, str], bool] = {}
        self._seconds = 0.0
        self._written = 0

    @property
    def given(self) -> tuple[ScanInput, ...]:
        """The scans of the request."""
        return self._inputs.scans

    def read(self, scans: Sequence[ScanInput], report: Callable[[Progress], None] = lambda _: None) -> None:
        """Read all pages of files, in order.

        Args:
            scans: the files; no two files of a run have the same source, but for one set aside before.
            report: called after every page.
        """
        start = time.perf_counter()
        for scan in scans:
            self._forget(scan.source)
        counts = self._workers.count_pages([scan.path for scan in scans])
        tasks: list[PageTask] = []
        for scan, pages in zip(scans, counts, strict=True):
            if isinstance(pages, int):
                tasks += [PageTask(scan.path, index) for index in range(pages)]
        readings = self._workers.read(tasks)
        done = 0
        for scan, pages in zip(scans, counts, strict=True):
            if isinstance(pages, PageReading):
                self._scanned.append(ScannedPage(scan.source, 0, pages))
                continue
            for index in range(pages):
                sheets = next(readings)
                for part, reading in enumerate(sheets, 1 if len(sheets) > 1 else 0):
                    page = self._crops.keep(ScannedPage(scan.source, index + 1, reading, part))
                    self._tasks[page.place] = PageTask(scan.path, index, part)
                    self._scanned.append(page)
                done += 1
                self._read_handwriting(_PAGES_AT_ONCE)
                report(Progress(done, len(tasks)))
        self._read_handwriting(1)
        self._seconds += time.perf_counter() - start

    def set_aside(self, source: str, aside: PageSetAside) -> None:
        """Note a file that is not read; when it is read later, this is forgotten."""
        self._forget(source)
        self._scanned.append(ScannedPage(source, 0, set_aside(aside)))

    def write(self) -> ReadResults:
        """Sort out all pages so far and write the result files."""
        start = time.perf_counter()
        given = self._inputs
        intake = sort_pages(self._scanned, given.roster, len(given.layout.pages), self._have_same_content)
        self._seconds += time.perf_counter() - start
        self._crops.prepare(intake)
        results = ReadResults(
            given.exam,
            given.layout,
            given.roster,
            intake,
            self._seconds,
            given.remark,
            None if self._reader is None else self._reader.label,
        )
        write_results(results, given.out)
        self._crops.publish()
        return results

    def _read_handwriting(self, least: int) -> None:
        """Read the written answers of the pages that wait for it, if there are so many."""
        if self._reader is None or len(self._scanned) - self._written < least:
            return
        waiting = self._scanned[self._written :]
        self._scanned[self._written :] = read_handwriting(self._reader, self._inputs.exam, waiting)
        self._written = len(self._scanned)

    def _forget(self, source: str) -> None:
        self._scanned = [page for page in self._scanned if page.source != source or page.page]
        self._written = len(self._scanned)

    def _have_same_content(self, one: ScannedPage, other: ScannedPage) -> bool:
        pair = one.place, other.place
        if pair not in self._same:
            first, second = self._tasks[one.place], self._tasks[other.place]
            self._same[pair] = self._workers.compare((first, one.reading), (second, other.reading))
        return self._same[pair]


def _read_exam(request: ReadRequest) -> tuple[Exam, Layout]:
    exam = read_exam(request.exam)
    if request.layout is None:
        return exam, compose_layout(design_sheet(exam))
    layout = read_layout(request.layout)
    check_layout(exam, layout, request.layout)
    return exam, layout


def _reference(layout: Layout, path: Path | None) -> tuple[Gray, ...]:
    """The empty sheet of a layout without a code; nothing where pages are found in another way."""
    if path is None or layout.reference is None or layout.has_code:
        return ()
    return load_reference(layout, path)


def _prepare_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=out):
            pass  # nothing is read before it is known that there is a place for the results
    except OSError as error:
        raise InputError(
            f"{out} に結果のフォルダーを作れないか、書き込めません。同じ名前のファイルがないか、書き込みできる場所かを確かめてください。"
        ) from error
