"""Pages of a PDF: the embedded stream where a page is one image, else the drawn page."""

from __future__ import annotations

import io
import logging
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pikepdf
from pikepdf import Name

from omr.decode_limits import too_many_pages
from omr.errors import PageSetAside, Trouble
from omr.gray import DAMAGE_WARNING, Dpi, orient, orient_dpi, plausible_dpi, stretch_to_black_and_white
from omr.jbig2 import SYMBOLS_WARNING
from omr.page import Page
from omr.pdf_image import decode_image_stream
from omr.pdf_image_facts import RareImageError, is_bilevel, shares_symbols
from omr.pdf_one_image import Box, DrawnPageError, PlacedImage, find_one_image
from omr.pdf_render import POINTS_PER_INCH, decode_with_pdfium, render_page, take_single_page

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from omr.decode_limits import DecodeLimits

_log = logging.getLogger(__name__)
for _library in ("pikepdf", "pypdfium2"):
    # Damaged scans are everyday input: what the libraries say about them goes to a log, if there is one.
    logging.getLogger(_library).addHandler(logging.NullHandler())
_OBJECT = re.compile(rb"(?<!\d)(\d{1,7}) \d{1,5} obj\b")
_ROOT = re.compile(rb"/Root\s+(\d{1,7}) 0 R")
_ROTATIONS = {0: 1, 90: 6, 180: 3, 270: 8}
_MAX_SALVAGE_BYTES = 512 * 1024**2
_PAGE_OBJECT = re.compile(
    rb"(?<!\d)(\d{1,7}) (\d{1,5}) obj\b(?:(?!endobj).){0,4000}?/Type\s*/Page(?!s)\b", re.DOTALL
)


class PdfPages:
    """The pages of one open PDF.

    Args:
        source: path of the file, or all of it.
        limits: the bounds.
        password: for encrypted files; None asks for none.

    Attributes:
        page_count: number of pages.
        warning: damage of the file as a whole; empty if none.

    Raises:
        PageSetAside: encrypted, damaged, or too many pages.
    """

    def __init__(self, source: Path | bytes, limits: DecodeLimits, password: str | None) -> None:
        self._limits = limits
        self.warning = ""
        # qpdf's bound is one for the process; it guards the compressed parts of the file's own structure.
        pikepdf.settings.set_qpdf_limits(flate_max_memory=limits.max_drawing_bytes)
        self._document, salvaged = _open(source, password)
        self._damaged = salvaged
        self.page_count = len(self._document.pages)
        self._note_damage()
        if self.page_count > limits.max_pages:
            self._document.close()
            raise too_many_pages(self.page_count, limits)
        if salvaged:
            self.warning = "PDFが壊れていたため、残っていたページだけを読みました。足りないページがないか確認してください。"

    def read_page(self, index: int) -> Page:
        """Decode or draw one page.

        Args:
            index: from 0.

        Raises:
            PageSetAside: this page is too large or too damaged.
        """
        page = self._document.pages[index]
        crop = _visible_box(page)
        try:
            placed = find_one_image(page, crop)
        except (DrawnPageError, pikepdf.PikepdfError):
            return self._render(page)
        gray, warning, bilevel = self._decode(page, placed)
        upright, dpi = _lay_out(gray, placed, crop, page)
        return Page(upright, dpi, bilevel, warning)

    def close(self) -> None:
        """Close the file."""
        self._document.close()

    def _render(self, page: pikepdf.Page) -> Page:
        single = take_single_page(self._document, page, self._limits)
        self._note_damage()
        if not self._damaged:
            return render_page(single, self._limits)
        # In a damaged file, what was to be drawn may be lost without a trace, and look like an empty answer.
        if Name.Contents not in page.obj:
            raise PageSetAside(
                Trouble.DAMAGED_PAGE,
                "このページの内容がファイルから失われています。スキャンし直してください。",
            )
        return render_page(replace(single, warning=single.warning or DAMAGE_WARNING), self._limits)

    def _note_damage(self) -> None:
        for message in self._document.get_warnings():
            _log.info("qpdf: %s", message)
            self._damaged = True

    def _decode(self, page: pikepdf.Page, placed: PlacedImage) -> tuple[NDArray[np.uint8], str, bool]:
        image = placed.stream
        try:
            gray, warning = decode_image_stream(image, self._limits)
            return gray, warning, is_bilevel(image)
        except RareImageError:
            gray = decode_with_pdfium(take_single_page(self._document, page, self._limits))
        bilevel = is_bilevel(image)
        return (
            stretch_to_black_and_white(gray) if bilevel else gray,
            SYMBOLS_WARNING if shares_symbols(image) else "",
            bilevel,
        )


def _lay_out(
    gray: NDArray[np.uint8],
    placed: PlacedImage,
    crop: Box,
    page: pikepdf.Page,
) -> tuple[NDArray[np.uint8], Dpi | None]:
    """Turn and cut an image as it is seen on the page.

    Args:
        gray: as it lies in the stream.
        placed: where it stands.
        crop: the visible part of the page.
        page: for its unit and rotation.

    Returns:
        The array upright as the page says, and its resolution.
    """
    seen = orient(gray, placed.orientation)
    rows, columns = seen.shape
    left, bottom, right, top = placed.box
    across, down = columns / (right - left), rows / (top - bottom)
    # Half a percent of overhang is rounding of the page box, not a hidden margin.
    first_column, last_column = _cut(crop[0] - left, crop[2] - left, across, columns)
    first_row, last_row = _cut(top - crop[3], top - crop[1], down, rows)
    seen = seen[first_row:last_row, first_column:last_column]
    inch = POINTS_PER_INCH / float(page.obj.get(Name.UserUnit, 1.0))
    turn = _ROTATIONS.get(page.rotation % 360, 1)
    return orient(seen, turn), orient_dpi(plausible_dpi(across * inch, down * inch), turn)


def _cut(start: float, end: float, scale: float, length: int) -> tuple[int, int]:
    first, last = start * scale, end * scale
    slack = 0.005 * length
    return (
        round(first) if first > slack else 0,
        round(last) if last < length - slack else length,
    )


def _visible_box(page: pikepdf.Page) -> Box:
    """The crop box inside the media box, in the page's units.

    Raises:
        PageSetAside: the page has no area.
    """
    media, crop = _sorted_box(page.mediabox), _sorted_box(page.cropbox)
    box = (
        max(media[0], crop[0]),
        max(media[1], crop[1]),
        min(media[2], crop[2]),
        min(media[3], crop[3]),
    )
    if box[0] >= box[2] or box[1] >= box[3]:
        raise PageSetAside(
            Trouble.DAMAGED_PAGE, "ページの大きさが正しくないため開けません。スキャンし直してください。"
        )
    return box


def _sorted_box(corners: Any) -> Box:
    x1, y1, x2, y2 = (float(corner) for corner in corners)
    return min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)


def _open(source: Path | bytes, password: str | None) -> tuple[pikepdf.Pdf, bool]:
    """The document, and whether its page tree had to be put together again."""
    try:
        document = unlock_pdf(source, password)
        if len(document.pages) > 0:
            return document, False
        document.close()
    except pikepdf.PdfError as error:
        _log.info("qpdf: %s", error)
    document_or_none = _salvage(source)
    if document_or_none is None:
        raise PageSetAside(
            Trouble.UNREADABLE_FILE,
            "PDFが壊れていて開けません。スキャンし直すか、元のファイルを入れ直してください。",
        )
    return document_or_none, True


def _salvage(source: Path | bytes) -> pikepdf.Pdf | None:
    """Put a new page tree around the page objects of a file that lost its own, as cut-off files do."""
    if isinstance(source, Path):
        if source.stat().st_size > _MAX_SALVAGE_BYTES:
            return None
        source = source.read_bytes()
    pages = list(dict.fromkeys((int(m[1]), int(m[2])) for m in _PAGE_OBJECT.finditer(source)))
    if not pages:
        return None
    kids = b" ".join(b"%d %d R" % page for page in pages)
    tree = max(int(m[1]) for m in _OBJECT.finditer(source)) + 1
    tail = b"\nendstream\nendobj\n%d 0 obj\n<< /Type /Pages /Count %d /Kids [%s] >>\nendobj\n" % (
        tree,
        len(pages),
        kids,
    )
    # qpdf rebuilds the list of objects from the text, where a later one replaces an earlier one; the first
    # trailer found stays, so every catalog that is named gets the new tree.
    for root in {tree + 1, *(int(m[1]) for m in _ROOT.finditer(source))}:
        tail += b"%d 0 obj\n<< /Type /Catalog /Pages %d 0 R >>\nendobj\n" % (root, tree)
    tail += b"trailer\n<< /Size %d /Root %d 0 R >>\nstartxref\n0\n%%%%EOF\n" % (tree + 2, tree + 1)
    try:
        document = pikepdf.open(io.BytesIO(source + tail))
        if len(document.pages) > 0:
            return document
        document.close()
    except pikepdf.PdfError as error:
        _log.info("qpdf: %s", error)
    return None


def unlock_pdf(source: Path | bytes, password: str | None) -> pikepdf.Pdf:
    """Open a PDF, without a password first: a batch has one, and not every file of it needs it.

    Args:
        source: path of the file, or all of it.
        password: None where none is known.

    Raises:
        PageSetAside: it needs another password.
        pikepdf.PdfError: it is damaged.
    """
    for word in ("",) if password is None else ("", password):
        try:
            return pikepdf.open(io.BytesIO(source) if isinstance(source, bytes) else source, password=word)
        except pikepdf.PasswordError:
            continue
    if password is None:
        reason = "パスワード付きのPDFです。--password でパスワードを指定するか、パスワードなしで保存し直してください。"
    else:
        reason = "PDFのパスワードが違います。--password に正しいパスワードを指定してください。"
    raise PageSetAside(Trouble.ENCRYPTED, reason)
