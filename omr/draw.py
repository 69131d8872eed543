"""Prints answer sheets as a PDF: one set a student, or one blank set for copying."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from reportlab.pdfgen.canvas import Canvas

from omr.code_print import code_rectangles
from omr.compose import compose_sheet
from omr.design import Orientation
from omr.draw_page import PageArtist
from omr.errors import InputError
from omr.fonts import register_font
from omr.geometry import Rectangle
from omr.owner_print import check_owners, class_and_number, names_in_kana, printed_name
from omr.pen import POINTS_PER_MM, Align, Pen, Weight
from omr.replace_file import replace_file
from omr.sheet_code import BLANK_STUDENT, SheetCode, exam_digest, layout_digest, student_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from omr.compose import ComposedSheet
    from omr.design import SheetDesign, SheetOwner
    from omr.layout import Layout, PageLayout
    from omr.page_filler import ComposedPage


class Sides(Enum):
    """Whether sheets are printed on one side of the paper or on both (両面)."""

    ONE = "one"
    TWO = "two"


@contextmanager
def open_print(target: Path | BinaryIO) -> Iterator[BinaryIO]:
    """The stream that a print is written to; a file is replaced when the print is whole.

    Raises:
        InputError: the file can't be written.
    """
    if not isinstance(target, Path):
        yield target
        return
    try:
        with replace_file(target) as stream:
            yield stream
    except OSError as error:
        raise InputError(
            f"{target} に書き込めません。フォルダーと空き容量があるか、ほかのプログラムで開いていないかを確かめてください。"
        ) from error


@dataclass(frozen=True, slots=True)
class PrintReport:
    """What was printed.

    Attributes:
        pages: of the PDF, empty backs included.
        sets: one a student, or one blank set.
        printed_in_kana: (student_id, name, kana) of students whose name the font can't show: kana stands on their
            sheets, or, where kana is empty too, the name with 〓 for what is missing.
    """

    pages: int
    sets: int
    printed_in_kana: tuple[tuple[str, str, str], ...]


def draw_sheets(
    design: SheetDesign,
    layout: Layout,
    owners: Sequence[SheetOwner] | None,
    target: Path | BinaryIO,
    sides: Sides = Sides.ONE,
) -> PrintReport:
    """Write the PDF of a sheet.

    Args:
        design: the sheet.
        layout: from `compose_layout` for the same design.
        owners: one set each, in this order, a student's pages together; None for one blank set.
        target: a path or a binary stream.
        sides: with `Sides.TWO` every set starts on a new piece of paper and the printer is asked for both sides.

    Raises:
        InputError: the layout is another design's, there is no owner, two owners would get the same code, or the
                file can't be written.
    """
    sheet = compose_sheet(design)
    if sheet.layout.digest != layout.digest:
        raise InputError(
            "レイアウトが試験の内容と合いません。この試験の saiten print で書き出した LAYOUT.json を使ってください。"
        )
    if owners is not None:
        check_owners(owners)
    with open_print(target) as stream:
        printer = _SheetPrinter(design, sheet, stream, sides)
        if owners is None:
            printer.print_blank_set()
        else:
            printer.print_students(owners)
        printer.canvas.save()
    sets = 1 if owners is None else len(owners)
    return PrintReport(sets * printer.pages_per_set, sets, names_in_kana(owners or ()))


class _SheetPrinter:
    """One PDF under way: the static part of every page is stored once and used by all sets."""

    def __init__(self, design: SheetDesign, sheet: ComposedSheet, target: BinaryIO, sides: Sides) -> None:
        width, height = design.page_size
        self.design, self.sheet = design, sheet
        self.empty_backs = len(sheet.pages) % 2 if sides is Sides.TWO else 0
        self.pages_per_set = len(sheet.pages) + self.empty_backs
        self.canvas = Canvas(
            target,
            pagesize=(width * POINTS_PER_MM, height * POINTS_PER_MM),
            pageCompression=1,
            initialFontName=register_font(),  # else reportlab names a font that is not embedded
            lang="ja",
        )
        self.pen = Pen(self.canvas, height)
        self.artist = PageArtist(self.pen, design, sheet)
        self._describe(sides)

    def print_blank_set(self) -> None:
        """One set that belongs to nobody."""
        self._store_pages(self.artist.draw_digit_rows)
        self._print_set(BLANK_STUDENT, None)

    def print_students(self, owners: Sequence[SheetOwner]) -> None:
        """One set each."""
        self._store_pages(self.artist.draw_owner_frame)
        for owner in owners:
            self._print_set(student_digest(owner.student_id), owner)

    def _describe(self, sides: Sides) -> None:
        self.canvas.setTitle(f"{self.design.title} 解答用紙")
        self.canvas.setSubject(self.design.subject)
        self.canvas.setCreator("saiten")
        self.canvas.setAuthor("")
        self.canvas.setViewerPreference("PrintScaling", "None")
        if sides is Sides.TWO:
            portrait = self.design.orientation is Orientation.PORTRAIT
            edge = "Long" if portrait else "Short"
            self.canvas.setViewerPreference("Duplex", f"DuplexFlip{edge}Edge")

    def _store_pages(self, draw_identity: Callable[[], None]) -> None:
        for page in self.sheet.pages:
            self.canvas.beginForm(_form_name(page))
            self.artist.draw_page(page)
            draw_identity()
            self.canvas.endForm()

    def _print_set(self, student: str, owner: SheetOwner | None) -> None:
        exam, layout = exam_digest(self.design.exam_id), layout_digest(self.sheet.layout.digest)
        for page in self.sheet.pages:
            self.canvas.doForm(_form_name(page))
            self._draw_code(page.layout, SheetCode(exam, layout, student, page.layout.number).text())
            if owner:
                self._draw_owner(owner)
            self.canvas.showPage()
        for _ in range(self.empty_backs):
            self.canvas.showPage()

    def _draw_code(self, page: PageLayout, text: str) -> None:
        for area in (page.qr, page.second_qr):
            if area:
                self.pen.solids(code_rectangles(text, area))
        footer = self.sheet.frame.footer
        line = Rectangle(footer.x, footer.y, footer.w, footer.h / 2)
        self.pen.text(f"{page.number} / {len(self.sheet.pages)}", line, 2.6)
        line = Rectangle(footer.x, footer.y + footer.h / 2, footer.w, footer.h / 2)
        self.pen.text(text, line, 2.2, gray=0.35)

    def _draw_owner(self, owner: SheetOwner) -> None:
        frame = self.sheet.frame
        block = Rectangle(
            frame.identity_block.x, frame.identity_block.y, frame.identity_block.w, frame.name_box.h
        )
        self.pen.text(class_and_number(owner), block.expanded(-3.0), 7.0, align=Align.MIDDLE)
        name, box = printed_name(owner), frame.name_box
        if name.kana:
            area = Rectangle(box.x + 10.0, box.y + 0.8, box.w - 12.0, 3.6)
            self.pen.text(name.kana, area, 2.8, align=Align.START)
        area = Rectangle(box.x + 2.0, box.y + 4.8, box.w - 4.0, box.h - 6.0)
        self.pen.text(name.text, area, 8.0, align=Align.MIDDLE, weight=Weight.BOLD)


def _form_name(page: ComposedPage) -> str:
    return f"page{page.layout.number}"
