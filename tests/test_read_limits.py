"""Bounds on what a scan file may ask for, set on the command line or in the environment."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name

from api.command_line import run
from tests.test_read_command import School, school

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["school"]


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--max-megapixels", "1", "画像が大きすぎます"),
        ("--max-pages", "1", "ページが多すぎます"),
        ("--max-file-mb", "1", "ファイルが大きすぎます"),
    ],
)
def test_a_limit_sets_aside_what_is_above_it(
    school: School, option: str, value: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = school.put("a.pdf", school.scan(0), school.scan(1))
    path.write_bytes(path.read_bytes() + b"\n" * 2**20)
    assert school.read() == 0
    assert {row["status"] for row in school.rows("pages.csv")} == {"read"}
    assert school.read(option, value) == 0
    by_option = school.rows("pages.csv")
    assert {row["status"] for row in by_option} == {"quarantined"}
    assert all(words in row["reason"] for row in by_option)
    monkeypatch.setenv(f"SAITEN_{option[2:].replace('-', '_').upper()}", value)
    assert school.read() == 0
    assert school.rows("pages.csv") == by_option


def test_a_limit_that_is_no_number_is_told(school: School, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert school.read("--max-pages", "0") == 2
    assert "--max-pages" in capsys.readouterr().err


def _endless_drawing(folder: Path) -> Path:
    """A page of few bytes that takes years to draw: forms that show forms ten times, twelve deep."""
    document = pikepdf.new()
    content = b"0 0 9 9 re f"
    inner = None
    for _ in range(12):
        form = document.make_stream(content)
        form[Name.Type], form[Name.Subtype], form[Name.BBox] = (
            Name.XObject,
            Name.Form,
            Array([0, 0, 595, 842]),
        )
        if inner is not None:
            form[Name.Resources] = Dictionary(XObject=Dictionary(F=inner))
        inner, content = form, b"/F Do " * 10
    page = document.add_blank_page(page_size=(595, 842))
    page.obj.Resources = Dictionary(XObject=Dictionary(F=inner))
    page.obj.Contents = document.make_stream(b"/F Do")
    stream = io.BytesIO()
    document.save(stream)
    path = folder / "endless.pdf"
    path.write_bytes(stream.getvalue())
    return path


def test_a_page_that_takes_too_long_costs_only_itself(school: School) -> None:
    good = school.put("a.pdf", school.scan(0))
    assert _endless_drawing(good.parent).stat().st_size < 10_000
    school.put("z.pdf", school.scan(1))
    assert school.read("--page-seconds", "6") == 0
    rows = {row["source"]: row for row in school.rows("pages.csv")}
    assert [row["status"] for row in rows.values()] == ["read", "quarantined", "read"]
    assert "時間がかかりすぎた" in rows["endless.pdf"]["reason"]


def test_help_names_the_limits(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["read", "--help"]) == 0
    text = capsys.readouterr().out
    for name in ("--max-megapixels", "SAITEN_MAX_PAGES", "--max-file-mb", "--page-seconds"):
        assert name in text
