"""JPEG straight to gray: strict first, so that damage is reported and not only survived."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np
from PIL import Image

from omr.decode_limits import DecodeLimits, check_size
from omr.errors import PageSetAside, Trouble
from omr.gray import DAMAGE_WARNING, gray_from_samples
from omr.optional_module import import_optional
from omr.pillow_decoding import load_lenient, quiet_pillow

if TYPE_CHECKING:
    from numpy.typing import NDArray

simplejpeg = import_optional("simplejpeg")  # OpenCV and Pillow are slower, but read the same


def decode_jpeg(data: bytes, limits: DecodeLimits) -> tuple[NDArray[np.uint8], str]:
    """Decode a JPEG of one or three components, or CMYK as Adobe writes it.

    Args:
        data: a whole JPEG stream.
        limits: checked against the header before decoding.

    Returns:
        Gray of shape (height, width) as the pixels lie in the stream, and a warning for the teacher
        if the stream is damaged.

    Raises:
        PageSetAside: too large, or too damaged to decode.
    """
    if jpeg_components(data, limits) == 4:
        cmyk, warning = decode_cmyk_jpeg(data, limits)
        # Adobe writes inverted ink, and every loose CMYK JPEG follows it.
        return gray_from_samples(255 - cmyk), warning
    gray = _decode_strictly(data)
    if gray is not None:
        return gray, ""
    return _decode_damaged(data), DAMAGE_WARNING


def jpeg_components(data: bytes, limits: DecodeLimits) -> int:
    """How many colour components a JPEG has: 1, 3 or 4.

    Raises:
        PageSetAside: no header, or one that promises too much.
    """
    try:
        with quiet_pillow(), Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
            width, height = image.size
            components = len(image.getbands())
    except (OSError, SyntaxError, ValueError) as error:
        raise _undecodable() from error
    check_size(width, height, limits)
    return components


def decode_cmyk_jpeg(data: bytes, limits: DecodeLimits) -> tuple[NDArray[np.uint8], str]:
    """The four components as they stand in the stream (YCCK undone, no inversion), and a warning.

    Returns:
        Shape (height, width, 4), and a warning for the teacher if the stream is damaged.
    """
    image, damaged = load_lenient(data, "JPEG", limits)
    # Pillow takes every four-component JPEG for Adobe's inverted kind.
    return 255 - np.asarray(image, dtype=np.uint8), DAMAGE_WARNING if damaged else ""


def _decode_strictly(data: bytes) -> NDArray[np.uint8] | None:
    if simplejpeg is None:
        # OpenCV gives nothing for a truncated stream.
        decoded = cv2.imdecode(
            np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION
        )
        return cast("NDArray[np.uint8] | None", decoded)
    try:
        gray = simplejpeg.decode_jpeg(data, colorspace="GRAY", fastdct=True)
    except ValueError:
        return None
    return cast("NDArray[np.uint8]", gray[..., 0])


def _decode_damaged(data: bytes) -> NDArray[np.uint8]:
    if simplejpeg is not None:
        try:
            gray = simplejpeg.decode_jpeg(data, colorspace="GRAY", fastdct=True, strict=False)
            return cast("NDArray[np.uint8]", gray[..., 0])
        except ValueError:
            pass
    try:
        image, _ = load_lenient(data, "JPEG", DecodeLimits())
        return np.asarray(image.convert("L"), dtype=np.uint8)
    except (OSError, SyntaxError, ValueError) as error:
        raise _undecodable() from error


def _undecodable() -> PageSetAside:
    return PageSetAside(
        Trouble.DAMAGED_PAGE, "画像（JPEG）が壊れていて開けません。このページをスキャンし直してください。"
    )
