"""The grid that answer blocks stand on, and how blocks form rows and lists before they have a page."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, TypeAlias

from omr.answer_block import BOX_DEPTH, BlockSpace, gutter_length, make_block, natural_length
from omr.design import Writing
from omr.layout import QuestionKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from omr.answer_block import Block
    from omr.design import QuestionDesign, SheetDesign
    from omr.geometry import Rectangle

COLUMN_GAP = 6.0
_NARROWEST_COLUMN = 60.0
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class FlowGrid:
    """Columns along the line, each divided into equal parts for short blocks.

    Attributes:
        writing: direction of the sheet.
        line_length: of a whole line, mm.
        page_depth: room for lines on a page, mm.
        gutter: kept before every region for the question number, mm.
        columns: in a line.
        parts: of a column.
    """

    writing: Writing
    line_length: float
    page_depth: float
    gutter: float
    columns: int
    parts: int

    @property
    def unit(self) -> float:
        """From the start of one part to the next, mm."""
        return (self.line_length + COLUMN_GAP) / (self.columns * self.parts)

    def block(self, question: QuestionDesign) -> Block:
        """A question laid out in as many parts of the line as it needs.

        Raises:
            InputError: as in `make_block`.
        """
        natural = natural_length(question, self.writing, self.gutter)
        span = self.columns * self.parts
        if natural is not None:
            span = min(span, -int(-(natural + COLUMN_GAP - _ROUNDING) // self.unit))
            if question.kind in (QuestionKind.CHOICE, QuestionKind.TEXT):
                span = -(-span // self.parts) * self.parts
        return make_block(question, BlockSpace(self.writing, self.gutter, span * self.unit - COLUMN_GAP))


def make_grid(design: SheetDesign, body: Rectangle) -> FlowGrid:
    """The grid of a sheet whose questions stand in `body`."""
    tall = design.writing is Writing.VERTICAL
    line_length, page_depth = (body.h, body.w) if tall else (body.w, body.h)
    gutter = gutter_length(design.questions, design.writing)
    columns = max(1, int((line_length + COLUMN_GAP) / (_NARROWEST_COLUMN + COLUMN_GAP)))
    column = (line_length + COLUMN_GAP) / columns
    parts = max(1, int(column / (gutter + BOX_DEPTH + COLUMN_GAP)))
    return FlowGrid(design.writing, line_length, page_depth, gutter, columns, parts)


@dataclass(frozen=True, slots=True)
class Row:
    """Blocks beside each other, each with its start along the line."""

    cells: tuple[tuple[float, Block], ...]

    @property
    def depth(self) -> float:
        """Of the deepest block."""
        return max(block.depth for _, block in self.cells)


@dataclass(frozen=True, slots=True)
class ChoiceList:
    """Equal choice blocks that run down one column and then the next, as on a mark sheet."""

    blocks: tuple[Block, ...]
    columns: int

    @property
    def pitch(self) -> float:
        """From one block to the next below it."""
        return self.blocks[0].depth


Run: TypeAlias = "Row | ChoiceList"


def arrange(blocks: Sequence[Block], grid: FlowGrid) -> list[Run]:
    """Blocks of one 大問 as lists of equal choices and rows of everything else, in order."""
    runs: list[Run] = []
    flowing: list[Block] = []
    for key, members in groupby(blocks, key=_list_key):
        group = tuple(members)
        columns = int((grid.line_length + COLUMN_GAP + _ROUNDING) / (group[0].length + COLUMN_GAP))
        if key is not None and len(group) > columns:
            runs += _rows(flowing, grid)
            runs.append(ChoiceList(group, columns))
            flowing = []
        else:
            flowing += group
    return runs + _rows(flowing, grid)


def _list_key(block: Block) -> tuple[float, float] | None:
    return (block.length, block.depth) if block.bubbles else None


def _rows(blocks: Sequence[Block], grid: FlowGrid) -> list[Run]:
    rows: list[list[tuple[float, Block]]] = []
    used = grid.line_length
    for block in blocks:
        if used + block.length > grid.line_length + _ROUNDING:
            rows.append([])
            used = 0.0
        rows[-1].append((used, block))
        used += block.length + COLUMN_GAP
    return [Row(tuple(row)) for row in rows]
