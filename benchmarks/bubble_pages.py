"""Filled and scanned pages for the bubble benchmarks: our own sheets and cards of other makers, with their truth.

Everything on a page is drawn from one seed and one number, so that a page can be made again by itself.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pypdfium2

from benchmarks.mark_cards import CARD_DPI, CARDS, EXAM_ID, Card, draw_card
from omr.compose import compose_layout
from omr.design import Orientation, Paper, QuestionDesign, SheetDesign, SheetOwner, Writing
from omr.draw import draw_sheets
from omr.layout import QuestionKind
from omr.learn_print import learn_empty_page, straighten_page
from omr.page import Page
from omr.read_page import ReadingPlan, read_page
from omr.reference import FINE_PIXELS_PER_MM
from sample_scans.bubble_fillings import MARKED, Filling, draw_filling
from sample_scans.pens import Pen, choose_pencil
from sample_scans.scanner import Condition, draw_model, scan

if TYPE_CHECKING:
    from numpy.random import Generator

    from omr.layout import Layout, QuestionLayout
    from omr.pixels import Gray
    from omr.reading import PageReading

_MM = CARD_DPI / 25.4
_PILE = 12


class WayToRead(StrEnum):
    """How the reader knows what is printed."""

    OWN_PRINT = "own print"
    REFERENCE = "reference"
    LEARNT = "learnt print"
    UNKNOWN = "unknown print"


@dataclass(frozen=True, slots=True)
class PageKind:
    """A sheet and the way it is read."""

    sheet: SheetDesign | Card
    way: WayToRead

    @property
    def name(self) -> str:
        """In tables."""
        sheet = self.sheet
        return f"{sheet.name}, {self.way}" if isinstance(sheet, Card) else f"our sheet, {sheet.title}"


@dataclass(frozen=True, slots=True)
class Truth:
    """What was put into one question.

    Attributes:
        filling: under test.
        pen: what it was drawn with.
        labels: the choices that are meant.
        cancelled: the choice that was taken back, if any.
    """

    filling: Filling
    pen: str
    labels: tuple[str, ...]
    cancelled: str = ""


@dataclass(frozen=True, slots=True)
class MadePage:
    """A scanned page, the plan to read it with, and its truth, question by question."""

    scan: Gray
    plan: ReadingPlan
    truths: tuple[Truth, ...]

    def read(self) -> PageReading:
        """As a worker reads it."""
        return read_page(Page(self.scan), self.plan)


def _own_design(
    title: str,
    paper: Paper,
    writing: Writing,
    labels: tuple[str, ...],
    counts: tuple[int, ...],
    questions: int,
) -> SheetDesign:
    return SheetDesign(
        "BENCH-BUBBLES",
        title,
        "理科",
        "2026-11-27",
        paper,
        Orientation.PORTRAIT,
        writing,
        tuple(
            QuestionDesign(
                id=str(number + 1),
                kind=QuestionKind.CHOICE,
                choices=tuple(labels[number % len(labels)][: counts[number % len(counts)]]),
            )
            for number in range(questions)
        ),
    )


_LABELS = ("アイウエオカキクケコ", "ABCDEFGHIJ", "1234567890", "①②③④⑤⑥⑦⑧⑨⑩")
OWN_SHEETS = (
    _own_design("A4", Paper.A4, Writing.HORIZONTAL, _LABELS, (10,), 22),
    _own_design("A4 mixed", Paper.A4, Writing.HORIZONTAL, _LABELS, (4, 5, 6, 7, 8, 9), 26),
    _own_design("B5 vertical", Paper.B5, Writing.VERTICAL, _LABELS, (4, 5, 6), 18),
)
OWN_PRINT = tuple(PageKind(sheet, WayToRead.OWN_PRINT) for sheet in OWN_SHEETS)
BY_REFERENCE = tuple(PageKind(card, WayToRead.REFERENCE) for card in CARDS)
LEARNT_PRINT = tuple(PageKind(card, WayToRead.LEARNT) for card in CARDS)
UNKNOWN_PRINT = tuple(PageKind(card, WayToRead.UNKNOWN) for card in CARDS)
PENS = {
    "pencil": None,
    "black pen": (0.84, 0.88),
    "blue pen": (0.68, 0.78),
    "red pen": (0.45, 0.66),
}
"""The darkness of pens in a gray scan, lightest and darkest; a pencil's is drawn with its grain."""


def make_page(kind: PageKind, condition: Condition, random: Generator, seed: int) -> MadePage:
    """Print, fill and scan one page.

    Args:
        kind: which sheet, and how it is read.
        condition: of the scan.
        random: everything that varies comes from here.
        seed: of the run; the pile from which print is learnt is drawn from it.
    """
    canvas, plan = _print_empty(kind, random, seed)
    truths = tuple(_fill(canvas, question, random) for _, question in plan.layout.questions())
    return MadePage(scan(canvas, CARD_DPI, draw_model(condition, random), random), plan, truths)


def _print_empty(kind: PageKind, random: Generator, seed: int) -> tuple[Gray, ReadingPlan]:
    if not isinstance(kind.sheet, Card):
        layout, empty = print_own_sheet(kind.sheet)
        return empty.copy(), _own_plan(layout, kind.sheet.exam_id)
    card = draw_card(kind.sheet, is_stamped=kind.way is not WayToRead.REFERENCE)
    return card.print(min(0.95, _darkness(kind.sheet, seed) * random.uniform(0.88, 1.12))), _card_plan(
        kind, seed
    )


@cache
def _darkness(card: Card, seed: int) -> float:
    """How dark this run's scanner sees the colour of a card."""
    return float(np.random.default_rng((seed, CARDS.index(card))).uniform(*card.darkness))


@cache
def _own_plan(layout: Layout, exam_id: str) -> ReadingPlan:
    return ReadingPlan(layout, exam_id)


@cache
def print_own_sheet(design: SheetDesign) -> tuple[Layout, Gray]:
    """One of our own sheets of one page, and its empty print at CARD_DPI."""
    layout = compose_layout(design)
    assert len(layout.pages) == 1
    printed = io.BytesIO()
    draw_sheets(design, layout, [SheetOwner("1", "1", "1", "1", "見本", "ミホン")], printed)
    with pypdfium2.PdfDocument(printed.getvalue()) as document:
        picture = document[0].render(scale=CARD_DPI / 72, grayscale=True).to_numpy()
    return layout, np.ascontiguousarray(picture.reshape(picture.shape[:2]))


@cache
def _card_plan(kind: PageKind, seed: int) -> ReadingPlan:
    """How cards of this make are read; the reference may be paler or darker than the pages."""
    assert isinstance(kind.sheet, Card)
    card = draw_card(kind.sheet, is_stamped=kind.way is not WayToRead.REFERENCE)
    (page,) = card.layout.pages
    if kind.way is WayToRead.UNKNOWN:
        return ReadingPlan(card.layout, EXAM_ID)
    if kind.way is WayToRead.LEARNT:
        unknown = PageKind(kind.sheet, WayToRead.UNKNOWN)
        scans = [
            make_page(unknown, Condition.ORDINARY, np.random.default_rng((seed, 10**8 + number)), seed)
            for number in range(_PILE)
        ]
        found = [(made.scan, made.read().registration) for made in scans]
        flat = [straighten_page(one, where, page) for one, where in found if where is not None]
        return ReadingPlan(card.layout, EXAM_ID, learnt=(learn_empty_page(flat, page),))
    size = (round(page.width * FINE_PIXELS_PER_MM), round(page.height * FINE_PIXELS_PER_MM))
    empty = card.print(
        min(0.95, _darkness(kind.sheet, seed) * float(np.random.default_rng(seed).uniform(0.7, 1.3)))
    )
    picture = np.asarray(cv2.resize(empty, size, interpolation=cv2.INTER_AREA), np.uint8)
    return ReadingPlan(card.layout, EXAM_ID, reference=(picture,))


def _fill(canvas: Gray, question: QuestionLayout, random: Generator) -> Truth:
    """Fill one question: one bubble with the filling under test, some with a mark beside it."""
    filling = list(Filling)[int(random.integers(len(Filling)))]
    is_cancelled = filling is Filling.CANCELLED
    count = 2 if random.random() < (0.8 if is_cancelled else 0.1) else 1
    chosen = [int(one) for one in random.choice(len(question.bubbles), count, replace=False)]
    fillings = [filling, *([Filling.FULL] if count == 2 else [])]
    name = str(random.choice(list(PENS), p=[0.7, 0.1, 0.1, 0.1]))
    pen = _choose_pen(name, random)
    for index, one in zip(chosen, fillings, strict=True):
        bubble = question.bubbles[index]
        x, y = bubble.centre
        draw_filling(
            canvas,
            (x * _MM - 0.5, y * _MM - 0.5),
            (bubble.w * _MM, bubble.h * _MM),
            one,
            random,
            _MM,
            pen=pen,
        )
    marked = sorted(index for index, one in zip(chosen, fillings, strict=True) if one in MARKED)
    labels = tuple(question.bubbles[index].label for index in marked)
    return Truth(filling, name, labels, question.bubbles[chosen[0]].label if is_cancelled else "")


def _choose_pen(name: str, random: Generator) -> Pen:
    darkness = PENS[name]
    if darkness is None:
        return choose_pencil(random)
    return Pen(random.uniform(*darkness), random.uniform(0.3, 0.55), 0.06)
