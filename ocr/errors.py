"""What can go wrong with a model: words for the operator, in Japanese as all that reaches users."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class ModelError(Exception):
    """A model file is missing or broken; everything but the reading of handwriting works without it."""

    def __init__(self, path: Path, fault: str) -> None:
        super().__init__(
            f"手書き文字のモデル {path.name} を使えません（{fault}）。もう一度インストールしてください。"
        )
