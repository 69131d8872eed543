"""Before a pile is read: what its empty sheet prints, where the layout does not say, learnt from some of its pages."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from api.page_workers import PageTask, start_page_workers
from omr.learn_print import FEWEST_PAGES, MOST_PAGES, learn_empty_page

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from api.page_workers import WorkerSettings
    from omr.pixels import Gray
    from omr.read_page import ReadingPlan

_MOST_TASKS = 75


def learn_print(settings: WorkerSettings, count: int, scans: Sequence[Path]) -> WorkerSettings:
    """The settings with the learnt print; pages of which too few are there stay unknown.

    Args:
        settings: of the run.
        count: worker processes.
        scans: the pile.
    """
    layout = settings.plan.layout
    found: dict[int, list[Gray]] = {page.number: [] for page in layout.pages}
    with start_page_workers(settings, count) as workers:
        pages = workers.count_pages(scans)
        tasks = [
            PageTask(path, index)
            for path, many in zip(scans, pages, strict=True)
            if isinstance(many, int)
            for index in range(many)
        ]
        for straight in workers.straighten(_spread(tasks, min(MOST_PAGES * len(layout.pages), _MOST_TASKS))):
            if straight is not None:
                found[straight.number].append(straight.picture)
    learnt = tuple(learn_empty_page(found[page.number], page) for page in layout.pages)
    return replace(settings, plan=replace(settings.plan, learnt=learnt))


def remark_on_print(plan: ReadingPlan) -> str:
    """A word to the teacher where the print of some page's bubbles is not known; else nothing."""
    if not plan.must_learn_print or all(plan.knows_print(at) for at in range(len(plan.layout.pages))):
        return ""
    return (
        f"マークの枠の印刷が分からないページがあり、慎重に読みました。同じ用紙を{FEWEST_PAGES}枚以上まとめて読むと、"
        "要確認が減ります。"
    )


def _spread(tasks: Sequence[PageTask], most: int) -> list[PageTask]:
    """At most so many of the pages, taken evenly over the pile."""
    if len(tasks) <= most:
        return list(tasks)
    return [tasks[at * len(tasks) // most] for at in range(most)]
