"""A page as it came out of a scan file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Page:
    """One decoded page.

    Attributes:
        gray: uint8, shape (height, width), 0 black to 255 white, at the scan's own resolution.
        dpi: resolution as the file says (x, y), None where it says nothing.
        bilevel: whether the scan holds black and white only.
        warning: damage that was survived, in words for the teacher; empty if none.
    """

    gray: NDArray[np.uint8]
    dpi: tuple[float, float] | None = None
    bilevel: bool = False
    warning: str = ""
