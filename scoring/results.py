"""The result files of a reading run, as scripts outside rely on them; each replaced as a whole."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from omr.layout import QuestionKind
from omr.reading import PageStatus
from omr.replace_file import replace_file
from scoring.identity import Outcome
from scoring.marking import Proposal, add_up, propose
from scoring.points import format_points

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from omr.layout import Layout
    from omr.reading import AnswerReading
    from scoring.answer_switches import AnswerSwitches
    from scoring.exam import Exam, Question
    from scoring.identity import Owner
    from scoring.intake import Intake
    from scoring.marking import Total
    from scoring.page_records import PageRecord
    from scoring.roster import Roster

ANSWER_COLUMNS = (
    "sheet",
    "student",
    "page",
    "question",
    "kind",
    "reading",
    "confidence",
    "status",
    "points",
    "max_points",
    "measures",
)
PAGE_COLUMNS = (
    "source",
    "page",
    "sheet",
    "sheet_page",
    "status",
    "reason",
    "rotation",
    "skew_deg",
    "residual_mm",
    "student",
    "identity",
    "identity_confidence",
    "identity_evidence",
    "probable_student",
    "part",
)
SCORE_COLUMNS = ("sheet", "student", "points", "max_points", "undecided")


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of one sheet: what was read and what is proposed."""

    record: PageRecord
    question: Question
    reading: AnswerReading
    proposal: Proposal


@dataclass(frozen=True, slots=True)
class SheetScore:
    """The total of one sheet so far.

    Attributes:
        sheet: its id.
        student: whose it is; empty unless every page of it is proven to be theirs.
        total: proposed so far; the questions of missing pages are undecided.
    """

    sheet: str
    student: str
    total: Total


@dataclass(frozen=True)
class ReadResults:
    """Everything that came out of a run.

    Attributes:
        exam, layout, roster: what was read by.
        intake: all pages.
        seconds: that reading took.
        remark: a word to the teacher on the run as a whole.
        model: name and version of what read the handwriting; None where nothing did.
    """

    exam: Exam
    layout: Layout
    roster: Roster | None
    intake: Intake
    seconds: float
    remark: str = ""
    model: str | None = None

    @cached_property
    def answers(self) -> tuple[Answer, ...]:
        """All answers of all read pages, in input order, then exam order."""
        questions = {question.id: question for question in self.exam.questions}
        return tuple(
            _answer(record, questions[reading.question], reading, self.exam.compare)
            for record in self.intake.pages
            if record.status is PageStatus.READ
            for reading in record.scanned.reading.answers
        )

    @cached_property
    def scores(self) -> tuple[SheetScore, ...]:
        """One score a sheet, in order of appearance."""
        by_sheet: dict[str, list[Answer]] = {}
        for answer in self.answers:
            by_sheet.setdefault(answer.record.sheet, []).append(answer)
        return tuple(self._score(sheet, answers) for sheet, answers in by_sheet.items())

    def _score(self, sheet: str, answers: Sequence[Answer]) -> SheetScore:
        total = add_up(self.exam, {answer.question.id: answer.proposal for answer in answers})
        students = {answer.record.student for answer in answers}
        return SheetScore(sheet, students.pop() if len(students) == 1 else "", total)


def _answer(
    record: PageRecord, question: Question, reading: AnswerReading, compare: AnswerSwitches | None
) -> Answer:
    read = reading.labels if question.kind is QuestionKind.CHOICE else (reading.text,) if reading.text else ()
    return Answer(record, question, reading, propose(question, reading.status, read, compare))


def write_results(results: ReadResults, out: Path) -> None:
    """Write answers.csv, pages.csv, scores.csv and summary.json: all are on the disk before the first is replaced."""
    summary = json.dumps(summarize(results), ensure_ascii=False, indent=1)
    texts = {
        "answers.csv": _csv(ANSWER_COLUMNS, map(_answer_row, results.answers)),
        "pages.csv": _csv(PAGE_COLUMNS, map(_page_row, results.intake.pages)),
        "scores.csv": _csv(SCORE_COLUMNS, map(_score_row, results.scores)),
        "summary.json": summary + "\n",
    }
    with ExitStack() as files:
        for name, text in texts.items():
            stream = files.enter_context(replace_file(out / name))
            stream.write(text.encode())
            stream.flush()


def summarize(results: ReadResults) -> dict[str, object]:
    """The numbers of summary.json."""
    counts = Counter(record.status for record in results.intake.pages)
    pages = len(results.intake.pages)
    return {
        "pages": pages,
        **{status.value: counts[status] for status in PageStatus},
        "missing": results.intake.missing(results.roster, len(results.layout.pages)),
        "seconds": round(results.seconds, 3),
        "pages_per_second": round(pages / max(results.seconds, 1e-6), 2),
        "model": results.model,
        "exam": results.exam.id,
    }


def describe_results(results: ReadResults) -> str:
    """The run in one or two lines of words."""
    numbers = summarize(results)
    missing = results.intake.missing(results.roster, len(results.layout.pages))
    line = (
        f"{numbers['pages']}ページ: 読み取り {numbers['read']}、白紙 {numbers['blank']}、重複 {numbers['duplicate']}、"
        f"とりおき {numbers['quarantined']}。{results.seconds:.1f}秒、毎秒 {numbers['pages_per_second']}ページ。"
    )
    lines = [line]
    if missing:
        lines.append(
            f"名簿にあって読み取れていないページ: {len(missing)}。summary.json の missing を見てください。"
        )
    if results.remark:
        lines.append(results.remark)
    return "\n".join(lines)


def _answer_row(answer: Answer) -> tuple[str, ...]:
    reading = answer.reading
    confidence = "" if reading.confidence is None else f"{reading.confidence:.4f}"
    points = answer.proposal.points
    return (
        answer.record.sheet,
        answer.record.student,
        str(answer.record.scanned.reading.sheet_page),
        reading.question,
        reading.kind.value,
        reading.reading,
        confidence,
        reading.status.value,
        "" if points is None else format_points(points),
        format_points(answer.question.points),
        _measures(reading),
    )


def _measures(reading: AnswerReading) -> str:
    """What the reading follows from, so that other lines can be drawn later without reading again."""
    if reading.scores is not None:
        return reading.scores.text()
    return " ".join(f"{one:g}" for one in reading.measures)


def _page_row(record: PageRecord) -> tuple[str, ...]:
    reading = record.scanned.reading
    registration = reading.registration
    rotation = skew = residual = ""
    if registration is not None:
        rotation = "" if registration.rotation is None else str(registration.rotation)
        skew = "" if registration.skew_deg is None else f"{registration.skew_deg + 0.0:.2f}"
        residual = "" if registration.residual_mm is None else f"{registration.residual_mm:.3f}"
    return (
        record.scanned.source,
        str(record.scanned.page),
        record.sheet,
        "" if reading.sheet_page is None else str(reading.sheet_page),
        record.status.value,
        record.reason,
        rotation,
        skew,
        residual,
        record.student,
        *_identity_cells(record.owner),
        str(record.scanned.part or ""),
    )


def _identity_cells(owner: Owner | None) -> tuple[str, str, str, str]:
    """How far it is known whose a page is, how probable, by what, and who it probably is if not proven."""
    if owner is None:
        return "", "", "", ""
    probable = owner.student.student_id if owner.student and owner.outcome is not Outcome.PROVEN else ""
    chance = "" if owner.chance is None else f"{owner.chance:.4f}"
    return owner.outcome.value, chance, ";".join(owner.grounds), probable


def _score_row(score: SheetScore) -> tuple[str, ...]:
    return (
        score.sheet,
        score.student,
        format_points(score.total.points),
        format_points(score.total.max_points),
        str(score.total.undecided),
    )


def _csv(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()
