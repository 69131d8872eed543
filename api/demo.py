"""`saiten demo`: a finished sample exam, printed, read and marked before your eyes."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from api.printing import print_exam
from api.reading_run import ReadRequest, read_scans
from omr.errors import InputError
from omr.read_page import Crops
from omr.reading import ReadingStatus
from scoring.points import format_points
from scoring.results import describe_results

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from api.reading_run import Progress
    from scoring.results import ReadResults


@dataclass(frozen=True, slots=True)
class DemoRun:
    """The sample exam after it was read.

    Attributes:
        exam: EXAM.toml of the sample.
        roster: its ROSTER.csv.
        scans: folder of its scans.
        out: where the results lie.
        results: what was read.
        printed: what was printed, in words.
    """

    exam: Path
    roster: Path
    scans: Path
    out: Path
    results: ReadResults
    printed: str


@contextmanager
def demo_folder(data: Path | None) -> Iterator[Path]:
    """The folder for the demo's files: the given one, or one that is gone afterwards."""
    if data is not None:
        try:
            data.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{data} にフォルダーを作れません。--data の場所を確かめてください。") from error
        yield data
        return
    with tempfile.TemporaryDirectory(prefix="saiten-demo-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def run_demo(folder: Path, report: Callable[[Progress], None]) -> DemoRun:
    """Print the sample exam's sheets and read its scans.

    Args:
        folder: for the printed sheets and the results.
        report: is told how far the reading is.
    """
    sample = Path(str(files("sample_scans")))
    exam, roster, scans = sample / "exam.toml", sample / "roster.csv", sample / "scans"
    printed = print_exam(exam, roster, folder / "sheets.pdf", folder / "layout.json", duplex=False)
    request = ReadRequest(exam=exam, scans=[scans], out=folder / "results", roster=roster, crops=Crops.ALL)
    return DemoRun(exam, roster, scans, request.out, read_scans(request, report), printed)


def show_table(run: DemoRun) -> None:
    """Show a short table of what was read and scored, question by question."""
    counts: dict[str, dict[ReadingStatus, int]] = defaultdict(lambda: dict.fromkeys(ReadingStatus, 0))
    full: dict[str, int] = defaultdict(int)
    for answer in run.results.answers:
        counts[answer.question.id][answer.reading.status] += 1
        full[answer.question.id] += answer.proposal.points == answer.question.points
    table = Table(title=run.results.exam.title)
    table.add_column("設問")
    for heading in ("配点", "読み取り", "空欄", "要確認", "満点"):
        table.add_column(heading, justify="right")
    for question in run.results.exam.questions:
        status = counts[question.id]
        table.add_row(
            question.id,
            format_points(question.points),
            str(status[ReadingStatus.OK]),
            str(status[ReadingStatus.BLANK]),
            str(status[ReadingStatus.DOUBTFUL]),
            str(full[question.id]),
        )
    console = Console(highlight=False, soft_wrap=True)
    console.print(run.printed, describe_results(run.results), table, sep="\n")
    count = len(run.results.scores)
    console.print(
        f"{count}人分のマークと、確かに読めた手書きの答えを採点しました。要確認の解答は、先生の採点を待っています。"
    )
