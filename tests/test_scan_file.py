"""Scan files to pages: pixels against truth, and a clear reason for everything that can't be read."""

from __future__ import annotations

import csv
import io
import os
import re
import struct
import time
import zlib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import img2pdf
import numpy as np
import pikepdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pikepdf import Array, Dictionary, Name
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from omr import fax_decoding, jpeg_decoding, pdf_render
from omr.decode_limits import DecodeLimits
from omr.errors import PageSetAside, Trouble
from omr.jbig2 import holds_symbols
from omr.scan_file import SCAN_SUFFIXES, decode_image, describe_decoders, open_scan
from omr.tiff_directory import Tag, write_tiff
from tests.scan_files import (
    draw_bits,
    draw_sheet,
    encode,
    encode_g4,
    flate,
    gray_facts,
    image_pdf,
    jbig2_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from omr.page import Page

SHEET = draw_sheet()
BITS = draw_bits()
TURNS: dict[int, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
    1: np.array,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: np.transpose,
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(np.transpose(a), 2),
    8: np.rot90,
}


def read_bytes(data: bytes, folder: Path, password: str | None = None) -> Page:
    return read_all(data, folder, password)[0]


def read_all(data: bytes, folder: Path, password: str | None = None) -> list[Page]:
    path = folder / "scan.dat"
    path.write_bytes(data)
    with open_scan(path, password=password) as scan:
        return [scan.read_page(index) for index in range(scan.page_count)]


def refuse(data: bytes, folder: Path, limits: DecodeLimits | None = None) -> PageSetAside:
    path = folder / "scan.dat"
    path.write_bytes(data)
    with pytest.raises(PageSetAside) as caught, open_scan(path, limits) as scan:
        scan.read_page(0)
    assert re.search(r"[ぁ-ん].*。$", caught.value.reason)
    return caught.value


def assert_close(page: Page, truth: NDArray[Any], tolerance: float = 3.0) -> None:
    """Equal but for what JPEG does: small on average, nowhere another picture."""
    assert page.gray.shape == truth.shape
    difference = np.abs(page.gray.astype(int) - truth.astype(int))
    assert difference.mean() < tolerance
    assert np.corrcoef(page.gray.ravel(), truth.ravel())[0, 1] > 0.99


# Loose images


def test_jpeg_keeps_size_pixels_and_resolution(tmp_path: Path) -> None:
    page = read_bytes(encode(SHEET, "JPEG", quality=95, dpi=(200, 200)), tmp_path)
    assert_close(page, SHEET)
    assert page.gray.dtype == np.uint8
    assert page.gray.flags.c_contiguous
    assert (page.dpi, page.bilevel, page.warning) == ((200.0, 200.0), False, "")


@pytest.mark.parametrize("mode", ["RGB", "CMYK"])
def test_colour_jpeg_becomes_gray(mode: str, tmp_path: Path) -> None:
    colour = Image.fromarray(np.dstack([SHEET, SHEET[::-1], SHEET]))
    expected = np.asarray(colour.convert(mode).convert("RGB").convert("L"))
    assert_close(read_bytes(encode(colour.convert(mode), "JPEG", quality=97), tmp_path), expected)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_turns_the_page(orientation: int, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    page = read_bytes(encode(SHEET, "JPEG", quality=95, dpi=(300, 150), exif=exif), tmp_path)
    assert_close(page, TURNS[orientation](SHEET))
    assert page.dpi == ((150.0, 300.0) if orientation >= 5 else (300.0, 150.0))


def test_resolution_that_a_file_does_not_name_is_none(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010F] = "camera"
    assert read_bytes(encode(SHEET, "JPEG"), tmp_path).dpi is None
    assert read_bytes(encode(SHEET, "JPEG", exif=exif), tmp_path).dpi is None
    assert read_bytes(encode(SHEET, "PNG"), tmp_path).dpi is None
    assert read_bytes(encode(SHEET, "TIFF"), tmp_path).dpi is None
    assert read_bytes(encode(SHEET, "TIFF", dpi=(1, 1)), tmp_path).dpi is None


def test_png_modes_over_white_paper(tmp_path: Path) -> None:
    gray = Image.fromarray(SHEET)
    assert np.array_equal(read_bytes(encode(gray, "PNG"), tmp_path).gray, SHEET)
    deep = Image.fromarray(SHEET.astype(np.uint16) * 257)
    assert np.array_equal(read_bytes(encode(deep, "PNG"), tmp_path).gray, SHEET)
    palette = gray.convert("P")
    assert np.abs(read_bytes(encode(palette, "PNG"), tmp_path).gray.astype(int) - SHEET).max() <= 1
    ink = Image.fromarray(np.dstack([np.zeros((*SHEET.shape, 3), np.uint8), 255 - SHEET]))
    assert np.abs(read_bytes(encode(ink, "PNG"), tmp_path).gray.astype(int) - SHEET).max() <= 1
    assert not read_bytes(encode(gray, "PNG"), tmp_path).bilevel
    page = read_bytes(encode(Image.fromarray(BITS).convert("1"), "PNG", dpi=(200, 200)), tmp_path)
    assert np.array_equal(page.gray, BITS)
    assert page.bilevel
    assert page.dpi == pytest.approx((200, 200), abs=0.1)


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_png_of_few_bits_with_a_palette(depth: int, tmp_path: Path) -> None:
    levels = (SHEET // (256 >> depth)).astype(np.uint8)
    image = Image.fromarray(levels).convert("P")
    # Light paper and dark blue ink rather than white and black.
    ramp = np.linspace([20, 20, 90], [240, 240, 220], 1 << depth).astype(np.uint8)
    image.putpalette(ramp.tobytes())
    page = read_bytes(encode(image, "PNG", bits=depth), tmp_path)
    assert page.bilevel == (depth == 1)
    if depth == 1:
        assert np.array_equal(page.gray, np.where(levels > 0, 255, 0))
    else:
        assert np.corrcoef(page.gray.ravel(), levels.ravel())[0, 1] > 0.999


# TIFF


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


# PDF pages that are one image


def test_pdf_of_a_jpeg_gives_the_very_pixels_of_the_jpeg(tmp_path: Path) -> None:
    jpeg = encode(SHEET, "JPEG", quality=90, dpi=(200, 200))
    page = read_bytes(img2pdf.convert([jpeg]), tmp_path)
    assert np.array_equal(page.gray, decode_image(jpeg).gray)
    assert page.dpi == pytest.approx((200, 200), abs=0.5)
    assert not page.bilevel


def test_pdf_of_a_png_is_exact(tmp_path: Path) -> None:
    assert np.array_equal(read_bytes(img2pdf.convert([encode(SHEET, "PNG")]), tmp_path).gray, SHEET)
    colour = Image.fromarray(np.dstack([SHEET, SHEET[::-1], SHEET]))
    page = read_bytes(img2pdf.convert([encode(colour, "PNG")]), tmp_path)
    assert np.abs(page.gray.astype(int) - np.asarray(colour.convert("L"))).max() <= 1


def test_pdf_of_a_fax_tiff_is_exact_and_bilevel(tmp_path: Path) -> None:
    tiff = encode(Image.fromarray(BITS).convert("1"), "TIFF", compression="group4", dpi=(204, 98))
    page = read_bytes(img2pdf.convert([tiff]), tmp_path)
    assert np.array_equal(page.gray, BITS)
    assert page.bilevel
    assert page.dpi == pytest.approx((204, 98), abs=0.5)


@pytest.mark.parametrize("black_is_1", [False, True])
@pytest.mark.parametrize("decode", [None, [0, 1], [1, 0]])
@pytest.mark.parametrize("stencil", [False, True])
def test_fax_polarity(black_is_1: bool, decode: list[int] | None, stencil: bool, tmp_path: Path) -> None:  # noqa: FBT001
    facts: dict[str, Any] = {
        "Width": 170,
        "Height": 240,
        "BitsPerComponent": 1,
        "Filter": Name.CCITTFaxDecode,
        "DecodeParms": Dictionary(K=-1, Columns=170, Rows=240, BlackIs1=black_is_1),
    }
    facts |= {"ImageMask": True} if stencil else {"ColorSpace": Name.DeviceGray}
    facts |= {"Decode": Array(decode)} if decode else {}
    page = read_bytes(image_pdf(encode_g4(BITS), facts), tmp_path)
    inverted = black_is_1 != (decode == [1, 0])
    assert np.array_equal(page.gray, 255 - BITS if inverted else BITS)
    assert page.bilevel


@pytest.mark.parametrize("decode", [None, [1, 0], [0.25, 0.75]])
@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_flate_depths_and_decode(bits: int, decode: list[float] | None, tmp_path: Path) -> None:
    width = 173  # rows that end within a byte
    levels = draw_sheet(width=width).astype(int) >> max(8 - bits, 0)
    if bits == 16:
        levels = draw_sheet(width=width).astype(int) * 257
        rows = levels.astype(">u2").tobytes()
    else:
        planes = (levels[..., np.newaxis] >> np.arange(bits - 1, -1, -1)) & 1
        rows = np.packbits(planes.reshape(240, -1).astype(np.uint8), axis=1).tobytes()
    facts = gray_facts(width, BitsPerComponent=bits, Filter=Name.FlateDecode)
    if decode:
        facts["Decode"] = Array(decode)
    page = read_bytes(image_pdf(flate(rows), facts), tmp_path)
    low, high = decode or (0, 1)
    truth = 255 * (low + levels / (2**bits - 1) * (high - low))
    if bits == 1:
        truth = np.where(truth > 127, 255, 0)
    assert np.abs(page.gray - truth).max() <= 1
    assert page.bilevel == (bits == 1)


def test_indexed_images(tmp_path: Path) -> None:
    table = bytes(np.repeat(np.arange(255, -1, -1, dtype=np.uint8), 3))
    space = Array([Name.Indexed, Name.DeviceRGB, 255, pikepdf.String(table)])
    page = read_bytes(
        image_pdf(flate(SHEET), gray_facts(ColorSpace=space, Filter=Name.FlateDecode)), tmp_path
    )
    assert np.abs(page.gray.astype(int) - (255 - SHEET)).max() <= 1
    space = Array([Name.Indexed, Name.DeviceGray, 1, pikepdf.String(b"\xf0\x10")])
    rows = np.packbits(BITS > 0, axis=1)
    facts = gray_facts(ColorSpace=space, BitsPerComponent=1, Filter=Name.FlateDecode)
    page = read_bytes(image_pdf(flate(rows), facts), tmp_path)
    assert np.array_equal(page.gray, 255 - BITS)
    assert page.bilevel


@pytest.mark.parametrize("inverted", [False, True])
def test_cmyk_images_with_and_without_adobe_inversion(inverted: bool, tmp_path: Path) -> None:  # noqa: FBT001
    samples = np.zeros((*SHEET.shape, 4), np.uint8)
    samples[..., 3] = 255 - SHEET
    stored = 255 - samples if inverted else samples
    decode: dict[str, Any] = {"Decode": Array([1, 0] * 4)} if inverted else {}
    plain = gray_facts(ColorSpace=Name.DeviceCMYK, Filter=Name.FlateDecode, **decode)
    page = read_bytes(image_pdf(flate(stored), plain), tmp_path)
    assert np.abs(page.gray.astype(int) - SHEET).max() <= 1
    # Pillow writes its CMYK inverted, as Adobe does.
    jpeg = encode(Image.fromarray(255 - stored, "CMYK"), "JPEG", quality=97)
    packed = gray_facts(ColorSpace=Name.DeviceCMYK, Filter=Name.DCTDecode, **decode)
    assert_close(read_bytes(image_pdf(jpeg, packed), tmp_path), SHEET)


def test_inverted_and_wrapped_jpeg(tmp_path: Path) -> None:
    jpeg = encode(255 - SHEET, "JPEG", quality=95)
    facts = gray_facts(Filter=Array([Name.FlateDecode, Name.DCTDecode]), Decode=Array([1, 0]))
    assert_close(read_bytes(image_pdf(flate(jpeg), facts), tmp_path), SHEET)


def test_jbig2_is_decoded_not_drawn(tmp_path: Path) -> None:
    facts = gray_facts(BitsPerComponent=1, Filter=Name.JBIG2Decode)
    page = read_bytes(image_pdf(jbig2_of(BITS), facts), tmp_path)
    assert np.array_equal(page.gray, BITS)
    assert page.bilevel
    assert refuse(image_pdf(jbig2_of(BITS)[:-20], facts), tmp_path).trouble is Trouble.DAMAGED_PAGE
    assert refuse(image_pdf(b"nothing of the kind", facts), tmp_path).trouble is Trouble.DAMAGED_PAGE


def test_jbig2_that_shares_glyphs_is_told() -> None:
    def segment(kind: int) -> bytes:
        return bytes([0, 0, 0, 1, kind, 0, 1]) + (3).to_bytes(4) + b"abc"

    assert holds_symbols(segment(0) + segment(6))
    assert not holds_symbols(jbig2_of(BITS))
    assert not holds_symbols(b"no segments")


def test_jpeg_2000_is_decoded_not_drawn(tmp_path: Path) -> None:
    data = encode(SHEET, "JPEG2000", irreversible=False)
    page = read_bytes(image_pdf(data, gray_facts(Filter=Name.JPXDecode)), tmp_path)
    assert np.array_equal(page.gray, SHEET)


PLACEMENTS = {
    1: "170 0 0 240 0 0",
    2: "-170 0 0 240 170 0",
    3: "-170 0 0 -240 170 240",
    4: "170 0 0 -240 0 240",
    5: "0 -240 -170 0 170 240",
    6: "0 -240 170 0 0 240",
    7: "0 240 170 0 0 0",
    8: "0 240 -170 0 170 0",
}


@pytest.mark.parametrize("rotate", [0, 90, 180, 270, -90])
@pytest.mark.parametrize("orientation", PLACEMENTS)
def test_placement_and_rotation(orientation: int, rotate: int, tmp_path: Path) -> None:
    """The taken stream lies as the drawn page does, whichever way it was placed."""
    stored = SHEET if orientation < 5 else np.ascontiguousarray(SHEET[:170, :])
    height, width = stored.shape
    content = f"q {PLACEMENTS[orientation]} cm /Im0 Do Q".encode()
    data = image_pdf(
        flate(stored), gray_facts(width, height, Filter=Name.FlateDecode), content, {"Rotate": rotate}
    )
    page = read_bytes(data, tmp_path)
    assert np.array_equal(page.gray, np.rot90(TURNS[orientation](stored), -rotate // 90))
    drawn = read_bytes(
        image_pdf(
            flate(stored),
            gray_facts(width, height, Filter=Name.FlateDecode),
            content + b" 0 g 0 0 0.001 0.001 re f",
            {"Rotate": rotate},
        ),
        tmp_path,
    )
    small = Image.fromarray(drawn.gray).resize(page.gray.shape[::-1], Image.Resampling.BOX)
    assert np.corrcoef(np.asarray(small).ravel(), page.gray.ravel())[0, 1] > 0.9


@pytest.mark.parametrize(
    "content",
    [
        b"0 0 170 240 re W n q 170 0 0 240 0 0 cm /Im0 Do Q",
        b"q 170 0 0 240 0 0 cm /Im0 Do Q BT 3 Tr /F0 9 Tf 10 10 Td (hidden) Tj ET",
        b"/Artifact BMC 1 0 0 RG 2 w q 170 0 0 240 0 0 cm /Im0 Do Q EMC",
        b"q 168 0 0 238 1 1 cm /Im0 Do Q",
    ],
    ids=["clip of the whole page", "invisible text", "state without drawing", "narrow margin"],
)
def test_what_does_not_change_the_image(content: bytes, tmp_path: Path) -> None:
    page = read_bytes(image_pdf(flate(SHEET), gray_facts(Filter=Name.FlateDecode), content), tmp_path)
    assert np.array_equal(page.gray, SHEET)


def test_image_inside_a_form(tmp_path: Path) -> None:
    data = image_pdf(flate(SHEET), gray_facts(Filter=Name.FlateDecode), b"q 2 0 0 2 0 0 cm /Fm Do Q")
    with pikepdf.open(io.BytesIO(data)) as document:
        resources = document.pages[0].obj.Resources
        form = document.make_stream(b"85 0 0 120 0 0 cm /Im0 Do")
        form[Name.Type], form[Name.Subtype] = Name.XObject, Name.Form
        form[Name.BBox] = Array([0, 0, 85, 120])
        form[Name.Resources] = Dictionary(XObject=Dictionary(Im0=resources.XObject.Im0))
        resources.XObject[Name.Fm] = form
        file = io.BytesIO()
        document.save(file)
    assert np.array_equal(read_bytes(file.getvalue(), tmp_path).gray, SHEET)


def test_crop_box_and_user_unit(tmp_path: Path) -> None:
    facts = {"CropBox": Array([0, 40, 100, 240]), "UserUnit": 2}
    page = read_bytes(
        image_pdf(flate(SHEET), gray_facts(Filter=Name.FlateDecode), page_facts=facts), tmp_path
    )
    assert np.array_equal(page.gray, SHEET[:200, :100])
    assert page.dpi == pytest.approx((36.0, 36.0))


# PDF pages that are drawn

INK = Dictionary(Type=Name.Annot, Subtype=Name.Stamp, Rect=Array([20, 20, 60, 60]), F=4)


@pytest.mark.parametrize(
    "content",
    [
        b"q 170 0 0 240 0 0 cm /Im0 Do Q 0 g 20 20 40 40 re f",
        b"q 170 0 0 240 0 0 cm /Im0 Do Q q 40 0 0 40 20 20 cm /Im1 Do Q",
        b"q 170 0 0 240 0 0 cm /Im0 Do Q BT /F0 60 Tf 20 20 Td (MM) Tj ET",
        b"q 0.5 0 0 RG 170 0 0 240 0 0 cm /Im0 Do Q 20 w 20 40 m 60 40 l S",
    ],
    ids=["box", "second image", "text", "line"],
)
def test_ink_over_the_image_is_seen(content: bytes, tmp_path: Path) -> None:
    white = np.full_like(SHEET, 255)
    black = np.zeros((40, 40), np.uint8)
    resources_font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
    data = image_pdf(
        flate(white),
        gray_facts(Filter=Name.FlateDecode),
        content,
        extra_images=[(flate(black), gray_facts(40, 40, Filter=Name.FlateDecode))],
    )
    with pikepdf.open(io.BytesIO(data)) as document:
        document.pages[0].obj.Resources[Name.Font] = Dictionary(F0=resources_font)
        file = io.BytesIO()
        document.save(file)
    page = read_bytes(file.getvalue(), tmp_path)
    assert page.dpi is not None
    assert page.dpi[0] >= 200
    scale = page.dpi[0] / 72
    region = page.gray[int((240 - 60) * scale) : int((240 - 20) * scale), int(20 * scale) : int(60 * scale)]
    assert region.mean() < 200
    assert page.gray[: int(60 * scale)].min() > 250


def test_annotations_with_a_look_are_drawn_and_links_are_not(tmp_path: Path) -> None:
    for hidden, expected in ((0, 0), (2, 255)):
        data = image_pdf(flate(np.full_like(SHEET, 255)), gray_facts(Filter=Name.FlateDecode))
        with pikepdf.open(io.BytesIO(data)) as document:
            look = document.make_stream(b"0 g 0 0 40 40 re f")
            look[Name.Type], look[Name.Subtype], look[Name.BBox] = (
                Name.XObject,
                Name.Form,
                Array([0, 0, 40, 40]),
            )
            annotation = Dictionary(
                Type=Name.Annot,
                Subtype=Name.Stamp,
                Rect=Array([20, 20, 60, 60]),
                F=4 | hidden,
                AP=Dictionary(N=look),
            )
            document.pages[0].obj.Annots = Array([document.make_indirect(annotation)])
            file = io.BytesIO()
            document.save(file)
        page = read_bytes(file.getvalue(), tmp_path)
        row, column = round(page.gray.shape[0] * 200 / 240), round(page.gray.shape[1] * 40 / 170)
        assert page.gray[row, column] == expected
        assert (page.gray.shape == SHEET.shape) == bool(hidden)


def test_compact_pdf_shows_the_ink_of_its_masks(tmp_path: Path) -> None:
    """High-compression PDFs: a coarse background, and the ink in stencils of their own colour."""
    background = encode(np.full((120, 85), 245, np.uint8), "JPEG")
    ink = np.full((400, 600), 255, np.uint8)
    ink[100:300, 100:500] = 0
    stencil = {
        "Width": 600,
        "Height": 400,
        "BitsPerComponent": 1,
        "ImageMask": True,
        "Filter": Name.CCITTFaxDecode,
        "DecodeParms": Dictionary(K=-1, Columns=600, Rows=400),
    }
    content = (
        b"q 170 0 0 240 0 0 cm /Im0 Do Q "
        b"q 0.8 0 0 rg 120 0 0 80 10 140 cm /Im1 Do Q q 0 g 120 0 0 80 10 20 cm /Im2 Do Q"
    )
    data = image_pdf(
        background,
        gray_facts(85, 120, Filter=Name.DCTDecode),
        content,
        extra_images=[(encode_g4(ink), stencil), (encode_g4(ink), stencil)],
    )
    page = read_bytes(data, tmp_path)
    assert page.dpi == (300.0, 300.0)
    scale = 300 / 72
    red = page.gray[round((240 - 180) * scale), round(70 * scale)]
    black = page.gray[round((240 - 60) * scale), round(70 * scale)]
    paper = page.gray[round((240 - 145) * scale), round(70 * scale)]
    assert black == 0
    assert 30 < red < 90
    assert paper > 235
    assert "鉛筆" in page.warning


def test_damaged_layer_of_a_drawn_page_is_told(tmp_path: Path) -> None:
    data = flate(SHEET)
    facts = gray_facts(Filter=Name.FlateDecode)
    drawn = b"q 170 0 0 240 0 0 cm /Im0 Do Q q 170 0 0 240 0 0 cm /Im1 Do Q"
    layers = image_pdf(data, facts, drawn, extra_images=[(data[: len(data) // 2], facts)])
    assert "壊れて" in read_bytes(layers, tmp_path).warning
    layers = image_pdf(data, facts, drawn, extra_images=[(b"?", facts)])
    assert refuse(layers, tmp_path).trouble is Trouble.DAMAGED_PAGE
    lost = image_pdf(data, facts, drawn, extra_images=[(b"?", gray_facts(Filter=Name.JBIG2Decode))])
    assert refuse(lost, tmp_path).trouble is Trouble.DAMAGED_PAGE


@pytest.mark.parametrize("lost", [b"/Contents", b"/Im0"])
def test_what_a_damaged_file_lost_never_looks_empty(lost: bytes, tmp_path: Path) -> None:
    data = image_pdf(flate(SHEET), gray_facts(Filter=Name.FlateDecode))
    found = re.search(lost + rb" (\d+) 0 R", data)
    assert found
    data = data.replace(b"\n%s 0 obj" % found[1], b"\n77 0 obj").replace(b"xref", b"lost")
    assert refuse(data, tmp_path).trouble is Trouble.DAMAGED_PAGE


def test_cut_off_drawing_is_told(tmp_path: Path) -> None:
    document = pikepdf.open(io.BytesIO(image_pdf(b"", gray_facts())))
    drawing = zlib.compress(b"0 g " + b"".join(b"%d 9 5 5 re f " % (7 * x) for x in range(20)))
    document.pages[0].obj.Contents = document.make_stream(
        drawing[: len(drawing) // 2], Filter=Name.FlateDecode
    )
    file = io.BytesIO()
    document.save(file, compress_streams=False)
    assert "壊れて" in read_bytes(file.getvalue(), tmp_path).warning


def test_blank_page_without_content(tmp_path: Path) -> None:
    document = pikepdf.new()
    document.add_blank_page(page_size=(72, 144))
    document.save(tmp_path / "blank.pdf")
    with open_scan(tmp_path / "blank.pdf") as scan:
        page = scan.read_page(0)
    assert page.gray.shape == (400, 200)
    assert page.gray.min() == 255


def test_images_of_other_pages_are_left_alone(tmp_path: Path) -> None:
    """Some writers list the images of all pages on each; a broken one there harms no other page."""
    data = image_pdf(
        flate(SHEET),
        gray_facts(Filter=Name.FlateDecode),
        b"q 170 0 0 240 0 0 cm /Im0 Do Q 0 g 0 0 5 5 re f",
        extra_images=[(b"?", gray_facts(30_000, 30_000, Filter=Name.FlateDecode))],
    )
    assert read_bytes(data, tmp_path).warning == ""


def test_strips_are_put_together(tmp_path: Path) -> None:
    halves = [SHEET[:120], SHEET[120:]]
    facts = gray_facts(170, 120, Filter=Name.FlateDecode)
    content = b"q 170 0 0 120 0 120 cm /Im0 Do Q q 170 0 0 120 0 0 cm /Im1 Do Q"
    page = read_bytes(
        image_pdf(flate(halves[0]), facts, content, extra_images=[(flate(halves[1]), facts)]), tmp_path
    )
    assert page.dpi == (200.0, 200.0)
    small = Image.fromarray(page.gray).resize((170, 240), Image.Resampling.BOX)
    assert np.corrcoef(np.asarray(small).ravel(), SHEET.ravel())[0, 1] > 0.97


def test_drawn_pages_come_at_200_dpi(tmp_path: Path) -> None:
    path = tmp_path / "drawn.pdf"
    canvas = Canvas(str(path), pagesize=(144, 288))
    canvas.rect(0, 216, 36, 72, fill=1)  # top left corner
    canvas.showPage()
    canvas.save()
    with open_scan(path) as scan:
        page = scan.read_page(0)
    assert (page.gray.shape, page.dpi, page.bilevel) == ((800, 400), (200.0, 200.0), False)
    assert (page.gray[50, 50], page.gray[50, 300], page.gray[700, 50]) == (0, 255, 255)


@pytest.mark.system
def test_poppler_draws_the_same_page(tmp_path: Path) -> None:
    data = image_pdf(b"", gray_facts(), b"0 g 20 20 40 40 re f")
    page = pdf_render._render_with_poppler(pdf_render.SinglePage(data, 1.0, ""), DecodeLimits())  # noqa: SLF001
    pdfium = read_bytes(data, tmp_path)
    assert abs(page.gray.shape[0] - pdfium.gray.shape[0]) <= 1
    assert page.gray[500, 100] == pdfium.gray[500, 100] == 0


# Bad input


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "空"),
        (b"this is a note, not a scan", "文字"),
        (b"<!DOCTYPE html><html></html>", "HTML"),
        (b"PK\x03\x04\x14\x00\x06\x00", "Office"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC"),
        (bytes(200), "読めない種類"),
        (b"%PDF-1.4\nnothing follows", "PDFが壊れて"),
        (b"%PDF-1.4", "PDFが壊れて"),
        (b"II*\0\x08\0\0\0", "TIFFファイルが壊れて"),
        (b"MM\0*\0\0\0\0", "TIFFファイルが壊れて"),
        (b"\xff\xd8\xff\xe0", "壊れて"),
        (b"\x89PNG\r\n\x1a\n", "壊れて"),
    ],
)
def test_files_that_are_no_scans(data: bytes, word: str, tmp_path: Path) -> None:
    assert word in refuse(data, tmp_path).reason


def test_missing_file_folder_and_forbidden_file(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.pdf", tmp_path):
        with pytest.raises(PageSetAside) as caught:
            open_scan(path)
        assert caught.value.trouble is Trouble.UNREADABLE_FILE
    closed = tmp_path / "closed.pdf"
    closed.write_bytes(b"%PDF-1.4")
    closed.chmod(0)
    if not os.access(closed, os.R_OK):  # an administrator may read everything
        with pytest.raises(PageSetAside, match="許可"):
            open_scan(closed)


@pytest.mark.parametrize(
    "data",
    [
        encode(np.zeros((1, 1), np.uint8), "PNG"),
        encode(np.zeros((1, 1), np.uint8), "JPEG"),
        encode(np.zeros((1, 1), np.uint8), "TIFF"),
        image_pdf(b"\0", gray_facts(1, 1)),
    ],
    ids=["png", "jpeg", "tiff", "pdf"],
)
def test_one_pixel(data: bytes, tmp_path: Path) -> None:
    assert "小さすぎ" in refuse(data, tmp_path).reason


def _huge_png() -> bytes:
    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0)

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    rows = chunk(b"IDAT", zlib.compress(b""))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + rows + chunk(b"IEND", b"")


def _huge_jpeg() -> bytes:
    data = bytearray(encode(SHEET, "JPEG"))
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", 30_000, 30_000)
    return bytes(data)


def _set_short_tag(data: bytes, tag: int, value: int) -> bytes:
    """A little-endian TIFF of one page with a tag's value changed."""
    (position,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, position)
    changed = bytearray(data)
    for entry in range(position + 2, position + 2 + 12 * count, 12):
        if struct.unpack_from("<H", data, entry) == (tag,):
            struct.pack_into("<HIHH", changed, entry + 2, 3, 1, value, 0)
    return bytes(changed)


def _huge_tiff() -> bytes:
    return _set_short_tag(_set_short_tag(encode(SHEET, "TIFF"), 256, 30_000), 257, 30_000)


def _flate_bomb(declared: int) -> bytes:
    packer = zlib.compressobj(9)
    block = bytes(1 << 20)
    data = b"".join(packer.compress(block) for _ in range(300)) + packer.flush()
    return image_pdf(data, gray_facts(declared, declared, Filter=Name.FlateDecode))


@pytest.mark.parametrize(
    "make",
    [
        _huge_png,
        _huge_jpeg,
        _huge_tiff,
        lambda: image_pdf(b"", gray_facts(30_000, 30_000, Filter=Name.FlateDecode)),
        lambda: image_pdf(_huge_jpeg(), gray_facts(Filter=Name.DCTDecode)),
        lambda: image_pdf(b"", gray_facts(30_000, 30_000), b"/Im0 Do 0 0 9 9 re f"),
        lambda: _flate_bomb(200),
        lambda: image_pdf(b"", gray_facts(), b"0 0 9 9 re f", {"MediaBox": Array([0, 0, 14_400, 14_400])}),
        lambda: image_pdf(b"", gray_facts(), b"0 0 9 9 re f", {"UserUnit": 1000}),
    ],
    ids=["png", "jpeg", "tiff", "pdf image", "pdf jpeg", "drawn image", "flate bomb", "media box", "unit"],
)
def test_what_would_eat_the_memory(make: Any, tmp_path: Path) -> None:
    assert refuse(make(), tmp_path).trouble is Trouble.TOO_LARGE


def test_bomb_in_the_drawing(tmp_path: Path) -> None:
    document = pikepdf.open(io.BytesIO(image_pdf(b"", gray_facts())))
    packer = zlib.compressobj(9)
    block = b"0 0 9 9 re f\n" * 80_000
    bomb = b"".join(packer.compress(block) for _ in range(200)) + packer.flush()
    document.pages[0].obj.Contents = document.make_stream(bomb, Filter=Name.FlateDecode)
    path = tmp_path / "bomb.pdf"
    document.save(path, compress_streams=False)
    assert path.stat().st_size < 2_000_000
    with open_scan(path) as scan, pytest.raises(PageSetAside) as caught:
        scan.read_page(0)
    assert caught.value.trouble is Trouble.TOO_LARGE


def test_too_many_pages_and_too_long_files(tmp_path: Path) -> None:
    few = DecodeLimits(max_pages=2)
    images = [Image.fromarray(SHEET)] * 2
    tiff = encode(SHEET, "TIFF", save_all=True, append_images=images)
    assert refuse(tiff, tmp_path, few).trouble is Trouble.TOO_LARGE
    pdf = img2pdf.convert([encode(SHEET, "JPEG")] * 3)
    assert refuse(pdf, tmp_path, few).trouble is Trouble.TOO_LARGE
    assert refuse(pdf, tmp_path, DecodeLimits(max_file_bytes=100)).trouble is Trouble.TOO_LARGE


def test_encrypted_pdf(tmp_path: Path) -> None:
    plain = img2pdf.convert([encode(SHEET, "PNG")])

    def lock(user: str, owner: str) -> bytes:
        file = io.BytesIO()
        with pikepdf.open(io.BytesIO(plain)) as document:
            document.save(file, encryption=pikepdf.Encryption(user=user, owner=owner))
        return file.getvalue()

    locked = lock(user="yotei", owner="shokuin")
    error = refuse(locked, tmp_path)
    assert error.trouble is Trouble.ENCRYPTED
    assert "--password" in error.reason
    with pytest.raises(PageSetAside, match="パスワードが違います") as caught:
        read_bytes(locked, tmp_path, password="no")
    assert caught.value.trouble is Trouble.ENCRYPTED
    for password in ("yotei", "shokuin"):
        assert np.array_equal(read_bytes(locked, tmp_path, password).gray, SHEET)
    assert np.array_equal(read_bytes(lock(user="", owner="shokuin"), tmp_path).gray, SHEET)
    assert np.array_equal(read_bytes(plain, tmp_path, "not needed").gray, SHEET)
    drawn_file = io.BytesIO()
    with pikepdf.open(io.BytesIO(image_pdf(b"", gray_facts(), b"0 g 20 20 40 40 re f"))) as document:
        document.save(drawn_file, encryption=pikepdf.Encryption(user="yotei", owner="x"))
    assert read_bytes(drawn_file.getvalue(), tmp_path, "yotei").gray.min() == 0


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_cut_off_image_is_read_with_a_warning(kind: str, tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    noisy = np.clip(SHEET.astype(int) + random.integers(-9, 9, SHEET.shape), 0, 255).astype(np.uint8)
    data = encode(noisy, kind)
    page = read_bytes(data[: len(data) * 2 // 3], tmp_path)
    assert "壊れて" in page.warning
    assert page.gray.shape == SHEET.shape
    assert np.abs(page.gray[:100].astype(int) - noisy[:100]).mean() < 8
    if kind == "JPEG":
        wrapped = image_pdf(data[: len(data) * 2 // 3], gray_facts(Filter=Name.DCTDecode))
        assert np.array_equal(read_bytes(wrapped, tmp_path).gray, page.gray)
        assert "壊れて" in read_bytes(wrapped, tmp_path).warning


def test_cut_off_flate_and_fax_are_read_with_a_warning(tmp_path: Path) -> None:
    data = flate(SHEET)
    page = read_bytes(image_pdf(data[: len(data) * 2 // 3], gray_facts(Filter=Name.FlateDecode)), tmp_path)
    assert "壊れて" in page.warning
    assert np.array_equal(page.gray[:60], SHEET[:60])
    facts = gray_facts(
        BitsPerComponent=1, Filter=Name.CCITTFaxDecode, DecodeParms=Dictionary(K=-1, Columns=170)
    )
    fax = encode_g4(BITS)
    page = read_bytes(image_pdf(fax[: len(fax) * 2 // 3], facts), tmp_path)
    assert "壊れて" in page.warning
    assert np.array_equal(page.gray[:60], BITS[:60])


def test_tiff_cut_off_within_a_page(tmp_path: Path) -> None:
    noise = np.random.default_rng(2).integers(0, 256, (400, 300)).astype(np.uint8)
    parts = encode(noise, "TIFF", save_all=True, append_images=[Image.fromarray(noise)])
    pages = read_all(parts, tmp_path)
    assert len(pages) == 2
    cut = tmp_path / "cut.tif"
    cut.write_bytes(parts[: len(parts) * 3 // 4])
    with open_scan(cut) as scan:
        assert np.array_equal(scan.read_page(0).gray, noise)
        last = scan.page_count - 1
        try:
            warning = scan.read_page(last).warning
        except PageSetAside as error:
            warning = error.reason
    assert warning


@pytest.mark.parametrize("share", [0.35, 0.7, 0.97])
@pytest.mark.parametrize("writer", ["img2pdf", "reportlab", "pikepdf"])
def test_cut_off_pdf_gives_its_first_pages(writer: str, share: float, tmp_path: Path) -> None:
    sheets = [draw_sheet(seed=seed) for seed in range(10)]
    whole = img2pdf.convert([encode(sheet, "PNG") for sheet in sheets])
    if writer == "pikepdf":
        file = io.BytesIO()
        with pikepdf.open(io.BytesIO(whole)) as document:
            document.save(file)
        whole = file.getvalue()
    if writer == "reportlab":
        drawn = io.BytesIO()
        canvas = Canvas(drawn, pagesize=(170, 240), pageCompression=0)
        for sheet in sheets:
            canvas.drawInlineImage(Image.fromarray(sheet), 0, 0, 170, 240)
            canvas.showPage()
        canvas.save()
        whole = drawn.getvalue()
    path = tmp_path / "cut.pdf"
    path.write_bytes(whole[: int(len(whole) * share)])
    read = 0
    with open_scan(path) as scan:
        for index in range(scan.page_count):
            try:
                page = scan.read_page(index)
            except PageSetAside:
                continue
            if page.gray.shape == SHEET.shape and not page.warning:
                assert np.array_equal(page.gray, sheets[index])
            assert page.warning or page.gray.min() < 100, "a lost page must not look like an empty one"
            read += 1
    assert read >= int(10 * share) - 2


def test_one_broken_page_of_many(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    jpeg = encode(SHEET, "JPEG")
    with pikepdf.open(io.BytesIO(img2pdf.convert([jpeg] * 2000))) as document:
        broken = document.pages[1234].obj
        broken.Resources.XObject = Dictionary(
            {next(iter(broken.Resources.XObject)): document.make_stream(b"?")}
        )
        document.save(tmp_path / "many.pdf")
    with open_scan(tmp_path / "many.pdf") as scan:
        assert scan.page_count == 2000
        for index in (0, 1233, 1235, 1999):
            assert scan.read_page(index).gray.shape == SHEET.shape
        with pytest.raises(PageSetAside) as caught:
            scan.read_page(1234)
    assert caught.value.trouble is Trouble.DAMAGED_PAGE
    assert capfd.readouterr().err == ""


GOOD_FILES = {
    "jpeg": encode(SHEET, "JPEG"),
    "png": encode(SHEET, "PNG"),
    "tiff": encode(SHEET, "TIFF", compression="tiff_lzw"),
    "g4": encode(Image.fromarray(BITS).convert("1"), "TIFF", compression="group4"),
    "tiff jpeg": encode(SHEET, "TIFF", compression="jpeg"),
    "pdf jpeg": img2pdf.convert([encode(SHEET, "JPEG")]),
    "pdf png": img2pdf.convert([encode(SHEET, "PNG")]),
    "pdf g4": img2pdf.convert([encode(Image.fromarray(BITS).convert("1"), "TIFF", compression="group4")]),
    "pdf jbig2": image_pdf(jbig2_of(BITS), gray_facts(BitsPerComponent=1, Filter=Name.JBIG2Decode)),
    "pdf drawn": image_pdf(flate(SHEET), gray_facts(Filter=Name.FlateDecode), b"/Im0 Do 0 0 9 9 re f"),
}


@pytest.mark.parametrize("kind", GOOD_FILES)
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(draw=st.data())
def test_damage_ends_in_a_page_or_a_reason(kind: str, draw: st.DataObject, tmp_path: Path) -> None:
    data = bytearray(GOOD_FILES[kind])
    for _ in range(draw.draw(st.integers(0, 6))):
        data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    data = data[: draw.draw(st.integers(0, len(data)))] if draw.draw(st.booleans()) else data
    path = tmp_path / "damaged"
    path.write_bytes(bytes(data))
    with suppress(PageSetAside), open_scan(path, DecodeLimits(max_pixels=4_000_000)) as scan:
        page = scan.read_page(0)
        assert page.gray.dtype == np.uint8
        assert page.gray.ndim == 2


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    start=st.sampled_from([b"", b"%PDF-1.7\n", b"II*\0", b"MM\0*", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"]),
    rest=st.binary(max_size=400),
)
def test_noise_in_memory_ends_in_a_page_or_a_reason(start: bytes, rest: bytes) -> None:
    with suppress(PageSetAside):
        assert decode_image(start + rest).gray.ndim == 2


# The rest


def test_decode_image_reads_what_files_hold() -> None:
    assert np.array_equal(decode_image(encode(SHEET, "PNG")).gray, SHEET)
    assert np.array_equal(decode_image(encode(SHEET, "TIFF")).gray, SHEET)
    with pytest.raises(PageSetAside, match="PDF"):
        decode_image(GOOD_FILES["pdf png"])


def test_describe_decoders_names_each_with_a_version() -> None:
    described = dict(describe_decoders())
    assert {"simplejpeg", "imagecodecs", "pikepdf", "pypdfium2", "poppler (pdftoppm)"} <= set(described)
    assert all(described.values())
    assert ".pdf" in SCAN_SUFFIXES


def test_numbers_of_pages_are_from_zero(tmp_path: Path) -> None:
    path = tmp_path / "one.png"
    path.write_bytes(encode(SHEET, "PNG"))
    with open_scan(path) as scan, pytest.raises(IndexError):
        scan.read_page(1)


@pytest.mark.parametrize("module", ["simplejpeg", "imagecodecs"])
def test_without_the_fast_decoders(module: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Machines for which a fast decoder has no wheel read the same pages."""
    monkeypatch.setattr(jpeg_decoding if module == "simplejpeg" else fax_decoding, module, None)
    jpeg = encode(SHEET, "JPEG", quality=95)
    assert_close(read_bytes(jpeg, tmp_path), SHEET)
    assert "壊れて" in read_bytes(jpeg[: len(jpeg) // 2], tmp_path).warning
    assert np.array_equal(read_bytes(GOOD_FILES["g4"], tmp_path).gray, BITS)
    assert np.array_equal(read_bytes(GOOD_FILES["pdf g4"], tmp_path).gray, BITS)


@pytest.mark.long
@pytest.mark.parametrize("kind", ["pdf jpeg", "pdf drawn", "pdf jbig2", "tiff g4", "tiff lzw"])
def test_memory_stays_flat_over_2000_pages(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "many"
    noisy = np.random.default_rng(3).integers(150, 250, (700, 500)).astype(np.uint8)
    if kind.startswith("tiff"):
        image = Image.fromarray(noisy) if kind == "tiff lzw" else Image.fromarray(noisy > 240)
        compression = "tiff_lzw" if kind == "tiff lzw" else "group4"
        image.save(path, "TIFF", save_all=True, append_images=[image] * 1999, compression=compression)
    elif kind == "pdf jpeg":
        path.write_bytes(img2pdf.convert([encode(noisy, "JPEG")] * 2000))
    else:
        with pikepdf.open(io.BytesIO(GOOD_FILES[kind])) as one, pikepdf.new() as many:
            for _ in range(2000):
                many.pages.append(one.pages[0])
            many.save(path)
    start = time.perf_counter()
    with open_scan(path) as scan:
        assert scan.page_count == 2000
        scan.read_page(1999)
        assert time.perf_counter() - start < 1.0
        used = []
        for index in range(2000):
            scan.read_page(index)
            if index % 200 == 199:
                used.append(_resident_bytes())
    assert used[-1] - used[1] < 20e6, used


def _resident_bytes() -> int:
    statm = Path("/proc/self/statm")
    if not statm.exists():
        pytest.skip("the memory in use is read from /proc")
    return int(statm.read_text().split()[1]) * 4096


@pytest.mark.real_scans
def test_real_scans_open_at_their_size() -> None:
    folder = Path(os.environ["SAITEN_SHARED"]) / "scans"
    files = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in SCAN_SUFFIXES]
    assert len(files) > 10
    for path in files:
        with Image.open(path) as image:
            sides = {image.size, image.size[::-1]}
            bilevel = image.mode == "1"
        with open_scan(path) as scan:
            assert scan.page_count == 1
            page = scan.read_page(0)
        assert page.gray.shape[::-1] in sides
        assert page.bilevel == bilevel
        assert page.warning == ""


@pytest.mark.real_scans
def test_real_scans_are_what_their_list_says() -> None:
    folder = Path(os.environ["SAITEN_SHARED"]) / "scans" / "amc"
    with (folder / "images.csv").open(encoding="utf-8", newline="") as listing:
        rows = list(csv.DictReader(listing))
    assert rows
    for row in rows:
        with open_scan(folder / row["image"]) as scan:
            page = scan.read_page(0)
        assert page.gray.shape == (int(row["height"]), int(row["width"]))
        assert page.bilevel == (row["mode"] == "1")
        assert page.dpi is None or page.dpi == pytest.approx((float(row["dpi"]),) * 2, abs=1)
