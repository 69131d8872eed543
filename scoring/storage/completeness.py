"""What keeps an exam from 確定, as the database stands: answers without points, and scans that are not in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from omr.reading import PageStatus
from scoring.completeness import FEW, NotComplete, Obstacle, ObstacleKind, find_obstacles
from scoring.identity import Ground
from scoring.storage.scan_states import FileState, PageState
from scoring.storage.scan_tables import IntakeRow, ScanFileRow, ScanPageRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from scoring.scores import ExamScores
    from scoring.storage.exams import StoredExam


def check_complete(session: Session, exam: StoredExam, scores: ExamScores) -> None:
    """Make sure that an exam can be confirmed.

    Raises:
        NotComplete: it can't; it names everything that is left to do.
    """
    obstacles = list_obstacles(session, exam, scores)
    if obstacles:
        raise NotComplete(obstacles)


def list_obstacles(session: Session, exam: StoredExam, scores: ExamScores) -> Sequence[Obstacle]:
    """All that keeps an exam from 確定; empty where nothing does.

    Args:
        session: of `Database`.
        exam: as it now is.
        scores: of it, computed in the same session.
    """
    has_students = any(one.student is not None for one in scores.examinees)
    return [
        *find_obstacles(scores),
        *_of_pages(session, exam),
        *_of_files(session, exam, has_students=has_students),
    ]


def _of_pages(session: Session, exam: StoredExam) -> list[Obstacle]:
    """Pages that were set aside, are still to be read, or are nobody's."""
    rows = session.execute(
        select(ScanPageRow.id, ScanPageRow.state, ScanPageRow.status, ScanPageRow.owner)
        .where(
            ScanPageRow.exam_id == exam.id,
            (ScanPageRow.state != PageState.READ)
            | (ScanPageRow.status == PageStatus.QUARANTINED)
            | ((ScanPageRow.status == PageStatus.READ) & ScanPageRow.student_id.is_(None)),
        )
        .order_by(ScanPageRow.file_id, ScanPageRow.number, ScanPageRow.part)
    )
    found: dict[ObstacleKind, list[str]] = {}
    for row in rows:
        if row.state != PageState.READ:
            found.setdefault(ObstacleKind.UNREAD, []).append(row.id)
        elif row.status == PageStatus.QUARANTINED:
            found.setdefault(ObstacleKind.SET_ASIDE, []).append(row.id)
        # Without a roster nobody asks whose a page is, and a person may have said that it is nobody's.
        elif row.owner and Ground.PERSON not in row.owner.get("grounds", ()):
            found.setdefault(ObstacleKind.WITHOUT_OWNER, []).append(row.id)
    return [_obstacle(kind, ids) for kind, ids in found.items()]


def _of_files(session: Session, exam: StoredExam, *, has_students: bool) -> list[Obstacle]:
    """Files that are still to be read, and those that could not be where nobody knows what is missing.

    Where there is a roster, whoever's sheet was in a refused file is missing, which is an obstacle already.
    """
    rows = session.execute(
        select(ScanFileRow.id, ScanFileRow.state)
        .where(ScanFileRow.exam_id == exam.id, ScanFileRow.state != FileState.COUNTED)
        .order_by(ScanFileRow.id)
    ).all()
    unread = [row.id for row in rows if row.state == FileState.RECEIVED]
    refused = [row.id for row in rows if row.state == FileState.REFUSED and not has_students]
    found = {ObstacleKind.UNREAD_FILE: unread, ObstacleKind.REFUSED_FILE: refused}
    unsorted = select(IntakeRow.id).where(IntakeRow.exam_id == exam.id, IntakeRow.wanted > IntakeRow.done)
    obstacles = [_obstacle(kind, ids) for kind, ids in found.items() if ids]
    if session.scalar(unsorted) is not None:
        obstacles.append(Obstacle(ObstacleKind.UNSORTED, 1))
    return obstacles


def _obstacle(kind: ObstacleKind, ids: Sequence[str]) -> Obstacle:
    return Obstacle(kind, len(ids), None, tuple(ids[:FEW]))
