"""What `saiten demo` says at the terminal: what became of the pages, and what was read and scored."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from omr.reading import PageStatus, ReadingStatus
from scoring.points import format_points
from scoring.scores import compute_scores, to_hundredths
from scoring.storage.exam_answers import load_answers
from scoring.storage.layouts import find_layout
from scoring.storage.scan_tasks import list_missing
from scoring.storage.scans import PageFilter, list_pages

if TYPE_CHECKING:
    from collections.abc import Callable

    from api.sample_school import SampleSchool
    from scoring.scores import ExamScores

_MOST_PAGES = 100_000


def describe_reading(school: SampleSchool, seconds: float | None) -> str:
    """What became of the pages, in one or two lines.

    Args:
        school: with its pages.
        seconds: that reading took; None where nothing was read now.
    """
    with school.instance.database.read() as session:
        pages = list_pages(session, school.exam, PageFilter(), None, _MOST_PAGES)
        layout = find_layout(session, school.instance.school_id, school.exam).layout
        missing = list_missing(session, school.exam, len(layout.pages))
    counts = Counter(page.status for page in pages)
    line = (
        f"{len(pages)}ページ: 読み取り {counts[PageStatus.READ]}、白紙 {counts[PageStatus.BLANK]}、"
        f"重複 {counts[PageStatus.DUPLICATE]}、とりおき {counts[PageStatus.QUARANTINED]}。"
    )
    if seconds is not None:
        line += f"{seconds:.1f}秒、毎秒 {len(pages) / max(seconds, 1e-6):.2f}ページ。"
    if missing:
        line += (
            f"\n名簿にあって読み取れていないページ: {len(missing)}。画面の「読み取り」で確かめてください。"
        )
    return line


def show_scores(school: SampleSchool, announce: Callable[[str], None]) -> None:
    """Show a short table of what was read and scored, question by question, and say for how many students.

    Args:
        school: with its answers.
        announce: is told the sentence below the table.
    """
    with school.instance.database.read() as session:
        scores = compute_scores(school.exam.exam, load_answers(session, school.exam))
    Console(highlight=False, soft_wrap=True).print(_table(scores))
    count = sum(bool(one.sheets) for one in scores.examinees)
    announce(
        f"{count}人分のマークと、確かに読めた手書きの答えを採点しました。要確認の解答は、先生の採点を待っています。"
    )


def _table(scores: ExamScores) -> Table:
    table = Table(title=scores.exam.title)
    table.add_column("設問")
    for heading in ("配点", "読み取り", "空欄", "要確認", "満点"):
        table.add_column(heading, justify="right")
    readings = scores.answers.readings
    counts = Counter(
        (readings[one].question, readings[one].status) for one in scores.answers.reading.tolist()
    )
    for column, question in enumerate(scores.exam.questions):
        full = scores.has_points[:, column] & (scores.points[:, column] == to_hundredths(question.points))
        table.add_row(
            question.id,
            format_points(question.points),
            str(counts[question.id, ReadingStatus.OK]),
            str(counts[question.id, ReadingStatus.BLANK]),
            str(counts[question.id, ReadingStatus.DOUBTFUL]),
            str(int(full.sum())),
        )
    return table
