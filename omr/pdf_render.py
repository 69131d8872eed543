"""Drawing a PDF page, for pages that are more than one image; pdfium first, poppler where pdfium fails.

pdfium is not thread-safe: a process may draw one page at a time, so work is shared out between processes.
"""

from __future__ import annotations

import io
import shutil
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pdf2image
import pikepdf
import pypdfium2
import pypdfium2.raw as pdfium
from pikepdf import Name

from omr.decode_limits import check_size
from omr.errors import PageSetAside, Trouble
from omr.page import Page
from omr.pdf_image import bound_flate
from omr.pdf_image_facts import declared_size

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from omr.decode_limits import DecodeLimits

POINTS_PER_INCH = 72.0
_LOWEST_DPI, _HIGHEST_DPI = 200.0, 300.0
_FAINT_DPI = 150.0
_FAINT_WARNING = (
    "高圧縮PDFのため薄い鉛筆が消えているおそれがあります。複合機の高圧縮を切ってスキャンし直すと確実です。"
)
_POPPLER_SECONDS = 120
_PAGE_KEYS = (Name.Contents, Name.Resources, Name.MediaBox, Name.CropBox, Name.Rotate)
_LOOK_KEYS = (Name.Rect, Name.AP, Name.AS, Name.F)


def single_page_pdf(document: pikepdf.Pdf, page: pikepdf.Page, limits: DecodeLimits) -> bytes:
    """A document of this page alone, so that pdfium needs no password and no whole, undamaged file.

    Args:
        document: open.
        page: of this document.
        limits: every stream of the page is checked against them before pdfium sees it.

    Returns:
        The new document.

    Raises:
        PageSetAside: an image or a stream is too large.
    """
    target = pikepdf.new()
    copy = _copy_entries(page.obj, _PAGE_KEYS, document, target)
    looks = [_copy_entries(item, _LOOK_KEYS, document, target) for item in _drawn_annotations(page.obj)]
    for look in looks:
        look.Type, look.Subtype = Name.Annot, Name.Stamp  # a form field drawn as a stamp needs no form
    copy.Type, copy.Annots = Name.Page, pikepdf.Array(looks)
    target.pages.append(pikepdf.Page(copy))
    for item in target.objects:
        if isinstance(item, pikepdf.Stream):
            _check_stream(item, limits)
    saved = io.BytesIO()
    target.save(saved)
    target.close()
    return saved.getvalue()


def render_page(document: bytes, user_unit: float, limits: DecodeLimits) -> Page:
    """Draw the page at the resolution of its finest image, within 200 to 300 dpi.

    Args:
        document: from `single_page_pdf`.
        user_unit: size of the page's unit in points (ISO 32000-1, 14.10).
        limits: the drawn page is checked against them.

    Returns:
        The page with its annotations.

    Raises:
        PageSetAside: too large, an image of it can't be decoded, or nothing here can draw it.
    """
    try:
        return _render_with_pdfium(document, user_unit, limits)
    except pypdfium2.PdfiumError as error:
        if not shutil.which("pdftoppm"):
            raise PageSetAside(
                Trouble.DAMAGED_PAGE,
                "このページを描画できません。PDFを作り直すか、スキャンし直してください。",
            ) from error
    return _render_with_poppler(document, user_unit, limits)


def decode_with_pdfium(document: bytes) -> NDArray[np.uint8]:
    """The one image of a page as its rows and columns lie in the stream, decoded but not drawn.

    Raises:
        pypdfium2.PdfiumError: it can't be decoded.
    """
    opened = pypdfium2.PdfDocument(document)
    try:
        (image,) = _images_of(opened[0])
        return _gray_of_bitmap(image.get_bitmap())
    finally:
        opened.close()


def _render_with_pdfium(document: bytes, user_unit: float, limits: DecodeLimits) -> Page:
    opened = pypdfium2.PdfDocument(document)
    try:
        page = opened[0]
        images = _images_of(page)
        width, height = page.get_size()
        layers = [_measure(image, width * height, user_unit) for image in images]
        finest = max((dpi for dpi, _ in layers), default=0.0)
        dpi = min(max(finest, _LOWEST_DPI), _HIGHEST_DPI)
        scale = dpi / POINTS_PER_INCH * user_unit
        check_size(round(width * scale), round(height * scale), limits)
        for image in images:
            _require_decodable(image)
        gray = _gray_of_bitmap(
            page.render(scale=scale, grayscale=True, draw_annots=True, may_draw_forms=False)
        )
        # The warning is about a coarse background below finer layers, not about a small logo.
        faint = any(low < _FAINT_DPI and share > 0.5 for low, share in layers) and finest > _FAINT_DPI
        return Page(gray, (dpi, dpi), bilevel=False, warning=_FAINT_WARNING if faint else "")
    finally:
        opened.close()


def _render_with_poppler(document: bytes, user_unit: float, limits: DecodeLimits) -> Page:
    with pikepdf.open(io.BytesIO(document)) as opened:
        box = opened.pages[0].cropbox
        sides = [abs(float(box[2]) - float(box[0])), abs(float(box[3]) - float(box[1]))]
    scale = _LOWEST_DPI / POINTS_PER_INCH * user_unit
    check_size(round(sides[0] * scale), round(sides[1] * scale), limits)
    (image,) = pdf2image.convert_from_bytes(
        document,
        dpi=round(_LOWEST_DPI * user_unit),
        grayscale=True,
        use_cropbox=True,
        timeout=_POPPLER_SECONDS,
    )
    return Page(np.array(image.convert("L"), dtype=np.uint8), (_LOWEST_DPI, _LOWEST_DPI))


def _images_of(page: Any) -> list[Any]:
    return list(page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=8))


def _measure(image: Any, page_area: float, user_unit: float) -> tuple[float, float]:
    """Resolution of an image on the page, and the share of the page that it covers."""
    a, b, c, d, _, _ = image.get_matrix().get()
    width, height = float(np.hypot(a, b)), float(np.hypot(c, d))
    columns, rows = image.get_px_size()
    if min(width, height) <= 0:
        return 0.0, 0.0
    dpi = max(columns / width, rows / height) * POINTS_PER_INCH / user_unit
    return dpi, width * height / page_area if page_area > 0 else 0.0


def _require_decodable(image: Any) -> None:
    """Stop at images that pdfium would leave out: missing ink would look like an empty answer."""
    try:
        image.get_bitmap().close()
    except pypdfium2.PdfiumError as error:
        raise PageSetAside(
            Trouble.DAMAGED_PAGE,
            "ページの中の画像が壊れていて開けません。このページをスキャンし直してください。",
        ) from error


def _gray_of_bitmap(bitmap: Any) -> NDArray[np.uint8]:
    pixels = bitmap.to_numpy()
    if pixels.ndim == 2 or pixels.shape[2] == 1:
        gray = np.array(pixels.reshape(pixels.shape[:2]))  # a copy: the buffer is pdfium's
    else:
        conversion = cv2.COLOR_BGR2GRAY if pixels.shape[2] == 3 else cv2.COLOR_BGRA2GRAY
        gray = cv2.cvtColor(pixels, conversion)
    bitmap.close()
    return gray


def _drawn_annotations(page: pikepdf.Object) -> list[Any]:
    annotations = page.get(Name.Annots)
    if not isinstance(annotations, pikepdf.Array):
        return []
    return [item for item in annotations if isinstance(item, pikepdf.Dictionary) and Name.AP in item]


def _copy_entries(source: Any, keys: Iterable[Name], document: pikepdf.Pdf, target: pikepdf.Pdf) -> Any:
    """A copy of these entries alone: links and parents would pull other pages along."""
    picked = pikepdf.Dictionary({str(key): source[key] for key in keys if key in source})
    return target.copy_foreign(document.make_indirect(picked))


def _check_stream(stream: Any, limits: DecodeLimits) -> None:
    if stream.get(Name.Subtype) == Name.Image:
        width, height = declared_size(stream)
        # A layer may be one pixel small; only a page may not.
        check_size(max(width, limits.min_side), max(height, limits.min_side), limits)
        return
    try:
        with bound_flate(limits.max_drawing_bytes):
            stream.read_bytes()
    except pikepdf.PikepdfError as error:
        if "limit exceeded" in str(error):  # the words of qpdf, which has no error of its own for this
            raise PageSetAside(
                Trouble.TOO_LARGE,
                "PDFのデータが異常に大きく展開されるため開けません。スキャンし直してください。",
            ) from error
        # pdfium would draw what is left of it, and missing ink would look like an empty answer.
        raise PageSetAside(
            Trouble.DAMAGED_PAGE, "ページの描画データが壊れています。このページをスキャンし直してください。"
        ) from error
