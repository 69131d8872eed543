"""What the HTTP interface sends: one model a resource, in the field's terms.

Points (配点, 得点) are exact decimals and travel as text ("2", "2.5"); null means that there are none yet (未採点).
"""

from __future__ import annotations

import datetime  # noqa: TC003  (pydantic needs it at run time)
from enum import StrEnum
from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from omr.layout import QuestionKind  # noqa: TC001  (pydantic needs it at run time)

PointsText: TypeAlias = Annotated[
    str, Field(examples=["2", "2.5"], description="exact points without trailing zeros")
]


class Outcome(StrEnum):
    """How one answer stands: ○, ×, △, 空欄, 要確認, or read but not yet scored (未採点)."""

    CORRECT = "correct"
    WRONG = "wrong"
    PARTIAL = "partial"
    BLANK = "blank"
    DOUBTFUL = "doubtful"
    UNGRADED = "ungraded"


class Grading(StrEnum):
    """How far a student's exam is scored; `missing` is a student without any sheet (欠席・未提出)."""

    GRADED = "graded"
    PARTLY_GRADED = "partly_graded"
    UNGRADED = "ungraded"
    MISSING = "missing"


class _Resource(BaseModel):
    model_config = ConfigDict(frozen=True)


class StudentName(_Resource):
    """A student (生徒) of the roster."""

    student_id: str = Field(examples=["2026-0213"])
    grade: str = Field(examples=["2"])
    class_name: str = Field(examples=["1"])
    number: str = Field(examples=["13"])
    name: str = Field(examples=["見本 花子"])
    kana: str = Field(examples=["みほん はなこ"])


class ExamHeading(_Resource):
    """The exam (試験)."""

    id: str = Field(examples=["2026-2F-MATH2"])
    title: str = Field(examples=["2学期期末考査 数学"])
    subject: str | None
    date: datetime.date | None
    max_points: PointsText
    question_count: int


class Score(_Resource):
    """The score (得点) of one sheet, or a student of the roster without a sheet.

    Attributes:
        student: null where a sheet's student is not known.
        sheet: null where the student has no sheet.
        grading: how far it is scored.
        points: sum of the points so far; null where nothing is scored.
        max_points: 満点.
        undecided: number of questions without points (未採点); null where there is no sheet.
        missing_pages: pages of the sheet that no scan brought.
    """

    student: StudentName | None
    sheet: str | None
    grading: Grading
    points: PointsText | None
    max_points: PointsText
    undecided: int | None
    missing_pages: list[int]


class QuestionSummary(_Resource):
    """A question (設問) and how its answers stand.

    Attributes:
        id: of the question in the exam.
        section: 大問.
        kind: what a pupil does.
        points: 配点.
        viewpoint: 観点.
        answer: 正答; the labels of a choice, or one text; empty where there is none.
        outcomes: number of answers for each outcome that occurs.
    """

    id: str = Field(examples=["1-1"])
    section: str | None
    kind: QuestionKind
    points: PointsText
    viewpoint: str | None
    answer: list[str] = Field(examples=[["イ"]])
    outcomes: dict[Outcome, int]


class Answer(_Resource):
    """One student's answer to one question.

    Attributes:
        number: of the answer in this run, from 1.
        sheet: the sheet's id.
        student: null where not known.
        reading: marked labels joined with ";", or the recognised text; empty where nothing was read.
        confidence: estimated chance that the reading is right, 0 to 1; null where there is none.
        outcome: how it stands.
        points: null where not yet scored.
        max_points: 配点.
        crop: address of the picture of the answer region (解答欄); null where none was kept.
    """

    number: int = Field(ge=1)
    sheet: str
    student: StudentName | None
    reading: str
    confidence: float | None
    outcome: Outcome
    points: PointsText | None
    max_points: PointsText
    crop: str | None = Field(examples=["/api/answers/17/crop"])


class PageResult(_Resource):
    """One page of the scans and what became of it.

    Attributes:
        number: of the page in this run, from 1.
        source: the scan file.
        page: in the file, from 1; 0 where the file could not be opened.
        sheet: id of the sheet; null where not known.
        sheet_page: page of the sheet, from 1.
        student: null where not known.
        status: read, blank (an empty back), duplicate or quarantined (set aside).
        reason: why, for the teacher.
        image: address of its picture; null where there is none.
    """

    number: int = Field(ge=1)
    source: str = Field(examples=["2-1.pdf"])
    page: int
    sheet: str | None
    sheet_page: int | None
    student: StudentName | None
    status: str = Field(examples=["read"])
    reason: str
    image: str | None = Field(examples=["/api/pages/3/image"])


class Problem(_Resource):
    """What went wrong (RFC 9457), with a sentence for the teacher in `detail`."""

    type: str = "about:blank"
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["設問「9-9」はこの試験にありません。設問の一覧から選んでください。"])
