"""Where a page's picture comes from: its file, what was read of it, and the layout that it was read by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from omr.layout import parse_layout
from scoring.exam import design_sheet
from scoring.exam_file import parse_exam
from scoring.page_document import from_document
from scoring.storage.layouts import find_layout
from scoring.storage.scan_tables import ExamLayoutRow, PageReadingRow, ScanFileRow
from scoring.storage.scans import find_page
from scoring.storage.tables import ExamVersionRow

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from omr.layout import Layout
    from omr.reading import PageReading
    from scoring.storage.exams import StoredExam
    from scoring.storage.scans import StoredPage


@dataclass(frozen=True, slots=True)
class PageSource:
    """What is needed to show a page.

    Attributes:
        page: as it now stands.
        blob: its file's content, by hash.
        reading: what was read of it last, without answers; None before it was read.
        layout: by which it was read, or would be.
    """

    page: StoredPage
    blob: str
    reading: PageReading | None
    layout: Layout


def find_source(session: Session, school_id: str, exam: StoredExam, page_id: str) -> PageSource:
    """What is needed to show a page.

    Args:
        session: of `Database.read`.
        school_id: whose the exam is.
        exam: whose the page is.
        page_id: of the page's row.

    Raises:
        Refused: the exam has no such page.
    """
    page = find_page(session, exam, page_id)
    blob = session.get_one(ScanFileRow, page.file_id).blob
    read = session.get(PageReadingRow, page.reading_id) if page.reading_id is not None else None
    if read is None:
        return PageSource(page, blob, None, find_layout(session, school_id, exam).layout)
    return PageSource(page, blob, from_document(read.document), _layout_then(session, exam, read))


def _layout_then(session: Session, exam: StoredExam, read: PageReadingRow) -> Layout:
    """The layout by which a page was read, whatever the exam's layout is now."""
    if read.layout_number:
        document = session.scalars(
            select(ExamLayoutRow.document).where(
                ExamLayoutRow.exam_id == exam.id, ExamLayoutRow.number == read.layout_number
            )
        ).one()
        return parse_layout(document.encode(), "レイアウト")
    document = session.scalars(
        select(ExamVersionRow.document).where(
            ExamVersionRow.exam_id == exam.id, ExamVersionRow.number == read.exam_version
        )
    ).one()
    from omr.compose import compose_layout  # noqa: PLC0415  (loads slowly, and a server is ready sooner without it)

    return compose_layout(design_sheet(parse_exam(document.encode(), exam.code)))
