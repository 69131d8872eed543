"""How much a scan file may ask for, checked before anything is decoded."""

from __future__ import annotations

from dataclasses import dataclass

from omr.errors import PageSetAside, Trouble


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """Bounds against files that would eat the memory of a worker.

    Attributes:
        max_pixels: of one page; the default holds A3 at 600 dpi (7016 x 9921, 70 million) with room.
        max_pages: of one file.
        max_file_bytes: of one file on disk.
        max_drawing_bytes: of one unpacked PDF stream that is no image (drawing operators, fonts, tables).
        min_side: pixels; what is narrower or lower than this holds no sheet.
    """

    max_pixels: int = 120_000_000
    max_pages: int = 5_000
    max_file_bytes: int = 4 * 1024**3
    max_drawing_bytes: int = 128 * 1024**2
    min_side: int = 16


def check_size(width: int, height: int, limits: DecodeLimits) -> None:
    """Refuse a picture whose header promises too much or too little.

    Args:
        width: pixels.
        height: pixels.
        limits: the bounds.

    Raises:
        PageSetAside: the picture is too large or too small to be a page.
    """
    if width * height > limits.max_pixels:
        raise PageSetAside(
            Trouble.TOO_LARGE,
            f"画像が大きすぎます（{width}×{height}画素、上限は{limits.max_pixels // 1_000_000}百万画素）。300dpi前後でスキャンし直してください。",
        )
    if min(width, height) < limits.min_side:
        raise PageSetAside(
            Trouble.DAMAGED_PAGE,
            f"画像が小さすぎて読めません（{width}×{height}画素）。解答用紙の全面をスキャンし直してください。",
        )


def too_many_pages(count: int, limits: DecodeLimits) -> PageSetAside:
    """The file set aside because of its length.

    Args:
        count: pages found, at least.
        limits: the bounds.
    """
    return PageSetAside(
        Trouble.TOO_LARGE,
        f"ページが多すぎます（{count}ページ、上限{limits.max_pages}）。ファイルを分けて入れ直してください。",
    )
