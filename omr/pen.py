"""Drawing in page millimetres, y down, on a reportlab canvas whose y runs up in points."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from omr.bubble_print import LABEL_GRAY, MM_PER_POINT, OUTLINE_MM, place_label
from omr.fonts import LINE_PITCH, fit_text, register_font, text_width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reportlab.pdfgen.canvas import Canvas

    from omr.geometry import Rectangle
    from omr.layout import Bubble

POINTS_PER_MM = 1 / MM_PER_POINT
STACK_PITCH = 1.1
"""Distance from character to character in stacked text, as a multiple of the font size."""
_TURNED_CHARACTERS = frozenset("（）()「」『』〔〕【】［］[]〈〉《》ー―—–-〜～…‥＝=：:")
_BASELINE = 0.36
"""From the middle of a line of this font down to its baseline, as a share of the font size."""
_BOLD_STROKE = 0.035
"""Stroke around bold letters, as a share of the font size: the font comes in one weight."""


class Align(Enum):
    """Where text stands in its area, from left to right."""

    START = 0.0
    MIDDLE = 0.5
    END = 1.0


class Weight(Enum):
    """How heavy letters are."""

    REGULAR = "regular"
    BOLD = "bold"


@dataclass(frozen=True, slots=True)
class Caption:
    """Printed text outside the answer regions: shrunk and broken into lines until it fits its area.

    Attributes:
        text: one paragraph.
        area: where it stands, mm.
        size: the largest font size, mm.
        align: left, middle or right.
        gray: ink, 0 black to 1 white.
    """

    text: str
    area: Rectangle
    size: float
    align: Align = Align.MIDDLE
    gray: float = 0.0


@dataclass(frozen=True, slots=True)
class Pen:
    """Draws on one canvas.

    Attributes:
        canvas: reportlab's, with pages of `page_height` mm.
        page_height: in millimetres.
    """

    canvas: Canvas
    page_height: float

    def line(self, x1: float, y1: float, x2: float, y2: float, width: float, gray: float = 0.0) -> None:
        """A straight line of `width` mm."""
        self.canvas.setStrokeGray(gray)
        self.canvas.setLineWidth(width * POINTS_PER_MM)
        self.canvas.line(x1 * POINTS_PER_MM, self._up(y1), x2 * POINTS_PER_MM, self._up(y2))

    def frame(self, area: Rectangle, width: float, gray: float = 0.0) -> None:
        """The outline of a rectangle, `width` mm wide, its middle on the edge."""
        self.canvas.setStrokeGray(gray)
        self.canvas.setLineWidth(width * POINTS_PER_MM)
        self.canvas.rect(*self._box(area), fill=0)

    def solid(self, area: Rectangle) -> None:
        """A black rectangle."""
        self.canvas.setFillGray(0)
        self.canvas.rect(*self._box(area), stroke=0, fill=1)

    def solids(self, areas: Sequence[Rectangle]) -> None:
        """Many black rectangles at once, without seams between them."""
        path = self.canvas.beginPath()
        for area in areas:
            path.rect(*self._box(area))
        self.canvas.setFillGray(0)
        self.canvas.drawPath(path, stroke=0, fill=1)

    def bubble(self, bubble: Bubble) -> None:
        """An empty bubble with its label, as `omr.bubble_print` says."""
        x, y, w, h = self._box(bubble.expanded(-OUTLINE_MM / 2))
        self.canvas.setStrokeGray(0)
        self.canvas.setLineWidth(OUTLINE_MM * POINTS_PER_MM)
        self.canvas.ellipse(x, y, x + w, y + h, stroke=1, fill=0)
        label = place_label(bubble, text_width(bubble.label, 1.0))
        self._write(bubble.label, label.x, label.baseline, label.size, LABEL_GRAY)

    def filled_oval(self, area: Rectangle) -> None:
        """A bubble as a pupil should fill it."""
        x, y, w, h = self._box(area)
        self.canvas.setFillGray(0)
        self.canvas.ellipse(x, y, x + w, y + h, stroke=0, fill=1)

    def text(
        self,
        text: str,
        area: Rectangle,
        size: float,
        *,
        align: Align = Align.START,
        gray: float = 0.0,
        weight: Weight = Weight.REGULAR,
    ) -> None:
        """Text in the middle of an area's height, shrunk and broken into lines until it fits."""
        fitted = fit_text(text, area.w, area.h, size)
        middle = area.centre[1] - LINE_PITCH * fitted.size * (len(fitted.lines) - 1) / 2
        for line in fitted.lines:
            x = area.x + (area.w - text_width(line, fitted.size)) * align.value
            self._write(line, x, middle + _BASELINE * fitted.size, fitted.size, gray, weight)
            middle += LINE_PITCH * fitted.size

    def stacked_text(self, text: str, area: Rectangle, size: float, weight: Weight = Weight.REGULAR) -> None:
        """Text from top to bottom (縦書き), shrunk until it fits; brackets and dashes are turned."""
        size = min(size, area.w, area.h / (STACK_PITCH * max(len(text), 1)))
        for place, character in enumerate(text):
            middle = area.y + (place + 0.5) * STACK_PITCH * size
            self.canvas.saveState()
            self.canvas.translate(area.centre[0] * POINTS_PER_MM, self._up(middle))
            self.canvas.rotate(-90 if character in _TURNED_CHARACTERS else 0)
            origin = Pen(self.canvas, 0.0)
            origin._write(character, -text_width(character, size) / 2, _BASELINE * size, size, 0.0, weight)
            self.canvas.restoreState()

    def _write(
        self, text: str, x: float, baseline: float, size: float, gray: float, weight: Weight = Weight.REGULAR
    ) -> None:
        points = size * POINTS_PER_MM
        self.canvas.setFont(register_font(), points)
        self.canvas.setFillGray(gray)
        if weight is Weight.BOLD:
            self.canvas.setStrokeGray(gray)
            self.canvas.setLineWidth(points * _BOLD_STROKE)
        mode = 2 if weight is Weight.BOLD else None  # fill and stroke
        self.canvas.drawString(x * POINTS_PER_MM, self._up(baseline), text, mode=mode)

    def _up(self, y: float) -> float:
        return (self.page_height - y) * POINTS_PER_MM

    def _box(self, area: Rectangle) -> tuple[float, float, float, float]:
        return (
            area.x * POINTS_PER_MM,
            self._up(area.bottom),
            area.w * POINTS_PER_MM,
            area.h * POINTS_PER_MM,
        )
