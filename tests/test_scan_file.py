"""Loose images, and the door for all scans."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from omr import fax_decoding, jpeg_decoding
from omr.errors import PageSetAside
from omr.scan_file import SCAN_SUFFIXES, decode_image, describe_decoders, open_scan
from tests.scan_files import (
    BITS,
    GOOD_FILES,
    SHEET,
    TURNS,
    assert_close,
    encode,
    read_bytes,
)


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
