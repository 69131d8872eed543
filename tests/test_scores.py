"""Scores of whole exams, against a slow and obvious second way to compute them, and previews of changed exams."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from omr.layout import QuestionKind
from omr.reading import ReadingStatus
from scoring.completeness import ObstacleKind, describe_obstacles, find_obstacles
from scoring.exam import Exam, Question
from scoring.exam_answers import (
    ANOTHER_PICTURE,
    NOBODY_SAID,
    THIS_PICTURE,
    ExamAnswers,
    Examinee,
    ExamStudent,
    ReadAnswer,
    Words,
)
from scoring.judgement import Judgement, Mark
from scoring.marking import Rule
from scoring.score_preview import preview
from scoring.scores import BASES, Basis, compute_scores, from_hundredths, propose_for, to_hundredths
from scoring.scores_file import scores_csv

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scoring.scores import ExamScores

POINTS = st.sampled_from([Decimal(text) for text in ("0", "0.01", "1", "2.5", "9999.99")])
NAMES = ("q1", "q2", "q3", "q4")


@dataclass(frozen=True)
class Given:
    """One answer of an examinee as a test thinks of it."""

    row: int
    read: ReadAnswer
    words: tuple[tuple[int, Judgement], ...]


def answers_of(
    examinees: Sequence[Examinee], given: Sequence[Given], graded_twice: frozenset[str] = frozenset()
) -> ExamAnswers:
    """The answers as scores take them, each on a page of its own."""
    readings = tuple(dict.fromkeys(one.read for one in given))
    words = tuple(dict.fromkeys(Words(one.read.question, one.words) for one in given if one.words))
    return ExamAnswers(
        examinees=tuple(examinees),
        pages=tuple(f"page-{at}" for at in range(len(given))),
        readings=readings,
        words=words,
        row=np.array([one.row for one in given], np.int32),
        page=np.arange(len(given), dtype=np.int32),
        reading=np.array([readings.index(one.read) for one in given], np.int32),
        word=np.array(
            [words.index(Words(one.read.question, one.words)) if one.words else NOBODY_SAID for one in given],
            np.int32,
        ),
        graded_twice=graded_twice,
    )


def student(at: int, attendance: str = "", sheets: tuple[str, ...] = ("sheet",)) -> Examinee:
    """Student number `at`."""
    return Examinee(
        sheets, ExamStudent(f"row-{at}", f"s-{at}", "class", "2", "1", str(at), "見本", attendance)
    )


def exam_of(questions: Sequence[Question]) -> Exam:
    return Exam(id="TEST", title="見本", questions=tuple(questions))


def choice(points: str = "2", answer: str = "イ", name: str = "q1") -> Question:
    return Question(
        id=name, kind=QuestionKind.CHOICE, choices=("ア", "イ"), answer=(answer,), points=Decimal(points)
    )


@st.composite
def questions(draw: st.DrawFn, name: str) -> Question:
    kind = draw(st.sampled_from([QuestionKind.CHOICE, QuestionKind.TEXT, QuestionKind.ESSAY]))
    choices = ("ア", "イ", "ウ") if kind is QuestionKind.CHOICE else ()
    words = st.sampled_from(["ア", "イ", "ウ"])
    answer = () if kind is QuestionKind.ESSAY else tuple(draw(st.lists(words, max_size=1)))
    accept = tuple((one,) for one in draw(st.lists(words, max_size=1))) if answer else ()
    return Question(id=name, kind=kind, choices=choices, answer=answer, accept=accept, points=draw(POINTS))


@st.composite
def exams(draw: st.DrawFn) -> Exam:
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
    return exam_of([draw(questions(name)) for name in names])


@st.composite
def judgements(draw: st.DrawFn) -> Judgement:
    mark = draw(st.sampled_from(list(Mark)))
    points = draw(POINTS) if mark is Mark.PARTIAL else None
    return Judgement(mark, points, draw(st.sampled_from([THIS_PICTURE, THIS_PICTURE, ANOTHER_PICTURE])))


@st.composite
def exam_answers(draw: st.DrawFn) -> tuple[ExamAnswers, list[Given]]:
    attendance = st.sampled_from(["", "", "present", "absent", "later", "elsewhere"])
    people = [student(at, draw(attendance)) for at in range(draw(st.integers(0, 4)))]
    people += [Examinee((f"stray-{at}",)) for at in range(draw(st.integers(0, 1)))]
    read = st.builds(
        ReadAnswer,
        st.sampled_from(NAMES),
        st.sampled_from(ReadingStatus),
        st.sampled_from(["", "ア", "イ", "ア;イ", "エ"]),
    )
    words = st.dictionaries(st.integers(1, 3), judgements(), max_size=3).map(
        lambda one: tuple(sorted(one.items(), key=lambda pair: pair[0]))
    )
    one = st.builds(Given, st.integers(0, max(len(people) - 1, 0)), read, words)
    given_answers = draw(st.lists(one, max_size=12)) if people else []
    twice = draw(st.frozensets(st.sampled_from(NAMES), max_size=2))
    return answers_of(people, given_answers, twice), given_answers


def stand(
    exam: Exam, question: Question, found: Sequence[Given], *, twice: bool
) -> tuple[Basis, Decimal | None]:
    """How an answer stands, one answer at a time."""
    if not found:
        return Basis.MISSING, None
    if len(found) > 1:
        return Basis.TWICE, None
    by_person = stand_by_words(question, dict(found[0].words), twice=twice)
    if by_person is not None:
        return by_person
    proposal = propose_for(exam, question, found[0].read)
    if proposal.rule is Rule.BLANK:
        return Basis.BLANK, Decimal(0)
    if proposal.rule is Rule.DOUBTFUL:
        return Basis.DOUBTFUL, None
    if proposal.points is None or twice:
        return Basis.UNGRADED, None
    return Basis.PROPOSED, proposal.points


def stand_by_words(
    question: Question, words: dict[int, Judgement], *, twice: bool
) -> tuple[Basis, Decimal | None] | None:
    """How it stands by what persons said; None where they said nothing that counts."""
    said = {
        of_round: one_word(question, words[of_round])
        for of_round in ((1, 2, 3) if twice else (1,))
        if of_round in words and words[of_round].mark is not Mark.NONE
    }
    if not said:
        return None
    if not twice:
        return said[1]
    if 3 in said:
        return said[3]
    for basis in (Basis.OUTDATED, Basis.HELD):
        if (basis, None) in said.values():
            return basis, None
    if len(said) == 1:
        return Basis.HALF, None
    return said[1] if said[1] == said[2] else (Basis.DIFFERENT, None)


def one_word(question: Question, word: Judgement) -> tuple[Basis, Decimal | None]:
    if word.mark is Mark.HOLD:
        return Basis.HELD, None
    worth = {Mark.RIGHT: question.points, Mark.WRONG: Decimal(0)}.get(word.mark, word.points)
    assert worth is not None
    if word.picture != THIS_PICTURE or worth > question.points:
        return Basis.OUTDATED, None
    return Basis.JUDGED, worth


def check_scores(
    exam: Exam, answers: ExamAnswers, given_answers: Sequence[Given], scores: ExamScores
) -> None:
    for row, examinee in enumerate(answers.examinees):
        cells = [
            stand(
                exam,
                question,
                [one for one in given_answers if one.row == row and one.read.question == question.id],
                twice=question.id in answers.graded_twice,
            )
            for question in exam.questions
        ]
        did_not_sit = examinee.student is not None and examinee.student.attendance in {"absent", "later"}
        if did_not_sit and all(basis is Basis.MISSING for basis, _ in cells):
            assert {BASES[code] for code in scores.basis[row]} == {Basis.ABSENT}
            assert (scores.totals[row].points, scores.totals[row].undecided) == (None, 0)
            continue
        assert [BASES[code] for code in scores.basis[row]] == [basis for basis, _ in cells]
        points = [worth for _, worth in cells if worth is not None]
        assert scores.totals[row].points == sum(points, Decimal(0))
        assert scores.totals[row].undecided == len(cells) - len(points)


@given(exams(), exam_answers())
@settings(max_examples=100, deadline=None)
def test_scores_are_those_of_the_slow_way(exam: Exam, made: tuple[ExamAnswers, list[Given]]) -> None:
    answers, given_answers = made
    check_scores(exam, answers, given_answers, compute_scores(exam, answers))


@given(exams(), exams(), exam_answers())
@settings(max_examples=100, deadline=None)
def test_a_preview_names_exactly_whose_total_moves(
    before: Exam, after: Exam, made: tuple[ExamAnswers, list[Given]]
) -> None:
    answers, _ = made
    found = preview(before, after, answers)
    old, new = compute_scores(before, answers).totals, compute_scores(after, answers).totals
    assert [one.row for one in found.totals] == [row for row in range(len(old)) if old[row] != new[row]]
    differences = [Decimal(0)] * len(old)
    for move in found.moves:
        for row in move.rows:
            differences[row] += (move.after.points or 0 if move.after else 0) - (
                move.before.points or 0 if move.before else 0
            )
    for row, difference in enumerate(differences):
        assert (new[row].points or 0) - (old[row].points or 0) == difference
    assert preview(before, before, answers).moves == ()


@given(st.decimals(0, Decimal("9999.99"), places=2))
def test_hundredths_are_exact(points: Decimal) -> None:
    assert from_hundredths(to_hundredths(points)) == points


def test_a_judgement_follows_the_points_and_not_the_key() -> None:
    given_answers = [
        Given(0, ReadAnswer("q1", ReadingStatus.OK, "ア"), ((1, Judgement(Mark.RIGHT, None, THIS_PICTURE)),)),
        Given(1, ReadAnswer("q1", ReadingStatus.OK, "ア"), ()),
        Given(
            2,
            ReadAnswer("q1", ReadingStatus.OK, "イ"),
            ((1, Judgement(Mark.PARTIAL, Decimal("1.5"), THIS_PICTURE)),),
        ),
    ]
    answers = answers_of([student(at) for at in range(3)], given_answers)
    another_key = preview(exam_of([choice()]), exam_of([choice(answer="ア")]), answers)
    assert [(one.row, one.before.points, one.after.points) for one in another_key.totals] == [
        (1, Decimal(0), Decimal(2))
    ]
    (move,) = another_key.moves
    assert move.before is not None
    assert move.after is not None
    assert (move.reading, move.before.rule, move.after.rule) == ("ア", Rule.WRONG, Rule.ANSWER)

    fewer_points = preview(exam_of([choice()]), exam_of([choice("1")]), answers)
    assert [(one.row, one.before.points, one.after.points) for one in fewer_points.totals] == [
        (0, Decimal(2), Decimal(1)),
        (2, Decimal("1.5"), Decimal(0)),
    ]
    (conflict,) = [move for move in fewer_points.moves if move.is_conflict]
    assert conflict.rows == (2,)
    assert fewer_points.totals[1].after.undecided == 1


def test_what_keeps_an_exam_from_being_confirmed_is_named() -> None:
    hold = ((1, Judgement(Mark.HOLD, None, THIS_PICTURE)),)
    ok = ReadAnswer("q1", ReadingStatus.OK, "イ")
    people = [
        student(0),
        student(1, "absent"),
        student(2, "absent", ()),
        student(3, sheets=()),
        student(4),
        Examinee(("x",), None, is_set_apart=True),
    ]
    given_answers = [
        Given(0, ok, hold),
        Given(1, ok, ()),
        Given(4, ReadAnswer("q1", ReadingStatus.DOUBTFUL, "イ"), ()),
        Given(5, ReadAnswer("q1", ReadingStatus.DOUBTFUL, "イ"), ()),
    ]
    found = find_obstacles(compute_scores(exam_of([choice()]), answers_of(people, given_answers)))
    assert [(one.kind, one.count, one.first) for one in found] == [
        (ObstacleKind.DOUBTFUL, 1, ("page-2",)),
        (ObstacleKind.HELD, 1, ("page-0",)),
        (ObstacleKind.MISSING, 1, ("row-3",)),
        (ObstacleKind.CONTRADICTION, 1, ("row-1",)),
    ]
    assert describe_obstacles(found) == (
        "要確認の読み取りが1件、保留が1件、解答用紙がそろっていない生徒が1人、欠席なのに解答用紙がある生徒が1人"
    )


def test_not_sat_is_not_0_in_the_file() -> None:
    people = [student(0), student(1, "absent", ()), Examinee(("x",))]
    given_answers = [
        Given(0, ReadAnswer("q1", ReadingStatus.BLANK, ""), ()),
        Given(2, ReadAnswer("q1", ReadingStatus.OK, "イ"), ()),
    ]
    lines = scores_csv(
        compute_scores(exam_of([choice("2.50")]), answers_of(people, given_answers))
    ).splitlines()
    assert lines == [
        "sheet,student,points,max_points,undecided,attendance",
        "sheet,s-0,0,2.5,0,",
        ",s-1,,2.5,0,absent",
        "x,,2.5,2.5,0,",
    ]
