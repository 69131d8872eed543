"""When two written answers are the same: what a teacher says, and what holds for every text."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocr.answer_text import (
    MOST_SPELLINGS,
    Alike,
    AnswerKind,
    AnswerRules,
    canonical,
    same_answer,
    spellings,
    written_unit,
)
from ocr.character_forms import paper_form, single_form
from ocr.number_text import number_key, parse_number, tidy_number

SAME, DIFFERENT = Alike.SAME, Alike.DIFFERENT
SYMBOL, NUMBER, TEXT = (AnswerRules(kind) for kind in (AnswerKind.SYMBOL, AnswerKind.NUMBER, AnswerKind.TEXT))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ABC123", "ＡＢＣ１２３"),
        ("ガリレオ", "ｶﾞﾘﾚｵ"),
        ("が", "か゛"),
        ("データ", "デ－タ"),
        ("データ", "デ‐タ"),
        ("データ", "デ一タ"),  # the kanji 一
        ("x-5", "x−５"),
        ("東京〜大阪", "東京～大阪"),
        ("東京〜大阪", "東京~大阪"),
        ("関ヶ原", "関ケ原"),
        ("3か月", "３ヶ月"),
        ("三ヵ国", "三カ国"),
        ("数か所", "数ヶ所"),
        ("二か国", "ニケ国"),
        ("ヘモグロビン", "へモグロビン"),  # with a hiragana へ
        ("エネルギー", "工ネルギー"),  # with the kanji 工
        ("ice cream", "icecream"),
        ("鎌倉 幕府", "鎌倉　幕府"),
        ("鎌倉幕府。", "鎌倉幕府"),
        ("don't", "don’t"),
        ("m²", "m^2"),
        ("H₂O", "H2O"),
        ("面積は㎠", "面積はcm²"),
        ("神", "神"),  # the compatibility character
        ("葛", "葛\U000e0100"),
        ("a、b", "a，b"),
        ("○", "〇"),
    ],
)
def test_texts_that_are_the_same(one: str, other: str) -> None:
    assert same_answer(one, other, TEXT), (canonical(one, TEXT), canonical(other, TEXT))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("①", "1"),
        ("x²", "x2"),
        ("x²", "x"),
        ("½", "12"),
        ("1½", "11/2"),
        ("⅓", "1/3 "),
        ("x²3", "x²³"),
        ("important", "Important"),
        ("もぐら", "モグラ"),
        ("きやく", "きゃく"),
        ("か", "が"),
        ("1/2", "0.5"),
        ("1,200", "1200"),
        ("5m", "5"),
        ("関が原", "関原"),
        ("東京", "京都"),
        ("カ月", "ケ月"),
    ],
)
def test_texts_that_differ(one: str, other: str) -> None:
    assert not same_answer(one, other, TEXT)


@pytest.mark.parametrize(
    ("one", "other", "switches"),
    [
        ("important", "Important", {"case": SAME}),
        ("もぐら", "モグラ", {"kana": SAME}),
        ("くらすター", "クラスター", {"kana": SAME}),
    ],
)
def test_switches_that_make_texts_the_same(one: str, other: str, switches: dict[str, Any]) -> None:
    assert not same_answer(one, other, TEXT)
    assert same_answer(one, other, replace(TEXT, **switches))


def test_spaces_can_count() -> None:
    counted = replace(TEXT, spaces=DIFFERENT)
    assert not same_answer("ice cream", "icecream", counted)
    assert same_answer(" ice  cream", "ice\u3000cream ", counted)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("12", "１２"),
        ("1,200", "1200"),
        ("12,345,678.5", "12345678.50"),
        ("0.50", "0.5"),
        ("10.0", "10"),
        ("0.00", "0"),
        (".5", "0.5"),
        ("1/2", "0.5"),
        ("½", "0.5"),
        ("1½", "3/2"),
        ("1 1/2", "1.5"),
        ("+3", "3"),
        ("−12", "-12"),
        ("ー12", "‐１２"),
        ("-0", "0"),
        ("007", "7"),
        ("12cm", "12 ㎝"),
        ("12cm", "12センチメートル"),
        ("12㎠", "12cm^2"),
        ("12㎠", "12cm²"),
        ("12平方センチメートル", "12cm2"),
        ("¥1,200", "1200円"),
        ("50％", "50パーセント"),
        ("30°", "30度"),
        ("25℃", "25°C"),
        ("5mL", "5ml"),
        ("3/4m", "0.75 m"),
        ("60km/h", "６０㎞／ｈ"),
        ("9.8m/s²", "9.8㎨"),
        ("3か月", "3ヶ月"),
        ("3Ω", "3Ω"),
        ("2:3", "２：３"),
        ("2:3", "2∶3"),
        ("2:3:4", "2.0 : 3 : 4"),
        ("10^-3", "10⁻³"),
        ("6.0×10²³", "6x10^23"),
        ("10³", "1×10³"),
        ("±3", "± 3"),
        ("12cm", "12"),
        ("12", "12 cm"),
        ("2√3", "2 √3"),
    ],
)
def test_numbers_that_are_the_same(one: str, other: str) -> None:
    assert same_answer(one, other, NUMBER), (canonical(one, NUMBER), canonical(other, NUMBER))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("12cm", "12m"),
        ("12cm", "12cm²"),
        ("12cm", "13"),
        ("12", "-12"),
        ("12", "1 2"),
        ("1,2", "12"),
        ("1,20", "120"),
        ("1½", "11/2"),
        ("½5", "1/25"),
        ("0.333", "1/3"),
        ("2/4", "1/2"),
        ("2/4", "0.5"),
        ("3/1", "3"),
        ("4:6", "2:3"),
        ("2:3", "3:2"),
        ("2:3", "2/3"),
        ("10^-3", "0.001"),
        ("10³", "103"),
        ("2²×3", "2×3²"),
        ("3x", "3"),
        ("12.", "1.2"),
        ("±3", "3"),
        ("1/0", "0"),
        ("12kg", "12Kg"),
        ("0.1", "0.1000000000000000055511151231257827"),
    ],
)
def test_numbers_that_differ(one: str, other: str) -> None:
    assert not same_answer(one, other, NUMBER)


@pytest.mark.parametrize(
    ("one", "other", "switches"),
    [
        ("10^-3", "0.001", {"power": SAME}),
        ("6.0×10²", "600", {"power": SAME}),
        ("2/4", "1/2", {"unreduced": SAME}),
        ("2/4", "0.5", {"unreduced": SAME}),
        ("4:6", "2:3", {"unreduced": SAME}),
        ("0.4:0.6", "2:3", {"unreduced": SAME}),
    ],
)
def test_switches_that_make_numbers_the_same(one: str, other: str, switches: dict[str, Any]) -> None:
    assert not same_answer(one, other, NUMBER)
    assert same_answer(one, other, replace(NUMBER, **switches))


@pytest.mark.parametrize(
    ("one", "other", "switches"),
    [
        ("1/2", "0.5", {"fraction": DIFFERENT}),
        ("12cm", "12", {"missing_unit": DIFFERENT}),
        ("0.50", "0.5", {"trailing_zeros": DIFFERENT}),
        ("6.0×10²³", "6×10²³", {"trailing_zeros": DIFFERENT}),
        ("2.0:3", "2:3", {"trailing_zeros": DIFFERENT}),
    ],
)
def test_switches_that_tell_numbers_apart(one: str, other: str, switches: dict[str, Any]) -> None:
    assert same_answer(one, other, NUMBER)
    assert not same_answer(one, other, replace(NUMBER, **switches))


def test_a_printed_unit_belongs_to_every_number() -> None:
    printed = AnswerRules(AnswerKind.NUMBER, unit="cm", missing_unit=DIFFERENT)
    assert canonical("12", printed) == canonical("12センチ", printed)
    assert not same_answer("12", "12m", printed)
    own = AnswerRules(AnswerKind.NUMBER, unit="カ村連合")
    assert canonical("12", own) == canonical("12カ村連合", own)
    assert written_unit("12", printed) == "cm"
    assert written_unit("12 ㎏", NUMBER) == "kg"
    assert written_unit("3x", NUMBER) == ""
    # What could be a digit of the number is not taken for a unit.
    assert canonical("12", replace(NUMBER, unit="×10³")) == "12"


@pytest.mark.parametrize(
    "written", ["ア", "「ア」", "(ア)", "（ア）", "㋐", "ｱ", " ア ", "ア.", "（ア）。", "[㋐]"]
)
def test_a_symbol_is_the_same_however_it_is_framed(written: str) -> None:
    assert canonical(written, SYMBOL) == "ア"


@pytest.mark.parametrize(
    ("one", "other", "choices", "is_same"),
    [
        ("①", "1", (), True),
        ("❶", "⑴", (), True),
        ("⑫", "12", (), True),
        ("①", "1", ("①", "②"), True),
        ("①", "1", ("1", "2", "①"), False),
        ("(1)", "1", ("1", "2", "①"), True),
        ("a", "A", (), False),
        ("ⓐ", "a", ("a", "b"), True),
        ("○", "◯", ("○", "×"), True),
        ("×", "✕", ("○", "×"), True),
        ("<", ">", ("<", ">"), False),
        (".", ",", (".", ","), False),
        ("あ", "ア", (), False),
    ],
)
def test_symbols(one: str, other: str, choices: tuple[str, ...], is_same: bool) -> None:  # noqa: FBT001
    assert same_answer(one, other, replace(SYMBOL, choices=choices)) is is_same


def test_no_switch_makes_two_choices_the_same() -> None:
    rules = AnswerRules(AnswerKind.SYMBOL, ("a", "A", "あ", "ア", "二", "ニ"), case=SAME, kana=SAME)
    assert len({canonical(one, rules) for one in rules.choices}) == 6
    assert same_answer("b", "B", replace(rules, choices=("a", "b")))


@pytest.mark.parametrize(
    ("text", "rules", "expected"),
    [
        ("1/2", NUMBER, {"1/2", "0.5"}),
        ("1/2", replace(NUMBER, fraction=DIFFERENT), {"1/2"}),
        ("1/3", NUMBER, {"1/3"}),
        ("1200", NUMBER, {"1200", "1,200"}),
        ("12㎝", NUMBER, {"12cm", "12", "12センチ"}),
        ("12cm", replace(NUMBER, missing_unit=DIFFERENT), {"12cm", "12センチ"}),
        ("12", replace(NUMBER, unit="点"), {"12", "12点"}),
        ("-12", NUMBER, {"-12"}),
        ("10^-3", replace(NUMBER, power=SAME), {"10⁻³", "1/1000", "0.001"}),
        ("2√3", NUMBER, {"2√3"}),
        ("関ヶ原", TEXT, {"関ヶ原", "関ケ原"}),
        ("ケーキ", TEXT, {"ケーキ"}),
        ("３か月", TEXT, {"3か月", "3ヶ月", "3カ月", "3ケ月", "3ヵ月"}),
        ("ice cream", TEXT, {"ice cream", "icecream"}),
        ("二酸化炭素", TEXT, {"二酸化炭素"}),
        ("モグラ", replace(TEXT, kana=SAME), {"モグラ", "もぐら"}),
        ("Rome", replace(TEXT, case=SAME), {"Rome", "rome", "ROME"}),
        ("ｱ", SYMBOL, {"ア", "㋐", "(ア)", "「ア」", "ア."}),
        ("①", replace(SYMBOL, choices=("1", "①")), {"①"}),
    ],
)
def test_spellings(text: str, rules: AnswerRules, expected: set[str]) -> None:
    found = spellings(text, rules)
    assert set(found) == expected
    assert len(found) == len(expected)


# What holds for every text

_alike = st.sampled_from(Alike)
_units = st.sampled_from(["", "cm", "㎠", "点", "m/s", "度", "×10³", "人/km²", "5"])
_rules = st.builds(
    AnswerRules,
    st.sampled_from(AnswerKind),
    st.sampled_from([(), ("ア", "イ"), ("1", "①"), ("a", "A"), ("⑴", "①"), ("二", "ニ")]),
    _units,
    *[_alike] * 8,
)
_pieces = st.sampled_from(
    [
        *"0123456789０１.,，、:：/／+-−ー‐一〜~^×x・()（）「」<>。 \u3000²³⁻½⅓①②❶⑴㋐Ⓐ％%°℃㎝㎠Ωµ¥\u3099\u200b",
        *"アイウｱｶﾞへヘかがカケヶヵゕか力二ニ八ハ工口月所国数三aAbBéßİﬁ東京",
        *["cm", "cm2", "m/s", "円", "センチ", "10^-3", "1/2", "度"],
    ]
)
_texts = st.lists(_pieces, max_size=9).map("".join) | st.text(max_size=8)


@settings(max_examples=800, deadline=None, derandomize=True)
@given(text=_texts, rules=_rules)
def test_canonical_twice_is_canonical(text: str, rules: AnswerRules) -> None:
    once = canonical(text, rules)
    assert canonical(once, rules) == once


@settings(max_examples=500, deadline=None, derandomize=True)
@given(text=_texts)
def test_forms_twice_are_forms_once(text: str) -> None:
    for form in (single_form, paper_form, tidy_number):
        assert form(form(text)) == form(text)
    assert paper_form(single_form(text)) == paper_form(text)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(one=_texts, other=_texts, rules=_rules)
def test_the_same_both_ways(one: str, other: str, rules: AnswerRules) -> None:
    assert same_answer(one, other, rules) == same_answer(other, one, rules)
    assert same_answer(one, one, rules)


_numerals = st.one_of(
    st.integers(-3000, 3000).map(str),
    st.decimals(-99, 99, places=2).map(str),
    st.builds("{}/{}".format, st.integers(0, 40), st.integers(1, 40)),
    st.builds("{}×10^{}".format, st.integers(1, 99), st.integers(-5, 5)),
)
_written_numbers = st.builds("{}{}".format, _numerals, st.sampled_from(["", "cm", "円", "m²", "度"]))


@settings(max_examples=600, deadline=None, derandomize=True)
@given(text=_texts | _written_numbers, rules=_rules)
def test_every_spelling_is_the_same_answer(text: str, rules: AnswerRules) -> None:
    found = spellings(text, rules)
    assert len(found) == len(set(found)) <= MOST_SPELLINGS
    assert all(same_answer(one, text, rules) for one in found)
    assert bool(found) == bool(text.strip()) or not canonical(text, rules)


def _value(numeral: str) -> Fraction:
    """The value of a numeral of `_numerals`, by other means."""
    factor, _, exponent = numeral.partition("×10^")
    return Fraction(factor) * Fraction(10) ** int(exponent or 0)


@settings(max_examples=500, deadline=None, derandomize=True)
@given(one=_numerals, other=_numerals, rules=_rules, units=st.tuples(*[st.sampled_from(["", "cm", "m"])] * 2))
def test_different_numbers_are_never_the_same(
    one: str, other: str, rules: AnswerRules, units: tuple[str, str]
) -> None:
    rules = replace(rules, kind=AnswerKind.NUMBER)
    if _value(one) != _value(other) or set(units) == {"cm", "m"}:
        assert not same_answer(one + units[0], other + units[1], rules)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(one=_numerals, other=_numerals)
def test_with_all_switches_on_equal_values_are_the_same(one: str, other: str) -> None:
    lenient = replace(NUMBER, power=SAME, unreduced=SAME)
    assert same_answer(one, other, lenient) == (_value(one) == _value(other))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(numeral=_written_numbers, rules=_rules)
def test_a_key_of_a_number_is_that_number(numeral: str, rules: AnswerRules) -> None:
    number = parse_number(numeral)
    assert number is not None
    again = parse_number(number_key(number, rules))
    assert again is not None
    assert (again.sign, number_key(again, rules)) == (number.sign, number_key(number, rules))
