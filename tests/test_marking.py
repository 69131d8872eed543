"""Proposals and totals: what a reading earns by the key of its question."""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr.answer_rules import Alike, AnswerRules
from omr.layout import QuestionKind
from omr.reading import ReadingStatus
from scoring.answer_switches import AnswerSwitches
from scoring.exam import Exam, Question
from scoring.marking import Proposal, Rule, Total, add_up, answer_rules, propose
from scoring.points import check_points, format_points

OK, BLANK, DOUBTFUL = ReadingStatus.OK, ReadingStatus.BLANK, ReadingStatus.DOUBTFUL
LABELS = ["ア", "イ", "ウ", "エ"]


def question(kind: str, **more: Any) -> Question:
    return Question.model_validate({"id": "1", "kind": kind, "points": Decimal("2.5"), **more})


def choice(answer: list[str], accept: list[Any] | None = None) -> Question:
    return question("choice", choices=LABELS, answer=answer, accept=accept or [])


@pytest.mark.parametrize(
    ("marked", "points", "rule"),
    [
        (["ア", "ウ"], "2.5", Rule.ANSWER),
        (["ウ", "ア"], "2.5", Rule.ANSWER),
        (["イ"], "2.5", Rule.ACCEPTED),
        (["エ", "イ"], "2.5", Rule.ACCEPTED),
        (["ア"], "0", Rule.WRONG),
        (["ア", "ウ", "エ"], "0", Rule.WRONG),
        (["ア", "イ"], "0", Rule.WRONG),
        (["エ"], "0", Rule.WRONG),
        (["ア", "オ"], None, Rule.UNKNOWN_LABEL),
    ],
)
def test_a_choice_earns_its_points_for_exactly_a_right_set(
    marked: list[str], points: str | None, rule: Rule
) -> None:
    key = choice(["ア", "ウ"], ["イ", ["イ", "エ"]])
    assert propose(key, OK, marked, None) == Proposal(None if points is None else Decimal(points), rule)


@pytest.mark.parametrize("kind", list(QuestionKind))
def test_blank_is_no_points_and_doubtful_is_undecided(kind: QuestionKind) -> None:
    one = choice(["ア"]) if kind is QuestionKind.CHOICE else question(kind, answer="ア")
    assert propose(one, BLANK, [], None) == Proposal(Decimal(0), Rule.BLANK)
    assert propose(one, DOUBTFUL, ["ア"], None).points is None
    assert propose(one, DOUBTFUL, [], None).points is None


@pytest.mark.parametrize("kind", ["essay", "drawing"])
def test_essays_and_drawings_are_judged_by_a_person(kind: str) -> None:
    assert propose(question(kind, answer="手本"), OK, ["手本"], None) == Proposal(None, Rule.BY_PERSON)


@pytest.mark.parametrize(
    ("kind", "answer", "accept", "read", "rule"),
    [
        ("number", "12", [], "12", Rule.ANSWER),
        ("number", "12", [], " １２\u3000", Rule.ANSWER),
        ("number", "12", ["13"], "12.0", Rule.ANSWER),
        ("number", "12", ["-12"], "−１２", Rule.ACCEPTED),
        ("number", "12cm", [], "12", Rule.ANSWER),
        ("number", "12", ["12円"], "12 円", Rule.ACCEPTED),
        ("number", "12cm", [], "12m", Rule.WRONG),
        ("number", "0.5", [], "1/2", Rule.ANSWER),
        ("symbol", "ア", [], "ｱ", Rule.ANSWER),
        ("symbol", "ア", ["①"], "(1)", Rule.ACCEPTED),
        ("text", "ガリレオ", ["伽利略"], "ｶﾞﾘﾚｵ", Rule.ANSWER),
        ("text", "東京", ["東京都"], "東京都", Rule.ACCEPTED),
        ("text", "東京", ["東京都"], "京都", Rule.WRONG),
        ("text", "a", [], "A", Rule.WRONG),
    ],
)
def test_written_answers_are_compared_as_a_teacher_would(
    kind: str, answer: str, accept: list[str], read: str, rule: Rule
) -> None:
    proposal = propose(question(kind, answer=answer, accept=accept), OK, [read], None)
    assert proposal == Proposal(Decimal(0) if rule is Rule.WRONG else Decimal("2.5"), rule)


def test_without_a_key_nothing_is_proposed_but_blank() -> None:
    assert propose(choice([]), OK, ["ア"], None) == Proposal(None, Rule.NO_KEY)
    assert propose(question("text", answer=[]), OK, ["ア"], None) == Proposal(None, Rule.NO_KEY)
    assert propose(choice([]), BLANK, [], None).points == Decimal(0)


@given(
    answer=st.sets(st.sampled_from(LABELS), min_size=1),
    accept=st.lists(st.sets(st.sampled_from(LABELS), min_size=1), max_size=3),
    marked=st.lists(st.sampled_from(LABELS), min_size=1, unique=True),
)
def test_a_choice_is_right_if_and_only_if_its_set_is_in_the_key(
    answer: set[str], accept: list[set[str]], marked: list[str]
) -> None:
    key = choice(sorted(answer), [sorted(one) for one in accept])
    right = set(marked) == answer or set(marked) in accept
    assert propose(key, OK, marked, None).points == (Decimal("2.5") if right else Decimal(0))


def test_a_unit_that_nobody_asked_for_is_left_to_a_person() -> None:
    key = question("number", answer="12")
    assert propose(key, OK, ["12kg"], None) == Proposal(None, Rule.UNIT)
    assert propose(key, OK, ["13kg"], None).rule is Rule.WRONG
    printed = question("number", answer="12", unit="cm")
    assert propose(printed, OK, ["12㎝"], None).rule is Rule.ANSWER
    assert propose(printed, OK, ["12kg"], None).rule is Rule.WRONG


def test_the_exam_says_what_is_the_same_and_a_question_may_differ() -> None:
    strict = AnswerSwitches(missing_unit=Alike.DIFFERENT, case=Alike.SAME)
    assert propose(question("number", answer="12cm"), OK, ["12"], strict).rule is Rule.WRONG
    assert propose(question("text", answer="Rome"), OK, ["rome"], strict).rule is Rule.ANSWER
    own = question("number", answer="12cm", compare={"missing_unit": "same"})
    assert propose(own, OK, ["12"], strict).rule is Rule.ANSWER
    assert answer_rules(own, strict).case is Alike.SAME


def test_every_switch_of_the_rules_can_be_set() -> None:
    switches = {one.name for one in fields(AnswerRules)} - {"kind", "choices", "unit"}
    assert set(AnswerSwitches.model_fields) == switches


def exam(points: list[Decimal]) -> Exam:
    questions = [
        {"id": str(number), "kind": "drawing", "points": one} for number, one in enumerate(points, start=1)
    ]
    return Exam.model_validate({"id": "A", "title": "a", "questions": questions})


def test_a_total_counts_what_is_undecided_or_absent() -> None:
    decided = {
        "1": Proposal(Decimal("0.1"), Rule.ANSWER),
        "2": Proposal(None, Rule.DOUBTFUL),
        "3": Proposal(Decimal(0), Rule.BLANK),
        "not in the exam": Proposal(Decimal(9), Rule.ANSWER),
    }
    total = add_up(exam([Decimal("0.1"), Decimal(2), Decimal(3), Decimal("4.25")]), decided)
    assert total == Total(Decimal("0.1"), Decimal("9.35"), undecided=2)


_hundredths = st.integers(0, 999_999)


@given(hundredths=st.lists(_hundredths, min_size=1, max_size=40))
def test_totals_are_exact(hundredths: list[int]) -> None:
    points = [Decimal(one) / 100 for one in hundredths]
    given_points = {str(number): Proposal(one, Rule.ANSWER) for number, one in enumerate(points, start=1)}
    total = add_up(exam(points), given_points)
    assert total.points * 100 == total.max_points * 100 == sum(hundredths)


@given(hundredths=_hundredths, places=st.integers(0, 6))
def test_points_are_written_without_exponent_or_trailing_zeros(hundredths: int, places: int) -> None:
    points = Decimal(hundredths).scaleb(-2)
    padded = points.quantize(Decimal(1).scaleb(-2 - places))  # the same value with more zeros behind
    text = format_points(padded)
    assert Decimal(text) == points
    assert text == format_points(points.normalize())
    assert set(text) <= set("0123456789.")
    assert "." not in text or text[-1] not in "0."
    assert check_points(padded) == points


def test_points_as_examples() -> None:
    for number, text in [
        ("2", "2"),
        ("2.50", "2.5"),
        ("0.25", "0.25"),
        ("1E+2", "100"),
        ("-0.0", "0"),
        ("10", "10"),
    ]:
        assert format_points(Decimal(number)) == text
    with pytest.raises(ValueError, match="finite"):
        format_points(Decimal("NaN"))


@pytest.mark.parametrize("value", [1.5, "2", None, True, Decimal("NaN"), Decimal("0.001"), -1, 10000])
def test_what_is_not_exact_points_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="配点"):
        check_points(value)


@pytest.mark.parametrize("written", ["x=3", "3x", "(3,1)", "2√3", "1 2"])
def test_what_is_no_number_where_one_is_asked_for_is_left_to_a_person(written: str) -> None:
    key = question("number", answer="3")
    assert propose(key, OK, [written], None) == Proposal(None, Rule.NOT_A_NUMBER)


def test_where_the_key_itself_is_no_number_texts_are_compared() -> None:
    key = question("number", answer="x=3")
    assert propose(key, OK, ["x=3"], None).rule is Rule.ANSWER
    assert propose(key, OK, ["x=4"], None).rule is Rule.WRONG
