"""Pictures of scanned pages for the screen, straight from the scan files."""

from __future__ import annotations

import threading
from enum import StrEnum
from typing import TYPE_CHECKING

import cv2
import numpy as np
import simplejpeg

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from omr.layout import PageLayout
    from omr.page import Page

_LONG_SIDE = {"thumbnail": 480, "full": 2400}  # pixels
_JPEG_QUALITY = 80
# pdfium, which draws PDF pages, allows one thread at a time.
_one_decoder = threading.Lock()


class PictureSize(StrEnum):
    """How large a page is shown: in a list, or to read it."""

    THUMBNAIL = "thumbnail"
    FULL = "full"


def decode_page(path: Path, number: int, part: int, frame: PageLayout) -> Page:
    """A page of a scan file, or one of two sheets that it shows; one page at a time.

    Args:
        path: of the scan file.
        number: of the page in it, from 1.
        part: 1 or 2 for one of two sheets side by side; 0 for the whole page.
        frame: any page of the layout.

    Raises:
        PageSetAside: the page can't be read.
        IndexError: the file has no such page.
    """
    # What decodes pages loads slowly, and a server is ready sooner without it.
    from omr.scan_file import open_scan  # noqa: PLC0415
    from omr.sheet_pair import open_page  # noqa: PLC0415

    with _one_decoder, open_scan(path) as scan:
        return open_page(scan, number - 1, part, frame)


def turn_and_shrink(gray: NDArray[np.uint8], turn: int, size: PictureSize) -> NDArray[np.uint8]:
    """The page turned clockwise by 0, 90, 180 or 270 degrees, its longer side at most as long as the size says."""
    return np.rot90(_shrink(gray, _LONG_SIDE[size]), k=-turn // 90)


def gray_jpeg(gray: NDArray[np.uint8]) -> bytes:
    """A gray picture as JPEG."""
    pixels = np.ascontiguousarray(gray)[:, :, np.newaxis]
    return bytes(simplejpeg.encode_jpeg(pixels, quality=_JPEG_QUALITY, colorspace="GRAY"))


def _shrink(gray: NDArray[np.uint8], long_side: int) -> NDArray[np.uint8]:
    height, width = gray.shape
    scale = long_side / max(height, width)
    if scale >= 1:
        return gray
    new_size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(gray, new_size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
