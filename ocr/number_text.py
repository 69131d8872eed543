"""Numbers as pupils write them: −12, 1,200, 0.50, 3/4, 1½, 2:3, 6.0×10²³, each with or without a unit (単位)."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from enum import Enum, auto
from fractions import Fraction
from typing import TYPE_CHECKING

from ocr.answer_rules import Alike
from ocr.character_forms import paper_form, read_exponent, write_exponent
from ocr.unit_names import unit_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ocr.answer_rules import AnswerRules

_LARGEST_EXPONENT = 100
_LONGEST = 40
"""Larger powers and longer numbers are compared as they are written: as values they would only cost time."""
_DECIMAL = r"(?:(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+)"
_NUMBER = re.compile(
    rf"""(?P<yen>¥?)(?P<sign>[-+±]?)
    (?: (?P<whole>\d+)[ ](?P<part>\d+)/(?P<parts>\d+)
      | (?P<over>\d+)/(?P<under>\d+)
      | (?P<ratio>{_DECIMAL}(?::{_DECIMAL})+)
      | (?:(?P<times>{_DECIMAL})[×xX*・])?(?P<base>{_DECIMAL})(?P<exponent>[⁺⁻]?[⁰¹²³⁴-⁹]+)
      | (?P<decimal>{_DECIMAL})
    )(?P<unit>.*)""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_SPACES_OF_NO_MEANING = re.compile(r"(?<![0-9])\s+|\s+(?![0-9])")


class NumberForm(Enum):
    """How a number is written."""

    DECIMAL = auto()
    FRACTION = auto()
    RATIO = auto()
    POWER = auto()


@dataclass(frozen=True, slots=True)
class WrittenNumber:
    """A number as it stands on paper.

    Attributes:
        form: how it is written.
        sign: "", "-" or "±".
        terms: decimals without commas and leading zeros. One for a decimal; the whole numbers over and under the
            line of a fraction; two or more of a ratio; factor, base and whole exponent of a power.
        unit: its usual name; empty without one.
    """

    form: NumberForm
    sign: str
    terms: tuple[str, ...]
    unit: str

    @property
    def value(self) -> Fraction | None:
        """The exact value without its sign; None for a ratio."""
        first, *others = map(Fraction, self.terms)
        match self.form:
            case NumberForm.DECIMAL:
                return first
            case NumberForm.FRACTION:
                return first / others[0]
            case NumberForm.POWER:
                return Fraction(first * others[0] ** int(others[1]))
            case NumberForm.RATIO:
                return None


def tidy_number(text: str) -> str:
    """`paper_form` of a number: without spaces but between digits (1 2 is not 12), ½ as 1/2. Idempotent."""
    spelt = "".join(f" {paper_form(_fraction(one))} " if _fraction(one) else one for one in text)
    return paper_form(_SPACES_OF_NO_MEANING.sub("", re.sub(r"\s+", " ", paper_form(spelt))))


def parse_number(text: str, printed_unit: str = "") -> WrittenNumber | None:
    """Read a number; None for what is no number with a known unit or none (3x, 2√3, 12., 1/0).

    Args:
        text: what is written.
        printed_unit: a further unit that the number may carry, such as that behind the box.
    """
    tidy = tidy_number(text)
    found = _NUMBER.fullmatch(tidy) if len(tidy) <= _LONGEST else None
    if found is None:
        return None
    unit = _unit(found["unit"], printed_unit)
    if found["yen"]:
        unit = "円" if unit in {"", "円"} else None
    number = _form_and_terms(found)
    if unit is None or number is None:
        return None
    form, terms = number
    is_zero = form is not NumberForm.RATIO and Fraction(terms[0]) == 0
    sign = "" if found["sign"] == "+" or (found["sign"] == "-" and is_zero) else found["sign"]
    return WrittenNumber(form, sign, terms, unit)


def usable_unit(printed_unit: str) -> str:
    """The usual name of a unit that is printed behind a box; empty where it could be part of a number (×10³)."""
    name = tidy_number(printed_unit)
    name = unit_name(name) or name
    found = _NUMBER.fullmatch(f"1{name}")
    return name if found is not None and found["decimal"] == "1" and found["unit"] == name else ""


def number_key(number: WrittenNumber, rules: AnswerRules) -> str:
    """A text that is equal for numbers that are the same by the rules, without the unit; `parse_number` reads it."""
    return number.sign + _unsigned_key(number, rules)


def decimal_text(value: Fraction) -> str | None:
    """A value of 0 or more as a decimal, 1/8 → 0.125; None where its digits would never end."""
    places = value.denominator.bit_length()  # enough for any denominator of twos and fives
    scaled = value * 10**places
    if scaled.denominator != 1:
        return None
    digits = str(scaled.numerator).rjust(places + 1, "0")
    return f"{digits[:-places]}.{digits[-places:]}".rstrip("0").rstrip(".")


def _unsigned_key(number: WrittenNumber, rules: AnswerRules) -> str:
    value, terms = number.value, number.terms
    if value is None:
        return ":".join(_ratio_terms(terms, rules))
    if number.form is NumberForm.POWER and rules.power is Alike.DIFFERENT:
        factor, base = (_decimal_key(one, rules) for one in terms[:2])
        return f"{'' if factor == '1' else f'{factor}×'}{base}{write_exponent(terms[2])}"
    if number.form is NumberForm.FRACTION:
        is_plain = rules.unreduced is Alike.SAME or _is_reduced(terms)
        return str(value) if is_plain else "/".join(terms)
    if number.form is NumberForm.DECIMAL and _has_trailing_zeros(kept := _decimal_key(terms[0], rules)):
        return kept
    return str(value) if rules.fraction is Alike.SAME else decimal_text(value) or str(value)


def _fraction(character: str) -> str:
    """½ → 1/2; empty for any other character."""
    is_fraction = unicodedata.decomposition(character).startswith("<fraction>")
    return unicodedata.normalize("NFKC", character) if is_fraction else ""


def _unit(written: str, printed_unit: str) -> str | None:
    if not written:
        return ""
    return unit_name(written) or (written if printed_unit and written == usable_unit(printed_unit) else None)


def _form_and_terms(found: re.Match[str]) -> tuple[NumberForm, tuple[str, ...]] | None:
    if found["decimal"]:
        return NumberForm.DECIMAL, (_tidy(found["decimal"]),)
    if found["ratio"]:
        return NumberForm.RATIO, tuple(map(_tidy, found["ratio"].split(":")))
    if found["exponent"]:
        base, exponent = _tidy(found["base"]), int(read_exponent(found["exponent"]))
        if abs(exponent) > _LARGEST_EXPONENT or (Fraction(base) == 0 and exponent < 0):
            return None
        return NumberForm.POWER, (_tidy(found["times"] or "1"), base, str(exponent))
    over, under = int(found["over"] or found["part"]), int(found["under"] or found["parts"])
    over += int(found["whole"] or 0) * under
    return (NumberForm.FRACTION, (str(over), str(under))) if under else None


def _tidy(decimal: str) -> str:
    """Without commas and leading zeros: 1,200 → 1200, .5 → 0.5."""
    whole, point, rest = decimal.replace(",", "").partition(".")
    return f"{whole.lstrip('0') or '0'}{point}{rest}"


def _is_reduced(terms: tuple[str, ...]) -> bool:
    over, under = map(int, terms)
    return math.gcd(over, under) == 1 and under > 1


def _decimal_key(decimal: str, rules: AnswerRules) -> str:
    keeps_zeros = "." not in decimal or rules.trailing_zeros is Alike.DIFFERENT
    return decimal if keeps_zeros else decimal.rstrip("0").rstrip(".")


def _has_trailing_zeros(decimal: str) -> bool:
    return "." in decimal and decimal.endswith("0")


def _ratio_terms(terms: tuple[str, ...], rules: AnswerRules) -> Iterable[str]:
    values = [Fraction(one) for one in terms]
    if rules.unreduced is Alike.DIFFERENT or not any(values):
        return [_decimal_key(one, rules) for one in terms]
    scale = math.lcm(*(one.denominator for one in values))
    whole = [int(one * scale) for one in values]
    return [str(one // math.gcd(*whole)) for one in whole]
