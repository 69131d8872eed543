"""Reading many pages in worker processes: each page once, in order, whatever happens to a worker.

Scan files come from outside, so they are opened only in workers. A page at which a worker hangs or dies is
set aside; all others are read.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import cv2

from api.worker_pool import Failure, WorkerPool
from omr.errors import PageSetAside, Trouble
from omr.learn_print import straighten_page
from omr.read_page import Crops, Handwriting, ReadingPlan, read_page, set_aside
from omr.same_page import have_same_content, have_same_marks
from omr.scan_file import DecodeLimits, ScanFile, open_scan
from omr.sheet_pair import open_page, read_image

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from omr.pixels import Gray
    from omr.reading import PageReading

Result = TypeVar("Result")

BATCH_PAGES = 16
"""Pages a worker takes at a time: few enough for steady progress, many enough to keep the overhead small."""
PAGE_SECONDS = 60.0
"""A page (or a batch) that takes longer is taken for hung; a usual page takes some ten milliseconds."""
_TOO_LONG = PageSetAside(
    Trouble.TIMEOUT,
    "読み取りに時間がかかりすぎたため、とばしました。このページだけスキャンし直すか、--page-seconds を増やしてください。",
)
_CRASHED = PageSetAside(
    Trouble.CRASH, "このページの読み取り中に処理が異常終了したため、とばしました。スキャンし直してください。"
)


@dataclass(frozen=True, slots=True)
class PageTask:
    """One image of a file to read.

    Attributes:
        path: of the file.
        index: from 0.
        part: 1 or 2 where one of two sheets in the image is meant; 0 for all of it.
    """

    path: Path
    index: int
    part: int = 0


@dataclass(frozen=True, slots=True)
class StraightPage:
    """A scanned page made upright, from `straighten_page`, and which page of the layout it is, from 1."""

    number: int
    picture: Gray


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """What every worker is started with."""

    plan: ReadingPlan
    limits: DecodeLimits
    password: str | None = None


class PageWorkers:
    """Worker processes for the pages of one exam; made by `start_page_workers`."""

    def __init__(self, pool: WorkerPool) -> None:
        self._pool = pool

    def count_pages(self, paths: Sequence[Path]) -> list[int | PageReading]:
        """The number of pages of each file, or why the file can't be opened."""
        return [_or_set_aside(outcome) for outcome in self._pool.map(_count_pages, paths)]

    def read(self, tasks: Sequence[PageTask]) -> Iterator[tuple[PageReading, ...]]:
        """Read whole images, one reading for each sheet in them; results come in the order of the tasks."""
        for outcome in self._pool.map(_read_image, tasks, BATCH_PAGES):
            readings = _or_set_aside(outcome)
            yield readings if isinstance(readings, tuple) else (readings,)

    def straighten(self, tasks: Sequence[PageTask]) -> Iterator[StraightPage | None]:
        """Pages of this exam made upright; None for those that can't be read."""
        for outcome in self._pool.map(_straighten, tasks):
            yield None if isinstance(outcome, Failure) else outcome

    def compare(self, one: tuple[PageTask, PageReading], other: tuple[PageTask, PageReading]) -> bool:
        """Whether two scans of the same printed page show the same content; False where that can't be told."""
        (outcome,) = self._pool.map(_compare_pages, [(one, other)])
        return outcome is True


@contextmanager
def start_page_workers(
    settings: WorkerSettings, count: int, seconds: float = PAGE_SECONDS
) -> Iterator[PageWorkers]:
    """Start worker processes and wait until they are ready; they end with the context.

    Args:
        settings: what they are started with.
        count: how many.
        seconds: after which a page or a batch is taken for hung.
    """
    with WorkerPool(count, _prepare, settings, seconds) as pool:
        yield PageWorkers(pool)


def _or_set_aside(outcome: Result | Failure) -> Result | PageReading:
    match outcome:
        case Failure.HUNG:
            return set_aside(_TOO_LONG)
        case Failure.DIED:
            return set_aside(_CRASHED)
        case _:
            return outcome


class _Worker:
    """What a worker process keeps between calls: its settings and the file it read last."""

    settings: WorkerSettings
    path: Path | None = None
    scan: ScanFile | None = None


def _prepare(settings: WorkerSettings) -> None:
    cv2.setNumThreads(1)
    _Worker.settings = settings
    _ = settings.plan.pages  # worked out before the first page comes
    gc.freeze()  # what is there now stays: no collection need look at it again


def _open(path: Path) -> ScanFile:
    """The scan file, kept open until another one is asked for."""
    if _Worker.path != path or _Worker.scan is None:
        if _Worker.scan is not None:
            _Worker.scan.close()
        _Worker.path, _Worker.scan = None, None
        _Worker.scan = open_scan(path, _Worker.settings.limits, _Worker.settings.password)
        _Worker.path = path
    return _Worker.scan


def _count_pages(path: Path) -> int | PageReading:
    try:
        return _open(path).page_count
    except PageSetAside as aside:
        return set_aside(aside)


def _read_image(task: PageTask) -> tuple[PageReading, ...]:
    try:
        page = _open(task.path).read_page(task.index)
    except PageSetAside as aside:
        return (set_aside(aside),)
    return read_image(page, _Worker.settings.plan, task.index)


def _decode(task: PageTask) -> Gray:
    """The pixels of a page that was read before."""
    frame = _Worker.settings.plan.layout.pages[0]
    return open_page(_open(task.path), task.index, task.part, frame).gray


def _straighten(task: PageTask) -> StraightPage | None:
    plan = replace(_Worker.settings.plan, crops=Crops.NONE, handwriting=Handwriting.LEFT)
    try:
        page = _open(task.path).read_page(task.index)
    except PageSetAside:
        return None
    reading = read_page(page, plan, task.index)
    if reading.registration is None or reading.sheet_page is None:
        return None
    layout = plan.layout.pages[reading.sheet_page - 1]
    return StraightPage(layout.number, straighten_page(page.gray, reading.registration, layout))


def _compare_pages(pair: tuple[tuple[PageTask, PageReading], tuple[PageTask, PageReading]]) -> bool:
    one, other = pair
    if not have_same_marks(one[1], other[1]):
        return False
    pictures = []
    for task, reading in (one, other):
        try:
            pictures.append((_decode(task), reading.registration))
        except PageSetAside:
            return False
    (gray, registration), (other_gray, other_registration) = pictures
    sheet_page = one[1].sheet_page
    if registration is None or other_registration is None or sheet_page is None:
        return False
    layout = _Worker.settings.plan.layout.pages[sheet_page - 1]
    return have_same_content(gray, registration, other_gray, other_registration, layout)
