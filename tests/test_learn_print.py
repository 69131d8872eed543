"""The print of a teacher's sheet learnt from the filled pages of a pile."""

from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from api.command_line import run
from benchmarks.mark_cards import CARD_DPI, CARDS, EXAM_ID, DrawnCard, draw_card
from omr.layout import PageLayout, write_layout
from omr.learn_print import FEWEST_PAGES, learn_empty_page, straighten_page
from omr.page import Page
from omr.page_on_print import plan_page_on_print
from omr.pixels import Gray
from omr.read_page import ReadingPlan, read_page
from omr.reading import PageStatus, ReadingStatus
from sample_scans.bubble_fillings import Filling, draw_filling
from sample_scans.scanner import ScannerModel, scan

_MM = CARD_DPI / 25.4
CARD = CARDS[2]  # pale circles with a label inside
Marks = dict[str, tuple[int, Filling]]


@cache
def _card() -> DrawnCard:
    return draw_card(CARD, is_stamped=True)


def _scan_page(marks: Marks, seed: int) -> Gray:
    """A filled card as it comes from the scanner."""
    random = np.random.default_rng(seed)
    canvas = _card().print(random.uniform(0.2, 0.25))
    for question in _card().layout.pages[0].questions:
        if question.id in marks:
            index, filling = marks[question.id]
            bubble = question.bubbles[index]
            x, y = bubble.centre
            size = (bubble.w * _MM, bubble.h * _MM)
            draw_filling(canvas, (x * _MM - 0.5, y * _MM - 0.5), size, filling, random, _MM)
    model = ScannerModel(skew_deg=float(random.uniform(-1, 1)), noise=2.0, jpeg_quality=80)
    return scan(canvas, CARD_DPI, model, random)


def _draw_marks(seed: int, popular: int = 0) -> Marks:
    """One mark in nearly every question; nine of ten mark the first bubble of the first `popular` questions."""
    random = np.random.default_rng(seed)
    marks = {}
    for at, question in enumerate(_card().layout.pages[0].questions):
        index = 0 if at < popular and random.random() < 0.9 else int(random.integers(len(question.bubbles)))
        if at < popular or random.random() < 0.9:
            marks[question.id] = (index, Filling.FULL)
    return marks


def _learn(pages: list[Gray]) -> Gray | None:
    plan = ReadingPlan(_card().layout, EXAM_ID)
    flat = []
    for gray in pages:
        reading = read_page(Page(gray), plan)
        assert reading.registration is not None
        flat.append(straighten_page(gray, reading.registration, _card().layout.pages[0]))
    return learn_empty_page(flat, _card().layout.pages[0])


@cache
def _pile() -> tuple[Gray, ...]:
    return tuple(_scan_page(_draw_marks(seed, popular=40), seed) for seed in range(12))


def test_a_pile_shows_its_empty_sheet_though_most_pupils_mark_the_same() -> None:
    learnt = _learn(list(_pile()))
    assert learnt is not None
    size = (learnt.shape[1], learnt.shape[0])
    empty = cv2.resize(_card().print(0.22), size, interpolation=cv2.INTER_AREA)
    assert (np.abs(learnt.astype(int) - empty) > 60).mean() < 0.001


def test_by_learnt_print_every_kind_of_mark_is_right_or_doubtful() -> None:
    plan = ReadingPlan(_card().layout, EXAM_ID, learnt=(_learn(list(_pile())),))
    ways = (Filling.FULL, Filling.LIGHT, Filling.TICKED, Filling.CIRCLED, Filling.CROSSED, Filling.EMPTY)
    sure = total = 0
    for seed in range(4):
        questions = _card().layout.pages[0].questions
        marks = {one.id: ((at + seed) % 4, ways[at % len(ways)]) for at, one in enumerate(questions)}
        reading = read_page(Page(_scan_page(marks, 500 + seed)), plan)
        assert reading.status is PageStatus.READ
        for question, answer in zip(questions, reading.answers, strict=True):
            index, filling = marks[question.id]
            meant = () if filling is Filling.EMPTY else (question.bubbles[index].label,)
            assert answer.status is ReadingStatus.DOUBTFUL or answer.labels == meant
            sure += answer.status is not ReadingStatus.DOUBTFUL
            total += 1
    assert sure > 0.75 * total


def test_a_mark_that_all_pupils_made_is_not_taken_for_print() -> None:
    questions = _card().layout.pages[0].questions
    everybodys = {one.id: (1, Filling.FULL) for one in questions[:5]}
    learnt = _learn([_scan_page(_draw_marks(seed) | everybodys, 50 + seed) for seed in range(FEWEST_PAGES)])
    assert learnt is not None
    assert plan_page_on_print(_card().layout.pages[0], learnt).has_room.all()
    plan = ReadingPlan(_card().layout, EXAM_ID, learnt=(learnt,))
    reading = read_page(Page(_scan_page(_draw_marks(3) | everybodys, 99)), plan)
    assert [answer.labels for answer in reading.answers[:5]] == [("イ",)] * 5
    assert {answer.status for answer in reading.answers[:5]} == {ReadingStatus.OK}


def test_pages_that_do_not_share_a_print_teach_nothing() -> None:
    pages = [scan(np.full((3508, 2480), 255, np.uint8), 300, ScannerModel(), np.random.default_rng(0))] * 2
    assert learn_empty_page(pages, _card().layout.pages[0]) is None
    random = np.random.default_rng(1)
    strokes = [np.full((600, 400), 255, np.uint8) for _ in range(FEWEST_PAGES)]
    for page in strokes:
        for x, y in random.integers(20, 380, (60, 2)).tolist():
            cv2.circle(page, (x, y), 8, 0, -1)
    assert learn_empty_page(strokes, PageLayout(1, 66, 100)) is None


@pytest.mark.parametrize("pages", [FEWEST_PAGES, FEWEST_PAGES - 1])
def test_the_command_says_where_too_few_pages_teach_the_print(
    tmp_path: Path, pages: int, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [f'[exam]\nid = "{EXAM_ID}"\ntitle = "試し"']
    lines += [
        f'[[question]]\nid = "{one.id}"\nkind = "choice"\nchoices = ["ア", "イ", "ウ", "エ"]\nanswer = ["ア"]\npoints = 1'
        for one in _card().layout.pages[0].questions
    ]
    (tmp_path / "exam.toml").write_text("\n".join(lines), encoding="utf-8")
    write_layout(_card().layout, tmp_path / "layout.json")
    for number, picture in enumerate(_pile()[:pages]):
        cv2.imwrite(str(tmp_path / f"{number:02}.png"), picture)
    exam, layout, out = (str(tmp_path / name) for name in ("exam.toml", "layout.json", "out"))
    scans = sorted(str(path) for path in tmp_path.glob("*.png"))
    assert run(["read", exam, *scans, "-o", out, "--layout", layout, "--workers", "1"]) == 0
    assert ("慎重に読みました" in capsys.readouterr().err) is (pages < FEWEST_PAGES)
