"""An exam (試験): its heading, its questions with key (正答) and points (配点), and the sheet that follows from it."""

from __future__ import annotations

import base64
import datetime
import hashlib
import re
import unicodedata
from decimal import Decimal
from typing import Annotated, Any, Self, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from omr.design import Orientation, Paper, QuestionDesign, SheetDesign, Writing
from omr.layout import QuestionKind
from omr.mark_lines import CancelledMarks
from scoring.answer_switches import AnswerSwitches  # noqa: TC001  (pydantic reads it)
from scoring.points import check_points

_EXAM_ID = re.compile(r"[A-Z0-9-]{1,20}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _text(longest: int, *, line_breaks: str = "") -> BeforeValidator:
    """A validator for a text of 1 to `longest` characters, trimmed, without control characters."""

    def check(value: object) -> str:
        if not isinstance(value, str):
            raise ValueError('文字列を " で囲んで書いてください')  # noqa: TRY004  (pydantic collects ValueError)
        text = value.strip()
        if not text:
            raise ValueError("空のままです。文字を書いてください")
        if len(text) > longest:
            raise ValueError(f"{longest}文字以内にしてください（今は{len(text)}文字）")
        if any(_is_control(character) for character in text if character not in line_breaks):
            raise ValueError("改行やタブなどの見えない文字は使えません。取り除いてください")
        return text

    return BeforeValidator(check)


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}


def _whole_number(largest: int) -> BeforeValidator:
    def check(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= largest:
            raise ValueError(f'1 から {largest} までの整数を、" で囲まずに書いてください')
        return value

    return BeforeValidator(check)


def _number_as_text(value: object) -> object:
    """Answers and labels may be written as plain numbers: 3 is "3"."""
    if isinstance(value, Decimal):
        if not value.is_finite() or "E" in str(value):
            raise ValueError('この数は " で囲んで、答えのとおりの文字列で書いてください')
        return str(value)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _as_list(value: object) -> object:
    """A bare text or number stands for a list of one."""
    return [value] if isinstance(value, str | int | Decimal) else value


def _as_lists(value: object) -> object:
    """Each accepted answer is a list of labels or texts; a bare one stands for a list of one."""
    listed = _as_list(value)
    return [_as_list(one) for one in listed] if isinstance(listed, list | tuple) else listed


def _check_exam_id(value: object) -> str:
    if not isinstance(value, str) or not _EXAM_ID.fullmatch(value):
        raise ValueError("半角の大文字 A–Z、数字 0–9、ハイフン - だけを使い、1〜20文字にしてください")
    return value


def _check_date(value: object) -> datetime.date:
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            return datetime.date.fromisoformat(value)
        except ValueError:
            raise ValueError(f"{value} という日はありません。日付を確かめてください") from None
    raise ValueError("日付を 年4桁-月2桁-日2桁 の形で書いてください")


Label: TypeAlias = Annotated[str, _text(20), BeforeValidator(_number_as_text)]
Answer: TypeAlias = Annotated[str, _text(5000, line_breaks="\n\r\t"), BeforeValidator(_number_as_text)]
ExamId: TypeAlias = Annotated[str, BeforeValidator(_check_exam_id)]
Points: TypeAlias = Annotated[Decimal, BeforeValidator(check_points)]


class Question(BaseModel):
    """One question (設問).

    Attributes:
        id: unique in the exam, 1–32 characters.
        section: the 大問.
        kind: what a pupil does.
        choices: labels of the bubbles of a choice; for a symbol the characters that can occur.
        answer: for a choice all labels that must be marked; otherwise the model answer, one text; empty
            where there is none (essay, drawing) or it is not decided yet.
        accept: further right answers (別解), each as `answer`.
        points: at most two decimals, exact.
        viewpoint: the 観点.
        characters: manuscript squares (字数) of a text or essay.
        lines: ruled lines of an essay.
        unit: printed behind the box of a number or text.
        compare: what counts as the same written answer, where it differs from the rest of the exam.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, _text(32)]
    section: Annotated[str, _text(20)] | None = None
    kind: QuestionKind
    choices: Annotated[tuple[Label, ...], BeforeValidator(_as_list)] = ()
    answer: Annotated[tuple[Answer, ...], BeforeValidator(_as_list)] = ()
    accept: Annotated[tuple[tuple[Answer, ...], ...], BeforeValidator(_as_lists)] = ()
    points: Points
    viewpoint: Annotated[str, _text(50)] | None = None
    characters: Annotated[int, _whole_number(2000)] | None = None
    lines: Annotated[int, _whole_number(100)] | None = None
    unit: Annotated[str, _text(10)] | None = None
    compare: AnswerSwitches | None = None

    @property
    def right_answers(self) -> tuple[tuple[str, ...], ...]:
        """The answer and all accepted ones; empty where the answer is not decided yet."""
        return (self.answer, *self.accept) if self.answer else ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        _check_choices(self)
        _check_key(self)
        _check_box(self)
        return self


def default_exam_id(heading: dict[str, Any]) -> str:
    """The id of an exam that has none: its date and a digest of subject, title and date.

    Args:
        heading: the fields `title`, `subject` and `date` of an exam.
    """
    date = heading.get("date")
    text = "\n".join(
        (heading.get("subject") or "", heading.get("title", ""), date.isoformat() if date else "")
    )
    digest = hashlib.sha256(unicodedata.normalize("NFC", text).encode()).digest()
    letters = base64.b32encode(digest).decode()[:10]
    return f"{date:%Y%m%d}-{letters}" if date else letters


class Exam(BaseModel):
    """A whole exam; `id` is made from subject, title and date where it is not given.

    `cancelled_marks` says what becomes of a choice where one of two marks is crossed out or scribbled over;
    `compare` says what counts as the same written answer.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: Annotated[str, _text(100)]
    subject: Annotated[str, _text(30)] | None = None
    date: Annotated[datetime.date, BeforeValidator(_check_date)] | None = None
    paper: Paper = Paper.A4
    orientation: Orientation = Orientation.PORTRAIT
    writing: Writing = Writing.HORIZONTAL
    cancelled_marks: CancelledMarks = CancelledMarks.DOUBTFUL
    compare: AnswerSwitches | None = None
    id: ExamId = Field(default_factory=default_exam_id)
    questions: tuple[Question, ...]

    @property
    def max_points(self) -> Decimal:
        """The points of all questions together."""
        return sum((question.points for question in self.questions), Decimal(0))

    @model_validator(mode="after")
    def _check(self) -> Self:
        if "id" not in self.model_fields_set:
            # Two exams with the same default id would take each other's sheets for their own.
            for key, value in (("subject", self.subject), ("date", self.date)):
                if value is None:
                    raise _fault(f"{key} がありません。書くか、代わりに試験の id を付けてください", key)
        if not self.questions:
            raise _fault("設問が1つもありません", "questions")
        seen: dict[str, int] = {}
        for index, question in enumerate(self.questions):
            if question.id in seen:
                first = seen[question.id] + 1
                raise _fault(
                    f"設問の id「{question.id}」が2回使われています（{first}番目と{index + 1}番目の設問）。"
                    "設問ごとに違う id にしてください",
                    "questions",
                    index,
                    "id",
                )
            seen[question.id] = index
        return self


def design_sheet(exam: Exam) -> SheetDesign:
    """What the printed sheet needs of an exam; key, points and viewpoints play no part."""
    return SheetDesign(
        exam_id=exam.id,
        title=exam.title,
        subject=exam.subject or "",
        date=f"{exam.date.year}年{exam.date.month}月{exam.date.day}日" if exam.date else "",
        paper=exam.paper,
        orientation=exam.orientation,
        writing=exam.writing,
        questions=tuple(
            QuestionDesign(
                id=question.id,
                kind=question.kind,
                section=question.section,
                choices=question.choices if question.kind is QuestionKind.CHOICE else (),
                characters=question.characters,
                lines=question.lines,
                unit=question.unit,
            )
            for question in exam.questions
        ),
    )


def _fault(sentence: str, *place: str | int) -> PydanticCustomError:
    """A fault that spans several fields, told at `place` (keys and indices from the checked model)."""
    return PydanticCustomError("exam", "{sentence}", {"sentence": sentence, "place": place})


def _check_choices(question: Question) -> None:
    kind, choices = question.kind, question.choices
    if kind is QuestionKind.CHOICE and not choices:
        raise _fault(
            'choice の設問には choices（選択肢）が必要です（例: choices = ["ア", "イ", "ウ"]）', "choices"
        )
    if choices and kind not in {QuestionKind.CHOICE, QuestionKind.SYMBOL}:
        raise _fault(f"choices は choice と symbol の設問で使います。{kind} では消してください", "choices")
    for index, label in enumerate(choices):
        if label in choices[:index]:
            raise _fault(f"選択肢「{label}」が2回あります。1つにしてください", "choices", index)
        if kind is QuestionKind.CHOICE and ";" in label:
            raise _fault("選択肢に ; は使えません（結果のファイルで区切りに使います）", "choices", index)
        if kind is QuestionKind.SYMBOL and not _is_one_character(label):
            raise _fault(f"symbol の choices は1文字ずつ書いてください（「{label}」）", "choices", index)


def _check_key(question: Question) -> None:
    if "answer" not in question.model_fields_set and question.kind not in {
        QuestionKind.ESSAY,
        QuestionKind.DRAWING,
    }:
        raise _fault(
            'answer（正答）がありません（例: answer = ["イ"]）。まだ決まっていなければ answer = [] と書いてください',
            "answer",
        )
    if question.accept and not question.answer:
        raise _fault("accept（別解）があるのに answer（正答）が空です。answer も書いてください", "answer")
    _check_right_answer(question, question.answer, "answer")
    for index, accepted in enumerate(question.accept):
        if not accepted:
            raise _fault("accept（別解）に空のものがあります。消してください", "accept", index)
        _check_right_answer(question, accepted, "accept", index)


def _check_right_answer(question: Question, right: tuple[str, ...], *place: str | int) -> None:
    """Check one right answer: `answer` itself or one entry of `accept`."""
    if question.kind is not QuestionKind.CHOICE and len(right) > 1:
        raise _fault(
            f"{question.kind} の設問では、正答は1つの文字列です。ほかの正答は accept（別解）に1つずつ書いてください",
            *place,
        )
    for index, text in enumerate(right):
        if text in right[:index]:
            raise _fault(f"「{text}」が2回あります。1つにしてください", *place, index)
        if question.choices and text not in question.choices:
            raise _fault(
                f"「{text}」は choices（{'・'.join(question.choices)}）にありません。どちらかを直してください",
                *place,
                index,
            )
        if question.kind is QuestionKind.SYMBOL and not _is_one_character(text):
            raise _fault(
                f"symbol の正答は1文字です（「{text}」）。2文字以上なら kind を text に", *place, index
            )


def _check_box(question: Question) -> None:
    allowed = {
        "characters": {QuestionKind.TEXT, QuestionKind.ESSAY},
        "lines": {QuestionKind.ESSAY},
        "unit": {QuestionKind.NUMBER, QuestionKind.TEXT},
        "compare": {QuestionKind.SYMBOL, QuestionKind.NUMBER, QuestionKind.TEXT},
    }
    for key, kinds in allowed.items():
        if getattr(question, key) is not None and question.kind not in kinds:
            names = " と ".join(kind for kind in QuestionKind if kind in kinds)
            raise _fault(f"{key} は {names} の設問で使います。{question.kind} では消してください", key)
    if question.characters is not None and question.lines is not None:
        raise _fault("characters（字数）と lines（行数）は、どちらか一方だけにしてください", "lines")


def _is_one_character(text: str) -> bool:
    return len(unicodedata.normalize("NFC", text)) == 1
