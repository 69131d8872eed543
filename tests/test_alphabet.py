"""The characters that can occur, and what becomes of all others."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr.alphabet import SymbolKind, narrow
from ocr.symbol_reader import narrow_chances

CLASSES = ("", "\N{REPLACEMENT CHARACTER}", *"アイウエ工へヘ0Oo○1lI5①")


def chances_of(**most: float) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    row = np.zeros((1, len(CLASSES)), np.float32)
    for one, chance in most.items():
        row[0, CLASSES.index(one)] = chance
    return row


@given(st.lists(st.sampled_from(CLASSES[2:]), min_size=1, max_size=8, unique=True), st.integers(0, 2**16))
def test_chances_sum_to_one_and_keep_their_order(choices: list[str], seed: int) -> None:
    alphabet = narrow(CLASSES, tuple(choices))
    assert alphabet is not None
    random = np.random.default_rng(seed).dirichlet(np.ones(len(CLASSES)), 3).astype(np.float32)
    narrowed = narrow_chances(random, alphabet)
    assert narrowed.shape == (3, len(choices) + 1)
    assert np.allclose(narrowed.sum(axis=1), 1, atol=1e-5)


def test_a_character_that_looks_the_same_counts_for_the_one_that_is_offered() -> None:
    alphabet = narrow(CLASSES, tuple("アイウエ"))
    assert alphabet is not None
    narrowed = narrow_chances(chances_of(工=0.7, エ=0.2, ア=0.1), alphabet)[0]
    assert narrowed[3] == pytest.approx(0.9, abs=0.01)


def test_what_is_not_offered_is_none_of_these() -> None:
    alphabet = narrow(CLASSES, tuple("アイ"))
    assert alphabet is not None
    narrowed = narrow_chances(chances_of(ウ=0.99, ア=0.01), alphabet)[0]
    assert narrowed[-1] > 0.7


def test_where_both_are_offered_each_counts_for_itself() -> None:
    alphabet = narrow(CLASSES, ("0", "○"))
    assert alphabet is not None
    narrowed = narrow_chances(chances_of(**{"0": 0.6, "○": 0.2, "O": 0.2}), alphabet)[0]
    assert narrowed[:2] == pytest.approx([0.7, 0.3], abs=0.01)


def test_a_character_that_the_model_does_not_know_needs_another_reader() -> None:
    assert narrow(CLASSES, ("ア", "甲")) is None


@pytest.mark.parametrize(
    ("choices", "kind"),
    [
        ("01", SymbolKind.DIGITS),
        ("①", SymbolKind.DIGITS),
        ("アイ", SymbolKind.KANA),
        ("Ol", SymbolKind.LATIN),
    ],
)
def test_kinds_of_alphabets(choices: str, kind: SymbolKind) -> None:
    alphabet = narrow(CLASSES, tuple(choices) if choices != "01" else ("0", "1"))
    assert alphabet is not None
    assert alphabet.kind is kind
