"""Reading single characters: what the symbol network sees, narrowed to what a question offers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ocr.alphabet import narrow
from ocr.model_file import DEFAULT_THREADS, ModelFile, open_model

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ocr.alphabet import Alphabet
    from ocr.ink import Gray

SYMBOL_MODEL = "symbol.onnx"
_BATCH = 64
_FAINTEST = 1e-6
"""The least chance that is told apart from none."""


@dataclass(frozen=True, slots=True, eq=False)
class SymbolScores:
    """What the network says of some characters.

    Attributes:
        chances: of each class, calibrated, float32 (n, classes), rows sum to 1.
        embeddings: float32 (n, 160), unit length.
    """

    chances: NDArray[np.float32]
    embeddings: NDArray[np.float32]


class SymbolReader:
    """The symbol network.

    Args:
        path: of its file.
        threads: of one run.

    Raises:
        ModelError: the file is missing or broken.
    """

    def __init__(self, path: Path, threads: int = DEFAULT_THREADS) -> None:
        self._model: ModelFile = open_model(path, threads)

    @property
    def label(self) -> str:
        """Name and version of the model."""
        return self._model.facts.label

    def score(self, squares: Sequence[Gray]) -> SymbolScores:
        """What stands in some squares.

        Args:
            squares: see `ocr.network_input.symbol_square`.
        """
        facts = self._model.facts
        if not len(squares):
            return SymbolScores(np.zeros((0, len(facts.classes)), np.float32), np.zeros((0, 0), np.float32))
        inks = (np.stack(squares)[:, np.newaxis] / np.float32(255)).astype(np.float32)
        parts = [self._model.run(inks[start : start + _BATCH]) for start in range(0, len(inks), _BATCH)]
        scores = np.concatenate([scores for scores, _ in parts]) / np.float32(facts.temperature)
        scores -= scores.max(axis=1, keepdims=True)
        chances = np.exp(scores)
        chances /= chances.sum(axis=1, keepdims=True)
        return SymbolScores(chances, np.concatenate([embedding for _, embedding in parts]))

    def alphabet(self, choices: Sequence[str]) -> Alphabet | None:
        """The characters of a question; None where the network does not know one of them."""
        return narrow(self._model.facts.classes, tuple(choices))

    def narrow(self, chances: NDArray[np.float32], alphabet: Alphabet) -> NDArray[np.float32]:
        """Chances over the characters that can occur, float32 (n, K + 1), rows sum to 1; last "none of these".

        The best one's is calibrated by how it stands against all else; the others share what is left.
        """
        narrowed = narrow_chances(chances, alphabet)
        sure = self._model.facts.best.chances(measure_best(chances, alphabet))
        rows, best = np.arange(len(narrowed)), narrowed[:, :-1].argmax(axis=1)
        others = 1 - narrowed[rows, best]
        narrowed *= ((1 - sure) / np.maximum(others, 1e-9))[:, np.newaxis]
        narrowed[rows, best] = sure
        return narrowed

    def safe_chance(self, alphabet: Alphabet) -> float:
        """The least chance at which a reading in this alphabet is safe to take."""
        return self._model.facts.lines[alphabet.kind.value]


def narrow_chances(chances: NDArray[np.float32], alphabet: Alphabet) -> NDArray[np.float32]:
    """Chances over the characters that can occur, as the network sees them.

    Args:
        chances: of the model's classes, (n, classes).
        alphabet: of the question, K characters.

    Returns:
        float32 (n, K + 1), rows sum to 1; the last column is "none of these".
    """
    narrowed = chances @ alphabet.weights
    sums = np.maximum(narrowed.sum(axis=1, keepdims=True), np.float32(1e-12))
    return np.asarray(narrowed / sums, np.float32)


def measure_best(chances: NDArray[np.float32], alphabet: Alphabet) -> NDArray[np.float32]:
    """How the likeliest character that can occur stands against all else; natural logarithms.

    Args:
        chances: of the model's classes, (n, classes).
        alphabet: of the question.

    Returns:
        float32 (n, 3): its chance; its chance over that of the next one; its chance over that of all classes that
        neither can occur nor look like one that can.
    """
    seen = np.sort((chances @ alphabet.weights)[:, :-1], axis=1)
    strange = chances @ (alphabet.weights[:, :-1].sum(axis=1) == 0)
    second = seen[:, -2] if seen.shape[1] > 1 else np.zeros(len(seen), np.float32)
    own, rival, stranger = (np.log(np.maximum(one, _FAINTEST)) for one in (seen[:, -1], second, strange))
    return np.asarray(np.column_stack((own, own - rival, own - stranger)), np.float32)
