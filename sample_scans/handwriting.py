"""Pupils' handwriting: text in handwriting-style fonts, bent, sheared and thinned so that no two are alike.

The fonts come from the operating system's packages or a folder of one's own and never travel with the
program (`sample_scans/README.md` names them and their licences). A `Hand` is one pupil's way of writing;
every glyph then differs a little from the one before.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from omr.design import Writing
from omr.errors import InputError
from omr.geometry import Rectangle
from sample_scans.pens import Canvas, Coverage, Pen, choose_pen, lay_ink

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

FONT_FOLDERS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))
FONT_FILES = {
    "kiloji.ttf": 4,
    "kiloji_p.ttf": 4,
    "kiloji_d.ttf": 2,
    "KleeOne-Regular.ttf": 3,
    "KleeOne-SemiBold.ttf": 2,
    "setofont.ttf": 3,
    "YOzRCF.ttf": 3,
    "YOzRE_.ttf": 2,
    "YOzREX.ttf": 2,
    "YOzBC_.ttf": 1,
    "YuseiMagic-Regular.ttf": 1,
}
"""File names of the fonts, and how many pupils write like each in proportion."""
FONT_PACKAGES = (
    "fonts-kiloji",
    "fonts-klee",
    "fonts-seto",
    "fonts-yozvox-yozfont-cute",
    "fonts-yozvox-yozfont-edu",
    "fonts-yusei-magic",
)

_MISSING = "\uffff"  # no font has it, so it shows what a missing glyph looks like
_SMALL = frozenset("ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮ、。，．")
_TURNED = frozenset("ー－-〜～…（）()「」『』＝=")


@dataclass(frozen=True, slots=True)
class Hand:
    """One pupil's handwriting.

    Attributes:
        font: file of the font that it starts from.
        fallbacks: fonts for characters that it lacks.
        pen: what it is written with.
        size_mm: usual height of a character.
        slant: shear; positive leans right.
        squeeze: width against height.
        weight: pixels added to (or taken from) a glyph 128 px high.
        unrest: how much characters differ from each other, about 1.
        drift: rise of a line against its length.
    """

    font: Path
    fallbacks: tuple[Path, ...]
    pen: Pen
    size_mm: float
    slant: float
    squeeze: float
    weight: int
    unrest: float
    drift: float


def find_fonts(folder: Path | None = None) -> tuple[Path, ...]:
    """The handwriting-style fonts of this machine, in a fixed order.

    Args:
        folder: a folder of further fonts (.ttf, .otf) to use as well.

    Raises:
        InputError: none is installed; the message names the packages.
    """
    found = {path.name: path for place in FONT_FOLDERS for path in sorted(place.rglob("*.ttf"))}
    fonts = [found[name] for name in FONT_FILES if name in found]
    if folder is not None:
        fonts += sorted(path for path in folder.rglob("*") if path.suffix.lower() in {".ttf", ".otf"})
    if not fonts:
        raise InputError(f"手書き風フォントがありません。{'、'.join(FONT_PACKAGES)} を入れてください。")
    return tuple(fonts)


def choose_hand(fonts: Sequence[Path], random: Generator) -> Hand:
    """A pupil's hand."""
    shares = np.array([FONT_FILES.get(font.name, 2) for font in fonts], np.float64)
    font = fonts[int(random.choice(len(fonts), p=shares / shares.sum()))]
    return Hand(
        font=font,
        fallbacks=tuple(other for other in fonts if other != font),
        pen=choose_pen(random),
        size_mm=random.uniform(4.2, 6.2),
        slant=float(random.normal(0, 0.08)),
        squeeze=random.uniform(0.86, 1.08),
        weight=int(random.integers(-1, 3)),
        unrest=random.uniform(0.6, 1.9),
        drift=float(random.normal(0, 0.012)),
    )


def write_line(
    canvas: Canvas,
    text: str,
    place: Rectangle,
    hand: Hand,
    random: Generator,
    pixels_per_mm: float,
    *,
    writing: Writing = Writing.HORIZONTAL,
) -> None:
    """Write one line into a box: as large as the hand writes, smaller where the text is long.

    Args:
        canvas: the page, ink is added in place.
        text: without line breaks.
        place: the box, in mm from the canvas's corner.
        hand: whose writing.
        random: everything that varies comes from here.
        pixels_per_mm: scale of the canvas.
        writing: HORIZONTAL from the left, VERTICAL from the top.

    Raises:
        ValueError: a character that none of the hand's fonts has.
    """
    vertical = writing is Writing.VERTICAL
    length, depth = (place.h, place.w) if vertical else (place.w, place.h)
    advances = np.array([1.02 if vertical else _advance(hand, one) for one in text])
    wished = hand.size_mm * (1.45 if len(text) <= 4 else 1.0)  # short answers are written large
    size = min(wished, 0.8 * depth, 0.94 * length / advances.sum())
    free = length - size * advances.sum()
    start = free * (random.uniform(0.25, 0.65) if len(text) == 1 else random.uniform(0.08, 0.45))
    middle = depth / 2 + random.normal(0, 0.06) * (depth - size)
    middles = start + size * (np.cumsum(advances) - advances / 2)
    offsets = middle - hand.drift * (middles - length / 2) * (-1 if vertical else 1)
    if vertical:
        centres = np.column_stack([place.x + offsets, place.y + middles])
    else:
        centres = np.column_stack([place.x + middles, place.y + offsets])
    _write_at(canvas, text, centres, size, hand, random, pixels_per_mm, writing)


def write_in_squares(
    canvas: Canvas,
    text: str,
    squares: Sequence[Rectangle],
    hand: Hand,
    random: Generator,
    pixels_per_mm: float,
    *,
    writing: Writing = Writing.HORIZONTAL,
) -> None:
    """Write one character into each square (mm), as far as text and squares reach.

    Raises:
        ValueError: a character that none of the hand's fonts has.
    """
    count = min(len(text), len(squares))
    if not count:
        return
    size = min(hand.size_mm * 1.1, 0.86 * min(squares[0].w, squares[0].h))
    centres = np.array([square.centre for square in squares[:count]])
    _write_at(canvas, text[:count], centres, size, hand, random, pixels_per_mm, writing)


def write_lines(
    canvas: Canvas,
    text: str,
    lines: Sequence[Rectangle],
    hand: Hand,
    random: Generator,
    pixels_per_mm: float,
    *,
    writing: Writing = Writing.HORIZONTAL,
) -> None:
    """Write a longer text over ruled lines (mm), breaking where a line is full.

    Raises:
        ValueError: a character that none of the hand's fonts has.
    """
    vertical = writing is Writing.VERTICAL
    length = lines[0].h if vertical else lines[0].w
    depth = lines[0].w if vertical else lines[0].h
    advance = np.array([1.02 if vertical else _advance(hand, one) for one in text])
    size = min(hand.size_mm, 0.66 * depth, 0.93 * len(lines) * length / advance.sum() * 0.94)
    rest = text
    for line in lines:
        taken, used = 0, 0.0
        while taken < len(rest) and used < 0.93 * length:
            used += size * (1.02 if vertical else _advance(hand, rest[taken]))
            taken += 1
        while taken < len(rest) and rest[taken] in "、。":  # no line begins with a mark
            used += size * _advance(hand, rest[taken])
            taken += 1
        piece, rest = rest[:taken], rest[taken:]
        if not piece:
            return
        fitted = Rectangle(
            line.x, line.y, line.w if vertical else used * 1.08, used * 1.08 if vertical else line.h
        )
        write_line(canvas, piece, fitted, replace(hand, size_mm=size), random, pixels_per_mm, writing=writing)


def _write_at(
    canvas: Canvas,
    text: str,
    centres: NDArray[np.float64],
    size_mm: float,
    hand: Hand,
    random: Generator,
    pixels_per_mm: float,
    writing: Writing,
) -> None:
    """Write characters around the given middles (mm), all in one coat of ink."""
    margin = size_mm
    low = np.floor((centres.min(axis=0) - margin) * pixels_per_mm).astype(int)
    high = np.ceil((centres.max(axis=0) + margin) * pixels_per_mm).astype(int)
    low, high = np.maximum(low, 0), np.minimum(high, canvas.shape[::-1])
    if (high <= low).any():
        return
    coverage = np.zeros((high[1] - low[1], high[0] - low[0]), np.float32)
    for character, centre in zip(text, centres, strict=True):
        if not character.isspace():
            spot = centre + random.normal(0, 0.025 * hand.unrest * size_mm, 2)
            glyph = _vary(character, size_mm * pixels_per_mm, hand, random, writing)
            _put(coverage, glyph, spot * pixels_per_mm - low)
    region = canvas[low[1] : high[1], low[0] : high[0]]
    lay_ink(region, coverage, hand.pen, random, pixels_per_mm)


def _put(coverage: Coverage, glyph: Coverage, centre: NDArray[np.float64]) -> None:
    side = glyph.shape[0]
    x, y = np.rint(centre - side / 2).astype(int)
    x0, y0 = max(x, 0), max(y, 0)
    x1, y1 = min(x + side, coverage.shape[1]), min(y + side, coverage.shape[0])
    if x1 > x0 and y1 > y0:
        part = coverage[y0:y1, x0:x1]
        np.maximum(part, glyph[y0 - y : y1 - y, x0 - x : x1 - x], out=part)


def _vary(character: str, size_px: float, hand: Hand, random: Generator, writing: Writing) -> Coverage:
    """One character as it comes out this time, in a square of 1.6 times its size."""
    em = min(256, 16 * max(2, round(size_px * 1.4 / 16)))
    glyph = _glyph(_font_for(hand, character), character, em, hand.weight)
    side = round(1.6 * size_px)
    height = size_px / em * (1 + 0.05 * hand.unrest * random.normal())
    width = height * hand.squeeze * (1 + 0.04 * hand.unrest * random.normal())
    angle = 0.035 * hand.unrest * random.normal()
    slant = hand.slant + 0.03 * hand.unrest * random.normal()
    shift = (0.0, 0.0)
    if writing is Writing.VERTICAL:
        angle += np.pi / 2 * (character in _TURNED)
        shift = (0.12 * size_px, -0.12 * size_px) if character in _SMALL else shift
        shift = (0.55 * size_px, -0.55 * size_px) if character in "、。，．" else shift
    turn = np.array([(np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle))])
    matrix = turn @ np.array([(width, -slant * height), (0, height)])
    back = np.linalg.inv(matrix)
    y, x = np.mgrid[:side, :side].astype(np.float32)
    x -= np.float32((side - 1) / 2 + shift[0])
    y -= np.float32((side - 1) / 2 + shift[1])
    middle = (glyph.shape[0] - 1) / 2
    bend = 0.022 * em * hand.unrest * random.uniform(0.3, 1.0, 2)
    phase = random.uniform(0, 2 * np.pi, 2)
    wave = 2 * np.pi / (1.5 * size_px)
    from_x = back[0, 0] * x + back[0, 1] * y + middle + bend[0] * np.sin(wave * y + phase[0])
    from_y = back[1, 0] * x + back[1, 1] * y + middle + bend[1] * np.sin(wave * x + phase[1])
    drawn = cv2.remap(glyph, from_x.astype(np.float32), from_y.astype(np.float32), cv2.INTER_LINEAR)
    return np.asarray(drawn, np.float32) * np.float32(1 / 255)


@lru_cache(maxsize=20000)
def _glyph(font: Path, character: str, em: int, weight: int) -> NDArray[np.uint8]:
    """A glyph centred in a square of 1.5 em, made bolder or thinner; `em` in pixels."""
    large = 128
    image = Image.new("L", (192, 192), 0)
    ImageDraw.Draw(image).text((96, 96 + 0.37 * large), character, 255, _open(font, large), anchor="ms")
    pixels = np.asarray(image, np.uint8)
    if weight:
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * abs(weight) + 1, 2 * abs(weight) + 1))
        pixels = np.asarray((cv2.dilate if weight > 0 else cv2.erode)(pixels, kernel), np.uint8)
    side = round(1.5 * em)
    way = cv2.INTER_AREA if side < large else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, (side, side), interpolation=way), np.uint8)


@lru_cache(maxsize=20000)
def has_ink(font: Path, character: str) -> bool:
    """Whether a font really draws a character: a character map may list glyphs without ink."""
    face = _open(font, 64)
    mask = face.getmask(character)
    return mask.getbbox() is not None and bytes(mask) != bytes(face.getmask(_MISSING))


def _font_for(hand: Hand, character: str) -> Path:
    for font in (hand.font, *hand.fallbacks):
        if has_ink(font, character):
            return font
    raise ValueError(f"no handwriting font has {character!r}")


def _advance(hand: Hand, character: str) -> float:
    """Width of a character in its own sizes, as this hand writes it."""
    if character.isspace():
        return 0.4
    return _width(_font_for(hand, character), character) * hand.squeeze


@lru_cache(maxsize=20000)
def _width(font: Path, character: str) -> float:
    return float(_open(font, 64).getlength(character)) / 64


@lru_cache(maxsize=64)
def _open(font: Path, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(font), size, layout_engine=ImageFont.Layout.BASIC)
