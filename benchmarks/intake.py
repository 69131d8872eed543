"""How long a school's 定期考査 takes from drop to ready to grade, and how much memory that needs.

    uv run python -m benchmarks.intake [--students 400] [--subjects 9] [--workers 2] [--stacks DIR]

A real `saiten serve` is sent the scans of `benchmarks.school_scans` (drawn first, and kept in DIR for the next run). Ready
means: every page is read, and the pages of every exam are sorted out. Needs the fonts of `sample_scans/README.md`.
"""

from __future__ import annotations

import argparse
import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.school_scans import SUBJECTS, exam_document, make_stacks, roster_document
from benchmarks.served_school import cores, serve_school

if TYPE_CHECKING:
    from benchmarks.school_scans import Stack
    from benchmarks.served_school import ServedSchool

_MIB = 1024**2


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.intake", description=__doc__)
    parser.add_argument("--students", type=int, default=400)
    parser.add_argument("--subjects", type=int, default=SUBJECTS)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--stacks", type=Path, help="folder of the scans, kept")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        stacks = make_stacks(
            arguments.stacks or Path(folder) / "stacks", arguments.students, arguments.subjects, cores()
        )
        sheets = sum(stack.pages for stack in stacks)
        print(f"{sheets} sheets in {len(stacks)} files drawn; {arguments.workers} workers, {cores()} cores")
        data = Path(folder) / "data"
        with serve_school(data, "--workers", str(arguments.workers)) as school:
            print(f"start of the server to ready      {school.start_seconds:>8.2f} s")
            school.add_roster(roster_document(arguments.students))
            exams = {
                f"BENCH-{at + 1}": school.add_exam(exam_document(at)) for at in range(arguments.subjects)
            }
            _measure(school, stacks, exams, data / "saiten.sqlite3")


def _measure(school: ServedSchool, stacks: list[Stack], exams: dict[str, str], database: Path) -> None:
    start = time.perf_counter()
    for stack in stacks:
        school.drop(exams[stack.exam], stack.path)
    sent = time.perf_counter() - start
    sheets = sum(stack.pages for stack in stacks)
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        while not _is_ready(connection, sheets):
            time.sleep(0.5)
        seconds = time.perf_counter() - start
        proven = connection.execute(
            "SELECT count(*) FROM scan_pages WHERE status = 'read' AND student_id IS NOT NULL"
        ).fetchone()[0]
        answers = connection.execute("SELECT count(*) FROM answer_readings").fetchone()[0]
        size = connection.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
        print(f"all files sent                    {sent:>8.1f} s")
        print(f"drop to ready                     {seconds:>8.1f} s   {sheets / seconds:.1f} sheets a second")
        print(f"read, and proven whose they are   {proven:>8} of {sheets};  {answers} answers read")
        print(f"database                          {size.fetchone()[0] / _MIB:>8.0f} MiB")
    server, *workers = school.memory().values()
    print(f"memory, most: server              {server / _MIB:>8.0f} MiB")
    for at, worker in enumerate(sorted(workers, reverse=True)):
        print(f"memory, most: process {at + 1}           {worker / _MIB:>8.0f} MiB")


def _is_ready(connection: sqlite3.Connection, sheets: int) -> bool:
    read, waiting = connection.execute(
        "SELECT count(*) FILTER (WHERE state = 'read'), count(*) FILTER (WHERE state = 'waiting') FROM scan_pages"
    ).fetchone()
    unsorted = connection.execute("SELECT count(*) FROM intakes WHERE wanted > done").fetchone()[0]
    return bool(read == sheets and not waiting and not unsorted)


if __name__ == "__main__":
    main()
