"""What stands of an exam's answers, for those who look: by question, with differences (照合採点) and changed pictures."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from omr.reading import PageStatus
from scoring.judgement import Finding, Grading, Judgement, Mark, decide
from scoring.storage.changes import list_changes
from scoring.storage.duties import find_second_gradings
from scoring.storage.grading_tables import JudgementRow, StandingJudgementRow
from scoring.storage.judgement_rows import StandingJudgement, find_standing, list_history, stored_judgement
from scoring.storage.judgements import is_open_to_all
from scoring.storage.scan_tables import AnswerReadingRow, ScanPageRow

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from decimal import Decimal

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from scoring.storage.exams import StoredExam


@dataclass(frozen=True, slots=True)
class SeenJudgement:
    """A judgement as one person may see it.

    Attributes:
        standing: with its version.
        is_hidden: whether all but its version is another grader's, not to be seen yet (照合採点).
    """

    standing: StandingJudgement
    is_hidden: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """An answer whose two graders gave it different points; nobody settled it yet."""

    page_id: str
    question: str
    first: StandingJudgement
    second: StandingJudgement


@dataclass(frozen=True, slots=True)
class OutdatedJudgement:
    """A judgement of an answer that has another picture by now: to be asked about again.

    Attributes:
        standing: with the picture that was judged.
        picture: that the answer has now.
    """

    standing: StandingJudgement
    picture: str


def list_standing(
    session: Session,
    exam: StoredExam,
    question: str,
    viewer: str,
    in_round: int | None = None,
    since: int | None = None,
) -> Sequence[SeenJudgement]:
    """The standing judgements of a question, in the order in which its answers were first judged.

    Args:
        session: of `Database.read`.
        exam: that it belongs to.
        question: its id.
        viewer: the account that looks; in a second grading it sees others' words once both graders are done.
        in_round: only those of this round.
        since: only answers that were judged behind this number of the exam's feed.
    """
    pages = _judged_since(session, exam, question, since) if since is not None else None
    standing = find_standing(session, exam, pages, [question])
    found = [one for place, one in standing.items() if in_round is None or place[2] == in_round]
    return _as_seen(session, exam, found, viewer)


def list_answer_history(
    session: Session, exam: StoredExam, page_id: str, question: str, viewer: str
) -> Sequence[SeenJudgement]:
    """Every judgement of one answer, by round, the first one first; as `viewer` may see them."""
    history = list_history(session, exam, [page_id], [question])
    return _as_seen(session, exam, [one for of_round in history.values() for one in of_round], viewer)


def list_hidden(
    session: Session, exam: StoredExam, judgements: Sequence[StandingJudgement], viewer: str
) -> set[str]:
    """The ids of those judgements of a second grading that an account may not see yet.

    These are others' words on answers that not both graders have judged.
    """
    second = set(find_second_gradings(session, exam).questions)
    others = [
        one.judgement
        for one in judgements
        if one.judgement.question in second and one.judgement.made_by != viewer
    ]
    if not others:
        return set()
    standing = find_standing(session, exam, {one.page_id for one in others}, {one.question for one in others})
    return {one.id for one in others if not is_open_to_all(standing, one.place)}


def _as_seen(
    session: Session, exam: StoredExam, judgements: Sequence[StandingJudgement], viewer: str
) -> Sequence[SeenJudgement]:
    hidden = list_hidden(session, exam, judgements, viewer)
    return [SeenJudgement(one, one.judgement.id in hidden) for one in judgements]


def list_differences(session: Session, exam: StoredExam) -> Sequence[Difference]:
    """The answers whose two graders differ and that nobody settled, in exam order of their questions."""
    questions = find_second_gradings(session, exam).questions
    full = {one.id: one.points for one in exam.exam.questions}
    by_answer: dict[tuple[str, str], dict[int, StandingJudgement]] = defaultdict(dict)
    for (page, question, in_round), one in find_standing(session, exam, None, questions).items():
        by_answer[page, question][in_round] = one
    pictures = _current_pictures(session, exam, questions)
    found = [
        Difference(page, question, rounds[1], rounds[2])
        for (page, question), rounds in by_answer.items()
        if (page, question) in pictures
        and _finding(rounds, full[question], pictures[page, question]) is Finding.DIFFERENT
    ]
    place = {question: at for at, question in enumerate(questions)}
    return sorted(found, key=lambda one: place[one.question])


def list_outdated(session: Session, exam: StoredExam) -> Sequence[OutdatedJudgement]:
    """The judgements of answers whose picture is another by now: a rescan, or another layout."""
    rows = session.execute(
        _answers(exam)
        .join(
            StandingJudgementRow,
            (StandingJudgementRow.page_id == ScanPageRow.id)
            & (StandingJudgementRow.question == AnswerReadingRow.question),
        )
        .join(JudgementRow, JudgementRow.id == StandingJudgementRow.judgement_id)
        .where(JudgementRow.picture != AnswerReadingRow.picture, JudgementRow.mark != Mark.NONE)
        .with_only_columns(
            *JudgementRow.__table__.columns,
            StandingJudgementRow.version,
            AnswerReadingRow.picture.label("current_picture"),
        )
        .order_by(StandingJudgementRow.id)
    )
    return [
        OutdatedJudgement(StandingJudgement(stored_judgement(row), row.version), row.current_picture)
        for row in rows
    ]


def _judged_since(session: Session, exam: StoredExam, question: str, since: int) -> set[str]:
    pages: set[str] = set()
    after, step = since, 500
    while True:
        changes = list_changes(session, exam.id, after, step)
        for change in changes:
            if change.what == "answers.judged" and change.detail["question"] == question:
                pages |= {item["page"] for item in change.detail["items"]}
        if len(changes) < step:
            return pages
        after = changes[-1].number


def _finding(rounds: Mapping[int, StandingJudgement], full: Decimal, picture: str) -> Finding:
    said: dict[int, Judgement] = {one: standing.judgement.judgement for one, standing in rounds.items()}
    return decide(said, full, picture, Grading.SECOND).finding


def _answers(exam: StoredExam) -> Select[ScanPageRow]:
    return (
        select(ScanPageRow)
        .join(AnswerReadingRow, AnswerReadingRow.reading_id == ScanPageRow.reading_id)
        .where(ScanPageRow.exam_id == exam.id, ScanPageRow.status == PageStatus.READ)
    )


def _current_pictures(
    session: Session, exam: StoredExam, questions: Collection[str]
) -> Mapping[tuple[str, str], str]:
    rows = session.execute(
        _answers(exam)
        .where(AnswerReadingRow.question.in_(questions))
        .with_only_columns(ScanPageRow.id, AnswerReadingRow.question, AnswerReadingRow.picture)
    )
    return {(page, question): picture for page, question, picture in rows}
