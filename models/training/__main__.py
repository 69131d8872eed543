"""`python -m models.training`: the whole recipe, from packs and fonts to ONNX files with their metadata."""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from models.training.calibrate import fit_temperature, line_curves, symbol_facts
from models.training.characters import SYMBOL_CLASSES, line_classes
from models.training.export import export_network, line_sample, quantise, symbol_sample, write_facts
from models.training.hands import load_hands
from models.training.lines_on_disk import Lines, batches_of_lines
from models.training.shards import Places, load_symbols, make_shards
from models.training.sources import Part, load_joyo
from models.training.train import Course, train_lines, train_symbols
from ocr.line_reader import LineReader
from ocr.model_file import Curve, ModelFacts, open_model

SEED = 1
VERSION = "2"


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything.

    Attributes:
        symbols, lines: samples made.
        symbol_cycles, line_cycles: steps of training.
        tried: samples for calibration.
    """

    symbols: int
    lines: int
    symbol_cycles: tuple[int, ...]
    line_cycles: tuple[int, ...]
    tried: int


FULL = Size(
    symbols=480_000,
    lines=224_000,
    symbol_cycles=(8_000, 12_000),
    line_cycles=(6_500, 4_500, 9_000),
    tried=20_000,
)
SMALL = Size(symbols=3_000, lines=800, symbol_cycles=(60,), line_cycles=(40,), tried=400)


def main() -> None:
    """Run the recipe, all of it or one step."""
    parser = argparse.ArgumentParser(prog="python -m models.training", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the handwriting packs")
    parser.add_argument("--fonts", type=Path, nargs="+", required=True, help="folders of handwriting fonts")
    parser.add_argument("--work", type=Path, required=True, help="folder for samples and checkpoints")
    parser.add_argument("--out", type=Path, required=True, help="folder for the ONNX files")
    parser.add_argument(
        "--small", action="store_true", help="minutes instead of hours: shows that the recipe runs"
    )
    parser.add_argument("--only", choices=["samples", "symbol", "line"], help="one step")
    arguments = parser.parse_args()
    places = Places(arguments.data, tuple(arguments.fonts), arguments.work)
    size = SMALL if arguments.small else FULL
    arguments.out.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    if arguments.only in (None, "samples"):
        make_shards(places, "symbol", Part.TRAIN, SEED, size.symbols)
        make_shards(places, "symbol", Part.CALIBRATION, SEED, size.tried)
        make_shards(places, "line", Part.TRAIN, SEED, size.lines)
        print(f"samples: {time.monotonic() - start:.0f} s", flush=True)
    if arguments.only in (None, "symbol"):
        make_symbol_model(places, size, arguments.out)
        print(f"symbol model: {time.monotonic() - start:.0f} s", flush=True)
    if arguments.only in (None, "line"):
        make_line_model(places, size, arguments.out)
        print(f"line model: {time.monotonic() - start:.0f} s", flush=True)


def make_symbol_model(places: Places, size: Size, out: Path) -> Path:
    """Train, export, quantise and calibrate the model of single characters."""
    shards = make_shards(places, "symbol", Part.TRAIN, SEED, size.symbols)
    network = train_symbols(
        shards, Course(size.symbol_cycles, 192, seed=SEED), places.work / "symbol.checkpoint"
    )
    exact, path = places.work / "symbol.onnx", out / "symbol.onnx"
    export_network(network, symbol_sample(), exact, {0: "n"})
    squares, _ = load_symbols(shards[:1])
    quantise(exact, path, [_as_ink(squares[at : at + 32]) for at in range(0, min(len(squares), 1024), 32)])
    calibration = make_shards(places, "symbol", Part.CALIBRATION, SEED, size.tried)
    tried, labels = load_symbols(calibration)
    facts = ModelFacts(name="symbol", version=VERSION, classes=SYMBOL_CLASSES, temperature=1.0)
    write_facts(path, facts)
    scores = np.concatenate(
        [open_model(path).run(_as_ink(tried[at : at + 256]))[0] for at in range(0, len(tried), 256)]
    )
    temperature = fit_temperature(scores, labels)
    chances = torch.softmax(torch.from_numpy(scores / temperature), 1).numpy()
    best, lines = symbol_facts(chances, labels, np.random.default_rng(SEED))
    write_facts(path, facts.model_copy(update={"temperature": temperature, "best": best, "lines": lines}))
    right = float((scores.argmax(axis=1) == labels).mean())
    print(
        f"calibration: right of all {len(SYMBOL_CLASSES)} classes {right:.4f}, temperature {temperature:.3f}, {lines}"
    )
    return path


def make_line_model(places: Places, size: Size, out: Path) -> Path:
    """Train, export, quantise and calibrate the model of lines."""
    joyo = load_joyo(places.data)
    classes = line_classes(joyo)
    shards = make_shards(places, "line", Part.TRAIN, SEED, size.lines)
    course = Course(size.line_cycles, 48, seed=SEED)
    network = train_lines(shards, len(classes), course, places.work / "line.checkpoint")
    exact, path = places.work / "line.onnx", out / "line.onnx"
    export_network(network, line_sample(), exact, {0: "n", 2: "height", 3: "width"})
    random = np.random.default_rng(SEED)
    some = [
        batch.images.numpy()
        for batch, _ in zip(batches_of_lines(Lines.load(shards[:1]), 8, random), range(40), strict=False)
    ]
    quantise(exact, path, some)
    # Lines are long products of chances: the margins' logistic takes the place of a temperature.
    plain = {
        kind: Curve(weights=(1.0, 1.0, 0.0), offset=0.0, safe=1.0) for kind in ("symbol", "number", "text")
    }
    write_facts(path, _line_facts(classes, plain, plain))
    hands = load_hands(places.data, list(places.fonts), places.work / "fonts", Part.CALIBRATION)
    answer, reading = line_curves(LineReader(path), hands, joyo, random, size.tried)
    write_facts(path, _line_facts(classes, answer, reading))
    print(f"calibration: answer {answer}, reading {reading}")
    return path


def _line_facts(classes: tuple[str, ...], answer: dict[str, Curve], reading: dict[str, Curve]) -> ModelFacts:
    return ModelFacts(
        name="line", version=VERSION, classes=classes, temperature=1.0, answer=answer, reading=reading
    )


def _as_ink(
    squares: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return (squares[:, np.newaxis] / np.float32(255)).astype(np.float32)


if __name__ == "__main__":
    main()
