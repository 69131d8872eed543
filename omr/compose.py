"""Places the questions of a sheet on pages: `SheetDesign` → `Layout`.

Pure and deterministic: the same design always gives the same layout, to a thousandth of a millimetre, so that
the reader can work it out again from the exam alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from omr.errors import InputError
from omr.fonts import covers
from omr.layout import Layout, QuestionKind
from omr.page_filler import PageFiller
from omr.page_frame import page_frame

if TYPE_CHECKING:
    from collections.abc import Iterator

    from omr.design import SheetDesign
    from omr.page_filler import ComposedPage
    from omr.page_frame import PageFrame

_MOST_PAGES = 99


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
    filler = PageFiller(design, frame)
    for section, members in groupby(design.questions, key=lambda question: question.section):
        filler.add_section(section, tuple(members))
    pages = filler.finish()
    if len(pages) > _MOST_PAGES:
        raise InputError(
            f"解答用紙が{len(pages)}ページになります。{_MOST_PAGES}ページ以内になるように設問を減らしてください。"
        )
    return ComposedSheet(frame, Layout(tuple(page.layout for page in pages)), pages)


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
    seen: set[str] = set()
    for question in design.questions:
        if question.id in seen:
            raise InputError(f"設問「{question.id}」が2つあります。id は1つずつ別にしてください。")
        seen.add(question.id)
        if question.kind is QuestionKind.CHOICE and not question.choices:
            raise InputError(f"設問「{question.id}」に選択肢がありません。choices を書いてください。")
        if len(set(question.choices)) < len(question.choices):
            raise InputError(
                f"設問「{question.id}」に同じ選択肢があります。choices は1つずつ別にしてください。"
            )


def _printed_texts(design: SheetDesign) -> Iterator[tuple[str, str]]:
    yield from (("題名", design.title), ("教科", design.subject), ("日付", design.date))
    for question in design.questions:
        place = f"設問「{question.id}」"
        yield from ((place, text) for text in (question.id, question.section or "", question.unit or ""))
        yield from ((f"{place}の選択肢", label) for label in question.choices)
