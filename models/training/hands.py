"""Who writes the samples of training, calibration and tests: fonts, model strokes and real writers, never mixed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from models.training.glyphs import FontHand, Hand, MixedHand, PictureHand, by_writer, stroke_hand
from models.training.sources import (
    CALIBRATION_FONTS,
    TEST_FONTS,
    TRAINING_FONTS,
    Part,
    find_font,
    font_file_as_picture_source,
    load_pictures,
    load_strokes,
)

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.random import Generator

    from models.training.sources import Pictures, Polyline

_FONTS = {Part.TRAIN: TRAINING_FONTS, Part.CALIBRATION: CALIBRATION_FONTS, Part.TEST: TEST_FONTS}
_JAPANESE_FROM_FONTS = 0.45
_JAPANESE_FROM_WRITERS = 0.12
_LATIN_FROM_WRITERS = 0.7
_BRUSHES = ("Aoyagi", "aoyagi", "yuji", "potta", "darumadrop")
"""Brush and poster fonts, which come rarely."""


@dataclass(frozen=True, slots=True)
class Hands:
    """All who write for one part.

    Attributes:
        fonts: handwriting fonts, each with how often it comes (shares that sum to 1).
        font_shares: float64 (fonts,).
        strokes: model or recorded strokes of Japanese characters.
        kana_writers: real writers of kana.
        latin_writers: real writers of digits, letters and signs.
        words: English words and numbers by real writers.
    """

    fonts: tuple[FontHand, ...]
    font_shares: tuple[float, ...]
    strokes: dict[str, list[list[Polyline]]]
    kana_writers: tuple[PictureHand, ...]
    latin_writers: tuple[PictureHand, ...]
    words: Pictures

    def font(self, random: Generator) -> FontHand:
        """One of the fonts."""
        return self.fonts[int(random.choice(len(self.fonts), p=self.font_shares))]

    def japanese(self, random: Generator) -> Hand:
        """A hand for Japanese text."""
        follower = stroke_hand(self.strokes, random)
        draw = random.random()
        if draw < _JAPANESE_FROM_FONTS:
            return MixedHand((self.font(random), follower))
        if draw < _JAPANESE_FROM_FONTS + _JAPANESE_FROM_WRITERS and self.kana_writers:
            return MixedHand((_any(self.kana_writers, random), follower, self.font(random)))
        return MixedHand((follower, self.font(random)))

    def latin(self, random: Generator) -> Hand:
        """A hand for digits, letters and signs."""
        follower = stroke_hand(self.strokes, random)
        others: tuple[Hand, ...] = (self.font(random), follower)
        if random.random() < _LATIN_FROM_WRITERS:
            return MixedHand((_any(self.latin_writers, random), *others))
        return MixedHand(others if random.random() < 0.6 else others[::-1])


def load_hands(data: Path, font_folders: list[Path], cache: Path, part: Part) -> Hands:
    """Those who write for one part.

    Args:
        data: folder of the packs.
        font_folders: where handwriting fonts are looked for; ones that are not there are left out.
        cache: where web fonts are unpacked.
        part: what for.

    Raises:
        FileNotFoundError: no font of this part is there.
    """
    files = [(name, find_font(font_folders, name)) for name in _FONTS[part]]
    found = [(name, font_file_as_picture_source(path, cache)) for name, path in files if path]
    if not found:
        message = f"none of the fonts {', '.join(_FONTS[part])} is in {', '.join(map(str, font_folders))}"
        raise FileNotFoundError(message)
    weights = np.array([0.25 if name.startswith(_BRUSHES) else 1.0 for name, _ in found])
    latin = _merged_writers(data, part)
    return Hands(
        fonts=tuple(FontHand(path) for _, path in found),
        font_shares=tuple((weights / weights.sum()).tolist()),
        strokes=_strokes(data, part),
        kana_writers=tuple(by_writer(load_pictures(data, "kana").of(part)).values()),
        latin_writers=latin,
        words=load_pictures(data, "words_en").of(part),
    )


def _strokes(data: Path, part: Part) -> dict[str, list[list[Polyline]]]:
    """KanjiVG trains; strokes of tegaki and Tomoe, which may not, try the result."""
    if part is not Part.TEST:
        return load_strokes(data, "kanjivg_strokes")
    return load_strokes(data, "strokes_kanji_tomoe")


def _merged_writers(data: Path, part: Part) -> tuple[PictureHand, ...]:
    """Writers with all that they wrote in the packs of digits, letters and signs."""
    merged: dict[str, PictureHand] = {}
    for pack in ("latin", "digits", "symbols"):
        for writer, hand in by_writer(load_pictures(data, pack).of(part)).items():
            known = merged.setdefault(writer, PictureHand({}))
            known.pictures.update(hand.pictures)
    return tuple(merged.values())


def _any(hands: tuple[PictureHand, ...], random: Generator) -> PictureHand:
    return hands[int(random.integers(len(hands)))]
