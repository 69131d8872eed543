"""From read pages to sheets: whose each page is, which pages belong together, what stands twice.

Identity is proven by the printed code or by clear digit bubbles; the order of scanning only joins the
unnamed pages of one copied set. A page that contradicts another is set aside or left without a student,
and says so.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from omr.layout import IdentityField
from omr.reading import PageReading, PageStatus, ReadingStatus
from scoring.identity import assign_students, bubble_chance, fits_marks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scoring.roster import Roster, Student

_CONFLICT = "同じ解答用紙が内容の違うまま{count}枚あります（{others}）。どれが正しいかを確かめ、正しい1枚だけを読み取ってください。"
_CLAIMED_TWICE = (
    "同じ番号の解答用紙がほかにもあります（{others}）。名前を見て、だれの解答用紙かを確かめてください。"
)
_NOT_IN_ROSTER = "名簿にない生徒の解答用紙です。名簿が新しいかを確かめてください。"


class SameContent(Protocol):
    """Tells whether two scans of the same printed page show the same strokes."""

    def __call__(self, one: ScannedPage, other: ScannedPage, /) -> bool:
        """Whether they do; False where that can't be told."""


@dataclass(frozen=True, slots=True)
class ScannedPage:
    """One page of one scan file, as read.

    Attributes:
        source: the file's name in the results.
        page: from 1; 0 where the file could not be opened.
        reading: what the machine says of it.
        part: 1 or 2 where the page of the file shows two sheets side by side and this is one of them; else 0.
    """

    source: str
    page: int
    reading: PageReading
    part: int = 0

    @property
    def place(self) -> str:
        """File and page, as a sheet without a student's code is called."""
        return f"{self.source}#{self.page}" + (f"-{self.part}" if self.part else "")


@dataclass(frozen=True, slots=True)
class PageRecord:
    """What became of a scanned page.

    Attributes:
        scanned: the page.
        status: what became of it in the end.
        reason: why it was set aside, or a remark, for the teacher.
        sheet: the id of the sheet it belongs to; empty where it is not known.
        student: whose it is proven to be; empty where that is not proven.
    """

    scanned: ScannedPage
    status: PageStatus
    reason: str
    sheet: str = ""
    student: str = ""


@dataclass(frozen=True, slots=True)
class Intake:
    """All pages in input order."""

    pages: tuple[PageRecord, ...]

    def missing(self, roster: Roster | None, page_count: int) -> list[tuple[str, int]]:
        """The pages of the roster's students that were not read: (student, page)."""
        if roster is None:
            return []
        have = {
            (one.student, one.scanned.reading.sheet_page)
            for one in self.pages
            if one.status is PageStatus.READ
        }
        return [
            (student.student_id, page)
            for student in roster.students
            for page in range(1, page_count + 1)
            if (student.student_id, page) not in have
        ]


@dataclass
class _Sorting:
    """The records while they are being sorted out, by position in the input."""

    records: list[PageRecord]
    roster: Roster | None
    same_content: SameContent
    page_count: int

    def set(self, at: int, **changes: str | PageStatus) -> None:
        self.records[at] = replace(self.records[at], **changes)  # type: ignore[arg-type]

    def note(self, at: int, text: str) -> None:
        reason = self.records[at].reason
        self.set(at, reason=f"{reason} {text}".strip())


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
    sorting = _Sorting(records, roster, same_content, page_count)
    _sort_named(sorting)
    _sort_unnamed(sorting)
    _settle_claims(sorting)
    _doubt_forgotten_digits(sorting)
    _guess_students(sorting)
    return Intake(tuple(sorting.records))


def _sort_named(sorting: _Sorting) -> None:
    """Pages whose code names a student: the same page twice is a duplicate or a conflict."""
    groups: dict[tuple[str, int], list[int]] = defaultdict(list)
    for at, record in enumerate(sorting.records):
        code = record.scanned.reading.code
        if record.status is PageStatus.READ and code is not None and not code.is_blank_set:
            groups[code.sheet, code.page].append(at)
            student = sorting.roster.by_digest.get(code.student) if sorting.roster else None
            sorting.set(at, sheet=code.sheet, student=student.student_id if student else "")
            if sorting.roster is not None and student is None:
                sorting.note(at, _NOT_IN_ROSTER)
    for group in groups.values():
        if len(group) > 1:
            _settle_twice(sorting, group)


def _settle_twice(sorting: _Sorting, group: Sequence[int]) -> None:
    if _drop_duplicates(sorting, group):
        return
    for at in group:
        reason = _CONFLICT.format(count=len(group), others=_others(sorting, group, at))
        sorting.set(at, status=PageStatus.QUARANTINED, reason=reason)


def _drop_duplicates(sorting: _Sorting, group: Sequence[int]) -> bool:
    """Keep the first of several scans of one paper; False, and nothing done, if they differ."""
    first = sorting.records[group[0]].scanned
    if not all(sorting.same_content(first, sorting.records[at].scanned) for at in group[1:]):
        return False
    for at in group[1:]:
        reason = f"同じページを2回読み取っています（{first.place} を採用しました）。"
        sorting.set(at, status=PageStatus.DUPLICATE, reason=reason)
    return True


def _others(sorting: _Sorting, group: Sequence[int], at: int) -> str:
    return "、".join(sorting.records[other].scanned.place for other in group if other != at)


def _sort_unnamed(sorting: _Sorting) -> None:
    """Pages of copied blank sets and of sheets without a code: joined by their order, named by their bubbles."""
    for run in _find_runs(sorting):
        sheet = sorting.records[run[0]].scanned.place
        students = [_student_of(sorting, at) for at in run]
        proven = {student.student_id for student in students if student is not None}
        for at, student in zip(run, students, strict=True):
            sorting.set(at, sheet=sheet, student=student.student_id if student else "")
            if student is None and proven:
                sorting.note(at, "同じ組のほかのページの番号とつき合わせて、だれの解答かを確かめてください。")


def _find_runs(sorting: _Sorting) -> list[list[int]]:
    """Positions of unnamed read pages, those of one sheet together.

    Pages of one file that are the layout's pages 1…n in turn are one sheet, unless their bubbles name
    different students; empty backs in between do not count.
    """
    runs: list[list[int]] = []
    open_run: list[int] = []
    for at, record in enumerate(sorting.records):
        if record.status is PageStatus.BLANK:
            continue
        if not _is_unnamed(record):
            open_run = []
            continue
        if open_run and _continues(sorting, open_run, at):
            open_run.append(at)
        else:
            open_run = [at]
            runs.append(open_run)
        if _sheet_page(sorting, at) == sorting.page_count:
            open_run = []
    return runs


def _is_unnamed(record: PageRecord) -> bool:
    code = record.scanned.reading.code
    return record.status is PageStatus.READ and (code is None or code.is_blank_set)


def _continues(sorting: _Sorting, run: Sequence[int], at: int) -> bool:
    here, last = sorting.records[at].scanned, sorting.records[run[-1]].scanned
    in_turn = (
        _sheet_page(sorting, run[0]) == 1 and _sheet_page(sorting, at) == _sheet_page(sorting, run[-1]) + 1
    )
    if here.source != last.source or not in_turn:
        return False
    names = {_digits(sorting.records[one].scanned.reading) for one in (*run, at)} - {None}
    return len(names) <= 1


def _digits(reading: PageReading) -> tuple[str, ...] | None:
    identity = reading.identity
    return identity.digits if identity is not None and identity.status is ReadingStatus.OK else None


def _sheet_page(sorting: _Sorting, at: int) -> int:
    return sorting.records[at].scanned.reading.sheet_page or 0


def _student_of(sorting: _Sorting, at: int) -> Student | None:
    """The student that a page's digit bubbles name; the remark says why there is none."""
    identity = sorting.records[at].scanned.reading.identity
    if identity is None:
        return None
    if identity.status is ReadingStatus.BLANK:
        sorting.note(
            at, "学年・組・番号のマークがありません。名前を見て、だれの解答用紙かを確かめてください。"
        )
        return None
    if identity.status is ReadingStatus.DOUBTFUL:
        sorting.note(
            at, "学年・組・番号のマークがはっきりしません。名前を見て、だれの解答用紙かを確かめてください。"
        )
        return None
    if sorting.roster is None:
        return None
    grade, class_name, number = (identity[one].lstrip("0") for one in IdentityField)
    student = sorting.roster.find(grade, class_name, number)
    if student is None:
        sorting.note(
            at, f"{grade}年{class_name}組{number}番は名簿にありません。マークと名簿を確かめてください。"
        )
    return student


def _settle_claims(sorting: _Sorting) -> None:
    """Papers that name the same student: one scanned twice, or two pupils of whom one marked a wrong number.

    A printed code proves more than bubbles do, so it is the bubbled papers that lose their student.
    """
    groups: dict[tuple[str, int], list[int]] = defaultdict(list)
    for at, record in enumerate(sorting.records):
        if record.status is PageStatus.READ and record.student:
            groups[record.student, _sheet_page(sorting, at)].append(at)
    for group in groups.values():
        bubbled = [at for at in group if _is_unnamed(sorting.records[at])]
        if len(group) < 2 or (len(bubbled) == len(group) and _drop_duplicates(sorting, group)):
            continue
        for at in bubbled:
            sorting.note(at, _CLAIMED_TWICE.format(others=_others(sorting, group, at)))
            sorting.set(at, student="")


def _doubt_forgotten_digits(sorting: _Sorting) -> None:
    """A number with an unmarked leading digit proves its student only if nobody else can have forgotten it.

    2 with empty tens is number 2, unless number 12 is still without a sheet.
    """
    if sorting.roster is None:
        return
    at_stake = {
        at: others
        for at, record in enumerate(sorting.records)
        if record.student and _is_unnamed(record) and (others := _also_possible(sorting, at))
    }
    while at_stake:
        proven = {
            (record.student, _sheet_page(sorting, at))
            for at, record in enumerate(sorting.records)
            if record.status is PageStatus.READ and record.student and at not in at_stake
        }
        settled = [
            at
            for at, others in at_stake.items()
            if all((student.student_id, _sheet_page(sorting, at)) in proven for student in others)
        ]
        if not settled:
            break
        for at in settled:
            del at_stake[at]
    for at in at_stake:
        sorting.set(at, student="")
        sorting.note(
            at, "出席番号などの十の位にマークがありません。名前を見て、だれの解答用紙かを確かめてください。"
        )


def _also_possible(sorting: _Sorting, at: int) -> list[Student]:
    """The other students whose numbers fit if every unmarked digit was forgotten."""
    identity = sorting.records[at].scanned.reading.identity
    if identity is None or sorting.roster is None or all(row.digit for row in identity.rows):
        return []
    return [
        student
        for student in sorting.roster.students
        if student.student_id != sorting.records[at].student and fits_marks(identity, student)
    ]


def _guess_students(sorting: _Sorting) -> None:
    """Name in the remark who an unproven paper with digit bubbles probably belongs to."""
    if sorting.roster is None:
        return
    for page in range(1, sorting.page_count + 1):
        here = [at for at, record in enumerate(sorting.records) if _sheet_page(sorting, at) == page]
        taken = {sorting.records[at].student for at in here if sorting.records[at].status is PageStatus.READ}
        free = [student for student in sorting.roster.students if student.student_id not in taken]
        papers = [
            (at, identity)
            for at in here
            if _is_unnamed(sorting.records[at])
            and not sorting.records[at].student
            and (identity := sorting.records[at].scanned.reading.identity) is not None
        ]
        chances = np.array([[bubble_chance(identity, student) for student in free] for _, identity in papers])
        for (at, _), guess in zip(papers, assign_students(chances, free), strict=True):
            if guess is not None:
                student = guess.student
                place = f"{student.grade}年{student.class_name}組{student.number}番 {student.name}"
                sorting.note(at, f"おそらく{place}です。")
