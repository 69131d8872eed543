"""Real scans and photos of other makers' sheets, labelled by eye: each answer is right or flagged."""

from __future__ import annotations

import csv
import json
import os
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np
import pytest

from api.command_line import run
from omr.page import Page
from omr.read_page import ReadingPlan, read_page
from omr.reading import PageStatus, ReadingStatus
from omr.scan_file import open_scan
from tests.foreign_sheets import ForeignSheet

pytestmark = pytest.mark.real_scans

_POINTS_PER_INCH = 72
_PHOTOS = {
    "sample1_sheet1.jpg": ("sample1", ((245, 421), (640, 409), (672, 728), (257, 754))),
    "sample2_adrian_1.png": ("sample2", ((133, 206), (430, 209), (447, 614), (120, 615))),
    "sample3_rgb-100-gsm.jpg": ("sample3_rgb", ((204, 203), (1059, 180), (1072, 1395), (214, 1402))),
    "sample4_143512.jpg": ("sample4", ((296, 229), (1945, 58), (2186, 2445), (481, 2583))),
    "sample5_camscanner-1.jpg": ("sample5", ((111, 225), (988, 225), (976, 991), (101, 978))),
}
"""Of each photo the file of its geometry, and where the corners of that plane lie in it, seen by eye."""


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


def _tick_box_sheet() -> ForeignSheet:
    """84 small boxes with every kind of mark; two that nobody can tell are left out."""
    sheet = ForeignSheet()
    with (_shared_scans() / "zesje" / "truth.csv").open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            if row["kind"] != "checkbox" or row["value"] == "unclear":
                continue
            x, y, side = (float(point) / _POINTS_PER_INCH * 300 for point in (row["x_pt"], row["y_pt"], 9))
            question, label = row["key"][:4], row["key"][4:]
            sheet.bubbles[question].append((label, x, y, side, side))
            if row["value"] == "1":
                sheet.marked[question].add(label)
    return sheet


def _photographed_sheet(geometry: str, photo: str) -> tuple[tuple[int, int], ForeignSheet]:
    """The size of the plane of a photo, and the sheet on it; fields with several values are left out."""
    with (_shared_scans() / "omrchecker" / "truth.csv").open(encoding="utf-8") as stream:
        truth = {row["field"]: row["value"] for row in csv.DictReader(stream) if row["image"] == photo}
    first, *rows = (_shared_scans() / "omrchecker" / "geometry" / f"{geometry}.csv").read_text().splitlines()
    width, height = map(int, first.split(",")[1].split("x"))
    sheet = ForeignSheet()
    for row in csv.DictReader(rows):
        meant = truth.get(row["field"])
        if meant is None or meant.isdigit():
            continue
        x, y, w, h = (float(row[side]) for side in "xywh")
        sheet.bubbles[row["field"]].append((row["label"], x, y, w, h))
        sheet.marked[row["field"]] = set(meant)
    return (width, height), sheet


def _right_and_total(page: Page, sheet: ForeignSheet, name: str) -> tuple[int, int]:
    """How many answers are read as labelled, and how many there are; fails where one is wrong and not flagged."""
    reading = read_page(page, ReadingPlan(sheet.layout(page.gray.shape[1], page.gray.shape[0]), "FOREIGN"))
    assert reading.status is PageStatus.READ, (name, reading.reason)
    sure = [answer for answer in reading.answers if answer.status is not ReadingStatus.DOUBTFUL]
    for answer in sure:
        assert set(answer.labels) == sheet.marked[answer.question], (name, answer)
    return len(sure), len(reading.answers)


def test_scans_of_bubbles_are_right_or_doubtful() -> None:
    counts = []
    for name, sheet in (_amc_sheets() | _form_sheets()).items():
        with open_scan(_shared_scans() / name) as scan:
            counts.append(_right_and_total(scan.read_page(0), sheet, name))
    right, total = np.sum(counts, axis=0)
    assert total > 80
    assert right > 0.6 * total


def test_photos_of_bubbles_are_right_or_doubtful() -> None:
    counts = []
    for photo, (geometry, corners) in _PHOTOS.items():
        picture = cv2.imread(str(_shared_scans() / "omrchecker" / photo), cv2.IMREAD_GRAYSCALE)
        assert picture is not None
        (width, height), sheet = _photographed_sheet(geometry, photo)
        plane = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
        transform = cv2.getPerspectiveTransform(np.array(corners, np.float32), plane)
        flat = cv2.warpPerspective(picture, transform, (width, height), flags=cv2.INTER_CUBIC)
        counts.append(_right_and_total(Page(np.asarray(flat, np.uint8)), sheet, photo))
    right, total = np.sum(counts, axis=0)
    assert total > 140
    assert right > 0.8 * total


def test_tick_boxes_with_every_kind_of_mark_are_right_or_doubtful() -> None:
    with open_scan(_shared_scans() / "zesje" / "checkboxes" / "student_300dpi.jpg") as scan:
        right, total = _right_and_total(scan.read_page(0), _tick_box_sheet(), "zesje")
    assert total == 24
    assert right >= 6


def test_all_real_scans_are_taken_in(tmp_path: Path) -> None:
    sample = Path(__file__).parent.parent / "sample_scans" / "exam.toml"
    out = tmp_path / "out"
    assert run(["read", str(sample), str(_shared_scans()), "-o", str(out), "--workers", "2"]) == 0
    summary = json.loads((out / "summary.json").read_text("utf-8"))
    assert summary["pages"] >= 20
    assert summary["read"] == 0
