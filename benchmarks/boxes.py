"""How surely empty answer boxes are told from written ones: faint strokes and empty boxes over every scanner fault.

    uv run python -m benchmarks.boxes [--pages N] [--seed S] [--workers W]

Every other box of a page is left empty, the others hold one pencil stroke, pale and thin or along a ruled line. A
stroke that is called blank is *wrong*; an empty box that is not called blank goes to a person. The seed is drawn anew
at each run unless given, and printed.
"""

from __future__ import annotations

import argparse
import io
import multiprocessing
import secrets
import time
from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pypdfium2

from benchmarks.simple_pens import PIXELS_PER_MM, Brush
from omr.compose import compose_layout
from omr.design import Orientation, Paper, QuestionDesign, SheetDesign, SheetOwner, Writing
from omr.draw import draw_sheets
from omr.geometry import Rectangle
from omr.layout import QuestionKind
from omr.page import Page
from omr.read_page import ReadingPlan, read_page
from omr.reading import PageStatus, ReadingStatus
from sample_scans.scanner import Condition, draw_model, scan

if TYPE_CHECKING:
    from omr.layout import Layout, QuestionLayout
    from omr.pixels import Gray

_DPI = PIXELS_PER_MM * 25.4
_PALEST = 190
"""Gray of the palest pencil on paper of 255."""
_EXAM = "BENCH-BOXES"


@dataclass(frozen=True, slots=True)
class Count:
    """What a box held, how the page was scanned, and how the box was read."""

    condition: Condition
    stroke: str
    outcome: str


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pages", type=int, default=200)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--workers", type=int, default=multiprocessing.cpu_count())
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else secrets.randbelow(2**31)
    conditions = list(Condition)
    # Half of the pages are ordinary scans, the other half goes through the faults in turn.
    jobs = [
        (seed, number, Condition.ORDINARY if number % 2 else conditions[number // 2 % len(conditions)])
        for number in range(arguments.pages)
    ]
    start = time.perf_counter()
    counts: Counter[Count] = Counter()
    with multiprocessing.get_context("spawn").Pool(arguments.workers) as pool:
        for result in pool.imap_unordered(try_page, jobs, chunksize=2):
            counts.update(result)
    seconds = time.perf_counter() - start
    print(f"seed {seed}: {arguments.pages} pages, {counts.total()} boxes, {seconds:.0f} s\n")
    _print_table(counts)


@cache
def _sheet(with_choices: int) -> tuple[Layout, Gray]:
    """A page of boxes, with or without bubbles above them, and its empty print."""
    kinds = [QuestionKind.SYMBOL] * 12 + [QuestionKind.NUMBER] * 6 + [QuestionKind.TEXT] * 2
    questions = [
        QuestionDesign(f"c{n}", QuestionKind.CHOICE, choices=("ア", "イ", "ウ", "エ"))
        for n in range(with_choices)
    ]
    questions += [QuestionDesign(f"b{n}", kind) for n, kind in enumerate(kinds)]
    questions += [QuestionDesign(f"e{n}", QuestionKind.ESSAY, lines=2) for n in range(4)]
    design = SheetDesign(
        _EXAM,
        "試し",
        "理科",
        "2026-11-27",
        Paper.A4,
        Orientation.PORTRAIT,
        Writing.HORIZONTAL,
        tuple(questions),
    )
    layout = compose_layout(design)
    printed = io.BytesIO()
    draw_sheets(design, layout, [SheetOwner("1", "1", "1", "1", "見本", "ミホン")], printed)
    with pypdfium2.PdfDocument(printed.getvalue()) as document:
        picture = document[0].render(scale=_DPI / 72, grayscale=True).to_numpy()
    return layout, np.ascontiguousarray(picture.reshape(picture.shape[:2]))


def try_page(job: tuple[int, int, Condition]) -> list[Count]:
    """Print, write, scan and read one page: seed, number of the page, condition."""
    seed, number, condition = job
    cv2.setNumThreads(1)
    random = np.random.default_rng((seed, number))
    layout, empty = _sheet(4 * (number // 2 % 2))
    canvas = empty.copy()
    held = {
        question.id: _write(canvas, question, random) if index % 2 else "empty"
        for index, question in enumerate(layout.pages[0].questions)
        if question.box is not None
    }
    picture = scan(canvas, _DPI, draw_model(condition, random), random)
    reading = read_page(Page(picture), ReadingPlan(layout, _EXAM))
    if reading.status is not PageStatus.READ:
        return [Count(condition, stroke, "set aside") for stroke in held.values()]
    return [
        Count(condition, held[answer.question], "blank" if answer.status is ReadingStatus.BLANK else "seen")
        for answer in reading.answers
        if answer.question in held
    ]


def _write(canvas: Gray, question: QuestionLayout, random: np.random.Generator) -> str:
    """One stroke of 2 to 6 mm in the box; says how hard it is to see."""
    assert question.box is not None
    inside = question.box.expanded(-2)
    gray, width = random.uniform(40, _PALEST), random.uniform(0.25, 0.7)
    length, angle = random.uniform(2, 6), random.uniform(0, np.pi)
    x, y = random.uniform(inside.x, inside.right), random.uniform(inside.y, inside.bottom)
    kind = "pale" if gray > 150 else "dark"
    level = [line for line in question.lines if line.y1 == line.y2]
    if level and random.random() < 0.7:
        line = level[int(random.integers(len(level)))]
        y, angle, kind = line.y1 - random.uniform(0.3, 1.5), random.normal(0, 0.05), "along a ruled line"
    step = length / 2 * np.array([np.cos(angle), np.sin(angle)])
    ends = np.clip(
        np.array([(x, y)]) + np.outer((-1, 1), step), (inside.x, inside.y), (inside.right, inside.bottom)
    )
    # A stroke cut short by the frame is drawn at its length along the box.
    if np.hypot(*(ends[1] - ends[0])) < 2:
        middle = np.clip(x, inside.x + 1, max(inside.right - 1, inside.x + 1))
        ends = np.array([(middle - 1, y), (middle + 1, y)])
    brush = Brush(canvas, Rectangle(float(x), float(y), 0, 0), random)
    brush.line([(float(a - x), float(b - y)) for a, b in ends], width, gray)
    return kind


def _print_table(counts: Counter[Count]) -> None:
    strokes = ("pale", "dark", "along a ruled line")
    print(
        f"{'scan':<16}{'empty':>7}{'called blank':>14}{'written':>10}{'called blank: wrong':>24}{'set aside':>12}"
    )
    for condition in [*Condition, None]:
        here = Counter({key: n for key, n in counts.items() if condition in (None, key.condition)})
        empty = sum(n for key, n in here.items() if key.stroke == "empty")
        blank = sum(n for key, n in here.items() if key.stroke == "empty" and key.outcome == "blank")
        wrong = sum(n for key, n in here.items() if key.stroke != "empty" and key.outcome == "blank")
        aside = sum(n for key, n in here.items() if key.outcome == "set aside")
        name = condition.value if condition else "all"
        share = f"{100 * blank / max(empty, 1):.2f} %"
        print(f"{name:<16}{empty:>7}{share:>14}{here.total() - empty:>10}{wrong:>24}{aside:>12}")
    print(f"\n{'stroke':<20}{'written':>10}{'called blank: wrong':>24}")
    for stroke in strokes:
        total = sum(n for key, n in counts.items() if key.stroke == stroke)
        wrong = sum(n for key, n in counts.items() if key.stroke == stroke and key.outcome == "blank")
        print(f"{stroke:<20}{total:>10}{wrong:>24}")


if __name__ == "__main__":
    main()
