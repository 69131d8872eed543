"""The font of printed sheets: what it can show, how wide text is, and how text is fitted into a space.

BIZ UDGothic Regular is bundled: a Japanese school font with TrueType outlines, under the SIL Open Font
License 1.1 (`omr/fonts/OFL.txt`). Full-width characters are one em wide, half-width ones half an em.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

FONT_NAME = "BIZUDGothic"
FONT_PATH = Path(__file__).parent / "fonts" / "BIZUDGothic-Regular.ttf"
LINE_PITCH = 1.2
"""Distance between the baselines of two lines, as a multiple of the font size."""
_MOST_LINES = 6
_WORDS = r"[^\s・、]*[\s・、]*"  # a line may end behind a space, a middle dot or a comma
_SPACES = frozenset(" \u00a0\u3000")


@dataclass(frozen=True, slots=True)
class FittedText:
    """Text made to fit a space: its lines from top to bottom, and the font size in millimetres."""

    lines: tuple[str, ...]
    size: float


@cache
def register_font() -> str:
    """Make the bundled font known to reportlab, once, and return its name there."""
    pdfmetrics.registerFont(TTFont(FONT_NAME, str(FONT_PATH)))
    return FONT_NAME


def covers(text: str) -> tuple[str, ...]:
    """The characters of `text` that the font can't show, each once, in order of appearance.

    A character counts as shown when the font maps it to a glyph that has ink, or when it is a space.
    """
    return tuple(dict.fromkeys(one for one in text if ord(one) not in _visible_characters()))


def text_width(text: str, size: float) -> float:
    """The width of one line of text, in the unit of `size`."""
    return float(pdfmetrics.stringWidth(text, register_font(), size))


def fit_text(text: str, width: float, height: float, size: float) -> FittedText:
    """Fit text into a space: one line as long as it keeps its size, else the lines that keep it largest.

    Args:
        text: one paragraph.
        width: of the space, mm.
        height: of the space, mm.
        size: the font size wished for, mm; the result is never larger.
    """
    if size <= height and text_width(text, size) <= width:
        return FittedText((text,), size)
    best, best_worth = FittedText((text,), 0.0), 0.0
    for count in range(1, min(_MOST_LINES, max(len(text), 1)) + 1):
        for pieces, worth in ((re.findall(_WORDS, text) or [text], 1.0), (list(text) or [""], 0.8)):
            lines = _break_lines(pieces, count)
            widest = max(text_width(line, 1.0) for line in lines)
            room = height / (1 + LINE_PITCH * (len(lines) - 1))
            fitting = min(size, width / max(widest, 1e-6), room)
            if fitting * worth > best_worth * 1.05:  # one more line, or a broken word, must be worth it
                best, best_worth = FittedText(lines, fitting), fitting * worth
    return best


def _break_lines(pieces: list[str], count: int) -> tuple[str, ...]:
    share = sum(text_width(piece, 1.0) for piece in pieces) / count
    lines = [""]
    for piece in pieces:
        middle = text_width(lines[-1], 1.0) + text_width(piece, 1.0) / 2
        if lines[-1] and len(lines) < count and middle > share:
            lines.append("")
        lines[-1] += piece
    return tuple(line.strip() or line for line in lines)


@cache
def _visible_characters() -> frozenset[int]:
    face = pdfmetrics.getFont(register_font()).face
    wide_offsets = struct.unpack_from(">h", face.get_table("head"), 50)[0] == 1
    table = face.get_table("loca")
    offsets = struct.unpack(f">{len(table) // 4}L" if wide_offsets else f">{len(table) // 2}H", table)
    inked = {
        code
        for code, glyph in face.charToGlyph.items()
        if 0 < glyph < len(offsets) - 1 and offsets[glyph + 1] > offsets[glyph]
    }
    return frozenset(inked | {ord(one) for one in _SPACES})
