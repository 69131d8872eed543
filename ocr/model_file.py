"""Opening the networks: ONNX files that say themselves what their outputs mean."""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
from pydantic import BaseModel, ConfigDict, ValidationError

from ocr.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

FOLDER_VARIABLE = "SAITEN_MODELS"
"""Names another folder of models than the one that comes with the program."""
FACTS_KEY = "saiten"
"""Where in the metadata of an ONNX file its facts stand, as JSON."""
DEFAULT_THREADS = 1
_SUREST = 30.0
"""Greatest logarithm of odds that a chance can have."""


class Logistic(BaseModel):
    """A chance from measures x: 1 / (1 + exp(-(weights · x + offset))), fitted on data that no model was trained on."""

    model_config = ConfigDict(frozen=True)

    weights: tuple[float, ...]
    offset: float

    def chance(self, measures: Sequence[float]) -> float:
        """The chance that these measures speak for, 0 to 1."""
        score = sum(w * x for w, x in zip(self.weights, measures, strict=True)) + self.offset
        return 1 / (1 + math.exp(-min(max(score, -_SUREST), _SUREST)))

    def chances(self, measures: NDArray[np.float32]) -> NDArray[np.float32]:
        """The same of many, from measures (n, weights)."""
        scores = measures @ np.array(self.weights, np.float32) + np.float32(self.offset)
        return np.asarray(1 / (1 + np.exp(-np.clip(scores, -_SUREST, _SUREST))), np.float32)


class Curve(Logistic):
    """A chance from measures, and from which chance on what it speaks for is safe to take."""

    safe: float


class ModelFacts(BaseModel):
    """What a model file says of itself.

    Attributes:
        name: and `version`: stand on every reading.
        classes: what each score is of.
        temperature: scores are divided by it before they become chances (Guo et al., 2017).
        lines: by kind of alphabet, the least chance at which a character is safe to take.
        best: chance that the likeliest of the characters offered is right, from `ocr.symbol_reader.measure_best`.
        answer: by kind of question, the chance that a line is one of the right answers, from
            `ocr.line_answers.TextMeasures`.
        reading: the same, that the likeliest text is right.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    version: str
    classes: tuple[str, ...]
    temperature: float
    lines: dict[str, float] = {}
    best: Logistic = Logistic(weights=(1.0, 1.0, 0.0), offset=0.0)
    answer: dict[str, Curve] = {}
    reading: dict[str, Curve] = {}

    @property
    def label(self) -> str:
        """Name and version."""
        return f"{self.name}/{self.version}"


def model_folder() -> Path:
    """Where the models lie."""
    named = os.environ.get(FOLDER_VARIABLE)
    return Path(named) if named else Path(__file__).resolve().parent.parent / "models"


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A network ready to run.

    Attributes:
        facts: of the file.
        session: onnxruntime's, on the CPU.
    """

    facts: ModelFacts
    session: Any

    def run(self, ink: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Scores and embeddings of a batch."""
        scores, embedding = self.session.run(None, {"ink": ink})
        return scores, embedding


def open_model(path: Path, threads: int = DEFAULT_THREADS) -> ModelFile:
    """A model from its file.

    Args:
        path: of the ONNX file.
        threads: of one run; 0 for as many as there are cores.

    Raises:
        ModelError: the file is missing or broken.
    """
    if not path.is_file():
        raise ModelError(path, "ファイルがありません")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ModelError(path, "ファイルが壊れています") from error
    return ModelFile(_facts(session.get_modelmeta().custom_metadata_map, path), session)


def _facts(metadata: dict[str, str], path: Path) -> ModelFacts:
    try:
        return ModelFacts.model_validate(json.loads(metadata[FACTS_KEY]))
    except (KeyError, ValueError, ValidationError) as error:
        raise ModelError(path, "説明が足りません") from error
