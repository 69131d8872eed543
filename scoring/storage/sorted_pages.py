"""An exam's pages as sorting needs them, and what sorting changed, kept."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, update

from omr.layout import QuestionKind
from omr.reading import AnswerReading, ReadingStatus
from scoring.page_document import from_document
from scoring.page_sorting import PageToSort, SaidOwner
from scoring.roster import Roster, Student
from scoring.storage.carried_judgements import carry_all_over
from scoring.storage.changes import note_change
from scoring.storage.columns import new_id
from scoring.storage.events import Deed
from scoring.storage.exams import StoredExam, find_exam, hold_exam
from scoring.storage.kept_work import parse_measures
from scoring.storage.layouts import ExamLayout, find_layout
from scoring.storage.rosters import find_roster
from scoring.storage.scan_states import DROPPED
from scoring.storage.scan_tables import (
    AnswerReadingRow,
    IntakeRow,
    PageDecisionRow,
    PageReadingRow,
    ScanFileRow,
    ScanPageRow,
)
from scoring.storage.tables import ClassRow, RosterRow, StudentRow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

    from scoring.page_sorting import SortedPage
    from scoring.storage.work import SortPages

SORT_AGAIN_AFTER = datetime.timedelta(seconds=60)
"""After this time an exam's pages are sorted again although more of them are to be read."""
_OWNER, _SORTED = "owner", "sorted"


@dataclass(frozen=True, slots=True)
class PagesToSort:
    """All that sorting an exam's pages needs.

    Attributes:
        exam: as it now is.
        layout: by which its pages are read now.
        roster: who can have written; None where the school year has no roster.
        students: row ids by `student_id`.
        pages: those that were read and count, in the order in which they came.
        versions: of their rows, by page id.
        blobs: of their files, by file id.
    """

    exam: StoredExam
    layout: ExamLayout
    roster: Roster | None
    students: Mapping[str, str]
    pages: tuple[PageToSort, ...]
    versions: Mapping[str, int]
    blobs: Mapping[str, str]


def find_pages_to_sort(session: Session, school_id: str, exam_id: str) -> PagesToSort:
    """Load what sorting needs.

    Args:
        session: of `Database.read`.
        school_id: whose the exam is.
        exam_id: of the exam.

    Raises:
        Refused: this school has no such exam.
    """
    exam = find_exam(session, school_id, exam_id)
    said = _said_owners(session, exam_id)
    rows = session.execute(
        select(ScanPageRow, ScanFileRow.name, ScanFileRow.blob, PageReadingRow.document)
        .join(ScanFileRow, ScanFileRow.id == ScanPageRow.file_id)
        .join(PageReadingRow, PageReadingRow.id == ScanPageRow.reading_id)
        .where(ScanPageRow.exam_id == exam_id, ScanPageRow.school_id == school_id)
        .where(ScanPageRow.status != DROPPED)
        .order_by(ScanPageRow.file_id, ScanPageRow.number, ScanPageRow.part)
    ).all()
    owned = {row.student_id for row, *_ in rows} | set(said.values())
    roster, students = _roster(session, school_id, exam.school_year, owned - {None})
    names = {row_id: student for student, row_id in students.items()}
    pages = tuple(
        PageToSort(
            row.id,
            row.reading_id or "",
            row.file_id,
            name,
            row.number,
            row.part,
            from_document(document),
            SaidOwner(names.get(said[row.id] or "")) if row.id in said else None,
        )
        for row, name, _, document in rows
    )
    return PagesToSort(
        exam,
        find_layout(session, school_id, exam),
        roster,
        students,
        pages,
        {row.id: row.version for row, *_ in rows},
        {row.file_id: blob for row, _, blob, _ in rows},
    )


def with_marks(session: Session, page: PageToSort) -> PageToSort:
    """The page with the bubbles of its choices, as far as two scans are compared by them.

    Args:
        session: of `Database.read`.
        page: from `find_pages_to_sort`.
    """
    rows = session.scalars(
        select(AnswerReadingRow)
        .where(
            AnswerReadingRow.reading_id == page.reading_id, AnswerReadingRow.kind == QuestionKind.CHOICE.value
        )
        .order_by(AnswerReadingRow.question)
    )
    answers = tuple(
        AnswerReading(
            question=row.question,
            kind=QuestionKind.CHOICE,
            status=ReadingStatus(row.status),
            confidence=row.confidence,
            measures=parse_measures(row.measures),
            reader=row.reader,
            labels=tuple(row.reading.split(";")) if row.reading else (),
        )
        for row in rows
    )
    return replace(page, reading=replace(page.reading, answers=answers))


def keep_sorting(
    session: Session,
    now: datetime.datetime,
    claim: SortPages,
    known: PagesToSort,
    results: Sequence[SortedPage],
) -> int | None:
    """Keep what sorting changed; returns for how many pages, or None where the lease was lost and nothing is kept.

    A page that changed while it was being sorted is left: that change asked for sorting again.

    Args:
        session: of `Database.write`.
        now: the time.
        claim: what was done.
        known: what it was done with.
        results: what came of it.
    """
    changed = _changed_pages(session, claim, known, results)  # holds pages first, as all who hold both do
    intake = session.scalar(
        select(IntakeRow)
        .where(IntakeRow.exam_id == claim.exam_id, IntakeRow.lease_owner == claim.worker)
        .with_for_update()
    )
    if intake is None:
        return None
    _keep_decisions(session, now, claim, changed)
    intake.done, intake.lease_owner, intake.attempts = claim.wanted, None, 0
    # Left alone until then as long as pages come: see `scoring.storage.work`.
    intake.lease_until = now + SORT_AGAIN_AFTER if results else None
    session.flush()
    deed = Deed(claim.school_id, None, now)
    carry_all_over(session, deed, hold_exam(session, claim.school_id, claim.exam_id))
    note_change(session, deed, claim.exam_id, "pages.sorted", {"pages": len(changed), "wanted": claim.wanted})
    return len(changed)


def _said_owners(session: Session, exam_id: str) -> dict[str, str | None]:
    """The students' rows whom persons named last, by page; None for nobody of the roster."""
    rows = session.execute(
        select(PageDecisionRow.page_id, PageDecisionRow.detail)
        .where(PageDecisionRow.exam_id == exam_id, PageDecisionRow.what == _OWNER)
        .order_by(PageDecisionRow.page_id, PageDecisionRow.number)
    )
    return {page_id: detail["student"] for page_id, detail in rows}


def _roster(
    session: Session, school_id: str, school_year: int, owned: set[str | None]
) -> tuple[Roster | None, dict[str, str]]:
    """The students who can have written, with their rows; who left keeps the pages that are theirs already."""
    present = find_roster(session, school_id, school_year).roster.students
    rows = session.execute(
        select(StudentRow, ClassRow)
        .join(ClassRow, ClassRow.id == StudentRow.class_id)
        .join(RosterRow, RosterRow.id == StudentRow.roster_id)
        .where(RosterRow.school_id == school_id, RosterRow.school_year == school_year)
        .order_by(StudentRow.place)
    ).all()
    gone = tuple(
        Student(one.student_id, its.grade, its.name, one.number, one.name, one.kana)
        for one, its in rows
        if one.left_at is not None and one.id in owned
    )
    students = {one.student_id: one.id for one, _ in rows}
    return (Roster((*present, *gone)) if present or gone else None), students


def _changed_pages(
    session: Session, claim: SortPages, known: PagesToSort, results: Sequence[SortedPage]
) -> list[tuple[ScanPageRow, dict[str, Any]]]:
    """The rows that are to say something else now, with what; only those that are as they were when it began."""
    rows = session.scalars(
        select(ScanPageRow)
        .where(ScanPageRow.exam_id == known.exam.id, ScanPageRow.school_id == claim.school_id)
        .order_by(ScanPageRow.id)
        .with_for_update()
    )
    by_id = {row.id: row for row in rows}
    changed = []
    for one in results:
        row = by_id.get(one.page.id)
        if row is None or row.version != known.versions[row.id]:
            continue
        values = _values(one, known.students)
        if any(getattr(row, name) != value for name, value in values.items()):
            changed.append((row, values))
    return changed


def _values(one: SortedPage, students: Mapping[str, str]) -> dict[str, Any]:
    owner = one.owner
    return {
        "status": one.status.value,
        "reason": one.reason,
        "sheet": one.sheet,
        "student_id": students[one.student] if one.student else None,
        "owner": None
        if owner is None
        else {
            "outcome": owner.outcome.value,
            "student": None if owner.student is None else students[owner.student.student_id],
            "chance": owner.chance,
            "grounds": [ground.value for ground in owner.grounds],
        },
    }


def _keep_decisions(
    session: Session,
    now: datetime.datetime,
    claim: SortPages,
    changed: Sequence[tuple[ScanPageRow, dict[str, Any]]],
) -> None:
    if not changed:
        return
    last = (
        select(PageDecisionRow.page_id, func.max(PageDecisionRow.number))
        .where(PageDecisionRow.exam_id == claim.exam_id)
        .group_by(PageDecisionRow.page_id)
    )
    numbers = dict(session.execute(last).all())
    session.execute(
        update(ScanPageRow),
        [{"id": row.id, **values, "version": row.version + 1} for row, values in changed],
    )
    session.execute(
        insert(PageDecisionRow),
        [
            {
                "id": new_id(),
                "school_id": row.school_id,
                "school_year": row.school_year,
                "exam_id": row.exam_id,
                "page_id": row.id,
                "number": numbers.get(row.id, 0) + 1,
                "what": _SORTED,
                "detail": values,
                "made_at": now,
                "made_by": None,
            }
            for row, values in changed
        ],
    )
