"""How a sheet code is printed: a QR code of fixed version, error correction and mask, as plain rectangles.

The fixed form lets a reader that knows where the code stands sample its modules through the page transform.
"""

from __future__ import annotations

import segno

from omr.geometry import Rectangle

VERSION = 3
MODULES = 17 + 4 * VERSION
"""Modules along a side, without the quiet zone."""
QUIET_ZONE = 4
"""White modules on every side, as the QR standard asks."""
_MASK = 0


def code_modules(text: str) -> tuple[bytes, ...]:
    """The rows of the code, 1 for a dark module, without the quiet zone.

    Args:
        text: from `SheetCode.text`: at most 35 characters of the alphanumeric set at error correction H.
    """
    code = segno.make_qr(text, error="h", version=VERSION, mode="alphanumeric", mask=_MASK, boost_error=False)
    return tuple(bytes(row) for row in code.matrix)


def code_rectangles(text: str, area: Rectangle) -> list[Rectangle]:
    """The dark parts of the code on the page, equal runs in neighbouring rows joined.

    Args:
        text: as in `code_modules`.
        area: square, quiet zone included, mm.
    """
    module = area.w / (MODULES + 2 * QUIET_ZONE)
    growing: dict[tuple[int, int], list[int]] = {}
    blocks: list[tuple[int, int, int, int]] = []
    for y, row in enumerate((*code_modules(text), bytes(MODULES))):
        runs = _dark_runs(row)
        blocks += [(x, top, w, h) for (x, w), (top, h) in growing.items() if (x, w) not in runs]
        growing = {run: [growing[run][0], growing[run][1] + 1] if run in growing else [y, 1] for run in runs}
    return [
        Rectangle(
            area.x + (QUIET_ZONE + x) * module, area.y + (QUIET_ZONE + y) * module, w * module, h * module
        )
        for x, y, w, h in blocks
    ]


def _dark_runs(row: bytes) -> list[tuple[int, int]]:
    """Start and length of every run of dark modules."""
    starts = [x for x in range(len(row)) if row[x] and (x == 0 or not row[x - 1])]
    ends = [x + 1 for x in range(len(row)) if row[x] and (x + 1 == len(row) or not row[x + 1])]
    return [(start, end - start) for start, end in zip(starts, ends, strict=True)]
