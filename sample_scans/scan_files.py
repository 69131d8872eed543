"""Scan files as office machines write them: JPEG, PDF of JPEG or G4 pages, multi-page G4 TIFF.

The same pages always give the same bytes.
"""

from __future__ import annotations

from enum import StrEnum
from io import BytesIO
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sample_scans.scanner import Gray


class FileKind(StrEnum):
    """How a stack of pages is stored."""

    JPEG = "jpeg"
    JPEG_PDF = "jpeg_pdf"
    G4_PDF = "g4_pdf"
    G4_TIFF = "g4_tiff"

    @property
    def suffix(self) -> str:
        """The usual ending of a file name."""
        return {FileKind.JPEG: ".jpg", FileKind.G4_TIFF: ".tif"}.get(self, ".pdf")

    @property
    def is_bilevel(self) -> bool:
        """Whether pages are black and white only."""
        return self in (FileKind.G4_PDF, FileKind.G4_TIFF)


def encode_file(pages: Sequence[Gray], kind: FileKind, dpi: int, quality: int = 45) -> bytes:
    """Pages as the bytes of one file.

    Args:
        pages: at least one; exactly one for `FileKind.JPEG`, only 0 and 255 for the G4 kinds.
        kind: of the file.
        dpi: resolution of all pages.
        quality: of JPEG, 1 to 95.
    """
    images = [Image.fromarray(page) for page in pages]
    if kind.is_bilevel:
        images = [image.convert("1", dither=Image.Dither.NONE) for image in images]
    first, rest = images[0], images[1:]
    stream = BytesIO()
    match kind:
        case FileKind.JPEG:
            first.save(stream, "JPEG", quality=quality, dpi=(dpi, dpi), optimize=True)
        case FileKind.G4_TIFF:
            first.save(
                stream, "TIFF", compression="group4", dpi=(dpi, dpi), save_all=True, append_images=rest
            )
        case _:
            first.save(
                stream,
                "PDF",
                resolution=dpi,
                save_all=True,
                append_images=rest,
                creationDate=None,
                modDate=None,
                **({} if kind.is_bilevel else {"quality": quality}),
            )
    return stream.getvalue()
