"""How long a screen waits for a question of 400 answers: the index and the first atlas, from a real server over a socket.

    uv run python -m benchmarks.opening_question [--students N] [--questions N] [--rounds N]

The server is `saiten serve` in a process of its own, its database a file with an exam of 400 students × 50 questions, half of it
judged; pictures are pen strokes on noisy paper, 320 × 96 pixels, in atlases of at most 50.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import cv2
import httpx2
import numpy as np

from api.passwords import digest, new_token
from omr.atlas import MOST_TILES, draw_atlases
from omr.reading import ReadingStatus
from scoring.storage.blobs import FolderBlobs
from scoring.storage.database import database_in, open_database
from scoring.storage.sessions import start_session
from tests.graded_exams import Given, add_graded_exam, add_judgement_rows, write_answer
from tests.stored_things import add_school

if TYPE_CHECKING:
    from collections.abc import Iterator

    from omr.pixels import Gray
    from scoring.exam import Question
    from tests.graded_exams import GradedExam, Written

TILE = (96, 320)
EMBEDDING = 128


@dataclass(frozen=True)
class Opened:
    """What opening a question took, milliseconds, and how much came, bytes."""

    index: float
    atlas: float
    index_bytes: int
    atlas_bytes: int


def draw_answer(random: np.random.Generator) -> Gray:
    """Some pen strokes on paper as a scanner sees it."""
    tile = random.normal(235, 6, TILE).clip(0, 255).astype(np.uint8)
    for _ in range(9):
        points = random.integers((10, 10), (TILE[1] - 10, TILE[0] - 10), (4, 2)).astype(np.int32)
        cv2.polylines(tile, [points], isClosed=False, color=60, thickness=3, lineType=cv2.LINE_AA)
    return tile


def fill(folder: Path, students: int, questions: int) -> tuple[GradedExam, str]:
    """The exam, and the token of somebody who is signed in."""
    random = np.random.default_rng(1)
    blobs = FolderBlobs(folder / "blobs")
    tiles = [draw_answer(random) for _ in range(MOST_TILES)]
    atlases = [
        blobs.put(next(iter(draw_atlases(tiles[turn:] + tiles[:turn]))).data)
        for turn in range(-(-students // MOST_TILES))
    ]

    def answer(at: int, question: Question) -> Written:
        written = write_answer(at, question)
        likely = [[written.reading, 0.97], ["別の答え", 0.02]] if written.status is ReadingStatus.OK else []
        return replace(
            written,
            atlas=atlases[at // MOST_TILES],
            alternatives=json.dumps(likely, ensure_ascii=False),
            embedding=random.normal(size=EMBEDDING).astype(np.float16).tobytes(),
        )

    with closing(open_database(database_in(folder))) as database:
        deed = add_school(database)
        graded = add_graded_exam(
            database, deed, students=students, questions=questions, classes=10, answer=answer
        )
        half = [Given(page, name) for name in graded.questions for page in graded.page_ids[::2]]
        add_judgement_rows(database, graded, deed, half)
        token = new_token()
        with database.write() as session:
            start_session(session, deed, digest(token))
    return graded, token


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The address of `saiten serve` on a folder."""
    command = "from api.command_line import main; main()"
    arguments = ["serve", "--data", str(folder), "--port", "0", "--workers", "0"]
    with subprocess.Popen(  # noqa: S603  (our own command)
        [sys.executable, "-c", command, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        assert server.stdout is not None
        try:
            found = re.search(r"http://\S+?:\d+", server.stdout.readline())
            assert found is not None
            yield found[0]
        finally:
            server.terminate()


def open_question(client: httpx2.Client, exam_id: str, question: str) -> Opened:
    """Ask as a screen does: the index, then the atlas of its first answer."""
    began = perf_counter()
    index = client.get(f"/api/exams/{exam_id}/answers", params={"question": question})
    first = index.json()["atlases"][0]
    read = perf_counter()
    atlas = client.get(f"/api/atlases/{first}.jpg")
    end = perf_counter()
    assert (index.status_code, atlas.status_code) == (200, 200)
    return Opened((read - began) * 1000, (end - read) * 1000, len(index.content), len(atlas.content))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--students", type=int, default=400)
    parser.add_argument("--questions", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=20)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        graded, token = fill(folder, arguments.students, arguments.questions)
        with (
            serving(folder) as address,
            httpx2.Client(base_url=address, cookies={"saiten": token}, timeout=60) as client,
        ):
            asked = [graded.questions[at % arguments.questions] for at in range(arguments.rounds + 1)]
            opened = [open_question(client, graded.exam.id, question) for question in asked][1:]
    both = sorted(one.index + one.atlas for one in opened)
    print(
        f"{arguments.students} answers × {arguments.questions} questions, {arguments.rounds} questions opened"
    )
    print("                    median ms   longest ms        KB")
    for name, times, size in (
        ("index", [one.index for one in opened], opened[0].index_bytes),
        ("first atlas", [one.atlas for one in opened], opened[0].atlas_bytes),
        ("both", both, opened[0].index_bytes + opened[0].atlas_bytes),
    ):
        print(f"{name:<16}{statistics.median(times):13.1f}{max(times):13.1f}{size / 1024:10.0f}")


if __name__ == "__main__":
    main()
