"""The sample exam as its maker needs it: the sheet's design, the keys, and what pupils may write."""

from __future__ import annotations

import csv
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omr.compose import compose_layout
from omr.design import Orientation, Paper, QuestionDesign, SheetDesign, SheetOwner, Writing
from omr.layout import Layout, QuestionKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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

    toml: str
    design: SheetDesign
    layout: Layout
    questions: tuple[SampleQuestion, ...]


def load_sample_exam(subject: int = 1) -> SampleExam:
    """The sample exam; from subject 2 on, the same questions under another exam id and title."""
    toml = (FOLDER / "exam.toml").read_text(encoding="utf-8")
    if subject > 1:
        toml = toml.replace('"2026-2F-SCI2"', f'"2026-2F-SUB{subject}"')
        toml = toml.replace('"2学期期末考査 理科"', f'"2学期期末考査 教科{subject}"')
    plain = tomllib.loads(toml)
    design = _design(plain)
    layout = compose_layout(design)
    return SampleExam(toml, design, layout, tuple(_questions(plain, layout)))


def load_owners(count: int) -> tuple[SheetOwner, ...]:
    """The students of `roster.csv`; beyond 40, further classes of the same grade."""
    with (FOLDER / "roster.csv").open(encoding="utf-8", newline="") as file:
        owners = [
            SheetOwner(row["student_id"], row["grade"], row["class"], row["number"], row["name"], row["kana"])
            for row in csv.DictReader(file)
        ]
    for place in range(len(owners), count):
        group, number = divmod(place, CLASS_SIZE)
        name = f"{place + 1:03d}"
        owners.append(
            SheetOwner(
                f"{2300 + place + 1}", "2", str(3 + group), str(number + 1), f"見本 {name}", f"ミホン {name}"
            )
        )
    return tuple(owners[:count])


def roster_csv(owners: Sequence[SheetOwner]) -> str:
    """ROSTER.csv for the students."""
    rows = ["student_id,grade,class,number,name,kana"]
    rows += [f"{o.student_id},{o.grade},{o.class_name},{o.number},{o.name},{o.kana}" for o in owners]
    return "\n".join(rows) + "\n"


def _design(plain: dict[str, Any]) -> SheetDesign:
    exam = plain["exam"]
    questions = tuple(
        QuestionDesign(
            id=question["id"],
            kind=QuestionKind(question["kind"]),
            section=question.get("section"),
            choices=tuple(question.get("choices", ())) if question["kind"] == QuestionKind.CHOICE else (),
            characters=question.get("characters"),
            lines=question.get("lines"),
            unit=question.get("unit"),
        )
        for question in plain["question"]
    )
    return SheetDesign(
        exam_id=exam["id"],
        title=exam["title"],
        subject=exam["subject"],
        date=exam["date"].isoformat(),
        paper=Paper(exam["paper"]),
        orientation=Orientation(exam["orientation"]),
        writing=Writing.HORIZONTAL,
        questions=questions,
    )


def _questions(plain: dict[str, Any], layout: Layout) -> Iterator[SampleQuestion]:
    bank = tomllib.loads((FOLDER / "pupil_answers.toml").read_text(encoding="utf-8"))
    keys = {question["id"]: question for question in plain["question"]}
    for page, place in layout.questions():
        key, written = keys[place.id], bank.get(place.id, {})
        model, accepted = tuple(key.get("answer", ())), tuple(key.get("accept", ()))
        is_choice = place.kind is QuestionKind.CHOICE
        right = (";".join(model), *accepted) if is_choice else (*model, *accepted, *written.get("right", ()))
        yield SampleQuestion(
            id=place.id,
            kind=place.kind,
            page=page.number,
            labels=tuple(bubble.label for bubble in place.bubbles),
            right=right,
            partial=tuple(written.get("partial", ())),
            wrong=tuple(written.get("wrong", ())),
        )
