"""How many soiled sheet codes are read, and that none is read wrong.

    uv run python -m benchmarks.codes [--pages N] [--seed S]

Printed pages of A4 whose codes are crossed, stained, blurred or torn off, both codes of a page unless it says
otherwise, scanned at 200 dpi with a little skew and noise. A wrong code is one that is read and is not the printed one.
"""

from __future__ import annotations

import argparse
import io
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pypdfium2

from omr.code_reader import read_code
from omr.compose import compose_layout
from omr.design import Orientation, Paper, QuestionDesign, SheetDesign, SheetOwner, Writing
from omr.draw import draw_sheets
from omr.layout import QuestionKind
from omr.registration import register
from omr.sheet_code import SheetCode, exam_digest, layout_digest, student_digest
from sample_scans.scanner import ScannerModel, scan

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.random import Generator

    from omr.geometry import Rectangle
    from omr.layout import Layout, PageLayout
    from omr.pixels import Gray

    Soiling = Callable[[Gray, PageLayout, Generator], None]

DPI = 300
_PER_MM = DPI / 25.4
_EXAM_ID = "BENCH-CODES"
_STUDENTS = 6


_USUAL = ScannerModel(skew_deg=0.6, noise=2.0)


@dataclass(frozen=True)
class Case:
    """A kind of damage: what is done to the page, how it is scanned, and the share that must be read."""

    name: str
    soil: Soiling
    least: float
    model: ScannerModel = _USUAL


@dataclass(frozen=True)
class CodePages:
    """Printed first pages at `DPI`, each with the code it bears."""

    layout: Layout
    pages: tuple[tuple[Gray, SheetCode], ...]


@dataclass(frozen=True)
class Counts:
    """How many codes were read right, wrong and not at all, and the mean time of one, milliseconds."""

    right: int
    wrong: int
    unread: int
    milliseconds: float

    @property
    def share(self) -> float:
        """Read right, of all."""
        return self.right / (self.right + self.wrong + self.unread)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pages", type=int, default=200, help="pages of each kind")
    parser.add_argument("--seed", type=int, default=None)
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else int(time.time())
    cv2.setNumThreads(1)
    printed = print_pages()
    print(f"seed {seed}, {arguments.pages} pages a row")
    print(f"{'':<34}{'read %':>8}{'asked %':>9}{'wrong':>7}{'ms':>8}")
    for case in CASES:
        counts = count(case, printed, arguments.pages, np.random.default_rng(seed))
        print(
            f"{case.name:<34}{100 * counts.share:>8.1f}{100 * case.least:>9.0f}"
            f"{counts.wrong:>7}{counts.milliseconds:>8.2f}"
        )


def count(case: Case, printed: CodePages, pages: int, random: Generator) -> Counts:
    """Soil, scan and read pages."""
    frame = printed.layout.pages[0]
    right = wrong = unread = 0
    seconds = 0.0
    for number in range(pages):
        picture, code = printed.pages[number % len(printed.pages)]
        page = picture.copy()
        case.soil(page, frame, random)
        gray = scan(page, DPI, case.model, random)
        start = time.perf_counter()
        found = next(
            (one for fit in register(gray, frame) if (one := read_code(gray, fit.transform, frame))), None
        )
        seconds += time.perf_counter() - start
        right += found == code
        wrong += found is not None and found != code
        unread += found is None
    return Counts(right, wrong, unread, 1e3 * seconds / pages)


def print_pages() -> CodePages:
    """Print a sheet for some students and look at it."""
    questions = tuple(
        QuestionDesign(f"{n + 1}", QuestionKind.CHOICE, "1", choices=tuple("アイウエ")) for n in range(6)
    )
    design = SheetDesign(
        _EXAM_ID,
        "コードの読み取り",
        "理科",
        "2026-11-27",
        Paper.A4,
        Orientation.PORTRAIT,
        Writing.HORIZONTAL,
        questions,
    )
    layout = compose_layout(design)
    owners = [SheetOwner(f"s-{n}", "1", "1", str(n + 1), "見本", "ミホン") for n in range(_STUDENTS)]
    stream = io.BytesIO()
    draw_sheets(design, layout, owners, stream)
    exam, version = exam_digest(_EXAM_ID), layout_digest(layout.digest)
    with pypdfium2.PdfDocument(stream.getvalue()) as document:
        return CodePages(
            layout,
            tuple(
                (
                    document[n].render(scale=DPI / 72, grayscale=True).to_numpy().squeeze().copy(),
                    SheetCode(exam, version, student_digest(owner.student_id), 1),
                )
                for n, owner in enumerate(owners)
            ),
        )


def _boxes(frame: PageLayout) -> tuple[Rectangle, Rectangle]:
    assert frame.qr is not None
    assert frame.second_qr is not None
    return frame.qr, frame.second_qr


def _cross(lines: int, width_mm: float, gray: int) -> Soiling:
    """Straight strokes through the middle parts of both codes, from one side to another."""

    def soil(page: Gray, frame: PageLayout, random: Generator) -> None:
        for box in _boxes(frame):
            for _ in range(lines):
                ends = random.uniform(0.15, 0.85, 2)
                start, end = (box.x, box.y + ends[0] * box.h), (box.right, box.y + ends[1] * box.h)
                if random.random() < 0.5:
                    start, end = (box.x + ends[0] * box.w, box.y), (box.x + ends[1] * box.w, box.bottom)
                one, two = ((round(x * _PER_MM), round(y * _PER_MM)) for x, y in (start, end))
                cv2.line(page, one, two, gray, round(width_mm * _PER_MM), cv2.LINE_AA)

    return soil


def _stain(size_mm: float, gray: int) -> Soiling:
    """A round spot on both codes, anywhere on their modules."""

    def soil(page: Gray, frame: PageLayout, random: Generator) -> None:
        for box in _boxes(frame):
            x, y = (box.x + random.uniform(0.15, 0.85) * box.w, box.y + random.uniform(0.15, 0.85) * box.h)
            centre = (round(x * _PER_MM), round(y * _PER_MM))
            cv2.circle(page, centre, round(size_mm / 2 * _PER_MM), gray, -1, cv2.LINE_AA)

    return soil


def _tear_first(page: Gray, frame: PageLayout, _: Generator) -> None:
    box = _boxes(frame)[0]
    left, bottom = round((box.x - 2) * _PER_MM), round((box.bottom + 2) * _PER_MM)
    page[:bottom, left:] = 255


def _hide_both(page: Gray, frame: PageLayout, _: Generator) -> None:
    for box in _boxes(frame):
        left, top, right, bottom = (round(one * _PER_MM) for one in (box.x, box.y, box.right, box.bottom))
        page[top:bottom, left:right] = 255


def _soften(pixels: float) -> Soiling:
    def soil(page: Gray, _frame: PageLayout, _random: Generator) -> None:
        cv2.GaussianBlur(page, (0, 0), pixels, dst=page)

    return soil


def _leave(page: Gray, frame: PageLayout, random: Generator) -> None:
    """Nothing is done."""


_PALE = ScannerModel(skew_deg=0.6, noise=2.0, paper=200, ink=105)
CASES = (
    Case("clean", _leave, 1.0),
    Case("a pen line of 0.5 mm", _cross(1, 0.5, 40), 0.98),
    Case("two pen lines", _cross(2, 0.5, 40), 0.98),
    Case("three pen lines", _cross(3, 0.5, 40), 0.98),
    Case("three lines of correction fluid", _cross(3, 0.5, 255), 0.98),
    Case("a marker of 1.5 mm", _cross(1, 1.5, 60), 0.90),
    Case("a stain of 3 mm", _stain(3, 70), 0.98),
    Case("a stain of 5 mm", _stain(5, 70), 0.80),
    Case("a white stain of 5 mm", _stain(5, 250), 0.80),
    Case("blurred by 0.25 mm", _soften(3.0), 0.98),
    Case("blurred by 0.35 mm", _soften(4.2), 0.80),
    Case("low contrast", _leave, 0.98, _PALE),
    Case("the first torn off", _tear_first, 0.98),
    Case("both gone", _hide_both, 0.0),
)


if __name__ == "__main__":
    main()
