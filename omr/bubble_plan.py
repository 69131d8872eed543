"""Where to sample the bubbles of a page, and what each sample means: worked out once a layout."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from omr.bubble_print import OUTLINE_MM, place_label
from omr.fonts import FONT_PATH
from omr.geometry import Rectangle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from omr.layout import Bubble
    from omr.pixels import Floats, Gray, Mask

GRID = 24
"""Samples along each side of a bubble's neighbourhood."""
MARGIN_MM = 1.6
"""How far around the box is looked at: circles around a bubble, marks beside it."""
SECTORS = 12
_RIM_SLACK_MM = 0.2
"""How far beside its place the printed outline is still looked for."""
_PRINT_SLACK_MM = 0.35
"""Kept clear on both sides of the outline, for what registration leaves."""
_LABEL_SLACK_MM = 0.25
_LABEL_PIXELS_PER_MM = 16


@dataclass(frozen=True, slots=True)
class BubblePlan:
    """Where to sample the bubbles of one page, and what each sample means; made once a layout.

    K bubbles, G = GRID² samples each. Where `outline`, `rim` or `whole` is the same in all bubbles,
    it has one row for all.

    Attributes:
        points: page mm, float32 (K, G, 2).
        inner: weight of the free inside, float32 (K, G), sums to 1 a bubble.
        label: where the printed label stands inside, bool (K, G).
        glyph: the samples that the label's strokes fill, weights that sum to 1, float32 (K, G).
        whole: area of each sample of the bubble, its outline included, mm², float32 (K, G).
        outline: weight of the printed outline, float32 (K, G), sums to 1.
        rim: weight of the outline and its slack, float32 (K, G); sums to 1 in each eighth of the turn.
        own: what lies nearer to this bubble than to any other, bool (K, G).
        border: weight of the outermost samples of `own`, float32 (K, G), sums to 1.
        around: weight of the margin that is this bubble's own, float32 (K, G), sums to 1.
        sector: which direction of which bubble each sample of `around` belongs to, k · SECTORS + direction, int32
            (K, G); K · SECTORS for samples elsewhere.
        neighbours: the bubble that lies in that direction, or K, int (K, SECTORS).
        same_print: the bubbles of each label and size, padded with K, int (prints, most); single ones are left out.
        cell: area of one sample in mm², float32 (K,).
        pitch: distance of grid columns and rows in mm, float32 (K, 2).
        has_grey_labels: whether the labels are printed in the middle grey of our own sheets.
    """

    points: Floats
    inner: Floats
    label: Mask
    glyph: Floats
    whole: Floats
    outline: Floats
    rim: Floats
    own: Mask
    border: Floats
    around: Floats
    sector: NDArray[np.int32]
    neighbours: NDArray[np.intp]
    same_print: NDArray[np.intp]
    cell: Floats
    pitch: Floats
    has_grey_labels: bool = True


def plan_bubbles(bubbles: Sequence[Bubble]) -> BubblePlan:
    """Work out the samples of a page's bubbles; `bubbles` must not be empty."""
    boxes = np.array([(b.x, b.y, b.w, b.h) for b in bubbles])
    unit = (np.arange(GRID) + 0.5) / GRID
    start = boxes[:, :2] - MARGIN_MM
    size = boxes[:, 2:] + 2 * MARGIN_MM
    x = start[:, 0, None] + size[:, 0, None] * unit  # (K, GRID)
    y = start[:, 1, None] + size[:, 1, None] * unit
    points = np.stack(np.broadcast_arrays(x[:, None, :], y[:, :, None]), axis=-1)  # (K, GRID, GRID, 2)
    centres = boxes[:, :2] + boxes[:, 2:] / 2
    away = points - centres[:, None, None, :]
    half = boxes[:, None, None, 2:] / 2
    inside = _in_oval(away, half - OUTLINE_MM - _PRINT_SLACK_MM)
    glyphs = np.stack([_label_picture(b.label, b.w, b.h) for b in bubbles])
    labels = np.stack([_grow_label(b.label, b.w, b.h) for b in bubbles])
    outline = _in_oval(away, half) & ~_in_oval(away, half - OUTLINE_MM)
    outside = ~_in_oval(away, half + _PRINT_SLACK_MM)
    rim = _in_oval(away, half + _RIM_SLACK_MM) & ~_in_oval(away, half - OUTLINE_MM - _RIM_SLACK_MM)
    own = _is_nearest(points, centres)
    around = outside & own
    cell = (size[:, 0] * size[:, 1] / GRID**2).astype(np.float32)
    direction = np.floor((np.arctan2(away[..., 1], away[..., 0]) / (2 * np.pi) % 1) * SECTORS).astype(int)
    sector = np.where(
        around, np.arange(len(bubbles))[:, None, None] * SECTORS + direction, len(bubbles) * SECTORS
    )
    return BubblePlan(
        points=points.reshape(len(bubbles), -1, 2).astype(np.float32),
        inner=_weights(inside & ~labels),
        label=(inside & labels).reshape(len(bubbles), -1),
        glyph=_weights(glyphs * inside),
        whole=_once(_flat(~outside) * cell[:, None]),
        outline=_once(_weights(outline)),
        rim=_once(_weigh_eighths(rim)),
        own=own.reshape(len(bubbles), -1),
        border=_weights(outside & _edge_of(own)),
        around=_weights(around),
        sector=sector.reshape(len(bubbles), -1).astype(np.int32),
        neighbours=_neighbours(centres, boxes),
        same_print=_group_alike([(b.label, b.w, b.h) for b in bubbles]),
        cell=cell,
        pitch=(size / GRID).astype(np.float32),
    )


def _flat(mask: Mask | Floats) -> Floats:
    return mask.reshape(*mask.shape[:-2], GRID * GRID).astype(np.float32)


def _once(weights: Floats) -> Floats:
    """One row for all bubbles where all rows are equal: the less a page has to fetch from memory."""
    return weights[:1].copy() if (weights == weights[:1]).all() else weights


def _weights(mask: Mask | Floats) -> Floats:
    flat = _flat(mask)
    weights: Floats = flat / np.maximum(flat.sum(axis=1, keepdims=True), np.float32(1e-6))
    return weights


def _eighths() -> Floats:
    """Which eighth of the turn each sample of the grid lies in, float32 (G, 8)."""
    unit = (np.arange(GRID) + 0.5) / GRID - 0.5
    turn = np.arctan2(unit[:, None], unit[None, :]) / (2 * np.pi) % 1
    which: Floats = np.eye(8, dtype=np.float32)[np.floor(turn * 8).astype(int).reshape(-1)]
    return which


EIGHTHS = _eighths()
"""Which eighth of the turn each sample of the grid lies in, float32 (G, 8)."""


def _weigh_eighths(mask: Mask) -> Floats:
    """Weights that sum to 1 in each eighth of the turn, (K, G)."""
    flat = _flat(mask)
    count: Floats = np.maximum(flat @ EIGHTHS, 1)
    return (flat / (count @ EIGHTHS.T)).astype(np.float32)


def _edge_of(own: Mask) -> Mask:
    """The outermost samples of each region, (K, GRID, GRID)."""
    wider = np.pad(own, ((0, 0), (1, 1), (1, 1)))
    beside = wider[:, :-2, 1:-1] & wider[:, 2:, 1:-1] & wider[:, 1:-1, :-2] & wider[:, 1:-1, 2:]
    edge: Mask = own & ~beside
    return edge


def _in_oval(away: NDArray[np.float64], half: NDArray[np.float64]) -> Mask:
    inside: Mask = ((away / np.maximum(half, 0.05)) ** 2).sum(axis=-1) < 1
    return inside


def _is_nearest(points: NDArray[np.float64], centres: NDArray[np.float64]) -> Mask:
    """Whether each sample lies nearer to its own bubble than to any other."""
    nearest = np.ones(points.shape[:3], bool)
    for index, centre in enumerate(centres):
        rivals = [
            other for other in np.flatnonzero(np.abs(centres - centre).max(axis=1) < 25) if other != index
        ]
        own = ((points[index] - centre) ** 2).sum(axis=-1)
        for rival in rivals:
            nearest[index] &= own <= ((points[index] - centres[rival]) ** 2).sum(axis=-1)
    return nearest


def _neighbours(centres: NDArray[np.float64], boxes: NDArray[np.float64]) -> NDArray[np.intp]:
    """For each bubble and direction the bubble whose own ink may reach into that part of the margin."""
    count = len(centres)
    table = np.full((count, SECTORS), count, np.intp)
    middles = (np.arange(SECTORS) + 0.5) / SECTORS * 2 * np.pi
    for index, centre in enumerate(centres):
        reach = boxes[index, 2:].max() / 2 + boxes[:, 2:].max(axis=1) / 2 + 2 * MARGIN_MM
        offset = centres - centre
        distance = np.hypot(*offset.T)
        for other in np.flatnonzero((distance > 0) & (distance < reach)):
            angle = np.arctan2(offset[other, 1], offset[other, 0])
            apart = np.abs((middles - angle + np.pi) % (2 * np.pi) - np.pi)
            table[index, apart < np.pi / 3] = other
    return table


def _group_alike(prints: Sequence[tuple[str, float, float]]) -> NDArray[np.intp]:
    groups = [[k for k, one in enumerate(prints) if one == kind] for kind in dict.fromkeys(prints)]
    groups = [group for group in groups if len(group) > 1]
    most = max((len(group) for group in groups), default=0)
    table = np.full((len(groups), most), len(prints), np.intp)
    for row, group in zip(table, groups, strict=True):
        row[: len(group)] = group
    return table


@cache
def _draw_label(label: str, w: float, h: float) -> Gray:
    """The label as it is printed, ink 255, on the neighbourhood of a bubble of this size."""
    scale = _LABEL_PIXELS_PER_MM
    box = Rectangle(MARGIN_MM, MARGIN_MM, w, h)
    place = place_label(box, ImageFont.truetype(str(FONT_PATH), 100).getlength(label) / 100)
    size = (round((w + 2 * MARGIN_MM) * scale), round((h + 2 * MARGIN_MM) * scale))
    picture = Image.new("L", size)
    font = ImageFont.truetype(str(FONT_PATH), max(1.0, place.size * scale))
    ImageDraw.Draw(picture).text((place.x * scale, place.baseline * scale), label, 255, font, anchor="ls")
    return np.asarray(picture)


@cache
def _label_picture(label: str, w: float, h: float) -> Floats:
    """How far the label's strokes fill each sample, 0 to 1, (GRID, GRID)."""
    small = cv2.resize(_draw_label(label, w, h), (GRID, GRID), interpolation=cv2.INTER_AREA)
    return (small / np.float32(255)).astype(np.float32)


@cache
def _grow_label(label: str, w: float, h: float) -> Mask:
    """Where the label may stand, what registration leaves included, (GRID, GRID)."""
    reach = 2 * round(_LABEL_SLACK_MM * _LABEL_PIXELS_PER_MM) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    grown = cv2.dilate(_draw_label(label, w, h), disc)
    mask: Mask = cv2.resize(grown, (GRID, GRID), interpolation=cv2.INTER_AREA) > 64
    return mask
