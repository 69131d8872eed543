"""All answers of an exam at once, as scores are computed from them: whose they are, what was read, what was judged.

An exam of a school year has tens of thousands of answers, but few different readings and words on them: each answer
is four numbers, which point at its row, its page, its reading and what persons said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from omr.reading import ReadingStatus
    from scoring.judgement import Judgement

NOBODY_SAID = -1
"""Of an answer that nobody judged."""
THIS_PICTURE, ANOTHER_PICTURE = "this", "another"
"""The picture of a judgement here: whether it is the one that the answer has now."""
_NOT_SAT = {"absent", "excused", "later"}


@dataclass(frozen=True, slots=True)
class ExamStudent:
    """A student (生徒) of the roster.

    Attributes:
        id: of the row.
        student_id: as the roster names them.
        class_id: of the row of the class (学級).
        grade: 学年.
        class_name: 組.
        number: 出席番号.
        name: 氏名.
        attendance: as last said (`attendances.attendance`); empty where nobody said anything.
        kana: 氏名 in kana; empty where it is not known.
    """

    id: str
    student_id: str
    class_id: str
    grade: str
    class_name: str
    number: str
    name: str
    attendance: str = ""
    kana: str = ""

    @property
    def did_not_sit(self) -> bool:
        """Whether no sheet is expected of them, or not yet (欠席, 公欠, 後日受験)."""
        return self.attendance in _NOT_SAT


@dataclass(frozen=True, slots=True)
class Examinee:
    """Who has a score: a student, or a sheet of which nobody knows whose it is.

    Attributes:
        sheets: the ids of the sheets that the read pages belong to.
        student: None where the sheet is nobody's yet.
        is_set_apart: a person said that the sheet is no student's: nothing has to be done about it.
    """

    sheets: tuple[str, ...]
    student: ExamStudent | None = None
    is_set_apart: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """What tells examinees of an exam apart: the student's row, or the sheet."""
        return (self.student.id, "") if self.student else ("", self.sheets[0])


@dataclass(frozen=True, slots=True)
class ReadAnswer:
    """What the machine read as the answer to a question, as `answer_readings` holds it."""

    question: str
    status: ReadingStatus
    reading: str


@dataclass(frozen=True, slots=True)
class Words:
    """What persons said of an answer to a question: the standing judgement of each round.

    Their pictures are `THIS_PICTURE` or `ANOTHER_PICTURE`.
    """

    question: str
    by_round: tuple[tuple[int, Judgement], ...]


@dataclass(frozen=True, slots=True, eq=False)
class ExamAnswers:
    """The answers of an exam as they now are.

    Attributes:
        examinees: students in roster order, then the sheets of nobody.
        pages: ids of the read pages.
        readings: each different reading once.
        words: what persons said, each different one once.
        row: of each answer, the index of its examinee, int32 (answers,).
        page: the index of its page.
        reading: the index of its reading.
        word: the index of what persons said, or `NOBODY_SAID`.
        graded_twice: ids of the questions under second grading (照合採点).
    """

    examinees: tuple[Examinee, ...]
    pages: tuple[str, ...]
    readings: tuple[ReadAnswer, ...]
    words: tuple[Words, ...]
    row: NDArray[np.int32]
    page: NDArray[np.int32]
    reading: NDArray[np.int32]
    word: NDArray[np.int32]
    graded_twice: frozenset[str] = frozenset()
