"""Sheets of other makers: read as they lie by a layout written for them, right or doubtful but never wrong."""

from __future__ import annotations

import csv
import json
import os
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import pytest

from api.command_line import run
from omr.layout import Bubble, Layout, PageLayout, QuestionKind, QuestionLayout
from omr.page import Page
from omr.read_page import ReadingPlan, read_page
from omr.reading import PageStatus, ReadingStatus
from omr.scan_file import open_scan

PIXELS_PER_MM = 10.0


@dataclass
class ForeignSheet:
    """A sheet of another maker: its bubbles in pixels by question, and which are marked."""

    bubbles: dict[str, list[tuple[str, float, float, float, float]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    marked: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def layout(self, width: int, height: int) -> Layout:
        """A layout in which the image is the page."""
        questions = tuple(
            QuestionLayout(
                name,
                QuestionKind.CHOICE,
                bubbles=tuple(
                    Bubble(*(side / PIXELS_PER_MM for side in box), label=label) for label, *box in bubbles
                ),
            )
            for name, bubbles in self.bubbles.items()
        )
        return Layout((PageLayout(1, width / PIXELS_PER_MM, height / PIXELS_PER_MM, questions),))


def _shared_scans() -> Path:
    return Path(os.environ["SAITEN_SHARED"]) / "scans"


def _amc_sheets() -> dict[str, ForeignSheet]:
    sheets: dict[str, ForeignSheet] = defaultdict(ForeignSheet)
    with (_shared_scans() / "amc" / "boxes.csv").open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            if not row["marked"]:
                continue
            xs, ys = ([float(row[f"{axis}{n}"]) for n in range(1, 5)] for axis in "xy")
            name = f"{row['kind']}-{row['question']}"
            box = (min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))
            sheet = sheets["amc/" + row["image"]]
            sheet.bubbles[name].append((row["answer"], *box))
            if row["marked"] == "1":
                sheet.marked[name].add(row["answer"])
    return sheets


def _form_sheets() -> dict[str, ForeignSheet]:
    sheets: dict[str, ForeignSheet] = defaultdict(ForeignSheet)
    with (_shared_scans() / "formscanner" / "truth.csv").open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            x, y = float(row["x"]), float(row["y"])
            sheet = sheets["formscanner/" + row["image"]]
            sheet.bubbles[row["question"]].append((row["response"], x - 18, y - 18, 36, 36))
            if row["marked"] == "1":
                sheet.marked[row["question"]].add(row["response"])
    return sheets


@pytest.mark.real_scans
def test_labelled_scans_of_other_projects_are_right_or_doubtful() -> None:
    right = total = 0
    for name, sheet in (_amc_sheets() | _form_sheets()).items():
        with open_scan(_shared_scans() / name) as scan:
            page = scan.read_page(0)
        layout = sheet.layout(page.gray.shape[1], page.gray.shape[0])
        reading = read_page(page, ReadingPlan(layout, "FOREIGN"))
        assert reading.status is PageStatus.READ, (name, reading.reason)
        for answer in reading.answers:
            total += 1
            if answer.status is not ReadingStatus.DOUBTFUL:
                assert set(answer.labels) == sheet.marked[answer.question], (name, answer)
                right += 1
    assert total > 80
    assert right > 0.85 * total


@pytest.mark.real_scans
def test_all_real_scans_are_taken_in(tmp_path: Path) -> None:
    sample = Path(__file__).parent.parent / "sample_scans" / "exam.toml"
    out = tmp_path / "out"
    assert run(["read", str(sample), str(_shared_scans()), "-o", str(out), "--workers", "2"]) == 0
    summary = json.loads((out / "summary.json").read_text("utf-8"))
    assert summary["pages"] >= 20
    assert summary["read"] == 0


def _bubble_page() -> tuple[Layout, np.ndarray]:
    """A page of square boxes with numbers, as other programs print them."""
    page = np.full((2100, 1500), 240, np.uint8)
    sheet = ForeignSheet()
    for row in range(12):
        for column in range(5):
            x, y = 200 + 150 * column, 150 + 140 * row
            cv2.rectangle(page, (x, y), (x + 60, y + 60), 60, 3)
            cv2.putText(page, str(column + 1), (x + 18, y + 45), cv2.FONT_HERSHEY_SIMPLEX, 1.2, 110, 2)
            sheet.bubbles[str(row + 1)].append((str(column + 1), x, y, 60, 60))
    return sheet.layout(1500, 2100), page


def test_marks_stand_out_from_the_empty_print() -> None:
    layout, page = _bubble_page()
    for row in range(6):
        cv2.circle(page, (230 + 150 * (row % 5), 180 + 140 * row), 24, 70, -1)
    reading = read_page(Page(page), ReadingPlan(layout, "FOREIGN"))
    assert [answer.labels for answer in reading.answers] == [(str(row % 5 + 1),) for row in range(6)] + [
        ()
    ] * 6
    assert {answer.status for answer in reading.answers[:6]} == {ReadingStatus.OK}
    assert {answer.status for answer in reading.answers[6:]} == {ReadingStatus.BLANK}


def test_a_faint_mark_is_doubtful() -> None:
    layout, page = _bubble_page()
    smudge = page[290 + 3 : 350 - 3, 200 + 3 : 260 - 3]
    smudge[:] = np.minimum(smudge, 208)
    reading = read_page(Page(page), ReadingPlan(layout, "FOREIGN"))
    assert reading.answers[1].status is ReadingStatus.DOUBTFUL


def test_a_fold_across_a_row_is_doubtful() -> None:
    layout, page = _bubble_page()
    down = np.arange(page.shape[0])[:, None]
    shaded = np.asarray(page * (1 - 0.4 * np.exp(-(((down - 320) / 40) ** 2))), np.uint8)
    reading = read_page(Page(shaded), ReadingPlan(layout, "FOREIGN"))
    assert reading.answers[1].status is ReadingStatus.DOUBTFUL
    assert {answer.status for answer in reading.answers[3:]} == {ReadingStatus.BLANK}


def test_bubbles_that_are_not_there_set_the_page_aside() -> None:
    layout, page = _bubble_page()
    reading = read_page(Page(np.full_like(page, 240)), ReadingPlan(layout, "FOREIGN"))
    assert reading.status is PageStatus.QUARANTINED
    assert "位置にマークの枠がありません" in reading.reason
