"""The groups of equal answers that teachers were shown: while the process runs they only grow, so nobody's screen jumps.

They follow from the readings, so a process that starts anew makes them again, at once for all answers that there then are.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ocr.groups import AnswerGroup

_MOST = 500
"""Questions whose groups are remembered; of the others those asked for longest ago are forgotten."""


@dataclass(frozen=True, slots=True)
class _Remembered:
    version: int
    readings: Mapping[str, str]
    groups: tuple[AnswerGroup, ...]


class GroupMemory:
    """Groups by exam and question."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, str], _Remembered] = OrderedDict()

    def recall(
        self,
        exam_id: str,
        question: str,
        version: int,
        readings: Mapping[str, str],
        make: Callable[[Sequence[AnswerGroup]], tuple[AnswerGroup, ...]],
    ) -> tuple[AnswerGroup, ...]:
        """The groups of a question's answers.

        Args:
            exam_id: of the exam.
            question: its id.
            version: of the exam: with another key other answers may be the same.
            readings: id of the reading of each answer, by key; an answer that was read again finds its group anew.
            make: makes the groups from earlier ones.
        """
        with self._lock:  # two at once could make two different ones
            known = self._known.pop((exam_id, question), None)
            if known is None or known.version != version:
                groups = make(())
            elif known.readings == readings:
                groups = known.groups
            else:
                groups = make(_still_true(known, readings))
            self._known[exam_id, question] = _Remembered(version, dict(readings), groups)
            if len(self._known) > _MOST:
                self._known.popitem(last=False)
        return groups


def _still_true(known: _Remembered, readings: Mapping[str, str]) -> list[AnswerGroup]:
    """The groups without the answers that are gone or were read again; what is empty then is none."""
    same = {key for key, reading in known.readings.items() if readings.get(key) == reading}
    kept = []
    for group in known.groups:
        members = tuple(key for key in group.members if key in same)
        if members:
            # A group has its name from a member: one that is gone may give its name to another group.
            identity = group.identity if group.identity in same else members[0]
            kept.append(replace(group, identity=identity, members=members))
    return kept
