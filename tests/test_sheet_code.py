"""The code on a page: what it holds comes back, and nothing else is taken for it."""

from hypothesis import given
from hypothesis import strategies as st

from omr.sheet_code import (
    BLANK_STUDENT,
    CODE_LENGTH,
    SheetCode,
    exam_digest,
    layout_digest,
    parse_code,
    student_digest,
)

texts = st.text(min_size=1, max_size=40)


@given(texts, texts, texts, st.integers(1, 99))
def test_a_code_comes_back(exam: str, layout: str, student: str, page: int) -> None:
    code = SheetCode(exam_digest(exam), layout_digest(layout), student_digest(student), page)
    assert parse_code(code.text()) == code
    assert len(code.text()) == CODE_LENGTH
    assert not code.is_blank_set


@given(texts, st.integers(0, CODE_LENGTH - 1), st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ"))
def test_a_misread_character_is_noticed(student: str, at: int, instead: str) -> None:
    text = SheetCode(exam_digest("E"), layout_digest("L"), student_digest(student), 1).text()
    misread = text[:at] + instead + text[at + 1 :]
    assert misread == text or parse_code(misread) is None


@given(texts)
def test_other_codes_are_not_ours(text: str) -> None:
    assert parse_code(text) is None


def test_a_blank_set_names_nobody() -> None:
    code = SheetCode(exam_digest("E"), layout_digest("L"), BLANK_STUDENT, 2)
    assert code.is_blank_set
    assert parse_code(code.text()) == code
