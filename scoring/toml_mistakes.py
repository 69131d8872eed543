"""Mistakes of TOML itself, in words for a teacher."""

from __future__ import annotations

import re
from dataclasses import dataclass

from scoring.toml_lines import last_open_line

EXAMPLES = {
    "exam": "[exam]",
    "question": "[[question]]",
    "title": 'title = "2学期期末考査 数学"',
    "subject": 'subject = "数学"',
    "date": "date = 2026-11-27",
    "paper": 'paper = "A4"',
    "orientation": 'orientation = "portrait"',
    "writing": 'writing = "vertical"',
    "cancelled_marks": 'cancelled_marks = "not_marked"',
    "section": 'section = "1"',
    "kind": 'kind = "choice"',
    "choices": 'choices = ["ア", "イ", "ウ", "エ"]',
    "answer": 'answer = ["イ"]',
    "accept": 'accept = ["ウ"]',
    "points": "points = 2",
    "viewpoint": 'viewpoint = "知識・技能"',
    "characters": "characters = 40",
    "lines": "lines = 5",
    "unit": 'unit = "cm"',
    "compare": 'compare = {case = "same"}',
}
"""How each key is written, for messages; `id` stands in both tables and is not here."""
_SYNTAX = {
    "Cannot overwrite a value": "同じ項目が2回書かれています。1つにしてください",
    "Cannot declare": "同じ名前の [ ] が2回書かれています。1つにしてください",
    "Cannot mutate": "同じ名前が2回書かれています。1つにしてください",
    "Unclosed array": "[ ] が閉じていないか、値の間の , が抜けています",
    "Unclosed inline table": "{ } が閉じていないか、値の間の , が抜けています",
    "Invalid value": '= の右の値が正しくありません。文字列は " で囲み、配列は [ ] で囲んでください',
    "Illegal character": '" で囲んだ文字列が閉じていないか、使えない文字があります',
    "Unterminated string": '" で囲んだ文字列が閉じていません',
    "Expected '=' after a key": "「項目 = 値」の形になっていません",
    "Expected newline": "値の後に余分な文字があります。1行に1つずつ書いてください",
    "Expected ']": "[ ] の数が合っていません",
    "Invalid statement": "「項目 = 値」の形になっていません",
    "Invalid initial character": "「項目 = 値」の形になっていません",
    "Invalid date": "この日はありません。日付を確かめてください",
    "Unescaped": "文字列の中の \\ は \\\\ と書いてください",
    "Invalid hex": "文字列の中の \\ は \\\\ と書いてください",
}
"""The start of a `tomllib` message → what a teacher needs to know."""
_FULL_WIDTH = re.compile(r"[＝＂“”″＃，［］｛｝．\u3000]|(?<==)[０-９]|(?<== )[０-９]")
_OUTSIDE_STRINGS = re.compile(r""""(?:\\.|[^"\\])*"?|'[^']*'?|\#.*""")
_KEY_AT_START = re.compile(r"\s*([A-Za-z0-9_-]+)\s*[=＝]")
_NEXT_STATEMENT = re.compile(r"\s*([A-Za-z0-9_-]+\s*=|\[)")


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: its line (from 1) and a sentence without its full stop."""

    line: int
    sentence: str


def syntax_problem(text: str, error: Exception) -> Problem:
    """What is wrong with a text that `tomllib` has refused.

    Args:
        text: with LF line ends.
        error: what `tomllib.loads` raised.
    """
    message = str(error)
    place = re.search(r"at line (\d+), column (\d+)", message)
    rows = text.split("\n")
    line = int(place[1]) if place else text.rstrip().count("\n") + 1
    if not place or _is_noticed_late(message, rows[line - 1], int(place[2])):
        before = "\n".join(rows[: line - 1]) if place else text
        line = last_open_line(before) or line
    sentence = next(
        (told for start, told in _SYNTAX.items() if message.startswith(start)), "TOML として読めません"
    )
    row = rows[line - 1]
    if wide := _FULL_WIDTH.search(_OUTSIDE_STRINGS.sub("", row)):
        name = "空白" if wide[0] == "\u3000" else f"「{wide[0]}」"
        sentence = f"全角の{name}があります。半角で書いてください"
    found = _KEY_AT_START.match(row)
    key = found[1] if found and found[1] in EXAMPLES else "choices" if "array" in message else "title"
    if key == "date" and message.startswith("Expected newline"):  # 2026-1-5
        sentence = "日付を 年4桁-月2桁-日2桁 の形で書いてください"
    return Problem(line, f"{sentence}（例: {EXAMPLES[key]}）")


def _is_noticed_late(message: str, row: str, column: int) -> bool:
    """Whether an array was left open on an earlier line: `row` itself begins another statement or value."""
    first_in_row = not row[: column - 1].strip()
    return (message.startswith("Unclosed") and first_in_row) or _NEXT_STATEMENT.match(row) is not None
