"""What a person said of a page that could not be read by itself: which way up, where its corners lie, which page it is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import numpy as np
from pydantic import ConfigDict, Field, TypeAdapter, field_validator
from pydantic.dataclasses import dataclass

from omr.errors import PageSetAside, Trouble
from omr.geometry import Points, apply, fit_affine, pixels_per_mm, quarter_turn
from omr.registration import Registration, describe, refine

if TYPE_CHECKING:
    from omr.layout import PageLayout
    from omr.page import Page
    from omr.pixels import Gray

Point: TypeAlias = tuple[float, float]
Corners: TypeAlias = tuple[Point, Point, Point, Point]
Turn: TypeAlias = Literal[0, 90, 180, 270]

MOST_RESIDUAL_MM = 0.8
"""Squares that lie farther off than this show paper that is folded or not the sheet's."""
_MOST_BY_HAND_MM = 2.5
"""Corners that lie farther off any page than this were not set on the page's corners."""
_SET_BY_HAND = "四隅を手で指定して読みました。答えはすべて画像を見て確かめてください。"
_LOOKED_AT = 32
"""Every so many rows and columns are looked at for the grays of a page."""
_PALEST_BLACK = 0.4


@dataclass(frozen=True, config=ConfigDict(allow_inf_nan=False))
class PageHints:
    """What a person said of a page; a part of an image that shows two sheets is a page of its own.

    Attributes:
        turn: degrees, clockwise, that make the page upright.
        corners: where the points that `corner_points` names lie in the picture of the page after that turn, pixels,
            (0, 0) the middle of the top-left one: top left, top right, bottom right, bottom left. None where the
            page is found by itself.
        sheet_page: which page of the layout it is, from 1, where nothing on it says so; what its code or its print
            says counts more. None where nobody said.
    """

    turn: Turn = 0
    corners: Corners | None = None
    sheet_page: Annotated[int, Field(ge=1, le=999)] | None = None

    @field_validator("corners")
    @classmethod
    def _check_corners(cls, corners: Corners | None) -> Corners | None:
        if corners is not None:
            around = np.array(corners, np.float32)
            first, second = np.roll(around, -1, axis=0) - around, np.roll(around, -2, axis=0) - around
            if not (first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0] > 1).all():
                raise ValueError("四隅は、左上・右上・右下・左下の順に、四角形になるように指定してください")
        return corners


_ADAPTER = TypeAdapter(PageHints)


def hints_to_json(hints: PageHints) -> dict[str, Any]:
    """The hints as a JSON object."""
    plain = _ADAPTER.dump_python(hints, mode="json")
    assert isinstance(plain, dict)
    return plain


def hints_from_json(plain: dict[str, Any]) -> PageHints:
    """The hints that `hints_to_json` wrote; ValueError for anything else."""
    return _ADAPTER.validate_python(plain)


def corner_points(page: PageLayout) -> Points:
    """The four points of a page that a person sets, page mm, (4, 2): top left, top right, bottom right, bottom left.

    They are the middles of the corner squares where these are printed, else the corners of the paper.
    """
    if len(page.fiducials) >= 4:
        return np.array([fiducial.centre for fiducial in page.fiducials[:4]])
    return np.array([(0.0, 0.0), (page.width, 0.0), (page.width, page.height), (0.0, page.height)])


def turn_page(page: Page, turn: int) -> Page:
    """The page turned clockwise by 0, 90, 180 or 270 degrees."""
    gray = np.ascontiguousarray(np.rot90(page.gray, -turn // 90))
    dpi = page.dpi[::-1] if page.dpi is not None and turn % 180 else page.dpi
    return replace(page, gray=gray, dpi=dpi)


def turn_back(registration: Registration, shape: tuple[int, ...], turn: int) -> Registration:
    """The registration on the page as it lies in its file, from that on the page turned by `turn_page`.

    Args:
        registration: on the turned page.
        shape: of the picture before it was turned.
        turn: degrees, clockwise.
    """
    height, width = shape
    turned = quarter_turn(turn // 90, width - 1, height - 1)
    as_it_lies = np.asarray(np.linalg.inv(turned) @ registration.transform)
    return describe(
        as_it_lies, registration.residual_mm, registration.marks, registration.black, registration.white
    )


def register_by_hand(gray: Gray, page: PageLayout, corners: Corners) -> Registration:
    """The registration from corners that a person set: by the squares near them where these fit, else by them alone.

    Args:
        gray: the page, upright.
        page: of the layout.
        corners: where `corner_points` lie, pixels.

    Returns:
        With `marks` 0 where it rests on the corners alone.

    Raises:
        PageSetAside: no page of this size can lie between these corners.
    """
    source, target = corner_points(page), np.array(corners)
    transform = fit_affine(source, target)
    measured = refine(gray, page, transform)
    if measured is not None and measured.residual_mm is not None and measured.residual_mm <= MOST_RESIDUAL_MM:
        return measured
    off = np.linalg.norm(apply(transform, source) - target, axis=1) / pixels_per_mm(transform)
    residual = float(np.sqrt(np.mean(off**2)))
    if residual > _MOST_BY_HAND_MM:
        raise PageSetAside(
            Trouble.MISPLACED,
            "指定された四隅が用紙の形と合いません。四隅を置き直すか、まっすぐに読み取り直してください。",
        )
    grays = np.sort(gray[::_LOOKED_AT, ::_LOOKED_AT], axis=None)
    white = float(grays[round(0.7 * (grays.size - 1))])
    black = min(float(grays[round(0.002 * (grays.size - 1))]), _PALEST_BLACK * white)
    return describe(transform, residual, 0, black, white)


def remark_corners(page: Page, hints: PageHints, registration: Registration) -> Page:
    """The page with a remark where its place rests on a person's corners alone, so that no answer on it is safe."""
    if hints.corners is None or registration.marks:
        return page
    return replace(page, warning=f"{page.warning} {_SET_BY_HAND}".strip())
