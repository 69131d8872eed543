"""Progress on a terminal: pages, pages a second, time left; nothing where the output is piped."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.progress import Task

    from api.reading_run import Progress as RunProgress


class _Speed(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.0f} ページ/秒" if task.speed else "")


@contextmanager
def show_progress() -> Iterator[Callable[[RunProgress], None]]:
    """Show how far a run is on stderr; gives the function that takes the news."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    columns = (
        TextColumn("読み取り"),
        BarColumn(),
        MofNCompleteColumn(),
        _Speed(),
        TextColumn("残り"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda news: bar.update(task, completed=news.pages, total=news.of)
