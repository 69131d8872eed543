"""How exactly bubbles are read: synthetic pages over every filling and scanner fault, counted per question.

    uv run python -m benchmarks.bubbles [--bubbles N] [--seed S] [--workers W]

A dense sheet is printed, filled by simulated pens, sent through a simulated scanner and read as any page is.
Of each question one bubble holds the filling under test (sometimes two), the rest are empty. A reading is
*wrong* when it is `ok` or `blank` and not what was meant; `next_to`, which means nothing certain, is only
shown. The seed is drawn anew at each run unless given, and printed.
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

from omr.compose import compose_layout
from omr.design import Orientation, Paper, QuestionDesign, SheetDesign, SheetOwner, Writing
from omr.draw import draw_sheets
from omr.layout import QuestionKind
from omr.page import Page
from omr.read_page import ReadingPlan, read_page
from omr.reading import PageStatus, ReadingStatus
from sample_scans.bubble_fillings import MARKED, Filling, draw_filling
from sample_scans.scanner import Condition, draw_model, scan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from omr.layout import Layout, QuestionLayout
    from omr.pixels import Gray

_DPI = 300
_LABELS = ("アイウエオカキクケ", "ABCDEFGHI", "123456789", "①②③④⑤⑥⑦⑧⑨")
_PLAIN = (Filling.EMPTY, Filling.FULL, Filling.LIGHT, Filling.SCRIBBLED)
"""The fillings of which hardly any may be doubtful on ordinary scans."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many questions of a kind were read, and how."""

    condition: Condition
    filling: Filling
    outcome: str


def main() -> None:
    """Print the tables."""
    arguments = _parse()
    seed = arguments.seed if arguments.seed is not None else secrets.randbelow(2**31)
    bubbles_a_page = sum(len(question.bubbles) for _, question in _sheet()[0].questions())
    pages = -(-arguments.bubbles // bubbles_a_page)
    conditions = list(Condition)
    # Half of the pages are ordinary scans, the other half goes through the faults in turn.
    jobs = [
        (seed, number, Condition.ORDINARY if number % 2 else conditions[number // 2 % len(conditions)])
        for number in range(pages)
    ]
    start = time.perf_counter()
    counts: Counter[Count] = Counter()
    with multiprocessing.get_context("spawn").Pool(arguments.workers) as pool:
        for result in pool.imap_unordered(_try_page, jobs, chunksize=2):
            counts.update(result)
    seconds = time.perf_counter() - start
    print(
        f"seed {seed}: {pages} pages, {pages * bubbles_a_page} bubbles, {counts.total()} questions, {seconds:.0f} s\n"
    )
    _print_table("filling", [(one.value, _only(counts, filling=one)) for one in Filling])
    _print_table("scan", [(one.value, _only(counts, condition=one)) for one in Condition])
    plain = Counter(
        {key: n for key, n in counts.items() if key.condition is Condition.ORDINARY and key.filling in _PLAIN}
    )
    _print_table("ordinary scans", [("full, light, scribbled, empty", plain)])


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--bubbles", type=int, default=100_000)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--workers", type=int, default=multiprocessing.cpu_count())
    return parser.parse_args()


@cache
def _sheet() -> tuple[Layout, Gray]:
    """A page full of bubbles, and its empty print at _DPI."""
    questions = tuple(
        QuestionDesign(
            id=str(number + 1), kind=QuestionKind.CHOICE, choices=tuple(_LABELS[number % 4][: 4 + number % 6])
        )
        for number in range(26)
    )
    design = SheetDesign(
        "BENCH-BUBBLES",
        "マークの試し",
        "理科",
        "2026-11-27",
        Paper.A4,
        Orientation.PORTRAIT,
        Writing.HORIZONTAL,
        questions,
    )
    layout = compose_layout(design)
    printed = io.BytesIO()
    draw_sheets(design, layout, [SheetOwner("1", "1", "1", "1", "見本", "ミホン")], printed)
    with pypdfium2.PdfDocument(printed.getvalue()) as document:
        picture = document[0].render(scale=_DPI / 72, grayscale=True).to_numpy()
    return layout, np.ascontiguousarray(picture.reshape(picture.shape[:2]))


def _try_page(job: tuple[int, int, Condition]) -> list[Count]:
    seed, number, condition = job
    cv2.setNumThreads(1)
    random = np.random.default_rng((seed, number))
    layout, empty = _sheet()
    (page_layout,) = layout.pages[:1]
    canvas = empty.copy()
    meant = [_fill(canvas, question, random) for question in page_layout.questions]
    picture = scan(canvas, _DPI, draw_model(condition, random), random)
    reading = read_page(Page(picture), ReadingPlan(layout, "BENCH-BUBBLES"))
    if reading.status is not PageStatus.READ:
        return [Count(condition, filling, "set aside") for filling, _ in meant]
    return [
        Count(condition, filling, _outcome(answer.status, answer.labels, labels, filling))
        for answer, (filling, labels) in zip(reading.answers, meant, strict=True)
    ]


def _fill(
    canvas: Gray, question: QuestionLayout, random: np.random.Generator
) -> tuple[Filling, tuple[str, ...]]:
    """Fill one question; the filling under test and the labels that are meant."""
    filling = list(Filling)[int(random.integers(len(Filling)))]
    count = 2 if random.random() < 0.1 else 1
    chosen = sorted(random.choice(len(question.bubbles), count, replace=False))
    fillings = [filling, *([Filling.FULL] if count == 2 else [])]
    random.shuffle(fillings)
    scale = _DPI / 25.4
    for index, one in zip(chosen, fillings, strict=True):
        bubble = question.bubbles[index]
        x, y = bubble.centre
        draw_filling(
            canvas,
            (x * scale - 0.5, y * scale - 0.5),
            (bubble.w * scale, bubble.h * scale),
            one,
            random,
            scale,
        )
    labels = [question.bubbles[i].label for i, one in zip(chosen, fillings, strict=True) if one in MARKED]
    return filling, tuple(labels)


def _outcome(status: ReadingStatus, labels: Sequence[str], meant: Sequence[str], filling: Filling) -> str:
    if status is ReadingStatus.DOUBTFUL:
        return "doubtful"
    if filling is Filling.NEXT_TO:
        return "read as empty" if tuple(labels) == tuple(meant) else "read as marked"
    return "right" if tuple(labels) == tuple(meant) else "wrong"


def _only(
    counts: Counter[Count], condition: Condition | None = None, filling: Filling | None = None
) -> Counter[Count]:
    return Counter(
        {
            key: n
            for key, n in counts.items()
            if condition in (None, key.condition) and filling in (None, key.filling)
        }
    )


def _print_table(title: str, rows: Sequence[tuple[str, Counter[Count]]]) -> None:
    names = ("right", "doubtful", "set aside", "read as empty", "read as marked", "wrong")
    print(f"{title:<30}{'questions':>10}" + "".join(f"{name:>15}" for name in names))
    for name, counts in rows:
        total = counts.total()
        cells = []
        for outcome in names:
            n = sum(count for key, count in counts.items() if key.outcome == outcome)
            cells.append(f"{n:>6} {100 * n / max(total, 1):6.2f} %")
        print(f"{name:<30}{total:>10}" + "".join(cells))
    print()


if __name__ == "__main__":
    main()
