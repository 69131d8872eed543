"""How pure groups of equal answers are, and what confirmed answers of an exam are worth, on simulated classes.

    uv run python -m benchmarks.groups [--classes N] [--seed S]

The answers are points about the centres of their texts (`tests.simulated_answers`), the model's chances the exact posterior of
points and centres in general. So this shows what the rules of `ocr` do with embeddings and chances that are as good as
they say, with some sure misreadings among them; how good a network is, it doesn't show.
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from scipy.stats import beta

from ocr.adaptation import AdaptationLines, adapt_readings
from ocr.groups import AnswerGroup, GroupLines, group_answers
from ocr.prototypes import ConfirmedAnswer, learn_prototypes
from ocr.reading import WrittenStatus
from tests.simulated_answers import SURE, SimulatedClass, simulate_class

ANSWERS = 400
TEXT_ALONE = GroupLines(near=-1, rival=9, rival_members=10**9)
LINES = AdaptationLines(ok=1 - (1 - SURE) / 2)


@dataclass(frozen=True)
class Hand:
    """How a simulated class writes; see `simulate_class`."""

    name: str
    writers: float
    exam: float
    slips: float = 0.0

    def simulate(self, seed: int, answers: int = ANSWERS) -> SimulatedClass:
        """One class of it."""
        return simulate_class(seed, answers, writers=self.writers, exam=self.exam, slips=self.slips)


HANDS = (
    Hand("neat", 0.12, 0.06),
    Hand("neat, 4 of 1,000 misread", 0.12, 0.06, 0.004),
    Hand("hurried", 0.17, 0.06),
    Hand("hurried, 4 of 1,000 misread", 0.17, 0.06, 0.004),
    Hand("hurried, as the model knows it", 0.17, 0.0),
    Hand("hurried, unlike what it knows", 0.17, 0.1),
)


def misplaced(groups: tuple[AnswerGroup, ...], simulated: SimulatedClass) -> int:
    """How many answers are in a group most of whose members mean something else."""
    counts = [Counter(simulated.truth[key] for key in group.members) for group in groups]
    return sum(count.total() - max(count.values()) for count in counts)


def print_groups(classes: int, seed: int) -> None:
    """The groups of whole classes, and of classes whose scans come in ten parts."""
    print(
        f"groups of {ANSWERS} answers, {classes} classes each; misplaced among members of groups of two and more"
    )
    print(
        f"{'hand':32}{'groups':>8}{'alone':>8}{'members':>9}{'misplaced':>11}{'at most':>9}{'by text':>9}{'in parts':>10}"
    )
    for hand in HANDS:
        sums: Counter[str] = Counter()
        for number in range(classes):
            simulated = hand.simulate(seed + number)
            whole = group_answers(simulated.evidence)
            parts: tuple[AnswerGroup, ...] = ()
            for end in range(ANSWERS // 10, ANSWERS + 1, ANSWERS // 10):
                parts = group_answers(simulated.evidence[:end], parts)
            sums["groups"] += len(whole)
            sums["alone"] += sum(len(group.members) == 1 for group in whole)
            sums["misplaced"] += misplaced(whole, simulated)
            sums["by text"] += misplaced(group_answers(simulated.evidence, lines=TEXT_ALONE), simulated)
            sums["in parts"] += misplaced(parts, simulated)
        members = classes * ANSWERS - sums["alone"]
        print(
            f"{hand.name:32}{sums['groups'] / classes:8.1f}{sums['alone'] / classes:8.1f}{members:9}{sums['misplaced']:11}"
            f"{upper_bound(sums['misplaced'], members):9.3%}{sums['by text']:9}{sums['in parts']:10}"
        )


def print_adaptation(classes: int, seed: int) -> None:
    """What the second half of a class gains when a person has confirmed the first."""
    print(f"\nadaptation: {ANSWERS // 2} answers confirmed, {ANSWERS // 2} left, {classes} classes each")
    print(
        f"{'hand':32}{'doubtful':>10}{'after':>8}{'ok':>8}{'wrong':>7}{'ok after':>10}{'wrong':>7}{'weight':>8}"
    )
    for hand in HANDS:
        sums: Counter[str] = Counter()
        weights = []
        for number in range(classes):
            simulated = hand.simulate(seed + number)
            first, rest = simulated.evidence[: ANSWERS // 2], simulated.evidence[ANSWERS // 2 :]
            prototypes = learn_prototypes([ConfirmedAnswer(simulated.truth[one.key], one) for one in first])
            weights.append(prototypes.weight)
            adapted = adapt_readings(rest, prototypes, lines=LINES)
            for one, reading in zip(rest, adapted, strict=True):
                for when, status, text in (
                    ("before", one.reading.status, one.reading.text),
                    ("after", reading.status, reading.text),
                ):
                    sums[f"{status} {when}"] += 1
                    sums[f"wrong {when}"] += status is WrittenStatus.OK and text != simulated.truth[one.key]
        print(
            f"{hand.name:32}{sums['doubtful before']:10}{sums['doubtful after']:8}{sums['ok before']:8}{sums['wrong before']:7}"
            f"{sums['ok after']:10}{sums['wrong after']:7}{np.mean(weights):8.2f}"
        )


def print_speed(seed: int) -> None:
    """The time that the groups of a large year take."""
    simulated = HANDS[1].simulate(seed, 2000)
    times = []
    for _ in range(5):
        started = perf_counter()
        group_answers(simulated.evidence)
        times.append(perf_counter() - started)
    print(f"\ngroups of 2000 answers: {min(times) * 1000:.0f} ms (fastest of 5)")


def upper_bound(wrong: int, total: int) -> float:
    """The 95 % upper bound of a share (Clopper and Pearson)."""
    return float(beta.ppf(0.95, wrong + 1, total - wrong))


def main() -> None:
    """Print the three tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--classes", type=int, default=60)
    parser.add_argument("--seed", type=int, default=20_000)
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}")
    print_groups(arguments.classes, arguments.seed)
    print_adaptation(arguments.classes, arguments.seed)
    print_speed(arguments.seed)


if __name__ == "__main__":
    main()
