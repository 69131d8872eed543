"""When two written answers are the same, as a teacher would say, and how else an answer may be written."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from functools import lru_cache, partial
from itertools import product
from typing import TYPE_CHECKING

from ocr.answer_rules import Alike, AnswerKind, AnswerRules
from ocr.character_forms import circled, hiragana, katakana, paper_form, single_form, uncircled
from ocr.number_text import (
    decimal_text,
    number_key,
    parse_number,
    tidy_number,
    usable_unit,
)
from ocr.unit_names import short_unit_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ocr.number_text import WrittenNumber

__all__ = ["Alike", "AnswerKind", "AnswerRules", "canonical", "same_answer", "spellings", "written_unit"]

MOST_SPELLINGS = 32
_LONGEST_SPELLING = 12
"""Nobody writes a longer number out who did not have to."""
_BRACKETS = {"「」", "『』", "()", "[]", "{}", "〔〕", "【】", "〈〉", "《》", "<>"}
_COUNTED = re.compile(r"(?<=[0-9一ニ三四五六七ハ九十百千万数何])[カケか箇](?=[\u4e00-\u9fff])")
"""The か of 3か月 and 数ヶ所, in `paper_form`."""
_COUNTED_AS_WRITTEN = re.compile(r"(?<=[0-9一二三四五六七八九十百千万数何])[カケヵヶか箇](?=[\u4e00-\u9fff])")
_BETWEEN_KANJI = re.compile(r"(?<=[\u4e00-\u9fff])[ケヶ](?=[\u4e00-\u9fff])")


def canonical(text: str, rules: AnswerRules) -> str:
    """One text for all ways to write an answer: equal canonical texts are the same answer. Idempotent.

    It is a key to compare and group by, not to show: ニ may stand for 二, 1/2 for 0.5. Of numbers that may leave out
    their unit, 12 and 12cm have different texts, for 12 may as well be 12m; `same_answer` takes each for 12.
    """
    return _canonical(text, rules)


def same_answer(one: str, other: str, rules: AnswerRules) -> bool:
    """Whether two texts are the same answer by the rules of their question; the order is of no account."""
    if canonical(one, rules) == canonical(other, rules):
        return True
    if rules.kind is not AnswerKind.NUMBER or rules.missing_unit is Alike.DIFFERENT:
        return False
    numbers = _number(one, rules), _number(other, rules)
    if numbers[0] is None or numbers[1] is None or bool(numbers[0].unit) == bool(numbers[1].unit):
        return False
    return number_key(numbers[0], rules) == number_key(numbers[1], rules)


def written_unit(text: str, rules: AnswerRules) -> str:
    """The unit (単位) of a number by its usual name, that behind the box where none is written; "" without one."""
    number = _number(text, rules) if rules.kind is AnswerKind.NUMBER else None
    return number.unit if number else ""


def is_number(text: str, rules: AnswerRules) -> bool:
    """Whether a text is a number, with a unit or none: x=3, 2√3 and (1,2) are not."""
    return _number(text, rules) is not None


def spellings(text: str, rules: AnswerRules) -> tuple[str, ...]:
    """How a pupil may write this answer, each as plain characters on paper; at most 32, the text itself first.

    Every one is the `same_answer`. They are for a recogniser to score, and no list of all that is accepted.
    """
    if rules.kind is AnswerKind.NUMBER:
        found = _number_spellings(text, rules)
    elif rules.kind is AnswerKind.SYMBOL:
        found = _symbol_spellings(text)
    else:
        found = _text_spellings(text, rules)
    right = [one for one in dict.fromkeys(found) if one and same_answer(one, text, rules)]
    return tuple(right[:MOST_SPELLINGS])


@lru_cache(maxsize=8192)
def _canonical(text: str, rules: AnswerRules) -> str:
    match rules.kind:
        case AnswerKind.NUMBER:
            number = _number(text, rules)
            return tidy_number(text) if number is None else number_key(number, rules) + number.unit
        case AnswerKind.SYMBOL:
            return _symbol(text, rules)
        case AnswerKind.TEXT:
            return _text(text, rules)


# Texts


def _text(text: str, rules: AnswerRules) -> str:
    plain = paper_form(_spaced(paper_form(text), rules))
    plain = plain.rstrip("。 ") or plain
    return _COUNTED.sub("か", _cased(_in_kana(plain, rules), rules))


def _spaced(text: str, rules: AnswerRules) -> str:
    return ("" if rules.spaces is Alike.SAME else " ").join(text.split())


def _in_kana(text: str, rules: AnswerRules) -> str:
    return katakana(text) if rules.kana is Alike.SAME else text


def _cased(text: str, rules: AnswerRules) -> str:
    return unicodedata.normalize("NFC", text.casefold()) if rules.case is Alike.SAME else text


def _text_spellings(text: str, rules: AnswerRules) -> Iterable[str]:
    plain = " ".join(single_form(text).split())
    bases = [plain, "".join(plain.split())]
    if rules.case is Alike.SAME:
        bases += [change(plain) for change in (str.lower, str.capitalize, str.upper)]
    if rules.kana is Alike.SAME:
        bases += [hiragana(plain), katakana(plain)]
    for base in bases:
        yield base
    for base in bases:
        yield from _counted_otherwise(base)


def _counted_otherwise(text: str) -> Iterable[str]:
    """3か月 as 3ヶ月, 3カ月 …; 関ヶ原 as 関ケ原."""
    yield from (_COUNTED_AS_WRITTEN.sub(one, text) for one in "かカヶケヵ")
    yield from (_BETWEEN_KANJI.sub(one, text) for one in "ケヶ")


# Symbols


def _symbol(text: str, rules: AnswerRules) -> str:
    plain = _bare(text)
    for fold in _symbol_folds(rules):
        plain = fold(plain)
    return plain


@lru_cache(maxsize=512)
def _symbol_folds(rules: AnswerRules) -> tuple[Callable[[str], str], ...]:
    """What is left out of account, short of making two of the choices the same."""
    choices, chosen = {_bare(one) for one in rules.choices}, []
    in_kana, cased = partial(_in_kana, rules=rules), partial(_cased, rules=rules)
    for fold in (_without_frame, _without_circles, paper_form, in_kana, cased):
        folded = {fold(one) for one in choices}
        if len(folded) == len(choices):
            choices = folded
            chosen.append(fold)
    return tuple(chosen)


def _bare(text: str) -> str:
    return single_form("".join(single_form(text).split()))


def _without_frame(text: str) -> str:
    """Without brackets around and full stops behind it: （ア） and ア. are ア."""
    while True:
        inside = text[1:-1] if len(text) > 2 and text[0] + text[-1] in _BRACKETS else text
        inside = inside.rstrip(".,。・") or inside
        if inside == text:
            return text
        text = inside


def _without_circles(text: str) -> str:
    return single_form("".join(map(uncircled, text)))


def _symbol_spellings(text: str) -> Iterable[str]:
    plain = "".join(single_form(text).split())
    inside = "".join(map(uncircled, _without_frame(plain)))
    yield from (plain, inside, circled(inside) or "", f"({inside})", f"「{inside}」", f"{inside}.")
    yield from (inside.lower(), inside.upper(), hiragana(inside), katakana(inside))


# Numbers


def _number(text: str, rules: AnswerRules) -> WrittenNumber | None:
    number = parse_number(text, rules.unit)
    return replace(number, unit=usable_unit(rules.unit)) if number and not number.unit else number


def _number_spellings(text: str, rules: AnswerRules) -> Iterable[str]:
    yield "".join(single_form(text).split()) if " " not in tidy_number(text) else single_form(text)
    number = _number(text, rules)
    if number is None:
        return
    bodies = [number_key(number, rules)]
    if number.value is not None:
        decimal = decimal_text(number.value)
        texts = [str(number.value), decimal, _with_commas(decimal)]
        bodies += [number.sign + one for one in texts if one and len(one) <= _LONGEST_SPELLING]
    is_printed = number.unit == usable_unit(rules.unit)
    units = (single_form(rules.unit) if is_printed else number.unit, "", *short_unit_names(number.unit))
    for unit, body in product(units, bodies):
        yield body + unit


def _with_commas(decimal: str | None) -> str | None:
    """1234.5 → 1,234.5."""
    whole, point, rest = (decimal or "").partition(".")
    return f"{int(whole):,}{point}{rest}" if whole else None
