"""Places the questions of a sheet on pages: `SheetDesign` → `Layout`.

Pure and deterministic: the same design always gives the same layout, to a thousandth of a millimetre, so that
the reader can work it out again from the exam alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, TypeAlias

from omr.answer_block import (
    CHOICE_DEPTH,
    Block,
    BlockSpace,
    Caption,
    gutter_length,
    make_block,
    natural_length,
)
from omr.design import Writing
from omr.errors import InputError
from omr.fonts import covers
from omr.geometry import Rectangle
from omr.layout import Bubble, Layout, Line, PageLayout, QuestionKind, QuestionLayout
from omr.page_frame import page_frame, to_thousandths
from omr.pen import Align

if TYPE_CHECKING:
    from collections.abc import Iterator

    from omr.design import QuestionDesign, SheetDesign
    from omr.page_frame import PageFrame

_NARROWEST_COLUMN = 60.0
_COLUMN_GAP = 6.0
_ROW_GAP = 4.0
_HEADING_DEPTH = 6.4
_HEADING_GAP = 2.8
_SECTION_GAP = 3.0
_MOST_PAGES = 99

Row: TypeAlias = "list[tuple[float, Block]]"
"""Blocks beside each other, each with its start along the line."""


@dataclass(frozen=True, slots=True)
class _Run:
    """Rows of one 大問 that are placed the same way: across, or (a list of choices) down the columns."""

    rows: list[Row]
    is_list: bool = False


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


@dataclass(frozen=True, slots=True)
class ComposedSheet:
    """A whole sheet, ready to draw."""

    frame: PageFrame
    layout: Layout
    pages: tuple[ComposedPage, ...]


def compose_layout(design: SheetDesign) -> Layout:
    """Where everything stands on the sheet.

    Args:
        design: what the sheet asks and on which paper.

    Raises:
        InputError: a question does not fit on a page, or has characters that can't be printed.
    """
    return compose_sheet(design).layout


def compose_sheet(design: SheetDesign) -> ComposedSheet:
    """The layout together with the numbers, units and headings printed around it.

    Raises:
        InputError: as in `compose_layout`.
    """
    _check_design(design)
    frame = page_frame(design)
    filler = _Filler(design, frame)
    for section, members in groupby(design.questions, key=lambda question: question.section):
        filler.add_section(section, tuple(members))
    pages = filler.finish()
    if len(pages) > _MOST_PAGES:
        raise InputError(
            f"解答用紙が{len(pages)}ページになります。{_MOST_PAGES}ページ以内になるように設問を減らしてください。"
        )
    return ComposedSheet(frame, Layout(tuple(page.layout for page in pages)), pages)


@dataclass
class _Filler:
    """Fills pages in flow coordinates; `depth` is how far the current page is full."""

    design: SheetDesign
    frame: PageFrame
    depth: float = 0.0
    questions: list[QuestionLayout] = field(default_factory=list)
    captions: list[Caption] = field(default_factory=list)
    headings: list[Heading] = field(default_factory=list)
    pages: list[ComposedPage] = field(default_factory=list)

    def __post_init__(self) -> None:
        body = self.frame.body
        across = self.design.writing is Writing.VERTICAL
        self.line_length, self.page_depth = (body.h, body.w) if across else (body.w, body.h)
        self.gutter = gutter_length(self.design.questions, self.design.writing)
        self.columns = max(1, int((self.line_length + _COLUMN_GAP) / (_NARROWEST_COLUMN + _COLUMN_GAP)))
        column = (self.line_length + _COLUMN_GAP) / self.columns
        self.parts = max(1, int(column / (self.gutter + 13.0 + _COLUMN_GAP)))
        self.unit = column / self.parts

    def add_section(self, section: str | None, questions: tuple[QuestionDesign, ...]) -> None:
        """Place the questions of one 大問 under its heading."""
        runs = self._runs([self._block(question) for question in questions])
        if self.depth > 0:
            self.depth += _SECTION_GAP
        if section is not None:
            first = runs[0]
            self._add_heading(section, CHOICE_DEPTH if first.is_list else _row_depth(first.rows[0]))
        for run in runs:
            if run.is_list:
                self._add_list([block for row in run.rows for _, block in row])
            else:
                for row in run.rows:
                    self._add_row(row)

    def finish(self) -> tuple[ComposedPage, ...]:
        """All pages, the current one included."""
        self._end_page()
        return tuple(self.pages)

    def _block(self, question: QuestionDesign) -> Block:
        natural = natural_length(question, self.design.writing, self.gutter)
        span = self.columns * self.parts
        if natural is not None:
            span = min(span, -int(-(natural + _COLUMN_GAP - 1e-6) // self.unit))
            if question.kind in (QuestionKind.CHOICE, QuestionKind.TEXT) and span > 1:
                span = -(-span // self.parts) * self.parts
        length = span * self.unit - _COLUMN_GAP
        block = make_block(question, BlockSpace(self.design.writing, self.gutter, length))
        if block.depth > self.page_depth - _HEADING_DEPTH - _HEADING_GAP:
            raise InputError(
                f"設問「{question.id}」が1ページに入りません。選択肢・字数・行数を減らすか、大きい用紙にしてください。"
            )
        return block

    def _runs(self, blocks: list[Block]) -> list[_Run]:
        """Splits blocks into lists of equal bubble lines and rows of everything else, in order."""
        runs: list[_Run] = []
        flowing: list[Block] = []
        for is_candidate, members in groupby(blocks, key=self._is_one_line_choice):
            group = list(members)
            if is_candidate and len(group) > self.columns:
                runs += [_Run(rows=self._rows(flowing))] if flowing else []
                runs.append(_Run(rows=[[(0.0, block)] for block in group], is_list=True))
                flowing = []
            else:
                flowing += group
        return runs + ([_Run(rows=self._rows(flowing))] if flowing else [])

    def _is_one_line_choice(self, block: Block) -> bool:
        column = self.unit * self.parts - _COLUMN_GAP
        is_choice = block.question.kind is QuestionKind.CHOICE
        return is_choice and block.length <= column + 1e-6 and block.depth <= CHOICE_DEPTH

    def _add_heading(self, section: str, next_depth: float) -> None:
        if self.depth + _HEADING_DEPTH + _HEADING_GAP + next_depth > self.page_depth:
            self._end_page()
        area = Rectangle(0, self.depth, self.line_length, _HEADING_DEPTH)
        self.headings.append(Heading(section, self._to_page(area)))
        self.depth += _HEADING_DEPTH + _HEADING_GAP

    def _rows(self, blocks: list[Block]) -> list[Row]:
        """Blocks from the start of a line to its end, then the next line."""
        rows: list[Row] = [[]]
        used = 0.0
        for block in blocks:
            if used + block.length > self.line_length + 1e-6:
                rows.append([])
                used = 0.0
            rows[-1].append((used, block))
            used += block.length + _COLUMN_GAP
        return rows

    def _add_row(self, row: Row) -> None:
        depth = _row_depth(row)
        if self.depth + depth > self.page_depth + 1e-6:
            self._end_page()
        for start, block in row:
            # A line of bubbles stands in the middle of the boxes beside it.
            self._place(block, start, self.depth + min((depth - block.depth) / 2, 1.8))
        self.depth += depth + _ROW_GAP

    def _add_list(self, blocks: list[Block]) -> None:
        """Bubbles run down one column, then the next, as on a mark sheet."""
        while blocks:
            if self.depth + CHOICE_DEPTH > self.page_depth + 1e-6:
                self._end_page()
            room = int((self.page_depth - self.depth) / CHOICE_DEPTH + 1e-6)
            rows = min(room, -(-len(blocks) // self.columns))
            piece, blocks = blocks[: rows * self.columns], blocks[rows * self.columns :]
            for place, block in enumerate(piece):
                column, line = divmod(place, rows)
                start = column * self.unit * self.parts
                self._place(block, start, self.depth + line * CHOICE_DEPTH)
            self.depth += rows * CHOICE_DEPTH
        self.depth += _ROW_GAP

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
        self.questions.append(QuestionLayout(question.id, question.kind, bubbles, box, lines))
        vertical = self.design.writing is Writing.VERTICAL
        for caption in block.captions:
            align = Align.MIDDLE if vertical else caption.align
            self.captions.append(
                Caption(caption.text, moved(caption.area), caption.size, align, caption.gray)
            )

    def _to_page(self, area: Rectangle) -> Rectangle:
        body = self.frame.body
        if self.design.writing is Writing.VERTICAL:
            return to_thousandths(body.right - area.y - area.h, body.y + area.x, area.h, area.w)
        return to_thousandths(body.x + area.x, body.y + area.y, area.w, area.h)

    def _end_page(self) -> None:
        width, height = self.design.page_size
        layout = PageLayout(
            number=len(self.pages) + 1,
            width=width,
            height=height,
            questions=tuple(self.questions),
            qr=self.frame.qr,
            second_qr=self.frame.second_qr,
            fiducials=self.frame.fiducials,
            name_box=self.frame.name_box,
            identity=self.frame.identity,
        )
        self.pages.append(ComposedPage(layout, tuple(self.captions), tuple(self.headings)))
        self.depth, self.questions, self.captions, self.headings = 0.0, [], [], []


def _row_depth(row: Row) -> float:
    return max(block.depth for _, block in row)


def _check_design(design: SheetDesign) -> None:
    """Everything that would leave a hole on paper is refused before anything is placed."""
    if not design.questions:
        raise InputError("設問がありません。[[question]] を1つ以上書いてください。")
    for place, text in _printed_texts(design):
        missing = covers(text)
        if missing:
            raise InputError(
                f"{place}の「{text}」に印刷できない文字「{missing[0]}」があります。別の文字にしてください。"
            )
    for question in design.questions:
        if question.kind is QuestionKind.CHOICE and not question.choices:
            raise InputError(f"設問「{question.id}」に選択肢がありません。choices を書いてください。")


def _printed_texts(design: SheetDesign) -> Iterator[tuple[str, str]]:
    yield from (("題名", design.title), ("教科", design.subject), ("日付", design.date))
    for question in design.questions:
        place = f"設問「{question.id}」"
        yield from ((place, text) for text in (question.id, question.section or "", question.unit or ""))
        yield from ((f"{place}の選択肢", label) for label in question.choices)
