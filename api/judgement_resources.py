"""What the HTTP interface takes and sends of judgements (判定) and of who grades what (分担, 照合採点)."""

from __future__ import annotations

import datetime  # noqa: TC003  (pydantic needs it at run time)
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from api.resources import PointsText  # noqa: TC001  (pydantic needs it at run time)
from scoring.judgement import Mark  # noqa: TC001  (pydantic needs it at run time)
from scoring.points import format_points
from scoring.storage.duties import Duty
from scoring.storage.judgements import NewJudgement

if TYPE_CHECKING:
    from scoring.storage.judged_answers import Difference, OutdatedJudgement, SeenJudgement
    from scoring.storage.judgement_rows import StandingJudgement, StoredJudgement
    from scoring.storage.judgements import Conflict

MOST_ITEMS = 1000
"""Judgements in one request."""
_ID = "0dj5f3b8c2a4e6g8i0k2m4o6q8"
_NO_ZERO = r"^[^\x00]*$"
Id: TypeAlias = Annotated[str, Field(min_length=1, max_length=40, pattern=_NO_ZERO, examples=[_ID])]
QuestionId: TypeAlias = Annotated[str, Field(min_length=1, max_length=32, pattern=_NO_ZERO, examples=["1-1"])]
Round: TypeAlias = Annotated[
    int, Field(ge=1, le=3, description="1; 2 second grading (照合採点); 3 settles a difference")
]
SentPoints: TypeAlias = Annotated[
    str, Field(pattern=r"^[0-9]{1,4}(\.[0-9]{1,2})?$", max_length=7, examples=["1.5"])
]
Coordinate: TypeAlias = Annotated[float, Field(ge=-10, le=10, allow_inf_nan=False)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Stroke(_Model):
    """A stroke of the red pen; points as parts of the picture's width and height from its top left corner."""

    colour: Annotated[str, Field(pattern=r"^#[0-9a-f]{6}$", examples=["#d00000"])] = "#d00000"
    width: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = 0.01
    points: Annotated[list[tuple[Coordinate, Coordinate]], Field(min_length=1, max_length=2000)]


class SentJudgement(_Model):
    """A person's word on one answer.

    Attributes:
        page: id of the page.
        question: id of the question.
        round: of grading.
        mark: right (○), partial (△), wrong (×), hold (保留), none (取り消し).
        points: of a △, at most two decimals; null for every other mark.
        comment: for the pupil.
        rubric: the rubric's items that apply.
        strokes: of the red pen.
        picture: of the answer that was looked at, as the question's index names it.
        version: of the standing judgement that was seen; 0 where there was none.
        key: the client's own name for this judgement: sent again under it, it is kept once.
    """

    page: Id
    question: QuestionId
    round: Round = 1
    mark: Mark = Field(examples=["right"])
    points: SentPoints | None = Field(None, examples=[None])
    comment: Annotated[str, Field(max_length=1000, pattern=_NO_ZERO)] = ""
    rubric: Annotated[
        list[Annotated[str, Field(max_length=100, pattern=_NO_ZERO)]], Field(max_length=50)
    ] = []
    strokes: Annotated[list[Stroke], Field(max_length=200)] = []
    picture: Annotated[str, Field(min_length=1, max_length=100, pattern=_NO_ZERO)]
    version: Annotated[int, Field(ge=0, le=2**31 - 1)]
    key: Annotated[str, Field(min_length=1, max_length=100, pattern=_NO_ZERO, examples=["6f0c3f0e-3b0d"])]

    def to_item(self) -> NewJudgement:
        """The same for the storage."""
        return NewJudgement(
            page_id=self.page,
            question=self.question,
            mark=self.mark,
            picture=self.picture,
            version=self.version,
            key=self.key,
            round=self.round,
            points=None if self.points is None else Decimal(self.points),
            comment=self.comment,
            rubric=tuple(self.rubric),
            strokes=tuple(one.model_dump(mode="json") for one in self.strokes),
        )

    @classmethod
    def of(cls, item: NewJudgement) -> SentJudgement:
        """What the storage was given, as it was sent."""
        return cls(
            page=item.page_id,
            question=item.question,
            round=item.round,
            mark=item.mark,
            points=_points(item.points),
            comment=item.comment,
            rubric=list(item.rubric),
            strokes=[Stroke.model_validate(one) for one in item.strokes],
            picture=item.picture,
            version=item.version,
            key=item.key,
        )


class SentJudgements(_Model):
    """Judgements that are kept all or none.

    Attributes:
        items: of different answers.
        reason: why; needed where the exam is confirmed (確定) or returned (返却).
    """

    items: Annotated[list[SentJudgement], Field(min_length=1, max_length=MOST_ITEMS)]
    reason: (
        Annotated[str, Field(max_length=500, pattern=_NO_ZERO, examples=["問3に別解があったため"])] | None
    ) = None


class JudgementResource(_Model):
    """A judgement as it was kept: what was said, by whom (account id), when, of which picture.

    Attributes:
        follows: id of the judgement that it took the place of.
        reason: why, where the exam was confirmed or returned, or why it came to this page.
    """

    id: str
    mark: Mark
    points: PointsText | None
    comment: str
    rubric: list[str]
    strokes: list[Stroke]
    picture: str
    reason: str | None
    follows: str | None
    made_at: datetime.datetime
    made_by: str

    @classmethod
    def of(cls, stored: StoredJudgement) -> JudgementResource:
        """A stored judgement as it is sent."""
        return cls(
            id=stored.id,
            mark=stored.mark,
            points=_points(stored.points),
            comment=stored.comment,
            rubric=list(stored.rubric),
            strokes=[Stroke.model_validate(one) for one in stored.strokes],
            picture=stored.picture,
            reason=stored.reason,
            follows=stored.follows,
            made_at=stored.made_at,
            made_by=stored.made_by,
        )


class AnswerJudgement(_Model):
    """A judgement of an answer in a round.

    Attributes:
        page: id of the page.
        question: id of the question.
        round: of grading.
        version: counts the changes of this answer in this round.
        judgement: null where it is another grader's in a second grading that is not over for this answer.
    """

    page: str
    question: str
    round: int
    version: int
    judgement: JudgementResource | None

    @classmethod
    def of(cls, standing: StandingJudgement, *, is_hidden: bool = False) -> AnswerJudgement:
        """A standing judgement as it is sent."""
        said = standing.judgement
        return cls(
            page=said.page_id,
            question=said.question,
            round=said.round,
            version=standing.version,
            judgement=None if is_hidden else JudgementResource.of(said),
        )

    @classmethod
    def seen(cls, one: SeenJudgement) -> AnswerJudgement:
        """A judgement as its reader may see it."""
        return cls.of(one.standing, is_hidden=one.is_hidden)


class CurrentAnswer(_Model):
    """How an answer stands now, for who judged it as it was before.

    Attributes:
        picture: that it has now.
        version: 0 where nobody judged it.
        judgement: as in `AnswerJudgement`.
    """

    page: str
    question: str
    round: int
    picture: str
    version: int
    judgement: JudgementResource | None

    @classmethod
    def of(cls, conflict: Conflict, *, is_hidden: bool) -> CurrentAnswer:
        """The side of a conflict that stands."""
        sent, standing = conflict.sent, conflict.standing
        return cls(
            page=sent.page_id,
            question=sent.question,
            round=sent.round,
            picture=conflict.picture,
            version=standing.version if standing else 0,
            judgement=JudgementResource.of(standing.judgement) if standing and not is_hidden else None,
        )


class KeptJudgements(_Model):
    """The judgements of a request as kept, in its order."""

    judgements: list[AnswerJudgement]


class JudgementPage(_Model):
    """Some judgements; `next` is to be asked for as `after`, null at the end."""

    judgements: list[AnswerJudgement]
    next: int | None


class DifferenceResource(_Model):
    """An answer whose two graders differ (照合採点)."""

    page: str
    question: str
    first: AnswerJudgement
    second: AnswerJudgement

    @classmethod
    def of(cls, one: Difference) -> DifferenceResource:
        """A difference as it is sent."""
        return cls(
            page=one.page_id,
            question=one.question,
            first=AnswerJudgement.of(one.first),
            second=AnswerJudgement.of(one.second),
        )


class DifferencePage(_Model):
    """Some differences; `next` is to be asked for as `after`, null at the end."""

    differences: list[DifferenceResource]
    next: int | None


class OutdatedResource(_Model):
    """A judgement of an answer that has another picture by now; it counts no more until somebody judges again."""

    picture: str
    standing: AnswerJudgement

    @classmethod
    def of(cls, one: OutdatedJudgement, *, is_hidden: bool) -> OutdatedResource:
        """An outdated judgement as it is sent."""
        return cls(picture=one.picture, standing=AnswerJudgement.of(one.standing, is_hidden=is_hidden))


class OutdatedPage(_Model):
    """Some outdated judgements; `next` is to be asked for as `after`, null at the end."""

    outdated: list[OutdatedResource]
    next: int | None


class DutyResource(_Model):
    """What somebody grades (分担).

    Attributes:
        account: id of the account.
        round: of grading.
        question: id of the question; null for all.
        class_id: id of the class; null for all.
    """

    account: Id
    round: Round = 1
    question: QuestionId | None = None
    class_id: Id | None = None

    def to_duty(self) -> Duty:
        """The same for the storage."""
        return Duty(self.account, self.round, self.question, self.class_id)

    @classmethod
    def of(cls, duty: Duty) -> DutyResource:
        """A duty as it is sent."""
        return cls(account=duty.account_id, round=duty.round, question=duty.question, class_id=duty.class_id)


class Duties(_Model):
    """Who grades what of an exam, all of it."""

    duties: Annotated[list[DutyResource], Field(max_length=2000)]


class SecondGradings(_Model):
    """The ids of the questions that two people grade (照合採点), all of them."""

    questions: Annotated[list[QuestionId], Field(max_length=1000, examples=[["3-1"]])]


def _points(points: Decimal | None) -> str | None:
    return None if points is None else format_points(points)
