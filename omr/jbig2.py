"""A look into JBIG2 data before pdfium decodes them (ITU-T T.88, 7.2)."""

from __future__ import annotations

import struct

from omr.errors import PageSetAside, Trouble

SYMBOLS_WARNING = (
    "この圧縮方式（JBIG2）では似た文字が入れ替わることがあります。"
    "複合機の高圧縮を切って、通常のPDFでスキャンし直すと確実です。"
)
"""For pages on which a glyph may stand for another of like shape (6 and 8)."""

_SYMBOL_DICTIONARY = 0
_UNKNOWN_LENGTH = 0xFFFFFFFF
_KNOWN_TYPES = frozenset([0, 4, 6, 7, 16, 20, 22, 23, 36, 38, 39, 40, 42, 43, 48, 49, 50, 51, 52, 53, 62])


def check_jbig2(data: bytes) -> None:
    """Make sure that the segments are whole, which the decoder doesn't tell.

    Args:
        data: the stream of a PDF image.

    Raises:
        PageSetAside: the data are cut off or no JBIG2.
    """
    try:
        _list_segment_types(data)
    except (struct.error, IndexError, ValueError) as error:
        raise PageSetAside(
            Trouble.DAMAGED_PAGE,
            "画像（JBIG2）が壊れていて開けません。このページをスキャンし直してください。",
        ) from error


def holds_symbols(data: bytes) -> bool:
    """Whether the data replace glyphs by shared ones; False where they can't be followed."""
    try:
        return _SYMBOL_DICTIONARY in _list_segment_types(data)
    except (struct.error, IndexError, ValueError):
        return False


def _list_segment_types(data: bytes) -> list[int]:
    types: list[int] = []
    position = 0
    while position < len(data):
        number, flags, referred = struct.unpack_from(">IBB", data, position)
        position += 5
        count = referred >> 5
        if count == 7:
            (count,) = struct.unpack_from(">I", data, position)
            count &= 0x1FFFFFFF
            position += 4 + (count + 8) // 8
        else:
            position += 1
        position += count * (1 if number <= 256 else 2 if number <= 65536 else 4)
        page_bytes = 4 if flags & 0x40 else 1
        (length,) = struct.unpack_from(">I", data, position + page_bytes)
        types.append(flags & 0x3F)
        if length == _UNKNOWN_LENGTH:
            return types
        position += page_bytes + 4 + length
        if position > len(data):
            raise ValueError("segment cut off")
        if not data[position:].strip(b"\0\r\n"):
            break
    if not types or not _KNOWN_TYPES.issuperset(types):
        raise ValueError("no segments, or some of no known type")
    return types
