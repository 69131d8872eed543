"""The totals that an exam had at 確定 and 返却, and what changed since: returned papers and exports may be out of date.

Judgements, pages and rosters go on after 確定, so the totals of that moment can't be computed again: they are kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from sqlalchemy import select

from scoring.points import format_points
from scoring.storage.grading_tables import ScoreSnapshotRow

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from scoring.exam_state import ExamState
    from scoring.scores import ExamScores
    from scoring.storage.exams import StoredExam
    from scoring.storage.tables import ExamStateRow


@dataclass(frozen=True, slots=True)
class ChangedTotal:
    """A total that is another one than it was.

    Attributes:
        student_id: row of the student; None where the sheet is nobody's.
        sheet: its id where it is nobody's, else empty.
        before: None where there was none: not sat, or not yet there.
        after: None where there is none any more.
    """

    student_id: str | None
    sheet: str
    before: Decimal | None
    after: Decimal | None


@dataclass(frozen=True, slots=True)
class SinceState:
    """What changed since an exam last came into a state.

    Attributes:
        change_number: of the change that brought it there.
        totals: that are others by now.
    """

    change_number: int
    totals: tuple[ChangedTotal, ...]


def keep_snapshot(
    session: Session,
    row: ExamStateRow,
    change_number: int,
    scores: ExamScores,
) -> None:
    """Keep the totals with which an exam came into a state.

    Args:
        session: of `Database.write`.
        row: of the state.
        change_number: of the change in its feed.
        scores: as they are in this write.
    """
    totals = [
        [student or None, sheet, None if points is None else format_points(points)]
        for (student, sheet), points in _totals(scores).items()
    ]
    session.add(
        ScoreSnapshotRow(
            school_id=row.school_id,
            school_year=row.school_year,
            exam_id=row.exam_id,
            state_number=row.number,
            state=row.state,
            change_number=change_number,
            totals=totals,
        )
    )


def find_changes_since(
    session: Session, exam: StoredExam, state: ExamState, scores: ExamScores
) -> SinceState | None:
    """What changed since an exam last came into a state; None where it never did.

    Args:
        session: of `Database`.
        exam: which.
        state: 確定 or 返却.
        scores: as they now are.
    """
    row = session.scalar(
        select(ScoreSnapshotRow)
        .where(ScoreSnapshotRow.exam_id == exam.id, ScoreSnapshotRow.state == state)
        .order_by(ScoreSnapshotRow.state_number.desc())
        .limit(1)
    )
    if row is None:
        return None
    before: dict[tuple[str, str], Decimal | None] = {
        (student or "", sheet): None if points is None else Decimal(points)
        for student, sheet, points in row.totals
    }
    after = _totals(scores)
    changed = (
        ChangedTotal(key[0] or None, key[1], before.get(key), after.get(key))
        for key in dict.fromkeys([*after, *before])
        if before.get(key) != after.get(key)
    )
    return SinceState(row.change_number, tuple(changed))


def _totals(scores: ExamScores) -> dict[tuple[str, str], Decimal | None]:
    return {one.key: total.points for one, total in zip(scores.examinees, scores.totals, strict=True)}
