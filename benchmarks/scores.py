"""What it takes to compute the scores of a whole exam anew, and to preview a change of its points, on a real database.

    uv run python -m benchmarks.scores [--students N] [--questions N] [--rounds N] [--database URL]

Every answer is read and judged by a person, so that nothing that is stored can be left out. The database is an SQLite file in a new
folder unless a URL says otherwise.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from time import perf_counter, process_time
from typing import TYPE_CHECKING

from api.preview_resources import PreviewResource
from api.score_resources import ScoreTable
from scoring.score_preview import preview
from scoring.scores import compute_scores
from scoring.storage import exams
from scoring.storage.database import database_in, open_database
from scoring.storage.exam_answers import load_answers
from tests.graded_exams import Given, add_graded_exam, add_judgement_rows
from tests.stored_things import add_school

if TYPE_CHECKING:
    from collections.abc import Callable

    from scoring.exam import Exam
    from scoring.exam_answers import ExamAnswers
    from scoring.storage.database import Database
    from tests.graded_exams import GradedExam


def make_exam(database: Database, students: int, questions: int, *, judged: bool) -> GradedExam:
    """An exam with all answers read, and judged where asked for."""
    code = "2026-JUDGED" if judged else "2026-READ"
    school = add_school(database, code.lower())
    graded = add_graded_exam(database, school, students=students, questions=questions, code=code)
    if judged:
        given = [Given(page, question) for page in graded.page_ids for question in graded.questions]
        add_judgement_rows(database, graded, graded.deed, given)
    return graded


def with_more_points(exam: Exam) -> Exam:
    """The exam with one more point for every question: everybody's total moves."""
    more = (one.model_copy(update={"points": one.points + Decimal(1)}) for one in exam.questions)
    return exam.model_copy(update={"questions": tuple(more)})


def load(database: Database, graded: GradedExam) -> ExamAnswers:
    """The answers as they now stand."""
    with database.read() as session:
        stored = exams.find_exam(session, graded.deed.school_id, graded.exam.id)
        return load_answers(session, stored)


def measure(rounds: int, work: Callable[[], object]) -> tuple[float, float]:
    """Medians of the time that something takes, ms: on the clock, and of the processor."""
    work()
    clock, processor = [], []
    for _ in range(rounds):
        started, busy = perf_counter(), process_time()
        work()
        clock.append(perf_counter() - started)
        processor.append(process_time() - busy)
    return statistics.median(clock) * 1000, statistics.median(processor) * 1000


def print_scores(database: Database, graded: GradedExam, rounds: int, what: str) -> None:
    """The rows of one exam."""
    exam = graded.exam.exam
    changed = with_more_points(exam)
    answers = load(database, graded)
    scores, seen = compute_scores(exam, answers), preview(exam, changed, answers)
    whole = slice(0, len(scores.examinees))
    steps: dict[str, Callable[[], object]] = {
        "load": lambda: load(database, graded),
        "compute": lambda: compute_scores(exam, answers).totals,
        "preview (computes twice)": lambda: preview(exam, changed, answers),
        "load and preview": lambda: preview(exam, changed, load(database, graded)),
        "scores as JSON": lambda: ScoreTable.of("1.1", scores, whole, None, None).model_dump_json(),
        "preview as JSON": lambda: PreviewResource.of("1.1", seen).model_dump_json(),
    }
    for name, work in steps.items():
        clock, processor = measure(rounds, work)
        print(f"{what:12}{name:28}{clock:10.1f}{processor:12.1f}")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--students", type=int, default=400)
    parser.add_argument("--questions", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--database")
    arguments = parser.parse_args()
    print(f"scores of {arguments.students} × {arguments.questions}, medians of {arguments.rounds}, ms")
    print(f"{'answers':12}{'':28}{'clock':>10}{'processor':>12}")
    with tempfile.TemporaryDirectory() as folder:
        address = arguments.database or database_in(Path(folder))
        with closing(open_database(address)) as database:
            for judged, what in ((False, "read"), (True, "all judged")):
                graded = make_exam(database, arguments.students, arguments.questions, judged=judged)
                print_scores(database, graded, arguments.rounds, what)


if __name__ == "__main__":
    main()
