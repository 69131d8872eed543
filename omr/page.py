"""A page as it came out of a scan file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from omr.pixels import Gray


@dataclass(frozen=True, slots=True)
class Page:
    """One decoded page.

    Attributes:
        gray: at the scan's own resolution.
        dpi: resolution as the file says (x, y), None where it says nothing.
        bilevel: whether the scan holds black and white only.
        warning: damage that was survived, in words for the teacher; empty if none.
    """

    gray: Gray
    dpi: tuple[float, float] | None = None
    bilevel: bool = False
    warning: str = ""
