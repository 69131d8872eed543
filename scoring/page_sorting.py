"""Pages of a served exam, sorted out: what the machine read and what persons said, in one.

What a person says of a page's owner takes the place of its code and its bubbles, and then follows the same rules as a
code: a second page with other content for the same student is a contradiction that a person must settle.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain, count
from typing import TYPE_CHECKING

from omr.reading import PageReading, PageStatus
from omr.sheet_code import SheetCode, exam_digest, layout_digest, student_digest
from scoring.identity import Ground, Outcome, Owner
from scoring.intake import sort_pages
from scoring.page_records import ScannedPage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from omr.layout import Layout
    from scoring.page_records import PageRecord
    from scoring.roster import Roster


@dataclass(frozen=True, slots=True)
class SaidOwner:
    """Whose a page is, as a person said: a `student_id` of the roster, or None for nobody of it."""

    student: str | None


@dataclass(frozen=True, slots=True)
class PageToSort:
    """A page that was read and that counts.

    Attributes:
        id: of its row.
        reading_id: of the reading that counts.
        file_id: of the file that it is in.
        file_name: as its sender called it.
        number: of the page in the file, from 1.
        part: 1 or 2 where the page of the file shows two sheets side by side, else 0.
        reading: what the machine said of it, without answers.
        said: whose it is, as a person said; None where nobody did.
    """

    id: str
    reading_id: str
    file_id: str
    file_name: str
    number: int
    part: int
    reading: PageReading
    said: SaidOwner | None = None


@dataclass(frozen=True, slots=True)
class SortedPage:
    """What became of a page.

    Attributes:
        page: as it was given.
        status: what became of it.
        reason: why it was set aside, or a remark, for the teacher.
        sheet: the id of the sheet that it belongs to; empty where that is not known.
        student: `student_id` of whose it is proven to be; empty where that is not proven.
        owner: how far it is known whose it is; None where nobody asks.
    """

    page: PageToSort
    status: PageStatus
    reason: str
    sheet: str
    student: str
    owner: Owner | None


def sort_stored_pages(
    pages: Sequence[PageToSort],
    exam_code: str,
    layout: Layout,
    roster: Roster | None,
    same_content: Callable[[PageToSort, PageToSort], bool],
) -> list[SortedPage]:
    """Sort out all pages of an exam.

    Args:
        pages: of each file in a row, the files in the order in which they came.
        exam_code: the exam's own id, on its sheets.
        layout: of the sheets.
        roster: who can have written; None where nobody is known.
        same_content: tells whether two scans of one printed page show the same; False where that can't be told.
    """
    names = _file_names(pages)
    scanned = [
        ScannedPage(names[page.file_id], page.number, _as_said(page, exam_code, layout), page.part)
        for page in pages
    ]
    by_place = {one.place: page for one, page in zip(scanned, pages, strict=True)}
    intake = sort_pages(
        scanned,
        roster,
        len(layout.pages),
        lambda one, other: same_content(by_place[one.place], by_place[other.place]),
    )
    return [_sorted(page, record) for page, record in zip(pages, intake.pages, strict=True)]


def _file_names(pages: Sequence[PageToSort]) -> dict[str, str]:
    """What remarks call each file: its name, with a number where several have the same."""
    names: dict[str, str] = {}
    for page in pages:
        if page.file_id not in names:
            taken = set(names.values())
            numbered = (f"{page.file_name} ({number})" for number in count(2))
            names[page.file_id] = next(
                name for name in chain([page.file_name], numbered) if name not in taken
            )
    return names


def _as_said(page: PageToSort, exam_code: str, layout: Layout) -> PageReading:
    """The reading as if the sheet itself said what a person said."""
    reading = page.reading
    if page.said is None or reading.status is not PageStatus.READ or reading.sheet_page is None:
        return reading
    if page.said.student is None:
        return replace(reading, code=None, identity=None)
    code = SheetCode(
        exam_digest(exam_code),
        layout_digest(layout.digest),
        student_digest(page.said.student),
        reading.sheet_page,
    )
    return replace(reading, code=code, identity=None)


def _sorted(page: PageToSort, record: PageRecord) -> SortedPage:
    owner, student = record.owner, record.student
    if page.said is not None and owner is not None:
        if page.said.student is None:
            owner, student = Owner(Outcome.UNKNOWN, grounds=(Ground.PERSON,)), ""
        else:
            owner = replace(owner, grounds=(Ground.PERSON,))
    return SortedPage(page, record.status, record.reason, record.sheet, student, owner)
