"""From read pages to sheets: which pages belong together, what stands twice, and whose each page is.

A page that contradicts another is set aside or left without a student, and says so. Whose the pages without
a student's code are is decided in `scoring.page_owners`.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from omr.reading import PageReading, PageStatus, ReadingStatus
from scoring.identity import Ground, Outcome, Owner
from scoring.page_owners import name_owners
from scoring.page_records import PageRecord, SameContent, ScannedPage, Sorting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scoring.roster import Roster

_CONFLICT = "同じ解答用紙が内容の違うまま{count}枚あります（{others}）。どれが正しいかを確かめ、正しい1枚だけを読み取ってください。"
_NOT_IN_ROSTER = "名簿にない生徒の解答用紙です。名簿が新しいかを確かめてください。"


@dataclass(frozen=True, slots=True)
class Intake:
    """All pages in input order."""

    pages: tuple[PageRecord, ...]

    def missing(self, roster: Roster | None, page_count: int) -> list[tuple[str, int]]:
        """The pages of the roster's students that were not read, or not proven to be theirs: (student, page)."""
        if roster is None:
            return []
        have = {(one.student, one.sheet_page) for one in self.pages if one.status is PageStatus.READ}
        return [
            (student.student_id, page)
            for student in roster.students
            for page in range(1, page_count + 1)
            if (student.student_id, page) not in have
        ]


def sort_pages(
    scanned: Sequence[ScannedPage], roster: Roster | None, page_count: int, same_content: SameContent
) -> Intake:
    """Sort out all pages of a run.

    Args:
        scanned: in input order, the pages of each file in a row.
        roster: who can have written; None where nobody is known.
        page_count: pages of the layout.
        same_content: asked only where the same page stands twice.
    """
    records = [PageRecord(one, one.reading.status, one.reading.reason) for one in scanned]
    sorting = Sorting(records, roster, same_content, page_count)
    _sort_named(sorting)
    runs = _find_runs(sorting)
    for run in runs:
        for at in run:
            sorting.set(at, sheet=sorting.records[run[0]].scanned.place)
    name_owners(sorting, runs)
    return Intake(tuple(sorting.records))


def _sort_named(sorting: Sorting) -> None:
    """Pages whose code names a student: the same page twice is a duplicate or a conflict."""
    groups: dict[tuple[str, int], list[int]] = defaultdict(list)
    for at, record in enumerate(sorting.records):
        code = record.scanned.reading.code
        if record.status is PageStatus.READ and code is not None and not code.is_blank_set:
            groups[code.sheet, code.page].append(at)
            student = sorting.roster.by_digest.get(code.student) if sorting.roster else None
            sorting.set(at, sheet=code.sheet, student=student.student_id if student else "")
            if student is not None:
                sorting.set(at, owner=Owner(Outcome.PROVEN, student, 1.0, (Ground.CODE,)))
            elif sorting.roster is not None:
                sorting.set(at, owner=Owner(Outcome.UNKNOWN))
                sorting.note(at, _NOT_IN_ROSTER)
    for group in groups.values():
        if len(group) > 1:
            _settle_twice(sorting, group)


def _settle_twice(sorting: Sorting, group: Sequence[int]) -> None:
    if sorting.drop_duplicates(group):
        return
    for at in group:
        reason = _CONFLICT.format(count=len(group), others=sorting.others(group, at))
        sorting.set(at, status=PageStatus.QUARANTINED, reason=reason)
        owner = sorting.records[at].owner
        if owner is not None and owner.student is not None:
            sorting.set(at, owner=Owner(Outcome.TWICE, owner.student, None, owner.grounds), student="")


def _find_runs(sorting: Sorting) -> list[list[int]]:
    """Positions of unnamed read pages, those of one sheet together.

    Pages of one file that are the layout's pages 1…n in turn are one sheet, unless their bubbles name
    different students; empty backs in between do not count.
    """
    runs: list[list[int]] = []
    open_run: list[int] = []
    for at, record in enumerate(sorting.records):
        if record.status is PageStatus.BLANK:
            continue
        if not record.is_unnamed:
            open_run = []
            continue
        if open_run and _continues(sorting, open_run, at):
            open_run.append(at)
        else:
            open_run = [at]
            runs.append(open_run)
        if record.sheet_page == sorting.page_count:
            open_run = []
    return runs


def _continues(sorting: Sorting, run: Sequence[int], at: int) -> bool:
    first, last, here = (sorting.records[one] for one in (run[0], run[-1], at))
    in_turn = first.sheet_page == 1 and here.sheet_page == last.sheet_page + 1
    if here.scanned.source != last.scanned.source or not in_turn:
        return False
    names = {_digits(sorting.records[one].scanned.reading) for one in (*run, at)} - {None}
    return len(names) <= 1


def _digits(reading: PageReading) -> tuple[str, ...] | None:
    identity = reading.identity
    return identity.digits if identity is not None and identity.status is ReadingStatus.OK else None
