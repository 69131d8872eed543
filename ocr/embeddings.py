"""Arithmetic on embeddings: rows of unit length whose product is their likeness, the cosine, -1 to 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ocr.reading import AnswerEvidence


def stack_embeddings(evidence: Sequence[AnswerEvidence]) -> NDArray[np.float32]:
    """The embeddings of N answers as one array, (N, E); ValueError where they differ in length."""
    if not evidence:
        return np.zeros((0, 0), np.float32)
    return np.stack([one.embedding for one in evidence]).astype(np.float32, copy=False)


def unit_rows(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows (N, E) brought to unit length; a row of zeros stays one."""
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(length > 0, length, 1), np.float32)


def sum_by_class(rows: NDArray[np.float32], classes: NDArray[np.intp], count: int) -> NDArray[np.float32]:
    """The sum of the rows of each class.

    Args:
        rows: (N, E).
        classes: which class each row belongs to, 0 to count - 1, (N,).
        count: of classes.

    Returns:
        (count, E); zeros for a class without rows.
    """
    belongs = np.zeros((count, len(rows)), np.float32)
    belongs[classes, np.arange(len(rows))] = 1
    return belongs @ rows
