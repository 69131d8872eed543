"""The answer places on ten sheets made in LibreOffice, against the truth measured on their coloured twins."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from omr.design import Writing
from omr.geometry import Rectangle
from omr.layout import QuestionKind
from omr.scan_file import open_scan
from scoring.detection import detect_sheet
from scoring.exam_file import read_exam
from tests.ruled_sheets import scanned, turned
from tests.teacher_documents import PrintedDocument, print_documents
from tests.teacher_sheets import teacher_sheets

if TYPE_CHECKING:
    from pathlib import Path

    from omr.layout import Layout

pytestmark = pytest.mark.system

_TOLERANCE_MM = 0.7
_TYPED = "brackets-underlines"


@pytest.fixture(scope="session")
def printed(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> dict[str, PrintedDocument]:
    """All sheets as PDF; where tests run in several processes, the first prints for all."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "teacher_sheets"
    result = folder / "printed.json"
    try:
        folder.mkdir()
    except FileExistsError:
        deadline = time.monotonic() + 320
        while not result.exists():
            assert time.monotonic() < deadline, "the sheets were not printed"
            time.sleep(0.2)
        return _load(folder, result)
    documents = print_documents(teacher_sheets(), folder)
    truth = {
        name: {one: asdict(box) for one, box in document.truth.items()}
        for name, document in documents.items()
    }
    (folder / "unfinished.json").write_text(json.dumps(truth), encoding="utf-8")
    (folder / "unfinished.json").rename(result)
    return documents


def _load(folder: Path, result: Path) -> dict[str, PrintedDocument]:
    return {
        name: PrintedDocument(folder / f"{name}.pdf", {one: Rectangle(**box) for one, box in truth.items()})
        for name, truth in json.loads(result.read_text(encoding="utf-8")).items()
    }


def found_places(layout: Layout) -> dict[str, Rectangle]:
    """Boxes by the name of their question, bubbles as name=label."""
    places = {}
    for _, question in layout.questions():
        if question.box:
            places[question.id] = question.box
        for bubble in question.bubbles:
            places[f"{question.id}={bubble.label}"] = Rectangle(bubble.x, bubble.y, bubble.w, bubble.h)
    return places


@pytest.mark.parametrize("name", [name for name in teacher_sheets() if name != _TYPED])
def test_every_answer_is_found_where_it_stands_and_nothing_else(
    printed: dict[str, PrintedDocument], tmp_path: Path, name: str
) -> None:
    sheet = printed[name]
    found = found_places(detect_sheet(sheet.path, tmp_path / "layout.json").layout)
    assert sorted(found) == sorted(sheet.truth)
    for answer, truth in sheet.truth.items():
        box = found[answer]
        if "=" in answer:  # a typed circle stands inside the space of its character
            assert box.centre == pytest.approx(truth.centre, abs=_TOLERANCE_MM)
        else:
            assert _edges(box) == pytest.approx(_edges(truth), abs=_TOLERANCE_MM), answer


def test_brackets_and_answer_lines_become_boxes(printed: dict[str, PrintedDocument], tmp_path: Path) -> None:
    sheet = printed[_TYPED]
    layout = detect_sheet(sheet.path, tmp_path / "layout.json").layout
    found = found_places(layout)
    assert sorted(found) == sorted(sheet.truth)
    assert {question.kind for _, question in layout.questions()} == {QuestionKind.TEXT}
    for answer, truth in sheet.truth.items():
        box = found[answer]
        assert (box.x, box.right) == pytest.approx((truth.x, truth.right), abs=_TOLERANCE_MM), answer
        assert box.y <= truth.y + _TOLERANCE_MM, answer
        assert box.bottom == pytest.approx(truth.bottom, abs=1.5), answer
        assert box.h >= 3


def test_a_sheet_in_vertical_writing_is_drafted_as_one(
    printed: dict[str, PrintedDocument], tmp_path: Path
) -> None:
    for name, writing in (("vertical-japanese", Writing.VERTICAL), ("two-halves", Writing.HORIZONTAL)):
        detect_sheet(printed[name].path, tmp_path / "layout.json", tmp_path / "exam.toml")
        assert read_exam(tmp_path / "exam.toml").writing is writing


@pytest.mark.parametrize("skew", [-8, -5, 3, 8])
@pytest.mark.parametrize("name", ["merged-sections", "two-halves"])
def test_skewed_scans_of_documents_are_read_as_well(
    printed: dict[str, PrintedDocument], tmp_path: Path, name: str, skew: int
) -> None:
    sheet = printed[name]
    with open_scan(sheet.path) as scan:
        picture = scan.read_page(0).gray
    scanned_page = scanned(turned(picture, skew), seed=skew + 10)
    Image.fromarray(scanned_page).save(tmp_path / "scan.png", dpi=(200, 200))
    layout = detect_sheet(tmp_path / "scan.png", tmp_path / "layout.json").layout
    found = [_edges(question.box) for _, question in layout.questions() if question.box]
    for answer, truth in sheet.truth.items():
        assert any(box == pytest.approx(_edges(truth), abs=_TOLERANCE_MM) for box in found), answer


def _edges(box: Rectangle) -> tuple[float, float, float, float]:
    return box.x, box.y, box.right, box.bottom
