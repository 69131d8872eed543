"""The reader of handwriting for a run: opened where an exam needs it, done without where its models can't be used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ocr.errors import ModelError
from ocr.handwriting import HandwritingReader
from scoring.handwriting import has_handwriting

if TYPE_CHECKING:
    from scoring.exam import Exam


@dataclass(frozen=True, slots=True)
class OpenedReader:
    """A reader of handwriting, or why there is none.

    Attributes:
        reader: None where the exam has nothing to read, or nothing can read it.
        remark: a word to the teacher; empty where all is well.
    """

    reader: HandwritingReader | None
    remark: str = ""


def open_reader(exam: Exam, threads: int) -> OpenedReader:
    """The reader for an exam; without its models everything else still works."""
    if not has_handwriting(exam):
        return OpenedReader(None)
    try:
        return OpenedReader(HandwritingReader(threads=threads))
    except ModelError as error:
        return OpenedReader(None, f"{error} 手書きの答えは、すべて要確認になります。")
