"""Sample scans through a worker: the same as `saiten read` says of them, whatever stands in the way."""

from __future__ import annotations

import csv
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select, update

from api.command_line import run
from api.intake_worker import Step
from scoring.storage.database import Database, open_database
from scoring.storage.scan_tables import (
    AnswerReadingRow,
    PageDecisionRow,
    PageReadingRow,
    ScanFileRow,
    ScanPageRow,
)
from scoring.storage.tables import StudentRow
from scoring.storage.work import reread
from tests.intakes import SAMPLE, SCANS, Intake, open_intake

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILES = ("scan_0002.tif", "scan_0005.jpg", "scan_0006.jpg", "scan_0007.jpg", "scan_0008.jpg", "scan_0009.jpg")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(open_database(f"sqlite:///{tmp_path / 'saiten.sqlite3'}")) as opened:
        yield opened


@pytest.fixture
def intake(database: Database, tmp_path: Path) -> Intake:
    return open_intake(database, tmp_path)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def students(intake: Intake) -> dict[str | None, str]:
    with intake.database.read() as session:
        found = session.execute(select(StudentRow.id, StudentRow.student_id)).all()
    names: dict[str | None, str] = {None: ""}
    names.update((row_id, student) for row_id, student in found)
    return names


def settled(kind: str, reading: str, status: str) -> tuple[str, str, str]:
    """What must be the same; a best guess that is doubtful may depend on what was read together with it."""
    is_guess = kind != "choice" and status == "doubtful"
    return kind, "" if is_guess else reading, status


def test_everything_is_read_and_sorted_as_the_command_does(intake: Intake, tmp_path: Path) -> None:
    out = tmp_path / "out"
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.7 broken")
    files = [*(SCANS / name for name in FILES), SCANS / FILES[1], broken]
    scans = [str(path) for path in dict.fromkeys(files)]
    arguments = ["--roster", str(SAMPLE / "roster.csv"), "-o", str(out), "--workers", "1"]
    assert run(["read", str(SAMPLE / "exam.toml"), *scans, *arguments]) == 0
    intake.add(*dict.fromkeys(files))
    intake.work_off()
    assert intake.is_done()

    names = students(intake)
    pages = intake.pages()
    with intake.database.read() as session:
        sources = dict(session.execute(select(ScanFileRow.id, ScanFileRow.name)).all())
        refused = session.scalars(select(ScanFileRow.reason).where(ScanFileRow.state == "refused")).all()
        answers = session.execute(
            select(AnswerReadingRow, ScanPageRow)
            .join(ScanPageRow, ScanPageRow.reading_id == AnswerReadingRow.reading_id)
            .where(ScanPageRow.status == "read")
        ).all()
    expected = table(out / "pages.csv")
    assert sorted(
        (sources[one.file_id], str(one.number), one.sheet, one.status, one.reason) for one in pages
    ) == sorted(
        (one["source"], one["page"], one["sheet"], one["status"], one["reason"])
        for one in expected
        if one["page"] != "0"
    )
    assert list(refused) == [one["reason"] for one in expected if one["page"] == "0"]
    said = {
        (one["sheet"], one["question"]): (
            one["student"],
            one["page"],
            settled(one["kind"], one["reading"], one["status"]),
        )
        for one in table(out / "answers.csv")
    }
    assert said == {
        (page.sheet, one.question): (
            names[page.student_id],
            str(page.sheet_page),
            settled(one.kind, one.reading, one.status),
        )
        for one, page in answers
    }
    assert all(one.atlas and one.picture for one, _ in answers)
    assert {one.atlas for one, _ in answers if one.atlas} <= set(intake.blobs.digests())


def test_a_second_reading_is_only_added_and_sorting_again_changes_nothing(intake: Intake) -> None:
    intake.add(SCANS / "scan_0005.jpg", SCANS / "scan_0006.jpg")
    intake.work_off()
    before = {page.id: (page.status, page.student_id, page.sheet, page.owner) for page in intake.pages()}
    with intake.database.write() as session:
        assert reread(session, intake.deed, intake.exam) == 2
    intake.work_off("b.1")
    assert {
        page.id: (page.status, page.student_id, page.sheet, page.owner) for page in intake.pages()
    } == before
    with intake.database.read() as session:
        assert sorted(session.scalars(select(PageReadingRow.number))) == [1, 1, 2, 2]
        current = (
            select(func.count())
            .select_from(ScanPageRow)
            .join(
                PageReadingRow, (PageReadingRow.id == ScanPageRow.reading_id) & (PageReadingRow.number == 2)
            )
        )
        assert session.scalars(current).one() == 2
        assert session.scalars(select(func.count()).select_from(PageDecisionRow)).one() == 2


def test_what_a_person_said_holds_and_who_left_keeps_their_pages(intake: Intake) -> None:
    intake.add(SCANS / "scan_0005.jpg", SCANS / "scan_0006.jpg")
    intake.work_off()
    first, second = intake.pages()
    with intake.database.write() as session:
        taken = {first.student_id, second.student_id}
        other = session.scalars(select(StudentRow.id).where(StudentRow.id.not_in(taken)).limit(1)).one()
        session.add(
            PageDecisionRow(
                school_id=intake.deed.school_id,
                school_year=first.school_year,
                exam_id=first.exam_id,
                page_id=first.id,
                number=2,
                what="owner",
                detail={"student": other},
                made_at=intake.deed.at,
                made_by=intake.deed.account_id,
            )
        )
        leaving = update(StudentRow).where(StudentRow.id.in_([other, second.student_id]))
        session.execute(leaving.values(left_at=intake.deed.at))
        reread(session, intake.deed, intake.exam)
    intake.work_off("b.1")
    assert [page.student_id for page in intake.pages()] == [other, second.student_id]


def test_a_lost_blob_stops_no_other_file_and_is_read_when_it_is_there_again(intake: Intake) -> None:
    lost, _ = intake.add(SCANS / "scan_0005.jpg", SCANS / "scan_0006.jpg")
    with intake.database.read() as session:
        blob = session.scalars(select(ScanFileRow.blob).where(ScanFileRow.id == lost)).one()
    path = intake.blobs.folder / blob[:2] / blob[2:4] / blob
    path.rename(path.with_suffix(".away"))
    with intake.worker() as worker:
        steps = [worker.step() for _ in range(4)]
    assert steps[:3] == [Step.PUT_OFF, Step.DONE, Step.DONE]
    assert [page.state for page in intake.pages()] == ["read"]
    path.with_suffix(".away").rename(path)
    with intake.database.write() as session:
        session.execute(update(ScanFileRow).values(lease_owner=None, lease_until=None))
    intake.work_off("b.1")
    assert [page.status for page in intake.pages()] == ["read", "read"]
