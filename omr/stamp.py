"""Stamps a teacher's own sheet: plans where squares, code and name stand, and moves the layout with the page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from typing import TYPE_CHECKING

import cv2
import numpy as np

from omr.errors import InputError
from omr.free_space import FreeSpace, find_free_space
from omr.layout import Bubble, BubblePrint, Layout, Line
from omr.page_frame import digit_rows, to_thousandths
from omr.stamp_places import Lacking, StampPlaces, place_stamps

if TYPE_CHECKING:
    from omr.geometry import Rectangle
    from omr.layout import PageLayout, QuestionLayout
    from omr.sheet_page import SheetPage
    from omr.teacher_sheet import TeacherSheet

_SCALES = (1.0, 0.98, 0.96, 0.94, 0.92)
_SIZE_SLACK_MM = 1.5


@dataclass(frozen=True, slots=True)
class StampPlan:
    """A teacher's sheet as it will be printed.

    Attributes:
        layout: with the stamps, for `saiten read`.
        places: of the stamps.
        scale: of the teacher's page, about its middle.
    """

    layout: Layout
    places: StampPlaces
    scale: float


def plan_stamps(sheet: TeacherSheet, layout: Layout) -> StampPlan:
    """Find room for the stamps on all pages; the page is shrunk about its middle if there is none.

    Args:
        sheet: unfilled.
        layout: where its answers stand.

    Raises:
        InputError: the layout is of another sheet, or there is no room.
    """
    _check_pages(sheet, layout)
    lacking, spaces = Lacking.SQUARES, list[FreeSpace]()
    for scale in _SCALES:
        moved = tuple(_scaled_page(page, scale, sheet.size) for page in layout.pages)
        spaces = [_space(page, scale, where) for page, where in zip(sheet.pages, moved, strict=True)]
        places = place_stamps(reduce(FreeSpace.both, spaces))
        if isinstance(places, StampPlaces):
            pages = tuple(_stamped_page(page, places) for page in moved)
            return StampPlan(Layout(pages, bubble_print=BubblePrint.FOREIGN), places, scale)
        lacking = places
    raise InputError(_no_room(spaces, lacking))


def _check_pages(sheet: TeacherSheet, layout: Layout) -> None:
    if len(sheet.pages) != len(layout.pages):
        raise InputError(
            f"解答用紙は{len(sheet.pages)}ページ、--sheet-layout のレイアウトは{len(layout.pages)}ページです。"
            "この解答用紙を saiten detect で読んだレイアウトを指定してください。"
        )
    for page, where in zip(sheet.pages, layout.pages, strict=True):
        if max(abs(page.size[0] - where.width), abs(page.size[1] - where.height)) > _SIZE_SLACK_MM:
            raise InputError(
                f"{where.number}ページの用紙は {page.size[0]:.0f}×{page.size[1]:.0f} mm、レイアウトでは"
                f" {where.width:.0f}×{where.height:.0f} mm です。この解答用紙を saiten detect で読んだレイアウトを指定してください。"
            )


def _space(page: SheetPage, scale: float, where: PageLayout) -> FreeSpace:
    answers = [
        area
        for question in where.questions
        for area in (*question.bubbles, *([question.box] if question.box else []))
    ]
    gray = page.gray
    if scale < 1:
        high, wide = gray.shape
        move = np.array([(scale, 0, wide * (1 - scale) / 2), (0, scale, high * (1 - scale) / 2)])
        paper = float(np.percentile(gray, 70))
        gray = np.asarray(
            cv2.warpAffine(gray, move, (wide, high), flags=cv2.INTER_AREA, borderValue=paper), np.uint8
        )
    return find_free_space(gray, page.size, answers)


def _no_room(spaces: list[FreeSpace], lacking: Lacking) -> str:
    """The first page that has no room by itself, or all of them together."""
    for number, space in enumerate(spaces, 1):
        alone = place_stamps(space)
        if isinstance(alone, Lacking):
            return f"{number}ページ目は、92%に縮小しても{alone}を置く場所がありません。上か下の余白を広げるか、罫線や文字を減らしてください。"
    return (
        f"どのページでも同じ位置になる{lacking}の場所がありません。全ページの同じ側の余白を広げてください。"
    )


def _scaled_page(page: PageLayout, scale: float, size: tuple[float, float]) -> PageLayout:
    width, height = size
    left, top = width * (1 - scale) / 2, height * (1 - scale) / 2

    def moved(area: Rectangle) -> Rectangle:
        return to_thousandths(left + scale * area.x, top + scale * area.y, scale * area.w, scale * area.h)

    def moved_bubble(bubble: Bubble) -> Bubble:
        area = moved(bubble)
        return Bubble(area.x, area.y, area.w, area.h, label=bubble.label)

    def moved_line(line: Line) -> Line:
        return Line(
            left + scale * line.x1, top + scale * line.y1, left + scale * line.x2, top + scale * line.y2
        )

    def moved_question(question: QuestionLayout) -> QuestionLayout:
        return replace(
            question,
            bubbles=tuple(moved_bubble(bubble) for bubble in question.bubbles),
            box=None if question.box is None else moved(question.box),
            lines=tuple(moved_line(line) for line in question.lines),
        )

    return replace(
        page,
        width=width,
        height=height,
        questions=tuple(moved_question(question) for question in page.questions),
    )


def _stamped_page(page: PageLayout, places: StampPlaces) -> PageLayout:
    digits = places.digits
    return replace(
        page,
        qr=places.qr,
        second_qr=places.second_qr,
        fiducials=places.fiducials,
        name_box=places.name,
        identity=() if digits is None else digit_rows(digits.x, digits.y),
    )
