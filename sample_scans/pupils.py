"""Pupils: what each one knows, writes with and is used to, and so what stands on their sheet."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import exp
from typing import TYPE_CHECKING

from omr.layout import QuestionKind
from sample_scans.bubble_fillings import MARKED, Filling
from sample_scans.hands import Hand, choose_hand

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.random import Generator

    from sample_scans.sample_exam import SampleQuestion


class Manner(StrEnum):
    """How a written answer was put down."""

    PLAIN = "plain"
    FAINT = "faint"
    REWRITTEN = "rewritten"
    RUBBED_OUT = "rubbed_out"


_HABITS = {
    Filling.FULL: 0.7,
    Filling.LIGHT: 0.07,
    Filling.SCRIBBLED: 0.09,
    Filling.TICKED: 0.05,
    Filling.CROSSED: 0.03,
    Filling.HALF: 0.03,
    Filling.CIRCLED: 0.03,
}
"""How pupils fill bubbles, and how common each way is."""


@dataclass(frozen=True, slots=True)
class Pupil:
    """One pupil.

    Attributes:
        ability: 0 for an average pupil, in standard deviations.
        diligence: 0 to 1; the careless leave more blank and correct more.
        habit: how they usually mark a bubble.
        hand: their writing.
    """

    ability: float
    diligence: float
    habit: Filling
    hand: Hand


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """What a pupil put down for one question: the truth that a reading is measured against.

    Attributes:
        question: its id.
        kind: of the answer region.
        page: of the sheet, from 1.
        marks: label and filling of every bubble of a choice question.
        text: what is written; empty for a choice question and where nothing (or nothing any more) is.
        manner: how it is written.
        erased: a text that was rubbed out before; empty if none.
    """

    question: str
    kind: QuestionKind
    page: int
    marks: tuple[tuple[str, Filling], ...] = ()
    text: str = ""
    manner: Manner = Manner.PLAIN
    erased: str = ""

    @property
    def reading(self) -> str:
        """What a perfect reader reads: the labels meant, joined with `;`, or the text."""
        if self.kind is QuestionKind.CHOICE:
            return ";".join(label for label, filling in self.marks if filling in MARKED)
        return self.text


def draw_pupil(fonts: Sequence[Path], random: Generator) -> Pupil:
    """A pupil."""
    return Pupil(
        ability=random.normal(),
        diligence=random.beta(3, 1.5),
        habit=_draw_way(random),
        hand=choose_hand(fonts, random),
    )


def _draw_way(random: Generator) -> Filling:
    ways = list(_HABITS)
    return ways[int(random.choice(len(ways), p=list(_HABITS.values())))]


def give_answer(pupil: Pupil, question: SampleQuestion, random: Generator) -> GivenAnswer:
    """What the pupil puts down for a question."""
    chance = 1 / (1 + exp(-(0.7 + 1.1 * pupil.ability)))
    is_right = random.random() < chance
    if question.kind is QuestionKind.CHOICE:
        return _mark(pupil, question, random, is_right=is_right)
    blank = (0.02 if is_right else 0.22) * (1.4 - pupil.diligence)
    wrong = _pick(question.wrong, random)
    if random.random() < blank:
        was_erased = random.random() < 0.15 and question.kind is not QuestionKind.DRAWING
        return GivenAnswer(
            question.id,
            question.kind,
            question.page,
            manner=Manner.RUBBED_OUT if was_erased else Manner.PLAIN,
            erased=wrong if was_erased else "",
        )
    if is_right:
        text = question.right[0] if random.random() < 0.75 else _pick(question.right, random)
    else:
        is_partial = question.partial and random.random() < 0.5
        text = _pick(question.partial, random) if is_partial else wrong
    manner = Manner.FAINT if random.random() < 0.03 else Manner.PLAIN
    if random.random() < 0.06 * (1.5 - pupil.diligence) and question.kind is not QuestionKind.DRAWING:
        before = _pick([one for one in question.wrong if one != text], random)
        return GivenAnswer(question.id, question.kind, question.page, (), text, Manner.REWRITTEN, before)
    return GivenAnswer(question.id, question.kind, question.page, (), text, manner)


def _mark(pupil: Pupil, question: SampleQuestion, random: Generator, *, is_right: bool) -> GivenAnswer:
    meant = _pick(question.right, random) if random.random() < 0.2 else question.right[0]
    chosen = meant.split(";")
    if not is_right:
        others = [label for label in question.labels if label not in question.right[0].split(";")]
        chosen[int(random.integers(len(chosen)))] = _pick(others, random)
    fillings = dict.fromkeys(question.labels, Filling.EMPTY)
    for label in chosen:
        fillings[label] = pupil.habit if random.random() < 0.94 else _draw_way(random)
    slips = random.random()
    free = [label for label in question.labels if label not in chosen]
    if slips < 0.02:  # skipped
        fillings = dict.fromkeys(question.labels, Filling.EMPTY)
    elif slips < 0.03:  # could not decide
        fillings[_pick(free, random)] = pupil.habit
    elif slips < 0.03 + 0.09 * (1.4 - pupil.diligence):  # changed their mind
        fillings[_pick(free, random)] = Filling.ERASED
    elif slips < 0.125:
        fillings[_pick(free, random)] = Filling.DOT
    elif slips < 0.14:
        fillings[_pick(free, random)] = Filling.DUST
    elif slips < 0.145:
        fillings[chosen[0]] = Filling.NEXT_TO
    return GivenAnswer(question.id, question.kind, question.page, tuple(fillings.items()))


def _pick(options: Sequence[str], random: Generator) -> str:
    return options[int(random.integers(len(options)))]
