"""What the machine says of a page: frozen results, each with its raw measure, a confidence and its reader."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from omr.layout import IdentityField, QuestionKind
    from omr.pixels import Gray
    from omr.registration import Registration
    from omr.sheet_code import SheetCode


class ReadingStatus(StrEnum):
    """How far a reading can be trusted, apart from whether it is a right answer."""

    OK = "ok"
    BLANK = "blank"
    DOUBTFUL = "doubtful"


class BubbleScore(NamedTuple):
    """What the verdict on one bubble follows from, in thousandths; see `omr.mark_lines.BubbleScores`."""

    mark: float
    trace: float
    foreign: float
    fill: float
    outside: float


@dataclass(frozen=True, slots=True)
class ChoiceScores:
    """What the verdict on a choice follows from: enough to judge it again by other lines.

    Attributes:
        bubbles: in printed order.
        print_seen: usual darkness of the page's labels against what is needed to call a question surely empty.
    """

    bubbles: tuple[BubbleScore, ...]
    print_seen: float

    def text(self) -> str:
        """The scores as one text: `print_seen`, then each bubble's five, parted by slashes."""
        bubbles = ("/".join(f"{value:.10g}" for value in bubble) for bubble in self.bubbles)
        return " ".join([f"{self.print_seen:.10g}", *bubbles])

    @staticmethod
    def parse(text: str) -> ChoiceScores:
        """The scores that `text` wrote; ValueError for anything else."""
        print_seen, *bubbles = text.split()
        values = [[float(value) for value in bubble.split("/")] for bubble in bubbles]
        if any(len(one) != len(BubbleScore._fields) for one in values):
            raise ValueError(text)
        return ChoiceScores(tuple(BubbleScore(*one) for one in values), float(print_seen))


@dataclass(frozen=True, slots=True)
class AnswerReading:
    """What stands in one answer region.

    Attributes:
        question: the question's id.
        kind: of the question.
        labels: the marked labels of a choice, in printed order; best guess where doubtful.
        text: what is written, where a reader exists.
        status: safe to take, surely empty, or for a person.
        confidence: estimated chance (0 to 1) that labels, text or emptiness are right; None for writing that
            nothing reads.
        measures: raw ink of each bubble (0 to 1 of its free area), or the ink of a written box in mm².
        reader: what produced this, with its version.
        scores: of a choice: what status and labels follow from.
    """

    question: str
    kind: QuestionKind
    status: ReadingStatus
    confidence: float | None
    measures: tuple[float, ...]
    reader: str
    labels: tuple[str, ...] = ()
    text: str = ""
    scores: ChoiceScores | None = None

    @property
    def reading(self) -> str:
        """The reading as one text: labels joined with a semicolon, or what is written."""
        return ";".join(self.labels) if self.labels else self.text


@dataclass(frozen=True, slots=True)
class DigitReading:
    """What one row of digit bubbles says.

    Attributes:
        field: what the digit belongs to.
        digit: the marked one, best guess where doubtful; empty where none is marked.
        chances: of 0 to 9, and last that none is marked; they sum to 1.
    """

    field: IdentityField
    digit: str
    chances: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class IdentityReading:
    """What the digit bubbles of a blank set say.

    Attributes:
        rows: in printed order, the most significant digit of a field first.
        status: ok only if every digit that is needed is clear.
        confidence: estimated chance that all digits are right.
    """

    rows: tuple[DigitReading, ...]
    status: ReadingStatus
    confidence: float

    @property
    def digits(self) -> tuple[str, ...]:
        """Grade, class and number as far as they were marked; an unmarked leading digit is left out."""
        return tuple(self[field] for field in dict.fromkeys(row.field for row in self.rows))

    def __getitem__(self, field: IdentityField) -> str:
        return "".join(row.digit for row in self.rows if row.field is field)


@dataclass(frozen=True, slots=True)
class Crop:
    """The picture of one answer region, upright, at the scan's own resolution, encoded."""

    question: str
    data: bytes


@dataclass(frozen=True, slots=True, eq=False)
class AnswerPicture:
    """The pixels of an answer, for a reader of handwriting or an atlas; never kept.

    Attributes:
        question: its id.
        pixels: grey, uint8 (height, width), upright.
        frame_px: how far the inside of the printed frame is from their edges.
        is_doubted: the page or the place is in doubt, so what is read can't be safe.
    """

    question: str
    pixels: Gray
    frame_px: float
    is_doubted: bool


class PageStatus(StrEnum):
    """What became of a page."""

    READ = "read"
    BLANK = "blank"
    DUPLICATE = "duplicate"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class PageReading:
    """The frozen result of one page; the only thing that leaves the worker that read it.

    Attributes:
        status: read, an empty back, or set aside.
        reason: why it was set aside, or a remark, in words for the teacher.
        trouble: the kind of trouble, for programs; empty where there is none.
        code: from the printed code; None on a sheet without one.
        sheet_page: the page of the layout that was read; None where it is not known.
        registration: how the page lies; None where it was not found.
        answers: one reading a question of this page, in exam order.
        identity: the digit bubbles of a blank set.
        crop_corners: where the parts of the page that show the answers really lie, page mm, one a question in the
            order of the layout, each its four corners clockwise from the top left; empty on a sheet with a code,
            where they lie as the layout says.
        crops: the pictures of the answer regions, where they were asked for.
        pictures: pixels of the answers, where they were asked for.
    """

    status: PageStatus
    reason: str = ""
    trouble: str = ""
    code: SheetCode | None = None
    sheet_page: int | None = None
    registration: Registration | None = None
    answers: tuple[AnswerReading, ...] = ()
    identity: IdentityReading | None = None
    crop_corners: tuple[tuple[tuple[float, float], ...], ...] = ()
    crops: tuple[Crop, ...] = ()
    pictures: tuple[AnswerPicture, ...] = field(default=(), compare=False)
