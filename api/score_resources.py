"""What the HTTP interface sends of scores (得点), and of what keeps an exam from 確定."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from api.resources import PointsText  # noqa: TC001  (pydantic needs it at run time)
from scoring.completeness import Obstacle, ObstacleKind, describe_obstacles
from scoring.marking import Rule  # noqa: TC001  (pydantic needs it at run time)
from scoring.points import format_points
from scoring.scores import BASES, NONE, RULES, Basis, ExamScores, from_hundredths

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from scoring.exam_answers import Examinee, ExamStudent
    from scoring.scores import ExamineeTotal
    from scoring.storage.score_snapshots import ChangedTotal, SinceState


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True)


class StudentResource(_Model):
    """A student (生徒): `id` of the row, `student_id` of the roster; `attendance` is empty where nobody said anything."""

    id: str = Field(examples=["0dj5f3b8c2a4e6g8i0k2m4o6q8"])
    student_id: str = Field(examples=["2026-0213"])
    class_id: str = Field(examples=["0dj5f3b8c2a4e6g8i0k2m4o6r0"])
    grade: str = Field(examples=["2"])
    class_name: str = Field(examples=["1"])
    number: str = Field(examples=["13"])
    name: str = Field(examples=["見本 花子"])
    kana: str = Field(examples=["みほん はなこ"])
    attendance: str = Field(examples=["", "absent"])

    @classmethod
    def of(cls, student: ExamStudent) -> StudentResource:
        """A student as they are sent."""
        return cls(
            id=student.id,
            student_id=student.student_id,
            class_id=student.class_id,
            grade=student.grade,
            class_name=student.class_name,
            number=student.number,
            name=student.name,
            kana=student.kana,
            attendance=student.attendance,
        )


class ExamineeResource(_Model):
    """Who has a score: a student with their sheets, or a sheet of which nobody knows whose it is (`student` null)."""

    student: StudentResource | None
    sheets: list[str]

    @classmethod
    def of(cls, examinee: Examinee) -> ExamineeResource:
        """An examinee as they are sent."""
        student = StudentResource.of(examinee.student) if examinee.student else None
        return cls(student=student, sheets=list(examinee.sheets))


class TotalResource(_Model):
    """A total so far: `points` null for who did not sit the exam (未受験); `undecided` questions have no points yet."""

    points: PointsText | None
    undecided: int = Field(examples=[0])

    @classmethod
    def of(cls, total: ExamineeTotal) -> TotalResource:
        """A total as it is sent."""
        return cls(points=points_text(total.points), undecided=total.undecided)


class ScoreRow(ExamineeResource):
    """The scores of an examinee; the lists have an entry for each question of `ScoreTable.questions`.

    Attributes:
        total: over all questions.
        points: of each answer; null where it has none yet.
        basis: on what they rest, or why there are none.
        rule: what the machine proposes and why; null where nothing was read.
    """

    total: TotalResource
    points: list[PointsText | None]
    basis: list[Basis]
    rule: list[Rule | None]


class QuestionPoints(_Model):
    """A question (設問) and what it is worth (配点)."""

    id: str = Field(examples=["1-1"])
    points: PointsText


class ChangedTotalResource(_Model):
    """A total that is another one than it was; null where there was or is none.

    `student_id` is the student's row; null for a sheet of nobody, which `sheet` then names.
    """

    student_id: str | None
    sheet: str
    before: PointsText | None
    after: PointsText | None

    @classmethod
    def of(cls, changed: ChangedTotal) -> ChangedTotalResource:
        """A changed total as it is sent."""
        before, after = points_text(changed.before), points_text(changed.after)
        return cls(student_id=changed.student_id, sheet=changed.sheet, before=before, after=after)


class ScoreTable(_Model):
    """The scores of an exam, or some rows of them.

    Attributes:
        tag: of the exam by which they were computed.
        questions: in exam order.
        max_points: 満点.
        rows: students in roster order, then the sheets of nobody.
        next: to be asked for as `after`; null at the end.
        confirmed_at_change: number of the change by which the exam was last 確定; null where it never was.
        changed_since: totals that are others since then: exports of that time are out of date.
        returned_at_change: the same for 返却.
        changed_since_return: totals that are others since then: papers given back are out of date.
    """

    tag: str = Field(examples=["1.3"])
    questions: list[QuestionPoints]
    max_points: PointsText
    rows: list[ScoreRow]
    next: int | None
    confirmed_at_change: int | None
    changed_since: list[ChangedTotalResource]
    returned_at_change: int | None
    changed_since_return: list[ChangedTotalResource]

    @classmethod
    def of(
        cls,
        tag: str,
        scores: ExamScores,
        part: slice,
        confirmed: SinceState | None,
        returned: SinceState | None,
    ) -> ScoreTable:
        """Some rows of the scores as they are sent."""
        return cls(
            tag=tag,
            questions=[
                QuestionPoints(id=one.id, points=format_points(one.points)) for one in scores.exam.questions
            ],
            max_points=format_points(scores.exam.max_points),
            rows=_rows(scores, part),
            next=part.stop if part.stop < len(scores.examinees) else None,
            confirmed_at_change=confirmed.change_number if confirmed else None,
            changed_since=_changed(confirmed),
            returned_at_change=returned.change_number if returned else None,
            changed_since_return=_changed(returned),
        )


class ObstacleResource(_Model):
    """One reason why an exam can't be 確定 yet; `first` are ids of the first few answers' pages, students, pages or files."""

    kind: ObstacleKind
    count: int = Field(examples=[12])
    question: str | None = Field(examples=["1-1", None])
    first: list[str]


class Completeness(_Model):
    """Whether an exam can be 確定, and everything that keeps it from that, in one sentence and as a list."""

    is_complete: bool
    sentence: str = Field(examples=["未採点が12件、保留が1件"])
    obstacles: list[ObstacleResource]

    @classmethod
    def of(cls, obstacles: Sequence[Obstacle]) -> Completeness:
        """The obstacles as they are sent."""
        return cls(
            is_complete=not obstacles,
            sentence=describe_obstacles(obstacles),
            obstacles=[
                ObstacleResource(kind=one.kind, count=one.count, question=one.question, first=list(one.first))
                for one in obstacles
            ],
        )


def _rows(scores: ExamScores, part: slice) -> list[ScoreRow]:
    """Texts are made once for each different number of points."""
    texts = {one: format_points(from_hundredths(one)) for one in {*scores.points[part].ravel().tolist()}}
    rows = []
    tables = (scores.points, scores.has_points, scores.basis, scores.rule)
    cells = zip(*(table[part].tolist() for table in tables), strict=True)
    for examinee, total, (points, has_points, basis, rule) in zip(
        scores.examinees[part], scores.totals[part], cells, strict=True
    ):
        rows.append(
            ScoreRow(
                **dict(ExamineeResource.of(examinee)),
                total=TotalResource.of(total),
                points=[texts[one] if has else None for one, has in zip(points, has_points, strict=True)],
                basis=[BASES[one] for one in basis],
                rule=[None if one == NONE else RULES[one] for one in rule],
            )
        )
    return rows


def _changed(since: SinceState | None) -> list[ChangedTotalResource]:
    return [ChangedTotalResource.of(one) for one in since.totals] if since else []


def points_text(points: Decimal | None) -> str | None:
    """Points as exact text; None where there are none."""
    return None if points is None else format_points(points)
