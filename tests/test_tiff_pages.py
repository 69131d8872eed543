"""TIFF pages against truth: every way in which scanners store them."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from omr.scan_file import open_scan
from omr.tiff_directory import Tag, write_tiff
from tests.scan_files import (
    BITS,
    SHEET,
    TURNS,
    assert_close,
    draw_sheet,
    encode,
    encode_g4,
    read_bytes,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_tiff_lossless_gray_and_colour(compression: str | None, tmp_path: Path) -> None:
    data = encode(SHEET, "TIFF", compression=compression, dpi=(204, 98))
    page = read_bytes(data, tmp_path)
    assert np.array_equal(page.gray, SHEET)
    assert page.dpi == (204.0, 98.0)
    rgb = Image.fromarray(np.dstack([SHEET] * 3))
    assert np.array_equal(read_bytes(encode(rgb, "TIFF", compression=compression), tmp_path).gray, SHEET)
    deep = Image.fromarray(SHEET.astype(np.uint16) * 257)
    assert np.array_equal(read_bytes(encode(deep, "TIFF", compression=compression), tmp_path).gray, SHEET)


@pytest.mark.parametrize("mode", ["P", "CMYK", "RGBA", "LA"])
def test_tiff_other_modes(mode: str, tmp_path: Path) -> None:
    page = read_bytes(encode(Image.fromarray(SHEET).convert(mode), "TIFF"), tmp_path)
    assert np.abs(page.gray.astype(int) - SHEET).max() <= 2


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_tiff_jpeg(mode: str, tmp_path: Path) -> None:
    data = encode(Image.fromarray(SHEET).convert(mode), "TIFF", compression="jpeg", quality=95)
    assert_close(read_bytes(data, tmp_path), SHEET)


@pytest.mark.parametrize("compression", ["group4", "group3", "tiff_ccitt", "tiff_lzw", None])
def test_tiff_bilevel(compression: str | None, tmp_path: Path) -> None:
    data = encode(Image.fromarray(BITS).convert("1"), "TIFF", compression=compression)
    page = read_bytes(data, tmp_path)
    assert np.array_equal(page.gray, BITS)
    assert page.bilevel
    assert page.warning == ""


@pytest.mark.parametrize(("mode", "compression"), [("1", "group4"), ("1", "tiff_lzw"), ("L", "tiff_lzw")])
def test_tiff_white_is_zero(mode: str, compression: str, tmp_path: Path) -> None:
    pixels = BITS if mode == "1" else SHEET
    # Pillow writes the negative where it is asked for this.
    data = encode(Image.fromarray(pixels).convert(mode), "TIFF", compression=compression, tiffinfo={262: 0})
    with Image.open(io.BytesIO(data)) as image:
        assert image.tag_v2[262] == 0  # type: ignore[attr-defined]
    assert np.array_equal(read_bytes(data, tmp_path).gray, pixels)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_tiff_orientation(orientation: int, tmp_path: Path) -> None:
    data = encode(SHEET, "TIFF", tiffinfo={274: orientation}, dpi=(204, 98))
    page = read_bytes(data, tmp_path)
    assert np.array_equal(page.gray, TURNS[orientation](SHEET))
    assert page.dpi == ((98.0, 204.0) if orientation >= 5 else (204.0, 98.0))


def test_big_endian_and_big_tiff_and_centimetres(tmp_path: Path) -> None:
    swapped = struct.pack(">2sHI", b"MM", 42, 8 + SHEET.size) + SHEET.tobytes()
    entries = [(256, 170), (257, 240), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, 240)]
    directory = struct.pack(">H", len(entries) + 1)
    for tag, value in entries:
        directory += struct.pack(">HHIHH", tag, 3, 1, value, 0)
    swapped += directory + struct.pack(">HHII", 279, 4, 1, SHEET.size) + bytes(4)
    assert np.array_equal(read_bytes(swapped, tmp_path).gray, SHEET)
    big = encode(SHEET, "TIFF", big_tiff=True, resolution_unit=3, x_resolution=80, y_resolution=80)
    page = read_bytes(big, tmp_path)
    assert np.array_equal(page.gray, SHEET)
    assert page.dpi == pytest.approx((203.2, 203.2))


def test_tiles_fill_order_and_palette_of_two(tmp_path: Path) -> None:
    tags: dict[Tag, tuple[float, ...]] = {
        Tag.WIDTH: (170,),
        Tag.HEIGHT: (240,),
        Tag.BITS: (8,),
        Tag.COMPRESSION: (1,),
        Tag.PHOTOMETRIC: (1,),
        Tag.SAMPLES: (1,),
    }
    padded = np.zeros((256, 192), np.uint8)
    padded[:240, :170] = SHEET
    tiles = [padded[y : y + 64, x : x + 64].tobytes() for y in range(0, 256, 64) for x in range(0, 192, 64)]
    tiled = write_tiff("<", tags | {Tag.TILE_WIDTH: (64,), Tag.TILE_HEIGHT: (64,)}, tiles)
    assert np.array_equal(read_bytes(tiled, tmp_path).gray, SHEET)

    reversed_bits = bytes(int(f"{byte:08b}"[::-1], 2) for byte in encode_g4(BITS))
    fax = tags | {Tag.BITS: (1,), Tag.COMPRESSION: (4,), Tag.PHOTOMETRIC: (0,), Tag.FILL_ORDER: (2,)}
    assert np.array_equal(read_bytes(write_tiff(">", fax, [reversed_bits]), tmp_path).gray, BITS)
    page = read_bytes(write_tiff("<", fax, [reversed_bits[: len(reversed_bits) // 2]]), tmp_path)
    assert "壊れて" in page.warning
    assert np.array_equal(page.gray[:40], BITS[:40])

    colours = (0x3000, 0xF000) * 3
    two = tags | {Tag.BITS: (1,), Tag.PHOTOMETRIC: (3,), Tag.PALETTE: colours}
    page = read_bytes(write_tiff("<", two, [np.packbits(BITS > 0, axis=1).tobytes()]), tmp_path)
    assert np.array_equal(page.gray, BITS)


def test_every_page_of_a_tiff_by_itself(tmp_path: Path) -> None:
    sheets = [draw_sheet(seed=seed) for seed in range(5)]
    images = [Image.fromarray(sheet) for sheet in sheets]
    images[3] = images[3].point(lambda level: 255 if level > 127 else 0).convert("1")
    data = encode(images[0], "TIFF", save_all=True, append_images=images[1:])
    path = tmp_path / "many.tif"
    path.write_bytes(data)
    with open_scan(path) as scan:
        assert scan.page_count == 5
        for index in (4, 0, 2, 1):
            assert np.array_equal(scan.read_page(index).gray, sheets[index])
        assert scan.read_page(3).bilevel
