"""Lines from shards, in batches of about the same length and one direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from models.training.networks import pad_strips
from ocr.network_input import LINE_HEIGHT, LINE_STEP

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

_SORTED = 24
"""So many batches are sorted by length together."""
_IGNORED = -1


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines in memory.

    Attributes:
        strips: of each, uint8.
        texts: places of its characters among the classes, int32.
        middles: of its characters, pixels along the line; NaN where not known.
    """

    strips: list[NDArray[np.uint8]]
    texts: list[NDArray[np.int32]]
    middles: list[NDArray[np.float32]]

    @staticmethod
    def load(paths: Sequence[Path]) -> Lines:
        """All lines of some shards."""
        strips: list[NDArray[np.uint8]] = []
        texts: list[NDArray[np.int32]] = []
        middles: list[NDArray[np.float32]] = []
        for path in paths:
            arrays = dict(np.load(path))
            shapes = arrays["shapes"]
            ends = np.cumsum(shapes.prod(axis=1))
            pieces = np.split(arrays["pixels"], ends[:-1])
            strips += [piece.reshape(shape) for piece, shape in zip(pieces, shapes.tolist(), strict=True)]
            bounds = np.cumsum(arrays["lengths"])[:-1]
            texts += np.split(arrays["texts"], bounds)
            middles += np.split(arrays["middles"], bounds)
        return Lines(strips, texts, middles)


@dataclass(slots=True)
class LineBatch:
    """Lines of one direction.

    Attributes:
        images: 0 to 1, (n, 1, height, width).
        texts: places of all their characters, one after the other.
        lengths: characters of each, (n,).
        steps: of each, (n,).
        wanted: what stands at each step, (n, steps): a class, 0 for none, -1 for no matter.
    """

    images: Tensor
    texts: Tensor
    lengths: Tensor
    steps: Tensor
    wanted: Tensor


def batches_of_lines(lines: Lines, size: int, random: np.random.Generator) -> Iterator[LineBatch]:
    """All lines once, in batches by chance."""
    vertical = np.array([strip.shape[0] != LINE_HEIGHT for strip in lines.strips])
    length = np.array([max(strip.shape) for strip in lines.strips])
    chosen: list[NDArray[np.intp]] = []
    for direction in (False, True):
        order = random.permutation(np.flatnonzero(vertical == direction))
        for start in range(0, len(order), size * _SORTED):
            some = order[start : start + size * _SORTED]
            some = some[np.argsort(length[some], kind="stable")]
            chosen += [some[at : at + size] for at in range(0, len(some), size)]
    for at in random.permutation(len(chosen)).tolist():
        yield _batch(lines, chosen[at].tolist())


def _batch(lines: Lines, chosen: list[int]) -> LineBatch:
    images = pad_strips([torch.from_numpy(lines.strips[at]) for at in chosen])
    steps = [-(-max(lines.strips[at].shape) // LINE_STEP) for at in chosen]
    wanted = np.full((len(chosen), max(steps)), _IGNORED, np.int64)
    for row, at, count in zip(wanted, chosen, steps, strict=True):
        middles = lines.middles[at]
        if np.isnan(middles).any():
            continue
        row[:] = 0
        places = np.clip(np.round(middles / LINE_STEP - 0.5).astype(int), 0, count - 1)
        for beside in (-1, 1):
            row[np.clip(places + beside, 0, count - 1)] = _IGNORED
        row[places] = lines.texts[at]
    return LineBatch(
        images=images,
        texts=torch.from_numpy(np.concatenate([lines.texts[at] for at in chosen])).long(),
        lengths=torch.tensor([len(lines.texts[at]) for at in chosen]),
        steps=torch.tensor(steps),
        wanted=torch.from_numpy(wanted),
    )
