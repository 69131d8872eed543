"""Pillow for the formats that nothing faster reads, with its warnings and limits replaced by ours."""

from __future__ import annotations

import io
import warnings
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import numpy as np
from PIL import Image, ImageFile

from omr.decode_limits import check_size
from omr.errors import PageSetAside, Trouble
from omr.gray import gray_from_samples, refuse_format

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from omr.decode_limits import DecodeLimits


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Keep Pillow's warnings away: sizes are checked here, damage is told by `Page.warning`.

    Raises:
        PageSetAside: Pillow itself refuses the size.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except Image.DecompressionBombError as error:
        raise PageSetAside(
            Trouble.TOO_LARGE, "画像が大きすぎます。300dpi前後でスキャンし直してください。"
        ) from error


def load_lenient(data: bytes, kind: str, limits: DecodeLimits) -> tuple[Image.Image, bool]:
    """Load a picture; where it is cut off or broken, as much of it as there is.

    Args:
        data: the whole file.
        kind: Pillow's name of the format.
        limits: checked before decoding.

    Returns:
        The loaded picture, and whether it is damaged.

    Raises:
        PageSetAside: too large or too small.
        OSError, SyntaxError, ValueError, zlib.error: too damaged.
    """
    try:
        return _load(data, kind, limits), False
    except (OSError, SyntaxError, ValueError, zlib.error):
        with _accept_truncated():
            return _load(data, kind, limits), True


def gray_from_pillow(image: Image.Image, deep_bits: int = 16) -> NDArray[np.uint8]:
    """Gray of any loaded picture: deep ones by their upper 8 bits, transparency over white.

    Args:
        image: loaded.
        deep_bits: significant bits of Pillow's 16-bit modes.

    Raises:
        PageSetAside: a mode that no scanner writes (floating point).
    """
    mode = image.mode
    if mode in ("1", "L"):
        return np.array(image.convert("L"), dtype=np.uint8)
    if mode.startswith("I;16"):
        return cast(
            "NDArray[np.uint8]", (np.asarray(image).astype(np.uint16) >> (deep_bits - 8)).astype(np.uint8)
        )
    if mode in ("F", "I"):
        raise refuse_format(f"mode {mode}")
    if mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info:
        picture = image.convert("RGBA")
        paper = Image.new("RGBA", picture.size, "white")
        return np.array(Image.alpha_composite(paper, picture).convert("L"), dtype=np.uint8)
    if mode == "LAB":
        return np.array(image.getchannel(0), dtype=np.uint8)
    if mode == "CMYK":
        return gray_from_samples(np.array(image, dtype=np.uint8))
    return np.array(image.convert("L"), dtype=np.uint8)


def _load(data: bytes, kind: str, limits: DecodeLimits) -> Image.Image:
    with quiet_pillow():
        image = Image.open(io.BytesIO(data), formats=(kind,))
        check_size(*image.size, limits)
        image.load()
    return image


@contextmanager
def _accept_truncated() -> Iterator[None]:
    # Pillow has no argument for this. Workers are processes of one thread, so nobody else sees it.
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before
