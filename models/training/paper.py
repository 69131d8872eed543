"""From ink to a scanned crop: pens and pencils, paper, printed frames, and what scanners do."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from ocr.ink import Gray

_NOISE_SIDE = 512


@dataclass(frozen=True, slots=True)
class ScannedCrop:
    """A crop as the reader of scans would hand it over.

    Attributes:
        picture: grey, uint8 (height, width).
        frame_px: where the printed frame stands, as `ocr.ink.find_ink` takes it; 0 where it is not told.
        offset: rows and columns of paper before the writing.
    """

    picture: Gray
    frame_px: float
    offset: tuple[int, int] = (0, 0)


def bend(ink: Gray, amount: float, random: Generator) -> Gray:
    """Writing slanted, turned and stretched, half of the time bent smoothly too.

    Args:
        ink: uint8 (height, width), 255 ink.
        amount: 0 none to about 1.
        random: source of chance.
    """
    slanted = slant(ink, amount, random)
    return wave(slanted, amount, random) if random.random() < 0.5 else slanted


def slant(ink: Gray, amount: float, random: Generator) -> Gray:
    """Writing slanted, turned and stretched about its middle; arguments as for `bend`."""
    height, width = ink.shape
    lean, turn, log_x, log_y = random.normal(
        0, (0.16 * amount, 0.08 * amount, 0.1 * amount, 0.1 * amount)
    ).tolist()
    cosine, sine = math.cos(turn), math.sin(turn)
    wide, high = math.exp(log_x), math.exp(log_y)
    a, b, c, d = cosine * wide, cosine * lean - sine * high, sine * wide, sine * lean + cosine * high
    x, y = width / 2, height / 2
    affine = np.array([[a, b, x - a * x - b * y], [c, d, y - c * x - d * y]], np.float32)
    return cast("Gray", cv2.warpAffine(ink, affine, (width, height), flags=cv2.INTER_LINEAR))


def wave(ink: Gray, amount: float, random: Generator) -> Gray:
    """Writing bent smoothly; arguments as for `bend`."""
    height, width = ink.shape
    side = min(height, width)
    coarse = random.normal(0, 0.035 * amount * side, (4, max(4, round(4 * width / side)), 2))
    shift = cv2.resize(coarse.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    x, y = cv2.split(shift + _grid(height, width))
    return cast("Gray", cv2.remap(ink, x, y, cv2.INTER_LINEAR))


@lru_cache(maxsize=64)
def _grid(height: int, width: int) -> NDArray[np.float32]:
    return np.dstack(np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)))


def change_width(ink: Gray, random: Generator) -> Gray:
    """Strokes made thicker or thinner, sometimes with small gaps."""
    draw = random.random()
    if draw < 0.45:
        return ink
    if draw < 0.7:
        side = 2 if random.random() < 0.6 else 3
        return cast("Gray", cv2.dilate(ink, np.ones((side, side), np.uint8)))
    blurred = cv2.GaussianBlur(ink, (0, 0), float(random.uniform(0.8, 1.6)))
    line = random.uniform(60, 150)
    levels = np.clip((np.arange(256) - line + 40) * 3.2, 0, 255).astype(np.uint8)
    thinned = cast("Gray", cv2.LUT(blurred, levels))
    return thinned if int((thinned > 120).sum()) > 0.4 * int((ink > 120).sum()) else ink


class Scanner:
    """Turns ink into crops; keeps a tile of noise, since drawing it anew takes longer than all the rest."""

    def __init__(self, random: Generator) -> None:
        self._noise = random.standard_normal((_NOISE_SIDE, _NOISE_SIDE)).astype(np.float32)

    def scan(
        self,
        ink: Gray,
        random: Generator,
        *,
        room: tuple[float, float] = (0.02, 0.6),
        depth: float | None = None,
    ) -> ScannedCrop:
        """A crop with this writing on it.

        Args:
            ink: the writing, uint8 (height, width), as large as it shall come out.
            random: source of chance.
            room: the least and the most free paper around it, as shares of its smaller side.
            depth: of a pencil, the share of light that it takes; drawn by chance where it is not given.
        """
        margins = np.round(random.uniform(*room, 4) * min(ink.shape)).astype(int) + 1
        framed, frame_px, frame = self._frame(random)
        if framed:
            margins = margins + frame + 2
        top, bottom, left, right = margins.tolist()
        covered = np.pad(ink, ((top, bottom), (left, right)))
        height, width = covered.shape
        paper = self._paper(height, width, random)
        taken = self._pen(covered, random, depth)
        if framed:
            taken = np.maximum(taken, _frame_lines(height, width, frame, random))
        if random.random() < 0.3:
            _add_dust(taken, random)
        gray = paper * (1 - taken / np.float32(255))
        return ScannedCrop(self._expose(gray, covered, random), frame_px if framed else 0.0, (top, left))

    @staticmethod
    def _frame(random: Generator) -> tuple[bool, float, int]:
        """Whether a frame is in the crop, where that is told, and how far from the edges it stands."""
        if random.random() < 0.55:
            return False, 0.0, 0
        frame = int(random.integers(0, 14))
        known = frame >= 3 and random.random() < 0.75
        return True, frame + random.uniform(2.0, 4.0) if known else 0.0, frame

    def _paper(self, height: int, width: int, random: Generator) -> NDArray[np.float32]:
        white = float(random.uniform(195, 255))
        paper = np.full((height, width), white, np.float32)
        if random.random() < 0.3:
            slope = random.normal(0, 25, 2)
            paper += (
                slope[0] * np.linspace(-0.5, 0.5, height, dtype=np.float32)[:, np.newaxis]
                + slope[1] * np.linspace(-0.5, 0.5, width, dtype=np.float32)
            ).astype(np.float32)
        return paper

    def _pen(self, ink: Gray, random: Generator, depth: float | None) -> NDArray[np.float32]:
        """How much of the light the writing takes, float32, 0 to 255."""
        is_pencil = depth is not None or random.random() < 0.6
        if depth is None:
            depth = float(random.uniform(0.15, 0.8) if is_pencil else random.uniform(0.6, 0.97))
        taken = ink.astype(np.float32) * depth
        if is_pencil:
            grain = self._tile(ink.shape, random)
            taken *= np.clip(1 + random.uniform(0.05, 0.4) * grain, 0.25, 1.2)
        return taken

    def _expose(self, gray: NDArray[np.float32], ink: Gray, random: Generator) -> Gray:
        if random.random() < 0.6:
            blurred = cv2.GaussianBlur(gray, (0, 0), float(random.uniform(0.4, 1.1)))
            gray = np.asarray(blurred, np.float32)
        noise = random.choice([0.0, 2.0, 5.0, 10.0], p=[0.3, 0.4, 0.2, 0.1])
        if noise:
            gray = gray + np.float32(noise) * self._tile(gray.shape, random)
        seen = np.clip(gray, 0, 255).astype(np.uint8)
        draw = random.random()
        if draw < 0.12:
            seen = np.where(seen < _between(seen, ink, random), np.uint8(0), np.uint8(255))
        elif draw < 0.4:
            quality = int(random.integers(35, 85))
            encoded = cv2.imencode(".jpg", seen, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
            seen = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE), np.uint8)
        return seen

    def _tile(self, shape: tuple[int, ...], random: Generator) -> NDArray[np.float32]:
        height, width = shape
        if height > _NOISE_SIDE or width > _NOISE_SIDE:
            times = -(-height // _NOISE_SIDE), -(-width // _NOISE_SIDE)
            return np.tile(self._noise, times)[:height, :width]
        top = int(random.integers(_NOISE_SIDE - height + 1))
        left = int(random.integers(_NOISE_SIDE - width + 1))
        return self._noise[top : top + height, left : left + width]


def _between(seen: Gray, ink: Gray, random: Generator) -> float:
    """A line between paper and writing, as scanners draw it for black and white: what they lose is no longer writing."""
    white = float(np.median(seen))
    strokes = seen[ink > 128]
    dark = float(np.median(strokes)) if strokes.size else 0.8 * white
    return dark + (white - dark) * float(random.uniform(0.35, 0.7))


def _frame_lines(height: int, width: int, frame: int, random: Generator) -> NDArray[np.float32]:
    """A printed frame, all of it or what a slightly wrong cut leaves of it."""
    lines = np.zeros((height, width), np.uint8)
    depth = int(random.uniform(120, 235))
    thickness = 1 if random.random() < 0.5 else 2
    corners = [
        (frame, frame),
        (width - 1 - frame, frame),
        (width - 1 - frame, height - 1 - frame),
        (frame, height - 1 - frame),
    ]
    tilt = random.normal(0, 0.4, (4, 2))
    points = np.round((np.array(corners) + tilt) * 16).astype(np.int32)
    sides = [0, 1, 2, 3] if frame >= 3 or random.random() < 0.5 else random.permutation(4)[:2].tolist()
    for side in sides:
        cv2.line(
            lines, points[side].tolist(), points[(side + 1) % 4].tolist(), depth, thickness, cv2.LINE_AA, 4
        )
    return lines.astype(np.float32)


def _add_dust(depth: NDArray[np.float32], random: Generator) -> None:
    height, width = depth.shape
    for _ in range(int(random.integers(1, 5))):
        y, x = int(random.integers(height)), int(random.integers(width))
        size = int(random.integers(1, 3))
        depth[y : y + size, x : x + size] = random.uniform(40, 200)
