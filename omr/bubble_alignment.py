"""Laying the pictures of bubbles onto each other, to learn what is printed in and around an empty one.

A layout written by hand, or a page that was photographed, puts each bubble a little elsewhere in its box. The
pictures are shifted onto their common print, which is then what most of them share: a mark is where one picture
is darker. (Groupwise registration to an evolving template; Learned-Miller, "Data driven image models through
continuous joint alignment", IEEE TPAMI 28(2), 2006, in its simplest form: translations only.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy.fft

if TYPE_CHECKING:
    from collections.abc import Sequence

    from omr.pixels import Floats

_ROUNDS = 2
COMMON = 0.3
"""Quantile over the pictures that is taken for the print: below the median, for pages with many marks."""
_LEAST_SAME_LABEL = 5
_TRUST_OF_NEARNESS = 0.15
"""How much a larger shift must fit better, as a share of the fit, a whole side of the bubble away."""


@dataclass(frozen=True, slots=True)
class AlignedBubbles:
    """K pictures of bubbles on their common print.

    Attributes:
        darkness: the shifted pictures, (K, n, n).
        empty: what an empty bubble of the same label looks like, (K, n, n).
        shift: by how much each was shifted, samples (right, down), (K, 2).
    """

    darkness: Floats
    empty: Floats
    shift: Floats


def align_bubbles(darkness: Floats, labels: Sequence[str], most: int) -> AlignedBubbles:
    """Shift the pictures of bubbles onto what they have in common.

    Args:
        darkness: of each bubble and its surroundings, 0 paper to 1 black, (K, n, n).
        labels: of the bubbles; those with the same label have the same print.
        most: samples that a picture may be shifted by in each direction.
    """
    shift = np.zeros((len(darkness), 2), np.float32)
    aligned = darkness
    for _ in range(_ROUNDS):
        common = np.quantile(aligned, COMMON, axis=0).astype(np.float32)
        shift = _best_shifts(darkness, common, most)
        aligned = _shifted(darkness, shift.astype(int))
    return AlignedBubbles(aligned, _empty_by_label(aligned, labels), shift)


def _best_shifts(darkness: Floats, common: Floats, most: int) -> Floats:
    """The shift of each picture that fits the common print best, (K, 2)."""
    size = darkness.shape[1]
    padded = scipy.fft.next_fast_len(size + most, real=True)
    spectra = scipy.fft.rfft2(darkness, (padded, padded))
    pattern = scipy.fft.rfft2(common - common.mean(), (padded, padded))
    match = scipy.fft.irfft2(np.conj(spectra) * pattern, (padded, padded))
    steps = np.arange(-most, most + 1)
    near = match[:, steps[:, None], steps[None, :]].reshape(len(darkness), -1)
    far = np.hypot(steps[:, None], steps[None, :]).reshape(-1) / size
    near = near - _TRUST_OF_NEARNESS * far * np.abs(near).max(axis=1, keepdims=True)
    best = near.argmax(axis=1)
    shifts: Floats = np.stack([steps[best % len(steps)], steps[best // len(steps)]], axis=1).astype(
        np.float32
    )
    return shifts


def _shifted(darkness: Floats, shift: np.ndarray) -> Floats:
    """The pictures shifted by whole samples; the edge is repeated."""
    count, size, _ = darkness.shape
    place = np.arange(size)
    rows = np.clip(place[None, :] - shift[:, 1:], 0, size - 1)
    columns = np.clip(place[None, :] - shift[:, :1], 0, size - 1)
    moved: Floats = darkness[np.arange(count)[:, None, None], rows[:, :, None], columns[:, None, :]]
    return moved


def _empty_by_label(aligned: Floats, labels: Sequence[str]) -> Floats:
    empty = np.broadcast_to(np.quantile(aligned, COMMON, axis=0), aligned.shape).astype(np.float32)
    names = np.array(labels)
    for label in np.unique(names):
        same = names == label
        if same.sum() >= _LEAST_SAME_LABEL:
            empty[same] = np.quantile(aligned[same], COMMON, axis=0)
    return empty
