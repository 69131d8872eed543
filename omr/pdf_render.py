"""Drawing a PDF page, for pages that are more than one image; pdfium first, poppler where pdfium fails.

pdfium is not thread-safe: a process may draw one page at a time, so work is shared out between processes.
"""

from __future__ import annotations

import io
import shutil
from dataclasses import dataclass, replace
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
from omr.gray import DAMAGE_WARNING
from omr.jbig2 import SYMBOLS_WARNING
from omr.page import Page
from omr.pdf_image import bound_flate, decode_image_stream
from omr.pdf_image_facts import RareImageError, declared_size, shares_symbols

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from omr.decode_limits import DecodeLimits

POINTS_PER_INCH = 72.0
_LOWEST_DPI, _HIGHEST_DPI = 200.0, 300.0
_FAINT_DPI = 150.0
_FAINT_WARNING = (
    "高圧縮PDFのため薄い鉛筆が消えているおそれがあります。複合機の高圧縮を切ってスキャンし直すと確実です。"
)
_POPPLER_SECONDS = 120
_CHECKED_FILTERS = frozenset(["DCTDecode", "CCITTFaxDecode", "FlateDecode"])  # by `_check_image`
_PAGE_KEYS = (Name.Contents, Name.MediaBox, Name.CropBox, Name.Rotate)
_LOOK_KEYS = (Name.Rect, Name.AP, Name.AS, Name.F)


@dataclass(frozen=True, slots=True)
class SinglePage:
    """A document of one page, so that pdfium needs no password and no whole, undamaged file.

    Attributes:
        document: the PDF.
        user_unit: size of the page's unit in points, which pdfium doesn't know (ISO 32000-1, 14.10).
        warning: damage of an image on it, for the teacher; empty if none.
        masks: for images with a mask, their size → the mask's, in pixels; compact PDFs keep the ink in masks.
    """

    document: bytes
    user_unit: float
    warning: str
    masks: Mapping[tuple[int, int], tuple[int, int]]


def take_single_page(document: pikepdf.Pdf, page: pikepdf.Page, limits: DecodeLimits) -> SinglePage:
    """Copy one page into a document of its own.

    Args:
        document: open.
        page: of this document.
        limits: every stream of the page is checked against them before pdfium sees it.

    Raises:
        PageSetAside: an image or a stream is too large or too damaged.
    """
    target = pikepdf.new()
    source = pikepdf.Dictionary({str(key): page.obj[key] for key in _PAGE_KEYS if key in page.obj})
    source.Resources = _used_resources(page)
    copy = target.copy_foreign(document.make_indirect(source))
    looks = [_copy_look(annotation, document, target) for annotation in _drawn_annotations(page.obj)]
    copy.Type, copy.Annots = Name.Page, pikepdf.Array(looks)
    target.pages.append(pikepdf.Page(copy))
    if isinstance(document.Root.get(Name.OCProperties), pikepdf.Dictionary):  # which layers are hidden
        target.Root.OCProperties = target.copy_foreign(document.make_indirect(document.Root.OCProperties))
    streams = [item for item in target.objects if isinstance(item, pikepdf.Stream)]
    masks = dict(size for stream in streams for size in _mask_sizes(stream))
    warnings = {_check_stream(stream, limits) for stream in streams}
    if target.get_warnings():
        warnings.add(DAMAGE_WARNING)
    saved = io.BytesIO()
    target.save(saved)
    target.close()
    user_unit = float(page.obj.get(Name.UserUnit, 1.0))
    return SinglePage(saved.getvalue(), user_unit, max(warnings, default=""), masks)


def render_page(single: SinglePage, limits: DecodeLimits) -> Page:
    """Draw the page at the resolution of its finest image, within 200 to 300 dpi.

    Args:
        single: from `take_single_page`.
        limits: the drawn page is checked against them.

    Returns:
        The page with its annotations.

    Raises:
        PageSetAside: too large, an image of it can't be decoded, or nothing here can draw it.
    """
    try:
        return _render_with_pdfium(single, limits)
    except pypdfium2.PdfiumError as error:
        if not shutil.which("pdftoppm"):
            raise PageSetAside(
                Trouble.DAMAGED_PAGE,
                "このページを描画できません。PDFを作り直すか、スキャンし直してください。",
            ) from error
    return _render_with_poppler(single, limits)


def decode_with_pdfium(single: SinglePage) -> NDArray[np.uint8]:
    """The one image of a page as its rows and columns lie in the stream, decoded but not drawn.

    Raises:
        pypdfium2.PdfiumError: it can't be decoded.
    """
    opened = pypdfium2.PdfDocument(single.document)
    try:
        (image,) = _images_of(opened[0])
        return _gray_of_bitmap(image.get_bitmap())
    finally:
        opened.close()


def _render_with_pdfium(single: SinglePage, limits: DecodeLimits) -> Page:
    opened = pypdfium2.PdfDocument(single.document)
    try:
        page = opened[0]
        images = _images_of(page)
        width, height = page.get_size()
        layers = [_measure(image, width * height, single) for image in images]
        finest = max((fine for _, fine, _ in layers), default=0.0)
        dpi = min(max(finest, _LOWEST_DPI), _HIGHEST_DPI)
        scale = dpi / POINTS_PER_INCH * single.user_unit
        check_size(round(width * scale), round(height * scale), limits)
        for image in images:
            _require_decodable(image)
        gray = _gray_of_bitmap(
            page.render(scale=scale, grayscale=True, draw_annots=True, may_draw_forms=False)
        )
        # The warning is about a coarse background below finer layers, not about a small logo.
        faint = any(low < _FAINT_DPI and share > 0.5 for low, _, share in layers) and finest > _FAINT_DPI
        warning = single.warning or (_FAINT_WARNING if faint else "")
        return Page(gray, (dpi, dpi), bilevel=False, warning=warning)
    finally:
        opened.close()


def _render_with_poppler(single: SinglePage, limits: DecodeLimits) -> Page:
    with pikepdf.open(io.BytesIO(single.document)) as opened:
        box = opened.pages[0].cropbox
        sides = [abs(float(box[2]) - float(box[0])), abs(float(box[3]) - float(box[1]))]
    scale = _LOWEST_DPI / POINTS_PER_INCH * single.user_unit
    check_size(round(sides[0] * scale), round(sides[1] * scale), limits)
    (image,) = pdf2image.convert_from_bytes(
        single.document,
        dpi=round(_LOWEST_DPI * single.user_unit),
        grayscale=True,
        use_cropbox=True,
        timeout=_POPPLER_SECONDS,
    )
    return Page(
        np.array(image.convert("L"), dtype=np.uint8), (_LOWEST_DPI, _LOWEST_DPI), warning=single.warning
    )


def _images_of(page: Any) -> list[Any]:
    return list(page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=8))


def _measure(image: Any, page_area: float, single: SinglePage) -> tuple[float, float, float]:
    """Resolution of an image on the page, with that of its mask, and the share of the page that it covers."""
    a, b, c, d, _, _ = image.get_matrix().get()
    width, height = float(np.hypot(a, b)), float(np.hypot(c, d))
    columns, rows = image.get_px_size()
    if min(width, height) <= 0:
        return 0.0, 0.0, 0.0
    mask_columns, mask_rows = single.masks.get((columns, rows), (0, 0))
    inch = POINTS_PER_INCH / single.user_unit
    dpi = max(columns / width, rows / height) * inch
    mask_dpi = max(mask_columns / width, mask_rows / height) * inch
    return dpi, max(dpi, mask_dpi), width * height / page_area if page_area > 0 else 0.0


def _mask_sizes(stream: Any) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    for key in (Name.SMask, Name.Mask):
        mask = stream.get(key)
        if stream.get(Name.Subtype) == Name.Image and isinstance(mask, pikepdf.Stream):
            yield declared_size(stream), declared_size(mask)


def _require_decodable(image: Any) -> None:
    """Stop at images that pdfium would leave out: missing ink would look like an empty answer."""
    if _CHECKED_FILTERS.issuperset(image.get_filters()):
        return
    try:
        image.get_bitmap()
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
    return gray


def _drawn_annotations(page: pikepdf.Object) -> list[Any]:
    annotations = page.get(Name.Annots)
    if not isinstance(annotations, pikepdf.Array):
        return []
    return [item for item in annotations if isinstance(item, pikepdf.Dictionary) and Name.AP in item]


def _used_resources(page: pikepdf.Page) -> pikepdf.Dictionary:
    """The page's resources with no other images than it shows: some writers list every page's on each."""
    resources = pikepdf.Dictionary({key: page.resources[key] for key in page.resources.keys()})  # noqa: SIM118
    try:
        shown = {str(item.operands[0]) for item in pikepdf.parse_content_stream(page, "Do")}
    except (pikepdf.PikepdfError, TypeError):
        return resources  # no content, or damaged: `_check_stream` judges it
    listed = resources.get(Name.XObject, pikepdf.Dictionary())
    if not shown <= set(listed.keys()):
        raise PageSetAside(
            Trouble.DAMAGED_PAGE,
            "ページの中の画像がファイルから失われています。このページをスキャンし直してください。",
        )
    resources.XObject = pikepdf.Dictionary({key: listed[key] for key in shown})
    return resources


def _copy_look(annotation: Any, document: pikepdf.Pdf, target: pikepdf.Pdf) -> Any:
    """What an annotation shows, alone: its links and parents would pull other pages along."""
    entries = pikepdf.Dictionary({str(key): annotation[key] for key in _LOOK_KEYS if key in annotation})
    look = target.copy_foreign(document.make_indirect(entries))
    look.Type, look.Subtype = Name.Annot, Name.Stamp  # a form field drawn as a stamp needs no form
    return look


def _check_stream(stream: Any, limits: DecodeLimits) -> str:
    """Judge a stream by our own decoders, because pdfium leaves out what it can't read without a word.

    Returns:
        A warning where a part can be read.

    Raises:
        PageSetAside: too large or too damaged.
    """
    if stream.get(Name.Subtype) == Name.Image:
        return _check_image(stream, replace(limits, min_side=1))  # a layer may be small; only a page may not
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
    return ""


def _check_image(image: Any, limits: DecodeLimits) -> str:
    check_size(*declared_size(image), limits)
    try:
        _, warning = decode_image_stream(image, limits)
    except RareImageError:
        return SYMBOLS_WARNING if shares_symbols(image) else ""
    return warning
