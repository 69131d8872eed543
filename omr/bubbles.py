"""Measuring bubbles: the ink added to each printed bubble of a page, all bubbles in one vectorised call.

Every bubble is sampled on the same grid of points, spread over its box and a margin around it and carried
into the scan by the page transform, so that one `cv2.remap` fetches all samples of a page. What the sheet
itself prints there is known (outline, label) and left out, so what remains is paper or added ink.
"""

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
from omr.pixels import map_points, median, sample

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from omr.layout import Bubble
    from omr.pixels import Floats, Gray, Mask
    from omr.registration import Registration

GRID = 24
"""Samples along each side of a bubble's neighbourhood."""
MARGIN_MM = 1.6
"""How far around the box is looked at: circles around a bubble, marks beside it."""
SECTORS = 12
INK = 0.33
"""Darkness from which a sample counts as ink: 0 is paper, 1 is solid print."""
_RIM_SLACK_MM = 0.2
"""How far beside its place the printed outline is still looked for."""
_THROUGH = 0.9
"""Share of a straight line across a bubble's own part of the page that is inked where the line goes through."""
_LEAST_THROUGH_MM2 = 0.3
_PRINT_SLACK_MM = 0.35
"""Kept clear on both sides of the outline, for what registration leaves."""
_LABEL_SLACK_MM = 0.25
_OVER_LABEL = 0.2
_SHADED_MARGIN = 0.06
_SMUDGE = 0.2
_LABEL_PIXELS_PER_MM = 16


@dataclass(frozen=True, slots=True)
class BubblePlan:
    """Where to sample the bubbles of one page, and what each sample means; made once a layout.

    K bubbles, G = GRID² samples each.

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


@dataclass(frozen=True, slots=True)
class BubbleMeasures:
    """The raw measures of K bubbles; decisions are made from these alone.

    Attributes:
        fill: mean darkness of the free inside, (K,).
        faint: share of the free inside darker than paper and its noise, (K,).
        ink: area of ink inside, mm², (K,).
        extent: longest side of the box around that ink, mm, (K,).
        ring: area of ink in the margin by direction, mm², (K, SECTORS).
        label: mean darkness of the printed label, (K,).
        whole: what is darker than a smudge on the bubble and its outline, print and ink together, mm² of solid
            black, (K,).
        outline: mean darkness of the printed outline, (K,).
        rim: mean darkness of the palest eighth of the outline, (K,); where it is bare, something lies on the print.
        border: share of the outermost samples darker than paper and its noise, (K,): dark that comes from outside.
        pale_ring: share of the margin darker than paper and its noise, but no ink, in the fourth palest eighth of
            the turn, (K,): a blurred ring darkens all eighths, a printed line beside the bubble three.
        through: area inside of straight lines that run through and beyond the bubble, mm², (K,).
        shade: the darkest shade that was taken off, (K,).
        light: brightness of the paper around each bubble, 1 as around the fiducials, 0 as black as print, (K,).
        noise: spread of the paper's darkness on this page.
    """

    fill: Floats
    faint: Floats
    ink: Floats
    extent: Floats
    ring: Floats
    label: Floats
    whole: Floats
    outline: Floats
    rim: Floats
    border: Floats
    pale_ring: Floats
    through: Floats
    shade: Floats
    light: Floats
    noise: float


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
        whole=_flat(~outside) * cell[:, None],
        outline=_weights(outline),
        rim=_weigh_eighths(rim),
        own=own.reshape(len(bubbles), -1),
        border=_weights(outside & _edge_of(own)),
        around=_weights(around),
        sector=sector.reshape(len(bubbles), -1).astype(np.int32),
        neighbours=_neighbours(centres, boxes),
        same_print=_group_alike([(b.label, b.w, b.h) for b in bubbles]),
        cell=cell,
        pitch=(size / GRID).astype(np.float32),
    )


def measure_bubbles(gray: Gray, registration: Registration, plan: BubblePlan) -> BubbleMeasures:
    """Measure all bubbles of a page at once.

    Args:
        gray: the page.
        registration: how the page lies, and its black and white.
        plan: of this page's bubbles.
    """
    black = np.float32(registration.black)
    at = map_points(registration.transform, plan.points)
    values = sample(gray, at)
    paper = _paper_plane(values, plan)
    darkness: Floats = (paper - values) / np.maximum(paper - black, 40)
    noise = _noise(darkness, plan)
    faint_line = max(0.12, 2.5 * noise)
    rim = ((darkness * plan.rim) @ _EIGHTHS).min(axis=1)
    border = _sum(darkness > faint_line, plan.border)
    shade = _take_off_shade(darkness, plan)
    is_ink = darkness > max(INK, 4.5 * noise)
    # The label is darker than paper by what it is on most bubbles of the page; ink on it must be darker still.
    label = median(np.where(plan.label, darkness, 0).max(axis=1))
    inner_ink = (is_ink & (plan.inner > 0)) | ((darkness > label + _OVER_LABEL) & plan.label)
    ink_area = inner_ink.sum(axis=1) * plan.cell
    faint = (darkness > faint_line).astype(np.float32)
    return BubbleMeasures(
        fill=_sum(darkness, plan.inner),
        faint=_sum(faint, plan.inner),
        ink=ink_area,
        extent=_extent(inner_ink, plan.pitch),
        ring=_ring(is_ink, plan),
        label=_sum(darkness, plan.glyph),
        whole=_sum(np.maximum(darkness - np.float32(_SMUDGE), 0), plan.whole),
        outline=_sum(darkness, plan.outline),
        rim=rim,
        border=border,
        pale_ring=_pale_ring(faint - is_ink, plan),
        through=_through(is_ink, inner_ink, (ink_area > _LEAST_THROUGH_MM2) & (border > 0), plan),
        shade=shade,
        light=(paper[:, 0] - black) / np.float32(max(registration.white - registration.black, 1)),
        noise=noise,
    )


def _paper_plane(values: Floats, plan: BubblePlan) -> Floats:
    """The gray of the paper around each bubble: the mean of the margin where it is not inked, (K, 1)."""
    first = _sum(values, plan.around)[:, None]
    clean = plan.around * (values > 0.85 * np.maximum(first, _brightest(values, plan)))
    weight = clean.sum(axis=1, keepdims=True)
    mean = (values * clean).sum(axis=1, keepdims=True) / np.maximum(weight, 1e-6)
    return np.where(weight > 0.1, mean, first).astype(np.float32)


def _take_off_shade(darkness: Floats, plan: BubblePlan) -> Floats:
    """Take shade off the bubbles that seem inked: what is as dark on both sides is a fold, not a mark.

    Per row the lighter of left and right margin counts, per column the lighter of top and bottom; in place.
    Returns the darkest shade taken off each bubble, (K,).
    """
    shade = np.zeros(len(darkness), np.float32)
    seem_inked = (_sum(darkness, plan.around) > _SHADED_MARGIN) & (
        _sum(darkness, plan.inner) > _SHADED_MARGIN
    )
    which = np.flatnonzero(seem_inked)
    if not which.size:
        return shade
    grid = darkness[which].reshape(-1, GRID, GRID)
    margin = (plan.around[which] > 0).reshape(-1, GRID, GRID)
    rows = np.minimum(*_halves(grid, margin, axis=2))[:, :, None]
    columns = np.minimum(*_halves(grid, margin, axis=1))[:, None, :]
    taken = np.maximum(np.maximum(rows, columns), 0)
    shade[which] = (taken.reshape(len(which), -1) * (plan.inner[which] > 0)).max(axis=1)
    darkness[which] = (grid - taken).reshape(len(which), -1)
    return shade


def _halves(grid: Floats, margin: Mask, axis: int) -> tuple[Floats, Floats]:
    """The mean darkness of the margin in each line along `axis`, before and behind the middle; 0 without margin."""
    means = []
    for half in (slice(0, GRID // 2), slice(GRID // 2, GRID)):
        part = (slice(None), slice(None), half) if axis == 2 else (slice(None), half)
        inside = margin[part]
        total = (grid[part] * inside).sum(axis=axis)
        means.append((total / np.maximum(inside.sum(axis=axis), 1)).astype(np.float32))
    return means[0], means[1]


def _brightest(values: Floats, plan: BubblePlan) -> Floats:
    """A high gray of the margin, little moved by single samples: mean plus one deviation."""
    mean = _sum(values, plan.around)
    spread: Floats = np.sqrt(np.maximum(_sum(values * values, plan.around) - mean * mean, 0))
    return (mean + spread)[:, None]


def _noise(darkness: Floats, plan: BubblePlan) -> float:
    """Standard deviation of the darkness of bare paper: the median over the bubbles."""
    bare = np.where(plan.around > 0, np.clip(darkness, -0.3, 0.3), 0)
    return median(np.sqrt(_sum(bare * bare, plan.around)))


def _ring(ink: Mask, plan: BubblePlan) -> Floats:
    """The area of ink in each direction of each margin, mm², (K, SECTORS)."""
    count = len(plan.cell) * SECTORS
    samples = np.bincount(plan.sector[ink], minlength=count + 1)[:count]
    return samples.reshape(-1, SECTORS).astype(np.float32) * plan.cell[:, None]


def _extent(ink: Mask, pitch: Floats) -> Floats:
    """The longest side in mm of the box around the ink of each bubble."""
    grid = ink.reshape(-1, GRID, GRID)
    wide = _span(grid.max(axis=1)) * pitch[:, 0]
    high = _span(grid.max(axis=2)) * pitch[:, 1]
    extent: Floats = np.maximum(wide, high).astype(np.float32)
    return extent


def _span(line: Mask) -> NDArray[np.intp]:
    """From the first to the last true value of each row, both included; 0 where there is none."""
    first, last = line.argmax(axis=1), line.shape[1] - line[:, ::-1].argmax(axis=1)
    return np.where(line.max(axis=1), last - first, 0)


def _pale_ring(pale: Floats, plan: BubblePlan) -> Floats:
    """Eight times what the fourth palest eighth of each margin holds, (K,)."""
    eighths: Floats = (pale * plan.around) @ _EIGHTHS
    ring: Floats = (8 * np.sort(eighths, axis=1)[:, 3]).astype(np.float32)
    return ring


def _through(ink: Mask, inner_ink: Mask, may_run: Mask, plan: BubblePlan) -> Floats:
    """The ink inside that lies on lines from one end of the bubble's own part of the page to the other, mm², (K,).

    A pupil's stroke ends; a streak of the feeder or the edge of a stain does not. Lines lean up to 12 degrees.
    """
    through = np.zeros(len(ink), np.float32)
    which = np.flatnonzero(may_run)
    if not which.size:
        return through
    own = plan.own[which]
    on_line = np.zeros(own.shape, bool)
    for lines in _LINES:
        # (bubbles, lines of this lean, samples of a line)
        inked = (ink[which] & own)[:, lines].sum(axis=2, dtype=np.float32)
        length = own[:, lines].sum(axis=2, dtype=np.float32)
        bubble, line = np.nonzero((inked >= _THROUGH * length) & (length > GRID / 2))
        on_line[bubble[:, None], lines[line]] = True
    through[which] = (on_line & inner_ink[which]).sum(axis=1) * plan.cell[which]
    return through


def _leaning_lines(lean: int) -> NDArray[np.intp]:
    """The samples of the lines that run down the grid and end `lean` columns aside, (GRID, GRID)."""
    row = np.arange(GRID)
    column = np.clip(row[:, None] + np.rint(lean * (row / (GRID - 1) - 0.5)).astype(int), 0, GRID - 1)
    samples: NDArray[np.intp] = (row * GRID + column).astype(np.intp)
    return samples


_LINES = tuple(
    lines
    for lean in range(-5, 6)
    for lines in (_leaning_lines(lean), _leaning_lines(lean) % GRID * GRID + _leaning_lines(lean) // GRID)
)


def _sum(values: Floats | Mask, weights: Floats) -> Floats:
    total: Floats = np.einsum("kg,kg->k", values.astype(np.float32, copy=False), weights)
    return total


def _flat(mask: Mask | Floats) -> Floats:
    return mask.reshape(*mask.shape[:-2], GRID * GRID).astype(np.float32)


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


_EIGHTHS = _eighths()


def _weigh_eighths(mask: Mask) -> Floats:
    """Weights that sum to 1 in each eighth of the turn, (K, G)."""
    flat = _flat(mask)
    count: Floats = np.maximum(flat @ _EIGHTHS, 1)
    return (flat / (count @ _EIGHTHS.T)).astype(np.float32)


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
