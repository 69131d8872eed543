"""Sorting of stored pages: what persons said of owners, and files of one name."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from omr.compose import compose_layout
from omr.reading import PageReading, PageStatus
from omr.sheet_code import SheetCode, exam_digest, layout_digest, student_digest
from scoring.exam import design_sheet
from scoring.identity import Ground, Outcome
from scoring.page_sorting import PageToSort, SaidOwner, SortedPage, sort_stored_pages
from tests.stored_things import make_exam, make_roster

EXAM = make_exam()
LAYOUT = compose_layout(design_sheet(EXAM))
ROSTER = make_roster()


def page(number: int, student: str | None, said: SaidOwner | None = None, file: str = "f") -> PageToSort:
    """A page with a student's code, or without any."""
    code = None
    if student is not None:
        parts = exam_digest(EXAM.id), layout_digest(LAYOUT.digest), student_digest(student)
        code = SheetCode(*parts, 1)
    reading = PageReading(PageStatus.READ, code=code, sheet_page=1)
    return PageToSort(f"{file}-{number}", f"r{file}{number}", file, "scan.pdf", number, 0, reading, said)


def sort(*pages: PageToSort, same: bool = False) -> list[SortedPage]:
    return sort_stored_pages(pages, EXAM.id, LAYOUT, ROSTER, lambda *_: same)


def test_a_person_s_word_takes_the_place_of_the_code() -> None:
    first, second = sort(page(1, "s-1", SaidOwner("s-2")), page(2, "s-3"))
    assert (first.student, second.student) == ("s-2", "s-3")
    assert first.owner is not None
    assert (first.owner.outcome, first.owner.grounds) == (Outcome.PROVEN, (Ground.PERSON,))


def test_nobody_of_the_roster_stays_nobody() -> None:
    (only,) = sort(page(1, "s-1", SaidOwner(None)))
    assert (only.student, only.status) == ("", PageStatus.READ)
    assert only.owner is not None
    assert (only.owner.outcome, only.owner.student) == (Outcome.UNKNOWN, None)


def test_a_word_against_a_code_with_other_content_is_a_contradiction() -> None:
    both = sort(page(1, "s-1"), page(2, None, SaidOwner("s-1")))
    assert [one.status for one in both] == [PageStatus.QUARANTINED] * 2
    assert [one.student for one in both] == ["", ""]


def test_the_same_paper_twice_is_a_duplicate_by_word_too() -> None:
    first, second = sort(page(1, "s-1"), page(2, None, SaidOwner("s-1")), same=True)
    assert (first.status, second.status) == (PageStatus.READ, PageStatus.DUPLICATE)
    assert first.student == "s-1"


def test_what_was_not_read_stays_as_it_is() -> None:
    aside = replace(
        page(1, None, SaidOwner("s-1")), reading=PageReading(PageStatus.QUARANTINED, "壊れています。")
    )
    (only,) = sort(aside)
    assert (only.status, only.student, only.owner) == (PageStatus.QUARANTINED, "", None)


def test_files_of_one_name_are_told_apart() -> None:
    pages = [page(1, None, file=file) for file in ("a", "b", "c")]
    named = [replace(pages[0]), replace(pages[1], file_name="scan.pdf (2)"), replace(pages[2])]
    assert [one.sheet for one in sort(*pages)] == ["scan.pdf#1", "scan.pdf (2)#1", "scan.pdf (3)#1"]
    assert len({one.sheet for one in sort(*named)}) == 3


@given(st.lists(st.tuples(st.sampled_from(["s-1", "s-2", None]), st.sampled_from(["s-1", "s-3", None, 0]))))
def test_every_page_is_accounted_for_and_nobody_has_two(
    given_pages: list[tuple[str | None, str | int | None]],
) -> None:
    pages = [
        page(at, student, None if said == 0 else SaidOwner(said if isinstance(said, str) else None))
        for at, (student, said) in enumerate(given_pages)
    ]
    results = sort(*pages)
    assert [one.page for one in results] == pages
    owned = [one.student for one in results if one.student and one.status is PageStatus.READ]
    assert len(owned) == len(set(owned))
