"""`saiten recognize`: pictures of single answers in, a table of what is written out."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from ocr.answer_rules import AnswerKind, AnswerRules
from ocr.errors import ModelError
from ocr.handwriting import HandwritingReader
from ocr.reading import WrittenStatus
from ocr.written_answers import AnswerCrop, WrittenQuestion
from omr.errors import InputError, PageSetAside
from omr.scan_file import open_scan

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ocr.reading import WrittenReading
    from omr.pixels import Gray

_SUFFIXES = frozenset([".png", ".jpg", ".jpeg", ".tif", ".tiff", ".pdf"])
_BATCH = 512


@dataclass(frozen=True, slots=True)
class RecognitionRequest:
    """What to read.

    Attributes:
        images: files and folders.
        kind: symbol, number or text.
        choices: the characters that can occur.
        answers: the right answers; without any, no chance is given that it is one of them.
        threads: of one run of a model.
    """

    images: Sequence[Path]
    kind: AnswerKind
    choices: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    threads: int = 1


def parse_choices(given: Sequence[str]) -> tuple[str, ...]:
    """The characters of one or more lists such as `ア,イ,ウ`; a comma between two commas is itself a choice."""
    found: list[str] = []
    for text in given:
        parts = text.replace(",,,", ",\0,").replace("、", ",").split(",")
        found += [part.strip().replace("\0", ",") for part in parts]
    return tuple(dict.fromkeys(one for one in found if one))


def recognize_images(request: RecognitionRequest, out: TextIO) -> int:
    """Read pictures of answers and write a row for each.

    Args:
        request: what to read.
        out: where the table goes.

    Returns:
        how many pictures could not be opened; their rows are doubtful and empty.

    Raises:
        InputError: nothing to read, or the models can't be used.
    """
    paths = list(_list_images(request.images))
    if not paths:
        raise InputError(
            "画像のファイル（PNG・JPEG・TIFF・PDF）が見つかりません。ファイルかフォルダーを確かめてください。"
        )
    try:
        reader = HandwritingReader(threads=request.threads)
    except ModelError as error:
        raise InputError(str(error)) from error
    question = WrittenQuestion(AnswerRules(request.kind, request.choices), request.answers)
    columns = ["image", "reading", "confidence", "status", *(["is_answer"] if request.answers else [])]
    table = csv.writer(out, lineterminator="\n")
    table.writerow(columns)
    unreadable = 0
    for start in range(0, len(paths), _BATCH):
        batch = paths[start : start + _BATCH]
        pictures = [_open_picture(path) for path in batch]
        unreadable += sum(picture is None for picture in pictures)
        crops = [AnswerCrop(picture) for picture in pictures if picture is not None]
        readings = iter(reader.read(question, crops) if crops else [])
        for path, picture in zip(batch, pictures, strict=True):
            reading = None if picture is None else next(readings).reading
            table.writerow(_row(path, reading)[: len(columns)])
    return unreadable


def _list_images(given: Sequence[Path]) -> Iterator[Path]:
    for path in given:
        if path.is_dir():
            yield from sorted(
                one for one in path.rglob("*") if one.suffix.lower() in _SUFFIXES and one.is_file()
            )
        elif path.is_file():
            yield path
        else:
            raise InputError(f"{path} がありません。ファイルの名前と場所を確かめてください。")


def _open_picture(path: Path) -> Gray | None:
    try:
        with open_scan(path) as scan:
            return scan.read_page(0).gray
    except PageSetAside:
        return None


def _row(path: Path, reading: WrittenReading | None) -> tuple[str, ...]:
    if reading is None:
        return str(path), "", "", WrittenStatus.DOUBTFUL.value, ""
    confidence = "" if reading.confidence is None else f"{reading.confidence:.4f}"
    is_answer = "" if reading.is_answer is None else f"{reading.is_answer:.4f}"
    return str(path), reading.text, confidence, reading.status.value, is_answer
