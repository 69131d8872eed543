"""Whose page it is, which pages belong together, and what stands twice."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from omr.layout import IdentityField
from omr.reading import DigitReading, IdentityReading, PageReading, PageStatus, ReadingStatus
from omr.sheet_code import BLANK_STUDENT, SheetCode, exam_digest, layout_digest, student_digest
from scoring.identity import Outcome
from scoring.intake import Intake, sort_pages
from scoring.page_records import PageRecord, ScannedPage
from scoring.roster import Roster, Student

EXAM, LAYOUT = exam_digest("E"), layout_digest("L")
ROSTER = Roster(
    tuple(Student(f"id-{n}", "2", "3", str(n), f"見本 {n:02}", f"ミホン {n:02}") for n in (1, 2, 3, 4, 5, 12))
)


def _named(student: str, page: int, source: str = "a.pdf", at: int = 1) -> ScannedPage:
    code = SheetCode(EXAM, LAYOUT, student_digest(student), page)
    return ScannedPage(source, at, PageReading(PageStatus.READ, code=code, sheet_page=page))


def _copied(page: int, number: str | None, at: int, source: str = "a.pdf") -> ScannedPage:
    """A page of a copied blank set; `number` None for doubtful bubbles, empty for none, _2 without its tens."""
    status = ReadingStatus.DOUBTFUL if number is None else ReadingStatus.OK if number else ReadingStatus.BLANK
    tens, ones = list(number.rjust(2, "0").replace("_", " ")) if number else ["", ""]
    rows = tuple(
        DigitReading(field, digit, _chances(digit))
        for field, digit in zip(
            [IdentityField.GRADE, *[IdentityField.CLASS] * 2, *[IdentityField.NUMBER] * 2],
            ["2", "0", "3", tens.strip(), ones.strip()],
            strict=True,
        )
    )
    reading = PageReading(
        PageStatus.READ,
        code=SheetCode(EXAM, LAYOUT, BLANK_STUDENT, page),
        sheet_page=page,
        identity=IdentityReading(rows, status, 0.99),
    )
    return ScannedPage(source, at, reading)


def _chances(digit: str) -> tuple[float, ...]:
    """A row that is nearly sure of its digit (or, without one, of being empty)."""
    return tuple(0.99 if str(one) == digit or (one == 10 and not digit) else 0.001 for one in range(11))


def _blank(at: int) -> ScannedPage:
    return ScannedPage("a.pdf", at, PageReading(PageStatus.BLANK, "何も書かれていない裏面です。"))


def _sort(*pages: ScannedPage, same: bool = False, roster: Roster | None = ROSTER) -> Intake:
    return sort_pages(pages, roster, 2, lambda _one, _other: same)


def _students(intake: Intake) -> list[str]:
    return [record.student for record in intake.pages]


def test_named_pages_go_to_their_student_in_any_order() -> None:
    intake = _sort(_named("id-2", 2, at=1), _named("id-1", 1, at=2), _named("id-2", 1, at=3))
    assert _students(intake) == ["id-2", "id-1", "id-2"]
    assert intake.pages[0].sheet == intake.pages[2].sheet != intake.pages[1].sheet
    assert ("id-1", 2) in intake.missing(ROSTER, 2)
    assert ("id-2", 1) not in intake.missing(ROSTER, 2)


def test_a_student_outside_the_roster_is_read_but_not_named() -> None:
    (record,) = _sort(_named("stranger", 1)).pages
    assert (record.status, record.student) == (PageStatus.READ, "")
    assert "名簿にない" in record.reason
    (record,) = _sort(_named("stranger", 1), roster=None).pages
    assert record.reason == ""


def test_the_same_paper_twice_is_a_duplicate_of_the_first() -> None:
    intake = _sort(_named("id-1", 1, at=1), _named("id-1", 1, "b.pdf", at=7), same=True)
    assert [record.status for record in intake.pages] == [PageStatus.READ, PageStatus.DUPLICATE]
    assert "a.pdf#1" in intake.pages[1].reason


def test_a_copied_named_sheet_filled_twice_sets_all_aside() -> None:
    intake = _sort(_named("id-1", 1, at=1), _named("id-1", 1, at=2), _named("id-1", 2, at=3))
    assert [record.status for record in intake.pages] == [
        PageStatus.QUARANTINED,
        PageStatus.QUARANTINED,
        PageStatus.READ,
    ]
    assert "a.pdf#2" in intake.pages[0].reason
    assert ("id-1", 1) in intake.missing(ROSTER, 2)


def test_pages_of_a_copied_set_in_turn_are_one_sheet() -> None:
    intake = _sort(_copied(1, "4", 1), _blank(2), _copied(2, "4", 3), _copied(1, "5", 4))
    assert [record.sheet for record in intake.pages] == ["a.pdf#1", "", "a.pdf#1", "a.pdf#4"]
    assert _students(intake) == ["id-4", "", "id-4", "id-5"]


def test_a_set_mixed_up_by_the_feeder_is_not_joined() -> None:
    intake = _sort(_copied(1, "4", 1), _copied(2, "5", 2))
    assert [record.sheet for record in intake.pages] == ["a.pdf#1", "a.pdf#2"]
    assert _students(intake) == ["id-4", "id-5"]


def test_unclear_digits_prove_nobody() -> None:
    intake = _sort(_copied(1, "4", 1), _copied(2, None, 2), _copied(1, "", 3))
    assert _students(intake) == ["id-4", "", ""]
    assert [record.sheet for record in intake.pages] == ["a.pdf#1", "a.pdf#1", "a.pdf#3"]
    assert all(record.reason for record in intake.pages[1:])


def test_two_pupils_with_one_number_are_both_left_to_a_person() -> None:
    intake = _sort(_copied(1, "4", 1), _copied(1, "4", 2))
    assert _students(intake) == ["", ""]
    assert [record.status for record in intake.pages] == [PageStatus.READ] * 2
    assert "a.pdf#2" in intake.pages[0].reason
    again = _sort(_copied(1, "4", 1), _copied(1, "4", 2), same=True)
    assert [record.status for record in again.pages] == [PageStatus.READ, PageStatus.DUPLICATE]


def test_a_printed_name_outweighs_the_bubbles_of_a_copy() -> None:
    intake = _sort(_copied(1, "4", 1), _named("id-4", 1, "b.pdf", 2))
    assert _students(intake) == ["", "id-4"]
    assert "b.pdf#2" in intake.pages[0].reason


def test_a_number_that_is_not_in_the_roster_is_named_in_the_reason() -> None:
    (record,) = _sort(_copied(1, "40", 1)).pages
    assert record.student == ""
    assert "2年3組40番" in record.reason


def test_a_number_without_its_tens_is_proven_only_by_elimination() -> None:
    alone = _sort(_copied(1, "_2", 1))
    assert _students(alone) == [""]
    assert "十の位" in alone.pages[0].reason
    with_the_other = _sort(_copied(1, "_2", 1), _copied(1, "12", 2))
    assert _students(with_the_other) == ["id-2", "id-12"]
    assert _students(_sort(_copied(1, "_4", 1))) == ["id-4"]


def test_unclear_digits_name_the_probable_pupil_as_a_guess() -> None:
    others = [_named(f"id-{n}", 1, at=n) for n in (1, 2, 3, 5)]
    unclear = _copied(1, "04", 9)
    assert unclear.reading.identity is not None
    identity = replace(unclear.reading.identity, status=ReadingStatus.DOUBTFUL)
    page = replace(unclear, reading=replace(unclear.reading, identity=identity))
    record = _sort(*others, page).pages[-1]
    assert record.student == ""
    assert "おそらく2年3組4番" in record.reason


def _owner(record: PageRecord) -> tuple[Outcome, str]:
    assert record.owner is not None
    return record.owner.outcome, record.owner.student.student_id if record.owner.student else ""


def test_each_page_says_how_far_it_is_known_whose_it_is() -> None:
    intake = _sort(_named("id-1", 1, at=1), _copied(1, "4", 2), _copied(1, "3", 3), _copied(1, "3", 4))
    assert [_owner(record) for record in intake.pages[:2]] == [
        (Outcome.PROVEN, "id-1"),
        (Outcome.PROVEN, "id-4"),
    ]
    assert [_owner(record)[0] for record in intake.pages[2:]] == [Outcome.TWICE] * 2
    conflict = _sort(_named("id-2", 1, at=1), _named("id-2", 1, at=2))
    assert [(_owner(record), record.student) for record in conflict.pages] == [
        ((Outcome.TWICE, "id-2"), "")
    ] * 2
    assert _owner(_sort(_named("stranger", 1)).pages[0]) == (Outcome.UNKNOWN, "")


def test_a_student_whose_coded_sheets_contradict_each_other_is_nobody_else_s() -> None:
    intake = _sort(_named("id-2", 1, at=1), _named("id-2", 1, at=2), _copied(1, "2", 3))
    assert _students(intake) == ["", "", ""]
    assert "a.pdf#1、a.pdf#2" in intake.pages[2].reason


def test_a_page_without_a_number_is_probably_of_its_set_and_named_so() -> None:
    first, second = _sort(_copied(1, "4", 1), _copied(2, "", 2)).pages
    assert _owner(first) == (Outcome.PROVEN, "id-4")
    assert (second.student, _owner(second)) == ("", (Outcome.PROBABLE, "id-4"))
    assert "おそらく2年3組4番" in second.reason


def test_a_second_page_that_is_missing_or_in_another_file_is_told() -> None:
    intake = _sort(_copied(1, "4", 1), _copied(1, "5", 2), _copied(2, "5", 3), _copied(2, "4", 1, "b.pdf"))
    assert _students(intake) == ["id-4", "id-5", "id-5", "id-4"]
    assert [record.sheet for record in intake.pages] == ["a.pdf#1", "a.pdf#2", "a.pdf#2", "b.pdf#1"]
    assert {student for student, _ in intake.missing(ROSTER, 2)} == {"id-1", "id-2", "id-3", "id-12"}
    without = _sort(_copied(1, "4", 1), _copied(1, "5", 2), _copied(2, "5", 3))
    assert ("id-4", 2) in without.missing(ROSTER, 2)
    assert ("id-4", 1) not in without.missing(ROSTER, 2)


def test_class_letters_are_named_as_what_the_digits_can_not_say() -> None:
    letters = Roster(tuple(replace(one, class_name="A") for one in ROSTER.students))
    (record,) = _sort(_copied(1, "4", 1), roster=letters).pages
    assert record.student == ""
    assert "数字でないもの（A）" in record.reason
    assert "名前を見て" in record.reason


_pages = st.one_of(
    st.builds(_named, st.sampled_from(["id-1", "id-2", "x"]), st.integers(1, 2)),
    st.builds(_copied, st.integers(1, 2), st.sampled_from(["1", "2", "", None]), st.just(1)),
    st.builds(_blank, st.just(1)),
)


@given(st.lists(_pages, max_size=12), st.sampled_from(["same", "different"]))
def test_every_page_is_accounted_for_and_no_page_of_a_student_counts_twice(
    pages: list[ScannedPage], content: str
) -> None:
    placed = [ScannedPage("a.pdf", at + 1, page.reading) for at, page in enumerate(pages)]
    intake = _sort(*placed, same=content == "same")
    assert [record.scanned for record in intake.pages] == placed
    read = [record for record in intake.pages if record.status is PageStatus.READ and record.student]
    keys = [(record.student, record.scanned.reading.sheet_page) for record in read]
    assert len(set(keys)) == len(keys)
    for record in intake.pages:
        assert record.sheet or record.status is not PageStatus.READ
        assert record.reason or record.status is PageStatus.READ
