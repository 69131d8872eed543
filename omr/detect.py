"""Detection of answer boxes on a teacher's own sheet: pages to a proposed layout.

The proposal is for a teacher to look over. What is not sure is left out: a missing box is seen at once and
drawn in a moment, a wrong one is found only when the sheets are read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from omr.answer_cells import find_answer_cells
from omr.errors import InputError
from omr.geometry import Rectangle
from omr.layout import Bubble, Layout, Line, PageLayout, QuestionKind, QuestionLayout
from omr.not_answers import is_left_out, without_points
from omr.print_glyphs import UNKNOWN
from omr.printed_bubbles import find_bubble_rows
from omr.printed_labels import collect_labels, runs_downward
from omr.question_names import PageToName, exam_order, name_boxes
from omr.reading_frame import ReadingFrame, reading_order
from omr.ruled_lines import find_cells
from omr.sheet_page import SheetPage, ruled_sheet, upright_page
from omr.typed_answers import take_off_answers
from omr.typed_places import find_answer_lines, find_bracketed_places

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from omr.printed_text import PrintedText
    from omr.ruled_lines import Cell


_LONGEST_LABEL = 4  # more print in a bubble is something else


@dataclass(frozen=True, slots=True)
class DetectedBox:
    """An answer box found on a page.

    Attributes:
        rectangle: on the upright page, in millimetres from its top-left corner; round all bubbles of a choice.
        kind: a guess from the shape; CHOICE for a row of bubbles.
        lines: printed inside the box.
        bubbles: of a choice, from left to right.
        answer: what is typed into it on a sheet with the model answers (模範解答), else empty.
    """

    rectangle: Rectangle
    kind: QuestionKind
    lines: tuple[Line, ...] = ()
    bubbles: tuple[Bubble, ...] = ()
    answer: str = ""


def detect_boxes(gray: NDArray[np.uint8], page_size_mm: tuple[float, float]) -> tuple[DetectedBox, ...]:
    """The answer boxes of a page, in reading order.

    Args:
        gray: uint8, shape (height, width), 0 black to 255 white; skew up to 2° is taken out.
        page_size_mm: width and height of the page.
    """
    return _find_on_page(SheetPage(gray, page_size_mm))[0]


@dataclass(frozen=True, slots=True)
class DetectedSheet:
    """What is proposed for a sheet.

    Attributes:
        layout: its answer boxes.
        is_vertical: whether it is in vertical writing (縦書き).
        answers: typed model answers by question id.
    """

    layout: Layout
    is_vertical: bool
    answers: dict[str, str]


def detect_layout(pages: Iterable[SheetPage]) -> Layout:
    """The layout of `detect_sheet_pages`."""
    return detect_sheet_pages(pages).layout


def detect_sheet_pages(pages: Iterable[SheetPage]) -> DetectedSheet:
    """A layout with the answer boxes of all pages, named by the printed numbers where there are any.

    The sheet is in vertical writing if most of its pages with boxes are.

    Raises:
        InputError: no page has an answer box.
    """
    found, sizes = [], []
    for page in pages:
        found.append(_find_on_page(page))
        sizes.append(page.size)
    if not any(boxes for boxes, _ in found):
        raise InputError(
            "罫線で囲まれた解答欄が見つかりません。解答欄を枠線で囲んだ用紙（何も書き込んでいないもの）を "
            "200dpi 以上でまっすぐに読み取り直すか、元の PDF を指定してください。"
        )
    names = name_boxes([to_name for _, to_name in found])
    layout = Layout(
        tuple(
            PageLayout(number, *size, questions=tuple(_question(ids[i], boxes[i]) for i in exam_order(ids)))
            for number, (size, ids, (boxes, _)) in enumerate(zip(sizes, names, found, strict=True), 1)
        )
    )
    vertical = [to_name.frame.vertical for boxes, to_name in found if boxes]
    answers = {
        name: box.answer
        for ids, (boxes, _) in zip(names, found, strict=True)
        for name, box in zip(ids, boxes, strict=True)
        if box.answer
    }
    return DetectedSheet(layout, 2 * sum(vertical) > len(vertical), answers)


def _question(name: str, box: DetectedBox) -> QuestionLayout:
    if box.bubbles:
        return QuestionLayout(name, box.kind, bubbles=box.bubbles)
    return QuestionLayout(name, box.kind, box=box.rectangle, lines=box.lines)


def _find_on_page(page: SheetPage) -> tuple[tuple[DetectedBox, ...], PageToName]:
    """The boxes of a page in reading order, and what is needed to name them."""
    page, answers = take_off_answers(upright_page(page))
    sheet = ruled_sheet(page)
    cells = find_cells(sheet)
    choices, characters = _choices(find_bubble_rows(sheet.ink), page.characters)
    brackets, characters = find_bracketed_places(characters)
    lines, characters = find_answer_lines(sheet.ink, characters)
    boxes = [
        *choices,
        *(
            DetectedBox(cell.rectangle, cell.kind, cell.lines)
            for cell in find_answer_cells(cells)
            if not any(cell.rectangle.intersects(choice.rectangle) for choice in choices)
        ),
    ]
    typed = [*(DetectedBox(place, QuestionKind.TEXT) for place in brackets)]
    typed += [DetectedBox(place.rectangle, place.kind, place.lines) for place in lines]
    for one in typed:
        if not any(one.rectangle.intersects(box.rectangle) for box in boxes):
            boxes.append(one)
    boxes = [replace(box, answer="" if page.is_read else _answer_in(box.rectangle, answers)) for box in boxes]
    areas = [_area(box, choices, cells) for box in boxes]
    label_cells = [
        cell.rectangle
        for cell in cells
        if not any(area.intersects(cell.rectangle.expanded(-0.8)) for area in areas)
    ]
    frame = _reading_frame(areas, label_cells, characters, page.size)
    order = reading_order(areas, frame)
    areas = [areas[i] for i in order]
    labels = without_points(collect_labels(characters, areas, label_cells), frame)
    kept = [i for i in range(len(areas)) if not is_left_out(i, areas, labels, frame)]
    place = {old: new for new, old in enumerate(kept)}
    to_name = PageToName(
        tuple(areas[i] for i in kept),
        tuple(one if one.box is None else replace(one, box=place.get(one.box, -1)) for one in labels),
        frame,
    )
    return tuple(boxes[order[i]] for i in kept), to_name


def _choices(
    rows: Sequence[Sequence[Rectangle]], characters: Sequence[PrintedText]
) -> tuple[list[DetectedBox], tuple[PrintedText, ...]]:
    """The rows of bubbles as choices labelled by the print in them, and the characters elsewhere."""
    in_bubble: dict[Rectangle, str] = {}
    elsewhere = []
    for one in characters:
        x, y = one.rectangle.centre
        bubble = next((b for row in rows for b in row if b.x <= x <= b.right and b.y <= y <= b.bottom), None)
        if bubble is None:
            elsewhere.append(one)
        else:
            in_bubble[bubble] = in_bubble.get(bubble, "") + one.text
    printed = [[in_bubble.get(bubble, "") for bubble in row] for row in rows]
    choices = []
    for row, own in zip(rows, printed, strict=True):
        labels = next(
            (some for some in (own, _usual_labels(printed, len(row))) if _are_labels(some)),
            [str(position) for position in range(1, len(row) + 1)],
        )
        outline = Rectangle(
            row[0].x,
            min(b.y for b in row),
            row[-1].right - row[0].x,
            max(b.bottom for b in row) - min(b.y for b in row),
        )
        bubbles = tuple(Bubble(b.x, b.y, b.w, b.h, label=label) for b, label in zip(row, labels, strict=True))
        choices.append(DetectedBox(outline, QuestionKind.CHOICE, bubbles=bubbles))
    return choices, tuple(elsewhere)


def _are_labels(labels: Sequence[str]) -> bool:
    return len(set(labels)) == len(labels) and all(map(_is_label, labels))


def _usual_labels(printed: Sequence[Sequence[str]], count: int) -> list[str]:
    """What most rows of as many bubbles say in each place; where a scan is read, single labels fail."""
    alike = [row for row in printed if len(row) == count]
    places = [[text for text in column if _is_label(text)] for column in zip(*alike, strict=True)]
    return [max(set(texts), key=texts.count) if texts else "" for texts in places]


def _answer_in(box: Rectangle, answers: Sequence[PrintedText]) -> str:
    return "".join(
        one.text
        for one in answers
        if box.x <= one.rectangle.centre[0] <= box.right and box.y <= one.rectangle.centre[1] <= box.bottom
    )


def _is_label(text: str) -> bool:
    return 1 <= len(text) <= _LONGEST_LABEL and ";" not in text and UNKNOWN not in text


def _area(box: DetectedBox, choices: Sequence[DetectedBox], cells: Sequence[Cell]) -> Rectangle:
    """What a box takes up: itself, or for bubbles the cell that holds this row alone, or half a space around."""
    if not box.bubbles:
        return box.rectangle
    first, second = box.bubbles[:2]
    around = (second.x - first.x - first.w) / 2
    own = Rectangle(box.rectangle.x - around, box.rectangle.y, box.rectangle.w + 2 * around, box.rectangle.h)
    for cell in sorted(cells, key=lambda cell: cell.rectangle.w * cell.rectangle.h):
        if _holds(cell.rectangle, box.rectangle):
            alone = sum(_holds(cell.rectangle, choice.rectangle) for choice in choices) == 1
            return cell.rectangle if alone else own
    return own


def _holds(outer: Rectangle, inner: Rectangle) -> bool:
    return (
        outer.x <= inner.x
        and outer.y <= inner.y
        and outer.right >= inner.right
        and outer.bottom >= inner.bottom
    )


def _reading_frame(
    areas: Sequence[Rectangle],
    label_cells: Sequence[Rectangle],
    characters: Sequence[PrintedText],
    size: tuple[float, float],
) -> ReadingFrame:
    """Vertical if most boxes stand upright, or the print runs downward and the boxes do not say otherwise."""
    tall = sum(area.h >= 2 * area.w for area in areas)
    wide = sum(area.w >= 1.5 * area.h for area in areas)
    vertical = (tall >= 3 and tall > 2 * wide) or (wide <= 2 * tall and runs_downward(characters))
    divide = None if vertical or size[0] <= size[1] else _fold(areas, label_cells, size[0])
    return ReadingFrame(vertical, size[0], divide)


def _fold(areas: Sequence[Rectangle], label_cells: Sequence[Rectangle], width: float) -> float | None:
    """X of a gap of at least 4 mm near the middle of a landscape page that no cell beside answers crosses."""
    if not areas:
        return None
    top = min(area.y for area in areas)
    cells = [*areas, *(cell for cell in label_cells if cell.bottom > top)]
    for x in sorted(np.arange(0.4 * width, 0.6 * width, 1.0), key=lambda x: abs(x - width / 2)):
        if all(cell.right <= x - 2 or cell.x >= x + 2 for cell in cells):
            return float(x)
    return None
