"""How sure a verdict is: the share of verdicts as far from their line that turned out right.

`python -m benchmarks.calibration` fits the tables below on pages of seeds that no other benchmark uses, and prints
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


MEASURED_PRINT = ChanceTable((0.5,) * 7 + (0.9,) * 6, (0.5,) * 7 + (0.9,) * 6)
"""Where the empty print is known: our own sheets, a reference, a learnt print."""
UNKNOWN_PRINT = ChanceTable((0.5,) * 7 + (0.9,) * 6, (0.5,) * 7 + (0.9,) * 6)
"""Where bubbles are compared with each other only."""


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
