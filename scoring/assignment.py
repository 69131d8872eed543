"""The best assignment of sheets to students, one student a sheet, and the chance of every pair in it.

The chance of a pair is its profile: the weight of the best whole assignment in which the pair stands, against
the best ones in which the sheet goes elsewhere. It is exact where each alternative has one best completion and
differs from the sum over all assignments (a matrix permanent, for which no fast way is known) only where many
completions are equally good; a test compares the two.

The best assignment is `scipy.optimize.linear_sum_assignment`; all second-best ones follow from it by cheapest
alternating cycles (Floyd and Warshall's all-pairs shortest paths), as in the ranking of assignments by
Murty (1968).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PairChances:
    """How probable each pair is.

    Attributes:
        of_students: shape (sheets, students).
        of_nobody: that the sheet belongs to none of the students, shape (sheets,); with the row above it is 1.
    """

    of_students: Floats
    of_nobody: Floats


def pair_chances(weights: Floats, nobody: Floats) -> PairChances:
    """The chance of each pair, if a student can have written at most one of the sheets.

    Args:
        weights: logarithms of how much speaks for each pair, finite, shape (sheets, students).
        nobody: the same for the sheet being none of theirs, shape (sheets,).
    """
    # It loads slowly, and a server that starts does not need it.
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415

    sheets, students = weights.shape
    options = np.hstack([weights, np.repeat(nobody[:, np.newaxis], sheets, axis=1)])
    _, columns = linear_sum_assignment(options, maximize=True)
    owner = np.full(
        students, sheets
    )  # who has each student in the best assignment; `sheets` stands for no one
    owner[columns[columns < students]] = np.flatnonzero(columns < students)
    own = options[np.arange(sheets), columns]
    paths = _cheapest_moves(options, columns, owner)
    # Sheet i moves to another student, whose sheet moves on, until the place that i left is filled or stays empty.
    cost = own[:, np.newaxis] - weights + paths[owner, :sheets].T
    cost_nobody = own - nobody + paths[sheets, :sheets]
    kept = columns < students
    cost[np.flatnonzero(kept), columns[kept]] = 0
    cost_nobody[~kept] = 0
    chances = np.exp(-np.maximum(np.column_stack([cost, cost_nobody]), 0))
    chances /= chances.sum(axis=1, keepdims=True)
    return PairChances(chances[:, :students], chances[:, students])


def _cheapest_moves(options: Floats, columns: NDArray[np.intp], owner: NDArray[np.intp]) -> Floats:
    """What it costs at least that one sheet loses its column and another one's column is left, for all pairs.

    Nodes are the sheets in their columns and last the pool of unused columns. A sheet moves to the column of
    another, or into the pool; a column that nobody uses can be left where another one gets free.
    """
    sheets, students = len(options), len(owner)
    own = options[np.arange(sheets), columns]
    unused = np.append(
        np.flatnonzero(owner == sheets), students
    )  # there is always room for one more of nobody's
    cost = np.zeros((sheets + 1, sheets + 1))
    cost[:sheets, :sheets] = own[:, np.newaxis] - options[:, columns]
    cost[:sheets, sheets] = own - options[:, unused].max(axis=1)
    for via in range(sheets + 1):
        np.minimum(cost, cost[:, via, np.newaxis] + cost[via], out=cost)
    return cost
