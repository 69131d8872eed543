"""What workers did, kept: pages counted, files refused, pages read; nothing of it where the lease was lost."""

from __future__ import annotations

import datetime  # noqa: TC003  (part of public signatures)
import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, case, func, insert, or_, select, update

from omr.reading import ChoiceScores, PageStatus
from scoring.page_document import to_document
from scoring.storage.changes import note_change
from scoring.storage.columns import new_id
from scoring.storage.events import Deed
from scoring.storage.exams import find_exam
from scoring.storage.intakes import want_sorting
from scoring.storage.scan_states import DROPPED, FileState, PageState
from scoring.storage.scan_tables import AnswerReadingRow, PageReadingRow, ScanFileRow, ScanPageRow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

    from omr.errors import PageSetAside
    from omr.reading import AnswerReading
    from scoring.exam_reader import PageBatch, ReadPart, StoredAnswer
    from scoring.storage.work import CountPages, ReadPages

_STAYING = (DROPPED, PageStatus.DUPLICATE.value)
"""What a page that is read again stays until the pages are sorted: nobody is to count twice in between."""


def keep_page_count(session: Session, now: datetime.datetime, claim: CountPages, count: int) -> bool:
    """Keep how many pages a file has, each to be read; False where the lease was lost and nothing is kept.

    Args:
        session: of `Database.write`.
        now: the time.
        claim: what was done.
        count: at least 1.
    """
    row = _held_file(session, claim)
    if row is None:
        return False
    row.state, row.page_count = FileState.COUNTED, count
    _free(row)
    session.execute(
        insert(ScanPageRow),
        [
            {
                "id": new_id(),
                "school_id": row.school_id,
                "school_year": row.school_year,
                "exam_id": row.exam_id,
                "file_id": row.id,
                "number": number,
                "part": 0,
                "state": PageState.WAITING,
                "attempts": 0,
            }
            for number in range(1, count + 1)
        ],
    )
    deed = Deed(claim.school_id, None, now)
    note_change(session, deed, claim.exam_id, "file.counted", {"file": row.id, "pages": count})
    return True


def keep_refused_file(
    session: Session, now: datetime.datetime, claim: CountPages, aside: PageSetAside
) -> bool:
    """Keep why a file can't be opened; False where the lease was lost and nothing is kept.

    Args:
        session: of `Database.write`.
        now: the time.
        claim: what was done.
        aside: why.
    """
    row = _held_file(session, claim)
    if row is None:
        return False
    row.state, row.reason, row.trouble = FileState.REFUSED, aside.reason, aside.trouble
    _free(row)
    deed = Deed(claim.school_id, None, now)
    want_sorting(session, deed, find_exam(session, claim.school_id, claim.exam_id))
    note_change(session, deed, claim.exam_id, "file.refused", {"file": row.id, "trouble": aside.trouble})
    return True


def keep_batch(
    session: Session,
    now: datetime.datetime,
    claim: ReadPages,
    batch: PageBatch,
    *,
    exam_version: int,
    layout_number: int,
) -> int:
    """Keep what was read of pages; returns how many, without those whose lease was lost.

    Args:
        session: of `Database.write`.
        now: the time.
        claim: what was done.
        batch: what was read; its atlases are kept already.
        exam_version: of the exam by which it was read.
        layout_number: of the layout by which it was read.
    """
    held = _held_pages(session, claim)
    if not held:
        return 0
    exam = find_exam(session, claim.school_id, claim.exam_id)
    common = {"school_id": claim.school_id, "school_year": exam.school_year, "exam_id": exam.id}
    placed = _place_parts(session, claim, common, held, batch)
    numbers = _last_numbers(session, [page_id for page_id, _, _ in placed])
    pages: list[dict[str, Any]] = []
    readings: list[dict[str, Any]] = []
    answers: list[dict[str, Any]] = []
    for page_id, part, read in placed:
        reading_id = new_id()
        readings.append(
            common
            | {
                "id": reading_id,
                "page_id": page_id,
                "number": numbers.get(page_id, 0) + 1,
                "exam_version": exam_version,
                "layout_number": layout_number,
                "reader": _reader(read),
                "document": to_document(read.reading),
                "made_at": now,
            }
        )
        answers += [common | _answer_values(one, page_id, reading_id) for one in read.answers]
        pages.append(_page_values(read, page_id, part, reading_id))
    session.execute(insert(PageReadingRow), readings)
    if answers:
        session.execute(insert(AnswerReadingRow), answers)
    _update_pages(session, pages)
    deed = Deed(claim.school_id, None, now)
    want_sorting(session, deed, exam)
    note_change(session, deed, exam.id, "pages.read", {"file": claim.file_id, "pages": len(held)})
    return len(held)


def measures_text(answer: AnswerReading) -> str:
    """The raw measures of an answer as they are kept: all that a choice's verdict follows from, or plain numbers."""
    if answer.scores is not None:
        return answer.scores.text()
    return " ".join(f"{value:.10g}" for value in answer.measures)


def parse_measures(text: str) -> tuple[float, ...]:
    """The measures that `measures_text` wrote."""
    if "/" in text:
        return tuple(bubble.fill for bubble in ChoiceScores.parse(text).bubbles)
    return tuple(float(value) for value in text.split())


def _held_file(session: Session, claim: CountPages) -> ScanFileRow | None:
    """The file's row, if its lease is still the claim's; nobody else changes it until this write ends."""
    return session.scalar(
        select(ScanFileRow)
        .where(
            ScanFileRow.id == claim.file_id,
            ScanFileRow.state == FileState.RECEIVED,
            ScanFileRow.lease_owner == claim.worker,
        )
        .with_for_update()
    )


def _free(row: ScanFileRow) -> None:
    row.lease_owner, row.lease_until, row.attempts = None, None, 0


def _held_pages(session: Session, claim: ReadPages) -> dict[str, int]:
    """The pages whose lease is still the claim's, with their parts."""
    rows = session.execute(
        select(ScanPageRow.id, ScanPageRow.part)
        .where(
            ScanPageRow.id.in_([page.id for page in claim.pages]),
            ScanPageRow.state == PageState.WAITING,
            ScanPageRow.lease_owner == claim.worker,
        )
        .order_by(
            ScanPageRow.id
        )  # always in one order, so that two who hold several never wait for each other
        .with_for_update()
    )
    return {row.id: row.part for row in rows}


def _place_parts(
    session: Session, claim: ReadPages, common: Mapping[str, Any], held: Mapping[str, int], batch: PageBatch
) -> list[tuple[str, int, ReadPart]]:
    """Each reading with the row and part that it is of; the second sheet of an image gets a row of its own."""
    numbers = {page.id: page.number for page in claim.pages}
    placed: list[tuple[str, int, ReadPart]] = []
    made: list[dict[str, Any]] = []
    for read in batch.parts:
        if read.page_id not in held:
            continue
        part = held[read.page_id]
        if part == 0 and read.part == 2:
            second = new_id()
            place = {"file_id": claim.file_id, "number": numbers[read.page_id], "part": 2}
            made.append({**common, **place, "id": second, "state": PageState.WAITING, "attempts": 0})
            placed.append((second, 2, read))
        elif part == 0 or read.part in {0, part}:
            placed.append((read.page_id, part or read.part, read))
    if made:
        session.execute(insert(ScanPageRow), made)
    return placed


def _last_numbers(session: Session, pages: Sequence[str]) -> dict[str, int]:
    """The number of the last reading of each page that has one."""
    last = (
        select(PageReadingRow.page_id, func.max(PageReadingRow.number))
        .where(PageReadingRow.page_id.in_(pages))
        .group_by(PageReadingRow.page_id)
    )
    return dict(session.execute(last).all())


def _reader(read: ReadPart) -> str:
    """All that read something on the page, by name and version."""
    return " ".join(dict.fromkeys(one.reading.reader for one in read.answers))


def _answer_values(answer: StoredAnswer, page_id: str, reading_id: str) -> dict[str, Any]:
    reading, picture = answer.reading, answer.picture
    return {
        "id": new_id(),
        "page_id": page_id,
        "reading_id": reading_id,
        "question": reading.question,
        "kind": reading.kind.value,
        "status": reading.status.value,
        "reading": reading.reading,
        "confidence": reading.confidence,
        "is_answer": answer.is_answer,
        "measures": measures_text(reading),
        "reader": reading.reader,
        "alternatives": json.dumps(
            [[one.text, one.chance] for one in answer.alternatives], ensure_ascii=False
        ),
        "embedding": answer.embedding,
        "picture": "" if picture is None else picture.picture,
        "atlas": None if picture is None else picture.atlas,
        "x": 0 if picture is None else picture.x,
        "y": 0 if picture is None else picture.y,
        "w": 0 if picture is None else picture.w,
        "h": 0 if picture is None else picture.h,
    }


def _page_values(read: ReadPart, page_id: str, part: int, reading_id: str) -> dict[str, Any]:
    reading = read.reading
    return {
        "page": page_id,
        "its_part": part,
        "its_reading": reading_id,
        "its_status": reading.status.value,
        "its_reason": reading.reason,
        "its_trouble": reading.trouble,
        "its_sheet_page": reading.sheet_page,
    }


def _update_pages(session: Session, pages: Sequence[Mapping[str, Any]]) -> None:
    """Let readings count, as they are until the pages are sorted."""
    stays = [ScanPageRow.status == status for status in _STAYING]
    change = (
        update(ScanPageRow.__table__)  # type: ignore[arg-type]
        .where(ScanPageRow.id == bindparam("page"))
        .values(
            state=PageState.READ,
            part=bindparam("its_part"),
            reading_id=bindparam("its_reading"),
            status=case((or_(*stays), ScanPageRow.status), else_=bindparam("its_status")),
            reason=bindparam("its_reason"),
            trouble=bindparam("its_trouble"),
            sheet_page=bindparam("its_sheet_page"),
            lease_owner=None,
            lease_until=None,
            attempts=0,
            version=ScanPageRow.version + 1,
        )
    )
    session.connection().execute(change, list(pages))
