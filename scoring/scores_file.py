"""scores.csv of a graded exam: the columns of `saiten read`, and whether the student sat the exam."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from scoring.points import format_points
from scoring.results import SCORE_COLUMNS

if TYPE_CHECKING:
    from scoring.scores import ExamScores

COLUMNS = (*SCORE_COLUMNS, "attendance")


def scores_csv(scores: ExamScores) -> str:
    """The totals, a row for each student in roster order, then one for each sheet of nobody.

    `points` is empty for who did not sit the exam (未受験), which is not 0; several sheets of a student are joined with `;`.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for examinee, total in zip(scores.examinees, scores.totals, strict=True):
        student = examinee.student
        writer.writerow(
            (
                ";".join(examinee.sheets),
                student.student_id if student else "",
                "" if total.points is None else format_points(total.points),
                format_points(scores.exam.max_points),
                total.undecided,
                student.attendance if student else "",
            )
        )
    return text.getvalue()
