"""What the order of scanning says of whose a paper is: a weak hint, believed only as far as the pile is sorted."""

from __future__ import annotations

import sys
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_MOST_TRUST = 0.95
"""How far the best-sorted pile is believed."""
_BEYOND = sys.maxsize


def order_factors(owners: Sequence[int | None], free: Sequence[int]) -> NDArray[np.float64]:
    """How much the places in one pile speak for each student, against knowing nothing (1).

    A paper between those of No. 11 and No. 13 is probably No. 12's; of two papers in a gap of two students the
    first is probably the first's. How probably, the proven papers tell: a shuffled pile says nothing.

    Args:
        owners: the proven student of each paper of a pile in scan order, by place in the roster; None where open.
        free: the students that are open, by place in the roster, ascending.

    Returns:
        A row for each open paper, shape (open papers, free students).
    """
    trust, is_reversed = _sortedness([owner for owner in owners if owner is not None])
    papers = list(reversed(owners)) if is_reversed else list(owners)
    rows: list[NDArray[np.float64]] = []
    last, gap = -1, 0
    for owner in [*papers, _BEYOND]:
        if owner is None:
            gap += 1
            continue
        inside = np.flatnonzero((np.asarray(free) > last) & (np.asarray(free) < owner))
        rows += [_factors(inside, place, gap, len(free), trust) for place in range(gap)]
        last, gap = owner, 0
    table = np.array(rows).reshape(len(rows), len(free))
    return table[::-1] if is_reversed else table


def _sortedness(proven: Sequence[int]) -> tuple[float, bool]:
    """How far a pile is sorted, 0 to 1 (with Laplace's rule for small piles), and whether from the last to the first."""
    rising = sum(one < other for one, other in pairwise(proven))
    falling = len(proven) - 1 - rising
    share = (max(rising, falling) + 1) / (len(proven) + 1) if proven else 0.5
    return min(max(0.0, 2 * share - 1), _MOST_TRUST), falling > rising


def _factors(
    inside: NDArray[np.intp], place: int, gap: int, students: int, trust: float
) -> NDArray[np.float64]:
    """The row of the paper at a place (from 0) in a gap of so many papers, into which the students `inside` fit."""
    absent = len(inside) - gap
    fitting = inside[place : place + absent + 1] if absent >= 0 else inside
    if not len(fitting):
        return np.ones(students)
    factors = np.full(students, 1 - trust)
    factors[fitting] += trust * students / len(fitting)
    return factors
