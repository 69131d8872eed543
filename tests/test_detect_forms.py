"""Every answer place of sheets drawn as teachers make them: found where it stands, with its number, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from omr.design import Paper
from omr.geometry import Rectangle
from omr.photographed_page import flatten_photograph
from sample_scans.scanner import ScannerModel, scan
from scoring.detection import describe_detection, detect_sheet
from scoring.exam_file import read_exam
from tests.ruled_sheets import photographed
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


def test_a_photograph_is_flattened_and_becomes_the_reference(tmp_path: Path) -> None:
    form = teacher_forms()["science"](tmp_path / "sheet.pdf")
    form.save()
    Image.fromarray(photographed(form.picture(250), 3)).save(tmp_path / "photo.jpg", quality=90)
    report = detect_sheet(tmp_path / "photo.jpg", tmp_path / "layout.json", paper=Paper.A4)
    assert report.layout.reference == "layout.upright.png"
    found = [_edges(box) for box in found_places(report.layout).values()]
    for answer, truth in form.places.items():
        assert any(box == pytest.approx(_edges(truth), abs=2.0) for box in found), answer


# Without its text layer a sheet's numbers are read from the picture: nearly all, and never relied upon.
@pytest.mark.parametrize(
    ("name", "quarter_turns"),
    [("two-columns", 0), ("science", 1), ("viewpoints", 2), ("social", 3), ("mathematics", 0)],
)
def test_a_scan_in_any_quarter_turn_gives_the_same_boxes_without_those_for_name_and_score(
    tmp_path: Path, name: str, quarter_turns: int
) -> None:
    form = teacher_forms()[name](tmp_path / "sheet.pdf")
    form.save()
    model = ScannerModel(skew_deg=1.7, noise=4.0, paper=236, quarter_turns=quarter_turns)
    picture = scan(form.picture(300), 300, model, np.random.default_rng(5))
    Image.fromarray(picture).save(tmp_path / "scan.png", dpi=(200, 200))
    report = detect_sheet(tmp_path / "scan.png", tmp_path / "layout.json")
    found = found_places(report.layout)
    assert len(found) == len(form.places)
    places = [_edges(box) for box in found.values()]
    for answer, truth in form.places.items():
        assert any(box == pytest.approx(_edges(truth), abs=_TOLERANCE_MM) for box in places), answer
    assert "画像から読み取りました" in describe_detection(report, tmp_path / "layout.json")


def test_the_numbers_on_a_scan_name_its_boxes(tmp_path: Path) -> None:
    form = teacher_forms()["dotted-halves"](tmp_path / "sheet.pdf")
    form.save()
    picture = scan(form.picture(300), 300, ScannerModel(skew_deg=-1.2), np.random.default_rng(6))
    Image.fromarray(picture).save(tmp_path / "scan.png", dpi=(200, 200))
    found = found_places(detect_sheet(tmp_path / "scan.png", tmp_path / "layout.json").layout)
    assert sorted(found) == sorted(form.places)


@settings(max_examples=15, deadline=None)
@given(lean=st.floats(0, 0.08), seed=st.integers(0, 1000))
def test_the_corners_of_any_photographed_sheet_are_found(lean: float, seed: int) -> None:
    page = np.full((1400, 990), 255, np.uint8)
    page[200:1200, 100:104] = page[200:204, 100:900] = 0
    flat = flatten_photograph(photographed(page, seed, lean))
    assert flat is not None
    rows, columns = np.nonzero(flat < 110)
    inner = (rows > 30) & (rows < len(flat) - 30) & (columns > 30)
    size = np.array(flat.shape)
    first = np.array([rows[inner].min(), columns[inner].min()]) / size * page.shape
    assert first == pytest.approx((200, 100), abs=9)  # 2 mm


def test_a_scan_is_no_photograph() -> None:
    page = np.full((1400, 990), 235, np.uint8)
    page[200:1200, 100:104] = page[200:204, 100:900] = 0
    assert flatten_photograph(page) is None
    assert flatten_photograph(np.zeros((1, 1), np.uint8)) is None


def _edges(box: Rectangle) -> tuple[float, float, float, float]:
    return box.x, box.y, box.right, box.bottom
