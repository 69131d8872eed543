"""The switches of EXAM.toml for written answers: what counts as the same answer (`compare`)."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from ocr.answer_rules import Alike  # noqa: TC001  (pydantic reads it)


class AnswerSwitches(BaseModel):
    """The switches of `ocr.answer_rules.AnswerRules` that a teacher may set; None leaves one as it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    case: Alike | None = None
    kana: Alike | None = None
    spaces: Alike | None = None
    missing_unit: Alike | None = None
    fraction: Alike | None = None
    power: Alike | None = None
    unreduced: Alike | None = None
    trailing_zeros: Alike | None = None
