"""One finished run of `saiten read`, as files: the exam, the roster, the scans and the results in OUT."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path  # noqa: TC003  (part of public signatures)
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, TypeVar
from urllib.parse import unquote

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from omr.errors import InputError
from omr.layout import QuestionKind  # noqa: TC001  (pydantic needs it at run time)
from omr.reading import ReadingStatus  # noqa: TC001  (pydantic needs it at run time)
from scoring.exam_file import read_exam
from scoring.roster import Roster, Student, read_roster

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scoring.exam import Exam


@dataclass(frozen=True, slots=True)
class ServedRun:
    """Where the files of one finished run lie.

    Attributes:
        out: the OUT folder that `saiten read` wrote.
        exam: EXAM.toml.
        roster: ROSTER.csv.
        scans: the folder of the scan files; `source` in pages.csv is a path in it.
    """

    out: Path
    exam: Path
    roster: Path
    scans: Path


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


Exact: TypeAlias = Annotated[Decimal, Field(allow_inf_nan=False)]
ExactOrNone: TypeAlias = Annotated[Exact | None, BeforeValidator(_none_if_empty)]
NumberOrNone: TypeAlias = Annotated[float | None, BeforeValidator(_none_if_empty)]
TextOrNone: TypeAlias = Annotated[str | None, BeforeValidator(_none_if_empty)]


class _Row(BaseModel):
    """A row of a result file; columns that it doesn't name are ignored."""

    model_config = ConfigDict(frozen=True)


class AnswerRow(_Row):
    """A row of answers.csv; what is empty there is None."""

    sheet: str
    student: TextOrNone
    page: int
    question: str
    kind: QuestionKind
    reading: str
    confidence: NumberOrNone
    status: ReadingStatus
    points: ExactOrNone
    max_points: Exact
    measures: str = ""


class PageRow(_Row):
    """A row of pages.csv; `page` is 0 where the file could not be opened."""

    source: str
    page: int
    sheet: TextOrNone
    sheet_page: Annotated[int | None, BeforeValidator(_none_if_empty)]
    status: str
    reason: str
    rotation: Annotated[int | None, BeforeValidator(_none_if_empty)]
    skew_deg: NumberOrNone
    residual_mm: NumberOrNone


class ScoreRow(_Row):
    """A row of scores.csv; `undecided` counts the questions without points yet."""

    sheet: str
    student: TextOrNone
    points: ExactOrNone
    max_points: Exact
    undecided: int


class Summary(_Row):
    """What the server needs of summary.json: the pages that no scan brought, as (student, page)."""

    missing: tuple[tuple[str, int], ...]


AnyRow = TypeVar("AnyRow", bound=_Row)


@dataclass(frozen=True)
class Results:
    """Everything that a finished run says, in the order of its files.

    Attributes:
        exam: with its questions.
        roster: the students who were to write it.
        answers: one row for each question of each sheet.
        pages: one row for each page of each input.
        scores: one row for each sheet.
        summary: of the run.
        crops: the crop files that exist, by question and sheet.
    """

    exam: Exam
    roster: Roster
    answers: tuple[AnswerRow, ...]
    pages: tuple[PageRow, ...]
    scores: tuple[ScoreRow, ...]
    summary: Summary
    crops: Mapping[tuple[str, str], Path]

    @cached_property
    def students(self) -> Mapping[str, Student]:
        """Students of the roster by their id."""
        return {student.student_id: student for student in self.roster.students}

    @cached_property
    def owners(self) -> Mapping[str, str]:
        """The student's id of each sheet whose student is known."""
        return {score.sheet: score.student for score in self.scores if score.student is not None}


def read_results(run: ServedRun) -> Results:
    """Read a finished run once and whole.

    Raises:
        InputError: a file is missing or is not what `saiten read` writes.
    """
    return Results(
        exam=read_exam(run.exam),
        roster=read_roster(run.roster),
        answers=_read_rows(run.out / "answers.csv", AnswerRow),
        pages=_read_rows(run.out / "pages.csv", PageRow),
        scores=_read_rows(run.out / "scores.csv", ScoreRow),
        summary=_read_summary(run.out / "summary.json"),
        crops=_find_crops(run.out / "crops"),
    )


def _read_rows(path: Path, row_type: type[AnyRow]) -> tuple[AnyRow, ...]:
    """The rows of a result file, checked against the columns of `row_type`."""
    reader = csv.DictReader(io.StringIO(_read_text(path), newline=""))
    present = [column for column in row_type.model_fields if column in (reader.fieldnames or ())]
    absent = [
        column
        for column, field in row_type.model_fields.items()
        if field.is_required() and column not in present
    ]
    if absent:
        raise _damaged(path, f"見出し（{','.join(absent)} がありません）")
    rows: list[AnyRow] = []
    for row in reader:
        try:
            rows.append(row_type.model_validate({column: row[column] for column in present}))
        except ValidationError as error:
            column = error.errors()[0]["loc"][0]
            raise _damaged(path, f"{reader.line_num}行目の {column} ") from error
    return tuple(rows)


def _read_summary(path: Path) -> Summary:
    text = _read_text(path)
    try:
        content: Any = json.loads(text)
        return Summary.model_validate(content)
    except (json.JSONDecodeError, ValidationError) as error:
        raise _damaged(path, "内容") from error


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"{path}: 読み取り結果のファイルがありません。saiten read の出力フォルダーを指定してください。"
        ) from error
    except UnicodeDecodeError as error:
        raise _damaged(path, "文字コード") from error


def _damaged(path: Path, what: str) -> InputError:
    return InputError(f"{path}: {what}が読み取り結果の形になっていません。saiten read をやり直してください。")


def _find_crops(folder: Path) -> dict[tuple[str, str], Path]:
    """The crops by question and sheet.

    The folder is listed and its names are decoded, rather than names made from ids: no id, however it is
    written, can then lead to a file outside the folder.
    """
    return {
        (unquote(path.parent.name), unquote(path.stem)): path
        for path in folder.glob("*/*.png")
        if path.is_file() and path.resolve().is_relative_to(folder.resolve())
    }
