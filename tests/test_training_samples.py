"""The samples that models are trained on: nobody writes for two parts, and labels stand where the writing is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.training.calibrate import fit_temperature, random_alphabet, safe_line
from models.training.characters import DIGITS, HIRAGANA, KATAKANA, SYMBOL_CLASSES, line_classes
from models.training.glyphs import SIDE, MixedHand, StrokeHand, set_in_place
from models.training.hands import Hands
from models.training.line_samples import LineMaker
from models.training.near_misses import near_miss
from models.training.paper import Scanner, bend, change_width
from models.training.sources import (
    CALIBRATION_FONTS,
    TEST_FONTS,
    TRAINING_FONTS,
    Part,
    Pictures,
    part_of,
)
from models.training.strokes import Haste, draw_strokes
from ocr.ink import find_ink
from ocr.network_input import LINE_MARGIN, Direction

Gray = np.ndarray[tuple[int, int], np.dtype[np.uint8]]
JOYO = "亜哀挨愛曖悪握圧扱宛嵐安案暗"


def test_no_font_and_no_writer_is_used_twice() -> None:
    assert not set(TRAINING_FONTS) & set(CALIBRATION_FONTS + TEST_FONTS)
    assert not set(CALIBRATION_FONTS) & set(TEST_FONTS)
    for writer in map(str, range(50)):
        assert len({part_of("unipen-app", writer, index) for index in range(20)}) == 1


@pytest.mark.parametrize("source", ["tegaki-models", "tegaki-lab", "tomoe", "hasyv2-popodev"])
def test_sources_whose_licence_does_not_fit_train_nothing(source: str) -> None:
    assert {part_of(source, str(writer), writer) for writer in range(200)} == {Part.TEST}


def test_most_writers_train_and_some_are_kept_back() -> None:
    parts = [part_of("unipen-app", str(writer), 0) for writer in range(2000)]
    shares = {part: parts.count(part) / len(parts) for part in Part}
    assert shares[Part.TRAIN] == pytest.approx(0.86, abs=0.03)
    assert shares[Part.CALIBRATION] == pytest.approx(0.07, abs=0.02)
    assert shares[Part.TEST] == pytest.approx(0.07, abs=0.02)


def test_every_class_stands_once() -> None:
    assert len(set(SYMBOL_CLASSES)) == len(SYMBOL_CLASSES)
    classes = line_classes(JOYO + "一")
    assert len(set(classes)) == len(classes)
    assert all(len(one) == 1 for one in classes[1:])


@given(st.text(HIRAGANA + KATAKANA + DIGITS + JOYO, min_size=1, max_size=6), st.integers(0, 2**16))
def test_a_near_miss_is_another_text(text: str, seed: int) -> None:
    assert near_miss(text, JOYO, np.random.default_rng(seed)) != text


@given(st.sampled_from(HIRAGANA), st.integers(0, 2**16))
def test_alphabets_offer_the_answer(text: str, seed: int) -> None:
    choices = random_alphabet(text, HIRAGANA, np.random.default_rng(seed))
    assert text in choices
    assert 4 <= len(choices) <= 10


def test_the_safe_line_leaves_few_errors_above_it() -> None:
    random = np.random.default_rng(1)
    chances = random.uniform(0.5, 1, 20_000)
    chances = 1 - (1 - chances) ** 3
    right = random.random(20_000) < chances
    line = safe_line(chances, right)
    assert 0.9 <= line < 0.9999
    assert (~right[chances >= line]).mean() < 0.0015


def test_chances_that_claim_too_much_get_a_line_out_of_reach() -> None:
    random = np.random.default_rng(1)
    chances = random.uniform(0.99, 1, 20_000)
    assert safe_line(chances, random.random(20_000) < 0.97) == pytest.approx(0.9999)


def test_the_temperature_of_scores_that_are_too_sure_is_found() -> None:
    random = np.random.default_rng(2)
    true = random.normal(0, 2, (5000, 6)).astype(np.float32)
    chances = np.exp(true) / np.exp(true).sum(axis=1, keepdims=True)
    labels = np.array([random.choice(6, p=row / row.sum()) for row in chances.astype(np.float64)])
    assert fit_temperature(true * 2, labels) == pytest.approx(2.0, rel=0.08)


STROKES = [
    np.array([[100, 200], [500, 220], [900, 200]], np.float32),
    np.array([[500, 100], [480, 900]], np.float32),
]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**16), st.floats(0, 1), st.floats(0.025, 0.09))
def test_a_hurried_hand_still_draws_its_strokes(seed: int, haste: float, width: float) -> None:
    random = np.random.default_rng(seed)
    drawn = draw_strokes(STROKES, SIDE, Haste(haste, 0.1, width), random)
    assert drawn.shape == (SIDE, SIDE)
    changed = change_width(bend(drawn, haste, random), random)
    assert 0.01 < (changed > 100).mean() < 0.6


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**16))
def test_what_is_scanned_is_found_again(seed: int) -> None:
    random = np.random.default_rng(seed)
    ink = np.zeros((44, 44), np.uint8)
    ink[8:36, 20:25] = 255
    crop = Scanner(random).scan(ink, random, depth=0.7)
    found = find_ink(crop.picture, crop.frame_px)
    assert not found.is_empty
    assert found.height >= 14


@dataclass(frozen=True)
class Blocks:
    """A hand that writes every character as a block, so that its middle is known."""

    def write(self, character: str, random: np.random.Generator) -> Gray:  # noqa: ARG002
        """A block of known place."""
        block = np.zeros((SIDE, SIDE), np.uint8)
        block[14:50, 22:42] = 255
        return block


class BlockHands(Hands):
    """Everybody writes blocks."""

    def latin(self, random: np.random.Generator) -> MixedHand:  # noqa: ARG002
        """The one hand there is."""
        return MixedHand((Blocks(),))

    japanese = latin


@pytest.mark.parametrize("direction", list(Direction))
def test_labels_stand_where_the_characters_are(direction: Direction) -> None:
    nobody = Pictures(*(np.zeros(0, kind) for kind in (np.uint8, "U1", "U1", "U1", "U1")))
    hands = BlockHands(fonts=(), font_shares=(), strokes={}, kana_writers=(), latin_writers=(), words=nobody)
    maker = LineMaker(hands, JOYO, np.random.default_rng(3))
    for _ in range(20):
        sample = maker.sample_of("あいうえお", direction)
        assert sample is not None
        strip = sample.strip()
        along = 0 if direction is Direction.VERTICAL else 1
        assert len(strip.middles) == 5
        assert np.all(np.diff(strip.middles) > 5)
        assert strip.middles[0] > LINE_MARGIN
        assert strip.middles[-1] < strip.pixels.shape[along] - LINE_MARGIN
        under = strip.pixels.max(axis=1 - along)[strip.middles.astype(int)]
        assert (under > 60).mean() >= 0.6


def test_small_letters_stand_low_and_small() -> None:
    tall = np.zeros((32, 32), np.uint8)
    tall[3:29, 12:20] = 255
    capital, small = set_in_place(tall, "A"), set_in_place(tall, "っ")
    rows = [np.flatnonzero(one.max(axis=1) > 90) for one in (capital, small)]
    assert len(rows[1]) < 0.8 * len(rows[0])
    assert rows[1].mean() > rows[0].mean()


def test_a_stroke_hand_knows_only_its_characters() -> None:
    hand = StrokeHand({"十": [STROKES]}, Haste(0.5, 0.0, 0.05))
    random = np.random.default_rng(4)
    assert hand.write("十", random) is not None
    assert hand.write("二", random) is None
