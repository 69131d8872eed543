"""Whose sheet it is: decided from the evidence of all sheets of a page at once, one student, one sheet.

Proven are a printed code and a clear, complete number that nobody else gave and that nobody else can have meant.
What is left is assigned all at once to the students that are left; what comes out of that is at most
probable, and for a person to confirm.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from scoring.assignment import pair_chances
from scoring.identity_evidence import RosterNumbers
from scoring.scan_order import order_factors

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from scoring.identity_evidence import NumberReading, SheetEvidence
    from scoring.roster import Student

    Floats = NDArray[np.float64]

LEAST_PROVEN = 0.999
LEAST_PROBABLE = 0.9
MOST_GUESSED = 500
"""More open papers than this are left without guesses: something else is wrong then."""
_PRESENT = 0.97
_STRANGERS = 0.05
"""Papers of people who are not in the roster that are expected in any pile; each clear number that is not in
the roster adds one."""
_CLAIM_WRONG = 0.02
"""At most so often a student's own clear number, not proven yet, is not theirs after all."""
_MATE_TRUST = 0.97
"""How far the pages of one set are believed to have stayed together."""


class Outcome(StrEnum):
    """How far it is known whose a sheet is."""

    PROVEN = "proven"
    PROBABLE = "probable"
    UNKNOWN = "unknown"
    TWICE = "twice"


class Ground(StrEnum):
    """What speaks for the student."""

    CODE = "code"
    BUBBLES = "bubbles"
    WRITTEN = "written"
    ORDER = "order"
    ELIMINATION = "elimination"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a sheet is.

    Attributes:
        outcome: how far that is known; `TWICE` where another sheet claims the same student.
        student: whose it is if proven, else who it probably is; None where nobody is probable enough.
        chance: that it is this student's, given all evidence; None without one.
        grounds: what speaks for this student.
    """

    outcome: Outcome
    student: Student | None = None
    chance: float | None = None
    grounds: tuple[Ground, ...] = ()


class SheetOwners:
    """The papers of one page of the layout and their owners: first those that are proven, then guesses.

    Args:
        papers: the evidence of all papers, those of a stack in scan order.
        students: of the roster, in its order, at least one.
        contested: ids of students for whom several coded papers speak; nothing else is proven to be theirs.

    Attributes:
        owners: of the papers, as far as they are proven.
        claimed: the student whose number stands clearly on a paper without a code.
    """

    def __init__(
        self, papers: Sequence[SheetEvidence], students: Sequence[Student], contested: Collection[str] = ()
    ) -> None:
        self._papers, self._students = papers, students
        self._places = {student.student_id: at for at, student in enumerate(students)}
        self._numbers = RosterNumbers(students)
        self._taken = {self._places[one] for one in contested if one in self._places}
        self._taken |= {self._places[paper.code] for paper in papers if paper.code}
        self.owners = [self._coded(paper) for paper in papers]
        self._prove()

    def _coded(self, paper: SheetEvidence) -> Owner:
        if not paper.code:
            return Owner(Outcome.UNKNOWN)
        student = self._students[self._places[paper.code]]
        return Owner(Outcome.PROVEN, student, 1.0, (Ground.CODE,))

    def _prove(self) -> None:
        """Settle every paper whose own number is clear, given by nobody else, and explained by nobody else."""
        claims = {
            at: student
            for at, paper in enumerate(self._papers)
            if not paper.code
            and paper.bubbles
            and (student := self._numbers.claim(paper.bubbles)) is not None
        }
        self.claimed = {at: self._students[student] for at, student in claims.items()}
        times = Counter(claims.values())
        unknown = sum(
            bool(paper.bubbles and paper.bubbles.is_clear) and at not in claims and not paper.code
            for at, paper in enumerate(self._papers)
        )
        self._strangers = _STRANGERS + unknown
        self._open = [at for at, paper in enumerate(self._papers) if not paper.code]
        self._weights, self._nobody = self._weigh(self._open)
        for at, student in claims.items():
            if times[student] > 1 or student in self._taken:
                self.owners[at] = Owner(Outcome.TWICE)
        alone = {
            at: student for at, student in claims.items() if self.owners[at].outcome is not Outcome.TWICE
        }
        self._settle({at: student for at, student in alone.items() if not self._is_contradicted(at, student)})

    def _weigh(self, papers: Sequence[int]) -> tuple[Floats, Floats]:
        """How much speaks for each student, (papers, students), and for nobody of them, (papers,)."""
        weights = np.full((len(papers), len(self._students)), _PRESENT / (1 - _PRESENT))
        nobody = np.full(len(papers), self._strangers)
        for row, at in enumerate(papers):
            for number in (self._papers[at].bubbles, self._papers[at].written):
                if number is not None:
                    of_students, of_stranger = self._numbers.likelihoods(number)
                    weights[row] *= of_students
                    nobody[row] *= of_stranger
        return weights, nobody

    def _is_contradicted(self, at: int, student: int) -> bool:
        """Whether the number by hand clearly names another student than the bubbles."""
        written = self._papers[at].written
        if written is None or not written.has_digits:
            return False
        likelihoods, _ = self._numbers.likelihoods(written)
        return bool(likelihoods[student] < 0.5 * likelihoods.max())

    def _settle(self, claims: dict[int, int]) -> None:
        """Prove claims as long as one is proven: each makes it surer that others did not mean the same student.

        Against a claim stand all students who may have given a wrong number, the more so if another paper
        fits the student who is claimed and fits nobody else.
        """
        rows = {at: row for row, at in enumerate(self._open)}
        others = [row for row, at in enumerate(self._open) if at not in claims]
        while claims:
            likely = np.ones(len(self._students))
            likely[list(claims.values())] = _CLAIM_WRONG
            likely[list(self._taken)] = 0
            totals = self._weights @ likely + self._nobody
            fits = self._weights[others]
            elsewhere = np.maximum(
                totals[others, np.newaxis] - fits * likely, self._nobody[others, np.newaxis]
            )
            vacancy = 1 + (fits / elsewhere).sum(axis=0)
            proven = {}
            for at, student in claims.items():
                own = float(self._weights[rows[at], student])
                against = (float(totals[rows[at]]) - own * _CLAIM_WRONG) * float(vacancy[student])
                chance = own / (own + against)
                if chance >= LEAST_PROVEN:
                    proven[at] = student
                    self.owners[at] = self._proven(at, student, chance)
            if not proven:
                return
            self._taken |= set(proven.values())
            claims = {at: student for at, student in claims.items() if at not in proven}

    def _proven(self, at: int, student: int, chance: float) -> Owner:
        written = self._papers[at].written
        agrees = written is not None and self._numbers.claim(written) == student
        grounds = (Ground.BUBBLES, Ground.WRITTEN) if agrees else (Ground.BUBBLES,)
        return Owner(Outcome.PROVEN, self._students[student], chance, grounds)

    def guess(self, mates: Sequence[str]) -> list[Owner]:
        """Assign the papers that are not proven to the students that are left.

        Args:
            mates: for each paper the student to whom another page of its set is proven to belong, or nothing.

        Returns:
            The owners of all papers.
        """
        rows = [row for row, at in enumerate(self._open) if self.owners[at].outcome is not Outcome.PROVEN]
        free = [at for at in range(len(self._students)) if at not in self._taken]
        if not rows or not free or len(rows) > MOST_GUESSED:
            return self.owners
        papers = [self._open[row] for row in rows]
        order = self._order(papers, free, mates)
        weights = self._weights[np.ix_(rows, free)] * order
        chances = pair_chances(np.log(weights), np.log(self._nobody[rows]))
        alone = weights / (weights.sum(axis=1) + self._nobody[rows])[:, np.newaxis]
        for row, at in enumerate(papers):
            best = int(np.argmax(chances.of_students[row]))
            chance = float(chances.of_students[row, best])
            if chance >= LEAST_PROBABLE:
                grounds = self._grounds(at, free, best)
                if len(free) > 1 and order[row, best] > 1:
                    grounds.append(Ground.ORDER)
                if alone[row, best] < LEAST_PROBABLE or not grounds:
                    grounds.append(Ground.ELIMINATION)
                twice = self.owners[at].outcome is Outcome.TWICE
                outcome = Outcome.TWICE if twice else Outcome.PROBABLE
                self.owners[at] = Owner(outcome, self._students[free[best]], chance, tuple(grounds))
        return self.owners

    def _order(self, papers: Sequence[int], free: Sequence[int], mates: Sequence[str]) -> Floats:
        """What scan order says: the pages of a set lie together, and the sets of a pile may be sorted."""
        stacks: defaultdict[str, list[int]] = defaultdict(list)
        for at, paper in enumerate(self._papers):
            stacks[paper.stack].append(at)
        factors = np.ones((len(papers), len(free)))
        rows = {at: row for row, at in enumerate(papers)}
        for stack in stacks.values():
            owners = [self._proven_place(at) for at in stack]
            still_open = [rows[at] for at, owner in zip(stack, owners, strict=True) if owner is None]
            if still_open:
                factors[still_open] = order_factors(owners, free)
        columns = {self._students[student].student_id: column for column, student in enumerate(free)}
        for at, row in rows.items():
            if mates[at] in columns:
                factors[row] *= 1 - _MATE_TRUST
                factors[row, columns[mates[at]]] += _MATE_TRUST * len(free)
        return factors

    def _proven_place(self, at: int) -> int | None:
        owner = self.owners[at]
        if owner.outcome is not Outcome.PROVEN or owner.student is None:
            return None
        return self._places[owner.student.student_id]

    def _grounds(self, at: int, free: Sequence[int], best: int) -> list[Ground]:
        """Which numbers on the paper speak for a student more than for the others."""
        readings: tuple[tuple[Ground, NumberReading | None], ...] = (
            (Ground.BUBBLES, self._papers[at].bubbles),
            (Ground.WRITTEN, self._papers[at].written),
        )
        grounds = []
        for ground, number in readings:
            if number is not None and number.has_digits:
                likelihoods = self._numbers.likelihoods(number)[0][free]
                if likelihoods[best] >= likelihoods.max() * 0.5:
                    grounds.append(ground)
        return grounds
