"""PDF pages that are one image: the very pixels of the stream, placed as the page says."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import img2pdf
import numpy as np
import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name
from PIL import Image

from omr.errors import Trouble
from omr.jbig2 import holds_symbols
from omr.scan_file import decode_image
from tests.scan_files import (
    BITS,
    SHEET,
    TURNS,
    assert_close,
    draw_sheet,
    encode,
    encode_g4,
    flate,
    gray_facts,
    image_pdf,
    jbig2_of,
    read_bytes,
    refuse,
)

if TYPE_CHECKING:
    from pathlib import Path


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
    stored = SHEET if orientation < 5 else draw_sheet(170, 240)
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
