"""Samples for the symbol model: one character, circled or in brackets at times, or what is no symbol at all."""

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
    HIRAGANA_VOICED,
    KANJI_NUMBERS,
    KATAKANA,
    KATAKANA_VOICED,
    LETTERS,
    NOTHING,
    OTHER,
    SIGNS,
)
from models.training.glyphs import SIDE
from models.training.paper import Scanner, bend, change_width
from ocr.ink import find_ink
from ocr.network_input import symbol_square

if TYPE_CHECKING:
    from numpy.random import Generator

    from models.training.hands import Hands
    from models.training.paper import ScannedCrop
    from ocr.ink import Gray

_KINDS: tuple[tuple[str, float], ...] = (
    (HIRAGANA, 0.15),
    (HIRAGANA_VOICED, 0.05),
    (KATAKANA, 0.18),
    (KATAKANA_VOICED, 0.05),
    (CAPITALS, 0.13),
    (LETTERS, 0.11),
    (DIGITS, 0.21),
    (CIRCLED, 0.05),
    (KANJI_NUMBERS, 0.025),
    (SIGNS, 0.075),
    (OTHER, 0.012),
    ("nothing", 0.05),
)
_ENCLOSED = 0.05
"""So often a character comes in brackets or a circle."""
_DRAWN = "✓÷°◎○△□"
_POLYLINES = {
    "✓": np.array([[0.1, 0.55], [0.4, 0.95], [0.95, 0.05]]),
    "△": np.array([[0.5, 0.0], [1.0, 0.95], [0.0, 0.95], [0.5, 0.0]]),
    "□": np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.0, 0.0]]),
}


@dataclass(frozen=True, slots=True)
class SymbolSample:
    """A crop and what stands in it.

    Attributes:
        crop: as scanned.
        label: one of `SYMBOL_CLASSES`.
    """

    crop: ScannedCrop
    label: str

    def square(self) -> Gray:
        """What the network is given."""
        return symbol_square(find_ink(self.crop.picture, self.crop.frame_px))


class SymbolMaker:
    """Makes samples without end from the hands of one part."""

    def __init__(self, hands: Hands, joyo: str, random: Generator) -> None:
        self._hands, self._joyo, self._random = hands, joyo, random
        self._scanner = Scanner(random)
        self._shares = np.array([share for _, share in _KINDS]) / sum(share for _, share in _KINDS)

    def sample(self) -> SymbolSample:
        """One of any class."""
        random = self._random
        kind = _KINDS[int(random.choice(len(_KINDS), p=self._shares))][0]
        if kind == "nothing":
            return self.sample_empty()
        if kind == OTHER:
            return SymbolSample(self._scanner.scan(self._resized(self._other()), random), OTHER)
        return self.sample_of(kind[int(random.integers(len(kind)))])

    def sample_of(self, character: str) -> SymbolSample:
        """One of the class given."""
        while True:
            drawn = self._draw(character)
            if drawn is not None:
                break
        random = self._random
        if random.random() < _ENCLOSED and character not in CIRCLED + SIGNS:
            drawn = self._enclose(drawn, can_circle=character not in DIGITS)
        ink = self._resized(change_width(bend(drawn, float(random.uniform(0.1, 0.8)), random), random))
        return SymbolSample(self._scanner.scan(ink, random), character)

    def sample_empty(self) -> SymbolSample:
        """A crop in which nobody wrote."""
        return SymbolSample(self._scanner.scan(self._no_writing(), self._random), NOTHING)

    def sample_faint(self, character: str) -> SymbolSample:
        """A character as faint as pencils leave it."""
        drawn = None
        while drawn is None:
            drawn = self._draw(character)
        ink = self._resized(bend(drawn, 0.5, self._random))
        depth = float(self._random.uniform(0.12, 0.3))
        return SymbolSample(self._scanner.scan(ink, self._random, depth=depth), character)

    def _draw(self, character: str) -> Gray | None:
        random, hands = self._random, self._hands
        if character in CIRCLED and random.random() < 0.8:
            return self._circled(str(CIRCLED.index(character) + 1))
        if character in _DRAWN and random.random() < 0.4:
            return _drawn_sign(character, random)
        is_latin = character in CAPITALS + LETTERS + DIGITS + SIGNS
        hand = hands.latin(random) if is_latin else hands.japanese(random)
        return hand.write(character, random)

    def _circled(self, digits: str) -> Gray | None:
        hand = self._hands.latin(self._random)
        parts = [hand.write(digit, self._random) for digit in digits]
        if any(part is None for part in parts):
            return None
        cut = [_tight(part, pad=2) for part in parts if part is not None]
        height = max(part.shape[0] for part in cut)
        row = np.hstack([_to_height(part, height) for part in cut])
        return _ring(row, self._random)

    def _enclose(self, drawn: Gray, *, can_circle: bool) -> Gray:
        random = self._random
        if can_circle and random.random() < 0.4:
            return _ring(_tight(drawn, pad=2), random)
        opening, closing = ("「", "」") if random.random() < 0.4 else ("(", ")")
        hand = self._hands.japanese(random)
        marks = [hand.write(mark, random) for mark in (opening, closing)]
        if marks[0] is None or marks[1] is None:
            return drawn
        cut = [_tight(part, pad=2) for part in (marks[0], drawn, marks[1])]
        height = max(part.shape[0] for part in cut)
        return np.hstack([_centred(part, height) for part in cut])

    def _other(self) -> Gray:
        """Other kanji, two characters, a crossed-out character, a scribble."""
        random = self._random
        draw = random.random()
        hand = self._hands.japanese(random)
        if draw < 0.35:
            drawn = hand.write(self._joyo[int(random.integers(len(self._joyo)))], random)
            return np.zeros((SIDE, SIDE), np.uint8) if drawn is None else drawn
        pool = KATAKANA + HIRAGANA + DIGITS + CAPITALS
        picks = [hand.write(pool[int(random.integers(len(pool)))], random) for _ in range(2)]
        parts = [_tight(part, pad=3) for part in picks if part is not None]
        if draw < 0.7 and len(parts) == 2:
            height = max(part.shape[0] for part in parts)
            return np.hstack([_centred(part, height) for part in parts])
        canvas = parts[0].copy() if draw < 0.85 and parts else np.zeros((SIDE, SIDE), np.uint8)
        height, width = canvas.shape
        turns = int(random.integers(5, 12))
        x = np.linspace(0.05, 0.95, turns) * width
        y = np.where(np.arange(turns) % 2, 0.1, 0.9) * height + random.normal(0, 3, turns)
        cv2.polylines(
            canvas,
            [np.column_stack((x, y)).astype(np.int32)],
            isClosed=False,
            color=255,
            thickness=3,
            lineType=cv2.LINE_AA,
        )
        return canvas

    def _no_writing(self) -> Gray:
        """Dust, a smear, a stray hair, an erased trace; on an otherwise empty canvas."""
        random = self._random
        canvas = np.zeros((int(random.integers(40, 80)), int(random.integers(40, 120))), np.uint8)
        height, width = canvas.shape
        draw = random.random()
        if draw < 0.4:
            for _ in range(int(random.integers(1, 8))):
                at = int(random.integers(width)), int(random.integers(height))
                cv2.circle(canvas, at, int(random.integers(1, 3)), int(random.integers(60, 255)), -1)
        elif draw < 0.7:
            noise = cv2.GaussianBlur(random.normal(0, 1, (height, width)).astype(np.float32), (0, 0), 6)
            canvas = np.clip(noise / max(float(np.abs(noise).max()), 1e-6) * 70, 0, 255).astype(np.uint8)
        else:
            edge = int(random.integers(0, 5))
            row = edge if random.random() < 0.5 else height - 1 - edge
            cv2.line(canvas, (0, row), (int(width * random.uniform(0.4, 1.0)), row), 220, 1)
        return canvas

    def _resized(self, ink: Gray) -> Gray:
        """The writing as large as scans show it."""
        tight = _tight(ink, pad=1)
        side = float(self._random.uniform(20, 72))
        scale = side / max(tight.shape)
        size = max(2, round(tight.shape[1] * scale)), max(2, round(tight.shape[0] * scale))
        return np.asarray(
            cv2.resize(tight, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR), np.uint8
        )


def _tight(ink: Gray, pad: int) -> Gray:
    rows, columns = np.flatnonzero(ink.max(axis=1) > 60), np.flatnonzero(ink.max(axis=0) > 60)
    if not rows.size or not columns.size:
        return ink
    cut = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return np.pad(cut, pad)


def _to_height(part: Gray, height: int) -> Gray:
    size = max(1, round(part.shape[1] * height / part.shape[0])), height
    return np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def _centred(part: Gray, height: int) -> Gray:
    above = (height - part.shape[0]) // 2
    return np.pad(part, ((above, height - part.shape[0] - above), (0, 0)))


def _ring(inside: Gray, random: Generator) -> Gray:
    """Something in a circle drawn by hand: open or overlapping, close or wide, touching at times."""
    height, width = inside.shape
    radius = 0.5 * np.hypot(height, width) * random.uniform(0.85, 1.35)
    reach = np.array([max(radius, width * 0.55), max(radius, height * 0.55)]) * random.uniform(0.9, 1.1, 2)
    angles = np.linspace(0, 2 * np.pi * random.uniform(0.93, 1.08), 40) + random.uniform(0, 2 * np.pi)
    wobble = 1 + 0.05 * np.sin(angles[:, np.newaxis] * random.uniform(1, 2) + random.uniform(0, 6, 2))
    points = np.column_stack((np.cos(angles), np.sin(angles))) * reach * wobble
    pad = (np.ceil(reach[::-1] * 1.12) - np.array([height, width]) / 2).astype(int).clip(2) + 2
    canvas = np.pad(inside, ((pad[0], pad[0]), (pad[1], pad[1])))
    middle = np.array(canvas.shape[::-1]) / 2 + random.normal(0, 1.5, 2)
    thickness = int(random.integers(2, 5))
    cv2.polylines(
        canvas,
        [np.round((points + middle) * 16).astype(np.int32)],
        isClosed=False,
        color=255,
        thickness=thickness,
        lineType=cv2.LINE_AA,
        shift=4,
    )
    return canvas


def _drawn_sign(character: str, random: Generator) -> Gray:
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    width = int(random.integers(2, 6))
    wobble = random.normal(0, 0.04, (8, 2))
    if character in _POLYLINES:
        corners = _POLYLINES[character]
        points = (corners + wobble[: len(corners)]) * 0.7 * SIDE + 0.15 * SIDE
        cv2.polylines(
            canvas,
            [points.astype(np.int32)],
            isClosed=False,
            color=255,
            thickness=width,
            lineType=cv2.LINE_AA,
        )
        return canvas
    middle = SIDE // 2
    if character == "÷":
        cv2.line(
            canvas,
            (12, middle + int(wobble[0, 0] * 60)),
            (52, middle + int(wobble[1, 0] * 60)),
            255,
            width,
            cv2.LINE_AA,
        )
        reach = int(random.integers(11, 20))
        for way in (-1, 1):
            at = (middle + int(wobble[2, 0] * 60), middle + way * reach)
            cv2.circle(canvas, at, int(random.integers(2, 5)), 255, -1, cv2.LINE_AA)
        return canvas
    radii = (22, int(random.integers(9, 15))) if character == "◎" else (int(random.integers(9, 24)),)
    for radius in radii:
        axes = int(radius * random.uniform(0.85, 1.1)), int(radius * random.uniform(0.85, 1.1))
        cv2.ellipse(
            canvas,
            (middle, middle),
            axes,
            float(random.uniform(0, 180)),
            8 * random.random(),
            352 + 8 * random.random(),
            255,
            width,
            cv2.LINE_AA,
        )
    return canvas
