"""Milliseconds from a scan file in memory or on disk to a gray page, on one core.

    uv run python -m benchmarks.decoding

Pages are drawn here (A4, text-like strokes and boxes) and degraded like a scan. Medians over passes.
"""

from __future__ import annotations

import argparse
import io
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import img2pdf
import numpy as np
import pdf2image
import pypdfium2
from PIL import Image
from rich.console import Console
from rich.table import Table

from omr.scan_file import decode_image, open_scan

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_CLEAN, _NOISY = 1.2, 5.0


def draw_page(dpi: int, seed: int) -> NDArray[np.uint8]:
    """An A4 answer sheet: boxes, bubbles and lines of strokes, black on white."""
    random = np.random.default_rng(seed)
    scale = dpi / 25.4
    page = np.full((round(297 * scale), round(210 * scale)), 238, np.uint8)

    def millimetres(*values: float) -> tuple[int, ...]:
        return tuple(round(value * scale) for value in values)

    thin = max(1, round(0.3 * scale))
    for row in range(5):
        for column in range(2):
            x, y = 20 + 90 * column, 150 + 26 * row
            cv2.rectangle(page, millimetres(x, y), millimetres(x + 80, y + 20), 40, thin)
    for row in range(12):
        for column in range(5):
            cv2.ellipse(
                page, millimetres(30 + 12 * column, 50 + 8 * row), millimetres(2, 3), 0, 0, 360, 40, thin
            )
    for _ in range(700):
        start = random.uniform((15, 15), (190, 280))
        end = start + random.uniform(-3, 3, 2)
        cv2.line(page, millimetres(*start), millimetres(*end), 60, thin, cv2.LINE_AA)
    return page


def scan_page(page: NDArray[np.uint8], noise: float, seed: int) -> NDArray[np.uint8]:
    """What a scanner makes of it: blur and noise."""
    blurred = cv2.GaussianBlur(page, (0, 0), 0.7).astype(np.float32)
    noisy = blurred + np.random.default_rng(seed).normal(0, noise, page.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)


def encode(page: NDArray[np.uint8], kind: str, dpi: int) -> bytes:
    """A JPEG (quality 75) or a G4 TIFF in one strip."""
    file = io.BytesIO()
    if kind == "JPEG":
        Image.fromarray(page).save(file, kind, quality=75, dpi=(dpi, dpi))
    else:
        bits = Image.fromarray(page).point(lambda level: 255 if level > 140 else 0).convert("1")
        bits.save(file, "TIFF", compression="group4", dpi=(dpi, dpi), tiffinfo={278: page.shape[0]})
    return file.getvalue()


def median_ms(work: Callable[[], object], passes: int) -> float:
    """Median wall time of one call in milliseconds, after a first call to warm up."""
    work()
    times = []
    for _ in range(passes):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1000


def _read_first_page(path: Path) -> object:
    with open_scan(path) as scan:
        return scan.read_page(0)


def _render(path: Path, dpi: int) -> object:
    document = pypdfium2.PdfDocument(path)
    try:
        return document[0].render(scale=dpi / 72, grayscale=True).to_numpy().copy()
    finally:
        document.close()


def measure(passes: int) -> Table:
    """Decode every kind of page and tabulate."""
    table = Table(title=f"decoding, one core, median of {passes} passes, ms a page")
    for heading in (
        "page",
        "KB",
        "from memory",
        "file → page",
        "PDF: stream",
        "PDF: pdfium",
        "PDF: pdf2image",
    ):
        table.add_column(heading, justify="left" if heading == "page" else "right")
    poppler = shutil.which("pdftoppm") is not None
    kinds = [
        ("clean JPEG 200 dpi", "JPEG", 200, _CLEAN),
        ("noisy JPEG 200 dpi", "JPEG", 200, _NOISY),
        ("clean JPEG 300 dpi", "JPEG", 300, _CLEAN),
        ("noisy JPEG 300 dpi", "JPEG", 300, _NOISY),
        ("G4 200 dpi", "TIFF", 200, _CLEAN),
        ("G4 300 dpi", "TIFF", 300, _CLEAN),
    ]
    with tempfile.TemporaryDirectory() as folder:
        for name, kind, dpi, noise in kinds:
            data = encode(scan_page(draw_page(dpi, seed=1), noise, seed=2), kind, dpi)
            loose, wrapped = Path(folder, "page.scan"), Path(folder, "page.pdf")
            loose.write_bytes(data)
            wrapped.write_bytes(img2pdf.convert([data]))
            slow = max(3, passes // 5)
            with open_scan(wrapped) as scan:
                cells = [
                    median_ms(lambda data=data: decode_image(data), passes),  # type: ignore[misc]
                    median_ms(lambda path=loose: _read_first_page(path), passes),  # type: ignore[misc]
                    median_ms(lambda scan=scan: scan.read_page(0), passes),  # type: ignore[misc]
                    median_ms(lambda path=wrapped, dpi=dpi: _render(path, dpi), slow),  # type: ignore[misc]
                ]
            if poppler:
                cells.append(
                    median_ms(
                        lambda path=wrapped, dpi=dpi: pdf2image.convert_from_path(path, dpi, grayscale=True),  # type: ignore[misc]
                        slow,
                    )
                )
            shown = [f"{cell:.2f}" for cell in cells] + ["なし"] * (5 - len(cells))
            table.add_row(name, f"{len(data) / 1000:.0f}", *shown)
    return table


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--passes", type=int, default=25)
    cv2.setNumThreads(1)
    Console(width=120).print(measure(arguments.parse_args().passes))


if __name__ == "__main__":
    main()
