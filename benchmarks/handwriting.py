"""How well handwriting is read, on writers, sources and fonts that no model was trained on.

`uv run python -m benchmarks.handwriting [--only digits,latin,kana,words,words_en,blank,speed,reliability] [--count N] [--seed S]`

Needs the handwriting packs (SAITEN_SHARED) and, for kana and words, the fonts named in `models/training/sources.py`
(`--fonts`). Every count is printed with the number of samples and the 95 % upper bound (Clopper and Pearson).
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import beta

from benchmarks.school_words import SCHOOL_WORDS
from models.training.calibrate import random_alphabet
from models.training.characters import CAPITALS, DIGITS, HIRAGANA, KATAKANA, LETTERS
from models.training.hands import load_hands
from models.training.line_samples import LineMaker
from models.training.near_misses import near_miss
from models.training.paper import Scanner, bend
from models.training.sources import Part, load_joyo, load_pictures
from models.training.symbol_samples import SymbolMaker
from ocr.answer_rules import AnswerKind, AnswerRules
from ocr.answer_text import same_answer
from ocr.handwriting import HandwritingReader
from ocr.network_input import Direction
from ocr.reading import WrittenStatus
from ocr.written_answers import AnswerCrop, WrittenQuestion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.random import Generator


_LIKELY_WRONG = 20
_TABLES = ("digits", "latin", "kana", "words", "words_en", "blank", "reliability", "speed")
_BANDS = (0.0, 0.5, 0.9, 0.99, 0.999, 1.0001)


@dataclass(slots=True)
class Tally:
    """Decisions of one class of question.

    Attributes:
        chances: claimed, of each.
        right: whether each was.
        safe: whether each came with status ok or blank.
        misread: whether each came so with another text than what was written.
    """

    chances: list[float] = field(default_factory=list)
    right: list[bool] = field(default_factory=list)
    safe: list[bool] = field(default_factory=list)
    misread: list[bool] = field(default_factory=list)

    def add(self, chance: float, *, right: bool, safe: bool, same: bool) -> None:
        """One more decision, and whether the text is what was written."""
        self.chances.append(chance)
        self.right.append(right)
        self.safe.append(safe)
        self.misread.append(safe and not same)

    def row(self, name: str) -> str:
        """Right answers, coverage at 0.1 % error, and what came with status ok."""
        count = len(self.right)
        right = np.array(self.right)
        safe = np.array(self.safe)
        order = np.argsort(-np.array(self.chances), kind="stable")
        wrong = np.cumsum(~right[order])
        fine = np.flatnonzero(wrong <= 0.001 * np.arange(1, count + 1))
        covered = (int(fine[-1]) + 1) if fine.size else 0
        errors = int(wrong[covered - 1]) if covered else 0
        safe_wrong = sum(self.misread)
        return (
            f"{name:<28}{count:>8}{right.mean():>9.2%}{covered / count:>10.2%}{_upper(errors, covered):>10.3%}"
            f"{safe.mean():>9.2%}{safe_wrong:>7}{_upper(safe_wrong, int(safe.sum())):>10.3%}"
        )


def _upper(errors: int, count: int) -> float:
    """The 95 % upper bound of an error rate, one-sided: with none wrong about 3 in n."""
    return float(beta.ppf(0.95, errors + 1, count - errors)) if count > errors else 1.0


_HEADER = (
    f"{'':<28}{'n':>8}{'right':>9}{'covered':>10}{'bound':>10}{'ok':>9}{'wrong':>7}{'bound':>10}\n"
    f"{'':<28}{'':>8}{'':>9}{'at 0.1 %':>10}{'':>10}{'':>9}{'of ok':>7}{'':>10}"
)


class Trial:
    """Everything that the tables share.

    Args:
        data: folder of the packs.
        fonts: folders of fonts.
        cache: for unpacked fonts.
        seed: of chance.
    """

    def __init__(self, data: Path, fonts: list[Path], cache: Path, seed: int) -> None:
        self.data = data
        self.random: Generator = np.random.default_rng(seed)
        self.reader = HandwritingReader()
        self.joyo = load_joyo(data)
        self.hands = load_hands(data, fonts, cache, Part.TEST)
        self.everything = Tally()

    def symbols(self, tally: Tally, text: str, crop: AnswerCrop, choices: Sequence[str]) -> None:
        """Read one character among its choices and note how that went."""
        question = WrittenQuestion(AnswerRules(AnswerKind.SYMBOL, tuple(choices)), (text,))
        reading = self.reader.read(question, [crop])[0].reading
        right = reading.text == text
        for one in (tally, self.everything):
            one.add(
                reading.confidence or 0.0,
                right=right,
                safe=reading.status is not WrittenStatus.DOUBTFUL,
                same=right,
            )

    def table_of_pack(self, pack: str, pool_of: Callable[[str], str | None], count: int) -> None:
        """A pack of real writers, each source apart, as the pictures are and as scanned crops."""
        pictures = load_pictures(self.data, pack).of(Part.TEST)
        scanner = Scanner(self.random)
        for source in sorted(set(pictures.sources.tolist())):
            places = np.flatnonzero(pictures.sources == source)
            chosen = self.random.permutation(places)[:count].tolist()
            plain, scanned = Tally(), Tally()
            for at in chosen:
                text, image = str(pictures.labels[at]), pictures.images[at]
                pool = pool_of(text)
                if pool is None:
                    continue
                choices = tuple(pool) if pack == "digits" else random_alphabet(text, pool, self.random)
                self.symbols(plain, text, AnswerCrop(np.pad(255 - image, 4, constant_values=255)), choices)
                crop = scanner.scan(bend(np.pad(image, 4), 0.1, self.random), self.random)
                self.symbols(scanned, text, AnswerCrop(crop.picture, crop.frame_px), choices)
            if plain.right:
                print(
                    plain.row(f"{source}, as it is"), scanned.row(f"{source}, scanned"), sep="\n", flush=True
                )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.handwriting", description=__doc__)
    parser.add_argument("--only", default=",".join(_TABLES))
    parser.add_argument("--count", type=int, default=10_000, help="samples of each row")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fonts", type=Path, nargs="+", default=[Path("/usr/share/fonts")])
    arguments = parser.parse_args()
    shared = Path(os.environ.get("SAITEN_SHARED", "../shared"))
    wanted = arguments.only.split(",")
    with tempfile.TemporaryDirectory() as cache:
        trial = Trial(shared / "data" / "handwriting", arguments.fonts, Path(cache), arguments.seed)
        print(f"seed {arguments.seed}, models {trial.reader.label}")
        for name, table in _MAKERS.items():
            if name in wanted:
                print(f"\n{name}")
                table(trial, arguments.count)


def _digits(trial: Trial, count: int) -> None:
    print(_HEADER)
    trial.table_of_pack("digits", lambda _: DIGITS, count)


def _latin(trial: Trial, count: int) -> None:
    print(_HEADER)
    trial.table_of_pack(
        "latin", lambda text: CAPITALS if text in CAPITALS else LETTERS if text in LETTERS else None, count
    )


def _kana(trial: Trial, count: int) -> None:
    print(_HEADER)
    trial.table_of_pack(
        "kana", lambda text: next((pool for pool in (HIRAGANA, KATAKANA) if text in pool), None), count
    )
    maker = SymbolMaker(trial.hands, trial.joyo, trial.random)
    for name, pool in (("hiragana", HIRAGANA), ("katakana", KATAKANA)):
        narrow, full = Tally(), Tally()
        for _ in range(count // 2):
            text = pool[int(trial.random.integers(len(pool)))]
            sample = maker.sample_of(text)
            crop = AnswerCrop(sample.crop.picture, sample.crop.frame_px)
            trial.symbols(narrow, text, crop, random_alphabet(text, pool, trial.random))
            trial.symbols(full, text, crop, tuple(pool))
        print(
            narrow.row(f"{name} composed, of 4-10"), full.row(f"{name} composed, of 46"), sep="\n", flush=True
        )


def _words(trial: Trial, count: int) -> None:
    print(_HEADER)
    maker = LineMaker(trial.hands, trial.joyo, trial.random)
    everything = Tally()
    for subject, words in SCHOOL_WORDS.items():
        tally = Tally()
        short = [word for word in words if 2 <= len(word) <= 6] if subject != "英語" else list(words)
        for _ in range(count // len(SCHOOL_WORDS)):
            answer = short[int(trial.random.integers(len(short)))]
            written = (
                answer
                if trial.random.random() < 0.5
                else likely_wrong(answer, short, trial.joyo, trial.random)
            )
            vertical = subject == "国語" and trial.random.random() < 0.5
            sample = maker.sample_of(written, Direction.VERTICAL if vertical else Direction.HORIZONTAL)
            if sample is None:
                continue
            crop = AnswerCrop(sample.crop.picture, sample.crop.frame_px)
            _decide(
                trial,
                (tally, everything),
                WrittenQuestion(AnswerRules(AnswerKind.TEXT), (answer,)),
                written,
                crop,
            )
        print(tally.row(subject), flush=True)
    print(everything.row("all words"))


def likely_wrong(answer: str, words: Sequence[str], joyo: str, random: Generator) -> str:
    """One of the likely wrong answers: words of the same subject, and look-alikes of the right one."""
    others = [word for word in words if word != answer]
    if random.random() < 0.5:
        return others[int(random.integers(len(others)))]
    return near_miss(answer, joyo, random)


def _decide(
    trial: Trial, tallies: Iterable[Tally], question: WrittenQuestion, written: str, crop: AnswerCrop
) -> None:
    """Whether the decision "it is the answer, or not" is right, and how sure it was."""
    reading = trial.reader.read(question, [crop])[0].reading
    chance = reading.is_answer or 0.0
    is_right = same_answer(written, question.answers[0], question.rules)
    safe = reading.status is not WrittenStatus.DOUBTFUL
    same = same_answer(reading.text, written, question.rules)
    for tally in tallies:
        tally.add(max(chance, 1 - chance), right=(chance >= 0.5) == is_right, safe=safe, same=same)


def _words_en(trial: Trial, count: int) -> None:
    print(_HEADER)
    pictures = load_pictures(trial.data, "words_en").of(Part.TEST)
    scanner = Scanner(trial.random)
    words, numbers = Tally(), Tally()
    for at in trial.random.permutation(len(pictures.labels))[:count].tolist():
        written = str(pictures.labels[at])
        is_number = written.strip("-").isdigit()
        rules = AnswerRules(AnswerKind.NUMBER if is_number else AnswerKind.TEXT)
        answer = written if trial.random.random() < 0.5 else near_miss(written, trial.joyo, trial.random)
        image = np.pad(pictures.images[at], 4)
        crop = scanner.scan(image, trial.random)
        question = WrittenQuestion(rules, (answer,))
        _decide(
            trial,
            (numbers if is_number else words,),
            question,
            written,
            AnswerCrop(crop.picture, crop.frame_px),
        )
    print(words.row("English words, scanned"), numbers.row("numbers, scanned"), sep="\n")


def _blank(trial: Trial, count: int) -> None:
    """Nothing but paper, dust, smears and lines, against strokes as faint as pencils leave them."""
    maker = SymbolMaker(trial.hands, trial.joyo, trial.random)
    scanner = Scanner(trial.random)
    question = WrittenQuestion(AnswerRules(AnswerKind.SYMBOL, tuple("アイウエオ")))
    plain = dirty = lost = 0
    for _ in range(count):
        shape = tuple(trial.random.integers((30, 40), (80, 160)).tolist())
        paper = scanner.scan(np.zeros(shape, np.uint8), trial.random)
        plain += _status(trial, question, AnswerCrop(paper.picture, paper.frame_px)) is WrittenStatus.BLANK
        crop = maker.sample_empty().crop
        dirty += _status(trial, question, AnswerCrop(crop.picture, crop.frame_px)) is WrittenStatus.BLANK
        faint = maker.sample_faint("アイウエオ一1ノ"[int(trial.random.integers(8))]).crop
        lost += _status(trial, question, AnswerCrop(faint.picture, faint.frame_px)) is WrittenStatus.BLANK
    print(f"paper, frame, specks: found blank                {plain:>8} of {count}  {plain / count:.2%}")
    print(f"much dust, smears, stray lines: found blank      {dirty:>8} of {count}  {dirty / count:.2%}")
    print(
        f"faint strokes called blank                       {lost:>8} of {count}  bound {_upper(lost, count):.3%}"
    )


def _status(trial: Trial, question: WrittenQuestion, crop: AnswerCrop) -> WrittenStatus:
    return trial.reader.read(question, [crop])[0].reading.status


def _reliability(trial: Trial, _: int) -> None:
    chances, right = np.array(trial.everything.chances), np.array(trial.everything.right)
    print(f"{'claimed':<18}{'n':>8}{'mean claim':>12}{'right':>10}")
    for low, high in pairwise(_BANDS):
        band = (chances >= low) & (chances < high)
        if band.any():
            print(
                f"{low:>6.3f} – {min(high, 1):<8.3f}{band.sum():>9}{chances[band].mean():>12.5f}{right[band].mean():>10.5f}"
            )


def _speed(trial: Trial, _: int) -> None:
    """On one core, from crops to readings."""
    symbols = SymbolMaker(trial.hands, trial.joyo, trial.random)
    lines = LineMaker(trial.hands, trial.joyo, trial.random)
    katakana = WrittenQuestion(AnswerRules(AnswerKind.SYMBOL, tuple("アイウエオ")), ("ア",))
    word = WrittenQuestion(AnswerRules(AnswerKind.TEXT), ("鎌倉幕府",))
    single = [symbols.sample_of("アイウエオ"[at % 5]).crop for at in range(512)]
    written = [sample.crop for at in range(160) if (sample := lines.sample_of(SCHOOL_WORDS["歴史"][at % 30]))]
    start = time.perf_counter()
    HandwritingReader()
    print(f"models load in {time.perf_counter() - start:.2f} s")
    for name, question, crops in (("symbols", katakana, single), ("lines", word, written)):
        given = [AnswerCrop(crop.picture, crop.frame_px) for crop in crops]
        times = []
        for _ in range(7):
            start = time.perf_counter()
            trial.reader.read(question, given)
            times.append(len(given) / (time.perf_counter() - start))
        print(
            f"{name:<10}{np.median(times):>9.0f} a second (median of 7, {min(times):.0f} – {max(times):.0f})"
        )


_MAKERS: dict[str, Callable[[Trial, int], None]] = {
    "digits": _digits,
    "latin": _latin,
    "kana": _kana,
    "words": _words,
    "words_en": _words_en,
    "blank": _blank,
    "reliability": _reliability,
    "speed": _speed,
}

if __name__ == "__main__":
    main()
