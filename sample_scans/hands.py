"""Pupils' hands: the fonts that they start from, and every character as it comes out this time.

The fonts come from the operating system's packages or a folder of one's own and never travel with the
program (`sample_scans/README.md` names them and their licences). A `Hand` is one pupil's way of writing;
every glyph then is bent, sheared and turned a little differently from the one before.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from omr.design import Writing
from omr.errors import InputError
from sample_scans.pens import Coverage, Pen, choose_pen

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


def draw_character(
    character: str, size_px: float, hand: Hand, random: Generator, writing: Writing
) -> Coverage:
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


def advance(hand: Hand, character: str) -> float:
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
