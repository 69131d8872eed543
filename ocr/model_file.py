"""Opening the networks: ONNX files that say themselves what their outputs mean."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import onnxruntime
from pydantic import BaseModel, ConfigDict, ValidationError

from ocr.errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FOLDER_VARIABLE = "SAITEN_MODELS"
"""Names another folder of models than the one that comes with the program."""
FACTS_KEY = "saiten"
"""Where in the metadata of an ONNX file its facts stand, as JSON."""
DEFAULT_THREADS = 1


class Logistic(BaseModel):
    """A chance from a margin m: 1 / (1 + exp(-(slope · m + offset))), fitted on data that no model was trained on."""

    model_config = ConfigDict(frozen=True)

    slope: float
    offset: float


class ModelFacts(BaseModel):
    """What a model file says of itself.

    Attributes:
        name: and `version`: stand on every reading.
        classes: what each score is of.
        temperature: scores are divided by it before they become chances (Guo et al., 2017).
        lines: by kind of question, the least chance at which a reading is safe to take.
        answer: chance that a line is one of the right answers, from the margin of its log-likelihood.
        reading: chance that the likeliest text is right, from its margin.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    version: str
    classes: tuple[str, ...]
    temperature: float
    lines: dict[str, float]
    answer: Logistic = Logistic(slope=1.0, offset=0.0)
    reading: Logistic = Logistic(slope=1.0, offset=0.0)

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
