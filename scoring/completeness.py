"""What keeps an exam from 確定: everything that still has no points, and every page that is not accounted for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np

from omr.errors import Refusal, Refused
from scoring.scores import Basis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from scoring.scores import ExamScores

FEW = 5
"""So many are named of each obstacle."""


class ObstacleKind(StrEnum):
    """Why an exam can't be confirmed yet.

    Of answers: UNGRADED (未採点), DOUBTFUL (要確認), HELD (保留), HALF (one of two graders is still to judge), DIFFERENT (the two
    differ), OUTDATED (judged on another picture, or with more points than the question has), TWICE (the question
    stands on two pages). Of students: MISSING (a page of theirs is not there), CONTRADICTION (said to be absent, but a
    page is there). Of pages: SET_ASIDE, WITHOUT_OWNER, UNREAD. Of files: UNREAD_FILE, REFUSED_FILE. UNSORTED: the pages
    are not all sorted to students yet. NOTHING: nobody's sheet is there.
    """

    UNGRADED = "ungraded"
    DOUBTFUL = "doubtful"
    HELD = "held"
    HALF = "half"
    DIFFERENT = "different"
    OUTDATED = "outdated"
    TWICE = "twice"
    MISSING = "missing"
    CONTRADICTION = "contradiction"
    SET_ASIDE = "set_aside"
    WITHOUT_OWNER = "without_owner"
    UNREAD = "unread"
    UNREAD_FILE = "unread_file"
    REFUSED_FILE = "refused_file"
    UNSORTED = "unsorted"
    NOTHING = "nothing"


_OF_ANSWERS = {
    ObstacleKind.UNGRADED: Basis.UNGRADED,
    ObstacleKind.DOUBTFUL: Basis.DOUBTFUL,
    ObstacleKind.HELD: Basis.HELD,
    ObstacleKind.HALF: Basis.HALF,
    ObstacleKind.DIFFERENT: Basis.DIFFERENT,
    ObstacleKind.OUTDATED: Basis.OUTDATED,
    ObstacleKind.TWICE: Basis.TWICE,
}
_WORDS = {
    ObstacleKind.UNGRADED: "未採点が{}件",
    ObstacleKind.DOUBTFUL: "要確認の読み取りが{}件",
    ObstacleKind.HELD: "保留が{}件",
    ObstacleKind.HALF: "照合採点で片方だけの判定が{}件",
    ObstacleKind.DIFFERENT: "照合採点の不一致が{}件",
    ObstacleKind.OUTDATED: "画像か配点が変わり、判定し直す答案が{}件",
    ObstacleKind.TWICE: "2枚のページに重なった答案が{}件",
    ObstacleKind.MISSING: "解答用紙がそろっていない生徒が{}人",
    ObstacleKind.CONTRADICTION: "欠席なのに解答用紙がある生徒が{}人",
    ObstacleKind.SET_ASIDE: "とりおいたページが{}枚",
    ObstacleKind.WITHOUT_OWNER: "だれのものか分からないページが{}枚",
    ObstacleKind.UNREAD: "読み取りの終わっていないページが{}枚",
    ObstacleKind.UNREAD_FILE: "読み取りの終わっていないファイルが{}件",
    ObstacleKind.REFUSED_FILE: "読めなかったファイルが{}件",
    ObstacleKind.UNSORTED: "ページの仕分け",
    ObstacleKind.NOTHING: "解答用紙の読み取り（まだ1枚もありません）",
}


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One reason why an exam can't be confirmed yet.

    Attributes:
        kind: what is the matter.
        count: how many answers, students, pages or files it is about.
        question: of the answers; None for everything else.
        first: ids of the first few: pages of answers and pages, rows of students, files.
    """

    kind: ObstacleKind
    count: int
    question: str | None = None
    first: tuple[str, ...] = ()


class NotComplete(Refused):
    """An exam that can't be confirmed yet.

    Args:
        obstacles: all that keeps it from that.
    """

    def __init__(self, obstacles: Sequence[Obstacle]) -> None:
        super().__init__(
            Refusal.WRONG_STATE,
            f"まだ「確定」にできません。残っているもの: {describe_obstacles(obstacles)}。終えてから、確定してください。",
        )
        self.obstacles = tuple(obstacles)

    def __reduce__(self) -> Any:
        return NotComplete, (self.obstacles,)


def describe_obstacles(obstacles: Sequence[Obstacle]) -> str:
    """The obstacles in words, a part for each kind."""
    counts: dict[ObstacleKind, int] = {}
    for one in obstacles:
        counts[one.kind] = counts.get(one.kind, 0) + one.count
    return "、".join(_WORDS[kind].format(count) for kind, count in counts.items())


def find_obstacles(scores: ExamScores) -> tuple[Obstacle, ...]:
    """What the scores themselves say against confirming an exam.

    Sheets of which a person said that they are no student's are left out; a page that is missing from a sheet of an unknown
    owner is not told, since whose the sheet is must be said first.
    """
    if not scores.examinees:
        return (Obstacle(ObstacleKind.NOTHING, 1),)
    counted = np.array([not one.is_set_apart for one in scores.examinees], bool)
    return (
        *(
            obstacle
            for kind, basis in _OF_ANSWERS.items()
            for obstacle in _of_answers(scores, kind, scores.is_basis(basis) & counted[:, None])
        ),
        *_of_students(scores),
    )


def _of_answers(scores: ExamScores, kind: ObstacleKind, cells: NDArray[np.bool_]) -> list[Obstacle]:
    """An obstacle for each question that has such answers."""
    found = []
    for column, question in enumerate(scores.exam.questions):
        (rows,) = np.nonzero(cells[:, column])
        if len(rows):
            pages = [scores.page[row, column] for row in rows[:FEW]]
            first = tuple(scores.answers.pages[page] for page in pages if page >= 0)
            found.append(Obstacle(kind, len(rows), question.id, first))
    return found


def _of_students(scores: ExamScores) -> list[Obstacle]:
    missing = scores.is_basis(Basis.MISSING).sum(axis=1).tolist()
    students = [
        (one.student, count > 0, bool(one.sheets))
        for one, count in zip(scores.examinees, missing, strict=True)
        if one.student is not None
    ]
    absent = {"absent", "excused"}
    listed = {
        ObstacleKind.MISSING: [one.id for one, is_missing, _ in students if is_missing],
        ObstacleKind.CONTRADICTION: [
            one.id for one, _, has_sheet in students if has_sheet and one.attendance in absent
        ],
    }
    return [Obstacle(kind, len(ids), None, tuple(ids[:FEW])) for kind, ids in listed.items() if ids]
