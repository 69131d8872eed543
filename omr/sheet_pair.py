"""Images that show two sheets side by side, as when A3 paper carries two A4 pages: read as two pages.

A page stays one reading: the image is cut between the sheets, and each part is read as if it had been scanned
alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from omr.errors import PageSetAside, Trouble
from omr.page_hints import PageHints
from omr.read_page import read_page
from omr.reading import PageReading, PageStatus
from omr.sheet_search import sheet_centres

if TYPE_CHECKING:
    from omr.layout import PageLayout
    from omr.page import Page
    from omr.read_page import ReadingPlan
    from omr.scan_file import ScanFile


def read_image(
    page: Page, plan: ReadingPlan, index: int = 0, hints: PageHints | None = None
) -> tuple[PageReading, ...]:
    """Read what one image of a file shows: one page, or two sheets side by side.

    Args:
        page: decoded.
        plan: of the exam.
        index: of the image in its file, from 0.
        hints: what a person said of it; of two sheets each is turned by itself.

    Returns:
        One reading, or two where both sheets can be read, the left or upper one first. Where one of them can't,
        the one reading says that the image shows two.
    """
    reading = read_page(page, plan, index, hints)
    if reading.trouble is not Trouble.TWO_SHEETS:
        return (reading,)
    parts = cut_between_sheets(page, plan.layout.pages[0])
    turned = None if hints is None else PageHints(hints.turn)
    readings = tuple(read_page(part, plan, index, turned) for part in parts)
    if len(readings) == 2 and all(one.status is PageStatus.READ for one in readings):
        return readings
    return (reading,)


def cut_between_sheets(page: Page, frame: PageLayout) -> tuple[Page, ...]:
    """The two parts of an image that shows exactly two sheets, the left or upper one first; else nothing.

    Args:
        page: decoded.
        frame: any page of the layout; its size and squares count.
    """
    centres = sheet_centres(page, frame)
    if len(centres) != 2:
        return ()
    (x, y), (other_x, other_y) = centres
    if abs(other_x - x) > abs(other_y - y):
        cut = round((x + other_x) / 2)
        parts = page.gray[:, :cut], page.gray[:, cut:]
    else:
        cut = round((y + other_y) / 2)
        parts = page.gray[:cut], page.gray[cut:]
    return tuple(replace(page, gray=np.ascontiguousarray(part)) for part in parts)


def open_page(scan: ScanFile, index: int, part: int, frame: PageLayout) -> Page:
    """Decode an image of a file, or one of the two sheets in it.

    Args:
        scan: the file.
        index: of the image, from 0.
        part: 1 or 2 for the left or upper sheet or the other; 0 for the whole image.
        frame: any page of the layout; its size and squares count.

    Raises:
        PageSetAside: it can't be decoded, or does not show two sheets.
        IndexError: no such image.
    """
    page = scan.read_page(index)
    if part == 0:
        return page
    parts = cut_between_sheets(page, frame)
    if not parts:
        raise PageSetAside(
            Trouble.TWO_SHEETS,
            "2枚並んだ解答用紙の境目が見つかりません。1枚ずつスキャンし直してください。",
        )
    return parts[part - 1]
