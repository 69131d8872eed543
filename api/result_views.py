"""From a finished run to the resources of the HTTP interface."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from api.resources import (
    Answer,
    ExamHeading,
    Grading,
    Outcome,
    PageResult,
    QuestionSummary,
    Score,
    StudentName,
)
from omr.reading import ReadingStatus
from scoring.points import format_points

if TYPE_CHECKING:
    from decimal import Decimal

    from api.results_reader import AnswerRow, Results, ScoreRow
    from scoring.roster import Student


def outcome_of(answer: AnswerRow) -> Outcome:
    """How an answer stands, from the reading's status and the proposed points."""
    if answer.status is ReadingStatus.BLANK:
        return Outcome.BLANK
    if answer.status is ReadingStatus.DOUBTFUL:
        return Outcome.DOUBTFUL
    # A question worth nothing shows neither ○ nor × by its points.
    if answer.points is None or answer.max_points == 0:
        return Outcome.UNGRADED
    if answer.points == answer.max_points:
        return Outcome.CORRECT
    return Outcome.WRONG if answer.points == 0 else Outcome.PARTIAL


def exam_heading(results: Results) -> ExamHeading:
    """The exam as the head of every view shows it."""
    exam = results.exam
    return ExamHeading(
        id=exam.id,
        title=exam.title,
        subject=exam.subject,
        date=exam.date,
        max_points=format_points(exam.max_points),
        question_count=len(exam.questions),
    )


def scores(results: Results) -> list[Score]:
    """The scores in roster order, students without a sheet among them; then sheets whose student is unknown."""
    missing_pages: defaultdict[str, list[int]] = defaultdict(list)
    for student_id, page in results.summary.missing:
        missing_pages[student_id].append(page)
    of_student: defaultdict[str, list[ScoreRow]] = defaultdict(list)
    unknown: list[ScoreRow] = []
    for row in results.scores:
        if row.student is not None and row.student in results.students:
            of_student[row.student].append(row)
        else:
            unknown.append(row)
    listed: list[Score] = []
    for student in results.roster.students:
        rows = of_student[student.student_id]
        pages = missing_pages[student.student_id]
        listed += [_score(results, row, pages) for row in rows] or [_missing_score(results, student, pages)]
    return listed + [_score(results, row, []) for row in unknown]


def questions(results: Results) -> list[QuestionSummary]:
    """The questions in exam order."""
    outcomes: defaultdict[str, Counter[Outcome]] = defaultdict(Counter)
    for answer in results.answers:
        outcomes[answer.question][outcome_of(answer)] += 1
    return [
        QuestionSummary(
            id=question.id,
            section=question.section,
            kind=question.kind,
            points=format_points(question.points),
            viewpoint=question.viewpoint,
            answer=list(question.answer),
            outcomes=outcomes[question.id],
        )
        for question in results.exam.questions
    ]


def answers(results: Results, question_id: str) -> list[Answer]:
    """The answers to one question, in the order of answers.csv."""
    return [
        Answer(
            number=number,
            sheet=answer.sheet,
            student=_student(results, answer.student),
            reading=answer.reading,
            confidence=answer.confidence,
            outcome=outcome_of(answer),
            points=_points_text(answer.points),
            max_points=format_points(answer.max_points),
            crop=f"/api/answers/{number}/crop" if (question_id, answer.sheet) in results.crops else None,
        )
        for number, answer in enumerate(results.answers, start=1)
        if answer.question == question_id
    ]


def pages(results: Results) -> list[PageResult]:
    """All pages, in the order of pages.csv."""
    return [
        PageResult(
            number=number,
            source=page.source,
            page=page.page,
            sheet=page.sheet,
            sheet_page=page.sheet_page,
            student=_student(results, results.owners.get(page.sheet or "")),
            status=page.status,
            reason=page.reason,
            image=f"/api/pages/{number}/image" if page.page > 0 else None,
        )
        for number, page in enumerate(results.pages, start=1)
    ]


def _score(results: Results, row: ScoreRow, missing_pages: list[int]) -> Score:
    if row.undecided == 0:
        grading = Grading.GRADED
    elif row.undecided < len(results.exam.questions) and row.points is not None:
        grading = Grading.PARTLY_GRADED
    else:
        grading = Grading.UNGRADED
    return Score(
        student=_student(results, row.student),
        sheet=row.sheet,
        grading=grading,
        # A sum over nothing is no 0点.
        points=None if grading is Grading.UNGRADED else _points_text(row.points),
        max_points=format_points(row.max_points),
        undecided=row.undecided,
        missing_pages=missing_pages,
    )


def _missing_score(results: Results, student: Student, missing_pages: list[int]) -> Score:
    return Score(
        student=_student_name(student),
        sheet=None,
        grading=Grading.MISSING,
        points=None,
        max_points=format_points(results.exam.max_points),
        undecided=None,
        missing_pages=missing_pages,
    )


def _student(results: Results, student_id: str | None) -> StudentName | None:
    student = results.students.get(student_id) if student_id is not None else None
    return _student_name(student) if student is not None else None


def _student_name(student: Student) -> StudentName:
    return StudentName(
        student_id=student.student_id,
        grade=student.grade,
        class_name=student.class_name,
        number=student.number,
        name=student.name,
        kana=student.kana,
    )


def _points_text(points: Decimal | None) -> str | None:
    return None if points is None else format_points(points)
