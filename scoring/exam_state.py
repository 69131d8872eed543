"""How far an exam is: 準備 → 採点中 → 確定 → 返却, and back for a reason."""

from __future__ import annotations

from enum import StrEnum

from omr.errors import Refusal, Refused


class ExamState(StrEnum):
    """How far an exam is: 準備, 採点中, 確定, 返却."""

    PREPARING = "preparing"
    GRADING = "grading"
    CONFIRMED = "confirmed"
    RETURNED = "returned"


STATE_NAMES = {
    ExamState.PREPARING: "準備",
    ExamState.GRADING: "採点中",
    ExamState.CONFIRMED: "確定",
    ExamState.RETURNED: "返却",
}
"""The teachers' names of the states."""
_ORDER = list(ExamState)


def check_change(before: ExamState, after: ExamState, reason: str | None) -> None:
    """Make sure that an exam may come from one state into another.

    One step onward is free; any step back needs a reason.

    Raises:
        Refused: it may not; the sentence names the way.
    """
    step = _ORDER.index(after) - _ORDER.index(before)
    if step == 1 or (step < 0 and reason and reason.strip()):
        return
    if step < 0:
        sentence = f"「{STATE_NAMES[before]}」から「{STATE_NAMES[after]}」に戻すには、理由を書いてください。"
    elif step == 0:
        sentence = f"この試験はもう「{STATE_NAMES[after]}」です。"
    else:
        following = STATE_NAMES[_ORDER[_ORDER.index(before) + 1]]
        sentence = f"この試験は「{STATE_NAMES[before]}」です。次は「{following}」にしてください。"
    raise Refused(Refusal.WRONG_STATE, sentence)


def is_editable(state: ExamState) -> bool:
    """Whether what an exam says, and its scans, may change: until it is 確定."""
    return state not in {ExamState.CONFIRMED, ExamState.RETURNED}


def check_editable(state: ExamState) -> None:
    """Make sure that what an exam says may change.

    Raises:
        Refused: it is 確定 or 返却; it is to be brought back for a reason first.
    """
    if not is_editable(state):
        raise Refused(
            Refusal.WRONG_STATE,
            f"この試験は「{STATE_NAMES[state]}」です。直すには、理由を書いて「採点中」に戻してください。",
        )
