"""The image stream of a PDF to gray, without drawing the page.

JPEG and fax go to the decoders that scan files use, Flate is unpacked here within the bounds that the image's
size sets, and everything rare (JBIG2, JPEG 2000, LZW, Lab, spot colours) is decoded by pdfium.
"""

from __future__ import annotations

import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pikepdf
from pikepdf import Name

from omr.decode_limits import check_size
from omr.errors import PageSetAside, Trouble
from omr.fax_decoding import G3, G4, decode_fax
from omr.gray import DAMAGE_WARNING, gray_from_samples
from omr.jbig2 import check_jbig2
from omr.jpeg_decoding import decode_cmyk_jpeg, decode_jpeg, jpeg_components
from omr.pdf_image_facts import RareImageError, filter_names, read_facts
from omr.pdf_samples import apply_decode, gray_of, samples_of_rows
from omr.tiff_directory import Tag

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from omr.decode_limits import DecodeLimits
    from omr.pdf_image_facts import ImageFacts


def decode_image_stream(image: Any, limits: DecodeLimits) -> tuple[NDArray[np.uint8], str]:
    """Gray of an image XObject, as its rows and columns lie in the stream.

    Args:
        image: without masks; a stencil is taken as painted in black.
        limits: checked before decoding.

    Returns:
        Shape (height, width), and a warning for the teacher if the data are damaged.

    Raises:
        RareImageError: pdfium has to decode it; what can be checked beforehand has been.
        PageSetAside: too large or too damaged.
    """
    facts = read_facts(image)
    check_size(facts.width, facts.height, limits)
    *before, (last, parameters) = facts.filters or [("", None)]
    if last in ("/JBIG2Decode", "/JPXDecode"):
        _check_rare(last, image, limits)
    if last in ("/DCTDecode", "/DCT", "/CCITTFaxDecode", "/CCF"):
        data = _unpack_leading(image.read_raw_bytes(), before, limits)
        if last in ("/DCTDecode", "/DCT"):
            return _decode_dct(data, facts, parameters, limits)
        samples, damaged = _decode_ccitt(data, facts, parameters, limits)
    elif all(name in ("", "/FlateDecode", "/Fl") for name, _ in facts.filters):
        samples, damaged = _decode_flate(image, facts)
    else:
        raise RareImageError
    return gray_of(samples, facts), DAMAGE_WARNING if damaged else ""


def _unpack_leading(data: bytes, filters: list[tuple[str, Any]], limits: DecodeLimits) -> bytes:
    """Undo the Flate wrapping that some writers put around JPEG and fax data."""
    for name, parameters in filters:
        if name not in ("/FlateDecode", "/Fl") or parameters is not None:
            raise RareImageError
        data = unpack_bounded(data, 4 * limits.max_pixels)
    return data


def unpack_bounded(data: bytes, most: int) -> bytes:
    """Inflate what may be damaged or a bomb.

    Args:
        data: a zlib stream; what comes before its damage is given.
        most: bytes.

    Raises:
        PageSetAside: it unpacks to more than `most`.
    """
    inflater = zlib.decompressobj()
    try:
        unpacked = inflater.decompress(data, most + 1)
    except zlib.error:
        # Byte by byte would find the last good one; a page that starts broken has nothing to show.
        unpacked = _inflate_until_damage(data, most)
    if len(unpacked) > most:
        raise PageSetAside(
            Trouble.TOO_LARGE,
            "PDFの画像データが異常に大きく展開されるため開けません。スキャンし直してください。",
        )
    return unpacked


def _inflate_until_damage(data: bytes, most: int) -> bytes:
    inflater, unpacked = zlib.decompressobj(), bytearray()
    try:
        for start in range(0, len(data), 1024):
            unpacked += inflater.decompress(data[start : start + 1024], most + 1 - len(unpacked))
            if len(unpacked) > most:
                break
    except zlib.error:
        pass
    return bytes(unpacked)


def _decode_dct(
    data: bytes, facts: ImageFacts, parameters: Any, limits: DecodeLimits
) -> tuple[NDArray[np.uint8], str]:
    components = jpeg_components(data, limits)
    untransformed = parameters is not None and int(parameters.get(Name.ColorTransform, 1)) == 0
    if components != facts.components or facts.colour == "indexed" or (untransformed and components == 3):
        raise RareImageError
    if components == 4:
        samples, warning = decode_cmyk_jpeg(data, limits)
        return gray_from_samples(apply_decode(samples, facts.decode)), warning
    if facts.decode and facts.decode != (1.0, 0.0) * components:
        raise RareImageError
    gray, warning = decode_jpeg(data, limits)
    return (255 - gray if facts.decode else gray), warning


def _decode_ccitt(
    data: bytes, facts: ImageFacts, parameters: Any, limits: DecodeLimits
) -> tuple[NDArray[np.uint8], bool]:
    """Bits of fax data as the filter gives them, shape (height, width, 1), and whether they are damaged."""
    settings = parameters if parameters is not None else pikepdf.Dictionary()
    k = int(settings.get(Name.K, 0))
    aligned = bool(settings.get(Name.EncodedByteAlign, False))
    marked = k < 0 or bool(settings.get(Name.EndOfLine, False))
    # TIFF knows fax rows without marks or with padding only in part.
    if aligned or not marked or int(settings.get(Name.Columns, 1728)) != facts.width:
        raise RareImageError
    if facts.bits != 1 or facts.components != 1:
        raise RareImageError
    tags: dict[Tag, tuple[float, ...]] = {
        Tag.WIDTH: (facts.width,),
        Tag.HEIGHT: (facts.height,),
        Tag.BITS: (1,),
        Tag.COMPRESSION: (G4 if k < 0 else G3,),
        Tag.SAMPLES: (1,),
        Tag.ROWS_PER_STRIP: (facts.height,),
    }
    if k > 0:
        tags[Tag.FAX_OPTIONS] = (1,)
    bits, damaged = decode_fax(tags, [data], limits)
    if not bool(settings.get(Name.BlackIs1, False)):
        np.bitwise_xor(bits, 1, out=bits)
    return bits[..., np.newaxis], damaged


def _decode_flate(image: Any, facts: ImageFacts) -> tuple[NDArray[np.uint8], bool]:
    """Samples of an uncompressed or Flate image, unscaled, and whether some are missing."""
    row_bytes = (facts.width * facts.components * facts.bits + 7) // 8
    expected = row_bytes * facts.height
    data = _read_unpacked(image, facts, expected)
    damaged = len(data) < expected
    if not data:
        raise PageSetAside(
            Trouble.DAMAGED_PAGE,
            "PDFの画像データが壊れていて開けません。このページをスキャンし直してください。",
        )
    rows = np.frombuffer(data.ljust(expected, b"\xff"), np.uint8, expected).reshape(facts.height, row_bytes)
    return samples_of_rows(rows, facts), damaged


def _read_unpacked(image: Any, facts: ImageFacts, expected: int) -> bytes:
    predicted = any(item is not None and int(item.get(Name.Predictor, 1)) > 1 for _, item in facts.filters)
    if not predicted:
        data: bytes = image.read_raw_bytes()
        for _ in facts.filters:
            data = unpack_bounded(data, expected + expected // 8 + 1024)
        return data
    # qpdf undoes the predictors; its bound is set to what this image may need (rows have one byte more).
    try:
        with bound_flate(expected + facts.height + 1024):
            return bytes(image.read_bytes())
    except pikepdf.PikepdfError as error:
        raise PageSetAside(
            Trouble.DAMAGED_PAGE,
            "PDFの画像データが壊れているか大きすぎるため開けません。このページをスキャンし直してください。",
        ) from error


@contextmanager
def bound_flate(most: int) -> Iterator[None]:
    """Set how far qpdf may unpack a stream; the bound is one for the process.

    Args:
        most: bytes.
    """
    before = pikepdf.settings.get_qpdf_limits()["flate_max_memory"]
    pikepdf.settings.set_qpdf_limits(flate_max_memory=most)
    try:
        yield
    finally:
        pikepdf.settings.set_qpdf_limits(flate_max_memory=before)


def _check_rare(name: str, image: Any, limits: DecodeLimits) -> None:
    """What pdfium would pass over in silence: it gives white paper for broken JBIG2 data."""
    data = image.read_raw_bytes()
    if name == "/JBIG2Decode" and len(filter_names(image)) == 1:
        check_jbig2(data)
    if name == "/JPXDecode":
        start = data.find(b"\xff\x4f\xff\x51")  # start of codestream, then its size (ISO 15444-1, A.5.1)
        if start >= 0 and len(data) >= start + 16:
            numbers = np.frombuffer(data, ">u4", 2, start + 8)
            check_size(int(numbers[0]), int(numbers[1]), limits)
