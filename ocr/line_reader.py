"""Reading lines: what the line network sees at each step along them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ocr.model_file import DEFAULT_THREADS, ModelFile, open_model
from ocr.network_input import LINE_HEIGHT, LINE_PADDING, LINE_STEP, Direction

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ocr.ink import Gray
    from ocr.model_file import ModelFacts

LINE_MODEL = "line.onnx"
_BATCH = 8
_NOTHING = 0


@dataclass(frozen=True, slots=True, eq=False)
class LineScores:
    """What the network says of one line.

    Attributes:
        scores: of each class at each step, divided by the model's temperature, float32 (steps, classes).
        embedding: mean of what the network sees where it sees characters, float32 (E,), unit length.
    """

    scores: NDArray[np.float32]
    embedding: NDArray[np.float32]


class LineReader:
    """The line network.

    Args:
        path: of its file.
        threads: of one run.

    Raises:
        ModelError: the file is missing or broken.
    """

    def __init__(self, path: Path, threads: int = DEFAULT_THREADS) -> None:
        self._model: ModelFile = open_model(path, threads)
        self.class_places = {one: at for at, one in enumerate(self.facts.classes)}

    @property
    def facts(self) -> ModelFacts:
        """What the model says of itself."""
        return self._model.facts

    def score(self, strips: Sequence[Gray], directions: Sequence[Direction]) -> list[LineScores]:
        """What stands on some lines; those of about one length go through the network together.

        Args:
            strips: see `ocr.network_input.line_strip`.
            directions: of each.
        """
        lengths = [
            strip.shape[_along(direction)] for strip, direction in zip(strips, directions, strict=True)
        ]
        order = sorted(range(len(strips)), key=lambda at: (directions[at].value, lengths[at]))
        found: dict[int, LineScores] = {}
        while order:
            direction = directions[order[0]]
            batch = [at for at in order[:_BATCH] if directions[at] is direction]
            order = order[len(batch) :]
            found |= zip(
                batch,
                self._run([strips[at] for at in batch], [lengths[at] for at in batch], direction),
                strict=True,
            )
        return [found[at] for at in range(len(strips))]

    def _run(self, strips: list[Gray], lengths: list[int], direction: Direction) -> list[LineScores]:
        steps = [-(-length // LINE_STEP) for length in lengths]
        total = max(steps) * LINE_STEP + 2 * LINE_PADDING
        is_vertical = direction is Direction.VERTICAL
        shape = (total, LINE_HEIGHT) if is_vertical else (LINE_HEIGHT, total)
        inks = np.zeros((len(strips), 1, *shape), np.float32)
        for ink, strip, length in zip(inks, strips, lengths, strict=True):
            place = slice(LINE_PADDING, LINE_PADDING + length)
            ink[(0, place) if is_vertical else (0, slice(None), place)] = strip
        inks *= np.float32(1 / 255)
        scores, seen = self._model.run(inks)
        scores /= np.float32(self.facts.temperature)
        return [
            LineScores(one[:count], _embedding(one[:count], sight[:count]))
            for one, sight, count in zip(scores, seen, steps, strict=True)
        ]


def _along(direction: Direction) -> int:
    return 0 if direction is Direction.VERTICAL else 1


def _embedding(scores: NDArray[np.float32], seen: NDArray[np.float32]) -> NDArray[np.float32]:
    somewhere = scores.argmax(axis=1) != _NOTHING
    mean = seen[somewhere].mean(axis=0) if somewhere.any() else seen.mean(axis=0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-6), np.float32)
