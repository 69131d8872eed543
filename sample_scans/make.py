"""Makes the sample exam's scans: prints the sheets, fills them as pupils do, and scans them.

    uv run python -m sample_scans.make -o DIR [--students 400 --subjects 9]

The same seed, fonts and libraries give the same files. Besides `scans/` it writes `truth.csv` (what every
pupil put down) and `pages_truth.csv` (what every scanned page is and how it lies).
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from omr.errors import InputError
from sample_scans.file_maker import AnswerTruth, Job, PageTruth, make_file
from sample_scans.hands import find_fonts
from sample_scans.sample_exam import CLASS_SIZE, FOLDER, load_owners, load_sample_exam, roster_csv
from sample_scans.stacks import ScanFile, add_mishaps, stack_class
from scoring.exam_file import write_exam

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


_ABSENT = 22  # place in the first class of the student who has no sheet in the scans


def plan(students: int, sheet_pages: int, subject: int, seed: int) -> list[ScanFile]:
    """The files of one subject, class by class; the first class of the first subject has the mishaps."""
    random = np.random.default_rng([seed, subject])
    files: list[ScanFile] = []
    for start in range(0, students, CLASS_SIZE):
        members = list(range(start, min(start + CLASS_SIZE, students)))
        is_sample = subject == 1 and start == 0
        if is_sample and len(members) > _ABSENT:
            members.remove(_ABSENT)
        stacks = stack_class(members, sheet_pages, len(files) + 1, random)
        files += add_mishaps(stacks) if is_sample else stacks
    return files


def make(options: argparse.Namespace) -> None:
    """Make everything that the options ask for, and print how fast it went.

    Raises:
        InputError: no handwriting-style font is installed, or a number is below 1.
    """
    if min(options.students, options.subjects, options.workers) < 1:
        raise InputError("--students、--subjects、--workers は 1 以上にしてください。")
    find_fonts(options.fonts)
    started, count = time.perf_counter(), 0
    with ProcessPoolExecutor(options.workers, mp_context=get_context("spawn")) as pool:
        for subject in range(1, options.subjects + 1):
            folder = options.out / f"{subject:02d}" if options.subjects > 1 else options.out
            count += _make_subject(subject, folder, options, pool)
    seconds = time.perf_counter() - started
    print(f"{count} pages in {seconds:.1f} s, {count / seconds:.1f} pages/s")


def _make_subject(subject: int, folder: Path, options: argparse.Namespace, pool: ProcessPoolExecutor) -> int:
    exam = load_sample_exam(subject)
    scans = folder / "scans"
    scans.mkdir(parents=True, exist_ok=True)
    for old in scans.glob("scan_*"):
        old.unlink()
    if folder.resolve() != FOLDER:
        write_exam(exam.exam, folder / "exam.toml")
        roster = roster_csv(load_owners(options.students))
        (folder / "roster.csv").write_text(roster, encoding="utf-8", newline="\n")
    jobs = [
        Job(file, subject, options.students, options.seed, scans, options.dpi, options.quality, options.fonts)
        for file in plan(options.students, len(exam.layout.pages), subject, options.seed)
    ]
    with (
        (folder / "pages_truth.csv").open("w", encoding="utf-8", newline="") as pages_file,
        (folder / "truth.csv").open("w", encoding="utf-8", newline="") as answers_file,
    ):
        pages_writer = csv.writer(pages_file, lineterminator="\n")
        answers_writer = csv.writer(answers_file, lineterminator="\n")
        pages_writer.writerow([field.name for field in fields(PageTruth)])
        answers_writer.writerow([field.name for field in fields(AnswerTruth)])
        count = 0
        for pages, answers in pool.map(make_file, jobs):
            pages_writer.writerows(_cells(pages))
            answers_writer.writerows(_cells(answers))
            count += len(pages)
    return count


def _cells(rows: Sequence[PageTruth] | Sequence[AnswerTruth]) -> Iterator[list[object]]:
    return ([getattr(row, field.name) for field in fields(row)] for row in rows)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="sample_scans.make", description="Makes the sample exam's scans.")
    parser.add_argument(
        "-o", "--out", type=Path, default=FOLDER, help="where to write (default: sample_scans/)"
    )
    parser.add_argument("--students", type=int, default=CLASS_SIZE, help="students a subject (default 40)")
    parser.add_argument("--subjects", type=int, default=1, help="exams (default 1); each gets a folder")
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--dpi", type=int, default=200)
    parser.add_argument("--quality", type=int, default=54, help="of JPEG (default 54)")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--fonts", type=Path, default=None, help="a folder with further handwriting fonts")
    return parser.parse_args()


def main() -> None:
    """The command."""
    try:
        make(_options())
    except InputError as error:
        print(error, file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
