"""The page as a teacher sees it: a real server and a real browser."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import pytest

from tests.chromium import Chromium
from tests.finished_run import make_finished_run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.system

SERVE = """
import sys
from pathlib import Path
from api.results_reader import ServedRun
from api.server import create_app, serve
run = ServedRun(*map(Path, sys.argv[1:]))
serve(create_app(run), "127.0.0.1", 0, announce=lambda address: print(address, flush=True))
"""
VIEWS = {"totals": "tbody tr", "questions/1-1": ".tile", "pages": ".pages"}
"""Each view's address, and what stands only in it."""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server in a process of its own, which Ctrl+C ends without a traceback."""
    run = make_finished_run(tmp_path_factory.mktemp("served"))
    paths = [str(path) for path in (run.out, run.exam, run.roster, run.scans)]
    with subprocess.Popen(
        [sys.executable, "-c", SERVE, *paths], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
        server.send_signal(signal.SIGINT)
        _, errors = server.communicate(timeout=20)
        assert (server.returncode, errors) == (0, "")


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Chromium]:
    with Chromium(tmp_path / "profile") as browser:
        yield browser


def _open(browser: Chromium, address: str, selector: str) -> None:
    browser.open(address)
    browser.wait_until(f"document.querySelector({selector!r}) !== null")


def _rows(browser: Chromium) -> list[str]:
    rows: list[str] = browser.evaluate(
        "[...document.querySelectorAll('tbody tr')].map((row) => row.innerText.replace(/\\s+/g, ' '))"
    )
    return rows


def _assert_pictures(browser: Chromium, selector: str, count: int) -> None:
    """Exactly `count` pictures are found, and each of them can be seen."""
    found = f"[...document.querySelectorAll({selector!r})]"
    assert browser.evaluate(f"{found}.length") == count
    # Pictures below the screen wait until they are needed.
    browser.evaluate(f"{found}.forEach((image) => {{ image.loading = 'eager'; }})")
    browser.wait_until(f"{found}.every((image) => image.complete)")
    assert browser.evaluate(f"{found}.filter((image) => image.naturalWidth > 0).length") == count


def test_totals_tell_the_four_states_apart(browser: Chromium, address: str) -> None:
    _open(browser, address, "tbody tr")
    browser.wait_until("document.querySelector('#title').innerText === '見本テスト 理科'")
    assert _rows(browser) == [
        "2年1組 1 見本 一郎 4.5 / 9.5 1問 採点の途中",
        "2年1組 2 例題 花子 0 / 9.5 0問 採点済み",
        "2年1組 10 試験 三郎 未採点 / 9.5 3問 未採点（2ページ目がありません）",
        "2年1組 11 欠番 四郎 — — 欠席・未提出",
        "— 生徒不明（in/a.png#4） 3 / 9.5 1問 採点の途中",
    ]


def test_totals_can_be_sorted(browser: Chromium, address: str) -> None:
    _open(browser, address, "tbody tr")
    click = "document.querySelectorAll('thead button')[2].click()"
    names = "[...document.querySelectorAll('tbody th')].map((name) => name.innerText)"
    browser.evaluate(click)
    ascending = browser.evaluate(names)
    assert ascending[:3] == ["例題 花子", "生徒不明（in/a.png#4）", "見本 一郎"]
    browser.evaluate(click)
    assert browser.evaluate(names)[:3] == ascending[2::-1]
    # Whoever has no points stays at the end.
    assert set(browser.evaluate(names)[3:]) == {"試験 三郎", "欠番 四郎"}
    assert browser.evaluate("document.querySelectorAll('[aria-sort=descending]').length") == 1


def test_a_question_shows_all_its_crops(browser: Chromium, address: str) -> None:
    _open(browser, f"{address}#/questions/1-1", ".tile")
    _assert_pictures(browser, ".tile img", 4)
    said = browser.evaluate(
        "[...document.querySelectorAll('.tile')].map((tile) => tile.innerText.replace(/\\s+/g, ' '))"
    )
    assert said == [
        "○ イ 2点 1番 見本 一郎",
        "× ア 0点 2番 例題 花子",
        "要確認 ア・イ ？ 未採点 10番 試験 三郎",
        "○ イ 2点 生徒不明（in/a.png#4）",
    ]
    assert "解答のない生徒: 11番 欠番 四郎（欠席・未提出）" in browser.text("main")


def test_answers_can_be_filtered(browser: Chromium, address: str) -> None:
    _open(browser, f"{address}#/questions/{quote('1/2', safe='')}", ".tile")
    assert "画像なし" in browser.text(".tiles")
    browser.evaluate("document.querySelector('.filters a[href$=blank]').click()")
    browser.wait_until("document.querySelectorAll('.tile').length === 1")
    assert "空欄" in browser.text(".tile")
    assert browser.text(".filters [aria-current]").startswith("空欄")
    browser.press("ArrowRight")
    browser.wait_until("document.querySelector('.question-heading h2').innerText === '設問 2-1'")
    assert browser.text(".filters [aria-current]").startswith("空欄")


def test_arrow_keys_go_from_question_to_question(browser: Chromium, address: str) -> None:
    _open(browser, f"{address}#/questions/1-1", ".tile")
    for key, question in (("ArrowRight", "1/2"), ("ArrowRight", "2-1"), ("ArrowLeft", "1/2")):
        browser.press(key)
        browser.wait_until(f"document.querySelector('.question-heading h2').innerText === '設問 {question}'")


def test_the_keyboard_stays_where_it_was(browser: Chromium, address: str) -> None:
    _open(browser, f"{address}#/questions/1-1", ".tile")
    for link in (".filters a[href$=wrong]", ".side a[href*='2-1']"):
        browser.evaluate(f"document.querySelector({link!r}).focus()")
        href = browser.evaluate("document.activeElement.getAttribute('href')")
        browser.press("Enter")
        browser.wait_until(f"location.hash === {href!r}")
        browser.wait_until("document.activeElement.getAttribute('aria-current') !== null")
        assert browser.evaluate("document.activeElement.getAttribute('href')") == href
        assert browser.evaluate(f"document.activeElement.closest('nav').matches({link.split()[0]!r})")


def test_the_slider_sets_the_width_of_crops_and_is_remembered(browser: Chromium, address: str) -> None:
    width = "document.querySelector('.tile').getBoundingClientRect().width"
    _open(browser, f"{address}#/questions/1-1", ".tile")
    before = browser.evaluate(width)
    browser.evaluate(
        "(() => { const slider = document.querySelector('input[type=range]'); slider.value = 480;"
        " slider.dispatchEvent(new Event('input')); })()"
    )
    after = browser.evaluate(width)
    assert after > before
    browser.press("ArrowRight")
    browser.wait_until("document.querySelector('.question-heading h2').innerText === '設問 1/2'")
    assert browser.evaluate(width) == after


def test_pages_set_aside_come_first_with_their_reasons(browser: Chromium, address: str) -> None:
    _open(browser, f"{address}#/pages", "main section")
    assert browser.text(".lead") == (
        "8ページのうち 3ページを読み取りました。1ページは白紙、1ページは重複、3ページは読み取れず、とりおきました。"
    )
    first = browser.text("main section")
    assert first.startswith("とりおき")
    assert "位置合わせマークが見つかりません。" in first
    assert "ファイルが壊れていて開けません。" in first
    assert "名簿にない解答用紙です。" in browser.text("main")
    assert "2年1組 10番 試験 三郎 — 2ページ目がありません" in browser.text("main")
    browser.evaluate("document.querySelectorAll('main img').forEach((image) => { image.loading = 'eager'; })")
    browser.wait_until("[...document.querySelectorAll('main img')].every((image) => image.complete)")
    # Those that could not be opened have become words.
    browser.wait_until("document.querySelectorAll('main img').length === 4")
    _assert_pictures(browser, "main img", 4)


def test_nothing_is_asked_of_another_machine(browser: Chromium, address: str) -> None:
    for view, selector in VIEWS.items():
        _open(browser, f"{address}#/{view}", selector)
    browser.wait_until("document.querySelectorAll('main .no-picture').length > 0")
    assert len(browser.requests) > 15
    assert {urlsplit(request).hostname for request in browser.requests} == {"127.0.0.1"}
    # A picture that is not there is told of; anything else would be a fault of the page.
    assert [each for each in browser.complaints if "/image?size=thumbnail" not in each] == []


def test_every_control_has_a_name(browser: Chromium, address: str) -> None:
    for view, selector in VIEWS.items():
        _open(browser, f"{address}#/{view}", selector)
        nameless = browser.evaluate(
            "[...document.querySelectorAll('a, button, input, img, nav')].filter((each) =>"
            " !(each.innerText || each.getAttribute('aria-label') || each.getAttribute('alt') ||"
            " each.labels?.length)).length"
        )
        assert nameless == 0


def test_a_server_that_has_gone_is_told_in_words(browser: Chromium, address: str) -> None:
    _open(browser, address, "tbody tr")
    browser.evaluate("window.fetch = () => Promise.reject(new TypeError('gone'))")
    browser.evaluate("location.hash = '#/pages'")
    browser.wait_until("document.querySelector('[role=alert]') !== null")
    assert browser.text("[role=alert]").startswith("サーバーにつながりません。")
