"""Single written characters: drawn by a hand, which is a font, a set of model strokes, or a real writer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from models.training.characters import (
    CAPITALS,
    CIRCLED,
    DIGITS,
    HIRAGANA_SMALL,
    KATAKANA_SMALL,
    LETTERS,
    SUPERSCRIPTS,
)
from models.training.strokes import Haste, choose_haste, draw_strokes

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.random import Generator
    from numpy.typing import NDArray

    from models.training.sources import Pictures, Polyline
    from ocr.ink import Gray

SIDE = 64
"""Pixels of the square in which a character stands on its line (the em box and an eighth around it)."""
_EM = 48
_LEAST_INK = 6
_NOWHERE = "\U000f0f0f"
"""A character that no font has."""
_SUPERSCRIPT = dict(zip(SUPERSCRIPTS, "0123456789−", strict=True))
_SAME_GLYPH = {"−": "-", "〜": "~"}


class Hand(Protocol):
    """Somebody who can write characters."""

    def write(self, character: str, random: Generator) -> Gray | None:
        """The character in its em box, uint8 (SIDE, SIDE), ink 255; None where this hand does not know it."""


@dataclass(slots=True)
class FontHand:
    """A handwriting font; pictures are kept once drawn."""

    path: Path
    drawn: dict[str, Gray | None] = field(default_factory=dict)
    font: ImageFont.FreeTypeFont | None = None
    missing: Gray | None = None

    def write(self, character: str, random: Generator) -> Gray | None:  # noqa: ARG002 as the protocol says
        """See `Hand`. Glyphs without ink and the font's box for missing ones count as unknown."""
        if character not in self.drawn:
            self.drawn[character] = self._draw(character)
        return self.drawn[character]

    def _draw(self, character: str) -> Gray | None:
        if self.font is None:
            self.font = ImageFont.truetype(str(self.path), _EM)
            self.missing = self._picture(_NOWHERE)
        drawn = self._picture(character)
        if int((drawn > 100).sum()) < _LEAST_INK:
            return None
        if self.missing is not None and self.missing.any() and np.array_equal(drawn, self.missing):
            return None
        return drawn

    def _picture(self, character: str) -> Gray:
        picture = Image.new("L", (SIDE, SIDE), 0)
        assert self.font is not None
        width = self.font.getlength(character)
        ascent, descent = self.font.getmetrics()
        top = (SIDE - (ascent + descent)) / 2
        ImageDraw.Draw(picture).text(((SIDE - width) / 2, top), character, fill=255, font=self.font)
        return np.asarray(picture)


@dataclass(frozen=True, slots=True)
class StrokeHand:
    """Somebody who follows model strokes or repeats recorded ones, in a hurry of their own.

    Attributes:
        strokes: by character, one or more samples.
        haste: of this hand.
        fills: recorded characters fill their square and are set into their place on the line.
    """

    strokes: dict[str, list[list[Polyline]]]
    haste: Haste
    fills: bool = False

    def write(self, character: str, random: Generator) -> Gray | None:
        """See `Hand`."""
        samples = self.strokes.get(character)
        if not samples:
            return None
        drawn = draw_strokes(samples[int(random.integers(len(samples)))], SIDE, self.haste, random)
        return set_in_place(drawn, character) if self.fills else drawn


@dataclass(frozen=True, slots=True)
class PictureHand:
    """A real writer, by the pictures of what they wrote; each scaled to fill its own, so set back into place.

    Attributes:
        pictures: of one writer or of several, by character, uint8 (n, height, width).
    """

    pictures: dict[str, Gray]

    def write(self, character: str, random: Generator) -> Gray | None:
        """See `Hand`."""
        samples = self.pictures.get(_SAME_GLYPH.get(character, character))
        if samples is None:
            samples = self.pictures.get(character)
        if samples is None or not len(samples):
            return None
        return set_in_place(samples[int(random.integers(len(samples)))], character)


@dataclass(frozen=True, slots=True)
class MixedHand:
    """A hand for all characters: the first of several that knows one writes it."""

    hands: tuple[Hand, ...]

    def write(self, character: str, random: Generator) -> Gray | None:
        """See `Hand`."""
        small = _SUPERSCRIPT.get(character)
        for hand in self.hands:
            drawn = hand.write(small or character, random)
            if drawn is not None:
                return raised(drawn) if small else drawn
        return None


def by_writer(pictures: Pictures) -> dict[str, PictureHand]:
    """One hand for each writer of a pack."""
    names = np.char.add(np.char.add(pictures.sources, "/"), pictures.writers)
    order = np.argsort(names, kind="stable")
    values, starts = np.unique(names[order], return_index=True)
    return {
        name: by_label(pictures.images[chosen], pictures.labels[chosen])
        for name, chosen in zip(values.tolist(), np.split(order, starts[1:]), strict=True)
    }


def by_label(images: NDArray[np.uint8], labels: NDArray[np.str_]) -> PictureHand:
    """One hand of all the samples given."""
    order = np.argsort(labels, kind="stable")
    values, starts = np.unique(labels[order], return_index=True)
    pieces = np.split(images[order], starts[1:])
    return PictureHand(dict(zip(values.tolist(), pieces, strict=True)))


def stroke_hand(strokes: dict[str, list[list[Polyline]]], random: Generator) -> StrokeHand:
    """A new hand that follows model strokes."""
    return StrokeHand(strokes, choose_haste(random))


def set_in_place(picture: Gray, character: str) -> Gray:
    """A character that fills its picture, at the size and height at which it stands on a line."""
    rows, columns = np.flatnonzero(picture.max(axis=1) > 60), np.flatnonzero(picture.max(axis=0) > 60)
    placed = np.zeros((SIDE, SIDE), np.uint8)
    if not rows.size or not columns.size:
        return placed
    tight = picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    share, middle = _size_and_middle(character)
    scale = share * _EM / max(tight.shape)
    size = max(1, round(tight.shape[1] * scale)), max(1, round(tight.shape[0] * scale))
    part = cv2.resize(tight, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    top = int(np.clip(SIDE / 2 + middle * _EM - part.shape[0] / 2, 0, SIDE - part.shape[0]))
    left = (SIDE - part.shape[1]) // 2
    placed[top : top + part.shape[0], left : left + part.shape[1]] = part
    return placed


def raised(drawn: Gray) -> Gray:
    """A character as an exponent: small, in the upper half of its box."""
    placed = np.zeros_like(drawn)
    small = cv2.resize(drawn, None, fx=0.55, fy=0.55, interpolation=cv2.INTER_AREA)
    placed[: small.shape[0], (SIDE - small.shape[1]) // 2 : (SIDE - small.shape[1]) // 2 + small.shape[1]] = (
        small
    )
    return placed


_LOW = dict.fromkeys("gpqy", (0.72, 0.22)) | dict.fromkeys("acemnorsuvwxz", (0.55, 0.12))
_SIGN_PLACES = {
    ".": (0.12, 0.38),
    ",": (0.2, 0.42),
    "、": (0.22, 0.36),
    "。": (0.24, 0.36),
    "-": (0.45, 0.0),
    "−": (0.5, 0.0),
    "+": (0.6, 0.02),
    "=": (0.55, 0.02),
    "×": (0.5, 0.04),
    "°": (0.25, -0.32),
    ":": (0.45, 0.1),
    ";": (0.5, 0.12),
    "'": (0.2, -0.35),
    "ー": (0.75, 0.0),
    "~": (0.6, 0.0),
    "〜": (0.7, 0.0),
}


def _size_and_middle(character: str) -> tuple[float, float]:
    """Larger side as a share of the em box, and how far the middle stands below that of the box."""
    if character in _LOW:
        return _LOW[character]
    if character in _SIGN_PLACES:
        return _SIGN_PLACES[character]
    if character in CAPITALS or character in LETTERS or character in DIGITS:
        return 0.82, 0.0
    if character in HIRAGANA_SMALL or character in KATAKANA_SMALL:
        return 0.58, 0.14
    return (0.95, 0.0) if character in CIRCLED else (0.88, 0.0)
