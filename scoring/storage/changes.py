"""The feed of what changes in an exam, in one order without gaps, for everybody who looks at it."""

from __future__ import annotations

import datetime  # noqa: TC003  (part of public signatures)
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, insert, select, update

from scoring.storage.grading_tables import ExamChangeRow
from scoring.storage.tables import ExamRow

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy.orm import Session

    from scoring.storage.events import Deed


@dataclass(frozen=True, slots=True)
class ExamChange:
    """Something that changed in an exam.

    Attributes:
        number: from 1, without gaps.
        what: as `thing.verb` ("answer.judged", "pages.read").
        detail: ids and numbers; nothing personal.
        made_at: when.
        made_by: the account; None for the machine.
    """

    number: int
    what: str
    detail: Mapping[str, Any]
    made_at: datetime.datetime
    made_by: str | None


def note_change(session: Session, deed: Deed, exam_id: str, what: str, detail: Mapping[str, Any]) -> int:
    """Add a change to an exam's feed, in the same transaction as what it tells of, and return its number.

    From here to its end the transaction holds the exam's row, so that nobody sees a later change before this one:
    call it last.
    """
    session.flush()
    connection = session.connection()  # straight to the tables: every judgement comes by here
    number, school_id, school_year = connection.execute(_RAISE, {"of_exam": exam_id}).one()
    row = {
        "school_id": school_id,
        "school_year": school_year,
        "exam_id": exam_id,
        "number": number,
        "what": what,
        "detail": dict(detail),
        "made_at": deed.at,
        "made_by": deed.account_id,
    }
    connection.execute(_ADD, row)
    return int(number)


_RAISE = (
    update(ExamRow)
    .where(ExamRow.id == bindparam("of_exam"))
    .values(change_number=ExamRow.change_number + 1)
    .returning(ExamRow.change_number, ExamRow.school_id, ExamRow.school_year)
)
_ADD = insert(ExamChangeRow)


def list_changes(session: Session, exam_id: str, after: int, limit: int = 500) -> Sequence[ExamChange]:
    """The changes of an exam behind a number, in their order."""
    rows = session.scalars(
        select(ExamChangeRow)
        .where(ExamChangeRow.exam_id == exam_id, ExamChangeRow.number > after)
        .order_by(ExamChangeRow.number)
        .limit(limit)
    )
    return [ExamChange(row.number, row.what, row.detail, row.made_at, row.made_by) for row in rows]


def change_numbers(session: Session, school_id: str, exam_ids: Collection[str]) -> dict[str, int]:
    """The number of the last change of each of these exams, as far as the school has them."""
    wanted = select(ExamRow.id, ExamRow.change_number).where(
        ExamRow.school_id == school_id, ExamRow.id.in_(exam_ids)
    )
    return {row.id: row.change_number for row in session.execute(wanted)}
