"""Our line model beside another that comes in a package: PP-OCRv6 small of `rapidocr` (Apache-2.0), on the same words.

    pip download --no-deps rapidocr && unzip rapidocr-*.whl 'rapidocr/models/*'
    SAITEN_SHARED=… uv run python -m benchmarks.handwriting_peer --model rapidocr/models/PP-OCRv6_rec_small.onnx [--count N] [--seed S]

Both get the same crops: half with the right answer, half with a likely wrong one. "decides" is how often "is it the answer?" is answered rightly
by likelihood (more likely than the model's own best other text), "reads" how often the best text is what was written.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import onnxruntime

from benchmarks.handwriting import likely_wrong
from benchmarks.school_words import SCHOOL_WORDS
from models.training.hands import load_hands
from models.training.line_samples import LineMaker
from models.training.sources import Part, load_joyo
from ocr.answer_rules import AnswerKind, AnswerRules
from ocr.ctc import best_texts, text_log_likelihoods
from ocr.handwriting import HandwritingReader
from ocr.written_answers import AnswerCrop, WrittenQuestion

if TYPE_CHECKING:
    from ocr.ink import Gray

_HEIGHT = 48
"""Of the peer's input, pixels."""


class Peer:
    """The other model, on one core."""

    def __init__(self, path: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 4
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        characters = self._session.get_modelmeta().custom_metadata_map["character"].splitlines()
        self._classes = ["", *characters, " "]
        self._places = {one: at for at, one in enumerate(self._classes)}

    def read(self, crop: Gray, answer: str) -> tuple[str, bool]:
        """The best text, and whether the answer is likelier than it."""
        scale = _HEIGHT / crop.shape[0]
        sized = cv2.resize(
            crop, (max(8, round(crop.shape[1] * scale)), _HEIGHT), interpolation=cv2.INTER_AREA
        )
        normal = (sized.astype(np.float32) / 127.5 - 1)[np.newaxis, np.newaxis].repeat(3, axis=1)
        (chances,) = self._session.run(None, {"x": normal})
        logs = np.log(np.maximum(chances[0], 1e-12))
        found = best_texts(logs, count=2)
        text = "".join(self._classes[at] for at in found[0].text) if found else ""
        if not set(answer) <= self._places.keys():
            return text, False
        of_answer = float(text_log_likelihoods(logs, [[self._places[one] for one in answer]])[0])
        against = [
            one.log_likelihood for one in found if "".join(self._classes[at] for at in one.text) != answer
        ]
        return text, of_answer > max(against, default=-1e9)


def main() -> None:
    """Print one row a subject and model."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.handwriting_peer", description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--count", type=int, default=300, help="words a subject")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fonts", type=Path, nargs="+", default=[Path("/usr/share/fonts")])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as cache:
        _print_table(arguments, Path(cache))


def _print_table(arguments: argparse.Namespace, cache: Path) -> None:
    data = Path(os.environ.get("SAITEN_SHARED", "../shared")) / "data" / "handwriting"
    random = np.random.default_rng(arguments.seed)
    hands = load_hands(data, arguments.fonts, cache, Part.TEST)
    joyo = load_joyo(data)
    maker, ours, peer = LineMaker(hands, joyo, random), HandwritingReader(), Peer(arguments.model)
    print(
        f"seed {arguments.seed}\n{'':<8}{'n':>6}{'ours decides':>14}{'reads':>8}{'ms':>7}{'peer decides':>14}{'reads':>8}{'ms':>7}"
    )
    for subject, words in SCHOOL_WORDS.items():
        counts = np.zeros(4)
        spent = np.zeros(2)
        tried = 0
        for _ in range(arguments.count):
            answer = words[int(random.integers(len(words)))]
            written = answer if random.random() < 0.5 else likely_wrong(answer, words, joyo, random)
            sample = maker.sample_of(written)
            if sample is None:
                continue
            tried += 1
            start = time.perf_counter()
            crop = AnswerCrop(sample.crop.picture, sample.crop.frame_px)
            reading = ours.read(WrittenQuestion(AnswerRules(AnswerKind.TEXT), (answer,)), [crop])[0].reading
            middle = time.perf_counter()
            keep = round(sample.crop.frame_px)
            inside = crop.picture[keep : crop.picture.shape[0] - keep, keep : crop.picture.shape[1] - keep]
            text, is_answer = peer.read(np.ascontiguousarray(inside), answer)
            spent += (middle - start, time.perf_counter() - middle)
            is_right = written == answer
            decided = ((reading.is_answer or 0) >= 0.5) == is_right
            counts += (
                decided,
                reading.alternatives[:1] != () and reading.alternatives[0].text == written,
                is_answer == is_right,
                text == written,
            )
        share, ms = counts / tried, spent / tried * 1000
        print(
            f"{subject:<8}{tried:>6}{share[0]:>14.1%}{share[1]:>8.1%}{ms[0]:>7.1f}{share[2]:>14.1%}{share[3]:>8.1%}{ms[1]:>7.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
