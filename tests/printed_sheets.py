"""Printed sheets as pictures, for tests that scan and read them."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pypdfium2

from omr.compose import compose_layout
from omr.design import Orientation, Paper, QuestionDesign, SheetDesign, SheetOwner, Writing
from omr.draw import draw_sheets
from omr.layout import QuestionKind
from sample_scans.bubble_fillings import Filling, draw_filling

if TYPE_CHECKING:
    from omr.geometry import Rectangle
    from omr.layout import Layout
    from omr.pixels import Gray

DPI = 300
OWNER = SheetOwner("2026-0312", "2", "3", "12", "見本 十二", "ミホン ジュウニ")


@dataclass(frozen=True)
class PrintedSheet:
    """A sheet and its pages as pictures at `DPI`."""

    design: SheetDesign
    layout: Layout
    pages: tuple[Gray, ...]

    def copy(self, page: int = 1) -> Gray:
        """A fresh page to write on."""
        return self.pages[page - 1].copy()


def design_sheet(
    exam_id: str = "TEST-1",
    paper: Paper = Paper.A4,
    orientation: Orientation = Orientation.PORTRAIT,
    writing: Writing = Writing.HORIZONTAL,
    choices: int = 8,
) -> SheetDesign:
    """A sheet with choice questions and one box of every written kind."""
    questions = [
        QuestionDesign(f"c{n + 1}", QuestionKind.CHOICE, "1", choices=("ア", "イ", "ウ", "エ"))
        for n in range(choices)
    ]
    questions += [
        QuestionDesign("s1", QuestionKind.SYMBOL, "2"),
        QuestionDesign("n1", QuestionKind.NUMBER, "2", unit="cm"),
        QuestionDesign("t1", QuestionKind.TEXT, "2"),
        QuestionDesign("e1", QuestionKind.ESSAY, "3", lines=3),
    ]
    return SheetDesign(
        exam_id, "2学期期末考査 理科", "理科", "2026-11-27", paper, orientation, writing, tuple(questions)
    )


@cache
def print_sheet(design: SheetDesign, owner: SheetOwner | None = OWNER) -> PrintedSheet:
    """Print a sheet (a blank set without an owner) and look at it."""
    layout = compose_layout(design)
    printed = io.BytesIO()
    draw_sheets(design, layout, [owner] if owner else None, printed)
    with pypdfium2.PdfDocument(printed.getvalue()) as document:
        pages = []
        for page in document:
            picture = page.render(scale=DPI / 72, grayscale=True).to_numpy()
            pages.append(np.ascontiguousarray(picture.reshape(picture.shape[:2])))
    return PrintedSheet(design, layout, tuple(pages))


def mark(page: Gray, bubble: Rectangle, filling: Filling = Filling.FULL, seed: int = 0) -> None:
    """Fill a bubble of a page at `DPI`."""
    scale = DPI / 25.4
    x, y = bubble.centre
    draw_filling(
        page,
        (x * scale - 0.5, y * scale - 0.5),
        (bubble.w * scale, bubble.h * scale),
        filling,
        np.random.default_rng(seed),
        scale,
    )


def draw_line(
    page: Gray, start: tuple[float, float], end: tuple[float, float], width_mm: float, gray: int = 40
) -> None:
    """A pen line between two places on the page, millimetres."""
    scale = DPI / 25.4
    one, two = ((round(x * scale), round(y * scale)) for x, y in (start, end))
    cv2.line(page, one, two, gray, max(1, round(width_mm * scale)), cv2.LINE_AA)
