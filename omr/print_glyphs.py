"""Single printed characters from their pixels: the few that number questions and name the boxes of a sheet.

A glyph is described by the directions of its strokes in a grid of places (histograms of oriented gradients, Dalal
and Triggs 2005) and compared with those of the bundled font; directions hardly differ between Gothic and Mincho.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from omr.fonts import FONT_PATH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

UNKNOWN = "〓"
"""Stands for a printed character that is none of the known ones (the printers' sign for a missing type)."""

_NUMBERS = "0123456789一二三四五六七八九十①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"
_LETTERS = "アイウエオカキクケコサシスセソタチツテトABCDEFGH"
_SIGNS = "()[]【】〔〕「」/=％・"
_VERTICAL_SIGNS = dict(zip("()「」【】〔〕", "︵︶﹁﹂︻︼︹︺", strict=True))  # turned clockwise
_WORDS = "問第大設氏名前年組番号出席学級得点計合小総配評価採検印知識技能思考判断表現主体的答え解答観科目教記語句理由模範例"
# Not used by any rule; they keep other print from being taken for what is.
_OTHERS = (
    "あいうおかがきくけげこさしすせそただちつてでとどなにねのはばひふへほまみむめもやゆよらりるれろわをん"
    "ガギグゲゴザジズゼゾダヂヅデドナヌネノバヒフヘホマミムメモヤユヨラリルレワンッャュョ"
    "用紙期末中欄書次文章途算数国英社公民地歴史生物化保健体育音楽美術家庭情報総自由完成図式値円秒時分月日曜人個本枚以下上"
    "IJKLMNOPQRSTUVWXYZaefghijkmnoprstuvwxy"
)
_FAMILIES = ("1lI", "0Oo")  # hardly different shapes; the first is meant
_SIDE = 32
_INK_SIDE = 28
_PLACES = 8
_DIRECTIONS = 8
_BLUR = 1.0  # of the square; evens out how sharp scans are
_LEAST_LIKENESS = 0.85
_LEAST_LEAD = 0.006  # before the next best character


@dataclass(frozen=True, slots=True)
class GlyphReading:
    """What a glyph says.

    Attributes:
        text: the character, `UNKNOWN` where none is like enough.
        likeness: to the most like known character, 0 to 1.
    """

    text: str
    likeness: float


def read_glyphs(glyphs: Sequence[NDArray[np.uint8]]) -> list[GlyphReading]:
    """Read cut-out characters.

    Args:
        glyphs: 0 paper to 255 ink, each cut to its ink.
    """
    if not glyphs:
        return []
    characters, known = _known_glyphs()
    likeness = _describe(glyphs) @ known.T
    best = likeness.argmax(axis=1)
    rows = np.arange(len(glyphs))
    top = likeness[rows, best]
    family = np.array([_family(one) for one in characters])
    others = np.where(family[None, :] == family[best][:, None], -1, likeness)
    is_sure = (top >= _LEAST_LIKENESS) & (top - others.max(axis=1) >= _LEAST_LEAD)
    return [
        GlyphReading(_family(characters[index]) if sure else UNKNOWN, float(value))
        for index, sure, value in zip(best, is_sure, top, strict=True)
    ]


def _family(character: str) -> str:
    """The character that this one is read as: of hardly different ones the first."""
    return next((family[0] for family in _FAMILIES if character in family), character)


@cache
def _known_glyphs() -> tuple[list[str], NDArray[np.float32]]:
    """The known characters and their descriptions, in three weights of stroke."""
    font = ImageFont.truetype(str(FONT_PATH), 56)
    drawings = {
        one: _draw(one, font) for one in dict.fromkeys(_NUMBERS + _LETTERS + _SIGNS + _WORDS + _OTHERS)
    }
    drawings |= {turned: np.rot90(drawings[one], -1) for one, turned in _VERTICAL_SIGNS.items()}
    characters, glyphs = [], []
    for one, drawn in drawings.items():
        for kernel in (0, 3, -3):
            square = np.ones((abs(kernel), abs(kernel)), np.uint8)
            weight = drawn if not kernel else (cv2.dilate if kernel > 0 else cv2.erode)(drawn, square)
            rows, columns = np.nonzero(weight > 127)
            if not len(rows):
                continue
            characters.append(one)
            cut = weight[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
            glyphs.append(np.asarray(cut, np.uint8))
    return characters, _describe(glyphs)


def _draw(character: str, font: ImageFont.FreeTypeFont) -> NDArray[np.uint8]:
    image = Image.new("L", (96, 96), 0)
    ImageDraw.Draw(image).text((20, 16), character, font=font, fill=255)
    return np.asarray(image, np.uint8)


def _describe(glyphs: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
    """Unit vectors, shape (n, places² · directions)."""
    squares = np.stack([_in_square(one) for one in glyphs]).astype(np.float32)
    down, across = np.gradient(squares, axis=(1, 2))
    strength = np.hypot(down, across)
    angle = (np.arctan2(down, across) % np.pi) / np.pi * _DIRECTIONS
    low = np.floor(angle).astype(np.int64) % _DIRECTIONS
    part = (angle - np.floor(angle)).astype(np.float32)
    step = _SIDE // _PLACES
    planes = []
    for direction in range(_DIRECTIONS):
        weight = np.where(low == direction, 1 - part, 0) + np.where(
            (low + 1) % _DIRECTIONS == direction, part, 0
        )
        plane = (strength * weight).reshape(-1, _PLACES, step, _PLACES, step).sum(axis=(2, 4))
        planes.append(_spread(plane))
    features = np.sqrt(np.stack(planes, axis=-1)).reshape(len(glyphs), -1)
    length = np.linalg.norm(features, axis=1, keepdims=True)
    return np.asarray(features / np.maximum(length, 1e-6), np.float32)


def _spread(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    """A part of each place's strength given to its neighbours, so that a small shift changes little."""
    padded = np.pad(plane, ((0, 0), (1, 1), (1, 1)))
    across = padded[:, :, :-2] + 2 * padded[:, :, 1:-1] + padded[:, :, 2:]
    return np.asarray(across[:, :-2] + 2 * across[:, 1:-1] + across[:, 2:], np.float32)


def _in_square(glyph: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The glyph in the middle of a square, its proportions kept."""
    high, wide = glyph.shape
    scale = _INK_SIDE / max(high, wide)
    size = (max(1, round(wide * scale)), max(1, round(high * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    scaled = cv2.resize(glyph, size, interpolation=method)
    top, left = (_SIDE - size[1]) // 2, (_SIDE - size[0]) // 2
    square = np.zeros((_SIDE, _SIDE), np.uint8)
    square[top : top + size[1], left : left + size[0]] = scaled
    return np.asarray(cv2.GaussianBlur(square, (0, 0), _BLUR), np.uint8)
