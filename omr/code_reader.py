"""Reading the sheet code of a page, cheapest way first.

The place of the code is known from the registration, so a QR reader sees only a small crop. Where a pen or
a stain crosses the code, its modules are sampled through the page transform, the parts that every code of
this version shares (finders, timing, alignment) are drawn anew, and only damaged data modules are left for
the error correction.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, cast

import cv2
import numpy as np
import zxingcpp

from omr.code_print import MODULES, QUIET_ZONE
from omr.geometry import Points, Rectangle, Transform, apply, fit_affine
from omr.sheet_code import CODE_LENGTH, SheetCode, parse_code

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from omr.layout import PageLayout
    from omr.pixels import Gray, Mask

_FORMATS = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
_CROP_MARGIN_MM = 1.0
_FULL_PAGE_PIXELS = 12_000_000


def read_code(gray: Gray, transform: Transform, page: PageLayout) -> SheetCode | None:
    """The sheet code of a registered page, or None where no way of reading gives a code that checks out.

    Args:
        gray: the page.
        transform: page (mm) to image (pixels).
        page: says where the codes stand.
    """
    boxes = [box for box in (page.qr, page.second_qr) if box is not None]
    for attempt in (_read_crop, _read_modules, _read_sharpened, _read_with_zbar):
        for box in boxes:
            code = attempt(gray, transform, box)
            if code is not None:
                return code
    return None


def find_code(gray: Gray) -> tuple[SheetCode, Points] | None:
    """Look for a sheet code anywhere on a page, and the corners of its modules in the image, shape (4, 2).

    Corners run from the code's own top-left clockwise. A page too large to search whole is shrunk first.
    """
    factor = max(1, int(np.ceil(np.sqrt(gray.size / _FULL_PAGE_PIXELS))))
    small = (
        gray
        if factor == 1
        else cv2.resize(gray, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA)
    )
    for result in zxingcpp.read_barcodes(small, formats=_FORMATS):
        code = parse_code(result.text) if result.valid else None
        if code is not None:
            at = result.position
            corners = [(p.x, p.y) for p in (at.top_left, at.top_right, at.bottom_right, at.bottom_left)]
            return code, (np.array(corners, np.float64) + 0.5) * factor - 0.5
    return None


def has_foreign_code(gray: Gray) -> bool:
    """Whether a QR code that is not a sheet code stands on the page."""
    factor = max(1, int(np.ceil(np.sqrt(gray.size / _FULL_PAGE_PIXELS))))
    small = gray[::factor, ::factor]
    found = zxingcpp.read_barcodes(np.ascontiguousarray(small), formats=_FORMATS)
    return any(result.valid for result in found)


def modules_box(box: Rectangle) -> Rectangle:
    """The box of a code's modules, inside its quiet zone."""
    return box.expanded(-box.w * QUIET_ZONE / (MODULES + 2 * QUIET_ZONE))


def _read_crop(gray: Gray, transform: Transform, box: Rectangle) -> SheetCode | None:
    return _decode(_cut(gray, transform, box))


def _read_sharpened(gray: Gray, transform: Transform, box: Rectangle) -> SheetCode | None:
    crop = _cut(gray, transform, box)
    if crop.size == 0:
        return None
    large = cv2.resize(crop, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    sharp = cv2.addWeighted(large, 2.5, cv2.GaussianBlur(large, (0, 0), 3), -1.5, 0)
    return _decode(cast("Gray", sharp))


def _read_with_zbar(gray: Gray, transform: Transform, box: Rectangle) -> SheetCode | None:
    decode = load_zbar()
    crop = _cut(gray, transform, box)
    if decode is None or crop.size == 0:
        return None
    codes = (parse_code(result.data.decode("ascii", "replace")) for result in decode(crop))
    return next((code for code in codes if code is not None), None)


@cache
def load_zbar() -> Callable[[Gray], Iterator[Any]] | None:
    """The decoder of pyzbar where the system has the zbar library, else None."""
    try:
        from pyzbar import pyzbar  # noqa: PLC0415  (its import fails without the system library)
    except (ImportError, OSError):
        return None
    return lambda image: pyzbar.decode(image, symbols=[pyzbar.ZBarSymbol.QRCODE])


def _read_modules(gray: Gray, transform: Transform, box: Rectangle) -> SheetCode | None:
    """Sample the modules through the transform, redraw the known ones, and decode the clean picture."""
    inner = modules_box(box)
    step = inner.w / MODULES
    # Nine points a module, so that a speck or a thin line does not decide alone.
    offsets = (np.arange(3 * MODULES) // 3 + np.tile((0.3, 0.5, 0.7), MODULES)) * step
    x, y = np.meshgrid(inner.x + offsets, inner.y + offsets)
    at = apply(transform, np.stack([x, y], axis=-1)).astype(np.float32)
    values = cv2.remap(gray, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderValue=255)
    means = values.reshape(MODULES, 3, MODULES, 3).astype(np.float32).mean(axis=(1, 3))
    threshold, _ = cv2.threshold(means.astype(np.uint8), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    dark = means <= threshold
    known, pattern = _function_patterns()
    dark[known] = pattern[known]
    quiet = np.pad(np.where(dark, 0, 255).astype(np.uint8), QUIET_ZONE, constant_values=255)
    return _decode(np.kron(quiet, np.ones((4, 4), np.uint8)))


@cache
def _function_patterns() -> tuple[Mask, Mask]:
    """Where the modules of version 3 are the same in every code, and whether they are dark (ISO/IEC 18004)."""
    n = MODULES
    known = np.zeros((n, n), bool)
    dark = np.zeros((n, n), bool)
    ring = np.maximum.outer(np.abs(np.arange(-3, 4)), np.abs(np.arange(-3, 4)))
    finder = ring != 2
    for top, left in ((0, 0), (0, n - 7), (n - 7, 0)):
        known[max(0, top - 1) : top + 8, max(0, left - 1) : left + 8] = True
        dark[top : top + 7, left : left + 7] = finder
    timing = np.arange(8, n - 8)
    known[6, timing] = known[timing, 6] = True
    dark[6, timing] = dark[timing, 6] = timing % 2 == 0
    centre = n - 7
    known[centre - 2 : centre + 3, centre - 2 : centre + 3] = True
    dark[centre - 2 : centre + 3, centre - 2 : centre + 3] = ring[1:-1, 1:-1] != 1
    known[n - 8, 8] = dark[n - 8, 8] = True
    return known, dark


def _cut(gray: Gray, transform: Transform, box: Rectangle) -> Gray:
    margin = _CROP_MARGIN_MM
    corners = apply(transform, box.expanded(margin).corners())
    left, top = np.maximum(np.floor(corners.min(axis=0)).astype(int), 0)
    right, bottom = np.ceil(corners.max(axis=0)).astype(int) + 1
    return gray[top:bottom, left:right]


def _decode(image: Gray) -> SheetCode | None:
    if min(image.shape) < MODULES:
        return None
    results = zxingcpp.read_barcodes(
        np.ascontiguousarray(image),
        formats=_FORMATS,
        try_rotate=False,
        try_downscale=False,
        try_invert=False,
    )
    codes = (parse_code(result.text) for result in results if result.valid)
    return next((code for code in codes if code is not None), None)


def code_transform(corners: Points, box: Rectangle) -> Transform:
    """A rough page-to-image transform from a code found anywhere: its corners against its printed box."""
    return fit_affine(modules_box(box).corners(), corners)


assert CODE_LENGTH <= 35, "version 3 with error correction H holds 35 alphanumeric characters"
