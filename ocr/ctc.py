"""Connectionist temporal classification (CTC): how likely a text is on a line, and the likeliest texts.

A recogniser gives each frame of a line the chances of C classes, one of which is the blank: no character here. An
alignment gives each frame a class; its text is what remains when repeats are joined and blanks dropped. The chance
of a text is the sum over all alignments that give it: A. Graves, S. Fernández, F. Gomez, J. Schmidhuber,
"Connectionist temporal classification", ICML 2006, equations 6 to 8.
"""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float32] | NDArray[np.float64]
    _Beginnings: TypeAlias = dict[tuple[int, ...], tuple[float, float]]
    """Of each beginning of a text, the chance of its alignments that end on the blank, and on its last character."""

BLANK = 0
_SMALLEST = 1e-200
"""Below it doubles may have lost a part of a chance, and logarithms are needed: 64 frames get there only where a
text is out of the question."""
_MOST_CLASSES = 16
"""How many classes of a frame can take part in a search; only a frame that shows nothing has more."""


class ScoredText(NamedTuple):
    """A text as class indices, with the natural logarithm of its chance."""

    text: tuple[int, ...]
    log_likelihood: float


def text_log_likelihoods(
    log_probabilities: Floats, texts: Sequence[Sequence[int]], blank: int = BLANK
) -> NDArray[np.float64]:
    """How likely each of K texts is on one line.

    Args:
        log_probabilities: (T, C) natural logarithms of the chances of each frame.
        texts: K texts as class indices; the empty one is the blank line.
        blank: the class of the blank.

    Returns:
        (K,) log p(text | line); -inf where a text can't be, such as one with more characters than frames.

    Raises:
        ValueError: a text holds the blank.
    """
    lengths = np.array([len(log_probabilities)])
    return batch_log_likelihoods(log_probabilities[None], lengths, [texts], blank)[0]


def batch_log_likelihoods(
    log_probabilities: Floats,
    lengths: NDArray[np.intp],
    texts: Sequence[Sequence[Sequence[int]]],
    blank: int = BLANK,
) -> list[NDArray[np.float64]]:
    """How likely the texts of each line are, for N lines at once: many short lines cost little more than one.

    Args:
        log_probabilities: (N, T, C) natural logarithms of the chances of each frame.
        lengths: (N,) how many frames of each line are its own, 0 to T; the others are never looked at.
        texts: of each line, its candidates as class indices.
        blank: the class of the blank.

    Returns:
        Of each line, (K,) log p(text | line), as in `text_log_likelihoods`.

    Raises:
        ValueError: a text holds the blank, or the numbers of lines differ.
    """
    if not len(log_probabilities) == len(lengths) == len(texts):
        raise ValueError("one length and one list of texts for each line")
    flat = [text for line in texts for text in line]
    counts = [len(line) for line in texts]
    if not flat:
        return [np.zeros(0) for _ in counts]
    if any(blank in text for text in flat):
        raise ValueError("a text can't hold the blank")
    found = _forward(log_probabilities, np.repeat(np.arange(len(counts)), counts), lengths, flat, blank)
    return np.split(found, np.cumsum(counts)[:-1])


def best_texts(
    log_probabilities: Floats,
    alphabet: NDArray[np.bool_] | None = None,
    *,
    beam: int = 16,
    count: int = 5,
    prune_below: float = 1e-3,
    blank: int = BLANK,
) -> list[ScoredText]:
    """The likeliest texts of a line, best first: a prefix beam search, whose finds are then scored exactly.

    Args:
        log_probabilities: (T, C) natural logarithms of the chances of each frame.
        alphabet: (C,) which classes can occur, the blank always; None for all.
        beam: how many beginnings are followed from frame to frame.
        count: how many texts to return at most; none where no text of the alphabet can be. There are fewer where the frames leave no doubt: where the best
            class of every frame has more than 1 - `prune_below`, its text alone.
        prune_below: classes with a smaller chance take no part in their frame, unless it is the frame's best; nor do
            beginnings whose chance is a smaller share of the best one's.
        blank: the class of the blank.

    Returns:
        Texts with log p(text | line), summed over all alignments and classes, pruned or not.
    """
    allowed = log_probabilities
    if alphabet is not None:
        allowed = np.where(alphabet | (np.arange(len(alphabet)) == blank), log_probabilities, -np.inf)
    found = _search(_frames(allowed, prune_below), beam, prune_below, blank)[: 2 * count]
    scores = text_log_likelihoods(log_probabilities, found, blank)
    ranked = sorted(map(ScoredText, found, scores.tolist()), key=lambda one: -one.log_likelihood)
    return ranked[:count]


def _forward(
    log_probabilities: Floats,
    rows: NDArray[np.intp],
    lengths: NDArray[np.intp],
    texts: Sequence[Sequence[int]],
    blank: int,
) -> NDArray[np.float64]:
    """(R,) log p of R texts, text r on line `rows[r]`."""
    sizes = np.array([len(text) for text in texts])
    labels = np.full((len(texts), int(sizes.max())), blank)
    for row, text in zip(labels, texts, strict=True):
        row[: len(text)] = text
    frames = np.moveaxis(log_probabilities, 1, 0)  # (T, N, C)
    of_labels = frames[:, rows[:, None], labels].astype(np.float64)  # (T, R, L)
    of_blank = frames[:, rows, blank].astype(np.float64)[..., None]  # (T, R, 1)
    outside = np.arange(len(frames))[:, None] >= lengths[rows]
    of_labels[outside], of_blank[outside] = -np.inf, 0.0  # a frame that is surely blank changes no text
    follows = np.diff(labels, axis=1, prepend=blank) != 0  # two equal characters need a blank between them
    chances = _sum_of_chances(np.exp(of_labels), np.exp(of_blank), follows, sizes)
    with np.errstate(divide="ignore"):
        found = np.log(chances)
    if (small := chances < _SMALLEST).any():
        found[small] = _log_sum(of_labels[:, small], of_blank[:, small], follows[small], sizes[small])
    return found


def _sum_of_chances(
    of_labels: NDArray[np.float64],
    of_blank: NDArray[np.float64],
    follows: NDArray[np.bool_],
    sizes: NDArray[np.intp],
) -> NDArray[np.float64]:
    """(R,) chances, by the forward recursion of equations 6 to 8.

    After j characters an alignment stands on the blank behind them (`blanks[:, j]`) or on the j-th character itself
    (`characters[:, j]`; column 0 stays empty).

    Args:
        of_labels: (T, R, L) chances of each text's characters in each frame.
        of_blank: (T, R, 1) of the blank.
        follows: (R, L) whether a character can follow the one before it without a blank.
        sizes: (R,) characters of each text.
    """
    blanks = np.zeros((len(follows), follows.shape[1] + 1))
    blanks[:, 0] = 1.0
    characters = np.zeros_like(blanks)
    for label, blank in zip(of_labels, of_blank, strict=True):
        arrived = characters[:, :-1] * follows
        arrived += characters[:, 1:]
        arrived += blanks[:, :-1]
        arrived *= label
        blanks += characters
        blanks *= blank
        characters[:, 1:] = arrived
    each = np.arange(len(sizes))
    return blanks[each, sizes] + characters[each, sizes]


def _log_sum(
    of_labels: NDArray[np.float64],
    of_blank: NDArray[np.float64],
    follows: NDArray[np.bool_],
    sizes: NDArray[np.intp],
) -> NDArray[np.float64]:
    """`_sum_of_chances` in logarithms: the same recursion at twice the time, for chances of any smallness."""
    barrier = np.where(follows, 0.0, -np.inf)
    blanks = np.full((len(follows), follows.shape[1] + 1), -np.inf)
    characters = blanks.copy()
    blanks[:, 0] = 0.0
    for label, blank in zip(of_labels, of_blank, strict=True):
        stayed = np.logaddexp(characters[:, 1:], blanks[:, :-1])
        arrived = np.logaddexp(stayed, characters[:, :-1] + barrier) + label
        blanks = np.logaddexp(blanks, characters) + blank
        characters[:, 1:] = arrived
    each = np.arange(len(sizes))
    return np.asarray(np.logaddexp(blanks[each, sizes], characters[each, sizes]))


def _frames(log_probabilities: Floats, prune_below: float) -> list[list[tuple[int, float]]]:
    """Of each frame, the classes worth following and their chances, likeliest first."""
    if not len(log_probabilities):
        return []
    least = math.log(prune_below) if prune_below else -math.inf
    best = log_probabilities.argmax(axis=1)
    kept = log_probabilities > least
    kept[np.arange(len(best)), best] = log_probabilities.max(axis=1) > -np.inf
    of_frame, classes = kept.nonzero()
    chances = np.exp(log_probabilities[of_frame, classes])
    order = np.lexsort((-chances, of_frame))
    pairs = list(zip(classes[order].tolist(), chances[order].tolist(), strict=True))
    ends = [0, *np.searchsorted(of_frame, np.arange(len(kept)), side="right").tolist()]
    return [pairs[start:end][:_MOST_CLASSES] for start, end in pairwise(ends)]


def _search(
    frames: list[list[tuple[int, float]]], beam: int, prune_below: float, blank: int
) -> list[tuple[int, ...]]:
    """The likeliest texts by their alignments through `frames`, best first, at most `beam`.

    Only the order of the chances counts: they are scaled in each frame, the best to 1, lest they vanish.
    """
    begun: _Beginnings = {(): (1.0, 0.0)}
    for frame in frames:
        if len(frame) == 1 and frame[0][0] == blank:  # most frames; the texts stay as they are
            begun = {text: (on_blank + on_last, 0.0) for text, (on_blank, on_last) in begun.items()}
            continue
        least = prune_below * frame[0][1] if frame else 0.0
        grown = _grow(begun, frame, least, blank)
        best = heapq.nlargest(beam, grown, key=lambda text: sum(grown[text]))
        scale = sum(grown[best[0]]) if best else 1.0
        begun = {text: (grown[text][0] / scale, grown[text][1] / scale) for text in best}
    return list(begun)


def _grow(begun: _Beginnings, frame: list[tuple[int, float]], least: float, blank: int) -> _Beginnings:
    """The beginnings after one more frame, each way there with a chance of `least` or more. Only behind a blank can a character come again."""
    on_blank: defaultdict[tuple[int, ...], float] = defaultdict(float)
    on_last: defaultdict[tuple[int, ...], float] = defaultdict(float)
    for text, (blank_before, last_before) in begun.items():
        before = blank_before + last_before
        for character, chance in frame:
            if before * chance < least:
                break  # the classes that follow are no likelier
            if character == blank:
                on_blank[text] += before * chance
            elif text and character == text[-1]:
                on_last[text] += last_before * chance
                on_last[(*text, character)] += blank_before * chance
            else:
                on_last[(*text, character)] += before * chance
    either = {text: (on_blank.get(text, 0.0), on_last.get(text, 0.0)) for text in (on_blank | on_last)}
    return {text: chances for text, chances in either.items() if any(chances)}
