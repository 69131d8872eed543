"""The page as a teacher sees it: a real server and a real browser."""

from __future__ import annotations

import re
from contextlib import closing
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import numpy as np
import pytest
from sqlalchemy import select, update

from api.demo_routes import demo_path, demo_routes
from api.page_pictures import gray_jpeg
from api.school_app import create_school_app
from omr.reading import ReadingStatus
from scoring.roster import Roster
from scoring.roster_changes import compare_rosters
from scoring.storage import rosters
from scoring.storage.attendance import Attendance, NewAttendance, add_attendances
from scoring.storage.database import database_in, open_database
from scoring.storage.scan_tables import ScanFileRow, ScanPageRow
from scoring.storage.tables import StudentRow
from tests.chromium import Chromium
from tests.graded_exams import Given, Written, add_graded_exam, add_judgement_rows
from tests.running_server import running_server
from tests.school_server import open_school
from tests.stored_things import add_school, make_roster
from tests.test_demo import demo, read_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy.orm import Session

    from scoring.exam import Question
    from scoring.storage.events import Deed
    from tests.graded_exams import GradedExam
    from tests.school_server import School

pytestmark = pytest.mark.system

TOKEN = "token-of-the-demo"
ROSTER = """student_id,grade,class,number,name,kana
s-1,2,1,1,見本 一郎,みほん いちろう
s-2,2,1,2,例題 花子,れいだい はなこ
s-3,2,1,10,試験 三郎,しけん さぶろう
s-4,2,1,11,欠番 四郎,けつばん しろう
s-5,2,1,12,公用 五郎,こうよう ごろう
"""
"""Of the first four there is a page; that of the fourth carries no name."""
VIEWS = {"totals": "tbody tr", "questions/q1": ".tile", "pages": ".pages"}
"""Each view's address in an exam, and what stands only in it."""


class Answers:
    """What the pupils wrote, in a picture that there is."""

    def __init__(self, atlas: str) -> None:
        self.atlas = atlas

    def __call__(self, student: int, question: Question) -> Written:
        """The first has something of everything, the second nothing, the third is not legible, the fourth all right."""
        if student == 1:
            return Written(ReadingStatus.BLANK, atlas=self.atlas)
        if student == 2 or question.id in {"q4", "q5", "q6"}:
            atlas = None if question.id == "q2" else self.atlas
            return Written(ReadingStatus.DOUBTFUL, "ア" if question.id == "q1" else "", 0.6, atlas=atlas)
        wrong = student == 0 and question.id == "q2"
        return Written(ReadingStatus.OK, "ア" if wrong else question.answer[0], atlas=self.atlas)


def _fill(school: School, deed: Deed) -> GradedExam:
    """An exam in which every state occurs, and another one to choose from."""
    here = school.instance
    tile = np.linspace(255, 0, 120, dtype=np.uint8)[np.newaxis, :].repeat(400, axis=0)
    atlas = here.blobs.put(gray_jpeg(tile))
    with here.database.write() as session:
        roster = make_roster(ROSTER)
        confirmed = compare_rosters(Roster(()), roster).digest
        rosters.apply_roster(session, deed, 2026, roster, version=0, confirmed=confirmed)
    add_graded_exam(here.database, deed, students=0, code="2026-OTHER")
    graded = add_graded_exam(here.database, deed, students=4, answer=Answers(atlas))
    with here.database.write() as session:
        _set_pages(session, graded)
        absent = session.scalars(select(StudentRow.id).where(StudentRow.student_id == "s-5")).one()
        add_attendances(session, deed, graded.exam, [NewAttendance(absent, Attendance.ABSENT, 0)])
    first = graded.page_ids[0]
    said = [Given(first, "q4", "partial", Decimal("1.5")), Given(first, "q5", "hold")]
    add_judgement_rows(here.database, graded, deed, said)
    return graded


def _set_pages(session: Session, graded: GradedExam) -> None:
    """A page without a name, and pages and a file of which nothing was read."""
    nobody: dict[str, Any] = {"outcome": "unknown", "student": None, "chance": None, "grounds": []}
    of_nobody = update(ScanPageRow).where(ScanPageRow.id == graded.page_ids[3])
    session.execute(of_nobody.values(student_id=None, owner=nobody))
    of_exam = {"school_id": graded.deed.school_id, "school_year": 2026, "exam_id": graded.exam.id}
    for number, (status, reason) in enumerate(
        [
            ("quarantined", "位置合わせマークが見つかりません。"),
            ("blank", ""),
            ("duplicate", "同じページです。"),
        ],
        5,
    ):
        in_file = {"file_id": graded.file_id, "number": number, "part": 0, "state": "read"}
        session.add(ScanPageRow(**of_exam, **in_file, status=status, reason=reason))
    session.add(
        ScanFileRow(
            **of_exam,
            name="broken.pdf",
            blob="0" * 64,
            size=9,
            state="refused",
            reason="ファイルが壊れていて開けません。",
            received_at=graded.deed.at,
            received_by=graded.deed.by,
        )
    )


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a served exam, to which a view's name is added; whoever opens it must be let in before."""
    folder = tmp_path_factory.mktemp("served")
    with closing(open_database(database_in(folder))) as database:
        deed = add_school(database)
        school = open_school(database, folder)
        graded = _fill(school, deed)
        app = create_school_app(school.instance, demo_routes(deed.by, TOKEN))
        with running_server(app) as server:
            yield f"{server}/#/{graded.exam.id}"


@pytest.fixture
def browser(address: str, tmp_path: Path) -> Iterator[Chromium]:
    with Chromium(tmp_path / "profile") as browser:
        browser.open(address.partition("/#")[0] + demo_path(TOKEN))
        browser.wait_until("document.querySelectorAll('.listing tbody tr').length === 2")
        yield browser


def _open(browser: Chromium, address: str, selector: str) -> None:
    """Go to a view; what was there before is gone."""
    browser.evaluate("document.querySelector('#view').replaceChildren()")
    browser.evaluate(f"location.hash = {urlsplit(address).fragment!r}")
    browser.wait_until(f"document.querySelector({selector!r}) !== null")


def _rows(browser: Chromium) -> list[str]:
    rows: list[str] = browser.evaluate(
        "[...document.querySelectorAll('tbody tr')].map((row) => row.innerText.replace(/\\s+/g, ' '))"
    )
    return rows


def _tiles(browser: Chromium) -> list[str]:
    tiles: list[str] = browser.evaluate(
        "[...document.querySelectorAll('.tile')].map((tile) => tile.innerText.replace(/\\s+/g, ' '))"
    )
    return tiles


def _drawn(browser: Chromium, count: int) -> None:
    """Exactly so many pictures of answers come, and each of them shows something."""
    browser.wait_until(f"document.querySelectorAll('.tile canvas[data-drawn]').length === {count}")
    contrasts = browser.evaluate(
        "[...document.querySelectorAll('.tile canvas')].map((canvas) => { const { width, height } = canvas;"
        " const pixels = canvas.getContext('2d').getImageData(0, 0, width, height).data;"
        " let low = 255, high = 0; for (let at = 0; at < pixels.length; at += 4) {"
        " low = Math.min(low, pixels[at]); high = Math.max(high, pixels[at]); } return high - low; })"
    )
    assert len(contrasts) == count
    assert min(contrasts) > 50


def test_an_exam_is_chosen_from_the_list(browser: Chromium, address: str) -> None:
    assert _rows(browser) == [
        "見本テスト 理科 2026/11/27 19.5点 採点中",
        "見本テスト 理科 2026/11/27 19.5点 採点中",
    ]
    assert browser.text("#who") == "見本中学校　tanaka"
    browser.evaluate("document.querySelector('tbody a').click()")
    browser.wait_until("document.querySelector('#title').innerText === '見本テスト'")
    browser.wait_until(f"location.hash === {f'#{urlsplit(address).fragment}/totals'!r}")


def test_totals_tell_the_four_states_apart(browser: Chromium, address: str) -> None:
    _open(browser, f"{address}/totals", "tbody tr")
    assert _rows(browser) == [
        "2年1組 1 見本 一郎 6.5 / 19.5 2問 採点の途中",
        "2年1組 2 例題 花子 0 / 19.5 0問 採点済み",
        "2年1組 10 試験 三郎 未採点 / 19.5 6問 未採点",
        "2年1組 11 欠番 四郎 — — 欠席・未提出",
        "2年1組 12 公用 五郎 — — 未受験（欠席）",
        "— 生徒不明（2026-GRADED-4） 7 / 19.5 3問 採点の途中",
    ]


def test_totals_can_be_sorted(browser: Chromium, address: str) -> None:
    _open(browser, f"{address}/totals", "tbody tr")
    names = "[...document.querySelectorAll('tbody th')].map((name) => name.innerText)"
    click = "document.querySelectorAll('thead button')[{}].click()"
    browser.evaluate(click.format(2))
    ascending = browser.evaluate(names)
    assert ascending[:3] == ["例題 花子", "見本 一郎", "生徒不明（2026-GRADED-4）"]
    browser.evaluate(click.format(2))
    assert browser.evaluate(names)[:3] == ascending[2::-1]
    # Whoever has no points stays at the end.
    assert set(browser.evaluate(names)[3:]) == {"試験 三郎", "欠番 四郎", "公用 五郎"}
    assert browser.evaluate("document.querySelectorAll('[aria-sort=descending]').length") == 1
    browser.evaluate(click.format(1))  # by kana
    assert browser.evaluate(names)[:3] == ["欠番 四郎", "公用 五郎", "試験 三郎"]


def test_a_question_shows_all_its_answers(browser: Chromium, address: str) -> None:
    _open(browser, f"{address}/questions/q1", ".tile")
    _drawn(browser, 4)
    assert _tiles(browser) == [
        "○ イ 2点 1番 見本 一郎",
        "空欄 0点 2番 例題 花子",
        "要確認 ア ？ 未採点 10番 試験 三郎",
        "○ イ 2点 生徒不明（2026-GRADED-4）",
    ]
    assert "解答のない生徒: 11番 欠番 四郎（欠席・未提出）、12番 公用 五郎（未受験）" in browser.text("main")


def test_the_word_of_a_person_is_shown(browser: Chromium, address: str) -> None:
    for question, said in (("q4", "△ 1.5点 1番 見本 一郎"), ("q5", "保留 未採点 1番 見本 一郎")):
        _open(browser, f"{address}/questions/{question}", ".tile")
        assert _tiles(browser)[0] == said


def test_answers_can_be_filtered(browser: Chromium, address: str) -> None:
    _open(browser, f"{address}/questions/q2", ".tile")
    browser.wait_until("document.querySelector('.tiles').innerText.includes('画像を開けません')")
    _drawn(browser, 3)
    browser.evaluate("document.querySelector('.filters a[href$=blank]').click()")
    browser.wait_until("document.querySelectorAll('.tile').length === 1")
    assert "空欄" in browser.text(".tile")
    assert browser.text(".filters [aria-current]").startswith("空欄")
    browser.press("ArrowLeft")
    browser.wait_until("document.querySelector('.question-heading h2').innerText === '設問 q1'")
    assert browser.text(".filters [aria-current]").startswith("空欄")


def test_arrow_keys_go_from_question_to_question(browser: Chromium, address: str) -> None:
    _open(browser, f"{address}/questions/q1", ".tile")
    for key, question in (("ArrowRight", "q2"), ("ArrowRight", "q3"), ("ArrowLeft", "q2")):
        browser.press(key)
        browser.wait_until(f"document.querySelector('.question-heading h2').innerText === '設問 {question}'")


def test_the_keyboard_stays_where_it_was(browser: Chromium, address: str) -> None:
    _open(browser, f"{address}/questions/q1", ".tile")
    for link in (".filters a[href$=blank]", ".side a[href*=q2]"):
        browser.evaluate(f"document.querySelector({link!r}).focus()")
        href = browser.evaluate("document.activeElement.getAttribute('href')")
        browser.press("Enter")
        browser.wait_until(f"location.hash === {href!r}")
        browser.wait_until("document.activeElement.getAttribute('aria-current') !== null")
        assert browser.evaluate("document.activeElement.getAttribute('href')") == href
        assert browser.evaluate(f"document.activeElement.closest('nav').matches({link.split()[0]!r})")


def test_the_slider_sets_the_width_of_pictures_and_is_remembered(browser: Chromium, address: str) -> None:
    width = "document.querySelector('.tile').getBoundingClientRect().width"
    _open(browser, f"{address}/questions/q1", ".tile")
    before = browser.evaluate(width)
    browser.evaluate(
        "(() => { const slider = document.querySelector('input[type=range]'); slider.value = 480;"
        " slider.dispatchEvent(new Event('input')); })()"
    )
    after = browser.evaluate(width)
    assert after > before
    browser.press("ArrowRight")
    browser.wait_until("document.querySelector('.question-heading h2').innerText === '設問 q2'")
    assert browser.evaluate(width) == after


def test_pages_set_aside_come_first_with_their_reasons(browser: Chromium, address: str) -> None:
    _open(browser, f"{address}/pages", "main section")
    assert browser.text(".lead") == (
        "8ページのうち 4ページを読み取りました。1ページは白紙、1ページは重複、2ページは読み取れず、とりおきました。"
    )
    titles = browser.evaluate(
        "[...document.querySelectorAll('main h2')].map((title) => title.firstChild.textContent)"
    )
    assert titles == [
        "とりおき（読み取れなかったページ）",
        "スキャンにないページ",
        "確かめるページ",
        "重複したページ",
        "白紙のページ",
        "読み取ったページ",
    ]
    first = browser.text("main section")
    assert "位置合わせマークが見つかりません。" in first
    assert "ファイルが壊れていて開けません。" in first
    assert "だれの解答用紙か分かりません。" in browser.text("main section:nth-of-type(3)")
    assert "2年1組 11番 欠番 四郎 — 答案がありません（欠席・未提出）" in browser.text("main")
    # The file of these pages is not there: words stand where their pictures would be.
    browser.evaluate("document.querySelectorAll('main img').forEach((image) => { image.loading = 'eager'; })")
    browser.wait_until("document.querySelectorAll('main img').length === 0")
    assert browser.evaluate("document.querySelectorAll('main .no-picture').length") == 8


def test_every_control_has_a_name(browser: Chromium, address: str) -> None:
    for view, selector in VIEWS.items():
        _open(browser, f"{address}/{view}", selector)
        nameless = browser.evaluate(
            "[...document.querySelectorAll('a, button, input, img, canvas, nav')].filter((each) => !each.hidden &&"
            " !(each.innerText || each.getAttribute('aria-label') || each.getAttribute('alt') ||"
            " each.labels?.length)).length"
        )
        assert nameless == 0


def test_a_server_that_has_gone_is_told_in_words(browser: Chromium, address: str) -> None:
    _open(browser, f"{address}/totals", "tbody tr")
    browser.evaluate("window.fetch = () => Promise.reject(new TypeError('gone'))")
    browser.evaluate(f"location.hash = {urlsplit(address).fragment + '/pages'!r}")
    browser.wait_until("document.querySelector('[role=alert]:not([hidden])') !== null")
    assert browser.text("main [role=alert]").startswith("サーバーにつながりません。")


def test_the_demo_from_its_address_to_the_way_out(tmp_path: Path) -> None:
    with demo(tmp_path / "data", "--no-browser", "--port", "0") as process:
        said = read_until(process, "見本の先生としてサインインした画面")
        found = re.search(r"(http://127\.0\.0\.1:\d+)/demo#\S+", said)
        assert found is not None
        with Chromium(tmp_path / "profile") as browser:
            browser.open(found[0])
            browser.wait_until(
                "document.querySelectorAll('tbody tr').length === 40"
            )  # the only exam there is
            exam = str(browser.evaluate("location.href")).removesuffix("/totals")
            assert browser.text("#title") == "2学期期末考査 理科"
            _open(browser, f"{exam}/questions/{quote('2-3')}", ".tile")
            _drawn(browser, 39)
            _open(browser, f"{exam}/pages", "main section")
            assert "別の試験の解答用紙です" in browser.text("main section")
            browser.wait_until("document.querySelector('main img').naturalWidth > 0")
            # Nothing is asked of another machine, and nothing goes wrong.
            assert {urlsplit(one).netloc for one in browser.requests} == {urlsplit(found[1]).netloc}
            assert browser.complaints == []
            browser.evaluate("document.querySelector('#leave').click()")
            browser.wait_until("document.querySelector('#problem')?.innerText.startsWith('saiten demo')")
            browser.open(f"{found[1]}/")
            browser.wait_until("location.pathname === '/demo'")
