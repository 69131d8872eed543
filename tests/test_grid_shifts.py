"""A card with evenly spaced rows and columns is never read a row or a column off."""

import cv2
import numpy as np
import pytest

from benchmarks.bubble_pages import BY_REFERENCE, make_page
from benchmarks.bubble_tables import Outcome
from benchmarks.bubbles import judge
from benchmarks.mark_cards import CARDS, Card, draw_card
from omr.grid_shifts import find_grid_shifts
from omr.reading import PageStatus
from sample_scans.scanner import Condition


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_the_pitch_of_rows_and_columns_is_found(card: Card) -> None:
    picture = draw_card(card, is_stamped=False).print(card.darkness[0])
    shifts = np.array(find_grid_shifts(picture, 210.0, 297.0))
    for pitch in ((card.pitch[0], 0.0), (0.0, card.pitch[1])):
        assert np.abs(shifts - pitch).max(axis=1).min() <= 0.5


def test_a_plain_page_has_no_grid() -> None:
    page = np.full((1188, 840), 255, np.uint8)
    cv2.putText(page, "1", (200, 300), cv2.FONT_HERSHEY_SIMPLEX, 8, 0, 12)
    assert find_grid_shifts(page, 210.0, 297.0) == []


def test_a_card_is_not_read_a_row_off() -> None:
    """A page of the bubble benchmark that was found a row off, with 25 of 52 answers wrong, before shifts were rivals."""
    made = make_page(BY_REFERENCE[0], Condition.DUSTY, np.random.default_rng((80, 18)), 80)
    reading = made.read()
    assert reading.status is PageStatus.READ
    for answer, truth in zip(reading.answers, made.truths, strict=True):
        assert judge(answer, truth) is not Outcome.WRONG
