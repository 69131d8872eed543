"""Lines drawn again across kept scores, and marks that a pupil took back."""

from dataclasses import replace

import numpy as np
import pytest

from omr.choices import MarkRules
from omr.layout import QuestionKind
from omr.mark_lines import CancelledMarks, MarkLines, judge_again
from omr.page import Page
from omr.read_page import ReadingPlan, read_page
from omr.reading import AnswerReading, ChoiceScores, ReadingStatus
from sample_scans.bubble_fillings import Filling
from sample_scans.scanner import Condition, ScannerModel, draw_model, scan
from tests.printed_sheets import DPI, PrintedSheet, design_sheet, mark, print_sheet


@pytest.fixture
def sheet() -> PrintedSheet:
    return print_sheet(design_sheet(choices=16))


def _read(sheet: PrintedSheet, picture: np.ndarray, lines: MarkLines | None = None) -> list[AnswerReading]:
    rules = MarkRules(lines=lines or MarkLines())
    reading = read_page(Page(picture), ReadingPlan(sheet.layout, sheet.design.exam_id, rules=rules))
    return [answer for answer in reading.answers if answer.kind is QuestionKind.CHOICE]


def _scan_fillings(sheet: PrintedSheet, seed: int, condition: Condition = Condition.ORDINARY) -> np.ndarray:
    """A scan of a page on which every question has another filling."""
    random = np.random.default_rng(seed)
    page = sheet.copy()
    for at, question in enumerate(sheet.layout.pages[0].questions):
        if question.bubbles:
            filling = list(Filling)[at % len(Filling)]
            mark(page, question.bubbles[(at + seed) % 4], filling, seed=100 * seed + at)
    return scan(page, DPI, draw_model(condition, random), random)


@pytest.mark.parametrize(
    "condition", [Condition.ORDINARY, Condition.NOISY, Condition.BILEVEL, Condition.PALE]
)
def test_the_same_lines_give_the_same_verdict_again(sheet: PrintedSheet, condition: Condition) -> None:
    for seed in range(3):
        for answer in _read(sheet, _scan_fillings(sheet, seed, condition)):
            assert answer.scores is not None
            kept = ChoiceScores.parse(answer.scores.text())
            assert kept == answer.scores
            verdict = judge_again(kept, MarkLines())
            labels = tuple("アイウエ"[at] for at in verdict.marked)
            assert (labels, verdict.status, verdict.confidence) == (
                answer.labels,
                answer.status,
                answer.confidence,
            )


def test_other_lines_are_drawn_without_reading_again(sheet: PrintedSheet) -> None:
    strict, loose = MarkLines(marked=1.6, empty=0.5), MarkLines(marked=0.8, empty=1.6)
    doubtful = dict.fromkeys((strict, MarkLines(), loose), 0)
    for seed in range(4):
        picture = _scan_fillings(sheet, seed)
        for lines in doubtful:
            read_so = _read(sheet, picture, lines)
            for answer, as_usual in zip(read_so, _read(sheet, picture), strict=True):
                assert as_usual.scores is not None
                again = judge_again(as_usual.scores, lines)
                assert (again.status, len(again.marked)) == (answer.status, len(answer.labels))
                doubtful[lines] += again.status is ReadingStatus.DOUBTFUL
    assert doubtful[strict] > doubtful[MarkLines()] > doubtful[loose] > 0


def test_of_two_marks_the_one_not_taken_back_is_read_where_the_exam_says_so(sheet: PrintedSheet) -> None:
    not_marked = MarkLines(cancelled_marks=CancelledMarks.NOT_MARKED)
    read = doubted = 0
    for seed in range(8):
        random = np.random.default_rng(seed)
        page = sheet.copy()
        questions = [one for one in sheet.layout.pages[0].questions if one.bubbles]
        for at, question in enumerate(questions):
            mark(page, question.bubbles[at % 4], Filling.CANCELLED, seed=100 * seed + at)
            mark(page, question.bubbles[(at + 1 + at % 3) % 4], Filling.FULL, seed=100 * seed + at + 50)
        picture = scan(page, DPI, ScannerModel(skew_deg=float(random.uniform(-1, 1))), random)
        usual, by_rule = _read(sheet, picture), _read(sheet, picture, not_marked)
        for at, (default, answer) in enumerate(zip(usual, by_rule, strict=True)):
            back, meant = "アイウエ"[at % 4], "アイウエ"[(at + 1 + at % 3) % 4]
            if answer.status is ReadingStatus.DOUBTFUL:
                continue
            if len(answer.labels) == 1:
                read += 1
                assert back != meant
                assert answer.labels == (meant,)
                assert default.status is ReadingStatus.DOUBTFUL
                assert (default.confidence or 0) <= 0.5
            doubted += default.status is ReadingStatus.DOUBTFUL
    assert read > 30
    assert doubted >= read


def test_two_whole_marks_stay_two_marks(sheet: PrintedSheet) -> None:
    not_marked = MarkLines(cancelled_marks=CancelledMarks.NOT_MARKED)
    page = sheet.copy()
    for at, question in enumerate(sheet.layout.pages[0].questions):
        for index in (0, 2):
            if question.bubbles:
                ways = (Filling.FULL, Filling.SCRIBBLED, Filling.LIGHT, Filling.TICKED, Filling.CROSSED)
                mark(page, question.bubbles[index], ways[(at + index) % len(ways)], seed=10 * at + index)
    picture = scan(page, DPI, ScannerModel(skew_deg=0.4), np.random.default_rng(2))
    for answer in _read(sheet, picture, not_marked):
        assert answer.status is ReadingStatus.DOUBTFUL or answer.labels == ("ア", "ウ")


def test_a_line_that_was_not_crossed_is_told_by_its_score(sheet: PrintedSheet) -> None:
    """Whoever moves a line finds in the scores which readings it will change."""
    for answer in _read(sheet, _scan_fillings(sheet, 7)):
        assert answer.scores is not None
        marks = [score.mark for score in answer.scores.bubbles]
        if answer.status is ReadingStatus.OK:
            line = min(mark for mark in marks if mark >= 1)
            raised = judge_again(answer.scores, replace(MarkLines(), marked=line + 0.01))
            assert raised.status is ReadingStatus.DOUBTFUL
