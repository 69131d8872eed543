"""What persons decide about scanned pages: only added to, in force at once, and taken up when pages are sorted again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from omr.errors import Refusal, Refused
from scoring.identity import Ground, Outcome
from scoring.page_decisions import DropPage, SayOwner, UndropPage, changed_hints
from scoring.page_document import from_document
from scoring.storage.changes import note_change
from scoring.storage.events import record
from scoring.storage.intakes import want_sorting
from scoring.storage.scan_states import DROPPED, PageState
from scoring.storage.scan_tables import PageDecisionRow, PageReadingRow, ScanFileRow, ScanPageRow
from scoring.storage.scans import hold_editable, stored_page
from scoring.storage.tables import StudentRow

if TYPE_CHECKING:
    import datetime
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

    from scoring.page_decisions import PageDecision
    from scoring.storage.events import Deed
    from scoring.storage.exams import StoredExam
    from scoring.storage.scans import StoredPage

MOST_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class WantedDecision:
    """A decision, and the version of the page that the person saw."""

    page_id: str
    version: int
    decision: PageDecision


@dataclass(frozen=True, slots=True)
class KeptDecision:
    """What was decided about a page.

    Attributes:
        number: from 1, for each page.
        what: `PageDecision.what`, or "sorted" by the machine.
        detail: the rest of it.
        made_at: when.
        made_by: the account; None for the machine.
    """

    number: int
    what: str
    detail: Mapping[str, Any]
    made_at: datetime.datetime
    made_by: str | None


class StalePages(Refused):
    """Decisions about pages that changed since the person saw them.

    Args:
        pages: those pages as they are now.
    """

    def __init__(self, pages: Sequence[StoredPage]) -> None:
        super().__init__(
            Refusal.STALE,
            "開いているあいだに、このページが変わりました。今の内容を確かめて、もう一度決めてください。",
        )
        self.pages = pages


def decide(
    session: Session, deed: Deed, exam: StoredExam, wanted: Sequence[WantedDecision]
) -> Sequence[StoredPage]:
    """Keep what a person decided about pages: all of it or, where it raises, nothing.

    Args:
        session: of `Database.write`.
        deed: who and when.
        exam: whose pages.
        wanted: one decision for each page, at most `MOST_AT_ONCE`.

    Returns:
        The pages as they now are, in the order of `wanted`.

    Raises:
        StalePages: some of the pages changed since.
        Refused: the exam has no such page or student, or is 確定 or 返却.
    """
    rows = _hold_pages(session, exam, [one.page_id for one in wanted])
    late = [stored_page(*rows[one.page_id]) for one in wanted if rows[one.page_id][0].version != one.version]
    if late:
        raise StalePages(late)
    _check_students(session, deed, exam, wanted)
    numbers = _last_numbers(session, rows)
    for one in wanted:
        row, _ = rows[one.page_id]
        detail = one.decision.detail | _apply(session, row, one.decision)
        row.version += 1
        session.add(
            PageDecisionRow(
                school_id=row.school_id,
                school_year=row.school_year,
                exam_id=exam.id,
                page_id=row.id,
                number=numbers.get(row.id, 0) + 1,
                what=one.decision.what,
                detail=detail,
                made_at=deed.at,
                made_by=deed.by,
            )
        )
        record(session, deed, "page.decided", row.id, {"what": one.decision.what, "version": row.version})
    session.flush()
    want_sorting(session, deed, exam)
    hold_editable(session, deed, exam)
    told = [{"page": one.page_id, "what": one.decision.what} for one in wanted]
    note_change(session, deed, exam.id, "page.decided", {"pages": told})
    return [stored_page(*rows[one.page_id]) for one in wanted]


def list_decisions(session: Session, exam: StoredExam, page_id: str) -> Sequence[KeptDecision]:
    """What was decided about a page, the first decision first."""
    rows = session.scalars(
        select(PageDecisionRow)
        .where(PageDecisionRow.exam_id == exam.id, PageDecisionRow.page_id == page_id)
        .order_by(PageDecisionRow.number)
    )
    return [KeptDecision(row.number, row.what, row.detail, row.made_at, row.made_by) for row in rows]


def _hold_pages(session: Session, exam: StoredExam, ids: Sequence[str]) -> dict[str, tuple[ScanPageRow, str]]:
    """The rows of pages with the names of their files; nobody else changes them until this write ends."""
    found = session.execute(
        select(ScanPageRow, ScanFileRow.name)
        .join(ScanFileRow, ScanFileRow.id == ScanPageRow.file_id)
        .where(ScanPageRow.exam_id == exam.id, ScanPageRow.id.in_(ids))
        .order_by(
            ScanPageRow.id
        )  # always in one order, so that two who hold several never wait for each other
        .with_for_update(of=ScanPageRow)
    )
    rows = {row.id: (row, name) for row, name in found}
    if rows.keys() != set(ids):
        raise Refused(Refusal.NOT_FOUND, "このページは見つかりません。ページの一覧を開き直してください。")
    return rows


def _check_students(session: Session, deed: Deed, exam: StoredExam, wanted: Sequence[WantedDecision]) -> None:
    """Make sure that the students who are named are in the roster of the exam's school year, or were."""
    named = {one.decision.student for one in wanted if isinstance(one.decision, SayOwner)} - {None}
    known = session.scalars(
        select(StudentRow.id).where(
            StudentRow.school_id == deed.school_id,
            StudentRow.school_year == exam.school_year,
            StudentRow.id.in_(named),
        )
    )
    if named - set(known):
        raise Refused(
            Refusal.NOT_FOUND, "この生徒は、試験の年度の名簿にいません。名簿を開き直して選んでください。"
        )


def _last_numbers(session: Session, rows: Mapping[str, tuple[ScanPageRow, str]]) -> dict[str, int]:
    last = (
        select(PageDecisionRow.page_id, func.max(PageDecisionRow.number))
        .where(PageDecisionRow.page_id.in_(rows))
        .group_by(PageDecisionRow.page_id)
    )
    return dict(session.execute(last).all())


def _apply(session: Session, row: ScanPageRow, decision: PageDecision) -> dict[str, Any]:
    """Let a decision be in force; returns what is to be kept beside it."""
    if isinstance(decision, DropPage | UndropPage) and (row.status == DROPPED) is isinstance(
        decision, DropPage
    ):
        raise Refused(
            Refusal.WRONG_STATE,
            "このページは、もうそうなっています（除く、または戻す）。ページの一覧を開き直してください。",
        )
    match decision:
        case SayOwner(student=student):
            row.student_id = student if row.status != DROPPED else None
            outcome = Outcome.PROVEN if student is not None else Outcome.UNKNOWN
            row.owner = {"outcome": outcome, "student": student, "chance": None, "grounds": [Ground.PERSON]}
        case DropPage():
            before = {"status": row.status, "student_id": row.student_id}
            row.status, row.student_id = DROPPED, None
            return {"before": before}
        case UndropPage():
            row.status, row.student_id = _before_drop(session, row)
        case _:
            _read_again(row, changed_hints(row.hints, decision))
    return {}


def _before_drop(session: Session, row: ScanPageRow) -> tuple[str | None, str | None]:
    """Status and owner of a dropped page when it was dropped; sorting says what they are now."""
    before: dict[str, str | None] = session.scalars(
        select(PageDecisionRow.detail)
        .where(PageDecisionRow.page_id == row.id, PageDecisionRow.what == "drop")
        .order_by(PageDecisionRow.number.desc())
        .limit(1)
    ).one()["before"]
    status = before["status"]
    if status is None and row.reading_id is not None:  # it was read since
        document = session.get_one(PageReadingRow, row.reading_id).document
        status = from_document(document).status.value
    return status, before["student_id"]


def _read_again(row: ScanPageRow, hints: dict[str, Any] | None) -> None:
    if hints is None:
        return
    row.hints, row.state, row.attempts = hints, PageState.WAITING, 0
    # Who is at the page now knows less: what they read is not kept.
    row.lease_owner = row.lease_until = None
