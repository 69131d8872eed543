"""A school with a finished sample exam: its teacher, its roster, its exam and the scans, waiting to be read."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from api.incoming_files import put_scan
from api.instance import Instance
from omr.errors import InputError
from scoring.exam_file import read_exam
from scoring.exam_state import ExamState
from scoring.roster import Roster, read_roster
from scoring.roster_changes import compare_rosters
from scoring.storage import accounts
from scoring.storage.accounts import Role
from scoring.storage.columns import utc_now
from scoring.storage.exams import add_exam, change_state, find_exam_of_code
from scoring.storage.object_blobs import open_blobs
from scoring.storage.rosters import apply_roster
from scoring.storage.scans import add_file

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from scoring.storage.database import Database
    from scoring.storage.events import Deed
    from scoring.storage.exams import StoredExam

SCHOOL = "見本中学校"
TEACHER = "見本の先生"
_SAMPLE = Path(str(files("sample_scans")))
EXAM, ROSTER, SCANS = _SAMPLE / "exam.toml", _SAMPLE / "roster.csv", _SAMPLE / "scans"


@dataclass(frozen=True, slots=True)
class SampleSchool:
    """The sample's school in a database.

    Attributes:
        instance: of it.
        teacher: id of the account of its teacher, who has no password.
        exam: the sample exam.
        is_new: whether it was made just now.
    """

    instance: Instance
    teacher: str
    exam: StoredExam
    is_new: bool


def open_sample_school(database: Database, folder: Path) -> SampleSchool:
    """The sample's school; made, whole or not at all, in a database that serves no school yet.

    Args:
        database: open.
        folder: for its files.

    Raises:
        InputError: the database serves another school.
    """
    blobs = open_blobs(None, folder / "blobs")
    with database.write() as session:
        is_new = not accounts.has_school(session)
        instance = Instance(database, blobs, accounts.the_school(session, utc_now()), folder)
        if is_new:
            return _make(session, instance)
        return _find(session, instance)


def _make(session: Session, instance: Instance) -> SampleSchool:
    accounts.name_school(session, instance.school_id, SCHOOL)
    deed = instance.deed(accounts.add_account(session, instance.deed(), TEACHER, Role.TEACHER).id)
    exam = add_exam(session, deed, read_exam(EXAM))
    _add_roster(session, deed, exam)
    exam = change_state(session, deed, exam, ExamState.GRADING, None)
    for scan in sorted(SCANS.iterdir()):
        add_file(session, deed, exam, scan.name, put_scan(instance, scan), scan.stat().st_size)
    return SampleSchool(instance, deed.by, exam, is_new=True)


def _add_roster(session: Session, deed: Deed, exam: StoredExam) -> None:
    roster = read_roster(ROSTER)
    changes = compare_rosters(Roster(()), roster)
    apply_roster(session, deed, exam.school_year, roster, version=0, confirmed=changes.digest)


def _find(session: Session, instance: Instance) -> SampleSchool:
    known = accounts.list_accounts(session, instance.school_id, None, 2)
    exam = find_exam_of_code(session, instance.school_id, read_exam(EXAM).id)
    # Nobody may come into a school without a password where anybody else has an account.
    if [one.login for one in known] != [TEACHER] or known[0].is_set_up or exam is None:
        raise InputError(
            f"{instance.data} には、見本ではない学校のデータがあります。--data に別のフォルダーを指定してください。"
        )
    return SampleSchool(instance, known[0].id, exam, is_new=False)
