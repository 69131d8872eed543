"""A teacher's own sheet without marks: found by its print, read right or doubtful, or set aside."""

from __future__ import annotations

import csv
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from PIL import Image

from api.command_line import run
from omr.geometry import Rectangle, apply
from omr.layout import Layout, PageLayout, QuestionKind, QuestionLayout, write_layout
from omr.page import Page
from omr.read_page import ReadingPlan, read_page
from omr.reading import PageReading, PageStatus, ReadingStatus
from omr.reference import load_reference
from sample_scans.scanner import Condition, ScannerModel, draw_model, page_to_scan, scan
from tests.own_sheets import PRINT_DPI, OwnSheet, Truth, fill_page, make_own_sheet
from tests.ruled_sheets import RuledSheet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from omr.pixels import Gray

_CORNERS = np.array([(5.0, 5.0), (205.0, 5.0), (205.0, 292.0), (5.0, 292.0), (105.0, 150.0)])


@pytest.fixture(scope="module")
def sheet(tmp_path_factory: pytest.TempPathFactory) -> OwnSheet:
    return make_own_sheet(tmp_path_factory.mktemp("own"), pages=2)


@pytest.fixture(scope="module")
def plan(sheet: OwnSheet) -> ReadingPlan:
    plan = ReadingPlan(sheet.layout, "OWN", reference=load_reference(sheet.layout, sheet.layout_path))
    assert plan.own_sheet.pages
    return plan


def _doubtful(reading: PageReading) -> int:
    return sum(answer.status is ReadingStatus.DOUBTFUL for answer in reading.answers)


def _check_never_wrong(reading: PageReading, truth: Truth) -> int:
    """That no answer is wrong; the number of answers that a machine could have told and did not."""
    undecided = 0
    for answer in reading.answers:
        if answer.kind is QuestionKind.CHOICE:
            undecided += answer.status is ReadingStatus.DOUBTFUL
            if answer.status is not ReadingStatus.DOUBTFUL:
                assert answer.labels == truth.marked[answer.question], answer
        elif answer.question in truth.written:
            assert answer.status is ReadingStatus.DOUBTFUL, answer
        else:
            undecided += answer.status is ReadingStatus.DOUBTFUL
    return undecided


def _error_mm(reading: PageReading, model: ScannerModel) -> float:
    assert reading.registration is not None
    found = apply(reading.registration.transform, _CORNERS)
    true = apply(page_to_scan(model, 210, 297), _CORNERS)
    return float(np.linalg.norm(found - true, axis=1).max()) / reading.registration.scale


@pytest.mark.parametrize("condition", list(Condition))
def test_a_page_is_found_and_read_however_it_lies(
    sheet: OwnSheet, plan: ReadingPlan, condition: Condition
) -> None:
    random = np.random.default_rng(list(Condition).index(condition))
    page = int(random.integers(2))
    canvas, truth = fill_page(sheet, page, random)
    model = replace(
        draw_model(condition, random),
        skew_deg=random.uniform(-8, 8),
        scale=random.uniform(0.9, 1.0),
        aspect=random.uniform(0.985, 1.015),
        quarter_turns=int(random.integers(4)),
    )
    reading = read_page(Page(scan(canvas, PRINT_DPI, model, random)), plan, page)
    assert reading.status is PageStatus.READ, reading.reason
    assert reading.sheet_page == page + 1
    assert reading.registration is not None
    assert _error_mm(reading, model) < 0.4
    assert reading.registration.rotation == -model.quarter_turns * 90 % 360
    assert reading.registration.skew_deg == pytest.approx(model.skew_deg, abs=0.15)
    assert reading.registration.residual_mm is not None
    assert reading.registration.residual_mm < 0.3
    undecided = _check_never_wrong(reading, truth)
    assert undecided <= (12 if condition is Condition.STREAKED else 4)


def test_pages_are_told_apart_whatever_their_order(sheet: OwnSheet, plan: ReadingPlan) -> None:
    random = np.random.default_rng(5)
    for page in (0, 1):
        picture = scan(sheet.pages[page], PRINT_DPI, ScannerModel(skew_deg=1), random)
        readings = [read_page(Page(picture), plan, expected) for expected in (0, 1)]
        assert [reading.sheet_page for reading in readings] == [page + 1, page + 1]
        assert {answer.status for answer in readings[0].answers} == {ReadingStatus.BLANK}


def test_other_paper_is_set_aside_and_an_empty_back_is_blank(tmp_path: Path, plan: ReadingPlan) -> None:
    other = RuledSheet(tmp_path / "other.pdf")
    other.text(20, 30, "学年だより　第３号", 20)
    for row in range(8):
        other.label(30, 60 + 20 * row, 20, 14, f"第{row}回")
        other.frame(50, 60 + 20 * row, 120, 14)
    other.save()
    reading = read_page(Page(scan(other.picture(), 200, ScannerModel(), np.random.default_rng(1))), plan)
    assert reading.status is PageStatus.QUARANTINED
    assert "印刷が空の解答用紙と合いません" in reading.reason
    empty = scan(np.full((2339, 1654), 255, np.uint8), 200, ScannerModel(dust=8), np.random.default_rng(2))
    assert read_page(Page(empty), plan).status is PageStatus.BLANK


def test_a_sheet_that_looks_the_same_upside_down_is_not_guessed(tmp_path: Path) -> None:
    sheet = RuledSheet(tmp_path / "解答用紙.pdf")
    for column in range(2):
        for row in range(9):
            sheet.frame(22 + 86 * column, 27 + 27.5 * row, 80, 23)
    sheet.save()
    question = QuestionLayout("1", QuestionKind.TEXT, box=Rectangle(22, 27, 80, 23))
    layout = Layout((PageLayout(1, 210, 297, (question,)),), reference="解答用紙.pdf")
    plan = ReadingPlan(layout, "OWN", reference=load_reference(layout, tmp_path / "layout.json"))
    gray = scan(sheet.picture(), 200, ScannerModel(skew_deg=0.5), np.random.default_rng(1))
    reading = read_page(Page(gray), plan)
    assert reading.status is PageStatus.QUARANTINED
    assert "向きかページを" in reading.reason


def _torn(gray: Gray) -> Gray:
    high, wide = gray.shape
    cv2.fillPoly(gray, [np.array([(wide, high), (wide, high * 4 // 5), (wide // 3, high)])], 255)
    return gray


def _covered(gray: Gray) -> Gray:
    high, wide = gray.shape
    gray[high // 6 : high // 4, wide // 10 : wide // 2] = 236
    return gray


def _dimmed(gray: Gray) -> Gray:
    return np.asarray(gray * 0.45, np.uint8)


def _stained(gray: Gray) -> Gray:
    stain = np.zeros(gray.shape, np.float32)
    cv2.circle(stain, (gray.shape[1] // 3, gray.shape[0] // 2), gray.shape[1] // 5, 90, 30)
    return np.asarray(np.clip(gray - cv2.GaussianBlur(stain, (0, 0), 5), 0, 255), np.uint8)


def _stretched(gray: Gray) -> Gray:
    """Fed unevenly: 1.2 mm too far down in the middle of the page."""
    high, wide = gray.shape
    y = np.arange(high, dtype=np.float32)
    y -= np.float32(1.2 * 200 / 25.4) * np.sin(np.pi * y / high) ** 2
    rows = np.repeat(y[:, None], wide, axis=1)
    columns = np.repeat(np.arange(wide, dtype=np.float32)[None], high, axis=0)
    return np.asarray(cv2.remap(gray, columns, rows, cv2.INTER_LINEAR), np.uint8)


@pytest.mark.parametrize("alter", [_torn, _covered, _dimmed, _stained, _stretched])
def test_a_spoilt_page_changes_no_answer_in_silence(
    sheet: OwnSheet, plan: ReadingPlan, alter: Callable[[Gray], Gray]
) -> None:
    random = np.random.default_rng(11)
    canvas, truth = fill_page(sheet, 0, random)
    gray = alter(scan(canvas, PRINT_DPI, ScannerModel(skew_deg=0.7), random))
    reading = read_page(Page(gray), plan)
    assert reading.status is PageStatus.READ, reading.reason
    _check_never_wrong(reading, truth)
    if alter in (_dimmed, _stretched):
        assert _doubtful(reading) <= len(truth.written) + 2


def test_a_covered_box_is_doubtful_though_it_looks_empty(sheet: OwnSheet, plan: ReadingPlan) -> None:
    gray = sheet.pages[0].copy()
    question = sheet.layout.pages[0].questions[3]
    assert question.box is not None
    note = question.box.expanded(4)
    x, y, w, h = (round(side * PRINT_DPI / 25.4) for side in (note.x, note.y, note.w, note.h))
    gray[y : y + h, x : x + w] = 250
    reading = read_page(Page(scan(gray, PRINT_DPI, ScannerModel(), np.random.default_rng(3))), plan)
    assert reading.answers[3].status is ReadingStatus.DOUBTFUL


def test_saiten_read_takes_an_own_sheet(sheet: OwnSheet, tmp_path: Path) -> None:
    exam = tmp_path / "exam.toml"
    _write_exam(sheet, exam)
    random = np.random.default_rng(21)
    pictures, truths = [], []
    for number in range(4):
        canvas, truth = fill_page(sheet, number % 2, random)
        model = ScannerModel(skew_deg=random.uniform(-3, 3), quarter_turns=2 * (number == 2))
        pictures.append(Image.fromarray(scan(canvas, PRINT_DPI, model, random)))
        truths.append(truth)
    scans = tmp_path / "scans.tif"
    pictures[0].save(scans, save_all=True, append_images=pictures[1:], dpi=(200, 200))
    out = tmp_path / "out"
    call = [
        "read",
        str(exam),
        str(scans),
        "--layout",
        str(sheet.layout_path),
        "-o",
        str(out),
        "--workers",
        "1",
    ]
    assert run(call) == 0
    with (out / "pages.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["status"] for row in rows] == ["read"] * 4
    assert [row["sheet"] for row in rows] == ["scans.tif#1"] * 2 + ["scans.tif#3"] * 2
    assert [row["rotation"] for row in rows] == ["0", "0", "180", "0"]
    with (out / "answers.csv").open(encoding="utf-8") as stream:
        answers = list(csv.DictReader(stream))
    for first in (0, 2):
        marked = truths[first].marked | truths[first + 1].marked
        mine = [
            row for row in answers if row["sheet"] == f"scans.tif#{first + 1}" and row["kind"] == "choice"
        ]
        assert {row["question"]: row["reading"] for row in mine} == {
            question: ";".join(labels) for question, labels in marked.items()
        }


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("nowhere.pdf", "ファイルが見つかりません"),
        ("layout.json", "読めません"),
        ("wide.png", "縦横の比"),
        ("bare.png", "印刷が少なすぎて"),
    ],
)
def test_a_useless_reference_ends_the_call(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], reference: str, message: str
) -> None:
    own = make_own_sheet(tmp_path)
    Image.new("L", (800, 500), 255).save(tmp_path / "wide.png")
    Image.new("L", (2100, 2970), 255).save(tmp_path / "bare.png")
    write_layout(replace(own.layout, reference=reference), own.layout_path)
    _write_exam(own, tmp_path / "exam.toml")
    Image.fromarray(own.pages[0]).save(tmp_path / "scan.png")
    call = ["read", str(tmp_path / "exam.toml"), str(tmp_path / "scan.png"), "--layout", str(own.layout_path)]
    assert run([*call, "-o", str(tmp_path / "out")]) == 2
    assert message in capsys.readouterr().err


def test_copies_of_another_size_are_named_on_the_command_line(
    sheet: OwnSheet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _write_exam(sheet, tmp_path / "exam.toml")
    random = np.random.default_rng(22)
    for number, (page, percent) in enumerate([(0, 141), (1, 141), (0, 100), (1, 100)]):
        canvas, _ = fill_page(sheet, page, random)
        gray = scan(canvas, PRINT_DPI, ScannerModel(dpi=2 * percent, ink=50), random)
        Image.fromarray(gray).save(tmp_path / f"scan{number}.png", dpi=(200, 200))
    files = [str(tmp_path / f"scan{number}.png") for number in range(4)]
    call = ["read", str(tmp_path / "exam.toml"), *files, "--layout", str(sheet.layout_path)]
    call += ["-o", str(tmp_path / "out"), "--workers", "1"]
    assert run([*call, "--scale", "大"]) == 2
    assert "--scale" in capsys.readouterr().err
    assert run([*call, "--scale", "122,141"]) == 0
    with (tmp_path / "out" / "pages.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["status"] for row in rows] == ["read"] * 4
    assert [row["sheet_page"] for row in rows] == ["1", "2", "1", "2"]


def _write_exam(sheet: OwnSheet, path: Path) -> None:
    lines = [
        "[exam]",
        'title = "考査"',
        'subject = "数学"',
        "date = 2026-11-27",
        'paper = "A4"',
        'orientation = "portrait"',
    ]
    for _, question in sheet.layout.questions():
        lines += ["[[question]]", f'id = "{question.id}"', f'kind = "{question.kind}"', "points = 2"]
        if question.bubbles:
            lines += ['choices = ["ア", "イ", "ウ", "エ"]', 'answer = ["イ"]']
        else:
            lines += ['answer = ["12"]']
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
