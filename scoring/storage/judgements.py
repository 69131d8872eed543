"""Adding judgements (判定): all of a request or none, each on what its judge saw, once however often it is sent."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select

from omr.errors import InputError, Refusal, Refused
from omr.reading import PageStatus
from scoring.exam_state import STATE_NAMES, ExamState
from scoring.judgement import FIRST, SECOND, SETTLING, Mark, both_judged, check_judgement
from scoring.storage.changes import note_change
from scoring.storage.columns import new_id
from scoring.storage.duties import find_second_gradings
from scoring.storage.events import record
from scoring.storage.grading_tables import JudgementRow
from scoring.storage.judgement_rows import (
    StandingJudgement,
    StoredJudgement,
    find_standing,
    keep_judgements,
    list_history,
    stored_judgement,
)
from scoring.storage.scan_tables import AnswerReadingRow, ScanPageRow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from sqlalchemy.orm import Session

    from scoring.storage.events import Deed
    from scoring.storage.exams import StoredExam
    from scoring.storage.judgement_rows import Place


@dataclass(frozen=True, slots=True)
class NewJudgement:
    """A judgement that somebody sends.

    Attributes:
        page_id: of `scan_pages`.
        question: its id.
        mark: what is said.
        picture: that was looked at, as `answer_readings.picture`.
        version: of the standing judgement that was seen; 0 for none.
        key: the client's own name for it; sent again under it, it is kept once.
        round: 1, 2 for the second grading (照合採点), 3 for the word that settles a difference.
        points: of a △.
        comment: for the pupil.
        rubric: the rubric's items that apply.
        strokes: of the red pen.
    """

    page_id: str
    question: str
    mark: Mark
    picture: str
    version: int
    key: str
    round: int = FIRST
    points: Decimal | None = None
    comment: str = ""
    rubric: tuple[Any, ...] = ()
    strokes: tuple[Any, ...] = ()

    @property
    def place(self) -> Place:
        """What it is said of."""
        return self.page_id, self.question, self.round


@dataclass(frozen=True, slots=True)
class Conflict:
    """An answer that changed while somebody judged it.

    Attributes:
        sent: what they sent.
        standing: what stands now; None where nothing does.
        picture: that the answer has now.
    """

    sent: NewJudgement
    standing: StandingJudgement | None
    picture: str


class JudgedMeanwhile(Refused):
    """Somebody else judged, or the picture changed, since the judge looked; nothing of what they sent is kept.

    Args:
        conflicts: every answer that this holds for.
    """

    def __init__(self, conflicts: Sequence[Conflict]) -> None:
        super().__init__(
            Refusal.STALE,
            f"{len(conflicts)}件の答案が、開いているあいだにほかの人の判定か読み直しで変わりました。"
            "今の判定を確かめて、もう一度送ってください。",
        )
        self.conflicts = tuple(conflicts)

    def __reduce__(self) -> Any:
        return JudgedMeanwhile, (self.conflicts,)


def add_judgements(
    session: Session,
    deed: Deed,
    exam: StoredExam,
    items: Sequence[NewJudgement],
    reason: str | None = None,
) -> Sequence[StandingJudgement]:
    """Keep judgements, all or none.

    Args:
        session: of `Database.write`.
        deed: who and when.
        exam: from `exams.hold_exam` in this session.
        items: what is said.
        reason: why, where the exam is 確定 or 返却; kept with each.

    Returns:
        For each item the judgement as kept; one that was sent before under its key comes back as it was kept then,
        with its version of then.

    Raises:
        JudgedMeanwhile: an answer has another standing judgement or picture than was seen.
        Refused: an answer is not there or not read, the exam's state or the rounds do not allow it, or a key was
            used for something else.
        InputError: a mark carries what it may not, or an answer comes twice.
    """
    _check_items(exam, items)
    known = _sent_before(session, deed, exam, items)
    new = [item for item in items if item.key not in known]
    if new:
        _check_state(exam, reason)
        made = _add(session, deed, exam, new, reason)
        known |= {one.judgement.key: one for one in made}
        if exam.state is not ExamState.GRADING:
            record(session, deed, "answers.judged_late", exam.id, {"count": len(made), "state": exam.state})
        tell_of(session, deed, exam, made)
    return [known[item.key] for item in items]


def tell_of(session: Session, deed: Deed, exam: StoredExam, made: Sequence[StandingJudgement]) -> None:
    """Put judgements into the exam's feed, by question and round: pages and versions only."""
    groups: dict[tuple[str, int], list[dict[str, Any]]] = defaultdict(list)
    for one in made:
        said = one.judgement
        groups[said.question, said.round].append({"page": said.page_id, "version": one.version})
    for (question, of_round), items in groups.items():
        detail = {"question": question, "round": of_round, "items": items}
        note_change(session, deed, exam.id, "answers.judged", detail)


def _check_state(exam: StoredExam, reason: str | None) -> None:
    if exam.state is ExamState.PREPARING:
        raise Refused(
            Refusal.WRONG_STATE, "この試験はまだ「準備」です。「採点中」にしてから採点してください。"
        )
    if exam.state is not ExamState.GRADING and not (reason and reason.strip()):
        raise Refused(
            Refusal.WRONG_STATE,
            f"この試験は「{STATE_NAMES[exam.state]}」です。判定を変えるには、理由を書いてください。",
        )


def _check_items(exam: StoredExam, items: Sequence[NewJudgement]) -> None:
    full = {question.id: question.points for question in exam.exam.questions}
    answers = {(item.page_id, item.question) for item in items}
    if len(answers) < len(items) or len({item.key for item in items}) < len(items):
        raise InputError("同じ答案の判定が2回送られました。1つにして、もう一度送ってください。")
    for item in items:
        if item.question not in full:
            raise Refused(
                Refusal.NOT_FOUND,
                f"設問「{item.question}」はこの試験にありません。画面を開き直してください。",
            )
        check_judgement(item.mark, item.points, full[item.question])


def _sent_before(
    session: Session, deed: Deed, exam: StoredExam, items: Sequence[NewJudgement]
) -> dict[str, StandingJudgement]:
    """What this account sent before under the keys of `items`."""
    rows = session.execute(
        select(*JudgementRow.__table__.columns).where(
            JudgementRow.made_by == deed.by, JudgementRow.key.in_([item.key for item in items])
        )
    )
    before = {row.key: stored_judgement(row) for row in rows}
    if not before:
        return {}
    for item in items:
        kept = before.get(item.key)
        if kept is not None and (kept.place, _content(kept)) != (item.place, _content(item)):
            raise Refused(
                Refusal.OTHER_REQUEST,
                "同じ key で別の判定が送られました。画面を開き直して、もう一度試してください。",
            )
    history = list_history(
        session, exam, {one.page_id for one in before.values()}, {one.question for one in before.values()}
    )
    return {one.judgement.key: one for row in history.values() for one in row if _is_one_of(one, before)}


def _is_one_of(one: StandingJudgement, before: Mapping[str, StoredJudgement]) -> bool:
    return one.judgement.key in before and before[one.judgement.key].id == one.judgement.id


def _content(one: NewJudgement | StoredJudgement) -> tuple[Any, ...]:
    return one.mark, one.points, one.comment, one.rubric, one.strokes, one.picture


def _add(
    session: Session, deed: Deed, exam: StoredExam, items: Sequence[NewJudgement], reason: str | None
) -> Sequence[StandingJudgement]:
    pages, questions = {item.page_id for item in items}, {item.question for item in items}
    pictures = _pictures(session, exam, items)
    standing = find_standing(session, exam, pages, questions)
    stale = [
        Conflict(item, standing.get(item.place), picture)
        for item, picture in zip(items, pictures, strict=True)
        if picture != item.picture or _version(standing, item.place) != item.version
    ]
    if stale:
        raise JudgedMeanwhile(stale)
    _check_rounds(session, deed, exam, items, standing)
    return keep_judgements(
        session,
        deed,
        exam,
        [_said(deed, exam, item, standing.get(item.place), reason) for item in items],
        standing,
    )


def is_open_to_all(standing: Mapping[Place, StandingJudgement], place: Place) -> bool:
    """Whether both graders of an answer's second grading are done, so that each may see the other's word.

    Args:
        standing: at least the standing judgements of this answer in all rounds.
        place: the answer, in any round.
    """
    page_id, question, _ = place
    return both_judged(
        {
            one: standing[page_id, question, one].judgement.mark
            for one in (FIRST, SECOND)
            if (page_id, question, one) in standing
        }
    )


def _version(standing: Mapping[Place, StandingJudgement], place: Place) -> int:
    return standing[place].version if place in standing else 0


_PICTURES = (  # built once: every judgement asks this
    select(ScanPageRow.id, ScanPageRow.status, AnswerReadingRow.question, AnswerReadingRow.picture)
    .join(AnswerReadingRow, AnswerReadingRow.reading_id == ScanPageRow.reading_id)
    .where(
        ScanPageRow.exam_id == bindparam("of_exam"),
        ScanPageRow.id.in_(bindparam("pages", expanding=True)),
        AnswerReadingRow.question.in_(bindparam("questions", expanding=True)),
    )
)


def _pictures(session: Session, exam: StoredExam, items: Sequence[NewJudgement]) -> Sequence[str]:
    """The picture that each item's answer has now."""
    of_items = {
        "of_exam": exam.id,
        "pages": list({item.page_id for item in items}),
        "questions": list({item.question for item in items}),
    }
    rows = session.connection().execute(_PICTURES, of_items)
    found = {(row.id, row.question): row for row in rows}
    for item in items:
        answer = found.get((item.page_id, item.question))
        if answer is None:
            raise Refused(Refusal.NOT_FOUND, "この答案は見つかりません。画面を開き直してください。")
        if answer.status != PageStatus.READ:
            raise Refused(
                Refusal.WRONG_STATE,
                "この答案のページは、いま採点に使われていません（重複や保留のため）。画面を開き直してください。",
            )
    return [str(found[item.page_id, item.question].picture) for item in items]


def _check_rounds(
    session: Session,
    deed: Deed,
    exam: StoredExam,
    items: Sequence[NewJudgement],
    standing: Mapping[Place, StandingJudgement],
) -> None:
    second = set(find_second_gradings(session, exam).questions)
    for item in items:
        if item.question not in second:
            if item.round != FIRST:
                raise Refused(
                    Refusal.WRONG_STATE,
                    f"設問「{item.question}」は照合採点をしません。分担の画面で照合採点に加えてください。",
                )
            continue
        if item.mark is Mark.NONE:
            continue
        if item.round == SETTLING:
            if not is_open_to_all(standing, item.place):
                raise Refused(
                    Refusal.WRONG_STATE,
                    "2人の採点がまだそろっていません。そろってから、違いを決めてください。",
                )
            continue
        other = standing.get((item.page_id, item.question, FIRST + SECOND - item.round))
        if other is not None and other.judgement.mark is not Mark.NONE and other.judgement.made_by == deed.by:
            raise Refused(
                Refusal.NOT_ALLOWED,
                "照合採点では、同じ人が同じ答案を2回採点できません。ほかの先生に頼んでください。",
            )


def _said(
    deed: Deed,
    exam: StoredExam,
    item: NewJudgement,
    before: StandingJudgement | None,
    reason: str | None,
) -> StoredJudgement:
    return StoredJudgement(
        id=new_id(),
        page_id=item.page_id,
        question=item.question,
        round=item.round,
        mark=item.mark,
        points=item.points,
        comment=item.comment,
        rubric=item.rubric,
        strokes=item.strokes,
        picture=item.picture,
        reason=reason if exam.state is not ExamState.GRADING else None,
        follows=before.judgement.id if before is not None else None,
        key=item.key,
        made_at=deed.at,
        made_by=deed.by,
    )
