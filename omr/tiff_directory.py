"""The directories of a TIFF file (TIFF 6.0 and BigTIFF): where each page's data lie, read and written.

A page is taken out as a TIFF of its own in memory, so that page 1,999 costs no more than page 0 and the
decoders never see the rest of the file. A fax stream of a PDF gets its directory the same way.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from itertools import accumulate
from typing import TYPE_CHECKING, BinaryIO, Literal

from omr.errors import PageSetAside, Trouble

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Tag(IntEnum):
    """The tags that say how pixels are stored; all others are dropped."""

    WIDTH = 256
    HEIGHT = 257
    BITS = 258
    COMPRESSION = 259
    PHOTOMETRIC = 262
    FILL_ORDER = 266
    STRIP_OFFSETS = 273
    ORIENTATION = 274
    SAMPLES = 277
    ROWS_PER_STRIP = 278
    STRIP_BYTES = 279
    X_RESOLUTION = 282
    Y_RESOLUTION = 283
    PLANAR = 284
    FAX_OPTIONS = 292
    RESOLUTION_UNIT = 296
    PREDICTOR = 317
    PALETTE = 320
    TILE_WIDTH = 322
    TILE_HEIGHT = 323
    TILE_OFFSETS = 324
    TILE_BYTES = 325
    INK_SET = 332
    EXTRA_SAMPLES = 338
    SAMPLE_FORMAT = 339
    JPEG_TABLES = 347
    OLD_JPEG_OFFSET = 513
    OLD_JPEG_BYTES = 514
    CHROMA_SUBSAMPLING = 530


Values = tuple[float, ...]
_FORMATS = {1: "B", 2: "B", 3: "H", 4: "I", 5: "II", 6: "b", 7: "B", 8: "h", 9: "i", 10: "ii", 11: "f"} | {
    12: "d",
    13: "I",
    16: "Q",
    17: "q",
    18: "Q",
}
_RATIONALS = (5, 10)
_MAX_VALUES = 1_000_000
_LONG, _SHORT, _UNDEFINED = 4, 3, 7


@dataclass(frozen=True, slots=True)
class TiffHeader:
    """How a file stores numbers.

    Attributes:
        order: struct's sign for the byte order.
        offset_bits: 32, or 64 in BigTIFF.
        first: where the first directory stands.
    """

    order: Literal["<", ">"]
    offset_bits: Literal[32, 64]
    first: int


def read_header(file: BinaryIO) -> TiffHeader:
    """The first bytes of the file.

    Raises:
        struct.error: the file ends within the header.
        ValueError: this is no TIFF file.
    """
    file.seek(0)
    start = file.read(16)
    order: Literal["<", ">"] = "<" if start[:2] == b"II" else ">"
    (version,) = struct.unpack_from(order + "H", start, 2)
    if version == 42:
        return TiffHeader(order, 32, *struct.unpack_from(order + "I", start, 4))
    if version == 43:
        return TiffHeader(order, 64, *struct.unpack_from(order + "Q", start, 8))
    raise ValueError("no TIFF header")


def list_directories(file: BinaryIO, header: TiffHeader, max_pages: int) -> tuple[list[int], bool]:
    """Where the directory of each page stands.

    Args:
        file: the open file.
        header: from `read_header`.
        max_pages: reading stops after one more than these.

    Returns:
        Offsets in page order, and whether the chain breaks off or bites its tail.
    """
    offsets: list[int] = []
    seen: set[int] = set()
    count_format, entry_bytes, next_format = ("Q", 20, "Q") if header.offset_bits == 64 else ("H", 12, "I")
    position = header.first
    while position and len(offsets) <= max_pages:
        if position in seen:
            return offsets, True
        seen.add(position)
        try:
            (count,) = _unpack_at(file, position, header.order + count_format)
            after = position + struct.calcsize(header.order + count_format) + count * entry_bytes
            offsets.append(position)
            (position,) = _unpack_at(file, after, header.order + next_format)
        except (struct.error, OverflowError, OSError):
            return offsets, True
    return offsets, False


def read_directory(file: BinaryIO, header: TiffHeader, position: int) -> dict[Tag, Values]:
    """The tags of one page; rationals as quotients (a zero below the line makes 0).

    Raises:
        struct.error: the directory is cut off.
    """
    count_format, entry_bytes = ("Q", 20) if header.offset_bits == 64 else ("H", 12)
    head = struct.calcsize(header.order + count_format)
    (count,) = _unpack_at(file, position, header.order + count_format)
    file.seek(position + head)
    entries = file.read(min(count, 4096) * entry_bytes)
    tags: dict[Tag, Values] = {}
    known = set(Tag)
    for start in range(0, len(entries) - entry_bytes + 1, entry_bytes):
        entry = entries[start : start + entry_bytes]
        number, kind = struct.unpack_from(header.order + "HH", entry)
        if number in known and kind in _FORMATS:
            tags[Tag(number)] = _read_values(file, header, kind, entry)
    return tags


def write_tiff(
    order: Literal["<", ">"], tags: Mapping[Tag, Values], parts: Sequence[bytes], tables: bytes = b""
) -> bytes:
    """A TIFF of one page.

    Args:
        order: byte order of samples wider than a byte.
        tags: of the page, without offsets and byte counts.
        parts: the data of its strips, or of its tiles where the tags name a tile's width.
        tables: the JPEG tables shared by the strips, if any.

    Returns:
        The file.
    """
    tiled = Tag.TILE_WIDTH in tags
    offsets_tag, bytes_tag = (
        (Tag.TILE_OFFSETS, Tag.TILE_BYTES) if tiled else (Tag.STRIP_OFFSETS, Tag.STRIP_BYTES)
    )
    sizes = [len(part) for part in parts]
    starts = [8 + start for start in accumulate(sizes[:-1], initial=0)]
    entries: dict[Tag, tuple[int, bytes, int]] = {}
    for tag, values in tags.items():
        kind = _LONG if max(values, default=0) > 0xFFFF else _SHORT
        packed = struct.pack(f"{order}{len(values)}{_FORMATS[kind]}", *(int(value) for value in values))
        entries[tag] = kind, packed, len(values)
    for tag, numbers in ((offsets_tag, starts), (bytes_tag, sizes)):
        entries[tag] = _LONG, struct.pack(f"{order}{len(numbers)}I", *numbers), len(numbers)
    if tables:
        entries[Tag.JPEG_TABLES] = _UNDEFINED, tables, len(tables)

    data = b"".join(parts)
    data += b"\0" * (len(data) % 2)
    directory = bytearray(struct.pack(order + "H", len(entries)))
    overflow = bytearray()
    overflow_start = 8 + len(data) + 2 + 12 * len(entries) + 4
    for tag in sorted(entries):
        kind, packed, length = entries[tag]
        directory += struct.pack(order + "HHI", tag, kind, length)
        if len(packed) <= 4:
            directory += packed.ljust(4, b"\0")
        else:
            directory += struct.pack(order + "I", overflow_start + len(overflow))
            overflow += packed + b"\0" * (len(packed) % 2)
    start = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8 + len(data))
    return b"".join((start, data, directory, b"\0\0\0\0", overflow))


def _unpack_at(file: BinaryIO, position: int, layout: str) -> tuple[int, ...]:
    file.seek(position)
    return struct.unpack(layout, file.read(struct.calcsize(layout)))


def _read_values(file: BinaryIO, header: TiffHeader, kind: int, entry: bytes) -> Values:
    count_format, inline_bytes = ("Q", 8) if header.offset_bits == 64 else ("I", 4)
    (count,) = struct.unpack_from(header.order + count_format, entry, 4)
    if count > _MAX_VALUES:
        raise PageSetAside(
            Trouble.DAMAGED_PAGE,
            "ページの情報が壊れているため開けません。このページをスキャンし直してください。",
        )
    letters = _FORMATS[kind]
    layout = f"{header.order}{count * len(letters)}{letters[0]}"
    if struct.calcsize(layout) <= inline_bytes:
        numbers: Values = struct.unpack_from(layout, entry, len(entry) - inline_bytes)
    else:
        (position,) = struct.unpack_from(header.order + count_format, entry, len(entry) - inline_bytes)
        numbers = _unpack_at(file, position, layout)
    if kind in _RATIONALS:
        pairs = zip(numbers[::2], numbers[1::2], strict=True)
        return tuple(above / below if below else 0.0 for above, below in pairs)
    return numbers
