"""Finding a printed sheet in a scan: how it lies, and which page of the sheet it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from omr.code_reader import read_code
from omr.errors import PageSetAside, Trouble
from omr.foreign_page import explain_unknown_page
from omr.page_hints import MOST_RESIDUAL_MM, PageHints, register_by_hand
from omr.registration import Registration, register
from omr.sheet_search import search_sheet

if TYPE_CHECKING:
    from omr.layout import PageLayout
    from omr.page import Page
    from omr.sheet_code import SheetCode


@dataclass(frozen=True, slots=True)
class LocatedSheet:
    """A printed sheet in a scan.

    Attributes:
        registration: how it lies.
        code: what its code says; None where none can be read and a person said which page it is.
        sheet_page: from 1.
    """

    registration: Registration
    code: SheetCode | None
    sheet_page: int


def locate_sheet(page: Page, frame: PageLayout, hints: PageHints) -> LocatedSheet:
    """Find a printed sheet: where a scan of the sheet alone has it, or anywhere, or where a person says.

    Args:
        page: decoded.
        frame: any page of the layout; its size, squares and codes count.
        hints: what a person said; its turn was seen to.

    Raises:
        PageSetAside: there is none, or more than one, or it is not known which page it is.
    """
    gray = page.gray
    fits = register(gray, frame) if hints.corners is None else [register_by_hand(gray, frame, hints.corners)]
    for fit in fits:
        code = read_code(gray, fit.transform, frame)
        if code is not None:
            return LocatedSheet(fit, code, code.page)
    found = search_sheet(page, frame) if hints.corners is None else None
    if found is not None:
        return LocatedSheet(*found, found[1].page)
    if hints.sheet_page is None or not fits:
        raise explain_unknown_page(gray, bool(fits))
    # Where the squares leave it open which way up the page lies, it stands as the person saw it.
    fit = min(fits, key=lambda one: one.rotation != 0)
    return LocatedSheet(fit, None, hints.sheet_page)


def check_placement(registration: Registration) -> None:
    """Check that the squares of a printed sheet lie as printed.

    Raises:
        PageSetAside: they do not.
    """
    residual = registration.residual_mm
    if registration.marks and residual is not None and residual > MOST_RESIDUAL_MM:
        raise PageSetAside(
            Trouble.MISPLACED,
            f"四隅の■の位置が印刷と合いません（ずれ {residual:.1f} mm）。紙の折れや重なりを直して読み取り直してください。",
        )
