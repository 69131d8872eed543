"""A card with evenly spaced rows and columns is never read a row or a column off."""

import cv2
import numpy as np
import pytest

from benchmarks.mark_cards import CARD_DPI, CARDS, Card, draw_card
from omr.grid_shifts import find_grid_shifts
from omr.page import Page
from omr.read_page import ReadingPlan, read_page
from omr.reading import PageStatus, ReadingStatus
from omr.reference import FINE_PIXELS_PER_MM
from sample_scans.bubble_fillings import Filling, draw_filling
from sample_scans.scanner import ScannerModel, scan

_MM = CARD_DPI / 25.4
CARD = CARDS[4]  # pale squares


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


@pytest.mark.parametrize("rows", [-1, 1])
def test_a_page_that_lies_a_row_off_is_read_right_or_not_at_all(rows: int) -> None:
    card = draw_card(CARD, is_stamped=False)
    (page,) = card.layout.pages
    empty = card.print(0.3)
    size = (round(page.width * FINE_PIXELS_PER_MM), round(page.height * FINE_PIXELS_PER_MM))
    reference = np.asarray(cv2.resize(empty, size, interpolation=cv2.INTER_AREA), np.uint8)
    plan = ReadingPlan(card.layout, "GRID", reference=(reference,))
    for seed in range(3):
        random = np.random.default_rng(seed)
        canvas = card.print(0.25)
        meant = []
        for question in page.questions:
            bubble = question.bubbles[int(random.integers(len(question.bubbles)))]
            x, y = bubble.centre
            size_px = (bubble.w * _MM, bubble.h * _MM)
            draw_filling(canvas, (x * _MM - 0.5, y * _MM - 0.5), size_px, Filling.FULL, random, _MM)
            meant.append((bubble.label,))
        model = ScannerModel(shift_mm=(0.0, rows * CARD.pitch[1]), skew_deg=0.3, noise=2.0)
        reading = read_page(Page(scan(canvas, CARD_DPI, model, random)), plan)
        if reading.status is PageStatus.READ:
            for answer, labels in zip(reading.answers, meant, strict=True):
                assert answer.status is ReadingStatus.DOUBTFUL or answer.labels == labels
