"""The text layer of a PDF sheet: printed words and where they stand."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from omr.geometry import MM_PER_INCH, Rectangle

if TYPE_CHECKING:
    from pathlib import Path

_UNITS_PER_POINT = 100  # PDFium maps to whole device units; a hundredth of a point is fine enough
_LEAST_CHROMA = 64  # between the strongest and the weakest of red, green and blue, of 255


@dataclass(frozen=True, slots=True)
class PrintedText:
    """One printed character.

    Attributes:
        text: the character.
        rectangle: its box on the page as it is seen, in millimetres.
        starts_word: whether a space or a line's end stands before it.
        coloured: whether it is printed in a colour, not in black or gray.
    """

    text: str
    rectangle: Rectangle
    starts_word: bool = False
    coloured: bool = False


def read_printed_text(path: Path, password: str | None = None) -> tuple[tuple[PrintedText, ...], ...]:
    """The printed characters of every page of a PDF, one piece each; empty for every other kind of file.

    A PDF that PDFium can't open has no text here: opening it as a scan says why.
    """
    with path.open("rb") as file:
        if b"%PDF-" not in file.read(1024):
            return ()
    try:
        document = pdfium.PdfDocument(path, password=password)
    except pdfium.PdfiumError:
        return ()
    try:
        return tuple(_page_text(document, index) for index in range(len(document)))
    finally:
        document.close()


def _page_text(document: pdfium.PdfDocument, index: int) -> tuple[PrintedText, ...]:
    try:
        page = document[index]
    except pdfium.PdfiumError:
        return ()
    text_page = page.get_textpage()
    pieces = []
    starts_word = True
    for position in range(text_page.count_chars()):
        character = chr(pdfium_c.FPDFText_GetUnicode(text_page, position))
        if character == " " and pdfium_c.FPDFText_IsGenerated(text_page, position) == 1:
            continue  # PDFium's guess from a gap, also where a word processor sets 1学期 a little apart
        if character.isspace() or not character.isprintable():
            starts_word = True
            continue
        box = _seen_box(page, text_page.get_charbox(position))
        pieces.append(PrintedText(character, box, starts_word, _is_coloured(text_page, position)))
        starts_word = False
    text_page.close()
    page.close()
    return tuple(pieces)


def _is_coloured(text_page: pdfium.PdfTextPage, position: int) -> bool:
    red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
    if not pdfium_c.FPDFText_GetFillColor(text_page, position, red, green, blue, alpha):
        return False
    strengths = (red.value, green.value, blue.value)
    return max(strengths) - min(strengths) >= _LEAST_CHROMA


def _seen_box(page: pdfium.PdfPage, box: tuple[float, float, float, float]) -> Rectangle:
    """A box in PDF points on the page as it is seen: cropped, turned, from the top-left corner, in mm."""
    left, bottom, right, top = box
    corners = [_seen_point(page, left, top), _seen_point(page, right, bottom)]
    (x1, x2), (y1, y2) = (sorted(corner[axis] for corner in corners) for axis in (0, 1))
    return Rectangle(x1, y1, x2 - x1, y2 - y1)


def _seen_point(page: pdfium.PdfPage, x: float, y: float) -> tuple[float, float]:
    wide, high = page.get_size()
    device_x, device_y = ctypes.c_int(), ctypes.c_int()
    size = (round(wide * _UNITS_PER_POINT), round(high * _UNITS_PER_POINT))
    pdfium_c.FPDF_PageToDevice(page, 0, 0, *size, 0, x, y, device_x, device_y)
    millimetres = MM_PER_INCH / 72 / _UNITS_PER_POINT
    return device_x.value * millimetres, device_y.value * millimetres
