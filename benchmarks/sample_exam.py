"""How the sample exam is read against its truth: what came with status ok or blank, and whether that is right.

    uv run python -m benchmarks.sample_exam

Its handwriting is drawn from fonts of which some trained the models: it shows the flow, not how well other hands are read.
"""

from __future__ import annotations

import csv
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

from api.reading_run import ReadRequest, read_scans
from sample_scans.sample_exam import FOLDER

_HEADER = (
    f"{'kind':<10}{'answers':>9}{'ok':>7}{'wrong ok':>10}{'blank':>7}{'doubtful':>10}{'best guess right':>18}"
)


def main() -> None:
    """Print the table."""
    with (FOLDER / "truth.csv").open(encoding="utf-8", newline="") as stream:
        truth = {(row["student_id"], row["question"]): row["reading"] for row in csv.DictReader(stream)}
    with tempfile.TemporaryDirectory() as folder:
        request = ReadRequest(
            exam=FOLDER / "exam.toml",
            scans=[FOLDER / "scans"],
            out=Path(folder),
            roster=FOLDER / "roster.csv",
        )
        answers = read_scans(request).answers
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for answer in answers:
        written = truth.get((answer.record.student, answer.question.id))
        if written is None:
            continue
        status, is_right = answer.reading.status.value, answer.reading.reading == written
        counts[answer.question.kind.value].update(["all", status, f"{status} {is_right}"])
    print(_HEADER)
    for kind, seen in counts.items():
        print(
            f"{kind:<10}{seen['all']:>9}{seen['ok']:>7}{seen['ok False']:>10}{seen['blank']:>7}"
            f"{seen['doubtful']:>10}{seen['doubtful True']:>18}"
        )


if __name__ == "__main__":
    main()
