"""The code printed on every page: which exam, which layout, whose sheet, which page, and a check.

28 characters of Crockford's base 32 and digits, all inside the alphanumeric set of QR codes:

    S1 | exam 6 | layout 5 | student 9 | page 2 | check 4

Exam, layout and student are digests, so a lost sheet tells nobody's number. The check makes a code that is
not ours, or that was read wrong, fall out: one in a million passes by chance, on top of the QR's own
error correction.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PREFIX = "S1"
_EXAM, _LAYOUT, _STUDENT, _PAGE, _CHECK = 6, 5, 9, 2, 4
CODE_LENGTH = len(_PREFIX) + _EXAM + _LAYOUT + _STUDENT + _PAGE + _CHECK
BLANK_STUDENT = "0" * _STUDENT
"""The student part of a blank set, which schools copy."""


def exam_digest(exam_id: str) -> str:
    """The exam part of a code."""
    return _digest("exam", exam_id, _EXAM)


def layout_digest(layout_hash: str) -> str:
    """The layout part of a code, from `Layout.digest`."""
    return _digest("layout", layout_hash, _LAYOUT)


def student_digest(student_id: str) -> str:
    """The student part of a code; never that of a blank set."""
    digest = _digest("student", student_id, _STUDENT)
    return digest if digest != BLANK_STUDENT else "1" + digest[1:]


@dataclass(frozen=True, slots=True)
class SheetCode:
    """What the code of one page says.

    Attributes:
        exam: from `exam_digest`.
        layout: from `layout_digest`.
        student: from `student_digest`, or `BLANK_STUDENT`.
        page: from 1.
    """

    exam: str
    layout: str
    student: str
    page: int

    @property
    def is_blank_set(self) -> bool:
        """Whether the sheet belongs to nobody in particular and may have been copied."""
        return self.student == BLANK_STUDENT

    @property
    def sheet(self) -> str:
        """The id shared by all pages of one student's sheet."""
        return f"{self.exam}-{self.student}"

    def text(self) -> str:
        """The characters that the QR code holds."""
        body = f"{_PREFIX}{self.exam}{self.layout}{self.student}{self.page:0{_PAGE}d}"
        return body + _digest("check", body, _CHECK)


def parse_code(text: str) -> SheetCode | None:
    """The sheet code in a QR code's text, or None where it is not one of ours or was read wrong."""
    if len(text) != CODE_LENGTH or not text.startswith(_PREFIX):
        return None
    body, check = text[:-_CHECK], text[-_CHECK:]
    if _digest("check", body, _CHECK) != check:
        return None
    exam, layout, student, page = _split(body[len(_PREFIX) :], (_EXAM, _LAYOUT, _STUDENT, _PAGE))
    return SheetCode(exam, layout, student, int(page)) if page.isdigit() and int(page) > 0 else None


def _split(text: str, lengths: tuple[int, ...]) -> list[str]:
    parts, start = [], 0
    for length in lengths:
        parts.append(text[start : start + length])
        start += length
    return parts


def _digest(purpose: str, text: str, length: int) -> str:
    number = int.from_bytes(hashlib.sha256(f"saiten:{purpose}:{text}".encode()).digest()[:8], "big")
    return "".join(_ALPHABET[(number >> (5 * place)) & 31] for place in range(length))
