"""How large a page is in millimetres: by its resolution, or by the paper that explains its pixels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from omr.design import PAPER_SIZES_MM, Paper
from omr.errors import InputError
from omr.geometry import MM_PER_INCH

if TYPE_CHECKING:
    from omr.page import Page

_USUAL_DPI = (150, 200, 240, 300, 400, 600)
_LEAST_DPI = 100
_LONGEST_PAGE_MM = 450.0
_SHORTEST_PAGE_MM = 90.0


def has_resolution(page: Page) -> bool:
    """Whether a file says how fine a page is, and can be believed: cameras and screens write 72."""
    return page.dpi is not None and min(page.dpi) >= _LEAST_DPI


def page_size_mm(page: Page, paper: Paper | None = None) -> tuple[float, float]:
    """Width and height of a page: by its resolution, or as the paper whose size explains its pixels best.

    Args:
        page: as decoded.
        paper: what it is known to be; upright or across is seen from the page.

    Raises:
        InputError: the picture has not the shape of a page.
    """
    high, wide = page.gray.shape
    if paper is not None:
        return _turned(PAPER_SIZES_MM[paper], wide, high)
    if page.dpi and has_resolution(page):
        size = (wide / page.dpi[0] * MM_PER_INCH, high / page.dpi[1] * MM_PER_INCH)
        if min(size) >= _SHORTEST_PAGE_MM and max(size) <= _LONGEST_PAGE_MM:
            return _on_paper(size)
    if min(wide, high) < 500 or not 1.25 <= max(wide, high) / min(wide, high) <= 1.6:
        raise InputError(
            f"用紙の大きさが分かりません（{wide}×{high} 画素）。A4・A3・B4・B5 の用紙全体を 200dpi 以上で読み取ったファイルを指定してください。"
        )

    def misfit(one: Paper) -> float:
        dpi = max(wide, high) / PAPER_SIZES_MM[one][1] * MM_PER_INCH
        return min(abs(math.log(dpi / usual)) for usual in _USUAL_DPI)

    order = (Paper.A4, Paper.A3, Paper.B4, Paper.B5)
    best = min(order, key=lambda one: (max(misfit(one), 0.01), order.index(one)))
    return _turned(PAPER_SIZES_MM[best if misfit(best) < 0.02 else Paper.A4], wide, high)


def nearest_paper(size: tuple[float, float]) -> Paper:
    """The paper whose sides are nearest to a page's."""
    short, long = sorted(size)
    return min(
        PAPER_SIZES_MM,
        key=lambda paper: abs(PAPER_SIZES_MM[paper][0] - short) + abs(PAPER_SIZES_MM[paper][1] - long),
    )


def _turned(paper: tuple[float, float], wide: int, high: int) -> tuple[float, float]:
    short, long = paper
    return (short, long) if wide <= high else (long, short)


def _on_paper(size: tuple[float, float]) -> tuple[float, float]:
    """The exact size of the paper that a page differs from by less than a millimetre."""
    short, long = PAPER_SIZES_MM[nearest_paper(size)]
    exact = (short, long) if size[0] <= size[1] else (long, short)
    return exact if max(abs(exact[0] - size[0]), abs(exact[1] - size[1])) < 1.0 else size
