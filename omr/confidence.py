"""How sure a verdict is: the share of verdicts as far from their line that turned out right.

`python -m benchmarks.calibration --seed 1` fits the tables below on pages of seeds that no other benchmark uses, and prints
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
    marked=(*(0.68831,) * 5, 0.97934, 0.97934, 0.98947, *(0.9976,) * 5),
    empty=(0.37333, 0.86667, 0.9575, 0.98361, *(0.99134,) * 3, 0.99588, *(0.99962,) * 5),
)
"""Where the empty print is known: our own sheets, a reference, a learnt print."""
UNKNOWN_PRINT = ChanceTable(
    marked=(*(0.96988,) * 5, 0.9901, 0.9901, 0.99038, 0.99346, 0.9949, *(0.99687,) * 3),
    empty=(0.11809, 0.45736, 0.88839, *(0.99111,) * 7, *(0.99824,) * 3),
)
"""Where bubbles are compared with each other only."""
BLANK_BOX = 0.99
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
