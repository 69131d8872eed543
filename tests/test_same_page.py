"""The same paper scanned twice is recognised however it was scanned; two papers never are, however alike."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from omr.page import Page
from omr.page_frame import page_frame
from omr.read_page import ReadingPlan, read_page
from omr.same_page import have_same_content, have_same_marks
from sample_scans.bubble_fillings import Filling
from sample_scans.hands import choose_hand, find_fonts
from sample_scans.handwriting import write_line
from sample_scans.scanner import scan
from sample_scans.scanner_model import Bilevel, ScannerModel
from tests.printed_sheets import DPI, design_sheet, draw_line, mark, print_sheet

if TYPE_CHECKING:
    from omr.pixels import Gray
    from omr.reading import PageReading

DESIGN = design_sheet()
SHEET = print_sheet(DESIGN)
LAYOUT = SHEET.layout.pages[0]
PLAN = ReadingPlan(SHEET.layout, DESIGN.exam_id)
GREY = ScannerModel(dpi=200, skew_deg=0.7, noise=2.0, dust=4, jpeg_quality=75)
MODELS = {
    "grey": replace(GREY, skew_deg=-0.4, shift_mm=(0.8, -0.5), scale=1.004),
    "coarse": replace(GREY, dpi=150),
    "fine": replace(GREY, dpi=300, aspect=1.002),
    "dark": replace(GREY, gamma=1.4, ink=15.0),
    "turned": replace(GREY, quarter_turns=2),
    "black and white": replace(GREY, bilevel=Bilevel.FIXED, jpeg_quality=None),
    "fine black and white": replace(GREY, dpi=300, bilevel=Bilevel.ADAPTIVE, jpeg_quality=None),
}


@dataclass(frozen=True)
class Scan:
    """A scan and its reading."""

    gray: Gray
    reading: PageReading


def _scan(page: Gray, model: ScannerModel, seed: int) -> Scan:
    gray = scan(page, DPI, model, np.random.default_rng(seed))
    reading = read_page(Page(gray, (float(model.dpi), float(model.dpi))), PLAN)
    assert reading.registration is not None
    return Scan(gray, reading)


def _are_same(one: Scan, other: Scan) -> bool:
    assert one.reading.registration is not None
    assert other.reading.registration is not None
    return have_same_marks(one.reading, other.reading) and have_same_content(
        one.gray, one.reading.registration, other.gray, other.reading.registration, LAYOUT
    )


# Strokes of characters in a box of 1 by 1: as a pupil writes them, without a font.
_STROKES = {
    "3": "00 10 11 41 51 42 33 43 54 55 46 16 05",
    "8": "33 13 02 01 10 30 41 42 33 44 45 36 16 05 04 13",
    "1": "21 30 36",
    "7": "00 50 26",
    "大": "02 62|30 32 15 06|32 45 66",
    "犬": "02 62|30 32 15 06|32 45 66|50 61",
    "木": "02 62|30 36|32 05|32 65",
    "本": "02 62|30 36|32 05|32 65|24 44",
    "う": "20 41|02 22 43 44 36",
    "ら": "20 31|11 03 23 43 54 36 16",
}


def _write(page: Gray, text: str, left: float, top: float, height: float = 4.0) -> None:
    """Characters beside each other, top-left corner and height in mm."""
    step = height / 6
    for place, character in enumerate(text):
        x0 = left + place * 1.2 * height
        for stroke in _STROKES[character].split("|"):
            points = [(x0 + int(one[0]) * step, top + int(one[1]) * step) for one in stroke.split()]
            for start, end in pairwise(points):
                draw_line(page, start, end, 0.4, gray=70)


def _box(question: str) -> tuple[float, float]:
    box = next(one.box for one in LAYOUT.questions if one.id == question)
    assert box is not None
    return box.x + 2, box.y + 2


@cache
def _filled(
    name: str = "大木", number: str = "138", text: str = "うら", marked: int = 0, extra: Filling | None = None
) -> Gray:
    page = SHEET.copy()
    frame = page_frame(DESIGN).name_box
    _write(page, name, frame.x + 3, frame.bottom - 6, 5.0)
    _write(page, number, *_box("n1"))
    _write(page, text, *_box("t1"))
    choices = [one for one in LAYOUT.questions if one.bubbles]
    for at, question in enumerate(choices):
        mark(page, question.bubbles[marked if at == 3 else at % 4], seed=at)
    if extra is not None:
        mark(page, choices[1].bubbles[3], extra, seed=9)
    return page


@pytest.mark.parametrize("model", MODELS)
def test_the_same_paper_is_recognised_however_it_was_scanned(model: str) -> None:
    assert _are_same(_scan(_filled(), GREY, 1), _scan(_filled(), MODELS[model], 2))
    assert _are_same(_scan(_filled(), MODELS[model], 3), _scan(_filled(), GREY, 4))


def test_the_same_settings_of_black_and_white_give_the_same_paper_again() -> None:
    for kind in Bilevel:
        model = replace(GREY, dpi=300, bilevel=kind, jpeg_quality=None)
        assert _are_same(_scan(_filled(), model, 1), _scan(_filled(), replace(model, skew_deg=-0.2), 2))


OTHERS = {
    "one digit": {"number": "188"},
    "one digit of the same width": {"number": "738"},
    "the dot of a name": {"name": "犬木"},
    "a small stroke of a name": {"name": "大本"},
    "one kana": {"text": "うう"},
    "another choice": {"marked": 1},
    "a tick beside the mark": {"extra": Filling.TICKED},
    "a second mark": {"extra": Filling.FULL},
}


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("model", ["grey", "coarse", "fine", "black and white"])
def test_one_small_difference_makes_two_papers(other: str, model: str) -> None:
    one = _scan(_filled(), GREY, 1)
    assert not _are_same(one, _scan(_filled(**OTHERS[other]), MODELS[model], 2))  # type: ignore[arg-type]


@pytest.mark.system
@pytest.mark.parametrize(("name", "other"), [("山田太郎", "山田次郎"), ("佐藤花子", "佐藤花代")])
def test_names_by_hand_tell_papers_apart(name: str, other: str) -> None:
    fonts = find_fonts()
    for seed in range(4):
        pages = []
        for text in (name, other):
            page = SHEET.copy()
            random = np.random.default_rng(seed)
            hand = choose_hand(fonts, random)
            write_line(page, text, page_frame(DESIGN).name_box, hand, random, DPI / 25.4)
            pages.append(page)
        first = _scan(pages[0], GREY, 1)
        for model in ("grey", "black and white"):
            assert _are_same(first, _scan(pages[0], MODELS[model], 2))
            assert not _are_same(first, _scan(pages[1], MODELS[model], 2))
