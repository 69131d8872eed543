"""Small exams, rosters and accounts in a real database, for the tests of the server."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from scoring.exam_file import parse_exam
from scoring.roster import Roster, parse_roster
from scoring.storage.columns import utc_now
from scoring.storage.events import Deed
from scoring.storage.exams import find_exam
from scoring.storage.tables import AccountRow, ExamRow, ExamStateRow, SchoolRow

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from scoring.exam import Exam
    from scoring.exam_state import ExamState
    from scoring.storage.database import Database
    from scoring.storage.exams import StoredExam

ROSTER = """student_id,grade,class,number,name,kana
s-1,2,1,1,見本 一郎,みほん いちろう
s-2,2,1,2,例題 花子,れいだい はなこ
s-3,2,2,1,試験 三郎,しけん さぶろう
"""
AT = datetime.datetime(2026, 11, 27, 3, 0, tzinfo=datetime.UTC)


def exam_toml(code: str = "2026-SCIENCE", points: str = "2.25", title: str = "見本テスト 理科") -> str:
    """EXAM.toml of an exam with one question."""
    return f"""[exam]
id = "{code}"
title = "{title}"
subject = "理科"
date = 2026-11-27

[[question]]
id = "1-1"
kind = "choice"
choices = ["ア", "イ"]
answer = ["イ"]
points = {points}
"""


def make_exam(code: str = "2026-SCIENCE", points: str = "2.25") -> Exam:
    """That exam."""
    return parse_exam(exam_toml(code, points).encode(), "exam.toml")


def make_roster(text: str = ROSTER) -> Roster:
    """A roster of these lines."""
    return parse_roster(text.encode(), "roster.csv")


def add_school(database: Database, login: str = "tanaka") -> Deed:
    """A school with one administrator, who does things now."""
    at = utc_now()
    with database.write() as session:
        school = SchoolRow(name="見本中学校", created_at=at)
        session.add(school)
        session.flush()
        account = AccountRow(
            school_id=school.id,
            school_year=2026,
            login=login,
            role="administrator",
            password_hash=None,
            disabled_at=None,
            created_at=at,
            version=1,
        )
        session.add(account)
        session.flush()
        return Deed(school.id, account.id, at)


def bring_into(session: Session, deed: Deed, stored: StoredExam, state: ExamState) -> StoredExam:
    """An exam in a state, whatever is left to do in it: the rules of coming into it have tests of their own."""
    row = session.get_one(ExamRow, stored.id)
    session.add(
        ExamStateRow(
            school_id=row.school_id,
            school_year=row.school_year,
            exam_id=row.id,
            number=stored.state_number + 1,
            state=state,
            reason=None,
            made_at=deed.at,
            made_by=deed.by,
        )
    )
    session.flush()
    return find_exam(session, deed.school_id, stored.id)
