"""A JPEG or PNG file as one page."""

from __future__ import annotations

import io
import zlib
from typing import TYPE_CHECKING

from PIL import Image

from omr.decode_limits import check_size
from omr.errors import PageSetAside, Trouble
from omr.gray import DAMAGE_WARNING, orient, orient_dpi, plausible_dpi, stretch_to_black_and_white
from omr.jpeg_decoding import decode_jpeg
from omr.page import Page
from omr.pillow_decoding import gray_from_pillow, load_lenient, quiet_pillow

if TYPE_CHECKING:
    from omr.decode_limits import DecodeLimits
    from omr.gray import Dpi

_ORIENTATION = 0x0112
_X_RESOLUTION = 0x011A
_PNG_BIT_DEPTH = 24  # byte of the header chunk, which always comes first (PNG, 11.2.2)


def read_jpeg_page(data: bytes, limits: DecodeLimits) -> Page:
    """A JPEG, turned as its EXIF orientation says.

    Raises:
        PageSetAside: too large, too small or too damaged.
    """
    dpi, orientation = _read_jpeg_facts(data, limits)
    gray, warning = decode_jpeg(data, limits)
    return Page(orient(gray, orientation), orient_dpi(dpi, orientation), bilevel=False, warning=warning)


def read_png_page(data: bytes, limits: DecodeLimits) -> Page:
    """A PNG of any depth, palette and transparency (over white paper).

    Raises:
        PageSetAside: too large, too small or too damaged.
    """
    try:
        image, damaged = load_lenient(data, "PNG", limits)
    except (OSError, SyntaxError, ValueError, zlib.error) as error:
        raise PageSetAside(
            Trouble.DAMAGED_PAGE, "画像（PNG）が壊れていて開けません。このページをスキャンし直してください。"
        ) from error
    if getattr(image, "n_frames", 1) > 1:
        raise PageSetAside(
            Trouble.DAMAGED_PAGE,
            "動く画像（アニメーションPNG）なので読めません。1枚ずつの画像にして入れ直してください。",
        )
    gray = gray_from_pillow(image)
    bilevel = data[_PNG_BIT_DEPTH] == 1
    if bilevel:
        gray = stretch_to_black_and_white(gray)
    dpi = image.info.get("dpi")
    return Page(gray, plausible_dpi(*dpi) if dpi else None, bilevel, DAMAGE_WARNING if damaged else "")


def _read_jpeg_facts(data: bytes, limits: DecodeLimits) -> tuple[Dpi | None, int]:
    """Resolution and orientation; broken EXIF counts as none."""
    try:
        with quiet_pillow(), Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
            check_size(*image.size, limits)
            exif = image.getexif()
            orientation = exif.get(_ORIENTATION, 1)
            # Pillow invents 72 dpi for EXIF data that name no resolution.
            named = image.info.get("jfif_unit") in (1, 2) or _X_RESOLUTION in exif
            dpi = image.info.get("dpi") if named else None
    except (OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, ZeroDivisionError):
        return None, 1
    return plausible_dpi(*dpi) if dpi else None, orientation if isinstance(orientation, int) else 1
