"""What a server does by itself every night, its copies over HTTP, and accounts from the terminal."""

from __future__ import annotations

import datetime
import os
import re
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from api.backing_up import NIGHTLY_AT, is_due
from api.command_line import run
from api.daily_work import Nightly, do_daily_work
from scoring.storage.backup_file import open_backup_file
from scoring.storage.clean_up import clean_up
from scoring.storage.database import Database, database_in, open_database
from scoring.storage.tables import AnsweredRequestRow, EventRow, FailedSignInRow, SessionRow, SetupLinkRow
from tests.school_server import PASSWORD, School, assert_problem, open_school
from tests.stored_things import AT, add_school

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

JAPAN = datetime.timezone(datetime.timedelta(hours=9))
TIMES = st.integers(0, 365 * 24 * 60).map(
    lambda minutes: datetime.datetime(2026, 4, 1, tzinfo=JAPAN) + datetime.timedelta(minutes=minutes)
)


@pytest.fixture
def school(tmp_path: Path) -> Iterator[School]:
    with closing(open_database(database_in(tmp_path))) as database:
        yield open_school(database, tmp_path)


@given(now=TIMES, last=st.none() | TIMES)
def test_one_copy_a_night(now: datetime.datetime, last: datetime.datetime | None) -> None:
    nights = 0 if last is None else _nights(now) - _nights(last)
    assert is_due(now, last) == (last is None or last > now or nights > 0)
    assert not is_due(now, now)
    assert is_due(now + datetime.timedelta(days=1), now)


def _nights(at: datetime.datetime) -> int:
    """How many times the hour of the copy has come by then."""
    return (at.replace(tzinfo=None) - datetime.datetime.combine(datetime.date(2026, 1, 1), NIGHTLY_AT)).days


def test_every_night_a_copy_and_the_last_ones_are_kept(school: School, tmp_path: Path) -> None:
    backups = school.instance.backups
    assert backups is not None
    backups.kept = 3
    tried, made_at = None, school.clock()
    for _ in range(5):
        made_at = school.clock()
        assert do_daily_work(school.instance, Nightly.MADE, tried)
        newest = backups.copies()[0].name
        os.utime(tmp_path / "backups" / newest, (made_at.timestamp(), made_at.timestamp()))
        tried = made_at
        assert not do_daily_work(school.instance, Nightly.MADE, tried)
        school.clock.pass_by(days=1)
    copies = backups.copies()
    assert len(copies) == 3
    assert copies[0].made_at == made_at
    with open_backup_file(tmp_path / "backups" / copies[0].name) as (_, manifest):
        assert {one.name: one.rows for one in manifest.tables}["schools"] == 1
    # A server that is started again makes no second copy of the same night.
    school.clock.pass_by(days=-1, minutes=10)
    assert do_daily_work(school.instance, Nightly.MADE, None)
    assert backups.copies() == copies
    assert do_daily_work(school.instance, Nightly.NOT_MADE, None)
    if os.name == "posix":
        assert (tmp_path / "backups" / copies[0].name).stat().st_mode & 0o077 == 0


def test_copies_over_http(school: School) -> None:
    administrator = school.administrator()
    assert administrator.get("/api/backups").json() == {
        "backups": [], "running": False, "failure": None, "damaged": 0, "next": None,
    }  # fmt: skip
    assert administrator.send("POST", "/api/backups").status_code == 202
    _wait(school)
    page = administrator.get("/api/backups").json()
    assert [one["size"] > 1000 for one in page["backups"]] == [True]
    assert re.fullmatch(r"saiten-20261127-\d{6}\.zip", page["backups"][0]["name"])
    teacher = school.teacher(administrator)
    assert_problem(teacher.get("/api/backups"), 403, "not_allowed")
    assert_problem(teacher.send("POST", "/api/backups"), 403, "not_allowed")
    with school.instance.database.read() as session:
        assert session.scalar(select(func.count()).where(EventRow.what == "backup.made")) == 1


def _wait(school: School) -> None:
    """Until the copy that is being made is there."""
    backups = school.instance.backups
    assert backups is not None
    with backups._making:  # noqa: SLF001
        pass


def test_a_copy_that_fails_is_told_and_the_earlier_ones_stay(school: School, tmp_path: Path) -> None:
    administrator = school.administrator()
    backups = school.instance.backups
    assert backups is not None
    backups.make(school.instance.deed())
    folder = backups.folder
    (tmp_path / "file").write_text("")
    backups.folder = tmp_path / "file"  # no folder can be made here
    administrator.send("POST", "/api/backups")
    _wait(school)
    backups.folder = folder
    page = administrator.get("/api/backups").json()
    assert page["failure"]["reason"].endswith("。")
    assert len(page["backups"]) == 1
    school.clock.pass_by(seconds=1)
    backups.make(school.instance.deed())
    page = administrator.get("/api/backups?limit=1").json()
    assert page["failure"] is None
    assert page["next"] == page["backups"][0]["name"]
    second = administrator.get(f"/api/backups?limit=1&after={page['next']}").json()
    assert (len(second["backups"]), second["next"]) == (1, None)


def test_what_nobody_needs_any_more_is_removed(database: Database) -> None:
    deed = add_school(database)
    days = datetime.timedelta(days=1)
    with database.write() as session:
        shared = {"school_id": deed.school_id, "school_year": 2026}
        for age in (0 * days, 6 * days, 8 * days, 29 * days, 31 * days):
            at = AT - age
            session.add(
                AnsweredRequestRow(
                    **shared,
                    account_id=deed.by,
                    key=f"{age}",
                    fingerprint="",
                    status=201,
                    body={},
                    answered_at=at,
                )
            )
            used = {"created_at": at, "token_hash": f"{age}", "account_id": deed.by}
            session.add(SessionRow(**shared, **used, last_used_at=at, ended_at=None))
            session.add(SetupLinkRow(**shared, **used, expires_at=at + 3 * days, used_at=None))
            session.add(FailedSignInRow(**shared, login_digest="", address_digest="", tried_at=at))
        session.add(
            SetupLinkRow(
                **shared, account_id=None, token_hash="used", created_at=AT, expires_at=AT + days, used_at=AT
            )
        )
    removed = clean_up(database, deed.school_id, AT)
    with database.read() as session:
        counts = [
            session.scalar(select(func.count()).select_from(row)) or 0
            for row in (AnsweredRequestRow, SessionRow, SetupLinkRow, FailedSignInRow)
        ]
    assert counts == [2, 4, 1, 1]
    assert removed == 21 - sum(counts)
    assert clean_up(database, deed.school_id, AT) == 0
    assert clean_up(database, "another school", AT + 100 * days) == 0


def test_more_rows_than_are_removed_at_once(database: Database) -> None:
    deed = add_school(database)
    with database.write() as session:
        session.add_all(
            FailedSignInRow(
                school_id=deed.school_id, school_year=2026, login_digest="", address_digest="", tried_at=AT
            )
            for _ in range(1201)
        )
    assert clean_up(database, deed.school_id, AT + datetime.timedelta(days=1)) == 1201


def test_who_forgot_the_password_gets_a_link_at_the_terminal(
    school: School, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    administrator = school.administrator()
    account = administrator.send("POST", "/api/accounts", json={"login": "suzuki"}).json()
    assert run(["account", "link", "ＴＡＮＡＫＡ", "--data", str(tmp_path)]) == 0
    token = capsys.readouterr().out.strip().partition("#")[2]
    school.clock.now = datetime.datetime.now(datetime.UTC)
    browser = school.browser()
    assert browser.set_up(token, "another long password").status_code == 201
    assert_problem(school.browser().set_up(token), 410, "used_link")
    assert_problem(school.browser().sign_in("tanaka", PASSWORD), 401, "wrong_password")
    assert run(["account", "list", "--data", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines() == ["tanaka\t管理者", "suzuki\t教員\tパスワード未設定"]
    headers = {"If-Match": f'"{account["version"]}"'}
    change = {"role": "teacher", "access": "closed"}
    assert (
        browser.send("PUT", f"/api/accounts/{account['id']}", json=change, headers=headers).status_code == 200
    )
    assert run(["account", "link", "suzuki", "--data", str(tmp_path)]) == 2
    assert "停止中" in capsys.readouterr().err
    assert run(["account", "link", "nobody", "--data", str(tmp_path)]) == 2
    assert "登録されていません" in capsys.readouterr().err
    assert run(["account", "list", "--data", str(tmp_path / "nothing")]) == 2
    assert "がありません" in capsys.readouterr().err
    assert not (tmp_path / "nothing").exists()
