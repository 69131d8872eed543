"""Fits how sure a reading is: how often readings as far from their line were right.

    uv run python -m benchmarks.calibration [--bubbles N] [--seed S] [--workers W]

Makes and reads pages as `benchmarks.bubbles` does, and written boxes as well, of seeds that it does not use, and
prints the tables of `omr/confidence.py`.
"""

from __future__ import annotations

import argparse
import multiprocessing
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

import cv2
import numpy as np
from scipy.optimize import isotonic_regression

from benchmarks.bubble_pages import WayToRead, make_page
from benchmarks.bubbles import plan_page
from benchmarks.written_pages import BOXES, try_boxes
from omr.confidence import MARGINS
from omr.mark_lines import BubbleScores, MarkLines, measure_margins
from omr.reading import PageStatus
from sample_scans.bubble_fillings import Filling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_SEEDS_APART = 2**31
"""Added to the seed: no run of `benchmarks.bubbles` has it."""
_FEWEST = 60
"""Verdicts that a range needs to speak for itself."""


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--bubbles", type=int, default=300_000)
    parser.add_argument("--boxes", type=int, default=4_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=multiprocessing.cpu_count())
    arguments = parser.parse_args()
    found: Counter[tuple[bool, bool, int, bool]] = Counter()
    bubbles = 0
    with multiprocessing.get_context("spawn").Pool(arguments.workers) as pool:
        work = partial(_try_page, arguments.seed + _SEEDS_APART)
        for on_page, verdicts in pool.imap(work, range(10**9), chunksize=2):
            bubbles += on_page
            found.update(verdicts)
            if bubbles >= arguments.bubbles:
                break
        pool.terminate()
    with multiprocessing.get_context("spawn").Pool(arguments.workers) as pool:
        boxes = pool.map(partial(try_boxes, arguments.seed + _SEEDS_APART), range(arguments.boxes // BOXES))
    blank, written = (sum(one) for one in zip(*boxes, strict=True))
    print(f"# {blank} boxes called blank, {written} of them written in")
    print(f"BLANK_BOX = {1 - max(written, 3) / max(blank, 6):.5f}")
    print(f"seed {arguments.seed}: {bubbles} bubbles, {found.total()} questions")
    for name, is_known in (("MEASURED_PRINT", True), ("UNKNOWN_PRINT", False)):
        marked = _fit(found, is_known=is_known, is_marked=True)
        empty = _fit(found, is_known=is_known, is_marked=False)
        print(f"{name} = ChanceTable(\n    marked={marked},\n    empty={empty},\n)")


def _try_page(seed: int, number: int) -> tuple[int, list[tuple[bool, bool, int, bool]]]:
    """Of each question whether the print is known, its worst bubble is marked, the range it lies in, and if it is right."""
    cv2.setNumThreads(1)
    kind, condition = plan_page(number)
    made = make_page(kind, condition, np.random.default_rng((seed, number)), seed)
    reading = made.read()
    found = []
    if reading.status is PageStatus.READ:
        for answer, truth in zip(reading.answers, made.truths, strict=True):
            if truth.filling in {Filling.NEXT_TO, Filling.CANCELLED} or answer.scores is None:
                continue
            scores = BubbleScores(*np.array(answer.scores.bubbles, np.float32).T)
            margin, marked = measure_margins(scores, MarkLines())
            worst = int(margin.argmin())
            where = int(np.searchsorted(MARGINS, margin[worst], "right"))
            is_known = kind.way is not WayToRead.UNKNOWN
            found.append((is_known, bool(marked[worst]), where, answer.labels == truth.labels))
    return sum(len(question.bubbles) for _, question in made.plan.layout.questions()), found


def _fit(
    found: Counter[tuple[bool, bool, int, bool]], *, is_known: bool, is_marked: bool
) -> tuple[float, ...]:
    """The shares right of all ranges, rising, and never more than what is proven."""
    right = np.array([found[is_known, is_marked, at, True] for at in range(len(MARGINS) + 1)], float)
    wrong = np.array([found[is_known, is_marked, at, False] for at in range(len(MARGINS) + 1)], float)
    total = right + wrong
    print(f"# known {is_known}, marked {is_marked}: n {_whole(total)}, wrong {_whole(wrong)}")
    share = np.minimum(right / np.maximum(total, 1), 1 - 3 / np.maximum(total, 6))
    # A range with few verdicts borrows from its neighbours: it weighs little in the regression.
    rising = isotonic_regression(
        np.where(total < _FEWEST, _borrow(share, total), share), weights=total + 0.1
    ).x
    return tuple(round(float(one), 5) for one in rising)


def _borrow(share: NDArray[np.float64], total: NDArray[np.float64]) -> NDArray[np.float64]:
    """The share of the nearest range short of this one that has enough verdicts, or of the first that has."""
    enough = np.flatnonzero(total >= _FEWEST)
    if not enough.size:
        return np.full_like(share, 0.5)
    nearest = np.searchsorted(enough, np.arange(len(share)), "right") - 1
    return np.asarray(share[enough[np.maximum(nearest, 0)]])


def _whole(values: Sequence[float] | NDArray[np.float64]) -> list[int]:
    return [int(one) for one in values]


if __name__ == "__main__":
    main()
