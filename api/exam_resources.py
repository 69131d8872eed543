"""What the HTTP interface takes and sends of exams (試験)."""

from __future__ import annotations

import datetime  # noqa: TC003  (pydantic needs it at run time)
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from api.resources import PointsText  # noqa: TC001  (pydantic needs it at run time)
from scoring.exam import Exam, ExamId  # noqa: TC001  (pydantic needs it at run time)
from scoring.exam_state import ExamState  # noqa: TC001  (pydantic needs it at run time)
from scoring.points import format_points

if TYPE_CHECKING:
    from scoring.storage.exams import StateChange, StoredExam


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ExamSummary(_Model):
    """An exam in a list.

    Attributes:
        id: of the exam on this server.
        code: the exam's own id, which its sheets carry.
        school_year: 年度.
        title: 試験名.
        subject: 教科.
        date: of the exam.
        max_points: 満点.
        state: preparing (準備), grading (採点中), confirmed (確定), returned (返却).
        tag: changes with whatever can change; also the ETag.
        copied_from: id of the exam that it is a copy of.
    """

    id: str = Field(examples=["0dj5f3b8c2a4e6g8i0k2m4o6q8"])
    code: str = Field(examples=["2026-2F-MATH2"])
    school_year: int = Field(examples=[2026])
    title: str = Field(examples=["2学期期末考査 数学"])
    subject: str | None
    date: datetime.date | None
    max_points: PointsText
    state: ExamState
    tag: str = Field(examples=["1.1"])
    copied_from: str | None

    @classmethod
    def of(cls, stored: StoredExam) -> ExamSummary:
        """A stored exam as lists show it."""
        return cls(**_heading(stored))


class ExamResource(ExamSummary):
    """An exam with its questions.

    Attributes:
        toml: EXAM.toml.
        exam: the same, with points as exact text.
    """

    toml: str
    exam: Exam

    @classmethod
    def of(cls, stored: StoredExam) -> ExamResource:
        """A stored exam as it is sent."""
        return cls(**_heading(stored), toml=stored.document, exam=stored.exam)


class ExamPage(_Model):
    """Some exams, the newest first; `next` is to be asked for as `before`, null at the end."""

    exams: list[ExamSummary]
    next: str | None


class SentExam(_Model):
    """The exam that a client wanted to keep."""

    exam: Exam


class ExamCopy(_Model):
    """What is new in a copy of an exam."""

    code: ExamId = Field(examples=["2027-2F-MATH2"])
    title: str | None = Field(None, max_length=100)
    date: datetime.date | None = None


class StateWanted(_Model):
    """The state that an exam is to come into.

    Attributes:
        state: the next one, or an earlier one for a reason.
        reason: why; needed for a step back.
    """

    state: ExamState
    reason: (
        Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$", examples=["問3に別解があったため"])]
        | None
    ) = None


class StateResource(_Model):
    """A state that an exam came into, by whom (account id), when and why."""

    number: int
    state: ExamState
    reason: str | None
    made_at: datetime.datetime
    made_by: str

    @classmethod
    def of(cls, change: StateChange) -> StateResource:
        """A state as it is sent."""
        return cls(
            number=change.number,
            state=change.state,
            reason=change.reason,
            made_at=change.made_at,
            made_by=change.made_by,
        )


def _heading(stored: StoredExam) -> dict[str, Any]:
    return {
        "id": stored.id,
        "code": stored.code,
        "school_year": stored.school_year,
        "title": stored.title,
        "subject": stored.subject,
        "date": stored.date,
        "max_points": format_points(stored.max_points),
        "state": stored.state,
        "tag": stored.tag,
        "copied_from": stored.copied_from,
    }
