"""Samples for the line model: words, numbers and short texts, running to the right or downward."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from models.training.characters import (
    CAPITALS,
    CIRCLED,
    DIGITS,
    HIRAGANA,
    HIRAGANA_SMALL,
    HIRAGANA_VOICED,
    KATAKANA,
    KATAKANA_SMALL,
    KATAKANA_VOICED,
    LETTERS,
    OTHER_KANJI,
)
from models.training.glyphs import SIDE
from models.training.paper import Scanner, bend, change_width, slant, wave
from ocr.ink import find_ink
from ocr.network_input import Direction, line_strip

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from models.training.hands import Hands
    from models.training.paper import ScannedCrop
    from ocr.ink import Gray

_VERTICAL = 0.22
_TRIES = 10
_OTHER_KANJI = 0.5
"""So often a kanji is drawn from all that the model shall know, not only from those of everyday use."""
_UNITS = (
    "cm",
    "cm²",
    "cm³",
    "m",
    "m²",
    "km",
    "mm",
    "g",
    "kg",
    "mg",
    "L",
    "mL",
    "%",
    "円",
    "個",
    "人",
    "本",
    "枚",
    "回",
    "倍",
    "秒",
    "分",
    "時",
    "時間",
    "度",
    "°",
    "°C",
    "km/h",
    "m/s",
    "m/s²",
    "N",
    "J",
    "W",
    "A",
    "V",
    "Ω",
    "Hz",
    "Pa",
    "hPa",
    "mol",
    "dL",
    "点",
    "年",
    "月",
    "日",
    "通り",
    "番目",
    "ページ",
    "g/cm³",
)
_COMMON_LETTERS = (
    "eeeeeeeeeeeetttttttttaaaaaaaaooooooooiiiiiiinnnnnnnsssssshhhhhhrrrrrrddddllllcccuuummmwwffggyyppbbvkjxqz"
)


@dataclass(frozen=True, slots=True)
class Strip:
    """What the network is given.

    Attributes:
        pixels: of the line, see `ocr.network_input.line_strip`.
        middles: of each character, pixels along the line from the strip's start, float32 (characters,); NaN where
            not known.
    """

    pixels: Gray
    middles: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class LineSample:
    """A crop and the text that stands in it.

    Attributes:
        crop: as scanned.
        text: what is written.
        direction: how it runs.
        middles: of each character along the crop as scanned, pixels, float32 (characters,); NaN where not known.
    """

    crop: ScannedCrop
    text: str
    direction: Direction
    middles: NDArray[np.float32]

    def strip(self) -> Strip:
        """What the network is given."""
        ink = find_ink(self.crop.picture, self.crop.frame_px)
        pixels = line_strip(ink, self.direction)
        along = 1 if self.direction is Direction.HORIZONTAL else 0
        working = ink.strength.shape[along] / self.crop.picture.shape[along]
        start, size = (ink.left, ink.width) if along else (ink.top, ink.height)
        margin = 4
        scale = (pixels.shape[along] - 2 * margin) / max(size, 1)
        return Strip(pixels, ((self.middles * working - start) * scale + margin).astype(np.float32))


class LineMaker:
    """Makes samples without end from the hands of one part."""

    def __init__(self, hands: Hands, joyo: str, random: Generator) -> None:
        self._hands, self._joyo, self._random = hands, joyo, random
        self._scanner = Scanner(random)

    def sample(self) -> LineSample:
        """A line of any kind."""
        while True:
            found = self._any()
            if found is not None:
                return found

    def _any(self) -> LineSample | None:
        random = self._random
        draw = random.random()
        if draw < 0.10 and len(self._hands.words.labels):
            return self._real_word()
        if draw < 0.68:
            vertical = random.random() < _VERTICAL / 0.58
            return self.sample_of(
                self._japanese_text(), Direction.VERTICAL if vertical else Direction.HORIZONTAL
            )
        return self.sample_of(self._number_text() if draw < 0.86 else self._latin_text())

    def sample_of(self, text: str, direction: Direction = Direction.HORIZONTAL) -> LineSample | None:
        """A line with the text given, by one hand; None where no hand that was tried knows all characters."""
        for _ in range(_TRIES):
            hand = (
                self._hands.latin(self._random) if text[0] < "\u0400" else self._hands.japanese(self._random)
            )
            glyphs = [glyph for one in text if (glyph := hand.write(one, self._random)) is not None]
            if len(glyphs) == len(text):
                ink, middles = self._lay_out(glyphs, text, direction)
                return self._scanned(ink, text, direction, middles)
        return None

    def _scanned(
        self, ink: Gray, text: str, direction: Direction, middles: NDArray[np.float32]
    ) -> LineSample:
        random = self._random
        along = 1 if direction is Direction.HORIZONTAL else 0
        scale = float(random.uniform(30, 64)) / SIDE
        size = max(2, round(ink.shape[1] * scale)), max(2, round(ink.shape[0] * scale))
        bent = wave(ink, 0.6, random) if random.random() < 0.5 else ink
        sized = np.asarray(
            cv2.resize(change_width(bent, random), size, interpolation=cv2.INTER_AREA), np.uint8
        )
        crop = self._scanner.scan(sized, random, room=(0.02, 0.5))
        return LineSample(crop, text, direction, middles * scale + crop.offset[along])

    def _real_word(self) -> LineSample:
        random = self._random
        words = self._hands.words
        at = int(random.integers(len(words.labels)))
        text = (
            str(words.labels[at]).replace("-", "−")
            if words.labels[at][0] in DIGITS + "-"
            else str(words.labels[at])
        )
        ink = bend(np.pad(words.images[at], 4), float(random.uniform(0.1, 0.5)), random)
        enlarged = np.asarray(cv2.resize(ink, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), np.uint8)
        unknown = np.full(len(text), np.nan, np.float32)
        return self._scanned(_tight_lines(enlarged), text, Direction.HORIZONTAL, unknown)

    def _lay_out(
        self, glyphs: list[Gray], text: str, direction: Direction
    ) -> tuple[Gray, NDArray[np.float32]]:
        """Characters one after the other, with the spacing and the drift of one hand."""
        random = self._random
        vertical = direction is Direction.VERTICAL
        along = 0 if vertical else 1
        gap = float(random.normal(5, 4))
        amount = float(random.uniform(0.1, 0.7))
        drift = float(random.normal(0, 0.03))
        size_noise = float(random.uniform(0, 0.08))
        parts: list[tuple[Gray, int, int]] = []
        middles: list[float] = []
        place, across_room = 0.0, SIDE // 2
        for glyph, character in zip(glyphs, text, strict=True):
            one = slant(glyph, amount, random)
            if vertical and character == "ー":
                one = np.ascontiguousarray(one.T)
            factor = float(np.exp(random.normal(0, size_noise)))
            if abs(factor - 1) > 0.02:
                one = np.asarray(
                    cv2.resize(one, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8
                )
            inked = np.flatnonzero(one.max(axis=1 - along) > 60)
            first, last = (int(inked[0]), int(inked[-1]) + 1) if inked.size else (0, 4)
            if vertical:
                first, last = _not_too_short(first, last, one.shape[0])
            start = max(0.0, place)
            across = int(random.normal(0, 2.0) + drift * start)
            cut = one[first:last] if vertical else one[:, first:last]
            parts.append((cut, round(start), across))
            middles.append(start + (last - first) / 2)
            place = start + (last - first) + max(-2.0, gap + random.normal(0, 2.5))
            across_room = max(across_room, abs(across) + one.shape[1 - along] // 2 + 1)
        length = max(start + part.shape[along] for part, start, _ in parts)
        canvas = np.zeros((length, 2 * across_room) if vertical else (2 * across_room, length), np.uint8)
        for part, start, across in parts:
            from_side = across_room + across - part.shape[1 - along] // 2
            rows = (
                slice(start, start + part.shape[0])
                if vertical
                else slice(from_side, from_side + part.shape[0])
            )
            columns = (
                slice(from_side, from_side + part.shape[1])
                if vertical
                else slice(start, start + part.shape[1])
            )
            canvas[rows, columns] = np.maximum(canvas[rows, columns], part)
        return canvas, np.array(middles, np.float32)

    def _japanese_text(self) -> str:
        random = self._random
        draw = random.random()
        length = int(
            random.choice([1, 2, 3, 4, 5, 6, 7, 8], p=[0.06, 0.22, 0.22, 0.2, 0.12, 0.09, 0.05, 0.04])
        )
        if draw < 0.5:
            return self._kanji(length)
        if draw < 0.62:
            return self._kanji(max(1, length // 2)) + self._pick(
                HIRAGANA + HIRAGANA_VOICED + "っょ々", max(1, length - length // 2)
            )
        if draw < 0.83:
            return self._kana(KATAKANA, KATAKANA_VOICED, KATAKANA_SMALL + "ーーーーーーンン", length + 1)
        if draw < 0.97:
            return self._kana(HIRAGANA, HIRAGANA_VOICED, HIRAGANA_SMALL + "っっょょゃー", length)
        mixed = "、。・「」()〜" + CAPITALS + DIGITS + CIRCLED + "○×△ヶ々〆"
        return self._pick(self._joyo + HIRAGANA, length) + self._pick(mixed, 1) + self._pick(self._joyo, 1)

    def _kana(self, plain: str, voiced: str, small: str, length: int) -> str:
        random = self._random
        pools = [plain, voiced, small]
        first = self._pick(plain + voiced, 1)
        return first + "".join(
            self._pick(pools[int(random.choice(3, p=[0.66, 0.17, 0.17]))], 1) for _ in range(length - 1)
        )

    def _number_text(self) -> str:
        random = self._random
        draw = random.random()
        digits = self._pick(DIGITS, int(random.choice([1, 2, 3, 4, 5], p=[0.3, 0.3, 0.2, 0.12, 0.08])))
        more = self._pick(DIGITS, int(random.integers(1, 3)))
        sign = "−" if random.random() < 0.22 else ""
        if draw < 0.32:
            text = digits
        elif draw < 0.48:
            text = f"{digits}.{more}"
        elif draw < 0.60:
            text = f"{digits}/{more}"
        elif draw < 0.66:
            text = f"{digits[:3]},{self._pick(DIGITS, 3)}"
        elif draw < 0.72:
            text = f"{digits}:{more}"
        elif draw < 0.80:
            text = (
                f"{digits}{self._pick('⁰¹²³⁴⁵⁶⁷⁸⁹', 1)}"
                if random.random() < 0.5
                else f"10⁻{self._pick('¹²³⁴⁵⁶⁷⁸⁹', 1)}"
            )
        elif draw < 0.94:
            text = self._formula(digits, more)
        else:
            text = f"{digits}×10{self._pick('²³⁴⁵⁶⁷⁸⁹', 1)}"
        if random.random() < 0.3:
            text += str(random.choice(_UNITS))
        return sign + text

    def _formula(self, digits: str, more: str) -> str:
        random = self._random
        letter = self._pick("xxxyyabcnmrtSVπ", 1)
        forms = (
            f"{letter}={digits}",
            f"{letter}=−{more}",
            f"{more}{letter}+{digits}",
            f"{letter}²−{more}",
            f"√{more}",
            f"{more}√{self._pick('23567', 1)}",
            f"({more},{digits[:2]})",
            f"{letter}>{more}",
            f"{digits}<{letter}",
            f"{more}π",
            f"{digits}÷{more}",
            f"{more}{letter}{self._pick('xyab', 1)}",
        )
        return forms[int(random.integers(len(forms)))]

    def _latin_text(self) -> str:
        random = self._random
        length = int(random.integers(1, 10))
        word = self._pick(_COMMON_LETTERS, length) if random.random() < 0.7 else self._pick(LETTERS, length)
        draw = random.random()
        if draw < 0.2:
            return word.capitalize()
        if draw < 0.32:
            return self._pick(CAPITALS, length)
        if draw < 0.36:
            return self._pick(CAPITALS, 1) + self._pick("OHNCaSl₂"[:-1] + DIGITS, int(random.integers(1, 4)))
        return word

    def _kanji(self, count: int) -> str:
        """Kanji, most of them of everyday use."""
        pools = (OTHER_KANJI if self._random.random() < _OTHER_KANJI else self._joyo for _ in range(count))
        return "".join(self._pick(pool, 1) for pool in pools)

    def _pick(self, pool: str, count: int) -> str:
        return "".join(pool[int(at)] for at in self._random.integers(len(pool), size=count))


def _not_too_short(first: int, last: int, size: int) -> tuple[int, int]:
    """In vertical lines even a flat character like 一 keeps some of its height."""
    missing = max(0, size // 3 - (last - first))
    return max(0, first - missing // 2), min(size, last + missing // 2)


def _tight_lines(ink: Gray) -> Gray:
    rows, columns = np.flatnonzero(ink.max(axis=1) > 60), np.flatnonzero(ink.max(axis=0) > 60)
    if not rows.size:
        return ink
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
