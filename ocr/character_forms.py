"""One form for each character: what differs in width, encoding or dash alone is the same on paper.

Unicode's own compatibility form (NFKC, UAX #15) goes too far for exams: it makes ① a 1, x² an x2, ½ a 1⁄2 (so 1½ an
11⁄2). Here circled characters, exponents and fractions stay what they are.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_KEPT = ("<circle>", "<super>", "<fraction>")
"""Compatibility decompositions that would change the meaning."""
_SAME_SIGNS = {
    "゛": "\u3099", "゜": "\u309a",
    "〇": "○", "◯": "○", "⭕": "○",
    "✕": "×", "✖": "×", "✗": "×", "✘": "×", "❌": "×", "╳": "×",
    "▵": "△", "∆": "△",
    "✔": "✓", "☑": "✓",
    "~": "〜", "∼": "〜", "〰": "〜",
    "‘": "'", "’": "'", "′": "'", "`": "'",
    "“": '"', "”": '"', "″": '"',
    "·": "・", "•": "・", "∙": "・", "⋅": "・",
    "、": ",", "∶": ":", "⁄": "/", "∕": "/", "º": "°", "˚": "°",
    "≤": "≦", "≥": "≧",
}  # fmt: skip
_DASHES = "‐‑‒–—―−─━－ｰー-"
_DASHES_AND_BEFORE = re.compile(rf"([ぁ-ゖァ-ヺ]?)([{_DASHES}]+)")
_TYPED_EXPONENT = re.compile(r"\^\s*(\(\s*)?([+-]?\s*[0-9]+|n)(?(1)\s*\))")
_TO_EXPONENT = str.maketrans("0123456789+-n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ")
_FROM_EXPONENT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ", "0123456789+-n")
_LOOK_ALIKES = str.maketrans("へべぺ力二八口夕工卜ヶヵゖゕ", "ヘベペカニハロタエトケカケカ")
_ONE_AS_LONG_VOWEL = re.compile(r"(?<=[ァ-ヺ])一(?=[ァ-ヺ]|\Z)")


def single_form(text: str) -> str:
    """The text in its plain characters: half-width Latin and digits, full-width kana, one form of each sign.

    ア for ｱ, ㎠ → cm², 10^-3 → 10⁻³, ’ → '. Dashes after kana are long vowels, all others the sign "-". What a
    person could tell apart on paper stays apart: ①, x², ½, へ beside ケ and ヶ. Idempotent.
    """
    return _settle_dashes(_plain(text))


def paper_form(text: str) -> str:
    """`single_form`, with characters that nobody can tell apart on paper as one: へ and ヘ, 力 and カ, ヶ and ケ.

    For comparison only: ニ may stand for 二. Idempotent.
    """
    alike = _ONE_AS_LONG_VOWEL.sub("ー", _plain(text).translate(_LOOK_ALIKES))
    return _settle_dashes(unicodedata.normalize("NFC", alike))


def read_exponent(text: str) -> str:
    """The plain characters of an exponent: ⁻³ → -3."""
    return text.translate(_FROM_EXPONENT)


def write_exponent(text: str) -> str:
    """A whole number as an exponent: -3 → ⁻³."""
    return text.translate(_TO_EXPONENT)


def katakana(text: str) -> str:
    """The text with its hiragana as katakana."""
    return "".join(chr(ord(one) + 0x60) if "ぁ" <= one <= "ゖ" else one for one in text)


def hiragana(text: str) -> str:
    """The text with its katakana as hiragana."""
    return "".join(chr(ord(one) - 0x60) if "ァ" <= one <= "ヶ" else one for one in text)


def uncircled(character: str) -> str:
    """What stands inside a circled character: ㋐ → ア, ⑫ → 12; any other character as it is."""
    tag, _, inside = unicodedata.decomposition(character).partition(" ")
    if tag == "<circle>":
        return "".join(chr(int(code, 16)) for code in inside.split())
    if "CIRCLED" in unicodedata.name(character, "") and unicodedata.category(character) == "No":
        return str(int(unicodedata.numeric(character)))  # ❶: Unicode calls it no form of 1
    return character


@lru_cache(maxsize=256)
def circled(character: str) -> str | None:
    """The circled form of one letter, kana or number up to 20, if there is one: ア → ㋐, 12 → ⑫."""
    block = [*range(0x2460, 0x2474), *range(0x24B6, 0x24EB), *range(0x32D0, 0x32FF)]
    return next((chr(code) for code in block if uncircled(chr(code)) == character), None)


def _plain(text: str) -> str:
    """Everything of `single_form` that needs no look at the neighbours."""
    visible = "".join(one for one in text if not _is_invisible(one))
    composed = unicodedata.normalize("NFC", visible)
    return unicodedata.normalize("NFC", "".join(_character(one) for one in composed))


def _settle_dashes(text: str) -> str:
    settled = _DASHES_AND_BEFORE.sub(
        lambda found: found[1] + ("ー" if found[1] else "-") * len(found[2]), text
    )
    return _TYPED_EXPONENT.sub(lambda found: write_exponent("".join(found[2].split())), settled)


@lru_cache(maxsize=4096)
def _character(character: str) -> str:
    if character in _SAME_SIGNS:
        return _SAME_SIGNS[character]
    tag, _, parts = unicodedata.decomposition(character).partition(" ")
    if not tag.startswith("<") or tag in _KEPT or parts.startswith("0020 "):  # ´ is no space with an accent
        return character
    return "".join(_character(chr(int(code, 16))) for code in parts.split())


def _is_invisible(character: str) -> bool:
    """Format characters and variation selectors, which change no stroke."""
    return unicodedata.category(character) == "Cf" or "VARIATION SELECTOR" in unicodedata.name(character, "")
