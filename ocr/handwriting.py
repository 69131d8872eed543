"""Reading handwriting: the way in. Give it a question and the pictures of its answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocr.answer_rules import AnswerKind
from ocr.line_answers import read_lines
from ocr.line_reader import LINE_MODEL, LineReader
from ocr.model_file import DEFAULT_THREADS, model_folder
from ocr.symbol_answers import read_symbols
from ocr.symbol_reader import SYMBOL_MODEL, SymbolReader

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ocr.written_answers import AnswerCrop, ReadAnswer, WrittenQuestion


class HandwritingReader:
    """Both networks, opened once.

    Args:
        folder: of their files; the program's own, or the one that SAITEN_MODELS names, where it is not given.
        threads: of one run; 0 for as many as there are cores.

    Raises:
        ModelError: a file is missing or broken.
    """

    def __init__(self, folder: Path | None = None, threads: int = DEFAULT_THREADS) -> None:
        folder = folder or model_folder()
        self._symbols = SymbolReader(folder / SYMBOL_MODEL, threads)
        self._lines = LineReader(folder / LINE_MODEL, threads)

    @property
    def label(self) -> str:
        """Names and versions of the models."""
        return f"{self._symbols.label} {self._lines.facts.label}"

    def read(self, question: WrittenQuestion, crops: Sequence[AnswerCrop]) -> list[ReadAnswer]:
        """Read the answers to one question.

        Args:
            question: its kind, the characters that can occur, its right answers.
            crops: of the answers.
        """
        if question.rules.kind is AnswerKind.SYMBOL:
            alphabet = self._symbols.alphabet(question.rules.choices or _script_of(question.answers))
            if alphabet is not None:
                return read_symbols(self._symbols, question, alphabet, crops)
        return read_lines(self._lines, question, crops)


_SCRIPTS = (
    "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲン",
    "あいうえおかきくけこさしすせそたちつてとなにぬねのはひふへほまみむめもやゆよらりるれろわをん",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "abcdefghijklmnopqrstuvwxyz",
    "0123456789",
    "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳",
    "○×△",
)


def _script_of(answers: Sequence[str]) -> tuple[str, ...]:
    """Without choices, what the right answers are written in; nothing where they tell nothing."""
    for script in _SCRIPTS:
        if answers and all(answer in script for answer in answers):
            return tuple(script)
    return ()
