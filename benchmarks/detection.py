"""How many answer boxes `saiten detect` finds on sheets of different make, as PDF, as scan and as photograph.

    uv run python -m benchmarks.detection [--seed S] [--sheet NAME] [--drawn]

The sheets are those of the tests: drawn ones, and documents of LibreOffice where it is installed. Each is read as
it is, as a scan of 200 dpi skewed by 1 to 3°, and as a photograph from an angle with a shadow on it. A box counts as
found where its edges are within 1 mm of the truth (PDF, scan) or 2 mm (photograph). Seconds are of one processor.
"""

from __future__ import annotations

import argparse
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image

from omr.design import PAPER_SIZES_MM, Paper
from omr.errors import InputError
from omr.geometry import Rectangle
from omr.scan_file import open_scan
from sample_scans.scanner import ScannerModel, scan
from scoring.detection import detect_sheet
from tests.ruled_sheets import photographed
from tests.teacher_documents import has_libreoffice, print_documents
from tests.teacher_forms_decorated import teacher_forms
from tests.teacher_sheets import teacher_sheets

if TYPE_CHECKING:
    from omr.layout import Layout

_PHOTO_PIXELS = 3300  # the sheet's longer side in a picture of 12 megapixels
_TOLERANCE_MM = {"pdf": 1.0, "scan": 1.0, "photo": 2.0}


@dataclass(frozen=True)
class Count:
    """What became of one sheet in one form."""

    true: int
    found: int
    false: int
    named: int
    seconds: float


def main() -> None:
    """Print a row a sheet."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--seed", type=int, default=int(time.time()))
    arguments.add_argument("--sheet", help="only this one")
    arguments.add_argument("--drawn", action="store_true", help="without the documents of LibreOffice")
    chosen = arguments.parse_args()
    cv2.setNumThreads(1)
    print(f"seed {chosen.seed}")
    print(f"{'sheet':24}{'as':7}{'true':>6}{'found':>7}{'missed':>8}{'false':>7}{'named':>7}{'s':>7}")
    with TemporaryDirectory() as folder:
        sheets = draw_sheets(Path(folder), chosen.sheet, is_drawn_only=chosen.drawn)
        counts: dict[str, list[Count]] = {form: [] for form in _TOLERANCE_MM}
        for number, (name, (path, truth)) in enumerate(sheets.items()):
            for form, file in make_forms(path, np.random.default_rng((chosen.seed, number))).items():
                count = count_boxes(file, path, truth, _TOLERANCE_MM[form])
                counts[form].append(count)
                _print_row(name, form, count)
    for form, of_form in counts.items():
        total = Count(
            sum(one.true for one in of_form),
            sum(one.found for one in of_form),
            sum(one.false for one in of_form),
            sum(one.named for one in of_form),
            statistics.median(one.seconds for one in of_form),
        )
        _print_row("all (s: median)", form, total)


def draw_sheets(
    folder: Path, only: str | None, *, is_drawn_only: bool
) -> dict[str, tuple[Path, dict[str, Rectangle]]]:
    """The PDF and the true boxes of every sheet, by name."""
    sheets = {}
    for name, draw in teacher_forms().items():
        if only in {None, name}:
            form = draw(folder / f"{name}.pdf")
            sheets[name] = (form.save(), form.places)
    documents = {name: one for name, one in teacher_sheets().items() if only in {None, name}}
    if documents and has_libreoffice() and not is_drawn_only:
        for name, printed in print_documents(documents, folder).items():
            sheets[name] = (printed.path, printed.truth)
    return sheets


def make_forms(path: Path, random: np.random.Generator) -> dict[str, Path]:
    """The files of a sheet: as it is, scanned, photographed."""
    with open_scan(path) as file:
        page = file.read_page(0)
    assert page.dpi
    dpi = page.dpi[0]
    skew = float(random.uniform(1, 3) * random.choice([-1, 1]))
    model = ScannerModel(skew_deg=skew, noise=4.0, slope=0.1, paper=236, jpeg_quality=80)
    scanned = path.with_suffix(".scan.png")
    Image.fromarray(scan(page.gray, dpi, model, random)).save(scanned, dpi=(model.dpi, model.dpi))
    photo = path.with_suffix(".photo.jpg")
    scale = _PHOTO_PIXELS / max(page.gray.shape)
    fine = cv2.resize(page.gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    Image.fromarray(photographed(np.asarray(fine, np.uint8), int(random.integers(1 << 31)))).save(
        photo, quality=90
    )
    return {"pdf": path, "scan": scanned, "photo": photo}


def count_boxes(file: Path, sheet: Path, truth: dict[str, Rectangle], tolerance: float) -> Count:
    """Detect the boxes of a file and hold them against the truth."""
    started = time.process_time()
    try:
        layout = detect_sheet(file, file.with_suffix(".json"), paper=_paper(sheet)).layout
    except InputError:
        return Count(len(truth), 0, 0, 0, time.process_time() - started)
    seconds = time.process_time() - started
    found = found_places(layout)
    matched = {
        name: next((one for one, place in found.items() if _is_near(box, place, tolerance)), None)
        for name, box in truth.items()
    }
    hits = {one for one in matched.values() if one is not None}
    return Count(
        len(truth),
        len(hits),
        len(found) - len(hits),
        sum(name == one for name, one in matched.items()),
        seconds,
    )


def found_places(layout: Layout) -> dict[str, Rectangle]:
    """Boxes by the name of their question, bubbles as name=label."""
    places = {}
    for _, question in layout.questions():
        if question.box:
            places[question.id] = question.box
        for bubble in question.bubbles:
            places[f"{question.id}={bubble.label}"] = Rectangle(bubble.x, bubble.y, bubble.w, bubble.h)
    return places


def _is_near(first: Rectangle, second: Rectangle, tolerance: float) -> bool:
    gaps = (first.x - second.x, first.y - second.y, first.right - second.right, first.bottom - second.bottom)
    return max(map(abs, gaps)) <= tolerance


def _paper(path: Path) -> Paper:
    """The paper of a PDF's first page."""
    with open_scan(path) as file:
        page = file.read_page(0)
    assert page.dpi
    long = max(page.gray.shape) / page.dpi[0] * 25.4
    return min(PAPER_SIZES_MM, key=lambda paper: abs(PAPER_SIZES_MM[paper][1] - long))


def _print_row(name: str, form: str, count: Count) -> None:
    missed = count.true - count.found
    print(
        f"{name:24}{form:7}{count.true:6}{count.found:7}{missed:8}{count.false:7}{count.named:7}{count.seconds:7.2f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
