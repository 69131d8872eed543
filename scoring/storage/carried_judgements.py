"""Judgements that go along when a rescanned page takes the place of another one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import exists, select
from sqlalchemy.orm import aliased

from omr.errors import Refusal, Refused
from omr.reading import PageStatus
from scoring.judgement import Mark
from scoring.storage.columns import new_id
from scoring.storage.events import record
from scoring.storage.grading_tables import StandingJudgementRow
from scoring.storage.judgement_rows import find_standing, keep_judgements
from scoring.storage.judgements import tell_of
from scoring.storage.scan_states import DROPPED
from scoring.storage.scan_tables import ScanPageRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from scoring.storage.events import Deed
    from scoring.storage.exams import StoredExam
from scoring.storage.judgement_rows import StandingJudgement

REASON = "読み取り直したページに引き継ぎました。"
"""Why a carried judgement stands on its page."""


def carry_all_over(session: Session, deed: Deed, exam: StoredExam) -> None:
    """Carry over what was judged on dropped pages whose place other pages have taken.

    Args:
        session: of `Database.write`.
        deed: of whoever sorted the pages.
        exam: from `exams.hold_exam` in this session.
    """
    dropped, taking = aliased(ScanPageRow), aliased(ScanPageRow)
    is_judged = exists().where(StandingJudgementRow.page_id == dropped.id)
    pairs = session.execute(
        select(dropped.id, taking.id)
        .join(taking, (taking.sheet == dropped.sheet) & (taking.sheet_page == dropped.sheet_page))
        .where(
            dropped.exam_id == exam.id,
            taking.exam_id == exam.id,
            dropped.sheet != "",
            dropped.status == DROPPED,
            taking.status == PageStatus.READ,
            is_judged,
        )
        .order_by(dropped.id, taking.id)
    )
    for dropped_id, taking_id in pairs.all():
        carry_over(session, deed, exam, dropped_id, taking_id)


def carry_over(
    session: Session, deed: Deed, exam: StoredExam, dropped_id: str, taking_id: str
) -> Sequence[StandingJudgement]:
    """Carry the judgements of a dropped page over to the page that takes its place.

    Each stays its judge's word, about the picture and from the time that it was said; who carried it over, and
    when, is an event. Where the answer's picture is another now, the judgement does not count until somebody judges
    again (`judged_answers.list_outdated`). What was judged on the new page already stays.

    Args:
        session: of `Database.write`.
        deed: who decided on the replacement; nobody where the machine did.
        exam: from `exams.hold_exam` in this session.
        dropped_id: of the page that no longer counts.
        taking_id: of the page that takes its place.

    Returns:
        What stands on the new page by this; nothing where it was carried over before.

    Raises:
        Refused: they are not the same page of the same sheet, or the dropped one still counts.
    """
    pages = {
        row.id: row
        for row in session.scalars(
            select(ScanPageRow).where(
                ScanPageRow.exam_id == exam.id, ScanPageRow.id.in_([dropped_id, taking_id])
            )
        )
    }
    if not {dropped_id, taking_id} <= set(pages):
        raise Refused(Refusal.NOT_FOUND, "このページは見つかりません。画面を開き直してください。")
    dropped, taking = pages[dropped_id], pages[taking_id]
    same = dropped.sheet == taking.sheet and dropped.sheet_page == taking.sheet_page
    if not same or dropped.status == PageStatus.READ or taking.status != PageStatus.READ:
        raise Refused(
            Refusal.WRONG_STATE,
            "判定を引き継げるのは、同じ解答用紙の同じページに差し替えたときだけです。ページを確かめてください。",
        )
    questions = [one.id for one in exam.exam.questions]
    standing = find_standing(session, exam, [dropped_id, taking_id], questions)
    carried = [
        replace(
            one.judgement,
            id=new_id(),
            page_id=taking_id,
            follows=one.judgement.id,
            reason=REASON,
            key=f"{one.judgement.id} {taking_id}",
        )
        for (page, question, of_round), one in standing.items()
        if page == dropped_id
        and one.judgement.mark is not Mark.NONE
        and (taking_id, question, of_round) not in standing
    ]
    kept = keep_judgements(session, deed, exam, carried, standing)
    if kept:
        record(session, deed, "judgements.carried_over", taking_id, {"from": dropped_id, "count": len(kept)})
        tell_of(session, deed, exam, kept)
    return kept
