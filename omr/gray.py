"""Gray arrays from the ways in which pictures are stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from omr.errors import PageSetAside, Trouble

if TYPE_CHECKING:
    from numpy.typing import NDArray

Dpi = tuple[float, float]

DAMAGE_WARNING = (
    "画像の一部が壊れています。写っていない解答がないか確認し、必要ならスキャンし直してください。"
)
"""What a page says that was decoded in spite of damage."""


def orient(gray: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Turn an array as the orientation tag of TIFF and EXIF says.

    Args:
        gray: shape (height, width).
        orientation: 1 to 8 (TIFF 6.0, tag 274); anything else leaves the array as it is.

    Returns:
        A contiguous array with the visual top row first.
    """
    match orientation:
        case 2:
            turned = cv2.flip(gray, 1)
        case 3:
            turned = cv2.rotate(gray, cv2.ROTATE_180)
        case 4:
            turned = cv2.flip(gray, 0)
        case 5:
            turned = cv2.transpose(gray)
        case 6:
            turned = cv2.rotate(gray, cv2.ROTATE_90_CLOCKWISE)
        case 7:
            turned = cv2.rotate(cv2.transpose(gray), cv2.ROTATE_180)
        case 8:
            turned = cv2.rotate(gray, cv2.ROTATE_90_COUNTERCLOCKWISE)
        case _:
            return np.ascontiguousarray(gray)
    return cast("NDArray[np.uint8]", turned)


def orient_dpi(dpi: Dpi | None, orientation: int) -> Dpi | None:
    """The resolution that goes with `orient`: quarter turns swap x and y."""
    return (dpi[1], dpi[0]) if dpi and orientation in (5, 6, 7, 8) else dpi


def plausible_dpi(x: float, y: float) -> Dpi | None:
    """A resolution to believe, else None: files carry zeros, ones and infinities for "unknown"."""
    return (float(x), float(y)) if 10 <= x <= 10_000 and 10 <= y <= 10_000 else None


def gray_from_samples(samples: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Gray of 8-bit samples.

    Args:
        samples: shape (height, width, n): n = 1 gray, 3 RGB, 4 CMYK (0 no ink, 255 full ink).

    Returns:
        Shape (height, width), by the weights of ITU-R BT.601.
    """
    channels = samples.shape[2]
    if channels == 1:
        return np.ascontiguousarray(samples[..., 0])
    if channels == 3:
        return cast("NDArray[np.uint8]", cv2.cvtColor(samples, cv2.COLOR_RGB2GRAY))
    # Without an ink profile, gray = (1 - weighted CMY) x (1 - K) is what plain converters do.
    light = cv2.cvtColor(np.ascontiguousarray(255 - samples[..., :3]), cv2.COLOR_RGB2GRAY)
    return cast(
        "NDArray[np.uint8]", cv2.multiply(light, np.ascontiguousarray(255 - samples[..., 3]), scale=1 / 255)
    )


def gray_from_bits(bits: NDArray[np.bool_] | NDArray[np.uint8]) -> NDArray[np.uint8]:
    """0 and 255 from 0 and 1, without a multiplication over the page."""
    # 0 - 1 wraps to 255 in uint8.
    return cast("NDArray[np.uint8]", np.negative(bits.view(np.uint8)))


def stretch_to_black_and_white(gray: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The two levels of a 1-bit picture with a palette as 0 and 255.

    A picture of one level only is told by the middle of the scale.
    """
    low, high = int(gray.min()), int(gray.max())
    threshold = 127 if low == high else (low + high) // 2
    return cast("NDArray[np.uint8]", np.where(gray > threshold, 255, 0).astype(np.uint8))


def refuse_format(what: str) -> PageSetAside:
    """The page set aside because of a way of storing that no decoder here knows."""
    return PageSetAside(
        Trouble.DAMAGED_PAGE,
        f"読めない形式の画像です（{what}）。複合機の設定を通常のPDFかJPEGにしてスキャンし直してください。",
    )
