"""Scan files made for the tests, with what is known about their pixels."""

from __future__ import annotations

import io
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pikepdf
from pikepdf import Array, Dictionary, Name
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


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


def jbig2_of(bits: NDArray[np.uint8]) -> bytes:
    """JBIG2 data: one page of one region in MMR coding, which is G4 (ITU-T T.88, 6.2.6)."""
    height, width = bits.shape

    def segment(number: int, kind: int, data: bytes) -> bytes:
        return number.to_bytes(4) + bytes([kind, 0, 1]) + len(data).to_bytes(4) + data

    page = width.to_bytes(4) + height.to_bytes(4) + bytes(8) + b"\x00\x00\x00"
    region = width.to_bytes(4) + height.to_bytes(4) + bytes(8) + b"\x00" + b"\x01" + encode_g4(bits)
    return segment(0, 48, page) + segment(1, 38, region)
