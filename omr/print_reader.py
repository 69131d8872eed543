"""The print of a sheet without a text layer, as characters in their places, as far as they are known ones.

Pieces of ink are joined to runs, runs are cut into the characters that explain them best.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from omr.cell_print import PIXELS_PER_MM
from omr.geometry import Rectangle
from omr.print_glyphs import GlyphReading, read_glyphs
from omr.printed_text import PrintedText
from omr.sheet_page import SheetPage, ruled_sheet

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from omr.ruled_lines import RuledSheet

    Boxes = NDArray[np.int64]  # left, top, right, bottom in pixels, shape (n, 4)

_LARGEST_MM = 8.0
_SMALLEST_MM = 1.1
_FRAME_MM = 4.5  # pieces larger than this in both directions and mostly white are outlines
_LEAST_FRAME_FILL = 0.2
_LEAST_OVAL_MM = 2.6  # an upright ring as wide is a bubble; round ones may be ①
_RUN_GAP_MM = (0.8, 0.5)  # across, down
_MOST_PIECES = 6  # of one character
_SHORTEST_LINE = 0.5  # of its size across
_LARGEST_STRETCH = 1.2  # longer than this against the run's size is more than one character
_MOST_INK_PIECES = 8000  # more is a picture, not a sheet
_ROW_SHARE = 0.6
_MOST_TO_TURN = 150
_FEWEST_TO_TURN = 8
_LEAST_TO_TURN = 0.88


class _Cut(NamedTuple):
    """Some pieces of a line taken for one character."""

    line: int
    first: int
    end: int
    box: tuple[int, int, int, int]


class _Line(NamedTuple):
    """Pieces of ink in a line across (axis 0) or down (axis 1)."""

    axis: int
    pieces: Boxes


class _Glyph(NamedTuple):
    """A character cut out: where, its picture, and what it says."""

    box: tuple[int, int, int, int]
    picture: NDArray[np.uint8]
    reading: GlyphReading


def read_print_of(page: SheetPage) -> SheetPage:
    """A page with its print as characters, turned by quarters until most of it can be read.

    Args:
        page: with level lines; one that has characters already stays as it is.
    """
    if page.characters:
        return page
    sheet = ruled_sheet(page)
    glyphs = _find_glyphs(sheet)
    turns = _quarter_turns([one.picture for one in glyphs])
    if turns:
        size = page.size if turns == 2 else page.size[::-1]
        page = SheetPage(np.ascontiguousarray(np.rot90(page.gray, turns)), size)
        sheet = ruled_sheet(page)
        glyphs = _find_glyphs(sheet)
    return replace(page, characters=_characters(glyphs), is_read=True, ruled=sheet)


def read_print(sheet: RuledSheet) -> tuple[PrintedText, ...]:
    """The printed characters of an upright sheet in reading order; `UNKNOWN` for those that are not known."""
    return _characters(_find_glyphs(sheet))


def _characters(glyphs: list[_Glyph]) -> tuple[PrintedText, ...]:
    return _in_reading_order([PrintedText(one.reading.text, _rectangle(one.box)) for one in glyphs])


def _find_glyphs(sheet: RuledSheet) -> list[_Glyph]:
    """The print cut into the characters that explain it best."""
    boxes = _ink_pieces(sheet.print)
    if not len(boxes) or len(boxes) > _MOST_INK_PIECES:
        return []
    runs = [_lines_of(run) for run in _runs(sheet.print, boxes)]
    lines = [line for run in runs for line in run]
    cuts = [cut for index, line in enumerate(lines) for cut in _possible_cuts(index, line.pieces)]
    darkness = _darkness(sheet)
    pictures = [_cut_out(darkness, cut.box) for cut in cuts]
    of_line: dict[int, list[tuple[_Cut, _Glyph]]] = {}
    for cut, picture, reading in zip(cuts, pictures, read_glyphs(pictures), strict=True):
        of_line.setdefault(cut.line, []).append((cut, _Glyph(cut.box, picture, reading)))
    explained = (_best_cuts(line, of_line[index]) for index, line in enumerate(lines))
    return [
        glyph
        for run in runs
        for glyph in max((next(explained) for _ in run), key=lambda option: option[0])[1]
        if max(glyph.picture.shape) >= _SMALLEST_MM * PIXELS_PER_MM
    ]


def _quarter_turns(pictures: list[NDArray[np.uint8]]) -> int:
    """How often a page must be turned anticlockwise by 90° for its characters to stand upright."""
    largest = sorted(pictures, key=lambda picture: -max(picture.shape))[:_MOST_TO_TURN]
    upright = [
        sum(one.likeness - _LEAST_TO_TURN for one in readings if one.likeness > _LEAST_TO_TURN)
        for readings in (
            read_glyphs([np.ascontiguousarray(np.rot90(picture, turns)) for picture in largest])
            for turns in range(4)
        )
    ]
    best = int(np.argmax(upright))
    return best if len(largest) >= _FEWEST_TO_TURN and upright[best] >= 1.5 * upright[0] else 0


def _darkness(sheet: RuledSheet) -> NDArray[np.uint8]:
    """How dark the print is, with its soft edges; 0 where there is none."""
    near = cv2.dilate(sheet.print, np.ones((3, 3), np.uint8))
    return np.asarray(np.where(near > 0, 255 - sheet.gray, 0), np.uint8)


def _cut_out(darkness: NDArray[np.uint8], box: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    """A piece of print, its lightest as 0 and its darkest as 255."""
    left, top, right, bottom = box
    piece = darkness[top:bottom, left:right].astype(np.float32)
    inked = piece[piece > 0]
    low = float(inked.min()) if len(inked) else 0.0
    spread = max(float(piece.max()) - low, 1.0)
    return np.asarray(np.clip((piece - low) * (255 / spread), 0, 255), np.uint8)


def _ink_pieces(ink: NDArray[np.uint8]) -> Boxes:
    """Pieces of ink of the size of characters and their parts; bars above each other (二 三) as one."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    left, top, wide, high, area = stats[1:].T.astype(np.int64)
    per_mm = PIXELS_PER_MM
    is_outline = (np.minimum(wide, high) > _FRAME_MM * per_mm) & (area < _LEAST_FRAME_FILL * wide * high)
    is_outline |= (area < 0.35 * wide * high) & (high > 1.25 * wide) & (wide > _LEAST_OVAL_MM * per_mm)
    kept = (np.maximum(wide, high) <= _LARGEST_MM * per_mm) & ~is_outline
    boxes = np.stack([left, top, left + wide, top + high], axis=1)[kept]
    return _join_bars(boxes)


def _join_bars(boxes: Boxes) -> Boxes:
    wide, high = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    is_bar = (high <= 0.35 * wide) & (wide >= 1.0 * PIXELS_PER_MM)
    bars = boxes[is_bar][np.argsort(boxes[is_bar][:, 1])]
    joined: list[NDArray[np.int64]] = []
    for bar in bars:
        over = next((one for one in joined if _is_over(one, bar)), None)
        if over is None:
            joined.append(bar.copy())
        else:
            over[:2] = np.minimum(over[:2], bar[:2])
            over[2:] = np.maximum(over[2:], bar[2:])
    return np.concatenate([boxes[~is_bar], np.array(joined, np.int64).reshape(-1, 4)])


def _is_over(upper: NDArray[np.int64], bar: NDArray[np.int64]) -> bool:
    shared = min(upper[2], bar[2]) - max(upper[0], bar[0])
    widths = (upper[2] - upper[0], bar[2] - bar[0])
    return bool(shared >= 0.8 * min(widths) and 0 <= bar[1] - upper[3] <= 0.7 * max(widths))


def _runs(ink: NDArray[np.uint8], boxes: Boxes) -> list[Boxes]:
    """The pieces that stand close to each other, together."""
    drawing = np.zeros_like(ink)
    for left, top, right, bottom in boxes:
        drawing[top:bottom, left:right] = 255
    across, down = (round(gap * PIXELS_PER_MM) + 1 for gap in _RUN_GAP_MM)
    closed = cv2.morphologyEx(drawing, cv2.MORPH_CLOSE, np.ones((down, across), np.uint8))
    _, labels = cv2.connectedComponents(closed, connectivity=8)
    owner = labels[(boxes[:, 1] + boxes[:, 3]) // 2, (boxes[:, 0] + boxes[:, 2]) // 2]
    return [boxes[owner == one] for one in np.unique(owner) if one]


def _lines_of(run: Boxes) -> list[_Line]:
    """A run as a line of pieces across, down, or both where its shape does not say."""
    wide, high = run[:, 2:].max(axis=0) - run[:, :2].min(axis=0)
    axes = [
        axis for axis, along, size in ((0, wide, high), (1, high, wide)) if along >= _SHORTEST_LINE * size
    ]
    return [_Line(axis, _pieces_along(run, axis)) for axis in axes]


def _pieces_along(run: Boxes, axis: int) -> Boxes:
    """The pieces of a run in their order along an axis; those beside each other as one."""
    pieces: list[NDArray[np.int64]] = []
    for box in run[np.argsort(run[:, axis])]:
        if pieces and box[axis] < pieces[-1][axis + 2]:
            pieces[-1][:2] = np.minimum(pieces[-1][:2], box[:2])
            pieces[-1][2:] = np.maximum(pieces[-1][2:], box[2:])
        else:
            pieces.append(box.copy())
    return np.array(pieces)


def _possible_cuts(index: int, run: Boxes) -> list[_Cut]:
    size = min(run[:, 2].max() - run[:, 0].min(), run[:, 3].max() - run[:, 1].min())
    cuts = []
    for first in range(len(run)):
        for end in range(first + 1, min(first + _MOST_PIECES, len(run)) + 1):
            low, high = run[first:end, :2].min(axis=0), run[first:end, 2:].max(axis=0)
            if end > first + 1 and (high - low).max() > _LARGEST_STRETCH * size:
                break
            cuts.append(_Cut(index, first, end, (int(low[0]), int(low[1]), int(high[0]), int(high[1]))))
    return cuts


def _best_cuts(line: _Line, cuts: list[tuple[_Cut, _Glyph]]) -> tuple[float, list[_Glyph]]:
    """The glyphs that explain a whole line best, and their likeness as the mean over its ink."""
    lengths = line.pieces[:, line.axis + 2] - line.pieces[:, line.axis]
    best: list[tuple[float, list[_Glyph]]] = [(0.0, [])]
    for end in range(1, len(line.pieces) + 1):
        options = []
        for cut, glyph in cuts:
            if cut.end == end:
                value, before = best[cut.first]
                worth = glyph.reading.likeness * float(lengths[cut.first : end].sum())
                options.append((value + worth, [*before, glyph]))
        best.append(max(options, key=lambda option: option[0]))
    worth, glyphs = best[-1]
    return worth / float(lengths.sum()), glyphs


def _rectangle(box: tuple[int, int, int, int]) -> Rectangle:
    left, top, right, bottom = (edge / PIXELS_PER_MM for edge in box)
    return Rectangle(left, top, right - left, bottom - top)


def _in_reading_order(characters: list[PrintedText]) -> tuple[PrintedText, ...]:
    """Row by row, or column by column from the right where more characters stand below each other."""
    if _stand_in_columns(characters):
        laid = [
            Rectangle(c.rectangle.y, -c.rectangle.right, c.rectangle.h, c.rectangle.w) for c in characters
        ]
    else:
        laid = [one.rectangle for one in characters]
    rows: list[list[int]] = []
    for index in sorted(range(len(laid)), key=lambda i: laid[i].centre[1]):
        first = laid[rows[-1][0]] if rows else None
        if first and laid[index].centre[1] - first.centre[1] <= _ROW_SHARE * max(first.h, laid[index].h):
            rows[-1].append(index)
        else:
            rows.append([index])
    return tuple(characters[i] for row in rows for i in sorted(row, key=lambda i: laid[i].x))


def _stand_in_columns(characters: list[PrintedText]) -> bool:
    if len(characters) < 2:
        return False
    boxes = np.array([(*c.rectangle.centre, max(c.rectangle.w, c.rectangle.h)) for c in characters])
    dx = boxes[None, :, 0] - boxes[:, None, 0]
    dy = boxes[None, :, 1] - boxes[:, None, 1]
    size = np.maximum(boxes[None, :, 2], boxes[:, None, 2])
    below = (dy > 0) & (dy <= 1.5 * size) & (np.abs(dx) <= 0.3 * size)
    beside = (dx > 0) & (dx <= 1.5 * size) & (np.abs(dy) <= 0.3 * size)
    return int(below.any(axis=1).sum()) > int(beside.any(axis=1).sum())
