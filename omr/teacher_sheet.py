"""A teacher's own sheet, opened to be printed on: its pages as pictures, and as a PDF to draw under."""

from __future__ import annotations

import io
import zlib
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003  (part of public signatures)
from typing import TYPE_CHECKING

import pikepdf
from pikepdf import Name

from omr.design import PAPER_SIZES_MM
from omr.errors import InputError, PageSetAside
from omr.page_size import nearest_paper, page_size_mm
from omr.pdf_pages import unlock_pdf
from omr.pen import POINTS_PER_MM
from omr.scan_file import open_scan
from omr.sheet_page import SheetPage, upright_page

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST_PAGES = 20
_PAPER_SLACK_MM = 3.0


@dataclass(frozen=True, slots=True)
class TeacherSheet:
    """A sheet of a teacher's own make.

    Attributes:
        pages: upright, all of one size.
        document: a PDF of the same pages; what was drawn there is drawn here, not a picture of it.
    """

    pages: tuple[SheetPage, ...]
    document: bytes

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of every page, mm."""
        return self.pages[0].size


def open_teacher_sheet(path: Path, password: str | None = None) -> TeacherSheet:
    """Open a PDF, PNG, JPEG or TIFF with an unfilled sheet of at most 20 pages.

    A skewed page becomes a picture that is turned upright, as `saiten detect` turns it.

    Args:
        path: of the sheet.
        password: of an encrypted PDF.

    Raises:
        InputError: it can't be read, or is not on paper of one usual size.
    """
    try:
        with open_scan(path, password=password) as scan:
            if scan.page_count > _MOST_PAGES:
                raise InputError(
                    f"{path}: {scan.page_count}ページあります。解答用紙1部（{_MOST_PAGES}ページまで）のファイルを指定してください。"
                )
            read = [scan.read_page(index) for index in range(scan.page_count)]
            pages = [SheetPage(page.gray, page_size_mm(page)) for page in read]
    except PageSetAside as trouble:
        raise InputError(f"{path}: {trouble.reason}") from trouble
    _check_paper(pages, path)
    upright = [upright_page(page) for page in pages]
    level = all(after is before for before, after in zip(pages, upright, strict=True))
    is_pdf = b"%PDF-" in path.read_bytes()[:1024]
    document = _as_drawn(path, password) if is_pdf and level else _as_pictures(upright)
    return TeacherSheet(tuple(upright), document)


def _check_paper(pages: Sequence[SheetPage], path: Path) -> None:
    for number, page in enumerate(pages, 1):
        w, h = page.size
        short, long = PAPER_SIZES_MM[nearest_paper(page.size)]
        if abs(min(w, h) - short) > _PAPER_SLACK_MM or abs(max(w, h) - long) > _PAPER_SLACK_MM:
            raise InputError(
                f"{path} {number}ページ: 用紙が {w:.0f}×{h:.0f} mm です。A4・A3・B4・B5（JIS）のどれかで作り直してください。"
            )
        if max(abs(w - pages[0].size[0]), abs(h - pages[0].size[1])) > 1.0:
            raise InputError(
                f"{path} {number}ページ: 用紙の大きさか向きが1ページ目と違います。全ページを同じ用紙にそろえてください。"
            )


def _as_drawn(path: Path, password: str | None) -> bytes:
    """The PDF with nothing but its pages; what annotations show becomes part of them."""
    try:
        with unlock_pdf(path, password) as document:
            document.flatten_annotations("all")
            for page in document.pages:
                box = page.cropbox  # what a reader shows, and what was measured
                for key in (Name.TrimBox, Name.BleedBox, Name.ArtBox):
                    if key in page.obj:
                        del page.obj[key]
                page.obj.TrimBox = box
            saved = io.BytesIO()
            document.save(saved, encryption=False)
            return saved.getvalue()
    except pikepdf.PikepdfError as error:
        raise InputError(
            f"{path}: PDFが壊れているため、書き加えられません。元のソフトからPDFを作り直してください。"
        ) from error


def _as_pictures(pages: Sequence[SheetPage]) -> bytes:
    """One gray picture a page, without loss."""
    with pikepdf.new() as document:
        for page in pages:
            w, h = (side * POINTS_PER_MM for side in page.size)
            high, wide = page.gray.shape
            picture = document.make_stream(
                zlib.compress(page.gray.tobytes(), 6),
                Type=Name.XObject,
                Subtype=Name.Image,
                Width=wide,
                Height=high,
                ColorSpace=Name.DeviceGray,
                BitsPerComponent=8,
                Filter=Name.FlateDecode,
            )
            sheet = document.add_blank_page(page_size=(w, h))
            sheet.add_resource(picture, Name.XObject, Name.Picture)
            sheet.contents_add(f"q {w:.4f} 0 0 {h:.4f} 0 0 cm /Picture Do Q".encode())
        saved = io.BytesIO()
        document.save(saved)
        return saved.getvalue()
