"""That an exam's pages are to be sorted out again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.dialects import postgresql, sqlite

from scoring.storage.columns import new_id
from scoring.storage.scan_tables import IntakeRow

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from scoring.storage.events import Deed
    from scoring.storage.exams import StoredExam


def want_sorting(session: Session, deed: Deed, exam: StoredExam) -> None:
    """Ask for the exam's pages to be sorted; others who ask wait until this write ends.

    Args:
        session: of `Database.write`.
        deed: in which school.
        exam: whose pages.
    """
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    first = insert(IntakeRow).values(
        id=new_id(),
        school_id=deed.school_id,
        school_year=exam.school_year,
        exam_id=exam.id,
        wanted=1,
        done=0,
        attempts=0,
    )
    session.execute(
        first.on_conflict_do_update(
            index_elements=[IntakeRow.exam_id], set_={"wanted": IntakeRow.wanted + 1, "attempts": 0}
        )
    )
