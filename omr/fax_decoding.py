"""CCITT fax data (G3, G4) to bits, with damage reported.

The fast decoder, imagecodecs, refuses damaged data; only then does a lenient one read as far as it can.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from omr.errors import PageSetAside, Trouble
from omr.optional_module import import_optional
from omr.pillow_decoding import load_lenient
from omr.tiff_directory import Tag, write_tiff

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from omr.decode_limits import DecodeLimits
    from omr.tiff_directory import Values

imagecodecs = import_optional("imagecodecs")  # Pillow reads the same, but tells of less damage

FAX_COMPRESSIONS = (2, 3, 4)
"""TIFF's numbers: modified Huffman, G3, G4."""
G3, G4 = 3, 4
_BLACK_IS_ZERO = 1


def decode_fax(
    tags: dict[Tag, Values], strips: Sequence[bytes], limits: DecodeLimits
) -> tuple[NDArray[np.uint8], bool]:
    """Decode the strips of a page.

    Args:
        tags: the page's; the photometric one is not looked at.
        strips: the data.
        limits: the size was checked against them.

    Returns:
        Shape (height, width), 0 where the code says white and 1 where it says black, and whether the data
        are damaged (what is missing is white).

    Raises:
        PageSetAside: too damaged to decode.
    """
    # "Black is zero" makes every decoder hand the bits on as they stand in the code.
    page = write_tiff("<", tags | {Tag.PHOTOMETRIC: (_BLACK_IS_ZERO,)}, strips)
    if imagecodecs is not None:
        try:
            bits = imagecodecs.tiff_decode(page)
            return _as_bits(bits), False
        except (imagecodecs.TiffError, ValueError):
            pass
    if imagecodecs is not None and tags[Tag.COMPRESSION] == (G4,):
        return _decode_damaged_g4(tags, strips), True
    try:
        image, damaged = load_lenient(page, "TIFF", limits)
    except (OSError, SyntaxError, ValueError) as error:
        raise PageSetAside(
            Trouble.DAMAGED_PAGE,
            "画像（ファクス形式）が壊れていて開けません。このページをスキャンし直してください。",
        ) from error
    return _as_bits(np.asarray(image.convert("L")) > 0), damaged or imagecodecs is not None


def _decode_damaged_g4(tags: dict[Tag, Values], strips: Sequence[bytes]) -> NDArray[np.uint8]:
    width, height = int(tags[Tag.WIDTH][0]), int(tags[Tag.HEIGHT][0])
    rows = min(height, int(tags.get(Tag.ROWS_PER_STRIP, (height,))[0])) or height
    bits = np.zeros((height, width), np.uint8)
    for top, strip in zip(range(0, height, rows), strips, strict=False):
        data = strip.translate(_REVERSED_BITS) if tags.get(Tag.FILL_ORDER) == (2,) else strip
        tall = min(rows, height - top)
        try:
            decoded = imagecodecs.ccittfax4_decode(data, tall, width)
        except (imagecodecs.CcittError, ValueError):
            continue
        bits[top : top + tall] = decoded[:tall]
    return bits


def _as_bits(decoded: NDArray[np.bool_] | NDArray[np.uint8]) -> NDArray[np.uint8]:
    if decoded.ndim != 2:
        raise PageSetAside(
            Trouble.DAMAGED_PAGE,
            "画像（ファクス形式）が壊れていて開けません。このページをスキャンし直してください。",
        )
    return cast("NDArray[np.uint8]", np.ascontiguousarray(decoded).view(np.uint8))


_REVERSED_BITS = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))
