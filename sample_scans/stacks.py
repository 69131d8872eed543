"""How a class's sheets go through the scanner: which pages lie in which file, in which order and how."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from sample_scans.scan_files import FileKind
from sample_scans.scanner import Condition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator


class Content(StrEnum):
    """What a scanned page is."""

    SHEET = "sheet"
    DUPLICATE = "duplicate"
    OTHER_EXAM = "other_exam"
    EMPTY_BACK = "empty_back"


@dataclass(frozen=True, slots=True)
class ScanPage:
    """One page in a file.

    Attributes:
        student: place in the roster, from 0; None for an empty back.
        sheet_page: from 1; 0 for an empty back.
        content: what it is.
        condition: how it was scanned.
        quarter_turns: how often it was fed turned by 90° clockwise.
    """

    student: int | None
    sheet_page: int
    content: Content = Content.SHEET
    condition: Condition = Condition.ORDINARY
    quarter_turns: int = 0


@dataclass(frozen=True, slots=True)
class ScanFile:
    """One file of a scanner, its pages in the order in which they were fed."""

    name: str
    kind: FileKind
    pages: tuple[ScanPage, ...]


_SHARES = (
    (FileKind.JPEG_PDF, 0.29),
    (FileKind.G4_TIFF, 0.17),
    (FileKind.G4_PDF, 0.17),
    (FileKind.JPEG_PDF, 0.29),
    (FileKind.JPEG, 0.08),
)
"""The stacks of a class and how many of its students are in each: a third are black and white."""

_FAULTS = (
    (Condition.SKEWED, 0.05),
    (Condition.SHADOW, 0.02),
    (Condition.STREAKED, 0.02),
    (Condition.BLURRED, 0.02),
    (Condition.STRETCHED, 0.04),
)


def stack_class(students: Sequence[int], sheet_pages: int, start: int, random: Generator) -> list[ScanFile]:
    """The files of one class.

    Args:
        students: their places in the roster.
        sheet_pages: pages of a sheet.
        start: number of the first file.
        random: order and faults come from here.
    """
    files: list[ScanFile] = []
    done, share_so_far = 0, 0.0
    for kind, share in _SHARES:
        share_so_far += share
        end = round(share_so_far * len(students))
        stack, done = students[done:end], end
        pages = [ScanPage(student, page) for student in stack for page in range(1, sheet_pages + 1)]
        pages = [_as_fed(page, random) for page in _disordered(pages, random)]
        pieces = [[page] for page in pages] if kind is FileKind.JPEG else [pages] if pages else []
        for piece in pieces:
            files.append(ScanFile(f"scan_{start + len(files):04d}{kind.suffix}", kind, tuple(piece)))
    return files


def add_mishaps(files: list[ScanFile]) -> list[ScanFile]:
    """What goes wrong in an ordinary scan: an empty back, a page twice, a page of another exam."""
    grays = [place for place, file in enumerate(files) if file.kind is FileKind.JPEG_PDF]
    if len(grays) < 2:
        return files
    first, last = files[grays[0]], files[grays[-1]]
    middle = len(last.pages) // 2
    back = ScanPage(None, 0, Content.EMPTY_BACK)
    again = replace(first.pages[0], content=Content.DUPLICATE, condition=Condition.ORDINARY, quarter_turns=0)
    strayed = replace(last.pages[0], sheet_page=1, content=Content.OTHER_EXAM)
    pages = (*last.pages[:middle], back, *last.pages[middle:], again, strayed)
    return [*files[: grays[-1]], replace(last, pages=pages), *files[grays[-1] + 1 :]]


def _disordered(pages: list[ScanPage], random: Generator) -> list[ScanPage]:
    """Stacks are mostly in order; some are shuffled, some lie page by page, some backwards."""
    way = random.random()
    if way < 0.25:
        return [pages[place] for place in random.permutation(len(pages))]
    if way < 0.4:
        return sorted(pages, key=lambda page: page.sheet_page)
    if way < 0.5:
        return pages[::-1]
    pages = list(pages)
    for _ in range(len(pages) // 8):
        a, b = random.integers(len(pages), size=2)
        pages[a], pages[b] = pages[b], pages[a]
    return pages


def _as_fed(page: ScanPage, random: Generator) -> ScanPage:
    turn = random.random()
    turns = 2 if turn < 0.06 else 1 if turn < 0.075 else 3 if turn < 0.09 else 0
    fault, limit = random.random(), 0.0
    for condition, share in _FAULTS:
        limit += share
        if fault < limit:
            return replace(page, condition=condition, quarter_turns=turns)
    return replace(page, quarter_turns=turns)
