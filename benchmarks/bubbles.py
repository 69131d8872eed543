"""How exactly bubbles are read: synthetic pages over every sheet, filling and scanner fault, counted per question.

    uv run python -m benchmarks.bubbles [--bubbles N] [--seed S] [--workers W] [--wrong FOLDER]

Dense pages, our own sheets and cards of other makers, are printed, filled by simulated pens, sent through a
simulated scanner and read as any page is. Of each question one bubble holds the filling under test (sometimes
a second one is filled), the rest are empty. A reading is *wrong* when it is `ok` or `blank` and not what was
meant; `next_to` and a `cancelled` mark read together with the other one mean nothing certain and are only shown.
The seed is drawn anew at each run unless given, and printed; `--wrong` keeps a picture of each wrong question.
"""

from __future__ import annotations

import argparse
import multiprocessing
import secrets
import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from benchmarks.bubble_pages import (
    BY_REFERENCE,
    LEARNT_PRINT,
    OWN_PRINT,
    UNKNOWN_PRINT,
    MadePage,
    PageKind,
    make_page,
)
from benchmarks.bubble_tables import Outcome, Result, print_reliability, print_table
from omr.geometry import apply
from omr.reading import AnswerReading, PageStatus, ReadingStatus
from sample_scans.bubble_fillings import Filling
from sample_scans.scanner import Condition

if TYPE_CHECKING:
    from benchmarks.bubble_pages import Truth
    from omr.reading import PageReading

_PLAIN = (Filling.EMPTY, Filling.FULL, Filling.LIGHT, Filling.SCRIBBLED)
"""The fillings of which hardly any may be doubtful on ordinary scans."""
_KINDS = (*OWN_PRINT, *OWN_PRINT, *OWN_PRINT, *BY_REFERENCE, *LEARNT_PRINT, *UNKNOWN_PRINT)


def main() -> None:
    """Print the tables."""
    arguments = _parse()
    seed = arguments.seed if arguments.seed is not None else secrets.randbelow(2**31)
    start = time.perf_counter()
    results: Counter[Result] = Counter()
    pages = bubbles = 0
    with multiprocessing.get_context("spawn").Pool(arguments.workers) as pool:
        work = partial(try_page, seed, wrong=arguments.wrong)
        for on_page, found in pool.imap(work, range(10**9), chunksize=2):
            pages, bubbles = pages + 1, bubbles + on_page
            results.update(found)
            if bubbles >= arguments.bubbles:
                break
        pool.terminate()
    seconds = time.perf_counter() - start
    print(f"seed {seed}: {pages} pages, {bubbles} bubbles, {results.total()} questions, {seconds:.0f} s\n")
    _print_tables(results)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--bubbles", type=int, default=100_000)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--workers", type=int, default=multiprocessing.cpu_count())
    parser.add_argument("--wrong", type=Path, help="a folder for pictures of wrong questions")
    return parser.parse_args()


def plan_page(number: int) -> tuple[PageKind, Condition]:
    """The sheet and the scan of a page: half of the pages are ordinary scans, the others go through the faults."""
    conditions = list(Condition)
    condition = Condition.ORDINARY if number % 2 else conditions[number // 2 % len(conditions)]
    return _KINDS[number // 2 % len(_KINDS)], condition


def try_page(seed: int, number: int, *, wrong: Path | None = None) -> tuple[int, list[Result]]:
    """Make and read one page.

    Args:
        seed: of the run.
        number: of the page.
        wrong: a folder for pictures of wrong questions.

    Returns:
        How many bubbles it has, and what became of each question.
    """
    cv2.setNumThreads(1)
    kind, condition = plan_page(number)
    made = make_page(kind, condition, np.random.default_rng((seed, number)), seed)
    questions = [question for _, question in made.plan.layout.questions()]
    reading = made.read()
    results = []
    for at, truth in enumerate(made.truths):
        answer = reading.answers[at] if reading.status is PageStatus.READ else None
        outcome = Outcome.SET_ASIDE if answer is None else judge(answer, truth)
        confidence = None if answer is None else answer.confidence
        guess = answer is not None and answer.labels == truth.labels
        results.append(Result(kind.name, condition, truth.filling, truth.pen, outcome, confidence, guess))
        if outcome is Outcome.WRONG and wrong is not None:
            _keep(wrong, made, reading, at, f"{seed}-{number}-{questions[at].id}-{truth.filling}")
    return sum(len(question.bubbles) for question in questions), results


def judge(answer: AnswerReading, truth: Truth) -> Outcome:
    """What became of one question that was read."""
    if answer.status is ReadingStatus.DOUBTFUL:
        return Outcome.DOUBTFUL
    if answer.labels == truth.labels and not (truth.cancelled and not truth.labels):
        return Outcome.READ_AS_EMPTY if truth.filling is Filling.NEXT_TO else Outcome.RIGHT
    if truth.filling is Filling.NEXT_TO or (
        truth.cancelled and set(answer.labels) == {*truth.labels, truth.cancelled}
    ):
        return Outcome.READ_AS_MARKED
    return Outcome.WRONG


def _keep(folder: Path, made: MadePage, reading: PageReading, at: int, name: str) -> None:
    """The picture of a question, as it was scanned."""
    folder.mkdir(parents=True, exist_ok=True)
    assert reading.registration is not None
    _, question = list(made.plan.layout.questions())[at]
    corners = np.array([corner for bubble in question.bubbles for corner in bubble.expanded(3).corners()])
    where = apply(reading.registration.transform, corners)
    (left, top), (right, bottom) = where.min(axis=0).astype(int), where.max(axis=0).astype(int)
    picture = made.scan[max(top, 0) : bottom, max(left, 0) : right]
    cv2.imwrite(str(folder / f"{name}-{'+'.join(reading.answers[at].labels)}.png"), picture)


def _print_tables(results: Counter[Result]) -> None:
    def only(**wanted: object) -> Counter[Result]:
        return Counter(
            {one: n for one, n in results.items() if all(getattr(one, k) == v for k, v in wanted.items())}
        )

    print_table("filling", [(one.value, only(filling=one)) for one in Filling])
    print_table("pen", [(one, only(pen=one)) for one in sorted({result.pen for result in results})])
    print_table("scan", [(one.value, only(condition=one)) for one in Condition])
    print_table("sheet", [(kind.name, only(sheet=kind.name)) for kind in dict.fromkeys(_KINDS)])
    print_table("ordinary scans", [(kind, _plain(results, kinds)) for kind, kinds in _ways().items()])
    print_reliability(results)


def _ways() -> dict[str, set[str]]:
    names: dict[str, set[str]] = {}
    for kind in _KINDS:
        names.setdefault(f"plain fillings, {kind.way}", set()).add(kind.name)
    return names


def _plain(results: Counter[Result], sheets: set[str]) -> Counter[Result]:
    return Counter(
        {
            one: n
            for one, n in results.items()
            if one.condition is Condition.ORDINARY and one.filling in _PLAIN and one.sheet in sheets
        }
    )


if __name__ == "__main__":
    main()
