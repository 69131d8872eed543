"""Atlases: the pictures of many answers to one question as one JPEG, and where each stands in it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from omr.crops import encode_jpeg

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from omr.pixels import Gray

MOST_TILES = 50
_MOST_PIXELS_PER_MM = 8.0
"""Finer than this (200 dpi) nobody sees a difference on a screen."""
_MOST_WIDE, _MOST_HIGH = 2400, 4000
"""Pixels of an atlas, unless one tile alone has more; browsers on old PCs show pictures of this size."""
_BLOCK = 8
"""Cells are whole blocks of the JPEG, so that no tile shows through in its neighbour."""
_DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True)
class TilePlace:
    """Where a tile stands in its atlas, pixels."""

    x: int
    y: int
    w: int
    h: int


@dataclass(frozen=True, slots=True)
class Atlas:
    """Many pictures in one.

    Attributes:
        data: a grey JPEG.
        places: of the tiles, in the order in which they were given.
    """

    data: bytes
    places: tuple[TilePlace, ...]


def make_tile(picture: Gray, pixels_per_mm: float) -> Gray:
    """A picture as it stands in an atlas: itself, or scaled down where its scan is finer than a screen shows.

    Args:
        picture: of an answer.
        pixels_per_mm: of its scan.
    """
    if pixels_per_mm <= _MOST_PIXELS_PER_MM:
        return picture
    shrunk = _MOST_PIXELS_PER_MM / pixels_per_mm
    high, wide = (max(1, round(side * shrunk)) for side in picture.shape)
    return cast("Gray", cv2.resize(picture, (wide, high), interpolation=cv2.INTER_AREA))


def digest_tile(tile: Gray) -> str:
    """A name for what a tile shows, 32 hexadecimal characters: the same only for the same pixels in the same shape."""
    digest = hashlib.blake2b(repr(tile.shape).encode(), digest_size=_DIGEST_BYTES)
    digest.update(np.ascontiguousarray(tile).data)
    return digest.hexdigest()


def draw_atlases(tiles: Sequence[Gray]) -> Iterator[Atlas]:
    """Put tiles into as few atlases as hold them, in order: grids of equal cells, white around each tile.

    Args:
        tiles: uint8 (height, width) each.
    """
    if not tiles:
        return
    wide, high = (_whole_blocks(max(tile.shape[axis] for tile in tiles)) for axis in (1, 0))
    columns = max(1, _MOST_WIDE // wide)
    together = min(MOST_TILES, columns * max(1, _MOST_HIGH // high))
    for start in range(0, len(tiles), together):
        yield _draw_atlas(tiles[start : start + together], columns, wide, high)


def _draw_atlas(tiles: Sequence[Gray], columns: int, wide: int, high: int) -> Atlas:
    rows = -(-len(tiles) // columns)
    picture = np.full((rows * high, min(columns, len(tiles)) * wide), 255, np.uint8)
    places = []
    for at, tile in enumerate(tiles):
        place = TilePlace(at % columns * wide, at // columns * high, tile.shape[1], tile.shape[0])
        picture[place.y : place.y + place.h, place.x : place.x + place.w] = tile
        places.append(place)
    return Atlas(encode_jpeg(picture), tuple(places))


def _whole_blocks(pixels: int) -> int:
    return -(-pixels // _BLOCK) * _BLOCK
