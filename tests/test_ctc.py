"""CTC against the plain sum over every alignment."""

from __future__ import annotations

import math
from collections import defaultdict
from itertools import groupby, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ocr.ctc import batch_log_likelihoods, best_texts, text_log_likelihoods

Line = NDArray[np.float32]


def line_of(chances: list[list[float]]) -> Line:
    """The logarithms of the chances of each frame."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(np.array(chances)), dtype=np.float32)


def peaked_line(text: list[int], frames: int, classes: int, sureness: float, seed: int) -> Line:
    """A line like a recogniser's: each character in one frame, blanks between, the rest of the chance spread."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(frames, classes))
    at = np.linspace(1, frames - 2, len(text)).astype(int)
    best = np.zeros(frames, dtype=int)
    best[at] = text
    chances = np.exp(scores) * (1 - sureness) / np.exp(scores).sum(axis=1, keepdims=True)
    chances[np.arange(frames), best] += sureness
    return np.asarray(np.log(chances), dtype=np.float32)


def sum_over_alignments(line: Line) -> dict[tuple[int, ...], float]:
    """The chance of every text of a short line: all alignments, one by one."""
    chances: dict[tuple[int, ...], float] = defaultdict(float)
    frames = np.exp(line.astype(np.float64))
    for alignment in product(range(line.shape[1]), repeat=len(line)):
        text = tuple(one for one, _ in groupby(alignment) if one != 0)
        chances[text] += float(np.prod([frame[one] for frame, one in zip(frames, alignment, strict=True)]))
    return chances


@st.composite
def short_lines(draw: st.DrawFn) -> Line:
    frames, classes = draw(st.integers(1, 5)), draw(st.integers(2, 4))
    weights = draw(
        st.lists(
            st.lists(st.sampled_from([0.0, 0.01, 0.5, 1.0, 3.0]), min_size=classes, max_size=classes).filter(
                any
            ),
            min_size=frames,
            max_size=frames,
        )
    )
    jitter = np.random.default_rng(draw(st.integers(0, 99))).uniform(0.9, 1.1, (frames, classes))
    chances = np.array(weights) * jitter
    return line_of((chances / chances.sum(axis=1, keepdims=True)).tolist())


def test_values_worked_by_hand() -> None:
    line = line_of([[0.6, 0.4], [0.5, 0.5]])
    # "1": 1 then blank, blank then 1, 1 held; "": two blanks; "11" needs a blank between, so three frames.
    found = text_log_likelihoods(line, [[1], [], [1, 1]])
    assert np.exp(found) == pytest.approx([0.4 * 0.5 + 0.6 * 0.5 + 0.4 * 0.5, 0.6 * 0.5, 0.0])
    assert found[2] == -math.inf
    three = line_of([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7]])
    assert np.exp(text_log_likelihoods(three, [[1, 1]])) == pytest.approx([0.9 * 0.8 * 0.7])
    last_is_blank = line_of([[0.4, 0.6], [0.5, 0.5]])
    assert np.exp(text_log_likelihoods(last_is_blank, [[0]], blank=1)) == pytest.approx([0.7])


@settings(max_examples=150, deadline=None, derandomize=True)
@given(line=short_lines())
def test_the_forward_sum_is_the_sum_over_all_alignments(line: Line) -> None:
    expected = sum_over_alignments(line)
    found = text_log_likelihoods(line, list(expected))
    assert np.exp(found) == pytest.approx(list(expected.values()), rel=1e-6, abs=1e-15)
    assert np.exp(found).sum() == pytest.approx(1.0)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(line=short_lines(), shift=st.sampled_from([-300.0, -2000.0]))
def test_the_smallest_chances_are_exact(line: Line, shift: float) -> None:
    """Chances that no double holds: every frame made less likely by the same factor."""
    texts = list(sum_over_alignments(line))
    shifted = text_log_likelihoods(line.astype(np.float64) + shift, texts)
    assert shifted - len(line) * shift == pytest.approx(text_log_likelihoods(line, texts), rel=1e-6, abs=1e-6)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(lines=st.lists(short_lines(), min_size=1, max_size=4), seed=st.integers(0, 99))
def test_lines_together_are_as_each_alone(lines: list[Line], seed: int) -> None:
    rng = np.random.default_rng(seed)
    together = rng.normal(size=(len(lines), 6, 4))  # what stands behind a line's own frames is of no account
    texts = []
    for padded, line in zip(together, lines, strict=True):
        padded[: len(line), : line.shape[1]] = line
        texts.append(
            [rng.integers(1, line.shape[1], rng.integers(0, 5)).tolist() for _ in range(rng.integers(4))]
        )
    found = batch_log_likelihoods(together, np.array([len(line) for line in lines]), texts)
    for line, candidates, scores in zip(lines, texts, found, strict=True):
        assert scores == pytest.approx(text_log_likelihoods(line, candidates))


def test_a_text_with_the_blank_is_refused() -> None:
    with pytest.raises(ValueError, match="blank"):
        text_log_likelihoods(line_of([[0.5, 0.5]]), [[1, 0]])
    with pytest.raises(ValueError, match="each line"):
        batch_log_likelihoods(np.zeros((2, 1, 2)), np.array([1, 1]), [[[1]]])


@settings(max_examples=150, deadline=None, derandomize=True)
@given(line=short_lines(), count=st.integers(1, 6))
def test_an_unpruned_search_finds_the_best_of_all_texts(line: Line, count: int) -> None:
    expected = sorted(sum_over_alignments(line).values(), reverse=True)[:count]
    found = best_texts(line, beam=200, count=count, prune_below=0.0)
    chances = [math.exp(one.log_likelihood) for one in found]
    assert chances == pytest.approx([one for one in expected if one > 0][: len(found)], rel=1e-5)
    assert len(found) == min(count, sum(one > 0 for one in expected))
    assert len({one.text for one in found}) == len(found)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(line=short_lines(), beam=st.integers(1, 4))
def test_a_narrow_search_tells_true_chances_best_first(line: Line, beam: int) -> None:
    chances = sum_over_alignments(line)
    found = best_texts(line, beam=beam, count=3)
    assert 1 <= len(found) <= min(beam, 3)
    for one in found:
        assert math.exp(one.log_likelihood) == pytest.approx(chances[one.text], rel=1e-5, abs=1e-15)
    assert found == sorted(found, key=lambda one: -one.log_likelihood)


def test_the_sum_over_alignments_decides_not_the_best_alignment() -> None:
    line = line_of([[0.6, 0.4], [0.6, 0.4]])  # the best alignment is two blanks: 0.36 against 0.64 for "1"
    assert best_texts(line)[0].text == (1,)


@pytest.mark.parametrize("seed", range(5))
def test_a_line_of_many_classes(seed: int) -> None:
    text = np.random.default_rng(seed).integers(1, 2500, 8).tolist()
    sure = best_texts(peaked_line(text, 64, 2500, 0.9995, seed))
    assert [one.text for one in sure] == [tuple(text)]
    assert -0.1 < sure[0].log_likelihood < 0
    unsure = best_texts(peaked_line(text, 64, 2500, 0.9, seed), count=3)
    assert unsure[0].text == tuple(text)


def test_only_the_alphabet_is_read() -> None:
    line = line_of([[0.1, 0.6, 0.3, 0.0], [0.9, 0.05, 0.05, 0.0]])
    alphabet = np.array([False, False, True, True])
    found = best_texts(line, alphabet)
    assert [one.text for one in found] == [(2,), ()]
    assert found[0].log_likelihood == pytest.approx(text_log_likelihoods(line, [[2]])[0])


def test_where_nothing_is_or_can_be() -> None:
    assert best_texts(np.zeros((0, 5), dtype=np.float32)) == [((), 0.0)]
    assert text_log_likelihoods(np.zeros((0, 5), dtype=np.float32), [[], [1]]).tolist() == [0.0, -math.inf]
    assert text_log_likelihoods(line_of([[0.5, 0.5]]), []).shape == (0,)
    assert best_texts(line_of([[0.0, 1.0, 0.0]]), np.array([False, False, True])) == []


def test_frames_that_show_nothing_cost_no_more_than_others() -> None:
    flat = np.full((64, 2500), -math.log(2500), dtype=np.float32)
    assert best_texts(flat, prune_below=0.0)
