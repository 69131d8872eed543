"""How sure a verdict is: the share of verdicts as far from their line that turned out right.

`python -m benchmarks.calibration --seed 1 --bubbles 200000` fits the tables below on pages of seeds that no other benchmark uses, and prints
them. A question is as sure as the worst of its bubbles. The shares are made to rise with the distance (isotonic
regression), and where none was wrong the claim is 1 − 3/n, all that n right ones prove (the rule of three). The
pages hold far more odd marks than a class makes, so among real pages more of the doubtful guesses are right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from omr.pixels import Floats, Mask

MARGINS = (-4.0, -2.0, -1.0, -0.6, -0.3, -0.1, 0.0, 0.2, 0.4, 0.6, 1.0, 2.0)
"""Where one range of distances ends and the next begins; a verdict is sure from 0 on."""


@dataclass(frozen=True, slots=True)
class ChanceTable:
    """The share right of verdicts in each range of distances, the farthest short of the line first.

    Attributes:
        marked: of verdicts "marked", one more than there are `MARGINS`.
        empty: of verdicts "empty".
    """

    marked: tuple[float, ...]
    empty: tuple[float, ...]


MEASURED_PRINT = ChanceTable(
    marked=(*(0.96104,) * 5, 0.98343, 0.98343, 0.9869, *(0.99705,) * 5),
    empty=(0.33498, 0.856, 0.9698, 0.9781, *(0.98868,) * 3, 0.99543, *(0.99952,) * 5),
)
"""Where the empty print is known: our own sheets, a reference, a learnt print."""
UNKNOWN_PRINT = ChanceTable(
    marked=(*(0.96897,) * 5, 0.98872, 0.98872, 0.98917, 0.99242, 0.99429, *(0.99644,) * 3),
    empty=(0.11144, 0.44444, 0.87958, *(0.98986,) * 7, *(0.99796,) * 3),
)
"""Where bubbles are compared with each other only."""
BLANK_BOX = 0.99846
"""That a written box called blank is blank."""


def chance_of_verdicts(margin: Floats, marked: Mask, table: ChanceTable) -> NDArray[np.float64]:
    """The chance that each verdict is right.

    Args:
        margin: distance of each verdict from its line, (K,).
        marked: which are verdicts "marked", (K,).
        table: fitted for this way of measuring.
    """
    shares = np.array([table.empty, table.marked])
    chance: NDArray[np.float64] = shares[marked.astype(np.intp), np.searchsorted(MARGINS, margin, "right")]
    return chance
