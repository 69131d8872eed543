"""A teacher's own sheet without marks: found in a scan by its print, each answer region where it really lies."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from omr.crops import crop_box
from omr.errors import PageSetAside, Trouble
from omr.match_reference import find_reference_page, find_rivals
from omr.page_fit import PageFit, found_print, registration_of
from omr.printed_words import has_other_words
from omr.reference import ReferencePage, plan_reference
from omr.reference_print import plan_boxes_on_print, plan_bubbles_on_print

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from omr.bubble_plan import BubblePlan
    from omr.geometry import Points
    from omr.layout import Layout, PageLayout
    from omr.pixels import Floats, Gray, Mask
    from omr.registration import Registration
    from omr.rival_pages import Rival
    from omr.scan_picture import ScanPicture
    from omr.written_boxes import BoxPlan

_AROUND_MM = 3.0
"""How far around a region its print is looked for."""
_FEWEST_POINTS = 12
_LEAST_FOUND = 0.65
_NEAR_MM = 15.0
"""Patches this far away say where a region lies; farther ones less and less."""
_LEAST_LIKENESS = 0.5
_LEAST_PATCHES = 0.4
"""Share of the patches near a region that must be found."""
_TRUST_IN_PAGE = 0.3
_MOST_SHIFT_MM = 2.0
_MOST_SPREAD_MM = 0.5
_LEAST_SHIFT_MM = 0.15


@dataclass(frozen=True, slots=True)
class OwnPagePlan:
    """One page of an own sheet: Q questions, K bubbles.

    Attributes:
        reference: the empty page.
        bubbles: of all choices, with the empty print left out.
        question_of_bubble: which question each bubble belongs to, (K,).
        boxes: of all other questions, with the empty print left out.
        question_of_sample: which question each sample of the boxes belongs to, padding included.
        has_room: questions whose regions are free enough of print to be judged, (Q,).
        point: print near the regions, as indices into the reference's points, (M,).
        question_of_point: whose region each of them is near, (M,).
        nearness: how much each patch says of each region, (Q, P).
        crop_corners: of the part of the page that shows each question, page mm, (Q, 4, 2).
    """

    reference: ReferencePage
    bubbles: BubblePlan | None
    question_of_bubble: NDArray[np.intp]
    boxes: BoxPlan | None
    question_of_sample: NDArray[np.intp]
    has_room: Mask
    point: NDArray[np.intp]
    question_of_point: NDArray[np.intp]
    nearness: Floats
    crop_corners: Points


@dataclass(frozen=True, slots=True)
class OwnSheet:
    """All pages of an own sheet, and how they can be taken for each other."""

    pages: tuple[OwnPagePlan, ...]
    rivals: tuple[Rival, ...]


@dataclass(frozen=True, slots=True)
class PlacedPage:
    """An own sheet's page found in a scan.

    Attributes:
        page: which one, from 0.
        registration: of the page as a whole.
        bubbles: where they really lie.
        boxes: where they really lie.
        crop_corners: where the parts of the page that show the questions really lie, (Q, 4, 2).
        doubted: questions whose regions do not lie or look as on the empty sheet, (Q,).
    """

    page: int
    registration: Registration
    bubbles: BubblePlan | None
    boxes: BoxPlan | None
    crop_corners: Points
    doubted: Mask


def plan_own_sheet(layout: Layout, pictures: Sequence[Gray]) -> OwnSheet:
    """Work out what there is to find on every page.

    Args:
        layout: of the sheet.
        pictures: of the empty pages, from `load_reference`.

    Raises:
        InputError: too little is printed to find a page again.
    """
    pages = tuple(_plan_page(page, picture) for page, picture in zip(layout.pages, pictures, strict=True))
    return OwnSheet(pages, find_rivals([page.reference for page in pages]))


def place_page(
    gray: Gray, sheet: OwnSheet, expected: int, dpi: float | None = None, enlarged: Sequence[float] = ()
) -> PlacedPage:
    """Find which page of the sheet a scan shows, how it lies, and where each region lies.

    Args:
        gray: the scan.
        sheet: the own sheet.
        expected: the page that would come next, from 0.
        dpi: resolution of the scan; None where it is not known.
        enlarged: sizes against the sheet's own (1.41 for 141 %) of copies that may lie among the scans.

    Raises:
        PageSetAside: no page fits, two fit as well, or the page has other words in the same frames.
    """
    references = [page.reference for page in sheet.pages]
    fit, scan = find_reference_page(gray, references, sheet.rivals, expected, dpi, enlarged)
    plan = sheet.pages[fit.page]
    registration = registration_of(fit, scan, plan.reference)
    words = plan.reference.words
    if words is not None and has_other_words(
        gray, fit.placement.then(scan.to_scan), registration.white, words
    ):
        raise PageSetAside(
            Trouble.FOREIGN_SHEET,
            "枠は同じですが、印刷された文字が空の解答用紙と違います。別の試験や別の版の用紙が混ざっていないかを確かめてください。",
        )
    shifts, agrees = _local_shifts(fit, plan)
    doubted = ~(agrees & plan.has_room & _has_its_print(fit, scan, plan, shifts))
    bubbles, boxes, corners = plan.bubbles, plan.boxes, plan.crop_corners
    if shifts.any() or fit.placement.bend is not None:
        corners = corners + shifts[:, None, :] + fit.placement.shift(corners)
        if bubbles is not None:
            moved = bubbles.points + shifts[plan.question_of_bubble][:, None, :]
            moved += fit.placement.shift(bubbles.points.astype(np.float64))
            bubbles = replace(bubbles, points=moved.astype(np.float32))
        if boxes is not None:
            boxes = _moved_boxes(boxes, fit, shifts, plan)
    return PlacedPage(fit.page, registration, bubbles, boxes, corners, doubted)


def place_by_hand(sheet: OwnSheet, page: int, registration: Registration) -> PlacedPage:
    """A page where a person put it: nothing of its print is looked for.

    Args:
        sheet: the own sheet.
        page: which one, from 0.
        registration: from the person's corners.
    """
    plan = sheet.pages[page]
    return PlacedPage(page, registration, plan.bubbles, plan.boxes, plan.crop_corners, ~plan.has_room)


def _moved_boxes(boxes: BoxPlan, fit: PageFit, shifts: Points, plan: OwnPagePlan) -> BoxPlan:
    """The boxes where they really lie, by the shift of each and the bend of the page."""
    points = boxes.points + shifts[plan.question_of_sample].reshape(boxes.points.shape)
    points += fit.placement.shift(boxes.points.astype(np.float64))
    owners = plan.question_of_sample[list(boxes.starts)]
    middles = np.array([frame.points.mean(axis=(0, 1)) for frame in boxes.frames], np.float64)
    off = (shifts[owners] + fit.placement.shift(middles)).astype(np.float32)
    frames = tuple(
        replace(frame, points=frame.points + by) for frame, by in zip(boxes.frames, off, strict=True)
    )
    return replace(boxes, points=points.astype(np.float32), frames=frames)


def _plan_page(page: PageLayout, picture: Gray) -> OwnPagePlan:
    reference = plan_reference(picture, page)
    has_room = np.ones(len(page.questions), bool)
    bubbles = [bubble for question in page.questions for bubble in question.bubbles]
    owner = np.array([at for at, question in enumerate(page.questions) for _ in question.bubbles], np.intp)
    bubble_plan = None
    if bubbles:
        bubble_plan, room = plan_bubbles_on_print(bubbles, picture)
        has_room[owner[~room]] = False
    written = np.array(
        [at for at, question in enumerate(page.questions) if question.box is not None], np.intp
    )
    box_plan, sample_owner = None, np.empty(0, np.intp)
    if written.size:
        box_plan, room = plan_boxes_on_print([page.questions[at] for at in written], picture)
        has_room[written[~room]] = False
        counts = [high * wide for high, wide in box_plan.shapes]
        counts[-1] += box_plan.points.shape[0] * box_plan.points.shape[1] - sum(counts)
        sample_owner = np.repeat(written, counts)
    point, question_of_point = _points_near(page, reference)
    return OwnPagePlan(
        reference,
        bubble_plan,
        owner,
        box_plan,
        sample_owner,
        has_room,
        point,
        question_of_point,
        _nearness(page, reference),
        np.array([crop_box(question).corners() for question in page.questions]).reshape(-1, 4, 2),
    )


def _points_near(page: PageLayout, reference: ReferencePage) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The printed points in and around each region."""
    x, y = reference.print_points.T
    near = []
    for question in page.questions:
        box = crop_box(question).expanded(_AROUND_MM)
        near.append(np.flatnonzero((x >= box.x) & (x <= box.right) & (y >= box.y) & (y <= box.bottom)))
    owners = np.repeat(np.arange(len(near)), [len(one) for one in near])
    return np.concatenate([*near, np.empty(0, np.intp)]), owners


def _nearness(page: PageLayout, reference: ReferencePage) -> Floats:
    """How much each patch says of each region, by its distance to the region's box, (Q, P)."""
    boxes = [crop_box(question) for question in page.questions]
    edges = np.array([(box.x, box.y, box.right, box.bottom) for box in boxes]).reshape(-1, 1, 4)
    away = np.maximum(
        np.maximum(edges[..., :2] - reference.patches.centres, reference.patches.centres - edges[..., 2:]), 0
    )
    nearness: Floats = np.exp(-(away**2).sum(axis=-1) / (2 * _NEAR_MM**2)).astype(np.float32)
    return nearness


def _local_shifts(fit: PageFit, plan: OwnPagePlan) -> tuple[Points, Mask]:
    """By how much each region lies off the page's fit, mm, (Q, 2), and whether the patches near it agree."""
    off = fit.matches.offsets
    good = (fit.matches.likeness > _LEAST_LIKENESS) & (np.abs(off).max(axis=1) < _MOST_SHIFT_MM)
    weight = plan.nearness * good
    total = weight.sum(axis=1) + _TRUST_IN_PAGE
    shifts = (weight @ off) / total[:, None]
    spread = np.sqrt(np.maximum(weight @ (off**2).sum(axis=1) / total - (shifts**2).sum(axis=1), 0))
    agrees = (spread <= _MOST_SPREAD_MM) & (weight.sum(axis=1) >= _LEAST_PATCHES * plan.nearness.sum(axis=1))
    shifts[np.abs(shifts).max(axis=1) < _LEAST_SHIFT_MM] = 0
    return shifts, agrees


def _has_its_print(fit: PageFit, scan: ScanPicture, plan: OwnPagePlan, shifts: Points) -> Mask:
    """Whether the print in and around each region stands in the scan; true where there is none to look for."""
    found = fit.found[plan.point]
    if shifts.any():
        points = plan.reference.print_points[plan.point] + shifts[plan.question_of_point]
        found = found_print(scan, fit.placement.place(points), plan.reference.print_darkness[plan.point])
    count = len(plan.has_room)
    total = np.bincount(plan.question_of_point, minlength=count)
    share = np.bincount(plan.question_of_point, found, minlength=count) / np.maximum(total, 1)
    has: Mask = (total < _FEWEST_POINTS) | (share >= _LEAST_FOUND)
    return has
