"""A teacher's own sheet without any marks, its layout with the reference, and filled scans of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2

from omr.layout import Bubble, Layout, PageLayout, QuestionKind, QuestionLayout, write_layout
from sample_scans.bubble_fillings import Filling, draw_filling
from tests.ruled_sheets import RuledSheet

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.random import Generator

    from omr.geometry import Rectangle
    from omr.pixels import Gray

PRINT_DPI = 300
_PER_MM = PRINT_DPI / 25.4
_LABELS = "アイウエ"


@dataclass(frozen=True)
class OwnSheet:
    """A sheet as PDF, its layout in a file beside it, and pictures of its empty pages at `PRINT_DPI`."""

    layout: Layout
    layout_path: Path
    pages: tuple[Gray, ...]


@dataclass(frozen=True)
class Truth:
    """What was put on a page: marked labels of each choice, and the written boxes that are not empty."""

    marked: dict[str, tuple[str, ...]]
    written: frozenset[str]


def make_own_sheet(folder: Path, pages: int = 1) -> OwnSheet:
    """Write 解答用紙.pdf and layout.json into a folder."""
    sheet = RuledSheet(folder / "解答用紙.pdf")
    layouts = []
    for number in range(1, pages + 1):
        if number > 1:
            sheet.next_page()
        layouts.append(_draw_page(sheet, number))
    sheet.save()
    layout = Layout(tuple(layouts), reference="解答用紙.pdf")
    write_layout(layout, folder / "layout.json")
    pictures = tuple(sheet.picture(PRINT_DPI, page) for page in range(pages))
    return OwnSheet(layout, folder / "layout.json", pictures)


def fill_page(sheet: OwnSheet, page: int, random: Generator) -> tuple[Gray, Truth]:
    """Mark one bubble of most questions and write in most boxes."""
    canvas = sheet.pages[page].copy()
    marked: dict[str, tuple[str, ...]] = {}
    written = set()
    for question in sheet.layout.pages[page].questions:
        if question.bubbles:
            marked[question.id] = ()
            if random.random() < 0.85:
                bubble = question.bubbles[int(random.integers(len(question.bubbles)))]
                _fill(canvas, bubble, random)
                marked[question.id] = (bubble.label,)
        elif question.box is not None and random.random() < 0.7:
            _write(canvas, question.box, random)
            written.add(question.id)
    return canvas, Truth(marked, frozenset(written))


def _fill(canvas: Gray, bubble: Rectangle, random: Generator) -> None:
    x, y = (one * _PER_MM - 0.5 for one in bubble.centre)
    draw_filling(canvas, (x, y), (bubble.w * _PER_MM, bubble.h * _PER_MM), Filling.FULL, random, _PER_MM)


def _write(canvas: Gray, box: Rectangle, random: Generator) -> None:
    text = str(random.integers(100, 9999))
    at = (round((box.x + 3) * _PER_MM), round((box.bottom - 2) * _PER_MM))
    cv2.putText(canvas, text, at, cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, 2.0, 60, 5, cv2.LINE_AA)


def _draw_page(sheet: RuledSheet, number: int) -> PageLayout:
    """A page with a title, a table of boxes (some with a printed unit) and rows of bubbles."""
    sheet.text(20, 20, f"２学期期末考査　数学　解答用紙　その{number}", 14)
    sheet.frame(20, 26, 90, 10)
    sheet.text(22, 33, "２年　　　組　　　番　氏名", 9)
    questions: list[QuestionLayout] = []
    for row in range(6):
        for column in range(2):
            x, y = 20 + 85 * column, 45 + 14 * row + 3 * number
            sheet.label(x, y, 12, 11, f"({2 * row + column + 1})")
            sheet.answer(x + 12, y, 60 if number == 1 else 52, 11)
            if column == 1:
                sheet.text(x + 62, y + 8, "cm", 9) if number == 1 else None
            questions.append(
                QuestionLayout(f"{number}-b{2 * row + column}", QuestionKind.NUMBER, box=sheet.truth[-1])
            )
    top = 150 if number == 1 else 165
    sheet.text(
        20,
        top - 4,
        "次の問いの答えをマークしなさい。" if number == 1 else "正しいものを選び、マークせよ。",
        10,
    )
    for row in range(8):
        y = top + 11 * row
        sheet.text(22, y + 4, f"問{row + 1}", 9)
        bubbles = []
        for column, label in enumerate(_LABELS):
            x = 45 + 14 * column
            sheet.oval(x, y, 4, 5.5, label)
            bubbles.append(Bubble(x, y, 4, 5.5, label=label))
        questions.append(QuestionLayout(f"{number}-c{row}", QuestionKind.CHOICE, bubbles=tuple(bubbles)))
    sheet.text(130, 280, f"（{number}ページ）", 8)
    return PageLayout(number, *sheet.size, tuple(questions))
