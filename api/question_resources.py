"""What the HTTP interface sends of questions: counts, the index of one question's answers, groups, contradictions.

An index is rows of values without names, in the order of `columns`: 400 answers are a few ten kilobytes.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from api.resources import PointsText  # noqa: TC001  (pydantic needs it at run time)
from ocr.groups import GroupKind  # noqa: TC001  (pydantic needs it at run time)
from omr.layout import QuestionKind  # noqa: TC001  (pydantic needs it at run time)
from omr.reading import ReadingStatus  # noqa: TC001  (pydantic needs it at run time)
from scoring.judgement import Mark  # noqa: TC001  (pydantic needs it at run time)
from scoring.marking import Rule  # noqa: TC001  (pydantic needs it at run time)


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RoundCount(_Model):
    """How far a round of grading is: answers judged (○ △ ×), and put off (保留)."""

    round: int = Field(examples=[1])
    judged: int
    held: int


class QuestionSummary(_Model):
    """A question (設問) and how far its grading is.

    Attributes:
        question: its id.
        section: 大問.
        kind: of the question.
        points: 配点.
        answers: on pages that are read.
        blank: of them surely empty (空欄).
        doubtful: of them to be looked at by a person (要確認).
        proposed: of them with proposed points (採点候補).
        rounds: of grading, in which anybody judged or put off anything.
    """

    question: str = Field(examples=["1-1"])
    section: str | None
    kind: QuestionKind
    points: PointsText
    answers: int
    blank: int
    doubtful: int
    proposed: int
    rounds: list[RoundCount]


class QuestionList(_Model):
    """The questions of an exam in its order; `change` is the number of the last change that they know of."""

    questions: list[QuestionSummary]
    change: int


class JudgementCell(NamedTuple):
    """The judgement that counts in a round, and whether it was made on the picture that the answer has now.

    round, version; mark, with points of a △; by: the account.
    """

    round: int
    version: int
    mark: Mark
    points: str | None
    by: str
    is_of_this_picture: bool


class AlternativeCell(NamedTuple):
    """A text that may be what is written, and its chance (0 to 1)."""

    text: str
    chance: float


class AnswerCells(NamedTuple):
    """One answer.

    page, question: an answer is known by both. sheet: that the page belongs to. student: row of the proven owner, null
    where nobody is, as are grade, class, number and name then; name is null, too, unless it was asked for. status, reading,
    confidence, is_answer, alternatives: what was read. points, rule: the proposal (採点候補), points null where a person
    decides. judgements: those that count and that the caller may see. picture: names what the picture shows. atlas:
    place in `atlases`, null without a picture; x, y, w, h: pixels in it.
    """

    page: str
    sheet: str
    student: str | None
    grade: str | None
    class_name: str | None
    number: str | None
    name: str | None
    status: ReadingStatus
    reading: str
    confidence: float | None
    is_answer: float | None
    alternatives: list[AlternativeCell]
    points: str | None
    rule: Rule
    judgements: list[JudgementCell]
    picture: str
    atlas: int | None
    x: int
    y: int
    w: int
    h: int


class AnswerOrder(StrEnum):
    """The order of an index: by class and number, by the proposal, by likeness to right answers, by points."""

    NUMBER = "number"
    PROPOSAL = "proposal"
    SIMILARITY = "similarity"
    POINTS = "points"


class AnswerIndex(_Model):
    """All answers to one question.

    Attributes:
        question: its id.
        change: number of the last change that the index knows of: to be sent as `after` to follow the changes.
        atlases: hashes of the atlases, each at `/api/atlases/{hash}.jpg`.
        columns: names of the values of a row, in order.
        rows: the answers.
    """

    question: str
    change: int
    atlases: list[str]
    columns: list[str]
    rows: list[AnswerCells]


class GroupResource(_Model):
    """Answers that say the same.

    Attributes:
        group: stays the same while the group grows.
        kind: equal, blank, or alone (doubtful, or its look speaks against its text).
        text: what most of them say.
        pages: the answers' pages, in the order in which they came.
    """

    group: str
    kind: GroupKind
    text: str
    pages: list[str]


class GroupList(_Model):
    """The groups of a question: earlier ones first, then blank, then the largest."""

    question: str
    change: int
    groups: list[GroupResource]


class JudgedAs(_Model):
    """A mark with its points."""

    mark: Mark
    points: PointsText | None


class ContradictionResource(_Model):
    """An answer that was judged unlike most others of the same reading.

    Attributes:
        page: of the answer.
        text: the reading, in a form to compare by.
        judged: what it got.
        others_judged: what most others of this reading got.
        others: how many those are.
        nearest: pages of those of them that look most like it.
        suspicion: 0 to 1, no probability.
    """

    page: str
    text: str
    judged: JudgedAs
    others_judged: JudgedAs
    others: int
    nearest: list[str]
    suspicion: float


class SplitWay(_Model):
    """Answers of one reading that got the same."""

    judged: JudgedAs
    pages: list[str]


class SplitResource(_Model):
    """A reading whose answers were judged in several ways, none of which is the exception."""

    text: str
    ways: list[SplitWay]


class ContradictionList(_Model):
    """What to look at again in a question: single answers, the most suspicious first; then readings judged in several ways."""

    question: str
    round: int
    contradictions: list[ContradictionResource]
    splits: list[SplitResource]
