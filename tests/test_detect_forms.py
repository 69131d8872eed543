"""Every answer place of sheets drawn as teachers make them: found where it stands, with its number, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from omr.geometry import Rectangle
from scoring.detection import detect_sheet
from scoring.exam_file import read_exam
from tests.teacher_forms_decorated import teacher_forms

if TYPE_CHECKING:
    from pathlib import Path

    from omr.layout import Layout

_TOLERANCE_MM = 1.0  # a place over a line or between brackets has no printed upper edge


def found_places(layout: Layout) -> dict[str, Rectangle]:
    """Boxes by the name of their question, bubbles as name=label."""
    places = {}
    for _, question in layout.questions():
        if question.box:
            places[question.id] = question.box
        for bubble in question.bubbles:
            places[f"{question.id}={bubble.label}"] = Rectangle(bubble.x, bubble.y, bubble.w, bubble.h)
    return places


@pytest.mark.parametrize("name", list(teacher_forms()))
def test_every_answer_of_a_pdf_is_found_with_its_name(tmp_path: Path, name: str) -> None:
    form = teacher_forms()[name](tmp_path / "sheet.pdf")
    form.save()
    found = found_places(detect_sheet(form.path, tmp_path / "layout.json").layout)
    assert sorted(found) == sorted(form.places)
    for answer, truth in form.places.items():
        assert _edges(found[answer]) == pytest.approx(_edges(truth), abs=_TOLERANCE_MM), answer


@pytest.mark.parametrize("name", ["model-answers", "red-answers"])
def test_typed_model_answers_are_proposed_in_the_draft(tmp_path: Path, name: str) -> None:
    form = teacher_forms()[name](tmp_path / "sheet.pdf")
    form.save()
    detect_sheet(form.path, tmp_path / "layout.json", tmp_path / "exam.toml")
    exam = read_exam(tmp_path / "exam.toml")
    proposed = {one.id: one.answer for one in exam.questions if one.answer}
    assert proposed == {question: (answer,) for question, answer in form.model_answers.items()}


def _edges(box: Rectangle) -> tuple[float, float, float, float]:
    return box.x, box.y, box.right, box.bottom
