"""What the HTTP interface sends of a preview: what a change of an exam would move."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from api.resources import PointsText  # noqa: TC001  (pydantic needs it at run time)
from api.score_resources import ExamineeResource, TotalResource, points_text
from omr.reading import ReadingStatus  # noqa: TC001  (pydantic needs it at run time)
from scoring.marking import Rule  # noqa: TC001  (pydantic needs it at run time)
from scoring.points import format_points
from scoring.scores import Basis  # noqa: TC001  (pydantic needs it at run time)

if TYPE_CHECKING:
    from scoring.score_preview import AnswerMove, Preview, Standing


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True)


class StandingResource(_Model):
    """How an answer stands by one version of the exam."""

    points: PointsText | None
    basis: Basis
    rule: Rule | None

    @classmethod
    def of(cls, standing: Standing | None) -> StandingResource | None:
        """It as it is sent; None where the question is not in that version."""
        if standing is None:
            return None
        return cls(points=points_text(standing.points), basis=standing.basis, rule=standing.rule)


class MoveResource(_Model):
    """Answers to one question that all move the same way.

    Attributes:
        question: its id.
        status: of their reading; null where nothing was read.
        reading: what was read.
        before: how they stand; null if the question is new.
        after: how they would stand; null if the question is gone.
        is_conflict: persons gave more points than the question would have; they must be asked again.
        examinees: indices in `PreviewResource.examinees`.
    """

    question: str = Field(examples=["1-1"])
    status: ReadingStatus | None
    reading: str
    before: StandingResource | None
    after: StandingResource | None
    is_conflict: bool
    examinees: list[int]

    @classmethod
    def of(cls, move: AnswerMove, places: dict[int, int]) -> MoveResource:
        """A move as it is sent; `places` are the indices by row."""
        return cls(
            question=move.question,
            status=move.status,
            reading=move.reading,
            before=StandingResource.of(move.before),
            after=StandingResource.of(move.after),
            is_conflict=move.is_conflict,
            examinees=[places[row] for row in move.rows],
        )


class TotalMoveResource(_Model):
    """An examinee (index in `PreviewResource.examinees`) whose total changes."""

    examinee: int
    before: TotalResource
    after: TotalResource


class PreviewResource(_Model):
    """What a change of the exam would move; nothing of it is kept.

    Attributes:
        tag: of the exam that it was compared with.
        examinees: whose answers or totals move.
        totals: that move.
        moves: of answers, by question.
        max_points_before: 満点 as it is.
        max_points_after: as it would be.
        changes_sheet: something printed on the sheets would change too: sheets that are printed are of another version.
    """

    tag: str = Field(examples=["1.3"])
    examinees: list[ExamineeResource]
    totals: list[TotalMoveResource]
    moves: list[MoveResource]
    max_points_before: PointsText
    max_points_after: PointsText
    changes_sheet: bool

    @classmethod
    def of(cls, tag: str, preview: Preview) -> PreviewResource:
        """A preview as it is sent."""
        concerned = {one.row for one in preview.totals}.union(*(one.rows for one in preview.moves))
        rows = sorted(concerned)
        places = {row: place for place, row in enumerate(rows)}
        return cls(
            tag=tag,
            examinees=[ExamineeResource.of(preview.before.examinees[row]) for row in rows],
            totals=[
                TotalMoveResource(
                    examinee=places[one.row],
                    before=TotalResource.of(one.before),
                    after=TotalResource.of(one.after),
                )
                for one in preview.totals
            ],
            moves=[MoveResource.of(one, places) for one in preview.moves],
            max_points_before=format_points(preview.before.exam.max_points),
            max_points_after=format_points(preview.after.exam.max_points),
            changes_sheet=preview.changes_sheet,
        )
