"""The door for scans: any file that a multifunction printer writes, page by page.

Files are told apart by what they hold, never by their names. A file is opened by the process that reads it:
an open `ScanFile` can't be handed to another process, and pdfium, which draws PDF pages, allows one thread.
"""

from __future__ import annotations

import io
import shutil
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol, Self

from omr.decode_limits import DecodeLimits, check_size
from omr.errors import PageSetAside, Trouble
from omr.image_pages import read_jpeg_page, read_png_page
from omr.pdf_pages import PdfPages
from omr.pixel_shape import make_pixels_square
from omr.tiff_pages import TiffPages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from omr.page import Page

__all__ = [
    "FOREIGN_SUFFIXES",
    "SCAN_SUFFIXES",
    "DecodeLimits",
    "ScanFile",
    "check_kind",
    "decode_image",
    "describe_decoders",
    "open_scan",
]

SCAN_SUFFIXES = frozenset([".pdf", ".tif", ".tiff", ".jpg", ".jpeg", ".png"])
"""What a folder is searched for, in lower case; a file named directly is read whatever its name."""
FOREIGN_SUFFIXES = frozenset([".heic", ".heif", ".avif", ".webp", ".bmp", ".gif", ".jfif", ".jpe"])
"""Pictures with these suffixes may be scans too: those that can't be read must say so, not go missing."""

_HEAD_BYTES = 1024  # a PDF header may stand anywhere in them (ISO 32000-1, annex H)
_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_ZIP_START = b"PK\x03\x04"
_PHONE_BRANDS = (b"hei", b"hev", b"mif1", b"msf1", b"avi")  # ISO 23008-12, 10.2; AVIF 1.1, 6
_FOREIGN_STARTS = {
    _ZIP_START: "Office文書かZIP",
    b"Rar!": "圧縮ファイル",
    b"7z\xbc\xaf": "圧縮ファイル",
    b"\x1f\x8b": "圧縮ファイル",
    b"\xd0\xcf\x11\xe0": "古いOffice文書",
    b"GIF8": "GIF画像",
    b"BM": "BMP画像",
    b"RIFF": "WebP画像か動画",
    b"%!PS": "PostScript",
    b"\0\0\0\x0cjP  ": "JPEG 2000画像",
    b"\x60\x0e\x82": "DocuWorks文書",
}
_DAMAGED_PAGE = "ページが壊れていて開けません。このページをスキャンし直してください。"
_DAMAGED_FILE = "ファイルが壊れていて開けません。スキャンし直すか、元のファイルを入れ直してください。"


class _Pages(Protocol):
    page_count: int
    warning: str

    def read_page(self, index: int) -> Page: ...

    def close(self) -> None: ...


class ScanFile:
    """An open scan; a context manager.

    Attributes:
        page_count: number of pages, at least 1.
        warning: damage of the file as a whole, for the teacher (pages may be missing); empty if none. The
            last page carries it too.
    """

    def __init__(self, pages: _Pages, limits: DecodeLimits) -> None:
        self.page_count = pages.page_count
        self.warning = pages.warning
        self._pages = pages
        self._limits = limits

    def read_page(self, index: int) -> Page:
        """Decode one page; the others are not touched.

        Args:
            index: from 0.

        Raises:
            PageSetAside: this page can't be read; others may.
            IndexError: no such page.
        """
        if not 0 <= index < self.page_count:
            raise IndexError(index)
        with _set_aside(Trouble.DAMAGED_PAGE, _DAMAGED_PAGE):
            page = self._pages.read_page(index)
            check_size(page.gray.shape[1], page.gray.shape[0], self._limits)
            page = make_pixels_square(page)
            if self.warning and index == self.page_count - 1:
                page = replace(page, warning=" ".join(filter(None, [page.warning, self.warning])))
            return page

    def close(self) -> None:
        """Close the file."""
        self._pages.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _OneImage:
    """A JPEG or PNG file: one page."""

    page_count = 1
    warning = ""

    def __init__(
        self, data: bytes, limits: DecodeLimits, read: Callable[[bytes, DecodeLimits], Page]
    ) -> None:
        self._data = data
        self._limits = limits
        self._read = read

    def read_page(self, index: int) -> Page:
        assert index == 0
        return self._read(self._data, self._limits)

    def close(self) -> None:
        self._data = b""


def open_scan(path: Path, limits: DecodeLimits | None = None, password: str | None = None) -> ScanFile:
    """Open a PDF, TIFF, JPEG or PNG file.

    Args:
        path: of the file.
        limits: bounds on what it may ask for; the default ones if None.
        password: for encrypted PDFs.

    Returns:
        The open file, to be closed by the caller (`with open_scan(path) as scan:`).

    Raises:
        PageSetAside: the whole file can't be read.
    """
    limits = limits or DecodeLimits()
    with _set_aside(Trouble.UNREADABLE_FILE, _DAMAGED_FILE):
        file = _open_file(path)
        try:
            head = _check_file(file, limits)
            return ScanFile(_open_pages(file, head, path, limits, password), limits)
        except BaseException:
            file.close()
            raise


def check_kind(head: bytes) -> None:
    """Make sure that a file is a PDF, TIFF, JPEG or PNG, as far as its first bytes (up to 1024) tell.

    Raises:
        PageSetAside: it is something else; the reason says what.
    """
    is_image = head.startswith((*_TIFF_STARTS, b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"))
    if not is_image and (b"%PDF-" not in head or head.startswith(_ZIP_START)):
        raise _foreign(head)


def decode_image(data: bytes, limits: DecodeLimits | None = None) -> Page:
    """Decode a JPEG, PNG or TIFF (its first page) in memory.

    Args:
        data: the whole file.
        limits: bounds on what it may ask for; the default ones if None.

    Raises:
        PageSetAside: it can't be read.
    """
    limits = limits or DecodeLimits()
    with _set_aside(Trouble.DAMAGED_PAGE, _DAMAGED_PAGE):
        file = io.BytesIO(data)
        head = _check_file(file, limits)
        if b"%PDF-" in head and not head.startswith((*_TIFF_STARTS, b"\xff\xd8\xff", b"\x89PNG")):
            raise PageSetAside(
                Trouble.UNREADABLE_FILE, "PDFではなく画像（JPEG、PNG、TIFF）を指定してください。"
            )
        with ScanFile(_open_pages(file, head, Path(), limits, None), limits) as scan:
            return scan.read_page(0)


def describe_decoders() -> list[tuple[str, str]]:
    """What reads scans on this machine: names with versions, なし where something is missing."""
    names = ("simplejpeg", "imagecodecs", "opencv-python-headless", "pillow", "pikepdf", "pypdfium2")
    found = [(name, _version_of(name)) for name in (*names, "pdf2image")]
    return [*found, ("poppler (pdftoppm)", shutil.which("pdftoppm") or "なし")]


def _version_of(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "なし"


def _open_file(path: Path) -> BinaryIO:
    try:
        if path.is_dir():
            raise PageSetAside(Trouble.UNREADABLE_FILE, "フォルダーです。中のファイルを指定してください。")
        return path.open("rb")
    except FileNotFoundError as error:
        raise PageSetAside(
            Trouble.UNREADABLE_FILE, "ファイルが見つかりません。場所と名前を確かめてください。"
        ) from error
    except PermissionError as error:
        raise PageSetAside(
            Trouble.UNREADABLE_FILE,
            "ファイルを開く許可がありません。ほかのソフトで開いていないか、アクセス権を確かめてください。",
        ) from error


def _check_file(file: BinaryIO, limits: DecodeLimits) -> bytes:
    """The first bytes of a file that is neither empty nor too large."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    if size == 0:
        raise PageSetAside(
            Trouble.UNREADABLE_FILE,
            "空のファイルです（0バイト）。スキャンが途中で止まっていないか確認し、入れ直してください。",
        )
    if size > limits.max_file_bytes:
        raise PageSetAside(Trouble.TOO_LARGE, "ファイルが大きすぎます。分けてスキャンし直してください。")
    return file.read(_HEAD_BYTES)


def _open_pages(
    file: BinaryIO, head: bytes, path: Path, limits: DecodeLimits, password: str | None
) -> _Pages:
    """The reader for what the file holds; it owns the open file, or has closed it."""
    if head.startswith(_TIFF_STARTS):
        return TiffPages(file, limits)
    for start, read in ((b"\xff\xd8\xff", read_jpeg_page), (b"\x89PNG\r\n\x1a\n", read_png_page)):
        if head.startswith(start):
            file.seek(0)
            with file:
                return _OneImage(file.read(), limits, read)
    if b"%PDF-" in head and not head.startswith(_ZIP_START):
        with file:
            return PdfPages(path if _is_unicode(path) else _read_all(file), limits, password)
    raise _foreign(head)


def _foreign(head: bytes) -> PageSetAside:
    return PageSetAside(
        Trouble.UNREADABLE_FILE,
        f"{_guess_foreign(head)}です。PDF、TIFF、JPEG、PNGのどれかでスキャンし直してください。",
    )


def _is_unicode(path: Path) -> bool:
    """Whether qpdf can open the file by its name; files from old Windows machines have names in CP932."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def _read_all(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read()


def _guess_foreign(head: bytes) -> str:
    if head[4:8] == b"ftyp" and head[8:12].startswith(_PHONE_BRANDS):
        return "スマートフォンの画像形式（HEIC・AVIF）"
    for start, name in _FOREIGN_STARTS.items():
        if head.startswith(start):
            return f"読めない種類のファイル（{name}）"
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype html", b"<html", b"<?xml")):
        return "スキャンではなくWebページのファイル（HTML）"
    if b"\0" not in head and not any(byte < 9 for byte in head):
        return "スキャンではなく文字だけのファイル"
    return "読めない種類のファイル"


@contextmanager
def _set_aside(trouble: Trouble, reason: str) -> Iterator[None]:
    """Turn whatever a library throws at a broken file into one page or file set aside.

    Scans come from outside. Five libraries decode them, each with its own errors for the ways in which a file
    can be broken, so nothing narrower than Exception keeps one bad page from stopping the rest.
    """
    try:
        yield
    except PageSetAside:
        raise
    except Exception as error:
        raise PageSetAside(trouble, reason) from error
