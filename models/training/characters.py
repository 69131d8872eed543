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


def _level_1() -> str:
    """The 2,965 kanji of level 1 of JIS X 0208, its rows 16 to 47: those of names and places stand there too."""
    codes = (bytes((0xA0 + row, 0xA0 + cell)) for row in range(16, 48) for cell in range(1, 95))
    return "".join(code.decode("euc_jp", errors="ignore") for code in codes)


OTHER_KANJI = _level_1() + "胚腎鰓靭諡"
"""Kanji that school answers need beside those of everyday use."""


def line_classes(everyday: str) -> tuple[str, ...]:
    """Outputs of the line model, in order; the first stands for no character (the blank of CTC).

    Args:
        everyday: the kanji of everyday use; others that it shall know follow.
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
    return (NOTHING, *dict.fromkeys(others + everyday + OTHER_KANJI))
