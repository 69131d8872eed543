"""Measuring bubbles: the ink added to each printed bubble of a page, all bubbles in one vectorised call.

Every bubble is sampled on the same grid of points, spread over its box and a margin around it and carried
into the scan by the page transform, so that one `cv2.remap` fetches all samples of a page. What the sheet
itself prints there is known (outline, label) and left out, so what remains is paper or added ink.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from omr.bubble_plan import EIGHTHS, GRID, SECTORS
from omr.pixels import map_points, median, sample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from omr.bubble_plan import BubblePlan
    from omr.pixels import Floats, Gray, Mask
    from omr.registration import Registration

INK = 0.33
"""Darkness from which a sample counts as ink: 0 is paper, 1 is solid print."""
_THROUGH = 0.9
"""Share of a straight line across a bubble's own part of the page that is inked where the line goes through."""
_LEAST_THROUGH_MM2 = 0.3
_OVER_LABEL = 0.2
_SHADED_MARGIN = 0.06
_SMUDGE = 0.2
_ONES = np.ones(GRID * GRID, np.float32)
_EIGHTH_OF = EIGHTHS.argmax(axis=1)
"""The eighth of the turn that each sample of the grid lies in, (G,)."""


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
        tone: darkness of the darkest part of the printed label, the median over the bubbles. Labels are printed in a
            middle grey, so it says how the scan renders grey: about 0.4, more where contrast was stretched, 1 in
            black and white; 0 where the labels are not of our print.
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
    tone: float
    noise: float


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
    darkness = paper - values
    darkness /= np.maximum(paper - black, 40)
    noise = _noise(darkness, plan)
    faint_line = np.float32(max(0.12, 2.5 * noise))
    rim = ((darkness * plan.rim) @ EIGHTHS).min(axis=1)
    border = _sum(darkness > faint_line, plan.border)
    fill, shade = _take_off_shade(darkness, plan)
    is_ink = darkness > np.float32(max(INK, 4.5 * noise))
    # The label is darker than paper by what it is on most bubbles of the page; ink on it must be darker still.
    tone = median((darkness * plan.label).max(axis=1))
    inner_ink = (is_ink & (plan.inner > 0)) | ((darkness > np.float32(tone + _OVER_LABEL)) & plan.label)
    ink_area = (inner_ink.astype(np.float32) @ _ONES) * plan.cell
    faint = darkness > faint_line
    margin = plan.around > 0
    return BubbleMeasures(
        fill=fill,
        faint=_sum(faint, plan.inner),
        ink=ink_area,
        extent=_extent(inner_ink, ink_area, plan.pitch),
        ring=_ring(is_ink & margin, plan),
        label=_sum(darkness, plan.glyph),
        whole=_sum(_above(darkness, _SMUDGE), plan.whole),
        outline=_sum(darkness, plan.outline),
        rim=rim,
        border=border,
        pale_ring=_pale_ring(faint & ~is_ink & margin, plan),
        through=_through(is_ink, inner_ink, (ink_area > _LEAST_THROUGH_MM2) & (border > 0), plan),
        shade=shade,
        light=(paper[:, 0] - black) / np.float32(max(registration.white - registration.black, 1)),
        tone=tone if plan.has_grey_labels else 0.0,
        noise=noise,
    )


def _paper_plane(values: Floats, plan: BubblePlan) -> Floats:
    """The gray of the paper around each bubble: the mean of the margin where it is not inked, (K, 1).

    Not inked is what is not far below a high gray of the margin: mean plus one deviation, little moved by single samples.
    """
    margin = values * plan.around
    first = margin @ _ONES
    spread = np.sqrt(np.maximum(_sum(values, margin) - first * first, 0))
    clean = (values > (np.float32(0.85) * (first + spread))[:, None]).astype(np.float32)
    weight = _sum(clean, plan.around)
    mean = _sum(clean, margin) / np.maximum(weight, np.float32(1e-6))
    return np.where(weight > 0.1, mean, first)[:, None].astype(np.float32)


def _take_off_shade(darkness: Floats, plan: BubblePlan) -> tuple[Floats, Floats]:
    """Take shade off the bubbles that seem inked: what is as dark on both sides is a fold, not a mark.

    Per row the lighter of left and right margin counts, per column the lighter of top and bottom; in place.
    Returns the mean darkness of each free inside after that, and the darkest shade taken off, both (K,).
    """
    shade = np.zeros(len(darkness), np.float32)
    fill = _sum(darkness, plan.inner)
    which = np.flatnonzero((fill > _SHADED_MARGIN) & (_sum(darkness, plan.around) > _SHADED_MARGIN))
    if not which.size:
        return fill, shade
    grid = darkness[which].reshape(-1, GRID, GRID)
    margin = (plan.around[which] > 0).reshape(-1, GRID, GRID)
    rows = np.minimum(*_halves(grid, margin, axis=2))[:, :, None]
    columns = np.minimum(*_halves(grid, margin, axis=1))[:, None, :]
    taken = np.maximum(np.maximum(rows, columns), 0)
    shade[which] = (taken.reshape(len(which), -1) * (plan.inner[which] > 0)).max(axis=1)
    darkness[which] = (grid - taken).reshape(len(which), -1)
    fill[which] = _sum(darkness[which], plan.inner[which])
    return fill, shade


def _halves(grid: Floats, margin: Mask, axis: int) -> tuple[Floats, Floats]:
    """The mean darkness of the margin in each line along `axis`, before and behind the middle; 0 without margin."""
    means = []
    for half in (slice(0, GRID // 2), slice(GRID // 2, GRID)):
        part = (slice(None), slice(None), half) if axis == 2 else (slice(None), half)
        inside = margin[part]
        total = (grid[part] * inside).sum(axis=axis)
        means.append((total / np.maximum(inside.sum(axis=axis), 1)).astype(np.float32))
    return means[0], means[1]


def _noise(darkness: Floats, plan: BubblePlan) -> float:
    """Standard deviation of the darkness of bare paper: the median over the bubbles."""
    bare = np.clip(darkness, -0.3, 0.3)
    bare *= bare
    return median(np.sqrt(_sum(bare, plan.around)))


def _above(darkness: Floats, line: float) -> Floats:
    """By how much each sample is darker than a line; 0 where it is not."""
    beyond: Floats = darkness - np.float32(line)
    np.maximum(beyond, 0, out=beyond)
    return beyond


def _ring(ink: Mask, plan: BubblePlan) -> Floats:
    """The area of the margin's ink in each direction of each bubble, mm², (K, SECTORS)."""
    count = len(plan.cell) * SECTORS
    samples = np.bincount(plan.sector.reshape(-1)[np.flatnonzero(ink)], minlength=count)[:count]
    return samples.reshape(-1, SECTORS).astype(np.float32) * plan.cell[:, None]


def _extent(ink: Mask, area: Floats, pitch: Floats) -> Floats:
    """The longest side in mm of the box around the ink of each bubble that has any."""
    extent = np.zeros(len(ink), np.float32)
    which = np.flatnonzero(area)
    grid = ink[which].reshape(-1, GRID, GRID)
    wide = _span(grid.max(axis=1)) * pitch[which, 0]
    high = _span(grid.max(axis=2)) * pitch[which, 1]
    extent[which] = np.maximum(wide, high)
    return extent


def _span(line: Mask) -> NDArray[np.intp]:
    """From the first to the last true value of each row, both included; 0 where there is none."""
    first, last = line.argmax(axis=1), line.shape[1] - line[:, ::-1].argmax(axis=1)
    return np.where(line.max(axis=1), last - first, 0)


def _pale_ring(pale: Mask, plan: BubblePlan) -> Floats:
    """Eight times what the fourth palest eighth of each margin holds of the margin's pale samples, (K,)."""
    at = np.flatnonzero(pale)
    bubble, sample_of_grid = np.divmod(at, GRID * GRID)
    eighth = bubble * 8 + _EIGHTH_OF[sample_of_grid]
    eighths = np.bincount(eighth, plan.around.reshape(-1)[at], 8 * len(pale)).reshape(-1, 8)
    ring: Floats = (np.sort(eighths, axis=1)[:, 3] * 8).astype(np.float32)
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
    """The weighted sum of the samples of each bubble, (K,)."""
    total: Floats = np.vecdot(values.astype(np.float32, copy=False), weights)
    return total
