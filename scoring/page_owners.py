"""Whose the pages are that carry no student's code: evidence in, students and remarks out.

Each page of the layout is decided by itself, since the sheets of a copied set come apart; that pages lie
together is a hint.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from omr.layout import IdentityField
from omr.reading import PageStatus, ReadingStatus
from scoring.identity import Outcome, SheetOwners
from scoring.identity_evidence import SheetEvidence, bubbled_number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from omr.reading import IdentityReading
    from scoring.identity import Owner
    from scoring.page_records import PageRecord, Sorting
    from scoring.roster import Roster

_LOOK = "名前を見て、だれの解答用紙かを確かめてください。"
_CLAIMED_TWICE = "同じ番号の解答用紙がほかにもあります（{others}）。" + _LOOK
_NO_MARKS = "学年・組・番号のマークがありません。" + _LOOK
_UNCLEAR = "学年・組・番号のマークがはっきりしません。" + _LOOK
_FORGOTTEN = "出席番号などの十の位にマークがありません。" + _LOOK
_NOT_SURE = "マークした番号だけでは、だれかを決められません。" + _LOOK
_NO_PLACE = "{grade}年{class_name}組{number}番は名簿にありません。マークと名簿を確かめてください。"
_MATE = "同じ組のほかのページの番号とつき合わせて、だれの解答かを確かめてください。"
_LETTERS = "名簿の組に数字でないもの（{example}）があり、組のマークと比べられません。"


def name_owners(sorting: Sorting, runs: Sequence[Sequence[int]]) -> None:
    """Decide whose the pages of copied sets and of sheets without a code are.

    Args:
        sorting: pages with a student's code are settled, and every page has its sheet.
        runs: positions of the pages of one sheet each.
    """
    _drop_rescans(sorting)
    pages = {
        page: [at for at, record in enumerate(sorting.records) if _counts(record, page)]
        for page in range(1, sorting.page_count + 1)
    }
    rivals: dict[int, list[int]] = {}
    if sorting.roster is not None and sorting.roster.students:
        tables = {page: _table(sorting, at, sorting.roster) for page, at in pages.items() if at}
        for page, table in tables.items():
            rivals |= _rivals(sorting, pages[page], table)
            _take_over(sorting, pages[page], table.owners)
        mates = _mates(sorting, runs)
        for page, table in tables.items():
            _take_over(sorting, pages[page], table.guess([mates.get(at, "") for at in pages[page]]))
    _explain(sorting, runs, rivals)


def _counts(record: PageRecord, page: int) -> bool:
    return record.status is PageStatus.READ and record.sheet_page == page


def _drop_rescans(sorting: Sorting) -> None:
    """The same paper of a copied set scanned twice is a duplicate; asked only where the same digits are marked."""
    groups: dict[tuple[int, tuple[str, ...]], list[int]] = defaultdict(list)
    for at, record in enumerate(sorting.records):
        number = bubbled_number(record.scanned.reading.identity)
        if record.is_unnamed and number is not None and number.has_digits:
            groups[record.sheet_page, tuple(digit or "0" for digit in number.digits)].append(at)
    for group in groups.values():
        if len(group) > 1:
            sorting.drop_duplicates(group)


def _table(sorting: Sorting, papers: Sequence[int], roster: Roster) -> SheetOwners:
    page = sorting.records[papers[0]].sheet_page
    contested = {
        record.owner.student.student_id
        for record in sorting.records
        if record.owner is not None
        and record.owner.student is not None
        and record.owner.outcome is Outcome.TWICE
        and record.sheet_page == page
    }
    evidence = [_evidence(sorting.records[at]) for at in papers]
    return SheetOwners(evidence, roster.students, contested)


def _evidence(record: PageRecord) -> SheetEvidence:
    identity = record.scanned.reading.identity if record.is_unnamed else None
    return SheetEvidence(record.scanned.source, record.student, bubbled_number(identity))


def _take_over(sorting: Sorting, papers: Sequence[int], owners: Sequence[Owner]) -> None:
    for at, owner in zip(papers, owners, strict=True):
        is_proven = owner.outcome is Outcome.PROVEN and owner.student is not None
        sorting.set(at, owner=owner, student=owner.student.student_id if is_proven and owner.student else "")


def _mates(sorting: Sorting, runs: Sequence[Sequence[int]]) -> dict[int, str]:
    """For each page of a run the one student to whom other pages of it are proven to belong."""
    mates: dict[int, str] = {}
    for run in runs:
        proven = {sorting.records[at].student for at in run} - {""}
        if len(proven) == 1:
            mates |= dict.fromkeys(run, proven.pop())
    return mates


def _rivals(sorting: Sorting, papers: Sequence[int], table: SheetOwners) -> dict[int, list[int]]:
    """For each paper that gives a clear number the positions of all that stand for the same student, itself too."""
    page = sorting.records[papers[0]].sheet_page
    claims = {papers[at]: student.student_id for at, student in table.claimed.items()}
    groups: dict[str, list[int]] = defaultdict(list)
    for at, record in enumerate(sorting.records):
        if record.sheet_page == page and record.status is not PageStatus.DUPLICATE:
            by_code = record.owner.student if record.owner is not None else None
            groups[by_code.student_id if by_code is not None else claims.get(at, "")].append(at)
    return {at: groups[student] for at, student in claims.items()}


def _explain(sorting: Sorting, runs: Sequence[Sequence[int]], rivals: Mapping[int, Sequence[int]]) -> None:
    """Say on every page that is not proven why, and whom to think of."""
    for run in runs:
        has_proven = any(sorting.records[at].student for at in run)
        for at in run:
            record = sorting.records[at]
            if record.status is not PageStatus.READ or record.student:
                continue
            if record.owner is not None and record.owner.outcome is Outcome.TWICE:
                sorting.note(at, _CLAIMED_TWICE.format(others=sorting.others(rivals[at], at)))
            elif record.scanned.reading.identity is not None:
                is_claim = at in rivals
                sorting.note(
                    at, _why_open(record.scanned.reading.identity, sorting.roster, is_claim=is_claim)
                )
            if has_proven:
                sorting.note(at, _MATE)
            if record.owner is not None and record.owner.student is not None:
                student = record.owner.student
                place = f"{student.grade}年{student.class_name}組{student.number}番 {student.name}"
                sorting.note(at, f"おそらく{place}です。")


def _why_open(identity: IdentityReading, roster: Roster | None, *, is_claim: bool) -> str:
    """Why the digit bubbles of a page prove nobody."""
    if identity.status is ReadingStatus.BLANK:
        return _NO_MARKS
    if identity.status is ReadingStatus.DOUBTFUL:
        return _UNCLEAR
    if roster is None:
        return ""
    if is_claim:
        return _NOT_SURE if all(row.digit for row in identity.rows) else _FORGOTTEN
    letters = [one.class_name for one in roster.students if not one.class_name.strip("組").isdecimal()]
    if letters:
        return _LETTERS.format(example=letters[0] or "空欄") + _LOOK
    grade, class_name, number = (identity[field].lstrip("0") for field in IdentityField)
    return _NO_PLACE.format(grade=grade, class_name=class_name, number=number)
