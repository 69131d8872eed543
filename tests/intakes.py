"""The sample exam in a real database, its scan files waiting for workers; and what came of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select

from api.intake_worker import IntakeWorker, Step
from scoring.exam_file import read_exam
from scoring.roster import Roster, read_roster
from scoring.roster_changes import compare_rosters
from scoring.storage import exams, rosters
from scoring.storage.blobs import FolderBlobs
from scoring.storage.columns import new_id
from scoring.storage.intakes import want_sorting
from scoring.storage.scan_tables import (
    IntakeRow,
    ScanFileRow,
    ScanPageRow,
)
from tests.stored_things import add_school

if TYPE_CHECKING:
    from scoring.exam import Exam
    from scoring.storage.database import Database
    from scoring.storage.events import Deed
    from scoring.storage.exams import StoredExam

SAMPLE = Path(__file__).parent.parent / "sample_scans"
SCANS = SAMPLE / "scans"


@dataclass(frozen=True)
class Intake:
    """An exam of a school, ready to take scans in."""

    database: Database
    blobs: FolderBlobs
    deed: Deed
    exam: StoredExam

    def add(self, *scans: Path | bytes) -> list[str]:
        """Take files in as the server does; returns their ids."""
        ids = []
        for number, scan in enumerate(scans):
            content = scan if isinstance(scan, bytes) else scan.read_bytes()
            blob = self.blobs.put(content)
            with self.database.write() as session:
                row = ScanFileRow(
                    id=new_id(),
                    school_id=self.deed.school_id,
                    school_year=self.exam.school_year,
                    exam_id=self.exam.id,
                    name=scan.name if isinstance(scan, Path) else f"{number}.pdf",
                    blob=blob,
                    size=len(content),
                    state="received",
                    received_at=self.deed.at,
                    received_by=self.deed.account_id,
                    attempts=0,
                )
                session.add(row)
                session.flush()
                want_sorting(session, self.deed, self.exam)
            ids.append(row.id)
        return ids

    def worker(self, name: str = "a.1", **more: object) -> IntakeWorker:
        """A worker in this process."""
        return IntakeWorker(self.database, self.blobs, name, **more)  # type: ignore[arg-type]

    def work_off(self, name: str = "a.1") -> int:
        """Let one worker do all there is; returns the number of steps."""
        steps = 0
        with self.worker(name) as worker:
            while (step := worker.step()) is not Step.NOTHING:
                assert step is Step.DONE
                steps += 1
        return steps

    def pages(self) -> list[ScanPageRow]:
        """The rows of its pages, in the order in which they came."""
        with self.database.read() as session:
            order = (ScanPageRow.file_id, ScanPageRow.number, ScanPageRow.part)
            found = session.scalars(
                select(ScanPageRow).where(ScanPageRow.exam_id == self.exam.id).order_by(*order)
            )
            return list(found)

    def is_done(self) -> bool:
        """Whether nothing is left to do."""
        with self.database.read() as session:
            intake = session.scalars(select(IntakeRow).where(IntakeRow.exam_id == self.exam.id)).one()
            received = session.scalars(select(ScanFileRow.id).where(ScanFileRow.state == "received")).all()
        return (
            intake.done == intake.wanted and not received and all(one.state == "read" for one in self.pages())
        )


def open_intake(
    database: Database, folder: Path, exam: Exam | None = None, roster: Roster | None = None
) -> Intake:
    """The sample exam, or another, with its roster, in a school of its own."""
    deed = add_school(database)
    with database.write() as session:
        stored = exams.add_exam(session, deed, exam or read_exam(SAMPLE / "exam.toml"))
        new = roster or read_roster(SAMPLE / "roster.csv")
        changes = compare_rosters(Roster(()), new)
        rosters.apply_roster(session, deed, stored.school_year, new, version=0, confirmed=changes.digest)
    return Intake(database, FolderBlobs(folder / "blobs"), deed, stored)
