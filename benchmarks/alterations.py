"""Whether altered pages are read right or flagged: a second generator of pens and damage, counted per question.

    uv run python -m benchmarks.alterations [--pages N] [--seed S] [--workers W] [--show FOLDER]

A reading is *wrong* when it is `ok` or `blank` and not what the pupil did: a mark that a note hides is still a
mark, a stain is none. Where what the pupil left is gone from the picture, so that it shows there no more than it would
on a page without it (less than _TRACE_MM2 differs by more than _TRACE_GREY), a reading as empty counts as *no
trace*: nothing in the scan could tell. The seed is drawn anew at each run unless given, and printed; `--show`
writes a picture of each wrong question.
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
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pypdfium2

from benchmarks.paper_damage import ALTERATIONS, untouched
from benchmarks.simple_pens import MARKS, TRACES, Brush, nothing
from omr.compose import compose_layout
from omr.crops import crop_box, cut_regions
from omr.design import Orientation, Paper, QuestionDesign, SheetDesign, SheetOwner, Writing
from omr.draw import draw_sheets
from omr.layout import QuestionKind
from omr.page import Page
from omr.read_page import ReadingPlan, read_page
from omr.reading import PageStatus, ReadingStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.paper_damage import Alteration
    from omr.geometry import Rectangle, Transform
    from omr.layout import Layout, QuestionLayout
    from omr.pixels import Gray

_LABELS = ("アイウエオカキ", "abcdefg", "1234567", "①②③④⑤⑥⑦")
_TWO_ALTERATIONS = 0.3
"""Share of the pages that suffer two alterations."""
_TRACE_MM2 = 0.15
"""A dot of 0.4 mm."""
_TRACE_GREY = 25
"""Grey levels: a tenth of the way from black to white."""


@dataclass(frozen=True, slots=True)
class Count:
    """How a question of a kind was read."""

    alteration: str
    filling: str
    outcome: str


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pages", type=int, default=600)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--workers", type=int, default=multiprocessing.cpu_count())
    parser.add_argument("--show", type=Path)
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else secrets.randbelow(2**31)
    jobs = [(seed, number, arguments.show) for number in range(arguments.pages)]
    start = time.perf_counter()
    counts: Counter[Count] = Counter()
    with multiprocessing.get_context("spawn").Pool(arguments.workers) as pool:
        for result in pool.imap_unordered(try_page, jobs, chunksize=4):
            counts.update(result)
    seconds = time.perf_counter() - start
    print(f"seed {seed}: {arguments.pages} pages, {counts.total()} questions, {seconds:.0f} s\n")
    _print_table("alteration", counts, [one.__name__ for one in ALTERATIONS] + ["two of them"], "alteration")
    _print_table("filling", counts, sorted({key.filling for key in counts}), "filling")


@cache
def _sheet() -> tuple[Layout, Gray]:
    """A page of bubbles and boxes, and its empty print."""
    questions = [
        QuestionDesign(f"{n + 1}", QuestionKind.CHOICE, choices=tuple(_LABELS[n % 4][: 2 + n % 6]))
        for n in range(20)
    ]
    questions += [
        QuestionDesign("s", QuestionKind.SYMBOL),
        QuestionDesign("n", QuestionKind.NUMBER, unit="m"),
    ]
    questions += [QuestionDesign("t", QuestionKind.TEXT), QuestionDesign("e", QuestionKind.ESSAY, lines=2)]
    design = SheetDesign(
        "BENCH-ALTER",
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
        picture = document[0].render(scale=200 / 72, grayscale=True).to_numpy()
    return layout, np.ascontiguousarray(picture.reshape(picture.shape[:2]))


def try_page(job: tuple[int, int, Path | None]) -> list[Count]:
    """Print, fill, alter and read one page: seed, number of the page, folder for pictures of wrong readings."""
    seed, number, show = job
    cv2.setNumThreads(1)
    random = np.random.default_rng((seed, number))
    layout, empty = _sheet()
    # Paper is not quite white, and print not quite black.
    black, white = random.uniform(0, 40), random.uniform(235, 255)
    bare = np.rint(black + empty * ((white - black) / 255)).astype(np.uint8)
    page = bare.copy()
    questions = layout.pages[0].questions
    meant = [_fill(page, question, random) for question in questions]
    is_fed = random.random() < 0.5
    after_filling = random.bit_generator.state
    page, alterations = _damage(page, number, random, is_fed=is_fed)
    made = "+".join(one.__name__ for one in alterations)
    name = made if len(alterations) == 1 else "two of them"
    reading = read_page(Page(page), ReadingPlan(layout, "BENCH-ALTER"))
    if reading.status is not PageStatus.READ:
        return [Count(name, filling, "set aside") for filling, _ in meant]
    counts = []
    for answer, question, (filling, labels) in zip(reading.answers, questions, meant, strict=True):
        right = answer.reading == labels
        outcome = "doubtful" if answer.status is ReadingStatus.DOUBTFUL else "right" if right else "wrong"
        if outcome == "wrong" and reading.registration is not None:
            random.bit_generator.state = after_filling
            unwritten, _ = _damage(bare, number, random, is_fed=is_fed)
            lost = _lost_regions(question, labels, answer.reading)
            transform = reading.registration.transform
            if lost and not any(_differ(page, unwritten, transform, region) for region in lost):
                outcome = "no trace"
            elif show is not None:
                show.mkdir(parents=True, exist_ok=True)
                picture = f"{seed}-{number}-{question.id}-{made}-{filling}-as-{answer.reading or 'none'}.png"
                cv2.imwrite(str(show / picture), _cut(page, transform, crop_box(question)))
        counts.append(Count(name, filling, outcome))
    return counts


def _damage(
    page: Gray, number: int, random: np.random.Generator, *, is_fed: bool
) -> tuple[Gray, list[Alteration]]:
    """What happens to a page after the pupil: with the same state of `random` the same again."""
    if is_fed:
        page = _feed(page, random)
    alterations = [ALTERATIONS[number % len(ALTERATIONS)]]
    if random.random() < _TWO_ALTERATIONS:
        second = ALTERATIONS[int(random.integers(len(ALTERATIONS)))]
        alterations += (
            [second] if second is not alterations[0] and untouched not in (*alterations, second) else []
        )
    for alteration in alterations:
        page = alteration(page, random)
    return page, alterations


def _lost_regions(question: QuestionLayout, meant: str, read: str) -> list[Rectangle]:
    """Where the pupil left what was not read; none if more was read than the pupil left."""
    if question.box is not None:
        return [question.box.expanded(-1)]
    left, found = set(meant.split(";")), set(read.split(";")) - {""}
    return (
        [one.expanded(1.2) for one in question.bubbles if one.label in left - found] if found <= left else []
    )


def _differ(page: Gray, unwritten: Gray, transform: Transform, region: Rectangle) -> bool:
    """Whether a region shows anything that the same page without the pupil's hand does not."""
    one, other = (_cut(picture, transform, region).astype(np.int16) for picture in (page, unwritten))
    share = float((np.abs(one - other) > _TRACE_GREY).mean())
    return share * region.w * region.h > _TRACE_MM2


def _cut(page: Gray, transform: Transform, region: Rectangle) -> Gray:
    (crop,) = cut_regions(page, transform, [region], np.array([region.corners()]))
    return crop


def _fill(page: Gray, question: QuestionLayout, random: np.random.Generator) -> tuple[str, str]:
    """Fill one question: the filling under test, and the reading that is right."""
    if question.box is not None:
        return _write(page, question, random)
    pick = random.random()
    one = nothing if pick < 0.2 else (MARKS + TRACES[1:])[int(random.integers(len(MARKS) + len(TRACES) - 1))]
    chosen = [(int(random.integers(len(question.bubbles))), one)]
    if random.random() < 0.1:
        other = (chosen[0][0] + 1) % len(question.bubbles)
        chosen.append((other, MARKS[int(random.integers(len(MARKS)))]))
    for index, draw in chosen:
        draw(Brush(page, question.bubbles[index], random))
    marked = sorted({index for index, draw in chosen if draw in MARKS})
    return one.__name__, ";".join(question.bubbles[index].label for index in marked)


def _write(page: Gray, question: QuestionLayout, random: np.random.Generator) -> tuple[str, str]:
    """Leave a box empty or write a few strokes; writing is never read, only seen."""
    assert question.box is not None
    if random.random() < 0.5:
        return "box, empty", ""
    box = question.box.expanded(-1.5)
    gray = random.uniform(20, 190)
    x, y = (
        random.uniform(box.x + 2, max(box.right - 4, box.x + 2.5)),
        random.uniform(box.y + 1, box.bottom - 2),
    )
    brush = Brush(page, type(box)(x, y, 0, 0), random)
    for _ in range(3):
        ends = [tuple(random.uniform((-1.5, -1), (3, 2))) for _ in range(3)]
        brush.line(ends, random.uniform(0.3, 0.7), gray)
    return "box, written", "not blank"


def _feed(page: Gray, random: np.random.Generator) -> Gray:
    """What every feeder does: a little skew, scale and noise."""
    high, wide = page.shape
    matrix = cv2.getRotationMatrix2D((wide / 2, high / 2), random.normal(0, 0.4), random.uniform(0.98, 1.0))
    matrix = np.column_stack([matrix[:, :2], matrix[:, 2] + random.normal(0, 3, 2)])
    border = float(np.percentile(page, 90))
    moved = cv2.warpAffine(page, matrix, (wide, high), flags=cv2.INTER_LINEAR, borderValue=border)
    noise = np.zeros(page.shape, np.int16)
    cv2.setRNGSeed(int(random.integers(2**31)))
    cv2.randn(noise, 0, random.uniform(1, 4))  # type: ignore[call-overload]
    fed: Gray = np.clip(moved.astype(np.int16) + noise, 0, 255).astype(np.uint8)
    return fed


def _print_table(title: str, counts: Counter[Count], names: Sequence[str], field: str) -> None:
    outcomes = ("right", "doubtful", "set aside", "no trace", "wrong")
    print(f"{title:<22}{'questions':>10}" + "".join(f"{one:>18}" for one in outcomes))
    for name in [*names, "all"]:
        of = [
            sum(n for key, n in counts.items() if name in ("all", getattr(key, field)) and key.outcome == one)
            for one in outcomes
        ]
        total = max(sum(of), 1)
        print(f"{name:<22}{sum(of):>10}" + "".join(f"{n:>9} {100 * n / total:6.2f} %" for n in of))
    print()


if __name__ == "__main__":
    main()
