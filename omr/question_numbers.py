"""Printed question numbers (第1問, 問一, (2), ③, ア …): what they say, and how deep they stand."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_KANJI_DIGITS = "一二三四五六七八九"
_NUMBER = r"(?P<n>\d{1,3}|[一二三四五六七八九十]{1,3})"
_LETTER = r"(?P<n>[ア-ンあ-んA-Za-z])"
_CIRCLED = {chr(0x2460 + i): str(i + 1) for i in range(20)}
_ROMAN = {chr(0x2160 + i): str(i + 1) for i in range(12)}
_POINTS = re.compile(r"[(\[〔【]?(各|計)?\d+点([x×]\d+)?[)\]〕】]?$")
_TOKENS = (
    (0, re.compile(rf"(第{_NUMBER}[問部章]|大問\s*{_NUMBER.replace('<n>', '<m>')})")),
    (0, re.compile(rf"[\[【〔]\s*{_NUMBER}\s*[\]】〕]")),
    (0, re.compile(r"R(?P<n>\d+)R")),
    (1, re.compile(rf"(設?問|No\.|Q\.?)\s*{_NUMBER}")),
    (2, re.compile(rf"\({_NUMBER}\)")),
    (3, re.compile(r"C(?P<n>\d+)C")),
    (3, re.compile(rf"[\(〈<]{_LETTER}[\)〉>]")),
    (1, re.compile(r"(?P<n>\d{1,3})[.、]?(?!\d)")),
    (0, re.compile(r"(?P<n>[一二三四五六七八九十]{1,3})")),
    (3, re.compile(rf"{_LETTER}[.、]?")),
)
_SURE_AT_START = 5  # the first tokens are numbers even where other words follow


@dataclass(frozen=True, slots=True)
class QuestionNumber:
    """A question number: its name without brackets, and its depth from 0 (大問) to 3 (①, ア)."""

    name: str
    depth: int
    is_plain: bool = False


def parse_question_number(text: str) -> QuestionNumber | None:
    """What a piece of print says as a question number; None if it is something else.

    Several numbers in one piece ("1(2)", "問1-①") are joined with "-". Points behind it (4点) are ignored.
    """
    rest = _POINTS.sub("", _normalised(text))
    names: list[str] = []
    depth, is_plain = 0, False
    while rest and len(names) < 3:
        found = _next_token(rest)
        if found is None:
            break
        position, match = found
        if not names:
            depth = _TOKENS[position][0]
            is_plain = _TOKENS[position][1].pattern.startswith(r"(?P<n>\d")
        groups = match.groupdict()
        names.append(_as_digits(groups.get("n") or groups.get("m") or ""))
        rest = rest[match.end() :].lstrip("-ー・:. ")
        if rest and position > _SURE_AT_START and not rest.startswith("("):
            return None
    return QuestionNumber("-".join(names), depth, is_plain) if names else None


def _next_token(text: str) -> tuple[int, re.Match[str]] | None:
    for position, (_, pattern) in enumerate(_TOKENS):
        match = pattern.match(text)
        if match:
            return position, match
    return None


def _normalised(text: str) -> str:
    """Half-width digits and brackets; circled and Roman numerals marked, as they differ in depth."""
    marked = "".join(
        f"C{_CIRCLED[one]}C" if one in _CIRCLED else f"R{_ROMAN[one]}R" if one in _ROMAN else one
        for one in text
    )
    return "".join(unicodedata.normalize("NFKC", marked).split())


def _as_digits(number: str) -> str:
    """Kanji numerals as digits (十二 → 12); everything else as it is."""
    if not number or any(one not in _KANJI_DIGITS + "十" for one in number):
        return number
    tens, ten, ones = number.partition("十")
    if not ten:
        return "".join(str(_KANJI_DIGITS.index(one) + 1) for one in number)
    value = (_KANJI_DIGITS.index(tens) + 1 if tens else 1) * 10
    return str(value + (_KANJI_DIGITS.index(ones) + 1 if ones else 0))
