"""Deciding from raw bubble measures which choices are marked, and how sure that is.

A bubble is *marked* when ink covers it, strikes through it or rings it, *empty* when its inside and its
margin are bare paper, and otherwise a person must look. One doubtful bubble makes its question doubtful.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from omr.bubble_plan import SECTORS
from omr.mark_lines import BubbleScores, MarkLines, draw_lines
from omr.pixels import median

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from omr.bubble_plan import BubblePlan
    from omr.bubbles import BubbleMeasures
    from omr.mark_lines import BubbleVerdicts
    from omr.pixels import Floats, Mask

_EMPTY_RING_AMID_PRINT = 0.2
_EMPTY_TOGETHER_AMID_PRINT = 1.3
CHOICE_READER = "bubbles/1"
_SMUDGED = 2.0
"""The `foreign` score of marks on a page where black and white blackened smudges too."""


@dataclass(frozen=True, slots=True)
class MarkRules:
    """The lines between marked, doubtful and empty; areas in mm², lengths in mm, darkness 0 to 1.

    Attributes:
        struck_ink: ink inside that makes a stroke, together with `struck_extent`.
        struck_extent: how far a stroke reaches inside.
        struck_moment: least product of the two, mm³: a dot is inked but short, a thin stroke is long.
        struck_fill: least mean darkness of the free inside under a stroke: ink on the label alone is print.
        passing_ink: ink inside and around that makes a stroke running through, together with `passing_inside`.
        passing_inside: how much of it must lie inside; more than a dot of 1 mm leaves.
        passing_extent: how far it must reach inside: a dot beside a streak is not a stroke.
        shaded_fill: mean darkness of a bubble shaded all over, together with `shaded_share`.
        shaded_share: share of the inside that is shaded.
        ringed_sectors: directions (of 12) with ink that make a circle around the bubble.
        sector_ink: ink in one direction of the margin that counts.
        ring_over_specks: how many times more a ring leaves in each direction than specks do in the usual margin.
        empty_fill: most mean darkness of an empty bubble, above the noise.
        empty_ink: most ink inside an empty bubble.
        empty_ring: most ink in the margin of an empty bubble.
        empty_label: most that the label of an empty bubble is darker than the same label usually is on its page.
        empty_whole: most that an empty bubble holds more ink, print included, than its like on the page.
        empty_together: most that all signs of ink may come to together, as the root of their summed squares.
        empty_light: least brightness of the paper around an empty bubble, against the page's white.
        empty_pale_ring: most of the margin of an empty bubble that is a little dark: a ring blurred to gray.
        most_shade: darkest shade that may lie across a bubble.
        whole_rim: least darkness of every part of the outline, as a share of what it usually is on the page; where
            there is less, paper, tape or a hole hides the print and any mark on it.
        legible_label: least usual darkness of the page's labels. They are printed gray: a scan that turns them
            white turns pencil white too, and then no bubble is surely empty.
        legible_share: least usual darkness of the labels as a share of their darkest part: in black and white labels
            that are thin and broken say that paler strokes are gone.
        bold_label: most usual darkness of the labels: where black and white made them bolder, smudges are black too
            and no mark is sure.
        usual_tone: darkest part of the labels up to which shaded bubbles are judged as they are; a stretched
            contrast makes them and erased traces darker than they were.
        two_tone: darkest part of the labels from which the page is black and white.
        two_tone_ink: how many times more ink makes a stroke in black and white of labels darker than `dark_label`,
            which blackens streaks of the eraser.
        two_tone_whole: how many times more `empty_whole` is in black and white, where edges are rough.
        illegible_whole: how many times more it is where pale pencil would be gone but for what it left of the print.
        thin_label: most usual darkness of the labels in black and white that blackens no streaks.
        dark_label: see `two_tone_ink`.
        mark_border: most of the border of its part of the page that a mark may darken; a stain, a shadow or a
            hole comes in from outside.
        stroke_border: most of the border that a mark of little ink may darken: a staple or a scratch goes on.
        stroke_ink: most ink inside that is little: more than a staple covers.
        lines: drawn across the scores that follow from all of these.
    """

    struck_ink: float = 0.95
    struck_extent: float = 1.8
    struck_moment: float = 2.6
    struck_fill: float = 0.03
    passing_ink: float = 1.5
    passing_inside: float = 0.7
    passing_extent: float = 1.4
    shaded_fill: float = 0.22
    shaded_share: float = 0.75
    ringed_sectors: int = 10
    sector_ink: float = 0.06
    ring_over_specks: float = 3.0
    empty_fill: float = 0.07
    empty_ink: float = 0.12
    empty_ring: float = 0.35
    empty_label: float = 0.22
    empty_whole: float = 0.3
    empty_light: float = 0.45
    empty_together: float = 0.75
    empty_pale_ring: float = 0.06
    most_shade: float = 0.25
    whole_rim: float = 0.6
    legible_label: float = 0.06
    legible_share: float = 0.34
    bold_label: float = 0.82
    usual_tone: float = 0.5
    two_tone: float = 0.8
    two_tone_ink: float = 2.0
    two_tone_whole: float = 1.6
    illegible_whole: float = 0.65
    thin_label: float = 0.5
    dark_label: float = 0.62
    mark_border: float = 0.08
    stroke_border: float = 0.015
    stroke_ink: float = 3.0
    lines: MarkLines = field(default_factory=MarkLines)

    def amid_print(self) -> MarkRules:
        """The rules on sheets of others, where print hides a part of each margin: less ink beside a bubble counts."""
        return replace(self, empty_ring=_EMPTY_RING_AMID_PRINT, empty_together=_EMPTY_TOGETHER_AMID_PRINT)


def judge_bubbles(measures: BubbleMeasures, plan: BubblePlan, rules: MarkRules) -> BubbleVerdicts:
    """Judge all bubbles of a page."""
    # In black and white, crumbs of the printed labels count as ink in every bubble of the page.
    ink = measures.ink - np.float32(median(measures.ink))
    is_two_tone = measures.tone > rules.two_tone
    label = median(measures.label)
    blackened = 1.0
    if is_two_tone:
        blackened = float(np.interp(label, [rules.thin_label, rules.dark_label], [1, rules.two_tone_ink]))
    struck = np.minimum.reduce(
        [
            ink / (rules.struck_ink * blackened),
            measures.extent / rules.struck_extent,
            ink * measures.extent / rules.struck_moment,
            measures.fill / rules.struck_fill,
        ]
    )
    darkened = max(1.0, measures.tone / rules.usual_tone)
    shaded = np.minimum(measures.fill / (rules.shaded_fill * darkened), measures.faint / rules.shaded_share)
    inside = np.maximum(struck, shaded)
    ring = _own_ring(measures.ring, plan, inside >= 1)
    # Where specks lie in most margins of the page, a ring must be more than specks all round.
    specks = float(np.sort(ring.sum(axis=1))[len(ring) // 4]) / SECTORS
    is_inked = ring > max(rules.sector_ink, rules.ring_over_specks * specks)
    ringed = is_inked.sum(axis=1) / rules.ringed_sectors
    passing = np.minimum.reduce(
        [
            (ink + ring.sum(axis=1)) / (rules.passing_ink * blackened),
            ink / (rules.passing_inside * blackened),
            measures.extent / rules.passing_extent,
        ]
    )
    marked_score = np.maximum.reduce([inside, ringed, passing])
    ring = _own_ring(measures.ring, plan, marked_score >= 1)
    foreign = _foreign(measures, ringed, rules)
    if is_two_tone and label > rules.bold_label:
        foreign = np.where(marked_score > rules.lines.guess, np.maximum(foreign, _SMUDGED), foreign)
    scores = BubbleScores(
        mark=marked_score,
        trace=_stain(measures, ring, plan, rules),
        foreign=foreign,
        fill=measures.fill,
        outside=ring.sum(axis=1),
    )
    return draw_lines(scores, label / _legible_label(measures, rules), rules.lines)


def _legible_label(measures: BubbleMeasures, rules: MarkRules) -> float:
    """How dark the labels must be for pale pencil to show."""
    return max(rules.legible_label, rules.legible_share * measures.tone)


def _stain(measures: BubbleMeasures, ring: Floats, plan: BubblePlan, rules: MarkRules) -> Floats:
    """How far a bubble is from bare: more than 1 is not surely empty, (K,)."""
    whole = rules.empty_whole
    if median(measures.label) < _legible_label(measures, rules):
        whole *= rules.illegible_whole
    elif measures.tone > rules.two_tone:
        whole *= rules.two_tone_whole
    signs = np.stack(
        [
            measures.fill / (rules.empty_fill + measures.noise / 4),
            measures.ink / rules.empty_ink,
            ring.sum(axis=1) / rules.empty_ring,
            _gain(measures.label, plan) / rules.empty_label,
            _gain(measures.whole, plan) / whole,
            measures.pale_ring / rules.empty_pale_ring,
        ]
    )
    # Several weak signs together are one: a pale tick is a little of everything.
    together = np.sqrt(np.square(np.maximum(signs, 0)).sum(axis=0)) / rules.empty_together
    dark = rules.empty_light / np.maximum(measures.light, 1e-3)
    stain: Floats = np.maximum.reduce([*signs, dark, together]).astype(np.float32)
    return stain


def _foreign(measures: BubbleMeasures, ringed: NDArray[np.float64], rules: MarkRules) -> Floats:
    """How likely it is that what is seen is no pupil's: more than 1 is for a person, (K,)."""
    hidden = rules.whole_rim * median(measures.rim) / np.maximum(measures.rim, 1e-3)
    # A ring may run along the border; so may a stain, but it fills the inside too.
    is_ring = (ringed >= 1) & (measures.ink < rules.passing_inside)
    is_stroke = (measures.ink > rules.empty_ink) & (measures.ink < rules.stroke_ink)
    most = np.where(is_stroke, rules.stroke_border, rules.mark_border)
    from_outside = np.where(is_ring, 0, measures.border / most)
    runs_through = (measures.through > 0) & (measures.ink - measures.through < rules.struck_ink)
    shaded = measures.shade / rules.most_shade
    foreign: Floats = np.maximum.reduce(
        [hidden, from_outside, shaded, np.where(runs_through, 2.0, 0.0)]
    ).astype(np.float32)
    return foreign


def _gain(measure: Floats, plan: BubblePlan) -> Floats:
    """By how much a measure is above what empty bubbles with the same print have on this page; 0 for single ones.

    It shows what hides in the print itself: a ring drawn on the outline, a tick on a bold label, or, in black
    and white, a pale pencil that vanished from the paper and still tipped the grey label into black.
    """
    gain = np.zeros(len(measure) + 1, np.float32)
    if plan.same_print.size:
        group = np.append(measure, np.float32(np.inf))[plan.same_print]
        counts = (plan.same_print < len(measure)).sum(axis=1)
        # The lower quartile: most of a few bubbles with the same label may be marked.
        usual = np.sort(group, axis=1)[np.arange(len(counts)), (counts - 1) // 4]
        gain[plan.same_print] = group - usual[:, None]
    return gain[:-1]


def _own_ring(ring: Floats, plan: BubblePlan, marked: Mask) -> Floats:
    """The ink in each direction of the margin, without what a marked neighbour there may have sent over."""
    with_none = np.append(marked, np.array([False]))
    own: Floats = np.where(with_none[plan.neighbours], np.float32(0), ring)
    return own


assert SECTORS == 12, "MarkRules counts twelve directions"
