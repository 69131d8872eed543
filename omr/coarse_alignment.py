"""Where a whole printed page lies in a scan, roughly: turn, skew, size and place, from the page in small.

Turn and size do not depend on the place in the magnitude of the Fourier spectrum, where they are shifts along
angle and logarithmic radius; the place follows by correlation (Reddy and Chatterji, "An FFT-based technique for
translation, rotation, and scale-invariant image registration", IEEE Transactions on Image Processing 5(8), 1996).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np
from scipy import fft

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from omr.geometry import Transform
    from omr.pixels import Floats

LONG_SIDE = 300
"""Pixels of a page's long side in small, about 1 a millimetre on A4."""
_SIZES = (320, 480, 640, 960)
"""Of the Fourier transforms: the first above LONG_SIDE, the others for a scan that is larger than the page."""
_ANGLES = 240
_RADII = 256
_INNER, _OUTER = 8.0, 150.0
"""Band of the spectrum, in cycles per 320 pixels."""
_DEGREES = 180 / _ANGLES
_LOG_STEP = np.log(_OUTER / _INNER) / _RADII
_MOST_SKEW_DEG = 10.0
_SCALES = (0.87, 1.15)
_PEAKS = 3
_EDGE = 6
"""Pixels at the edge of a scan that fade out: shadows and black borders are there."""


@dataclass(frozen=True, slots=True)
class CoarsePicture:
    """A page in small.

    Attributes:
        picture: darkness; the long side of the page is LONG_SIDE pixels.
        scale: its pixels for one pixel of the picture that it was made from.
        signature: spectrum of the logarithmic-polar magnitude, complex64.
        size: side of the square that its Fourier transform is taken of.
        spectrum: Fourier transform of the picture, complex64.
    """

    picture: Floats
    scale: float
    signature: NDArray[np.complex64]
    size: int
    spectrum: NDArray[np.complex64]


def coarse_picture(darkness: Floats, scale: float) -> CoarsePicture:
    """Shrink the darkness of a page (or of a scan) by a scale and take its spectra."""
    high, wide = darkness.shape
    size = (round(wide * scale), round(high * scale))
    small = cast("Floats", cv2.resize(darkness, size, interpolation=cv2.INTER_AREA))[
        : _SIZES[-1], : _SIZES[-1]
    ]
    picture: Floats = np.minimum(small, np.float32(0.5)) * _fading((small.shape[1], small.shape[0]))
    side = next(one for one in _SIZES if one >= max(picture.shape))
    spectrum = _transform(picture, (side, side))
    return CoarsePicture(picture, scale, _signature(spectrum), side, spectrum)


def rough_alignments(scan: CoarsePicture, page: CoarsePicture) -> Iterator[Transform]:
    """How a page may lie in a scan, the likeliest first: pixels of the page's picture to those of the scan's.

    Args:
        scan: the scan in small.
        page: the empty page in small.
    """
    correlation = _transform_back(scan.signature * np.conj(page.signature), (_ANGLES, _RADII))
    sideways = (scan.picture.shape[1] > scan.picture.shape[0]) != (
        page.picture.shape[1] > page.picture.shape[0]
    )
    for quarter in (1, 0) if sideways else (0, 1):
        for degrees, size in _peaks(correlation, quarter):
            for turn in (degrees, degrees + 180):
                yield _place(scan, page, turn, size)


def _transform(picture: Floats, size: tuple[int, int]) -> NDArray[np.complex64]:
    return cast("NDArray[np.complex64]", fft.rfft2(picture, size))


def _transform_back(spectrum: NDArray[np.complex64], size: tuple[int, int]) -> Floats:
    return cast("Floats", fft.irfft2(spectrum, size))


def _signature(spectrum: NDArray[np.complex64]) -> NDArray[np.complex64]:
    """Spectrum of the magnitude over angle and logarithmic radius, with what is smooth in it taken off."""
    magnitude = np.fft.fftshift(np.log1p(np.abs(spectrum)), axes=0).astype(np.float32)
    polar = cv2.remap(magnitude, _polar_grid(len(spectrum)), cast("Floats", None), cv2.INTER_LINEAR)
    return _transform(cast("Floats", polar - cv2.blur(polar, (15, 15))), polar.shape[:2])


@cache
def _polar_grid(side: int) -> Floats:
    angle = np.deg2rad(-90 + (np.arange(_ANGLES) + 0.5) * _DEGREES)[:, None]
    radius = side / _SIZES[0] * _INNER * np.exp(np.arange(_RADII) * _LOG_STEP)[None, :]
    grid = np.stack([radius * np.cos(angle), radius * np.sin(angle) + side // 2], axis=-1)
    return grid.astype(np.float32)


@cache
def _fading(size: tuple[int, int]) -> Floats:
    ramps = [np.minimum(1, np.minimum(np.arange(n) + 1, n - np.arange(n)) / _EDGE) for n in size]
    return np.outer(ramps[1], ramps[0]).astype(np.float32)


def _peaks(correlation: Floats, quarter: int) -> list[tuple[float, float]]:
    """The strongest turns (degrees) and sizes around an even or odd number of quarter turns."""
    reach = round(_MOST_SKEW_DEG / _DEGREES)
    rows = np.arange(-reach, reach + 1) + quarter * _ANGLES // 2
    # A larger page has a narrower spectrum.
    low, high = (round(-np.log(size) / _LOG_STEP) for size in reversed(_SCALES))
    columns = np.arange(low, high + 1)
    part = correlation[np.ix_(rows % _ANGLES, columns % _RADII)].copy()
    found = []
    for _ in range(_PEAKS):
        row, column = np.unravel_index(int(part.argmax()), part.shape)
        fine_row = row + _vertex(part[:, column], int(row))
        fine_column = column + _vertex(part[row], int(column))
        degrees = quarter * 90 + (fine_row - reach) * _DEGREES
        found.append((float(degrees), float(np.exp(-(fine_column + low) * _LOG_STEP))))
        part[max(0, row - 3) : row + 4, max(0, column - 4) : column + 5] = -np.inf
    return found


def _vertex(values: Floats, at: int) -> float:
    """Where between its neighbours a peak stands, −0.5 to 0.5."""
    if not 0 < at < len(values) - 1 or not np.isfinite(values[[at - 1, at + 1]]).all():
        return 0.0
    before, here, behind = (float(one) for one in values[at - 1 : at + 2])
    bend = before - 2 * here + behind
    return 0.0 if bend >= 0 else float(np.clip(0.5 * (before - behind) / bend, -0.5, 0.5))


def _place(scan: CoarsePicture, page: CoarsePicture, degrees: float, size: float) -> Transform:
    """The alignment of a known turn and size, its place found by correlation."""
    angle = np.deg2rad(degrees)
    turn = size * np.array([(np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle))])
    high, wide = page.picture.shape
    guess = np.eye(3)
    guess[:2, :2] = turn
    middle = (np.array(scan.picture.shape[::-1]) - 1) / 2
    guess[:2, 2] = middle - turn @ ((np.array([wide, high]) - 1) / 2)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    # All of the scan that may hold the page, the page's own frame in its middle.
    room = [max(0, (scan.size - one) // 2) if scan.size > _SIZES[0] else 0 for one in (wide, high)]
    guess[:2, 2] -= turn @ np.array(room)
    upright = cv2.warpAffine(scan.picture, guess[:2], (wide + 2 * room[0], high + 2 * room[1]), flags=flags)
    side = scan.size
    pattern = page.spectrum if page.size == side else _transform(page.picture, (side, side))
    spectrum = _transform(cast("Floats", upright), (side, side)) * np.conj(pattern)
    # Half way between plain correlation (broad) and phase correlation (sharp, but easily lost).
    spectrum /= np.sqrt(np.abs(spectrum)) + np.float32(1e-3)
    correlation = _transform_back(spectrum, (side, side))
    row, column = np.unravel_index(int(correlation.argmax()), correlation.shape)
    shift = [(int(one) + side // 2) % side - side // 2 for one in (column, row)]
    guess[:2, 2] += turn @ np.array(shift)
    return guess
