"""Pages of a TIFF file, each read without the others."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from omr.decode_limits import check_size, too_many_pages
from omr.errors import PageSetAside, Trouble
from omr.fax_decoding import FAX_COMPRESSIONS, decode_fax
from omr.gray import (
    DAMAGE_WARNING,
    Dpi,
    gray_from_bits,
    orient,
    orient_dpi,
    plausible_dpi,
    stretch_to_black_and_white,
)
from omr.jpeg_decoding import decode_jpeg
from omr.page import Page
from omr.pillow_decoding import gray_from_pillow, load_lenient
from omr.tiff_directory import Tag, list_directories, read_directory, read_header, write_tiff

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from omr.decode_limits import DecodeLimits
    from omr.tiff_directory import Values

_OLD_JPEG, _JPEG = 6, 7
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _PALETTE, _YCBCR = 0, 1, 3, 6
_CENTIMETRE = 3
_PLACE_TAGS = (Tag.STRIP_OFFSETS, Tag.STRIP_BYTES, Tag.TILE_OFFSETS, Tag.TILE_BYTES)
_META_TAGS = (
    *_PLACE_TAGS,
    Tag.ORIENTATION,
    Tag.X_RESOLUTION,
    Tag.Y_RESOLUTION,
    Tag.RESOLUTION_UNIT,
    Tag.JPEG_TABLES,
    Tag.OLD_JPEG_OFFSET,
    Tag.OLD_JPEG_BYTES,
)


class TiffPages:
    """The pages of one open TIFF file.

    Args:
        file: seekable, closed by `close`.
        limits: the bounds.

    Attributes:
        page_count: number of pages.
        warning: damage of the file as a whole; empty if none.

    Raises:
        PageSetAside: no page can be found, or there are too many.
    """

    def __init__(self, file: BinaryIO, limits: DecodeLimits) -> None:
        self._file = file
        self._limits = limits
        try:
            self._header = read_header(file)
            self._offsets, broken = list_directories(file, self._header, limits.max_pages)
        except (struct.error, ValueError) as error:
            raise _no_pages() from error
        if not self._offsets:
            raise _no_pages()
        self.page_count = len(self._offsets)
        if self.page_count > limits.max_pages:
            raise too_many_pages(self.page_count, limits)
        self.warning = (
            "ファイルが途中で切れています。これより後のページがないか確認してください。" if broken else ""
        )

    def read_page(self, index: int) -> Page:
        """Decode one page.

        Args:
            index: from 0.

        Raises:
            PageSetAside: this page is too large or too damaged.
        """
        tags = read_directory(self._file, self._header, self._offsets[index])
        check_size(_number(tags, Tag.WIDTH, 0), _number(tags, Tag.HEIGHT, 0), self._limits)
        orientation = _number(tags, Tag.ORIENTATION, 1)
        gray, warning = self._decode(tags)
        bilevel = _number(tags, Tag.BITS, 1) == 1 and _number(tags, Tag.SAMPLES, 1) == 1
        dpi = orient_dpi(_resolution(tags), orientation)
        return Page(orient(gray, orientation), dpi, bilevel, warning)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _decode(self, tags: dict[Tag, Values]) -> tuple[NDArray[np.uint8], str]:
        compression = _number(tags, Tag.COMPRESSION, 1)
        if compression == _OLD_JPEG and Tag.OLD_JPEG_OFFSET in tags:
            start, size = _number(tags, Tag.OLD_JPEG_OFFSET, 0), _number(tags, Tag.OLD_JPEG_BYTES, -1)
            self._file.seek(start)
            return decode_jpeg(self._file.read(size), self._limits)
        parts, cut_off = self._read_parts(tags)
        kept = {tag: values for tag, values in tags.items() if tag not in _META_TAGS}
        tables = bytes(int(value) for value in tags.get(Tag.JPEG_TABLES, ()))
        photometric = _number(tags, Tag.PHOTOMETRIC, _BLACK_IS_ZERO)
        if compression in FAX_COMPRESSIONS and Tag.TILE_WIDTH not in tags:
            bits, damaged = decode_fax(kept, parts, self._limits)
            white_is_zero = photometric == _WHITE_IS_ZERO
            gray = gray_from_bits(np.bitwise_xor(bits, 1, out=bits) if white_is_zero else bits)
            return gray, DAMAGE_WARNING if damaged or cut_off else ""
        if compression == _JPEG and len(parts) == 1 and photometric in (_BLACK_IS_ZERO, _YCBCR):
            gray, warning = decode_jpeg(_join_jpeg(tables, parts[0]), self._limits)
            return gray, warning or (DAMAGE_WARNING if cut_off else "")
        gray, damaged = self._decode_with_pillow(kept, parts, tables)
        if photometric == _PALETTE and _number(tags, Tag.BITS, 1) == 1:
            gray = stretch_to_black_and_white(gray)
        return gray, DAMAGE_WARNING if damaged or cut_off else ""

    def _decode_with_pillow(
        self, kept: dict[Tag, Values], parts: list[bytes], tables: bytes
    ) -> tuple[NDArray[np.uint8], bool]:
        # Pillow knows "white is zero" for few depths only: read all as "black is zero" and invert here.
        inverted = kept.get(Tag.PHOTOMETRIC) == (_WHITE_IS_ZERO,)
        if inverted:
            kept = kept | {Tag.PHOTOMETRIC: (_BLACK_IS_ZERO,)}
        data = write_tiff(self._header.order, kept, parts, tables)
        image, damaged = load_lenient(data, "TIFF", self._limits)
        gray = gray_from_pillow(image, deep_bits=12 if _number(kept, Tag.BITS, 1) == 12 else 16)
        return 255 - gray if inverted else gray, damaged

    def _read_parts(self, tags: dict[Tag, Values]) -> tuple[list[bytes], bool]:
        """The data of all strips or tiles, and whether the file ends before they do."""
        tiled = Tag.TILE_OFFSETS in tags
        offsets = tags.get(Tag.TILE_OFFSETS if tiled else Tag.STRIP_OFFSETS, ())
        sizes = tags.get(Tag.TILE_BYTES if tiled else Tag.STRIP_BYTES, ())
        if not sizes and len(offsets) == 1:
            sizes = (float(self._limits.max_pixels),)  # old writers leave it out: to the end of the file
            complete = None
        else:
            complete = sum(sizes)
        if sum(sizes) > 16 * self._limits.max_pixels:
            raise PageSetAside(
                Trouble.TOO_LARGE, "画像のデータが大きすぎます。300dpi前後でスキャンし直してください。"
            )
        parts = []
        for offset, size in zip(offsets, sizes, strict=False):
            self._file.seek(int(offset))
            parts.append(self._file.read(int(size)))
        found = sum(map(len, parts))
        if not found:
            raise PageSetAside(
                Trouble.DAMAGED_PAGE,
                "このページの画像がファイルに入っていません。スキャンし直してください。",
            )
        return parts, complete is not None and found < complete


def _number(tags: dict[Tag, Values], tag: Tag, default: int) -> int:
    values = tags.get(tag)
    return int(values[0]) if values else default


def _resolution(tags: dict[Tag, Values]) -> Dpi | None:
    unit = _number(tags, Tag.RESOLUTION_UNIT, 2)
    if unit not in (2, _CENTIMETRE) or Tag.X_RESOLUTION not in tags or Tag.Y_RESOLUTION not in tags:
        return None
    scale = 2.54 if unit == _CENTIMETRE else 1.0
    return plausible_dpi(tags[Tag.X_RESOLUTION][0] * scale, tags[Tag.Y_RESOLUTION][0] * scale)


def _join_jpeg(tables: bytes, strip: bytes) -> bytes:
    """One JPEG stream of the shared tables (without their end mark) and the strip (without its start)."""
    return tables[:-2] + strip[2:] if len(tables) > 4 else strip


def _no_pages() -> PageSetAside:
    return PageSetAside(
        Trouble.UNREADABLE_FILE,
        "TIFFファイルが壊れていてページが見つかりません。スキャンし直すか、元のファイルを入れ直してください。",
    )
