"""The sample exam as its maker needs it: the sheet's design, the keys, and what pupils may write."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from omr.compose import compose_layout
from omr.design import SheetDesign, SheetOwner
from scoring.exam import Exam, design_sheet
from scoring.exam_file import read_exam
from scoring.roster import read_roster

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from omr.layout import Layout, QuestionKind

FOLDER = Path(__file__).parent
CLASS_SIZE = 40


@dataclass(frozen=True, slots=True)
class SampleQuestion:
    """One question and everything that can be answered to it.

    Attributes:
        id: as on the sheet.
        kind: of the answer region.
        page: of the sheet, from 1.
        labels: bubbles of a choice question.
        right: right answers, the model first; for choice, the labels of each joined with `;`.
        partial: answers that are worth a part.
        wrong: other answers.
    """

    id: str
    kind: QuestionKind
    page: int
    labels: tuple[str, ...]
    right: tuple[str, ...]
    partial: tuple[str, ...]
    wrong: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SampleExam:
    """An exam whose scans are made."""

    exam: Exam
    design: SheetDesign
    layout: Layout
    questions: tuple[SampleQuestion, ...]


def load_sample_exam(subject: int = 1) -> SampleExam:
    """The sample exam; from subject 2 on, the same questions under another exam id and title."""
    exam = read_exam(FOLDER / "exam.toml")
    if subject > 1:
        title = f"2学期期末考査 教科{subject}"
        changes = {"id": f"2026-2F-SUB{subject}", "title": title, "subject": f"教科{subject}"}
        exam = exam.model_copy(update=changes)
    design = design_sheet(exam)
    layout = compose_layout(design)
    return SampleExam(exam, design, layout, tuple(_questions(exam, layout)))


def load_owners(count: int) -> tuple[SheetOwner, ...]:
    """The students of `roster.csv`; beyond 40, further classes of the same grade."""
    owners = read_roster(FOLDER / "roster.csv").owners()
    for place in range(len(owners), count):
        group, number = divmod(place, CLASS_SIZE)
        student_id, name = str(2300 + place + 1), f"{place + 1:03d}"
        owners.append(
            SheetOwner(student_id, "2", str(3 + group), str(number + 1), f"見本 {name}", f"ミホン {name}")
        )
    return tuple(owners[:count])


def roster_csv(owners: Sequence[SheetOwner]) -> str:
    """ROSTER.csv for the students."""
    rows = ["student_id,grade,class,number,name,kana"]
    rows += [f"{o.student_id},{o.grade},{o.class_name},{o.number},{o.name},{o.kana}" for o in owners]
    return "\n".join(rows) + "\n"


def _questions(exam: Exam, layout: Layout) -> Iterator[SampleQuestion]:
    bank = tomllib.loads((FOLDER / "pupil_answers.toml").read_text(encoding="utf-8"))
    keys = {question.id: question for question in exam.questions}
    for page, place in layout.questions():
        written = bank.get(place.id, {})
        known = tuple(";".join(labels) for labels in keys[place.id].right_answers)
        yield SampleQuestion(
            id=place.id,
            kind=place.kind,
            page=page.number,
            labels=tuple(bubble.label for bubble in place.bubbles),
            right=(*known, *written.get("right", ())),
            partial=tuple(written.get("partial", ())),
            wrong=tuple(written.get("wrong", ())),
        )
