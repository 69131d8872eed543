"""Fills page after page with answer blocks, from flow coordinates (see `omr.answer_block`) to the page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from omr.design import Writing
from omr.errors import InputError
from omr.flow_grid import COLUMN_GAP, ChoiceList, arrange, make_grid
from omr.geometry import Rectangle
from omr.layout import Bubble, Line, PageLayout, QuestionLayout
from omr.page_frame import to_thousandths
from omr.pen import Align

if TYPE_CHECKING:
    from collections.abc import Sequence

    from omr.answer_block import Block
    from omr.design import QuestionDesign, SheetDesign
    from omr.flow_grid import Row, Run
    from omr.page_frame import PageFrame
    from omr.pen import Caption

_ROW_GAP = 4.0
_HEADING_DEPTH = 6.4
_HEADING_SPACE = _HEADING_DEPTH + 2.8
_SECTION_GAP = 3.0
_LINES_KEPT = 3
"""Lines of a list that are not parted from its heading."""
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class Heading:
    """A 大問 heading: its text, and the strip that it opens across the whole line."""

    text: str
    area: Rectangle


@dataclass(frozen=True, slots=True)
class ComposedPage:
    """A page with all that is printed on every copy of it, apart from the frame."""

    layout: PageLayout
    captions: tuple[Caption, ...]
    headings: tuple[Heading, ...]


class PageFiller:
    """Pages under way; `_depth` says how far the current one is full."""

    def __init__(self, design: SheetDesign, frame: PageFrame) -> None:
        self._design, self._frame = design, frame
        self._vertical = design.writing is Writing.VERTICAL
        self._grid = make_grid(design, frame.body)
        self._pages: list[ComposedPage] = []
        self._section: str | None = None
        self._start_page()

    def add_section(self, section: str | None, questions: Sequence[QuestionDesign]) -> None:
        """Place the questions of one 大問 under its heading.

        Raises:
            InputError: a question needs more than a page.
        """
        runs = arrange([self._fitting_block(question) for question in questions], self._grid)
        self._section = section
        if self._depth > 0:
            self._depth += _SECTION_GAP
            if not self._has_room(_HEADING_SPACE + _depth_kept(runs[0])):
                self._end_page()
        self._add_heading()
        for run in runs:
            if isinstance(run, ChoiceList):
                self._add_list(run)
            else:
                self._add_row(run)

    def finish(self) -> tuple[ComposedPage, ...]:
        """All pages, the current one included."""
        self._end_page()
        return tuple(self._pages)

    def _fitting_block(self, question: QuestionDesign) -> Block:
        block = self._grid.block(question)
        if block.depth > self._grid.page_depth - _HEADING_SPACE:
            raise InputError(
                f"設問「{question.id}」が1ページに入りません。選択肢・字数・行数を減らすか、大きい用紙にしてください。"
            )
        return block

    def _has_room(self, depth: float) -> bool:
        return self._depth + depth <= self._grid.page_depth + _ROUNDING

    def _add_heading(self) -> None:
        if self._section is not None:
            area = Rectangle(0, self._depth, self._grid.line_length, _HEADING_DEPTH)
            self._headings.append(Heading(self._section, self._to_page(area)))
            self._depth += _HEADING_SPACE

    def _add_row(self, row: Row) -> None:
        if not self._has_room(row.depth):
            self._continue_on_next_page()
        for start, block in row.cells:
            # A line of bubbles stands in the middle of the boxes beside it.
            self._place(block, start, self._depth + min((row.depth - block.depth) / 2, 1.8))
        self._depth += row.depth + _ROW_GAP

    def _add_list(self, choices: ChoiceList) -> None:
        blocks = choices.blocks
        while blocks:
            if not self._has_room(choices.pitch):
                self._continue_on_next_page()
            room = int((self._grid.page_depth - self._depth) / choices.pitch + _ROUNDING)
            lines = min(room, -(-len(blocks) // choices.columns))
            for place, block in enumerate(blocks[: lines * choices.columns]):
                column, line = divmod(place, lines)
                self._place(block, column * (block.length + COLUMN_GAP), self._depth + line * choices.pitch)
            blocks = blocks[lines * choices.columns :]
            self._depth += lines * choices.pitch
        self._depth += _ROW_GAP

    def _place(self, block: Block, along: float, across: float) -> None:
        def moved(area: Rectangle) -> Rectangle:
            return self._to_page(Rectangle(area.x + along, area.y + across, area.w, area.h))

        question = block.question
        labels = question.choices if block.bubbles else ()
        bubbles = tuple(
            Bubble(place.x, place.y, place.w, place.h, label=label)
            for place, label in zip(map(moved, block.bubbles), labels, strict=True)
        )
        lines = tuple(
            Line(line.x, line.y, round(line.right, 3), round(line.bottom, 3))
            for line in map(moved, block.lines)
        )
        box = moved(block.box) if block.box else None
        self._questions.append(QuestionLayout(question.id, question.kind, bubbles, box, lines))
        for caption in block.captions:
            align = Align.MIDDLE if self._vertical else caption.align
            self._captions.append(replace(caption, area=moved(caption.area), align=align))

    def _to_page(self, area: Rectangle) -> Rectangle:
        body = self._frame.body
        if self._vertical:
            return to_thousandths(body.right - area.y - area.h, body.y + area.x, area.h, area.w)
        return to_thousandths(body.x + area.x, body.y + area.y, area.w, area.h)

    def _continue_on_next_page(self) -> None:
        self._end_page()
        self._add_heading()

    def _start_page(self) -> None:
        self._depth = 0.0
        self._questions: list[QuestionLayout] = []
        self._captions: list[Caption] = []
        self._headings: list[Heading] = []

    def _end_page(self) -> None:
        width, height = self._design.page_size
        layout = PageLayout(
            number=len(self._pages) + 1,
            width=width,
            height=height,
            questions=tuple(self._questions),
            qr=self._frame.qr,
            second_qr=self._frame.second_qr,
            fiducials=self._frame.fiducials,
            name_box=self._frame.name_box,
            identity=self._frame.identity,
        )
        self._pages.append(ComposedPage(layout, tuple(self._captions), tuple(self._headings)))
        self._start_page()


def _depth_kept(run: Run) -> float:
    """How much of a run must stand on the page of its heading."""
    if isinstance(run, ChoiceList):
        lines = -(-len(run.blocks) // run.columns)
        return min(lines, _LINES_KEPT) * run.pitch
    return run.depth
