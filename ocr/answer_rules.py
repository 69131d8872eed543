"""What a teacher takes for the same answer: the switches of an exam, for one question."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class AnswerKind(StrEnum):
    """What is written into a box."""

    SYMBOL = "symbol"
    NUMBER = "number"
    TEXT = "text"


class Alike(StrEnum):
    """Whether two ways of writing are the same answer."""

    SAME = "same"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class AnswerRules:
    """When two written answers are the same. The defaults are what most teachers do without saying so.

    Full and half width, ①'s of one form, long vowels and dashes, ヶ and ケ, ㎝ and cm, 1,200 and 1200 are always the
    same; numbers are compared by their exact value.

    Attributes:
        kind: what is written.
        choices: of a symbol, the characters that can occur. No rule makes two of them the same.
        unit: of a number, the unit (単位) printed behind the box, which every number then has.
        case: A and a.
        kana: あ and ア, of symbols and texts.
        spaces: with and without spaces, in texts. Between the digits of numbers they always count.
        missing_unit: 12 and 12cm; never 12cm and 12m.
        fraction: 1/2 and 0.5.
        power: 10⁻³ and 0.001.
        unreduced: 2/4 and 1/2, 4:6 and 2:3.
        trailing_zeros: 0.50 and 0.5; different where significant figures (有効数字) count.
    """

    kind: AnswerKind
    choices: tuple[str, ...] = ()
    unit: str = ""
    case: Alike = Alike.DIFFERENT
    kana: Alike = Alike.DIFFERENT
    spaces: Alike = Alike.SAME
    missing_unit: Alike = Alike.SAME
    fraction: Alike = Alike.SAME
    power: Alike = Alike.DIFFERENT
    unreduced: Alike = Alike.DIFFERENT
    trailing_zeros: Alike = Alike.SAME
