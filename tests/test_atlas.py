"""Atlases: each tile's pixels stand where the atlas says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from omr.atlas import MOST_TILES, digest_tile, draw_atlases, make_tile

if TYPE_CHECKING:
    from omr.pixels import Gray

MOST_ERROR, MOST_USUAL_ERROR = 90, 12
"""Grey levels that a JPEG of quality 60 may be off, anywhere and on average; tiles are darker than the white around."""


def _picture(high: int, wide: int, seed: int) -> Gray:
    """Smooth grey, unlike that of other seeds."""
    small = np.random.default_rng(seed).integers(20, 120, (2, 2)).astype(np.uint8)
    return np.asarray(cv2.resize(small, (wide, high), interpolation=cv2.INTER_LINEAR), np.uint8)


def _check(tiles: list[Gray]) -> list[Gray]:
    """That all tiles stand where they should, apart from each other; the atlases as pictures."""
    pictures, waiting = [], iter(tiles)
    for atlas in draw_atlases(tiles):
        picture = np.asarray(
            cv2.imdecode(np.frombuffer(atlas.data, np.uint8), cv2.IMREAD_GRAYSCALE), np.uint8
        )
        taken = np.zeros(picture.shape, int)
        assert len(atlas.places) <= MOST_TILES
        for place, tile in zip(atlas.places, waiting, strict=False):
            where = np.s_[place.y : place.y + place.h, place.x : place.x + place.w]
            assert picture[where].shape == tile.shape
            error = np.abs(picture[where].astype(int) - tile)
            assert error.max() <= MOST_ERROR
            assert error.mean() <= MOST_USUAL_ERROR
            taken[where] += 1
        assert taken.max() == 1
        pictures.append(picture)
    assert next(waiting, None) is None
    return pictures


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.integers(16, 90), st.integers(16, 400)), min_size=1, max_size=70),
    st.integers(0, 99),
)
def test_every_tile_is_where_its_place_says(sizes: list[tuple[int, int]], seed: int) -> None:
    _check([_picture(high, wide, seed + at) for at, (high, wide) in enumerate(sizes)])


def test_no_tiles_make_no_atlas() -> None:
    assert list(draw_atlases([])) == []


def test_usual_answers_of_a_batch_share_one_picture_that_a_browser_shows() -> None:
    (picture,) = _check([_picture(88, 330, at) for at in range(50)])
    assert picture.shape[0] <= 4000
    assert picture.shape[1] <= 2400


def test_a_tile_wider_than_any_atlas_stands_alone_in_its_row() -> None:
    (picture,) = _check([_picture(200, 3100, at) for at in range(3)])
    assert picture.shape == (600, 3104)


def test_essays_are_spread_over_several_pictures() -> None:
    pictures = _check([_picture(1500, 1400, at) for at in range(5)])
    assert [picture.shape for picture in pictures] == [(3008, 1400), (3008, 1400), (1504, 1400)]


@given(st.integers(1, 300), st.integers(1, 300), st.floats(1, 40))
def test_tiles_are_never_finer_than_a_screen_shows(high: int, wide: int, scale: float) -> None:
    picture = _picture(high, wide, 1)
    tile = make_tile(picture, scale)
    if scale <= 8:
        assert tile is picture
    else:
        assert all(
            abs(now - was * 8 / scale) <= 1 for now, was in zip(tile.shape, picture.shape, strict=True)
        )


@given(st.integers(1, 9), st.integers(1, 9), st.data())
def test_a_digest_names_the_pixels_and_their_shape(high: int, wide: int, data: st.DataObject) -> None:
    tile = np.random.default_rng(high * 10 + wide).integers(0, 256, (high, wide)).astype(np.uint8)
    name = digest_tile(tile)
    assert len(name) == 32
    assert digest_tile(np.pad(tile, 2)[2:-2, 2:-2]) == name
    other = tile.copy()
    other[data.draw(st.integers(0, high - 1)), data.draw(st.integers(0, wide - 1))] ^= 1
    assert digest_tile(other) != name
    if high != wide:
        assert digest_tile(tile.reshape(wide, high)) != name
