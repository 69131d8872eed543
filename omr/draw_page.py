"""Draws what is the same on every copy of a page: the frame, the questions and what stands around them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from omr.design import Writing
from omr.fonts import text_width
from omr.geometry import Rectangle
from omr.layout import IdentityField, QuestionKind
from omr.pen import STACK_PITCH, Align, Weight

if TYPE_CHECKING:
    from collections.abc import Sequence

    from omr.compose import ComposedSheet
    from omr.design import SheetDesign
    from omr.layout import DigitRow, QuestionLayout
    from omr.page_filler import ComposedPage, Heading
    from omr.pen import Pen

BOX_OUTLINE = 0.35
_INNER_LINE, _INNER_GRAY = 0.15, 0.6
_HAIRLINE = 0.2
_SMALL_PRINT = 2.5
_IDENTITY_NAMES = {IdentityField.GRADE: "年", IdentityField.CLASS: "組", IdentityField.NUMBER: "番"}


@dataclass(frozen=True, slots=True)
class PageArtist:
    """Draws the pages of one sheet with one pen."""

    pen: Pen
    design: SheetDesign
    sheet: ComposedSheet

    def draw_page(self, page: ComposedPage) -> None:
        """Everything but the code and the owner."""
        for square in page.layout.fiducials:
            self.pen.solid(square)
        self._draw_title(page.layout.number)
        for heading in page.headings:
            self._draw_heading(heading)
        for caption in page.captions:
            self.pen.text(caption.text, caption.area, caption.size, align=caption.align, gray=caption.gray)
        for question in page.layout.questions:
            self._draw_question(question)

    def draw_digit_rows(self) -> None:
        """What a pupil fills in on a blank set."""
        frame = self.sheet.frame
        draw_digit_block(self.pen, frame.identity_block, frame.identity)
        self._draw_name_frame()
        self._draw_instruction("年・組・番号をマークし、氏名を書く。")
        self._draw_mark_example()

    def draw_owner_frame(self) -> None:
        """The empty space for a printed class, number and name."""
        frame = self.sheet.frame
        block = frame.identity_block
        self.pen.frame(Rectangle(block.x, block.y, block.w, frame.name_box.h), BOX_OUTLINE)
        self._draw_name_frame()
        self._draw_instruction("自分の用紙であることを確かめる。")
        if any(question.kind is QuestionKind.CHOICE for question in self.design.questions):
            self._draw_mark_example()

    def _draw_name_frame(self) -> None:
        box = self.sheet.frame.name_box
        self.pen.frame(box, BOX_OUTLINE)
        self.pen.text("氏名", Rectangle(box.x + 1.2, box.y + 0.8, 8.0, 3.0), _SMALL_PRINT, gray=0.3)

    def _draw_instruction(self, text: str) -> None:
        area = self.sheet.frame.instruction
        self.pen.text(text, Rectangle(area.x, area.y, area.w, area.h / 2), _SMALL_PRINT)

    def _draw_mark_example(self) -> None:
        """What a good mark looks like, in the middle of a sentence."""
        area = self.sheet.frame.instruction
        half = area.h / 2
        before, after = "マークは", "のように濃くぬりつぶす。"
        size = min(_SMALL_PRINT, (area.w - 4.6) / text_width(before + after, 1.0))
        y = area.y + half
        oval = Rectangle(area.x + text_width(before, size) + 0.8, y + (half - 3.4) / 2, 2.9, 3.4)
        self.pen.text(before, Rectangle(area.x, y, area.w, half), size)
        self.pen.filled_oval(oval)
        self.pen.text(after, Rectangle(oval.right + 0.8, y, area.right - oval.right, half), size)

    def _draw_title(self, number: int) -> None:
        area = self.sheet.frame.title
        side = f"{self.design.subject}　{_japanese_date(self.design.date)}　{number} / {len(self.sheet.pages)} ページ"
        side_width = min(text_width(side, 3.2), area.w * 0.5)
        title = Rectangle(area.x, area.y, area.w - side_width - 5.0, area.h - 1.0)
        self.pen.text(self.design.title, title, 5.4, weight=Weight.BOLD)
        self.pen.text(
            side,
            Rectangle(area.right - side_width, area.y + 0.8, side_width, area.h - 1.8),
            3.2,
            align=Align.END,
        )
        self.pen.line(area.x, area.bottom, area.right, area.bottom, 0.3)

    def _draw_heading(self, heading: Heading) -> None:
        area = heading.area
        if self.design.writing is Writing.HORIZONTAL:
            tab = Rectangle(area.x, area.y, max(area.h, text_width(heading.text, 4.2) + 3.0), area.h)
            tab = Rectangle(tab.x, tab.y, min(tab.w, area.w), tab.h)
            self.pen.text(heading.text, tab.expanded(-0.6), 4.2, align=Align.MIDDLE, weight=Weight.BOLD)
            self.pen.line(tab.right, area.bottom, area.right, area.bottom, _HAIRLINE, gray=0.5)
        else:
            upright = text_width(heading.text, 4.2) <= area.w - 1.0
            length = area.w if upright else min(STACK_PITCH * 4.2 * len(heading.text) + 2.0, area.h)
            tab = Rectangle(area.x, area.y, area.w, length)
            if upright:
                self.pen.text(heading.text, tab.expanded(-0.6), 4.2, align=Align.MIDDLE, weight=Weight.BOLD)
            else:
                self.pen.stacked_text(heading.text, tab.expanded(-1.0), 4.2, weight=Weight.BOLD)
            self.pen.line(area.x, tab.bottom, area.x, area.bottom, _HAIRLINE, gray=0.5)
        self.pen.frame(tab, 0.35)

    def _draw_question(self, question: QuestionLayout) -> None:
        for line in question.lines:
            self.pen.line(line.x1, line.y1, line.x2, line.y2, _INNER_LINE, _INNER_GRAY)
        for bubble in question.bubbles:
            self.pen.bubble(bubble)
        if question.box:
            self.pen.frame(question.box, BOX_OUTLINE)


def _japanese_date(text: str) -> str:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return text
    return f"{day.year}年{day.month}月{day.day}日"


def draw_digit_block(pen: Pen, block: Rectangle, rows: Sequence[DigitRow]) -> None:
    """The digit bubbles of grade, class and number in their frame."""
    pen.frame(block, _HAIRLINE, gray=0.5)
    rows_of = {one: [row for row in rows if row.field is one] for one in IdentityField}
    for one, digits in rows_of.items():
        first, last = digits[0].bubbles[0], digits[-1].bubbles[0]
        area = Rectangle(block.x, first.y, 5.2, last.bottom - first.y)
        pen.text(_IDENTITY_NAMES[one], area, 3.6, align=Align.MIDDLE)
        if last is not first:
            for row, place in zip(digits, ("十の位", "一の位"), strict=True):
                area = Rectangle(block.x + 4.9, row.bubbles[0].y, 6.4, row.bubbles[0].h)
                pen.text(place, area, 2.1, align=Align.MIDDLE, gray=0.4)
        for row in digits:
            for bubble in row.bubbles:
                pen.bubble(bubble)
