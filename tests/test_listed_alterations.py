"""Good pages, altered: every answer reads right or is flagged, and most of what was hardly altered is read."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omr.design import Orientation, Paper, Writing
from omr.layout import QuestionKind
from omr.page import Page
from omr.read_page import ReadingPlan, read_page
from omr.reading import PageStatus, ReadingStatus
from sample_scans.bubble_fillings import MARKED, Filling
from sample_scans.scanner import Condition, ScannerModel, draw_model, scan
from tests.printed_sheets import DPI, PrintedSheet, design_sheet, draw_line, mark, print_sheet

if TYPE_CHECKING:
    from collections.abc import Callable

    from omr.pixels import Gray

_PLAIN = (Filling.EMPTY, Filling.FULL, Filling.LIGHT, Filling.SCRIBBLED)
_FILLINGS = tuple(one for one in Filling if one not in (Filling.NEXT_TO, Filling.CANCELLED))


def _turn(quarters: int) -> Callable[[Gray], Gray]:
    return lambda gray: np.ascontiguousarray(np.rot90(gray, quarters))


def _warp(degrees: float = 0.0, shift: float = 0.0) -> Callable[[Gray], Gray]:
    def warp(gray: Gray) -> Gray:
        high, wide = gray.shape
        matrix = np.array(cv2.getRotationMatrix2D((wide / 2, high / 2), degrees, 1), np.float64)
        matrix[:, 2] += shift
        border = int(np.percentile(gray, 90))
        return cast(
            "Gray", cv2.warpAffine(gray, matrix, (wide, high), flags=cv2.INTER_LINEAR, borderValue=border)
        )

    return warp


def _shade_half(gray: Gray) -> Gray:
    light = np.ones(gray.shape, np.float32)
    light[:, : gray.shape[1] // 2] = 0.6
    return _dim(gray, cv2.GaussianBlur(light, (0, 0), 8))


def _dim(gray: Gray, light: np.ndarray | float = 0.45) -> Gray:
    return np.rint(gray * light).astype(np.uint8)


def _blur(gray: Gray) -> Gray:
    return cast("Gray", cv2.GaussianBlur(gray, (0, 0), 3))


def _make_noisy(gray: Gray) -> Gray:
    noise = np.random.default_rng(7).normal(0, 20, gray.shape)
    return np.clip(np.rint(gray + noise), 0, 255).astype(np.uint8)


def _halve(gray: Gray) -> Gray:
    return cast("Gray", cv2.resize(gray, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))


def _tear(gray: Gray) -> Gray:
    high, wide = gray.shape
    corner = [(wide, high), (wide - wide // 4, high), (wide, high - high // 5)]
    return cast("Gray", cv2.fillPoly(gray.copy(), [np.array(corner, np.int32)], 255))


def _stain(gray: Gray) -> Gray:
    high, wide = gray.shape
    stain = np.ones(gray.shape, np.float32)
    centre, radius = (round(0.42 * wide), round(0.4 * high)), round(0.12 * wide)
    cv2.circle(stain, centre, radius, 0.8, -1)
    cv2.circle(stain, centre, radius, 0.55, wide // 100)
    return _dim(gray, cv2.GaussianBlur(stain, (0, 0), wide / 400))


def _stick_note(gray: Gray) -> Gray:
    noted = gray.copy()
    high, wide = gray.shape
    noted[round(0.3 * high) : round(0.55 * high), round(0.2 * wide) : round(0.55 * wide)] = 225
    return noted


LISTED: dict[str, Callable[[Gray], Gray]] = {
    **{f"turned {90 * quarters}": _turn(quarters) for quarters in (1, 2, 3)},
    **{f"skewed {degrees}": _warp(degrees) for degrees in (1, -2, 3, -4, 5, -6, 7, -8)},
    "half in shadow": _shade_half,
    "dimmed to 45 %": _dim,
    "blurred 3 px": _blur,
    "noise 20": _make_noisy,
    "half size": _halve,
    "shifted 20 px": _warp(shift=20),
    "corner torn": _tear,
    "coffee stain": _stain,
    "sticky note": _stick_note,
}
_GENTLE = [name for name in LISTED if name.startswith(("turned", "skewed", "shifted"))]


def _fill(
    sheet: PrintedSheet, random: np.random.Generator, fillings: tuple[Filling, ...]
) -> tuple[Gray, dict[str, str]]:
    """A filled page, and the reading of each question that is right."""
    page = sheet.copy()
    meant = {}
    for question in sheet.layout.pages[0].questions:
        if question.kind is QuestionKind.CHOICE:
            bubble = question.bubbles[int(random.integers(len(question.bubbles)))]
            filling = fillings[int(random.integers(len(fillings)))]
            mark(page, bubble, filling, int(random.integers(2**31)))
            meant[question.id] = bubble.label if filling in MARKED else ""
        elif random.random() < 0.5 and question.box is not None:
            x, y = question.box.centre
            draw_line(page, (x - 1.5, y + 1), (x + 1.5, y - 1), 0.5, int(random.integers(30, 150)))
            meant[question.id] = "written"
        else:
            meant[question.id] = ""
    return page, meant


def _read(sheet: PrintedSheet, gray: Gray, meant: dict[str, str]) -> float:
    """Read a page, check that no answer is wrong in silence, and return the share of the choices that are decided."""
    reading = read_page(Page(gray), ReadingPlan(sheet.layout, sheet.design.exam_id))
    if reading.status is not PageStatus.READ:
        assert reading.reason
        return 0.0
    decided = [answer for answer in reading.answers if answer.status is not ReadingStatus.DOUBTFUL]
    assert {answer.question: answer.reading for answer in decided} == {
        answer.question: meant[answer.question] for answer in decided
    }
    choices = [answer for answer in reading.answers if answer.kind is QuestionKind.CHOICE]
    return sum(answer in decided for answer in choices) / len(choices)


def _scan_at_200_dpi(page: Gray) -> Gray:
    return scan(page, DPI, ScannerModel(), np.random.default_rng(1))


def _to_black_and_white(gray: Gray) -> Gray:
    return np.where(gray < 0.8 * np.percentile(gray, 90), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("name", LISTED)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_each_reads_right_or_is_flagged(name: str, seed: int) -> None:
    sheet = print_sheet(design_sheet())
    page, meant = _fill(sheet, np.random.default_rng(seed), _FILLINGS)
    altered = LISTED[name](_scan_at_200_dpi(page))
    _read(sheet, altered, meant)
    _read(sheet, _to_black_and_white(altered), meant)


@pytest.mark.parametrize("name", _GENTLE)
def test_what_only_lies_otherwise_is_read(name: str) -> None:
    sheet = print_sheet(design_sheet())
    page, meant = _fill(sheet, np.random.default_rng(4), _PLAIN)
    assert _read(sheet, LISTED[name](_scan_at_200_dpi(page)), meant) == 1.0


@pytest.mark.parametrize("pair", list(combinations(LISTED, 2))[::4], ids="+".join)
def test_two_at_once_read_right_or_are_flagged(pair: tuple[str, str]) -> None:
    sheet = print_sheet(design_sheet())
    page, meant = _fill(sheet, np.random.default_rng(len("".join(pair))), _FILLINGS)
    altered = _scan_at_200_dpi(page)
    for name in pair:
        altered = LISTED[name](altered)
    _read(sheet, altered, meant)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    paper=st.sampled_from(Paper),
    orientation=st.sampled_from(Orientation),
    writing=st.sampled_from(Writing),
    condition=st.sampled_from([Condition.ORDINARY, *Condition]),
    names=st.lists(st.sampled_from(sorted(LISTED)), max_size=2, unique=True),
    fillings=st.sampled_from([_PLAIN, _FILLINGS]),
    seed=st.integers(0, 2**31),
)
def test_any_layout_any_filling_any_transform(
    paper: Paper,
    orientation: Orientation,
    writing: Writing,
    condition: Condition,
    names: list[str],
    fillings: tuple[Filling, ...],
    seed: int,
) -> None:
    random = np.random.default_rng(seed)
    sheet = print_sheet(design_sheet(paper=paper, orientation=orientation, writing=writing))
    page, meant = _fill(sheet, random, fillings)
    gray = scan(page, DPI, draw_model(condition, random), random)
    for name in names:
        gray = LISTED[name](gray)
    decided = _read(sheet, gray, meant)
    if condition is Condition.ORDINARY and fillings is _PLAIN and set(names) <= set(_GENTLE[:3]):
        assert decided > 0.7
