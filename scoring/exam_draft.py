"""A draft of EXAM.toml for a detected layout: every question stands in it, the teacher fills in the rest."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from omr.design import Writing
from omr.layout import QuestionKind
from omr.page_size import nearest_paper

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from omr.layout import Layout, QuestionLayout

_HEADING = """\
# saiten detect が見つけた解答欄から作った下書きです。
# 正答（answer）は空か、解答用紙に印字されていた答え、配点（points）は仮の値です。すべての設問を確かめて書き入れてください。
# kind: choice（マーク） symbol（記号1文字） number（数値） text（短い語句） essay（記述） drawing（作図）
"""
_LONGEST_TITLE = 60
_LONGEST_ANSWER = 20
_WITHOUT_ANSWER = {QuestionKind.CHOICE, QuestionKind.ESSAY, QuestionKind.DRAWING}


def draft_exam(
    layout: Layout,
    title: str,
    day: date,
    writing: Writing = Writing.HORIZONTAL,
    answers: Mapping[str, str] | None = None,
) -> str:
    """The text of an EXAM.toml whose questions are those of the layout.

    Args:
        layout: of the sheet.
        title: of the exam.
        day: of the exam.
        writing: of the sheet.
        answers: printed in the boxes of the sheet (模範解答), by question id; long ones are left out.
    """
    known = answers or {}
    page = layout.pages[0]
    paper = nearest_paper((page.width, page.height))
    orientation = "portrait" if page.width <= page.height else "landscape"
    exam_title = "".join(one if one.isprintable() else " " for one in title).strip()[:_LONGEST_TITLE]
    exam = [
        "[exam]",
        f"title = {_quoted(exam_title or '試験')}",
        'subject = "教科"  # 教科名に直す',
        f"date = {day.isoformat()}  # 実施日に直す",
        f'paper = "{paper}"',
        f'orientation = "{orientation}"',
    ]
    if writing is Writing.VERTICAL:
        exam.append(f'writing = "{writing}"')
    questions = [_draft_question(question, known.get(question.id, "")) for _, question in layout.questions()]
    return "\n".join([_HEADING, *exam, *questions, ""])


def _draft_question(question: QuestionLayout, answer: str) -> str:
    lines = ["", "[[question]]", f"id = {_quoted(question.id)}"]
    section, dash, _ = question.id.partition("-")
    if dash:
        lines.append(f"section = {_quoted(section)}")
    lines.append(f'kind = "{question.kind}"')
    if question.kind is QuestionKind.CHOICE:
        labels = [bubble.label for bubble in question.bubbles]
        lines.append(f"choices = [{', '.join(map(_quoted, labels))}]")
    if answer and len(answer) <= _LONGEST_ANSWER and question.kind not in _WITHOUT_ANSWER:
        lines.append(f"answer = [{_quoted(answer)}]  # 用紙に印字されていた答え。確かめる")
    else:
        lines.append("answer = []  # 正答を書き入れる")
    lines.append("points = 1  # 配点に直す")
    return "\n".join(lines)


def _quoted(text: str) -> str:
    """A TOML basic string; JSON writes the same escapes."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
