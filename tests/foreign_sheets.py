"""Sheets of other makers, given by where their bubbles lie in the picture."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from omr.layout import Bubble, Layout, PageLayout, QuestionKind, QuestionLayout

PIXELS_PER_MM = 10.0


@dataclass
class ForeignSheet:
    """A sheet of another maker: its bubbles in pixels by question, and which are marked."""

    bubbles: dict[str, list[tuple[str, float, float, float, float]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    marked: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def layout(self, width: int, height: int) -> Layout:
        """A layout in which the image is the page."""
        questions = tuple(
            QuestionLayout(
                name,
                QuestionKind.CHOICE,
                bubbles=tuple(
                    Bubble(*(side / PIXELS_PER_MM for side in box), label=label) for label, *box in bubbles
                ),
            )
            for name, bubbles in self.bubbles.items()
        )
        return Layout((PageLayout(1, width / PIXELS_PER_MM, height / PIXELS_PER_MM, questions),))
