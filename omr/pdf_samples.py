"""Uncompressed samples of a PDF image to gray: depth, colour space and /Decode (ISO 32000-1, 8.9.5.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from omr.gray import gray_from_bits, gray_from_samples, stretch_to_black_and_white

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from omr.pdf_image_facts import ImageFacts


def samples_of_rows(rows: NDArray[np.uint8], facts: ImageFacts) -> NDArray[np.uint8]:
    """Take the samples out of packed rows.

    Args:
        rows: shape (height, bytes a row).
        facts: of the image.

    Returns:
        Shape (height, width, components), each sample unscaled in a byte (the upper one of 16 bits).
    """
    height, count = facts.height, facts.width * facts.components
    if facts.bits == 16:
        flat = rows[:, 0 : 2 * count : 2]
    elif facts.bits == 8:
        flat = rows
    elif facts.bits == 1:
        flat = np.unpackbits(rows, axis=1, count=count)
    else:
        per_byte = 8 // facts.bits
        shifts = np.arange(per_byte - 1, -1, -1, dtype=np.uint8) * np.uint8(facts.bits)
        split = (rows[:, :, np.newaxis] >> shifts) & np.uint8((1 << facts.bits) - 1)
        flat = split.reshape(height, -1)[:, :count]
    return np.ascontiguousarray(flat).reshape(height, facts.width, facts.components)


def gray_of(samples: NDArray[np.uint8], facts: ImageFacts) -> NDArray[np.uint8]:
    """Gray of samples by colour space and /Decode.

    Args:
        samples: from `samples_of_rows`.
        facts: of the image.

    Returns:
        Shape (height, width).
    """
    if facts.palette is not None:
        table = np.zeros(256, np.uint8)
        table[: len(facts.palette)] = facts.palette
        shades = table[samples[..., 0]]
        return stretch_to_black_and_white(shades) if facts.bits == 1 else shades
    if facts.bits == 1 and facts.components == 1:
        gray = gray_from_bits(samples[..., 0])
        inverted = facts.decode and facts.decode[0] > facts.decode[1]
        return 255 - gray if inverted else gray
    if facts.bits < 8:
        samples = (samples * (255 // ((1 << facts.bits) - 1))).astype(np.uint8)
    return gray_from_samples(apply_decode(samples, facts.decode))


def apply_decode(samples: NDArray[np.uint8], decode: tuple[float, ...]) -> NDArray[np.uint8]:
    """Map samples as /Decode says.

    Args:
        samples: 0 to 255, shape (height, width, n).
        decode: (low, high) of each component, in 0 to 1; empty for the default.

    Returns:
        Of the same shape.
    """
    if not decode:
        return samples
    scale = np.linspace(0.0, 1.0, 256)
    low, high = np.array(decode[::2]), np.array(decode[1::2])
    table = np.clip(np.rint((low + scale[:, np.newaxis] * (high - low)) * 255), 0, 255).astype(np.uint8)
    channels = [cv2.LUT(np.ascontiguousarray(samples[..., i]), table[:, i]) for i in range(samples.shape[2])]
    return np.stack(channels, axis=2).astype(np.uint8, copy=False)
