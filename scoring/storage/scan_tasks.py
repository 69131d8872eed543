"""What is not in order with an exam's scans: tasks for a person, and whose pages are missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select

from omr.reading import PageStatus
from scoring.identity import Ground, Outcome
from scoring.scan_tasks import TaskKind, Way, ways_to_mend, words
from scoring.storage.exam_students import expected_students, load_students
from scoring.storage.scan_states import DROPPED, FileState, PageState
from scoring.storage.scan_tables import PageDecisionRow, ScanFileRow, ScanPageRow
from scoring.storage.scans import list_files, stored_page

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy.orm import Session

    from scoring.storage.exams import StoredExam
    from scoring.storage.scans import StoredFile, StoredPage

_MOST_FILES = 100_000


@dataclass(frozen=True, slots=True)
class Task:
    """Something that a person must do.

    Attributes:
        kind: what is the matter.
        reason: the same in words.
        ways: how it can be mended, the likeliest first.
        page: the page; None where it is a whole file.
        file: the file; None where it is a page.
    """

    kind: TaskKind
    reason: str
    ways: tuple[Way, ...]
    page: StoredPage | None = None
    file: StoredFile | None = None


@dataclass(frozen=True, slots=True)
class MissingPage:
    """A page of a student that was not read, or not proven to be theirs.

    Attributes:
        student_id: of the row.
        sheet_page: which page of the answer sheet.
        attendance: what was last said of the student; None where nothing was.
        has_other_pages: whether other pages of the student are there.
    """

    student_id: str
    sheet_page: int
    attendance: str | None
    has_other_pages: bool


def list_tasks(session: Session, exam: StoredExam) -> Sequence[Task]:
    """All that a person must do about an exam's scans: files first, then pages in the order of their files."""
    refused = list_files(session, exam, FileState.REFUSED, None, _MOST_FILES)
    tasks = [
        Task(
            TaskKind.REFUSED_FILE,
            words(TaskKind.REFUSED_FILE, one.reason),
            ways_to_mend(TaskKind.REFUSED_FILE),
            file=one,
        )
        for one in refused
    ]
    twice = _owned_twice(session, exam)
    asked = _asked_for_rescan(session, exam)
    for page in _pages_in_question(session, exam, {*asked, *twice}):
        kind = _kind(page, twice, asked)
        if kind is not None:
            ways = ways_to_mend(kind, page.trouble)
            tasks.append(Task(kind, words(kind, page.reason), ways, page=page))
    return tasks


def list_missing(session: Session, exam: StoredExam, page_count: int) -> Sequence[MissingPage]:
    """The pages that are missing, in roster order; none of students who did not sit the exam, or not yet (欠席, 公欠, 後日受験).

    Args:
        session: of `Database.read`.
        exam: whose.
        page_count: pages of its answer sheet.
    """
    have: dict[str, set[int]] = {}
    read = select(ScanPageRow.student_id, ScanPageRow.sheet_page).where(
        ScanPageRow.exam_id == exam.id, ScanPageRow.status == PageStatus.READ
    )
    for student_id, sheet_page in session.execute(read):
        if student_id is not None and sheet_page is not None:
            have.setdefault(student_id, set()).add(sheet_page)
    return [
        MissingPage(student.id, page, student.attendance or None, student.id in have)
        for student in expected_students(load_students(session, exam), have)
        if not student.did_not_sit
        for page in range(1, page_count + 1)
        if page not in have.get(student.id, ())
    ]


def _kind(page: StoredPage, twice: Collection[str], asked: Collection[str]) -> TaskKind | None:
    """What is the matter with a page; None if nothing is, or it is being read again."""
    if page.status == DROPPED or page.state is PageState.WAITING:
        return None
    if page.id in asked:
        return TaskKind.RESCAN
    owner = page.owner or {}
    if page.status == PageStatus.QUARANTINED:
        is_conflict = owner.get("outcome") == Outcome.TWICE and not page.trouble
        return TaskKind.CONFLICT if is_conflict else TaskKind.SET_ASIDE
    if page.id in twice:
        return TaskKind.OWNED_TWICE
    is_open = page.student_id is None and page.status == PageStatus.READ
    # Without a roster nobody asks whose a page is; and a person may have said that it is nobody's.
    if not is_open or not owner or Ground.PERSON in owner.get("grounds", ()):
        return None
    return TaskKind.PROBABLE_OWNER if owner.get("student") else TaskKind.NO_OWNER


def _pages_in_question(session: Session, exam: StoredExam, more: Collection[str]) -> list[StoredPage]:
    """The pages that may need a person: set aside, without an owner, or of these ids."""
    found = session.execute(
        select(ScanPageRow, ScanFileRow.name)
        .join(ScanFileRow, ScanFileRow.id == ScanPageRow.file_id)
        .where(
            ScanPageRow.exam_id == exam.id,
            or_(
                ScanPageRow.status == PageStatus.QUARANTINED,
                (ScanPageRow.status == PageStatus.READ) & ScanPageRow.student_id.is_(None),
                ScanPageRow.id.in_(more),
            ),
        )
        .order_by(ScanPageRow.file_id, ScanPageRow.number, ScanPageRow.part)
    )
    return [stored_page(row, name) for row, name in found]


def _owned_twice(session: Session, exam: StoredExam) -> set[str]:
    """Ids of pages that count and are the same page of the same student as another one."""
    of_exam = (
        ScanPageRow.exam_id == exam.id,
        ScanPageRow.status == PageStatus.READ,
        ScanPageRow.student_id.is_not(None),
    )
    doubled = (
        select(ScanPageRow.student_id, ScanPageRow.sheet_page)
        .where(*of_exam)
        .group_by(ScanPageRow.student_id, ScanPageRow.sheet_page)
        .having(func.count() > 1)
        .subquery()
    )
    found = session.scalars(
        select(ScanPageRow.id)
        .join(
            doubled,
            (doubled.c.student_id == ScanPageRow.student_id)
            & (doubled.c.sheet_page == ScanPageRow.sheet_page),
        )
        .where(*of_exam)
    )
    return set(found)


def _asked_for_rescan(session: Session, exam: StoredExam) -> set[str]:
    """Ids of pages of which a person's last word was that they are to be scanned again."""
    said = session.execute(
        select(PageDecisionRow.page_id, PageDecisionRow.what)
        .where(PageDecisionRow.exam_id == exam.id, PageDecisionRow.made_by.is_not(None))
        .order_by(PageDecisionRow.number)
    )
    last = dict(said.all())
    return {page_id for page_id, what in last.items() if what == Way.RESCAN}
