"""Sheet designs for tests: a plain one, and random ones over every paper and kind of question."""

from __future__ import annotations

from hypothesis import strategies as st

from omr.design import Orientation, Paper, QuestionDesign, SheetDesign, Writing
from omr.layout import QuestionKind

KANA = tuple("アイウエオカキクケコサシスセソタチツテト")


def make_design(
    *questions: QuestionDesign,
    paper: Paper = Paper.A4,
    orientation: Orientation = Orientation.PORTRAIT,
    writing: Writing = Writing.HORIZONTAL,
) -> SheetDesign:
    """A sheet of the given questions."""
    return SheetDesign(
        "2026-2F-MATH2", "2学期期末考査", "数学", "2026-11-27", paper, orientation, writing, questions
    )


def mixed_questions() -> tuple[QuestionDesign, ...]:
    """Twenty questions of all kinds in three sections."""
    return (
        *(QuestionDesign(f"1-{n}", QuestionKind.CHOICE, "1", KANA[:4]) for n in range(1, 9)),
        *(QuestionDesign(f"2-{n}", QuestionKind.SYMBOL, "2", KANA[:6]) for n in range(1, 5)),
        QuestionDesign("2-5", QuestionKind.NUMBER, "2", unit="cm"),
        QuestionDesign("2-6", QuestionKind.NUMBER, "2"),
        QuestionDesign("2-7", QuestionKind.TEXT, "2"),
        QuestionDesign("2-8", QuestionKind.TEXT, "2", characters=10),
        QuestionDesign("2-9", QuestionKind.CHOICE, "2", ("正しい", "誤り")),
        QuestionDesign("3-1", QuestionKind.ESSAY, "3"),
        QuestionDesign("3-2", QuestionKind.ESSAY, "3", characters=60),
        QuestionDesign("3-3", QuestionKind.DRAWING, "3"),
    )


@st.composite
def questions(draw: st.DrawFn, number: int) -> QuestionDesign:
    """One question that fits on any page."""
    kind = draw(st.sampled_from(QuestionKind))
    labels = st.lists(
        st.sampled_from([*KANA, "10", "正しい", "どちらでもない"]), min_size=1, max_size=12, unique=True
    )
    return QuestionDesign(
        id=draw(st.sampled_from(["", "問", "第十二問の（三）", "大問2の小問その"])) + str(number),
        kind=kind,
        section=draw(st.sampled_from([None, "1", "第二問", "文法と語彙"])),
        choices=tuple(draw(labels)) if kind is QuestionKind.CHOICE else (),
        characters=draw(st.none() | st.integers(1, 120)),
        lines=draw(st.none() | st.integers(1, 8)),
        unit=draw(st.none() | st.sampled_from(["cm", "円", "立方センチメートル毎秒"])),
    )


@st.composite
def designs(draw: st.DrawFn) -> SheetDesign:
    """A random sheet of up to thirty questions."""
    count = draw(st.integers(1, 30))
    return make_design(
        *(draw(questions(number)) for number in range(1, count + 1)),
        paper=draw(st.sampled_from(Paper)),
        orientation=draw(st.sampled_from(Orientation)),
        writing=draw(st.sampled_from(Writing)),
    )
