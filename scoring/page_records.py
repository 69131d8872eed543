"""The records of a run's pages while they are sorted out, and what they are in the end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from omr.reading import PageReading, PageStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scoring.identity import Owner
    from scoring.roster import Roster


class SameContent(Protocol):
    """Tells whether two scans of the same printed page show the same strokes."""

    def __call__(self, one: ScannedPage, other: ScannedPage, /) -> bool:
        """Whether they do; False where that can't be told."""


@dataclass(frozen=True, slots=True)
class ScannedPage:
    """One page of one scan file, as read.

    Attributes:
        source: the file's name in the results.
        page: from 1; 0 where the file could not be opened.
        reading: what the machine says of it.
        part: 1 or 2 where the page of the file shows two sheets side by side and this is one of them; else 0.
    """

    source: str
    page: int
    reading: PageReading
    part: int = 0

    @property
    def place(self) -> str:
        """File and page, as a sheet without a student's code is called."""
        return f"{self.source}#{self.page}" + (f"-{self.part}" if self.part else "")


@dataclass(frozen=True, slots=True)
class PageRecord:
    """What became of a scanned page.

    Attributes:
        scanned: the page.
        status: what became of it in the end.
        reason: why it was set aside, or a remark, for the teacher.
        sheet: the id of the sheet it belongs to; empty where it is not known.
        student: whose it is proven to be; empty where that is not proven.
        owner: how far it is known whose it is; None where nobody asks: no roster, or not read.
    """

    scanned: ScannedPage
    status: PageStatus
    reason: str
    sheet: str = ""
    student: str = ""
    owner: Owner | None = None

    @property
    def is_unnamed(self) -> bool:
        """Whether it was read and carries no student's code."""
        code = self.scanned.reading.code
        return self.status is PageStatus.READ and (code is None or code.is_blank_set)

    @property
    def sheet_page(self) -> int:
        """The page of the layout; 0 where it is not known."""
        return self.scanned.reading.sheet_page or 0


@dataclass
class Sorting:
    """The records while they are being sorted out, by position in the input."""

    records: list[PageRecord]
    roster: Roster | None
    same_content: SameContent
    page_count: int

    def set(self, at: int, **changes: str | PageStatus | Owner) -> None:
        """Change the record at a position."""
        self.records[at] = replace(self.records[at], **changes)  # type: ignore[arg-type]

    def note(self, at: int, text: str) -> None:
        """Add a sentence to its reason."""
        reason = self.records[at].reason
        self.set(at, reason=f"{reason} {text}".strip())

    def others(self, group: Sequence[int], at: int) -> str:
        """Where the other papers of a group are, as a remark names them."""
        return "、".join(self.records[other].scanned.place for other in group if other != at)

    def drop_duplicates(self, group: Sequence[int]) -> bool:
        """Keep the first of several scans of one paper; False, and nothing done, if they differ."""
        first = self.records[group[0]].scanned
        if not all(self.same_content(first, self.records[at].scanned) for at in group[1:]):
            return False
        for at in group[1:]:
            reason = f"同じページを2回読み取っています（{first.place} を採用しました）。"
            self.set(at, status=PageStatus.DUPLICATE, reason=reason)
        return True
