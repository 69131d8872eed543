"""A batch in a compression that may swap glyphs: told in pages.csv, and nothing in it is taken for sure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from pikepdf import Name

from omr.jbig2 import SYMBOLS_WARNING
from tests.scan_files import gray_facts, image_pdf, jbig2_of
from tests.test_read_command import School, school

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["school"]

NO_SYMBOLS = (1).to_bytes(2) + bytes(8)
"""A symbol dictionary in Huffman coding that holds and hands on no symbol: enough to make glyphs shareable."""


def _put(school: School, symbols: bytes, drawn: bytes) -> Path:
    school.mark(0, "1", "イ")
    bits = np.where(school.scan(0) > 160, 255, 0).astype(np.uint8)
    high, wide = bits.shape
    facts = gray_facts(wide, high, BitsPerComponent=1, Filter=Name.JBIG2Decode)
    content = b"q 170 0 0 240 0 0 cm /Im0 Do Q " + drawn
    path = school.folder / "scans" / "batch.pdf"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(image_pdf(jbig2_of(bits, symbols), facts, content, {"MediaBox": [0, 0, 170, 240]}))
    return path


@pytest.mark.parametrize("drawn", [b"", b"0 g 169 239 0.3 0.3 re f"])
def test_shared_glyphs_are_told_and_doubted(school: School, drawn: bytes) -> None:
    _put(school, NO_SYMBOLS, drawn)
    assert school.read() == 0
    (page,) = school.rows("pages.csv")
    assert page["status"] == "read"
    assert SYMBOLS_WARNING in page["reason"]
    answers = school.rows("answers.csv")
    assert {row["status"] for row in answers} == {"doubtful"}
    assert {row["points"] for row in answers} == {""}
    assert answers[0]["reading"] == "イ"


def test_jbig2_that_shares_nothing_is_read_as_any_other(school: School) -> None:
    _put(school, b"", b"")
    assert school.read() == 0
    (page,) = school.rows("pages.csv")
    assert (page["status"], page["reason"]) == ("read", "")
    assert school.rows("answers.csv")[0]["status"] == "ok"
