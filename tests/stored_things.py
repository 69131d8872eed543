"""Small exams, rosters and accounts in a real database, for the tests of the server."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from scoring.exam_file import parse_exam
from scoring.roster import Roster, parse_roster
from scoring.storage.columns import utc_now
from scoring.storage.events import Deed
from scoring.storage.tables import AccountRow, SchoolRow

if TYPE_CHECKING:
    from scoring.exam import Exam
    from scoring.storage.database import Database

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
