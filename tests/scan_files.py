"""Scan files made for the tests, with what is known about their pixels, and ways to read them."""

from __future__ import annotations

import io
import re
import zlib
from typing import TYPE_CHECKING, Any

import img2pdf
import numpy as np
import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name
from PIL import Image

from omr.errors import PageSetAside
from omr.scan_file import open_scan

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from omr.decode_limits import DecodeLimits
    from omr.page import Page


def draw_sheet(height: int = 240, width: int = 170, seed: int = 7) -> NDArray[np.uint8]:
    """White paper with gray blocks, no two corners alike, so that every turn and flip shows."""
    random = np.random.default_rng(seed)
    sheet = np.full((height, width), 250, np.uint8)
    for _ in range(30):
        y, x = random.integers(0, height - 20), random.integers(0, width - 20)
        sheet[y : y + random.integers(3, 20), x : x + random.integers(3, 20)] = random.integers(0, 200)
    sheet[:12, :30] = 0
    return sheet


def draw_bits(height: int = 240, width: int = 170) -> NDArray[np.uint8]:
    """The same in black (0) and white (255)."""
    return np.where(draw_sheet(height, width) > 127, 255, 0).astype(np.uint8)


def encode(pixels: NDArray[Any] | Image.Image, kind: str, **options: Any) -> bytes:
    """A JPEG, PNG or TIFF file of an array or a Pillow image."""
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def repeat_page(tiff: bytes, count: int) -> bytes:
    """A TIFF of many pages from one of a single page: each has a directory, all share its data."""
    assert tiff[:2] == b"II"
    start = int.from_bytes(tiff[4:8], "little")
    size = 2 + 12 * int.from_bytes(tiff[start : start + 2], "little")
    directory = tiff[start : start + size]
    head = tiff + b"\0" * (len(tiff) % 2)  # directories start at even offsets
    places = [len(head) + index * (size + 4) for index in range(count)]
    following = [*places[1:], 0]
    chain = b"".join(directory + place.to_bytes(4, "little") for place in following)
    return head[:4] + places[0].to_bytes(4, "little") + head[8:] + chain


def encode_g4(bits: NDArray[np.uint8]) -> bytes:
    """Bare G4 data of an array of 0 and 255, coded in one piece."""
    rows = bits.shape[0]
    # Pillow writes "black is zero" and so codes black as white: hand it the negative.
    tiff = encode(
        Image.fromarray(255 - bits).convert("1"), "TIFF", compression="group4", tiffinfo={278: rows}
    )
    with Image.open(io.BytesIO(tiff)) as image:
        tags = image.tag_v2  # type: ignore[attr-defined]
        (start,), (size,) = tags[273], tags[279]
    return tiff[start : start + size]


def image_pdf(
    data: bytes,
    facts: dict[str, Any],
    content: bytes = b"q 170 0 0 240 0 0 cm /Im0 Do Q",
    page_facts: dict[str, Any] | None = None,
    extra_images: Sequence[tuple[bytes, dict[str, Any]]] = (),
) -> bytes:
    """A PDF of one page of 170 x 240 points with images Im0, Im1 … as resources."""
    document = pikepdf.new()
    images = Dictionary()
    for number, (stream, entries) in enumerate([(data, facts), *extra_images]):
        image = document.make_stream(stream)
        image[Name.Type], image[Name.Subtype] = Name.XObject, Name.Image
        for key, value in entries.items():
            image[f"/{key}"] = value
        images[f"/Im{number}"] = image
    page = Dictionary(
        Type=Name.Page,
        MediaBox=Array([0, 0, 170, 240]),
        Resources=Dictionary(XObject=images),
        Contents=document.make_stream(content),
    )
    for key, value in (page_facts or {}).items():
        page[f"/{key}"] = value
    document.pages.append(pikepdf.Page(document.make_indirect(page)))
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def gray_facts(width: int = 170, height: int = 240, **more: Any) -> dict[str, Any]:
    """The dictionary of an 8-bit gray image."""
    return {
        "Width": width,
        "Height": height,
        "BitsPerComponent": 8,
        "ColorSpace": Name.DeviceGray,
        **more,
    }


def flate(samples: NDArray[Any] | bytes) -> bytes:
    """Flate data of samples as they lie."""
    return zlib.compress(samples if isinstance(samples, bytes) else samples.tobytes())


def jbig2_of(bits: NDArray[np.uint8], symbols: bytes = b"") -> bytes:
    """JBIG2 data: one page of one region in MMR coding, which is G4 (ITU-T T.88, 6.2.6).

    `symbols` is the content of a symbol dictionary to stand before the region; none if empty.
    """
    height, width = bits.shape

    def segment(number: int, kind: int, data: bytes) -> bytes:
        return number.to_bytes(4) + bytes([kind, 0, 1]) + len(data).to_bytes(4) + data

    page = width.to_bytes(4) + height.to_bytes(4) + bytes(8) + b"\x00\x00\x00"
    region = width.to_bytes(4) + height.to_bytes(4) + bytes(8) + b"\x00" + b"\x01" + encode_g4(bits)
    shared = segment(2, 0, symbols) if symbols else b""
    return segment(0, 48, page) + shared + segment(1, 38, region)


SHEET = draw_sheet()
BITS = draw_bits()
# What each orientation tag (TIFF 6.0, 274) does to an array.
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
    """The first page of a scan."""
    return read_all(data, folder, password)[0]


def read_all(data: bytes, folder: Path, password: str | None = None) -> list[Page]:
    """All pages of a scan."""
    path = folder / "scan.dat"
    path.write_bytes(data)
    with open_scan(path, password=password) as scan:
        return [scan.read_page(index) for index in range(scan.page_count)]


def refuse(data: bytes, folder: Path, limits: DecodeLimits | None = None) -> PageSetAside:
    """Why a scan or its first page is set aside, which it must be, in a Japanese sentence."""
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
