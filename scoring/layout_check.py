"""Whether a layout and an exam speak of the same questions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from omr.errors import InputError
from omr.layout import QuestionKind

if TYPE_CHECKING:
    from pathlib import Path

    from omr.layout import Layout
    from scoring.exam import Exam

_CORNERS = 4


def check_layout(exam: Exam, layout: Layout, path: Path) -> None:
    """Check a layout that was given for an exam.

    Args:
        exam: with its questions.
        layout: where they stand.
        path: of the layout, for the message.

    Raises:
        InputError: a question stands in one of them only, or is of another kind or with other choices there;
            or a page with a code has no corner squares.
    """
    for page in layout.pages:
        if page.qr is not None and len(page.fiducials) < _CORNERS:
            raise InputError(
                f"{path}: {page.number}ページに四隅の■（fiducials）の位置がありません。saiten print --layout が書いたレイアウトを使ってください。"
            )
    placed = {question.id: question for _, question in layout.questions()}
    asked = {question.id: question for question in exam.questions}
    for name in placed.keys() - asked.keys():
        raise InputError(
            f"{path}: 設問「{name}」が EXAM.toml にありません。レイアウトと試験の設定の組み合わせを確かめてください。"
        )
    for name, question in asked.items():
        where = placed.get(name)
        if where is None:
            raise InputError(
                f"{path}: 設問「{name}」の位置がありません。この試験のレイアウトかを確かめてください。"
            )
        if where.kind is not question.kind:
            raise InputError(
                f"{path}: 設問「{name}」の種類が違います（レイアウトは {where.kind}、EXAM.toml は {question.kind}）。どちらかに合わせてください。"
            )
        labels = [bubble.label for bubble in where.bubbles]
        if question.kind is QuestionKind.CHOICE and labels != list(question.choices):
            raise InputError(
                f"{path}: 設問「{name}」の選択肢が違います（レイアウトは {'・'.join(labels)}、"
                f"EXAM.toml は {'・'.join(question.choices)}）。どちらかに合わせてください。"
            )
