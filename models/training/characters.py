"""The characters that the models know."""

from __future__ import annotations

HIRAGANA = "あいうえおかきくけこさしすせそたちつてとなにぬねのはひふへほまみむめもやゆよらりるれろわをん"
HIRAGANA_VOICED = "がぎぐげござじずぜぞだぢづでどばびぶべぼぱぴぷぺぽ"
HIRAGANA_SMALL = "ぁぃぅぇぉっゃゅょ"
KATAKANA = "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲン"
KATAKANA_VOICED = "ガギグゲゴザジズゼゾダヂヅデドバビブベボパピプペポヴ"
KATAKANA_SMALL = "ァィゥェォッャュョヵヶ"
CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LETTERS = "abcdefghijklmnopqrstuvwxyz"
DIGITS = "0123456789"
CIRCLED = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"
KANJI_NUMBERS = "一二三四五六七八九十"
SIGNS = "○×△✓□◎+−÷=<>.,/%°"
SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"
LINE_SIGNS = "ー々〆、。・「」()〜:;'!?-&√πΩα→"

NOTHING = ""
"""The class of crops in which nobody wrote: dust, smears, remains of lines."""
OTHER = "\N{REPLACEMENT CHARACTER}"
"""The class of what is none of the symbols: several characters, other characters, scribbles."""

SYMBOL_CLASSES: tuple[str, ...] = (
    NOTHING,
    OTHER,
    *HIRAGANA,
    *HIRAGANA_VOICED,
    *KATAKANA,
    *KATAKANA_VOICED,
    *CAPITALS,
    *LETTERS,
    *DIGITS,
    *CIRCLED,
    *KANJI_NUMBERS,
    *SIGNS,
)
"""Outputs of the symbol model, in order."""


def line_classes(kanji: str) -> tuple[str, ...]:
    """Outputs of the line model, in order; the first stands for no character (the blank of CTC).

    Args:
        kanji: all that it shall know.
    """
    others = (
        HIRAGANA
        + HIRAGANA_VOICED
        + HIRAGANA_SMALL
        + KATAKANA
        + KATAKANA_VOICED
        + KATAKANA_SMALL
        + CAPITALS
        + LETTERS
        + DIGITS
        + CIRCLED
        + SIGNS
        + SUPERSCRIPTS
        + LINE_SIGNS
    )
    return (NOTHING, *dict.fromkeys(others + kanji))
