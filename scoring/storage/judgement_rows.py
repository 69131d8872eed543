"""Rows of judgements (判定): each stays as it was said; which one stands is a row of its own, with a version."""

from __future__ import annotations

import datetime  # noqa: TC003  (part of public signatures)
from collections import defaultdict
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import bindparam, insert, select, update

from scoring.judgement import Judgement, Mark
from scoring.points import format_points
from scoring.storage.grading_tables import JudgementRow, StandingJudgementRow

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy.orm import Session

    from scoring.storage.events import Deed
    from scoring.storage.exams import StoredExam

Place: TypeAlias = tuple[str, str, int]
"""An answer in a round: `scan_pages.id`, the question's id, the round."""


@dataclass(frozen=True, slots=True)
class StoredJudgement:
    """A judgement as it was kept.

    Attributes:
        id: of the row.
        page_id: of `scan_pages`.
        question: its id.
        round: 1, 2 for the second grading (照合採点), 3 for the word that settles a difference.
        mark: what was said.
        points: of a △.
        comment: for the pupil.
        rubric: the rubric's items that apply.
        strokes: of the red pen.
        picture: that was judged.
        reason: why, where the exam was 確定 or 返却, or why it came to this page.
        follows: the judgement that it took the place of.
        key: the client's own name for it.
        made_at: when.
        made_by: by whom.
    """

    id: str
    page_id: str
    question: str
    round: int
    mark: Mark
    points: Decimal | None
    comment: str
    rubric: tuple[Any, ...]
    strokes: tuple[Any, ...]
    picture: str
    reason: str | None
    follows: str | None
    key: str
    made_at: datetime.datetime
    made_by: str

    @property
    def place(self) -> Place:
        """What it is said of."""
        return self.page_id, self.question, self.round

    @property
    def judgement(self) -> Judgement:
        """What it says, for `scoring.judgement`."""
        return Judgement(self.mark, self.points, self.picture)


@dataclass(frozen=True, slots=True)
class StandingJudgement:
    """A judgement and the version by which it stands: how often the word on this answer changed in this round."""

    judgement: StoredJudgement
    version: int


def find_standing(
    session: Session, exam: StoredExam, pages: Collection[str] | None, questions: Collection[str]
) -> dict[Place, StandingJudgement]:
    """The standing judgements of these questions on these pages (None for all), in all rounds, oldest answers first."""
    listed = (
        select(*JudgementRow.__table__.columns, StandingJudgementRow.version)
        .join(StandingJudgementRow, StandingJudgementRow.judgement_id == JudgementRow.id)
        .where(StandingJudgementRow.exam_id == exam.id, StandingJudgementRow.question.in_(questions))
        .order_by(StandingJudgementRow.id)
    )
    if pages is not None:
        listed = listed.where(StandingJudgementRow.page_id.in_(pages))
    found = [StandingJudgement(stored_judgement(row), row.version) for row in session.execute(listed)]
    return {one.judgement.place: one for one in found}


def list_history(
    session: Session, exam: StoredExam, pages: Collection[str], questions: Collection[str]
) -> dict[Place, Sequence[StandingJudgement]]:
    """Every judgement of these questions on these pages, in the order in which they followed each other.

    The order is that of `follows`: it holds even where the clock was set back.
    """
    rows = session.execute(
        select(*JudgementRow.__table__.columns).where(
            JudgementRow.exam_id == exam.id,
            JudgementRow.page_id.in_(pages),
            JudgementRow.question.in_(questions),
        )
    )
    by_place: dict[Place, list[StoredJudgement]] = defaultdict(list)
    for one in map(stored_judgement, rows):
        by_place[one.place].append(one)
    return {place: _in_order(by_place[place]) for place in sorted(by_place)}


def stored_judgement(row: Any) -> StoredJudgement:
    """A judgement from a row with all columns of `judgements`."""
    return StoredJudgement(
        id=row.id,
        page_id=row.page_id,
        question=row.question,
        round=row.round,
        mark=Mark(row.mark),
        points=None if row.points is None else Decimal(row.points),
        comment=row.comment,
        rubric=tuple(row.rubric),
        strokes=tuple(row.strokes),
        picture=row.picture,
        reason=row.reason,
        follows=row.follows,
        key=row.key,
        made_at=row.made_at,
        made_by=row.made_by,
    )


def keep_judgements(
    session: Session,
    deed: Deed,
    exam: StoredExam,
    judgements: Sequence[StoredJudgement],
    standing: Mapping[Place, StandingJudgement],
) -> Sequence[StandingJudgement]:
    """Add judgements; each stands from now on.

    Args:
        session: of `Database.write`, which holds the exam.
        deed: in which school.
        exam: that they belong to.
        judgements: at most one an answer and round.
        standing: what stands before them, at least at their places.
    """
    if not judgements:
        return []
    of_exam = {"school_id": deed.school_id, "school_year": exam.school_year, "exam_id": exam.id}
    connection = session.connection()
    connection.execute(insert(JudgementRow), [{**of_exam, **_columns(one)} for one in judgements])
    kept = [
        StandingJudgement(one, standing[one.place].version + 1 if one.place in standing else 1)
        for one in judgements
    ]
    first = [one for one in kept if one.judgement.place not in standing]
    if first:
        connection.execute(insert(StandingJudgementRow), [{**of_exam, **_standing(one)} for one in first])
    later = [one for one in kept if one.judgement.place in standing]
    if later:
        connection.execute(
            _REPLACE, [{f"new_{name}": value for name, value in _standing(one).items()} for one in later]
        )
    return kept


_REPLACE = (
    update(StandingJudgementRow)
    .where(
        StandingJudgementRow.page_id == bindparam("new_page_id"),
        StandingJudgementRow.question == bindparam("new_question"),
        StandingJudgementRow.round == bindparam("new_round"),
    )
    .values(judgement_id=bindparam("new_judgement_id"), version=bindparam("new_version"))
)


def _columns(one: StoredJudgement) -> dict[str, Any]:
    points = None if one.points is None else format_points(one.points)
    return {**asdict(one), "points": points, "rubric": list(one.rubric), "strokes": list(one.strokes)}


def _standing(one: StandingJudgement) -> dict[str, Any]:
    said = one.judgement
    return {
        "page_id": said.page_id,
        "question": said.question,
        "round": said.round,
        "judgement_id": said.id,
        "version": one.version,
    }


def _in_order(judgements: Sequence[StoredJudgement]) -> Sequence[StandingJudgement]:
    here = {one.id for one in judgements}
    following = {one.follows if one.follows in here else None: one for one in judgements}
    ordered: list[StandingJudgement] = []
    at: str | None = None
    while at in following:
        ordered.append(StandingJudgement(following[at], len(ordered) + 1))
        at = ordered[-1].judgement.id
    return ordered
