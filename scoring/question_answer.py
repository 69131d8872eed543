"""An answer to one question as those who grade it see it: whose it is, what was read, where its picture lies, what was judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from omr.layout import QuestionKind

if TYPE_CHECKING:
    from omr.reading import ReadingStatus


@dataclass(frozen=True, slots=True)
class StandingMark:
    """The judgement that counts for an answer in a round.

    Attributes:
        round: 1, 2 for the second grading, 3 for the word that settles.
        version: how often it changed.
        mark: as in `judgements`.
        points: exact text; None where the mark says it all.
        picture: that was judged.
        made_by: the account.
    """

    round: int
    version: int
    mark: str
    points: str | None
    picture: str
    made_by: str


@dataclass(frozen=True, slots=True)
class QuestionAnswer:
    """An answer as it now is.

    Attributes:
        page_id: of the page that it stands on.
        sheet: that the page belongs to.
        student_id: row of the proven owner; None where nobody is, as the next four then are.
        grade: of the owner.
        class_name: of the owner.
        number: attendance number of the owner.
        name: of the owner.
        reading_id: of the page's reading.
        kind: of the question, when it was read.
        status: of the reading.
        reading: labels joined with a semicolon, or the text.
        confidence: 0 to 1; None for writing that nothing reads.
        is_answer: chance that it is one of the right answers; None where nothing says.
        alternatives: the likeliest texts with their chances, the best first.
        reader: name and version of what read it.
        picture: names what the picture shows.
        atlas: hash of the blob with the picture; None where there is none.
        place: x, y, width and height of the picture there, pixels.
    """

    page_id: str
    sheet: str
    student_id: str | None
    grade: str | None
    class_name: str | None
    number: str | None
    name: str | None
    reading_id: str
    kind: QuestionKind
    status: ReadingStatus
    reading: str
    confidence: float | None
    is_answer: float | None
    alternatives: tuple[tuple[str, float], ...]
    reader: str
    picture: str
    atlas: str | None
    place: tuple[int, int, int, int]


def reading_parts(kind: QuestionKind, reading: str) -> tuple[str, ...]:
    """A stored reading as `scoring.marking.propose` takes it: the labels of a choice, or the one text; empty for none."""
    if not reading:
        return ()
    return tuple(reading.split(";")) if kind is QuestionKind.CHOICE else (reading,)
