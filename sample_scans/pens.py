"""What pupils write with, and how its ink lies on paper: pressure that wanders, and the grain of pencil."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from numpy.random import Generator

Canvas: TypeAlias = NDArray[np.uint8] | NDArray[np.float32]
"""A page or part of it, shape (height, width), 0 black to 255 white."""
Coverage: TypeAlias = NDArray[np.float32]
"""How much of each pixel strokes cover, 0 to 1."""

_TILE = 512  # side of the repeating grain pattern, pixels


@dataclass(frozen=True, slots=True)
class Pen:
    """What a pupil writes with.

    Attributes:
        darkness: ink where the stroke covers fully; 0 leaves paper, 1 is black.
        width_mm: width of the line.
        grain: how much of the paper's grain shows; 0 for a ball pen, up to 1 for a hard pencil.
    """

    darkness: float
    width_mm: float
    grain: float


def choose_pen(random: Generator) -> Pen:
    """A pen from a class's pencil cases: mostly HB and B pencils, some black, blue and red ball pens."""
    if random.random() < 0.85:
        return choose_pencil(random)
    darkness = (0.88, 0.75, 0.62)[int(random.integers(3))]  # black, blue, red as gray levels
    return Pen(darkness * random.uniform(0.95, 1.0), random.uniform(0.3, 0.55), 0.06)


def choose_pencil(random: Generator) -> Pen:
    """A pencil or mechanical pencil, HB to B."""
    width = 0.32 + 0.48 * random.beta(1.3, 2.6)  # mechanical pencils and sharp points are the most common
    return Pen(random.uniform(0.7, 0.92), width, random.uniform(0.2, 0.5))


def lay_ink(canvas: Canvas, coverage: Coverage, pen: Pen, random: Generator, pixels_per_mm: float) -> None:
    """Darken the canvas, in place, where `coverage` (the same shape) says, with the pen's pressure and grain."""
    pressure = 1 - 0.25 * wandering(coverage.shape, random, pixels_per_mm)
    grain = 1 - pen.grain * _crop(_grain_tile(round(pixels_per_mm)), coverage.shape, random)
    darken(canvas, coverage * (pressure * grain) * np.float32(pen.darkness))


def darken(canvas: Canvas, ink: Coverage) -> None:
    """Multiply the canvas, in place, by what the ink lets through; `ink` is 0 to 1."""
    paper = canvas * (1 - ink)
    canvas[:] = np.rint(paper) if canvas.dtype == np.uint8 else paper


def wandering(shape: tuple[int, ...], random: Generator, pixels_per_mm: float) -> Coverage:
    """How the pressure of a hand wanders, 0 to 1, over about a millimetre."""
    return _crop(_pressure_tile(round(pixels_per_mm)), shape, random)


@cache
def _grain_tile(pixels_per_mm: int) -> Coverage:
    """The tooth of paper, 0 to 1: fine, mostly low, with bare spots."""
    return np.asarray(_noise_tile(0.07 * pixels_per_mm, seed=1) ** 2)


@cache
def _pressure_tile(pixels_per_mm: int) -> Coverage:
    return _noise_tile(0.5 * pixels_per_mm, seed=2)


def _noise_tile(sigma: float, seed: int) -> Coverage:
    noise = np.random.default_rng(seed).standard_normal((_TILE, _TILE)).astype(np.float32)
    soft = np.asarray(cv2.GaussianBlur(noise, (0, 0), max(sigma, 0.3)), np.float32)
    return np.asarray(np.clip(0.5 + 0.25 * soft / soft.std(), 0, 1), np.float32)


def _crop(tile: Coverage, shape: tuple[int, ...], random: Generator) -> Coverage:
    height, width = shape[:2]
    if width > _TILE or height > _TILE:
        tile = np.tile(tile, (height // _TILE + 1, width // _TILE + 1))
    y = int(random.integers(tile.shape[0] - height + 1))
    x = int(random.integers(tile.shape[1] - width + 1))
    return tile[y : y + height, x : x + width]
