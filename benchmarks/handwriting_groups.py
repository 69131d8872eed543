"""Groups of equal answers and adaptation inside one exam, with the shipped models on hands that they never saw.

    SAITEN_SHARED=… uv run python -m benchmarks.handwriting_groups [--exams N] [--seed S] [--fonts FOLDER …]

Each exam is one question answered by 160 pupils. Purity counts members of a group whose most frequent answer is another one. For the
adaptation a teacher confirms a quarter of the answers, doubtful ones first, and the rest is read again with these as prototypes.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import beta

from benchmarks.school_words import SCHOOL_WORDS
from models.training.characters import CAPITALS, DIGITS, HIRAGANA, KATAKANA
from models.training.hands import load_hands
from models.training.line_samples import LineMaker
from models.training.near_misses import near_miss
from models.training.sources import Part, load_joyo
from models.training.symbol_samples import SymbolMaker
from ocr.adaptation import adapt_readings
from ocr.answer_rules import AnswerKind, AnswerRules
from ocr.answer_text import canonical
from ocr.groups import group_answers
from ocr.handwriting import HandwritingReader
from ocr.prototypes import ConfirmedAnswer, learn_prototypes
from ocr.reading import AnswerEvidence, WrittenStatus
from ocr.written_answers import AnswerCrop, WrittenQuestion

if TYPE_CHECKING:
    from collections.abc import Callable

    from models.training.paper import ScannedCrop

_PUPILS = 160
_CONFIRMED = 40


@dataclass(slots=True)
class Counts:
    """What one kind of question came to."""

    groups: int = 0
    alone: int = 0
    grouped: int = 0
    misplaced: int = 0
    rest: int = 0
    doubtful: int = 0
    doubtful_after: int = 0
    wrong: int = 0
    wrong_after: int = 0


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.handwriting_groups", description=__doc__)
    parser.add_argument("--exams", type=int, default=20, help="exams of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fonts", type=Path, nargs="+", default=[Path("/usr/share/fonts")])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as cache:
        _print_table(arguments, Path(cache))


def _print_table(arguments: argparse.Namespace, cache: Path) -> None:
    data = Path(os.environ.get("SAITEN_SHARED", "../shared")) / "data" / "handwriting"
    random = np.random.default_rng(arguments.seed)
    reader, joyo = HandwritingReader(), load_joyo(data)
    hands = load_hands(data, arguments.fonts, cache, Part.TEST)
    symbols, lines = SymbolMaker(hands, joyo, random), LineMaker(hands, joyo, random)
    print(f"seed {arguments.seed}, models {reader.label}, {arguments.exams} exams of {_PUPILS} answers each")
    print(
        f"{'':<12}{'groups':>8}{'alone':>8}{'grouped':>9}{'misplaced':>11}{'bound':>9}"
        f"{'rest':>8}{'doubtful':>10}{'adapted':>9}{'wrong ok':>10}{'adapted':>9}"
    )
    for name, pool in (
        ("katakana", KATAKANA),
        ("hiragana", HIRAGANA),
        ("letters", CAPITALS),
        ("digits", DIGITS),
    ):
        counts = Counts()
        for _ in range(arguments.exams):
            size = int(random.integers(4, 9))
            start = int(random.integers(len(pool) - size + 1))
            choices = tuple(pool[start : start + size])
            question = WrittenQuestion(AnswerRules(AnswerKind.SYMBOL, choices), (choices[0],))
            _exam(counts, reader, question, choices, lambda text: symbols.sample_of(text).crop, random)
        _print(name, counts, arguments.exams)
    counts = Counts()
    for _ in range(arguments.exams):
        subject = list(SCHOOL_WORDS.values())[int(random.integers(len(SCHOOL_WORDS)))]
        answer, *others = random.permutation(subject)[:6].tolist()
        texts = (answer, *others, *(near_miss(answer, joyo, random) for _ in range(5)))
        question = WrittenQuestion(AnswerRules(AnswerKind.TEXT), (answer,))
        _exam(counts, reader, question, texts, lambda text: _line(lines, text), random)
    _print("words", counts, arguments.exams)


def _line(lines: LineMaker, text: str) -> ScannedCrop:
    sample = None
    while sample is None:
        sample = lines.sample_of(text)
    return sample.crop


def _exam(
    counts: Counts,
    reader: HandwritingReader,
    question: WrittenQuestion,
    texts: tuple[str, ...],
    write: Callable[[str], ScannedCrop],
    random: np.random.Generator,
) -> None:
    """One question: half of the pupils give the first text, the others one of the rest."""
    written = [
        texts[0] if random.random() < 0.5 else texts[int(random.integers(len(texts)))] for _ in range(_PUPILS)
    ]
    crops = [write(text) for text in written]
    answers = reader.read(question, [AnswerCrop(crop.picture, crop.frame_px) for crop in crops])
    evidence = [
        AnswerEvidence(str(at), answer.reading, answer.embedding) for at, answer in enumerate(answers)
    ]

    def key(text: str) -> str:
        return canonical(text, question.rules)

    for group in group_answers(evidence, canonical=key):
        found = Counter(key(written[int(member)]) for member in group.members)
        counts.groups += 1
        counts.alone += len(group.members) == 1
        if len(group.members) > 1:
            counts.grouped += len(group.members)
            counts.misplaced += len(group.members) - max(found.values())
    first = sorted(evidence, key=lambda one: (one.reading.status is not WrittenStatus.DOUBTFUL, int(one.key)))
    confirmed = [ConfirmedAnswer(written[int(one.key)], one) for one in first[:_CONFIRMED]]
    rest = first[_CONFIRMED:]
    adapted = adapt_readings(
        rest,
        learn_prototypes(confirmed, canonical=key),
        right_answers=[key(one) for one in question.answers],
        canonical=key,
    )
    counts.rest += len(rest)
    for one, after in zip(rest, adapted, strict=True):
        truth = key(written[int(one.key)])
        counts.doubtful += one.reading.status is WrittenStatus.DOUBTFUL
        counts.doubtful_after += after.status is WrittenStatus.DOUBTFUL
        counts.wrong += one.reading.status is WrittenStatus.OK and key(one.reading.text) != truth
        counts.wrong_after += after.status is WrittenStatus.OK and key(after.text) != truth


def _print(name: str, counts: Counts, exams: int) -> None:
    bound = float(beta.ppf(0.95, counts.misplaced + 1, max(counts.grouped - counts.misplaced, 1)))
    print(
        f"{name:<12}{counts.groups / exams:>8.1f}{counts.alone / exams:>8.1f}{counts.grouped:>9}{counts.misplaced:>11}{bound:>9.3%}"
        f"{counts.rest:>8}{counts.doubtful:>10}{counts.doubtful_after:>9}{counts.wrong:>10}{counts.wrong_after:>9}",
        flush=True,
    )


if __name__ == "__main__":
    main()
