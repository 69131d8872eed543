"""What stands on an answer sheet, before it has a place: the input of `omr.compose` and `omr.draw`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from omr.layout import QuestionKind


class Paper(StrEnum):
    """Paper sizes of Japanese schools; B4 and B5 are the JIS sizes, not ISO's."""

    A4 = "A4"
    A3 = "A3"
    B4 = "B4"
    B5 = "B5"


class Orientation(StrEnum):
    """How the paper lies before the pupil."""

    PORTRAIT = "portrait"
    LANDSCAPE = "landscape"


class Writing(StrEnum):
    """The direction of writing: vertical sheets run from right to left (縦書き)."""

    HORIZONTAL = "horizontal"
    VERTICAL = "vertical"


PAPER_SIZES_MM = {
    Paper.A4: (210.0, 297.0),
    Paper.A3: (297.0, 420.0),
    Paper.B4: (257.0, 364.0),
    Paper.B5: (182.0, 257.0),
}
"""Width and height in portrait (JIS P 0138)."""


@dataclass(frozen=True, slots=True)
class QuestionDesign:
    """One question as the sheet needs it.

    Attributes:
        id: printed beside the answer region.
        kind: what a pupil does there.
        section: the 大問 it belongs to; a heading is printed where it changes.
        choices: bubble labels of a choice question.
        characters: manuscript squares (字数) of a text or essay, None for a plain box.
        lines: ruled lines of an essay, None for the default.
        unit: printed behind the box of a number or text (cm, 円, …).
    """

    id: str
    kind: QuestionKind
    section: str | None = None
    choices: tuple[str, ...] = ()
    characters: int | None = None
    lines: int | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class SheetDesign:
    """A whole answer sheet: its paper, heading and questions in exam order."""

    exam_id: str
    title: str
    subject: str
    date: str
    paper: Paper
    orientation: Orientation
    writing: Writing
    questions: tuple[QuestionDesign, ...]

    @property
    def page_size(self) -> tuple[float, float]:
        """Width and height of a page in millimetres."""
        short, long = PAPER_SIZES_MM[self.paper]
        return (short, long) if self.orientation is Orientation.PORTRAIT else (long, short)


@dataclass(frozen=True, slots=True)
class SheetOwner:
    """Whom a sheet is printed for.

    Attributes:
        student_id: the roster's key; it reaches the paper only as a digest in the code.
        grade: 学年.
        class_name: 組.
        number: 出席番号.
        name: as in the roster.
        kana: printed in place of a name that the font can't show.
    """

    student_id: str
    grade: str
    class_name: str
    number: str
    name: str
    kana: str
