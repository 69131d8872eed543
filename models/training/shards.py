"""Samples made ahead and kept on disk, by several processes, the same for the same seed."""

from __future__ import annotations

import os
import zlib
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from models.training.characters import SYMBOL_CLASSES, line_classes
from models.training.hands import load_hands
from models.training.line_samples import LineMaker
from models.training.sources import Part, load_joyo
from models.training.symbol_samples import SymbolMaker

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

_SHARD = 10_000
_LINE_SHARD = 4_000


@dataclass(frozen=True, slots=True)
class Places:
    """Where data are found and kept.

    Attributes:
        data: folder of the handwriting packs.
        fonts: folders in which handwriting fonts are looked for.
        work: where shards, unpacked fonts and checkpoints are kept.
    """

    data: Path
    fonts: tuple[Path, ...]
    work: Path


@dataclass(frozen=True, slots=True)
class _Order:
    places: Places
    part: Part
    model: str
    seed: int
    number: int
    count: int

    @property
    def path(self) -> Path:
        name = f"{self.model}-{self.part.value}-{self.seed}-{self.number:03d}.npz"
        return self.places.work / "shards" / name


def make_shards(places: Places, model: str, part: Part, seed: int, count: int) -> list[Path]:
    """Samples for one model, made anew where they are not there yet.

    Args:
        places: of data, fonts and work.
        model: `symbol` or `line`.
        part: whose hands write.
        seed: of chance.
        count: how many at least.

    Returns:
        the files, in order.
    """
    size = min(count, _SHARD if model == "symbol" else _LINE_SHARD)
    orders = [_Order(places, part, model, seed, number, size) for number in range(-(-count // size))]
    missing = [order for order in orders if not order.path.exists()]
    if missing:
        missing[0].path.parent.mkdir(parents=True, exist_ok=True)
        with ProcessPoolExecutor(min(len(missing), os.cpu_count() or 1)) as pool:
            for path in pool.map(_make_shard, missing):
                print(f"made {path.name}", flush=True)
    return [order.path for order in orders]


def load_symbols(paths: Sequence[Path]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Squares, uint8 (n, side, side), and the places of their classes, int64 (n,)."""
    loaded = [dict(np.load(path)) for path in paths]
    return np.concatenate([one["squares"] for one in loaded]), np.concatenate(
        [one["labels"] for one in loaded]
    )


def _make_shard(order: _Order) -> Path:
    cv2.setNumThreads(1)
    name = f"{order.model}/{order.part.value}/{order.seed}/{order.number}"
    random = np.random.default_rng([order.seed, zlib.crc32(name.encode())])
    hands = load_hands(order.places.data, list(order.places.fonts), order.places.work / "fonts", order.part)
    joyo = load_joyo(order.places.data)
    arrays = (
        _symbols(SymbolMaker(hands, joyo, random), order.count)
        if order.model == "symbol"
        else _lines(LineMaker(hands, joyo, random), order.count, line_classes(joyo))
    )
    partial = order.path.with_suffix(".part.npz")
    np.savez(partial, **arrays)  # type: ignore[arg-type]  # names of arrays, none of its options
    partial.rename(order.path)
    return order.path


def _symbols(maker: SymbolMaker, count: int) -> dict[str, NDArray[np.generic]]:
    places = {character: at for at, character in enumerate(SYMBOL_CLASSES)}
    made = ((sample.square(), places[sample.label]) for sample in (maker.sample() for _ in range(count)))
    squares, labels = zip(*made, strict=True)
    return {"squares": np.stack(squares), "labels": np.array(labels, np.int64)}


def _lines(maker: LineMaker, count: int, classes: Sequence[str]) -> dict[str, NDArray[np.generic]]:
    """Strips one after the other, each as if it ran to the right, with the text and the place of each character."""
    known = {character: at for at, character in enumerate(classes)}
    samples = [maker.sample() for _ in range(count)]
    strips = [sample.strip() for sample in samples]
    return {
        "pixels": np.concatenate([strip.pixels.ravel() for strip in strips]),
        "shapes": np.array([strip.pixels.shape for strip in strips], np.int32),
        "texts": np.concatenate([[known[one] for one in sample.text] for sample in samples]).astype(np.int32),
        "middles": np.concatenate([strip.middles for strip in strips]).astype(np.float32),
        "lengths": np.array([len(sample.text) for sample in samples], np.int32),
    }
