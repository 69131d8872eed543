"""The tables of the bubble benchmark: what became of the questions, and whether the confidences hold."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING

from scipy.stats import beta

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sample_scans.bubble_fillings import Filling
    from sample_scans.scanner import Condition

_BINS = (0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.99, 0.999, 0.9999, 1.0)


class Outcome(StrEnum):
    """What became of a question."""

    RIGHT = "right"
    DOUBTFUL = "doubtful"
    SET_ASIDE = "set aside"
    READ_AS_EMPTY = "read as empty"
    READ_AS_MARKED = "read as marked"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Result:
    """One question.

    Attributes:
        sheet: and how it is read.
        condition: of the scan.
        filling: under test.
        pen: what it was drawn with.
        outcome: what became of it.
        confidence: that was given, None on pages set aside.
        is_guess_right: whether the marked labels, best guess where doubtful, are those that were meant.
    """

    sheet: str
    condition: Condition
    filling: Filling
    pen: str
    outcome: Outcome
    confidence: float | None
    is_guess_right: bool


def print_table(title: str, rows: Sequence[tuple[str, Counter[Result]]]) -> None:
    """One line a row: the questions and how many ended how."""
    print(f"{title:<32}{'questions':>10}" + "".join(f"{name:>15}" for name in Outcome))
    for name, results in rows:
        total = results.total()
        counts: Counter[Outcome] = Counter()
        for result, n in results.items():
            counts[result.outcome] += n
        cells = [f"{counts[outcome]:>7}{100 * counts[outcome] / max(total, 1):6.2f} %" for outcome in Outcome]
        print(f"{name:<32}{total:>10}" + "".join(cells))
    print()


def print_reliability(results: Counter[Result]) -> None:
    """Of the readings of each range of confidence: what was claimed on average, and how many were right.

    The bounds are Clopper and Pearson's for 95 %. `next_to` and single cancelled marks mean nothing certain and
    are left out.
    """
    print(f"{'confidence':<24}{'questions':>10}{'claimed':>12}{'right':>12}{'95 % bounds':>24}")
    certain = {one: n for one, n in results.items() if one.confidence is not None and _is_certain(one)}
    for is_doubtful in (False, True):
        for low, high in pairwise(_BINS):
            found = {
                one: n
                for one, n in certain.items()
                if (one.outcome is Outcome.DOUBTFUL) is is_doubtful
                and one.confidence is not None
                and low <= one.confidence < high + (high == 1)
            }
            total = sum(found.values())
            if not total:
                continue
            claimed = sum((one.confidence or 0) * n for one, n in found.items()) / total
            right = sum(n for one, n in found.items() if one.is_guess_right)
            worst, best = bounds(right, total)
            kind = "doubtful" if is_doubtful else "ok, blank"
            print(
                f"{kind:<10}{low:>6g} – {high:<6g}{total:>9}{claimed:>12.5f}{right / total:>12.5f}"
                f"{worst:>14.5f} – {best:.5f}"
            )
    print()


def bounds(right: int, total: int) -> tuple[float, float]:
    """Clopper and Pearson's exact 95 % bounds of a share (Biometrika 26, 1934)."""
    low = float(beta.ppf(0.025, right, total - right + 1)) if right else 0.0
    high = float(beta.ppf(0.975, right + 1, total - right)) if right < total else 1.0
    return low, high


def _is_certain(result: Result) -> bool:
    return result.filling not in {"next_to", "cancelled"}
