"""The empty sheet of a teacher's own layout: what is printed where, for finding it again in scans."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from omr.coarse_alignment import LONG_SIDE, CoarsePicture, coarse_picture
from omr.errors import InputError, PageSetAside
from omr.page_print import darken, shrink_to
from omr.patch_matching import PatchPlan, plan_patches
from omr.printed_words import WordPlan, plan_words
from omr.scan_file import open_scan
from omr.scan_picture import MATCH_PIXELS_PER_MM, print_extent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from omr.geometry import Points, Rectangle
    from omr.layout import Layout, PageLayout
    from omr.pixels import Floats, Gray

FINE_PIXELS_PER_MM = 6.0
"""Resolution of the empty sheet's picture: fine enough to mask its print by a third of a millimetre."""
_PATCH_EVERY_MM = 23.0
_REACH = 4
"""Samples; the wide patches, at half the resolution, have twice as many: four times as far."""
_WIDE_PATCH_EVERY_MM = 36.0
_WIDE_REACH = 8
_PRINT = 0.15
_CELL_MM = 4.0
_BOLDEST = 0.93
_FRAME_MM = 1.0
_MOST_ASPECT_ERROR = 0.03
_MOST_PRINT_POINTS = 4000


@dataclass(frozen=True, slots=True)
class ReferencePage:
    """One page of the empty sheet, reduced to what registration and reading need.

    Attributes:
        width: of the page, mm.
        height: of the page, mm.
        picture: of the empty page, at `FINE_PIXELS_PER_MM`.
        coarse: the whole page in small, to find turn, skew, size and place.
        patches: printed places with structure, to find the exact place.
        wide_patches: fewer and larger ones at half the resolution, to find a page that lies nearly straight.
        few_wide_patches: half of these, enough where the page lies flat.
        print_extent: longer side of all that is printed, mm.
        print_points: where something is printed, page mm, (N, 2).
        print_darkness: how dark it is there at `MATCH_PIXELS_PER_MM`, (N,).
        solid_points: where the print is boldest, page mm, (S, 2): they show how black this scan's black is.
        words: the printed characters, to tell it from a sheet with the same frames.
        near_print: the darkest print within a millimetre, at `MATCH_PIXELS_PER_MM`.
    """

    width: float
    height: float
    picture: Gray
    coarse: CoarsePicture
    patches: PatchPlan
    wide_patches: PatchPlan
    few_wide_patches: PatchPlan
    print_extent: float
    print_points: Points
    print_darkness: Floats
    solid_points: Points
    words: WordPlan | None
    near_print: Floats


def load_reference(layout: Layout, path: Path) -> tuple[Gray, ...]:
    """The pictures of the empty sheet, one a page of the layout, at `FINE_PIXELS_PER_MM`.

    Args:
        layout: with a `reference`.
        path: of the layout's file; the reference is relative to its folder.

    Raises:
        InputError: the reference is missing, can't be read, or does not belong to the layout.
    """
    assert layout.reference is not None
    file = path.parent / layout.reference
    try:
        with open_scan(file) as scan:
            if scan.page_count < len(layout.pages):
                raise InputError(
                    f"{file}: {scan.page_count}ページしかありません。レイアウト（{len(layout.pages)}ページ）のもとになった空の解答用紙を置いてください。"
                )
            pictures = [scan.read_page(index).gray for index in range(len(layout.pages))]
    except PageSetAside as aside:
        raise InputError(
            f"{file}: {path} の reference（空の解答用紙）を読めません。{aside.reason}"
        ) from aside
    return tuple(_fit_to_page(gray, page, file) for gray, page in zip(pictures, layout.pages, strict=True))


def plan_reference(picture: Gray, page: PageLayout) -> ReferencePage:
    """Reduce the picture of an empty page, as `load_reference` gives it.

    Raises:
        InputError: too little is printed to find the page again.
    """
    size = (round(page.width * MATCH_PIXELS_PER_MM), round(page.height * MATCH_PIXELS_PER_MM))
    match = darken(shrink_to(picture, size), MATCH_PIXELS_PER_MM)
    written = [question.box for question in page.questions if question.box is not None]
    _wipe(match, written)
    try:
        patches = plan_patches(match, MATCH_PIXELS_PER_MM, _PATCH_EVERY_MM, _REACH)
        half = np.asarray(cv2.resize(match, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.float32)
        wide_patches = plan_patches(half, MATCH_PIXELS_PER_MM / 2, _WIDE_PATCH_EVERY_MM, _WIDE_REACH)
    except ValueError as error:
        raise InputError(
            f"空の解答用紙（reference）の{page.number}ページ目は印刷が少なすぎて、スキャンの位置を合わせられません。枠や文字のある用紙にしてください。"
        ) from error
    rows, columns = np.nonzero(match > _PRINT)
    step = max(1, len(rows) // _MOST_PRINT_POINTS)
    rows, columns = rows[::step], columns[::step]
    points: Points = (np.stack([columns, rows], axis=-1).astype(np.float64) + 0.5) / MATCH_PIXELS_PER_MM
    return ReferencePage(
        width=page.width,
        height=page.height,
        picture=picture,
        coarse=coarse_picture(match, LONG_SIDE / max(match.shape)),
        patches=patches,
        wide_patches=wide_patches,
        few_wide_patches=wide_patches.every_other(),
        print_extent=print_extent(picture) / FINE_PIXELS_PER_MM,
        print_points=points,
        print_darkness=match[rows, columns],
        solid_points=_boldest(picture),
        words=plan_words(picture, FINE_PIXELS_PER_MM, written),
        near_print=np.asarray(cv2.dilate(match, np.ones((5, 5), np.uint8)), np.float32),
    )


def _wipe(darkness: Floats, boxes: Sequence[Rectangle]) -> None:
    """Take out what stands inside the boxes: in a 模範解答 the answers, which are no print of the sheet."""
    for box in boxes:
        inside = box.expanded(-min(_FRAME_MM, box.w / 4, box.h / 4))
        sides = (inside.x, inside.y, inside.right, inside.bottom)
        left, top, right, bottom = (max(0, round(side * MATCH_PIXELS_PER_MM)) for side in sides)
        darkness[top:bottom, left:right] = 0


def _boldest(picture: Gray) -> Points:
    """The middles of the boldest strokes, spread over the page, page mm."""
    cell = round(_CELL_MM * FINE_PIXELS_PER_MM)
    bold = cv2.blur(255 - picture, (3, 3))
    high, wide = (side // cell * cell for side in bold.shape)
    cells = (
        bold[:high, :wide].reshape(high // cell, cell, wide // cell, cell).swapaxes(1, 2).reshape(-1, cell**2)
    )
    darkest, at = cells.max(axis=1), cells.argmax(axis=1)
    rows, columns = np.divmod(np.arange(len(cells)), wide // cell)
    points = np.stack([columns * cell + at % cell, rows * cell + at // cell], axis=-1)
    bold_points: Points = (points[darkest >= np.quantile(darkest, _BOLDEST)] + 0.5) / FINE_PIXELS_PER_MM
    return bold_points


def _fit_to_page(gray: Gray, page: PageLayout, file: Path) -> Gray:
    """The picture scaled to the page at `FINE_PIXELS_PER_MM`."""
    high, wide = gray.shape
    if abs(wide / high * page.height / page.width - 1) > _MOST_ASPECT_ERROR:
        raise InputError(
            f"{file}: {page.number}ページ目の縦横の比がレイアウトの用紙（{page.width:g}×{page.height:g} mm）と合いません。レイアウトを作ったときの空の解答用紙を置いてください。"
        )
    size = (round(page.width * FINE_PIXELS_PER_MM), round(page.height * FINE_PIXELS_PER_MM))
    shrinks = size[0] <= wide
    return cast("Gray", cv2.resize(gray, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR))
