"""How fast pages are read: against decoding alone, by stage, with more workers, and with how much memory.

    uv run python -m benchmarks.reading [--pages N] [--rounds R] [--only speed|own|workers|memory]

One A4 page holds 60 bubbles in 12 questions, 10 written boxes and the codes. *Speed* goes from bytes in
memory to readings and encoded crops on one core, against the decoding of the same bytes in the same run;
a ratio of 1 would mean that reading is free. *Own* does the same with the marks and codes wiped off, so
that the page must be found by its print. *Workers* reads a PDF through the worker processes as
`saiten read` does. *Memory* is what a worker holds while it reads 2,000 pages of one PDF (Linux only).
"""

from __future__ import annotations

import argparse
import io
import itertools
import multiprocessing
import statistics
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import img2pdf
import numpy as np
import pypdfium2
import simplejpeg
from PIL import Image

from api.page_workers import PageTask, WorkerSettings, start_page_workers
from omr.bubbles import measure_bubbles
from omr.choices import judge_bubbles
from omr.code_reader import read_code
from omr.compose import compose_layout
from omr.crops import cut_regions, encode_jpeg
from omr.decode_limits import DecodeLimits
from omr.design import Orientation, Paper, QuestionDesign, SheetDesign, SheetOwner, Writing
from omr.draw import draw_sheets
from omr.layout import Layout, QuestionKind
from omr.own_sheet import place_page
from omr.read_page import Crops, ReadingPlan, read_page
from omr.reading import PageStatus
from omr.reference import load_reference
from omr.registration import register
from omr.scan_file import decode_image, open_scan
from omr.written_boxes import judge_boxes
from sample_scans.bubble_fillings import Filling, draw_filling
from sample_scans.scanner import ScannerModel, scan

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from omr.page import Page
    from omr.pixels import Gray

_EXAM_ID = "BENCH-READING"
_PRINT_DPI = 300


@dataclass(frozen=True)
class Kind:
    """A kind of scan: its name, how it is scanned and how it is stored."""

    name: str
    dpi: int
    noise: float
    encode: Callable[[Gray, int], bytes]
    in_pdf: bool = False
    skew_deg: float = 2.0
    quarter_turns: int = 0


def main() -> None:
    """Print the tables that were asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pages", type=int, default=12, help="different pages of each kind")
    parser.add_argument("--rounds", type=int, default=9, help="times that each page is read")
    parser.add_argument("--only", choices=("speed", "own", "workers", "memory"))
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    plan = _plan()
    if arguments.only in (None, "speed"):
        _measure_speed(plan, arguments.pages, arguments.rounds)
    if arguments.only in (None, "own"):
        _measure_own(plan, arguments.pages, arguments.rounds)
    if arguments.only in (None, "workers"):
        _measure_workers(plan)
    if arguments.only in (None, "memory"):
        _measure_memory(plan)


def _plan() -> ReadingPlan:
    choices = tuple("アイウエオ")
    questions = tuple(
        QuestionDesign(f"{n + 1}", QuestionKind.CHOICE, "1", choices=choices) for n in range(12)
    ) + tuple(QuestionDesign(f"{n + 13}", QuestionKind.NUMBER, "2") for n in range(10))
    design = SheetDesign(
        _EXAM_ID,
        "読み取りの速さ",
        "理科",
        "2026-11-27",
        Paper.A4,
        Orientation.PORTRAIT,
        Writing.HORIZONTAL,
        questions,
    )
    plan = ReadingPlan(compose_layout(design), _EXAM_ID, Crops.TO_GRADE)
    assert len(plan.pages) == 1
    printed = io.BytesIO()
    draw_sheets(design, plan.layout, [SheetOwner("1", "1", "1", "1", "見本", "ミホン")], printed)
    global _printed  # noqa: PLW0603  (drawn once)
    with pypdfium2.PdfDocument(printed.getvalue()) as document:
        _printed = document[0].render(scale=_PRINT_DPI / 72, grayscale=True).to_numpy().squeeze().copy()
    return plan


_printed: Gray


def _filled_pages(plan: ReadingPlan, kind: Kind, count: int) -> list[Gray]:
    """Pages with every question marked and most boxes written in, scanned within ±2°."""
    pages = []
    scale = _PRINT_DPI / 25.4
    for number in range(count):
        random = np.random.default_rng(number)
        canvas = _printed.copy()
        for question in plan.layout.pages[0].questions:
            if question.bubbles:
                bubble = question.bubbles[int(random.integers(5))]
                x, y = (one * scale - 0.5 for one in bubble.centre)
                draw_filling(
                    canvas, (x, y), (bubble.w * scale, bubble.h * scale), Filling.FULL, random, scale
                )
            elif question.box is not None and random.random() < 0.85:
                x, y = ((one + 3) * scale for one in (question.box.x, question.box.y + 5))
                text = str(random.integers(1000, 99999))
                cv2.putText(canvas, text, (round(x), round(y)), cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, 2.2, 60, 5)
        model = ScannerModel(
            dpi=kind.dpi,
            skew_deg=random.uniform(-kind.skew_deg, kind.skew_deg),
            quarter_turns=kind.quarter_turns,
            shift_mm=(random.uniform(-2, 2), random.uniform(-2, 2)),
            scale=random.uniform(0.985, 1),
            paper=238,
            ink=40,
            slope=0.02,
            noise=kind.noise,
        )
        pages.append(scan(canvas, _PRINT_DPI, model, random))
    return pages


def _as_jpeg(page: Gray, _dpi: int) -> bytes:
    return bytes(simplejpeg.encode_jpeg(page[:, :, np.newaxis], quality=75, colorspace="GRAY"))


def _as_g4(page: Gray, dpi: int) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(page > 160).save(stream, "TIFF", compression="group4", dpi=(dpi, dpi))
    return stream.getvalue()


KINDS = (
    Kind("200 dpi JPEG, clean", 200, 1.85, _as_jpeg),
    Kind("200 dpi JPEG, noisy", 200, 5.2, _as_jpeg),
    Kind("300 dpi JPEG, clean", 300, 1.2, _as_jpeg),
    Kind("300 dpi JPEG, noisy", 300, 5.0, _as_jpeg),
    Kind("200 dpi G4 TIFF", 200, 1.2, _as_g4),
    Kind("300 dpi G4 TIFF", 300, 1.2, _as_g4),
    Kind("200 dpi JPEG in PDF", 200, 1.85, _as_jpeg, in_pdf=True),
    Kind("200 dpi G4 in PDF", 200, 1.2, _as_g4, in_pdf=True),
)


OWN_KINDS = (
    Kind("clean, within 2°", 200, 1.85, _as_jpeg),
    Kind("noisy, within 2°", 200, 5.2, _as_jpeg),
    Kind("clean, within 8°", 200, 1.85, _as_jpeg, skew_deg=8),
    Kind("clean, a quarter turned", 200, 1.85, _as_jpeg, quarter_turns=1),
    Kind("clean, upside down", 200, 1.85, _as_jpeg, quarter_turns=2),
)


def _measure_own(plan: ReadingPlan, count: int, rounds: int) -> None:
    """The speed on sheets without marks: the same page with its marks and codes wiped off."""
    global _printed  # noqa: PLW0603  (drawn once, wiped for this table)
    marked = _printed
    (page,) = plan.layout.pages
    scale = _PRINT_DPI / 25.4
    _printed = marked.copy()
    for box in (*page.fiducials, page.qr, page.second_qr):
        if box is not None:
            x, y, right, bottom = (round(side * scale) for side in (box.x, box.y, box.right, box.bottom))
            _printed[max(0, y - 3) : bottom + 3, max(0, x - 3) : right + 3] = 255
    bare = replace(page, fiducials=(), qr=None, second_qr=None)
    layout = Layout((bare,), reference="sheet.png")
    with tempfile.TemporaryDirectory() as folder:
        Image.fromarray(_printed).save(Path(folder) / "sheet.png")
        own = ReadingPlan(
            layout, _EXAM_ID, Crops.TO_GRADE, reference=load_reference(layout, Path(folder) / "layout.json")
        )
    print("sheets without marks, 200 dpi JPEG, one core, medians; ms a page")
    print(f"{'':<26}{'decode':>8}{'find':>8}{'read':>8}{'ratio':>7}{'pages/s':>9}")
    for kind in OWN_KINDS:
        pages = [kind.encode(one, kind.dpi) for one in _filled_pages(own, kind, count)]
        times = [_time_own(one, own) for _ in range(rounds) for one in pages]
        decode, find, whole = (1e3 * statistics.median(one) for one in zip(*times, strict=True))
        print(
            f"{kind.name:<26}{decode:>8.2f}{find:>8.2f}{whole:>8.2f}{whole / decode:>7.2f}{1e3 / whole:>9.0f}"
        )
    print()
    _printed = marked


def _time_own(encoded: bytes, plan: ReadingPlan) -> tuple[float, float, float]:
    """Seconds for decoding, for finding the page, and for the whole way to the readings."""
    start = time.perf_counter()
    page = decode_image(encoded)
    middle = time.perf_counter()
    reading = read_page(page, plan)
    end = time.perf_counter()
    assert reading.status is PageStatus.READ, reading.reason
    place_page(page.gray, plan.own_sheet, 0)
    return middle - start, time.perf_counter() - end, end - start


def _measure_speed(plan: ReadingPlan, count: int, rounds: int) -> None:
    print("one core, medians; ms a page")
    names = ("register", "code", "bubbles", "boxes", "crops")
    print(
        f"{'':<22}{'KB':>6}{'decode':>8}{'read':>8}{'ratio':>7}{'pages/s':>9}   "
        + "".join(f"{n:>10}" for n in names)
    )
    for kind in KINDS:
        encoded = [kind.encode(page, kind.dpi) for page in _filled_pages(plan, kind, count)]
        with _source(kind, encoded) as decode:
            decoding, whole, stages = [], [], []
            for _ in range(rounds):
                for number in range(count):
                    start = time.perf_counter()
                    page = decode(number)
                    middle = time.perf_counter()
                    reading = read_page(page, plan)
                    end = time.perf_counter()
                    assert reading.status is PageStatus.READ, reading.reason
                    decoding.append(middle - start)
                    whole.append(end - start)
                    stages.append(_time_stages(page, plan))
        decode_ms, whole_ms = (1e3 * statistics.median(one) for one in (decoding, whole))
        parts = [1e3 * statistics.median(one) for one in zip(*stages, strict=True)]
        kilobytes = sum(map(len, encoded)) / count / 1000
        print(
            f"{kind.name:<22}{kilobytes:>6.0f}{decode_ms:>8.2f}{whole_ms:>8.2f}{whole_ms / decode_ms:>7.2f}"
            f"{1e3 / whole_ms:>9.0f}   " + "".join(f"{part:>10.2f}" for part in parts)
        )
    print()


class _source:  # noqa: N801  (a small context manager)
    """Decodes page n: from its bytes, or from a PDF in a file."""

    def __init__(self, kind: Kind, encoded: Sequence[bytes]) -> None:
        self._kind, self._encoded = kind, encoded

    def __enter__(self) -> Callable[[int], Page]:
        if not self._kind.in_pdf:
            return lambda number: decode_image(self._encoded[number])
        self._folder = tempfile.TemporaryDirectory()
        path = Path(self._folder.name) / "scan.pdf"
        path.write_bytes(img2pdf.convert(list(self._encoded)))
        self._scan = open_scan(path)
        return self._scan.read_page

    def __exit__(self, *_: object) -> None:
        if self._kind.in_pdf:
            self._scan.close()
            self._folder.cleanup()


def _time_stages(page: Page, plan: ReadingPlan) -> tuple[float, ...]:
    (part,) = plan.pages
    assert part.bubbles is not None
    times = [time.perf_counter()]
    (fit, *_) = register(page.gray, part.layout)
    times.append(time.perf_counter())
    read_code(page.gray, fit.transform, part.layout)
    times.append(time.perf_counter())
    judge_bubbles(measure_bubbles(page.gray, fit, part.bubbles), part.bubbles, plan.rules)
    times.append(time.perf_counter())
    assert part.boxes is not None
    judge_boxes(page.gray, fit, part.boxes)
    times.append(time.perf_counter())
    written = [at for at, question in enumerate(part.layout.questions) if question.box is not None]
    boxes = [part.crops[at] for at in written]
    for picture in cut_regions(page.gray, fit.transform, boxes, part.crop_corners[written]):
        encode_jpeg(picture)
    times.append(time.perf_counter())
    return tuple(after - before for before, after in itertools.pairwise(times))


def _measure_workers(plan: ReadingPlan, pages: int = 400) -> None:
    print(f"worker processes, {pages} pages of one PDF (200 dpi JPEG, clean)")
    print(f"{'workers':<22}{'pages/s':>9}{'against one':>13}")
    with tempfile.TemporaryDirectory() as folder:
        path = _write_pdf(plan, Path(folder) / "scan.pdf", pages)
        one = 0.0
        for count in (1, 2, 1, 2):
            with start_page_workers(WorkerSettings(plan, DecodeLimits()), count) as workers:
                start = time.perf_counter()
                read = sum(1 for _ in workers.read([PageTask(path, index) for index in range(pages)]))
                speed = read / (time.perf_counter() - start)
            one = speed if count == 1 else one
            print(f"{count:<22}{speed:>9.0f}{speed / one:>13.2f}")
    print()


def _measure_memory(plan: ReadingPlan, pages: int = 2000) -> None:
    print(f"memory of one worker while it reads {pages} pages of one PDF (200 dpi JPEG, clean)")
    print(f"{'pages read':<22}{'MB':>9}")
    with (
        tempfile.TemporaryDirectory() as folder,
        start_page_workers(WorkerSettings(plan, DecodeLimits()), 1) as workers,
    ):
        path = _write_pdf(plan, Path(folder) / "scan.pdf", pages)
        for number, _ in enumerate(workers.read([PageTask(path, index) for index in range(pages)]), start=1):
            if number % (pages // 8) == 0:
                print(f"{number:<22}{_worker_megabytes():>9.0f}")


def _write_pdf(plan: ReadingPlan, path: Path, pages: int) -> Path:
    different = [_as_jpeg(page, 200) for page in _filled_pages(plan, KINDS[0], 25)]
    path.write_bytes(img2pdf.convert([different[number % 25] for number in range(pages)]))
    return path


def _worker_megabytes() -> float:
    (worker,) = multiprocessing.active_children()
    status = Path(f"/proc/{worker.pid}/status").read_text()
    (line,) = [one for one in status.splitlines() if one.startswith("VmRSS")]
    return int(line.split()[1]) / 1000


if __name__ == "__main__":
    main()
