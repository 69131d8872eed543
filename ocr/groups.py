"""Groups of equal answers to one question, so that a teacher grades a dozen groups and not every answer.

Two answers are in one group only if the text read is the same *and* they look alike (their embeddings are close to
the group's centre): a misreading must fool both. Doubtful readings stay alone, and so does an answer that looks more
like a group of another text. Blank answers are one group. Groups once made never change but by growing, so what a
teacher saw stays as it was when more scans come in.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from ocr.embeddings import stack_embeddings, sum_by_class, unit_rows
from ocr.reading import WrittenStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from ocr.reading import AnswerEvidence


class GroupKind(StrEnum):
    """What holds a group together."""

    EQUAL = "equal"
    """The same text, written alike."""
    BLANK = "blank"
    """Nothing is written."""
    ALONE = "alone"
    """One answer that nothing may join: doubtful, or its look speaks against its text."""


@dataclass(frozen=True, slots=True)
class AnswerGroup:
    """Answers to one question that say the same.

    Attributes:
        identity: stays the same while the group grows: the key of one of its first members.
        kind: what holds it together.
        text: the canonical text of all members; the best guess, or empty, where it is alone.
        members: keys of the answers, in the order in which they came, those that came together by key.
    """

    identity: str
    kind: GroupKind
    text: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GroupLines:
    """The lines between belonging to a group and staying alone. They belong to a model: another one needs others.

    Attributes:
        near: least likeness (cosine, 0 to 1) of a member to the centre of its group as it was before. Where answers differ
            from their centre independently, two of them are alike by about its square.
        rival: how far a member may be from its own centre at most, as a share of its distance from the nearest centre
            of another text. At 1 the nearer centre wins; the lower, the more answers stay alone.
            An answer without others of its text stays alone if it is `near` the centre of another text.
        rival_members: how many members a group of another text needs before its centre says anything.
    """

    near: float = 0.5
    rival: float = 0.9
    rival_members: int = 3


def group_answers(
    evidence: Sequence[AnswerEvidence],
    earlier: Sequence[AnswerGroup] = (),
    *,
    canonical: Callable[[str], str] = str,
    lines: GroupLines | None = None,
) -> tuple[AnswerGroup, ...]:
    """The answers to one question in groups of equal ones, each answer in exactly one group.

    The order of `evidence` doesn't matter. What came in several calls may lie in more groups than if it had come at once.

    Args:
        evidence: of all answers, those of `earlier` too. Who belongs to an earlier group but has no evidence any more stays in
            it, and nothing is compared with it.
        earlier: the groups that an earlier call gave; they keep identity, text and members, and may grow.
        canonical: what texts are compared by, such as a normal form of the exam; as they are by default.
        lines: between belonging and staying alone.

    Returns:
        The earlier groups in their order, then the new ones: blank, then the largest first, then by text.

    Raises:
        ValueError: two answers have the same key.
    """
    lines = lines or GroupLines()
    answers = sorted(evidence, key=lambda one: one.key)
    index_of = {one.key: index for index, one in enumerate(answers)}
    if len(index_of) != len(answers):
        raise ValueError("two answers have the same key")
    texts = [canonical(one.reading.text) for one in answers]
    rows = stack_embeddings(answers)
    known = {key for group in earlier for key in group.members}
    added = [index for index, one in enumerate(answers) if one.key not in known]
    blank = [index for index in added if answers[index].reading.status is WrittenStatus.BLANK]
    readable = [i for i in added if answers[i].reading.status is WrittenStatus.OK and texts[i]]

    drafts = _join(_earlier_drafts(earlier, index_of), readable, texts, rows, lines)
    placed = {index for draft in drafts for index in draft.added}
    drafts += _found([index for index in readable if index not in placed], texts, rows, lines)
    refused = _more_like_rivals(drafts, rows, lines)
    drafts = [replace(one, added=tuple(i for i in one.added if i not in refused)) for one in drafts]

    alone = sorted((set(added) - set(blank) - set(readable)) | refused)
    drafts.append(_Draft(GroupKind.BLANK, "", added=tuple(blank)))
    drafts += [_Draft(GroupKind.ALONE, texts[index], added=(index,)) for index in alone]
    return _finished(earlier, drafts, [one.key for one in answers])


@dataclass(frozen=True, slots=True)
class _Draft:
    """A group while it is made; its members are indices into the answers, which are in the order of their keys.

    Attributes:
        kind: as of the finished group.
        text: as of the finished group.
        added: members placed now.
        identity: of the earlier group that this one is; None for a new one.
        earlier: the earlier members, as far as there is evidence of them.
    """

    kind: GroupKind
    text: str
    added: tuple[int, ...]
    identity: str | None = None
    earlier: tuple[int, ...] = ()

    @property
    def members(self) -> tuple[int, ...]:
        return self.earlier + self.added


def _earlier_drafts(earlier: Sequence[AnswerGroup], index_of: Mapping[str, int]) -> list[_Draft]:
    """The earlier groups that written answers may join, still without added ones."""
    return [
        _Draft(
            group.kind,
            group.text,
            (),
            group.identity,
            tuple(index_of[key] for key in group.members if key in index_of),
        )
        for group in earlier
        if group.kind is GroupKind.EQUAL
    ]


def _join(
    drafts: Sequence[_Draft],
    readable: Sequence[int],
    texts: Sequence[str],
    rows: NDArray[np.float32],
    lines: GroupLines,
) -> list[_Draft]:
    """The earlier groups with each answer added to the nearest one of its text, where that is near enough."""
    if not drafts or not readable:
        return list(drafts)
    same_text = _same([texts[index] for index in readable], [draft.text for draft in drafts])
    likeness = np.where(same_text, rows[list(readable)] @ unit_rows(_sums(drafts, rows)).T, -1)
    nearest = likeness.argmax(axis=1)
    joins = likeness.max(axis=1) >= lines.near
    added: dict[int, list[int]] = {}
    for index, draft in zip(np.array(readable)[joins].tolist(), nearest[joins].tolist(), strict=True):
        added.setdefault(draft, []).append(index)
    return [replace(one, added=tuple(added.get(number, ()))) for number, one in enumerate(drafts)]


def _found(
    left: Sequence[int], texts: Sequence[str], rows: NDArray[np.float32], lines: GroupLines
) -> list[_Draft]:
    """New groups of the answers that no earlier group took."""
    by_text: dict[str, list[int]] = {}
    for index in left:
        by_text.setdefault(texts[index], []).append(index)
    return [
        _Draft(GroupKind.EQUAL, text, tuple(members[position] for position in ball))
        for text, members in by_text.items()
        for ball in _balls(rows[members], lines.near)
    ]


def _balls(rows: NDArray[np.float32], near: float) -> list[list[int]]:
    """Positions of rows (N, E) in balls about their centres: time and again the densest of those left.

    A ball starts from the row with the most others about it, so no chain of answers, each like the next, becomes a group.
    """
    if len(rows) == 1:
        return [[0]]
    about = rows @ rows.T >= near * near
    left = np.ones(len(rows), np.bool_)
    density = about.sum(axis=1)
    balls: list[list[int]] = []
    while left.any():
        seed = int(np.where(left, density, -1).argmax())
        centre = unit_rows(rows[about[seed] & left].sum(axis=0, keepdims=True))[0]
        ball = left & (rows @ centre >= near)
        ball[seed] = True
        balls.append(np.flatnonzero(ball).tolist())
        left &= ~ball
        density -= about[:, ball].sum(axis=1)
    return balls


def _more_like_rivals(drafts: Sequence[_Draft], rows: NDArray[np.float32], lines: GroupLines) -> set[int]:
    """The added answers that look too much like a group of another text for what the rest of their own group says."""
    member = np.array([index for draft in drafts for index in draft.members], np.intp)
    if not len(member):
        return set()
    size = np.array([len(draft.members) for draft in drafts])
    home = np.repeat(np.arange(len(drafts)), size)
    sums = _sums(drafts, rows)
    own_rows = rows[member]
    own = np.einsum("me,me->m", unit_rows(sums[home] - own_rows), own_rows)

    draft_texts = [draft.text for draft in drafts]
    is_rival = ~_same(draft_texts, draft_texts)[home] & (size >= lines.rival_members)
    rival = np.where(is_rival, own_rows @ unit_rows(sums).T, -1).max(axis=1)
    refused = np.where(
        size[home] == 1, rival >= lines.near, _distance(own) > lines.rival * _distance(rival)
    ) & is_rival.any(axis=1)
    return set(member[refused].tolist()) & {index for draft in drafts for index in draft.added}


def _sums(drafts: Sequence[_Draft], rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """The sum of the members' rows for each group, (G, E)."""
    member = np.array([index for draft in drafts for index in draft.members], np.intp)
    home = np.repeat(np.arange(len(drafts)), [len(draft.members) for draft in drafts])
    return sum_by_class(rows[member], home, len(drafts))


def _same(texts: Sequence[str], others: Sequence[str]) -> NDArray[np.bool_]:
    """Which texts (N) equal which others (M): (N, M)."""
    number = {text: index for index, text in enumerate(dict.fromkeys([*texts, *others]))}
    first, second = (np.array([number[text] for text in side]) for side in (texts, others))
    same: NDArray[np.bool_] = first[:, np.newaxis] == second
    return same


def _distance(likeness: NDArray[np.float32]) -> NDArray[np.float32]:
    """The distance of two points on the unit sphere whose cosine is `likeness`."""
    return np.sqrt(np.maximum(2 - 2 * likeness, 0))


def _finished(
    earlier: Sequence[AnswerGroup], drafts: Sequence[_Draft], keys: Sequence[str]
) -> tuple[AnswerGroup, ...]:
    """The earlier groups with what was added, then the new ones."""
    blank = next((group.identity for group in earlier if group.kind is GroupKind.BLANK), None)
    grown: dict[str, tuple[str, ...]] = {}
    new = []
    for draft in drafts:
        added = tuple(keys[index] for index in draft.added)
        identity = blank if draft.kind is GroupKind.BLANK else draft.identity
        if identity is not None:
            grown[identity] = added
        elif added:
            new.append(AnswerGroup(added[0], draft.kind, draft.text, added))
    new.sort(key=lambda one: (one.kind is not GroupKind.BLANK, -len(one.members), one.text, one.identity))
    old = [replace(group, members=group.members + grown.get(group.identity, ())) for group in earlier]
    return (*old, *new)
