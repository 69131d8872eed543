"""The characters that can occur in a question, and which other characters look just like them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LOOK_ALIKE = (
    "cC",
    "oO0○",
    "sS",
    "vV",
    "wW",
    "xX×",
    "zZ",
    "kK",
    "pP",
    "uU",
    "yY",
    "1lI",
    "−一ー-",
    "へヘ",
    "べベ",
    "ぺペ",
    "りリ",
    "ニ二",
    "ハ八",
    "ミ三",
    "□ロ口",
    "エ工",
    "カ力",
    "チ千",
    "ノ/",
    "+十",
    "セせ",
    "うラ",
)
"""Characters of one group can't be told apart once they are scaled to one size, or hardly."""
_STRANGER = 0.05
"""How often pupils write something that the question does not offer, against one of what it offers."""


class SymbolKind(StrEnum):
    """What sort of characters a question offers; each has its own line for what is safe to take."""

    DIGITS = "digits"
    LATIN = "latin"
    KANA = "kana"
    SIGNS = "signs"
    MIXED = "mixed"


@dataclass(frozen=True, slots=True, eq=False)
class Alphabet:
    """The characters that can occur, as seen from the classes of a model.

    Attributes:
        characters: that can occur, K of them.
        weights: from the model's classes to these and last to "none of these", float32 (classes, K + 1).
        kind: of the characters.
    """

    characters: tuple[str, ...]
    weights: NDArray[np.float32]
    kind: SymbolKind


@lru_cache(maxsize=512)
def narrow(classes: tuple[str, ...], choices: tuple[str, ...]) -> Alphabet | None:
    """The alphabet of a question; None where the model does not know one of its characters.

    A class that can't occur counts for the one that looks like it, in equal parts where there are several, else for
    "none of these".

    Args:
        classes: of the model.
        choices: of the question; without any, all classes can occur.
    """
    characters = tuple(dict.fromkeys(choices)) or tuple(one for one in classes if one and one.isprintable())
    if not set(characters) <= set(classes):
        return None
    weights = np.zeros((len(classes), len(characters) + 1), np.float32)
    for row, one in zip(weights, classes, strict=True):
        alike = [one] if one in characters else _alike(one, characters)
        for other in alike:
            row[characters.index(other)] = 1 / len(alike)
        if not alike:
            row[-1] = _STRANGER
    return Alphabet(characters, weights, _kind(characters))


def _alike(one: str, characters: tuple[str, ...]) -> list[str]:
    groups = [group for group in _LOOK_ALIKE if one and one in group]
    return [other for other in characters if any(other in group for group in groups)]


def _kind(characters: tuple[str, ...]) -> SymbolKind:
    if all(one in "0123456789①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳" for one in characters):
        return SymbolKind.DIGITS
    if all(one.isascii() and one.isalpha() for one in characters):
        return SymbolKind.LATIN
    if all("ぁ" <= one <= "ヶ" for one in characters):
        return SymbolKind.KANA
    if not any(one.isalnum() for one in characters):
        return SymbolKind.SIGNS
    return SymbolKind.MIXED
