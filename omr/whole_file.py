"""Whether a scan file is there to its end, from its first and last bytes: nothing is decoded."""

from __future__ import annotations

import io
import re
import struct
from typing import TYPE_CHECKING, BinaryIO

from omr.errors import PageSetAside
from omr.tiff_directory import Tag, list_directories, read_directory, read_header

if TYPE_CHECKING:
    from pathlib import Path

    from omr.tiff_directory import TiffHeader

_HEAD_BYTES = 1024
_TAIL_BYTES = 2048
_MAX_DIRECTORIES = 5_000
_LINEARIZED = re.compile(rb"/Linearized[^>]*?/L\s+(\d+)")
_PNG_END = b"IEND\xaeB`\x82"


def is_whole_file(path: Path) -> bool:
    """Whether a PDF, TIFF, JPEG or PNG file has its end: %%EOF, all directories and data, EOI, IEND.

    A file that is none of these is not whole: it may be one whose first bytes are still to come.

    Raises:
        OSError: the file can't be read at present.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
        size = file.seek(0, io.SEEK_END)
        file.seek(max(0, size - _TAIL_BYTES))
        tail = file.read().rstrip(b"\0")
        end = max(0, size - _TAIL_BYTES) + len(tail)
        if head.startswith((b"II", b"MM")):
            return _is_whole_tiff(file, size)
    if head.startswith(b"\xff\xd8\xff"):
        return tail.rstrip().endswith(b"\xff\xd9")
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return tail.rstrip().endswith(_PNG_END)
    return b"%PDF-" in head and b"%%EOF" in tail and end >= _promised_size(head)


def _promised_size(head: bytes) -> int:
    """The length that a PDF for the web names in its first lines, since its first part ends like a whole file."""
    length = _LINEARIZED.search(head)
    return int(length[1]) if length else 0


def _is_whole_tiff(file: BinaryIO, size: int) -> bool:
    try:
        header = read_header(file)
        places, broken = list_directories(file, header, _MAX_DIRECTORIES)
        return bool(places) and not broken and all(_has_data(file, header, at, size) for at in places)
    except (struct.error, ValueError, OverflowError, PageSetAside):
        return False


def _has_data(file: BinaryIO, header: TiffHeader, at: int, size: int) -> bool:
    tags = read_directory(file, header, at)
    for offsets, counts in (
        (Tag.STRIP_OFFSETS, Tag.STRIP_BYTES),
        (Tag.TILE_OFFSETS, Tag.TILE_BYTES),
    ):
        pairs = zip(tags.get(offsets, ()), tags.get(counts, ()), strict=False)
        if any(start + length > size for start, length in pairs):
            return False
    return True
