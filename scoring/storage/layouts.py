"""Layouts in the database: where everything stands on an exam's sheets; as the exam says where nobody gave another."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from omr.errors import Refusal, Refused
from omr.layout import layout_to_json, parse_layout
from scoring.exam import design_sheet
from scoring.exam_state import check_editable
from scoring.layout_check import check_layout
from scoring.storage.changes import note_change
from scoring.storage.events import record
from scoring.storage.scan_tables import ExamLayoutRow
from scoring.storage.tables import ExamRow

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from omr.layout import Layout
    from scoring.storage.events import Deed
    from scoring.storage.exams import StoredExam

_NAME = "レイアウト"


@dataclass(frozen=True, slots=True)
class EmptySheet:
    """The empty sheet (空の解答用紙) that a layout was drawn on: its file's name and its blob."""

    name: str
    blob: str


@dataclass(frozen=True, slots=True)
class ExamLayout:
    """The layout of an exam.

    Attributes:
        number: from 1; 0 where it follows from the exam.
        layout: where everything stands.
        empty_sheet: what it was drawn on, for a sheet without our squares and code.
    """

    number: int
    layout: Layout
    empty_sheet: EmptySheet | None = None


def find_layout(session: Session, school_id: str, stored: StoredExam) -> ExamLayout:
    """The layout by which an exam's pages are read now.

    Args:
        session: of `Database.read` or `Database.write`.
        school_id: whose the exam is.
        stored: the exam.
    """
    row = session.scalar(
        select(ExamLayoutRow)
        .where(ExamLayoutRow.school_id == school_id, ExamLayoutRow.exam_id == stored.id)
        .order_by(ExamLayoutRow.number.desc())
        .limit(1)
    )
    if row is None:
        # It loads slowly, and a server is ready sooner without it.
        from omr.compose import compose_layout  # noqa: PLC0415

        return ExamLayout(0, compose_layout(design_sheet(stored.exam)))
    layout = parse_layout(row.document.encode(), _NAME)
    if row.reference_name is None or row.reference_blob is None:
        return ExamLayout(row.number, layout)
    return ExamLayout(row.number, layout, EmptySheet(row.reference_name, row.reference_blob))


def find_layout_number(session: Session, school_id: str, exam_id: str) -> int:
    """The number of the layout by which an exam's pages are read now; 0 where it follows from the exam.

    Args:
        session: of `Database.read` or `Database.write`.
        school_id: whose the exam is.
        exam_id: of the exam.
    """
    last = select(func.max(ExamLayoutRow.number)).where(
        ExamLayoutRow.school_id == school_id, ExamLayoutRow.exam_id == exam_id
    )
    return session.scalar(last) or 0


def add_layout(
    session: Session,
    deed: Deed,
    stored: StoredExam,
    layout: Layout,
    empty_sheet: EmptySheet | None,
    *,
    number: int,
) -> ExamLayout:
    """Let an exam's pages be read by another layout from now on; what was read before stays as it is.

    Args:
        session: of `Database.write`.
        deed: who and when.
        stored: the exam.
        layout: the new one.
        empty_sheet: what it was drawn on; None for that of the layout before.
        number: of the layout that the person saw.

    Raises:
        InputError: layout and exam do not speak of the same questions.
        Refused: the exam is 確定 or 返却, somebody gave another layout meanwhile, or the empty sheet is missing.
    """
    check_editable(stored.state)
    session.execute(select(ExamRow.id).where(ExamRow.id == stored.id).with_for_update())
    before = find_layout(session, deed.school_id, stored)
    if before.number != number:
        raise Refused(
            Refusal.STALE,
            "開いているあいだに、ほかの人がレイアウトを変えました。今の内容を確かめて、もう一度変えてください。",
        )
    check_layout(stored.exam, layout, Path(_NAME))
    empty_sheet = empty_sheet or before.empty_sheet
    needs_sheet = layout.reference is not None and not layout.has_code
    if needs_sheet and empty_sheet is None:
        raise Refused(Refusal.NOT_FOUND, "このレイアウトのもとになった空の解答用紙を、先に送ってください。")
    row = ExamLayoutRow(
        school_id=deed.school_id,
        school_year=stored.school_year,
        exam_id=stored.id,
        number=number + 1,
        document=json.dumps(layout_to_json(layout), ensure_ascii=False),
        reference_name=empty_sheet.name if needs_sheet and empty_sheet is not None else None,
        reference_blob=empty_sheet.blob if needs_sheet and empty_sheet is not None else None,
        made_at=deed.at,
        made_by=deed.by,
    )
    session.add(row)
    session.flush()
    record(session, deed, "layout.replaced", stored.id, {"number": row.number})
    note_change(session, deed, stored.id, "layout.replaced", {"number": row.number})
    return find_layout(session, deed.school_id, stored)
