"""Reading the sheet code of a page, cheapest way first.

The place of the code is known from the registration, so a QR reader sees only a small crop. Where a pen or
a stain crosses the code, its modules are sampled through the page transform, the parts that every code of
this version shares (finders, timing, alignment) are drawn anew, and only damaged data modules are left for
the error correction.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import cv2
import numpy as np
import zxingcpp

from omr.code_print import MODULES
from omr.code_sampling import clean_pictures, modules_box
from omr.geometry import Points, Rectangle, Transform, fit_affine
from omr.sheet_code import CODE_LENGTH, SheetCode, parse_code

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from omr.layout import PageLayout
    from omr.pixels import Gray

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
    return (
        _read_each(_read_crop, gray, transform, boxes)
        or next(filter(None, map(_decode, clean_pictures(gray, transform, boxes))), None)
        or _read_each(_read_sharpened, gray, transform, boxes)
        or _read_each(_read_with_zbar, gray, transform, boxes)
    )


def _read_each(
    read: Callable[[Gray, Transform, Rectangle], SheetCode | None],
    gray: Gray,
    transform: Transform,
    boxes: Sequence[Rectangle],
) -> SheetCode | None:
    return next((code for box in boxes if (code := read(gray, transform, box)) is not None), None)


def find_codes(gray: Gray) -> list[tuple[SheetCode, Points]]:
    """All sheet codes anywhere in an image, each with the corners of its modules, shape (4, 2).

    Corners run from the code's own top-left clockwise. An image too large to search whole is shrunk first.
    """
    factor = max(1, int(np.ceil(np.sqrt(gray.size / _FULL_PAGE_PIXELS))))
    small = (
        gray
        if factor == 1
        else cv2.resize(gray, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA)
    )
    found = []
    for result in zxingcpp.read_barcodes(np.ascontiguousarray(small), formats=_FORMATS):
        code = parse_code(result.text) if result.valid else None
        if code is not None:
            at = result.position
            corners = [(p.x, p.y) for p in (at.top_left, at.top_right, at.bottom_right, at.bottom_left)]
            found.append((code, (np.array(corners, np.float64) + 0.5) * factor - 0.5))
    return found


def has_foreign_code(gray: Gray) -> bool:
    """Whether a QR code that is not a sheet code stands on the page."""
    factor = max(1, int(np.ceil(np.sqrt(gray.size / _FULL_PAGE_PIXELS))))
    small = gray[::factor, ::factor]
    found = zxingcpp.read_barcodes(np.ascontiguousarray(small), formats=_FORMATS)
    return any(result.valid for result in found)


def _read_crop(gray: Gray, transform: Transform, box: Rectangle) -> SheetCode | None:
    crop = _cut(gray, transform, box)
    # One threshold for the whole code is found faster, and does for an unharmed one.
    return _decode(crop, zxingcpp.Binarizer.GlobalHistogram) or _decode(crop)


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


def _cut(gray: Gray, transform: Transform, box: Rectangle) -> Gray:
    """The part of the page around a box, at whatever turn the page lies."""
    (a, b, c), (d, e, f), _ = transform.tolist()
    (x, y), margin = box.centre, _CROP_MARGIN_MM
    half_wide, half_high = box.w / 2 + margin, box.h / 2 + margin
    middle_x, middle_y = a * x + b * y + c, d * x + e * y + f
    reach_x = abs(a) * half_wide + abs(b) * half_high
    reach_y = abs(d) * half_wide + abs(e) * half_high
    left, top = max(math.floor(middle_x - reach_x), 0), max(math.floor(middle_y - reach_y), 0)
    right, bottom = math.ceil(middle_x + reach_x) + 1, math.ceil(middle_y + reach_y) + 1
    return gray[top : max(bottom, 0), left : max(right, 0)]


def _decode(image: Gray, binarizer: zxingcpp.Binarizer = zxingcpp.Binarizer.LocalAverage) -> SheetCode | None:
    if min(image.shape) < MODULES:
        return None
    results = zxingcpp.read_barcodes(
        np.ascontiguousarray(image),
        formats=_FORMATS,
        try_rotate=False,
        try_downscale=False,
        try_invert=False,
        binarizer=binarizer,
    )
    codes = (parse_code(result.text) for result in results if result.valid)
    return next((code for code in codes if code is not None), None)


def code_transform(corners: Points, box: Rectangle) -> Transform:
    """A rough page-to-image transform from a code found anywhere: its corners against its printed box."""
    return fit_affine(modules_box(box).corners(), corners)


assert CODE_LENGTH <= 35, "version 3 with error correction H holds 35 alphanumeric characters"
