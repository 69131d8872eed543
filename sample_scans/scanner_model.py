"""What a scan can be like: the parameters of one scan, the ranges of office machines, and the geometry.

`draw_model` draws one scan's parameters for a named condition; `page_to_scan` says where every point of the
page ends up, so that a reader's registration can be measured against the truth.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from omr.geometry import MM_PER_INCH, Transform

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.random import Generator


class Bilevel(StrEnum):
    """How a machine makes black and white."""

    FIXED = "fixed"
    ADAPTIVE = "adaptive"


class Side(StrEnum):
    """A side of the page as it is read upright."""

    LEFT = "left"
    RIGHT = "right"
    TOP = "top"
    BOTTOM = "bottom"


class Condition(StrEnum):
    """A kind of scan: an ordinary one, or one with a named fault on top of an ordinary one."""

    ORDINARY = "ordinary"
    SKEWED = "skewed"
    DIM = "dim"
    PALE = "pale"
    DARK = "dark"
    SHADOW = "shadow"
    FOLDED = "folded"
    NOISY = "noisy"
    BLURRED = "blurred"
    DUSTY = "dusty"
    STREAKED = "streaked"
    BILEVEL = "bilevel"
    LOW_DPI = "low_dpi"
    HIGH_DPI = "high_dpi"
    COPIED = "copied"
    BORDERED = "bordered"
    CUT = "cut"
    STRETCHED = "stretched"
    SQUEEZED_JPEG = "squeezed_jpeg"
    TURNED = "turned"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannerModel:
    """Everything about one scan of one page.

    Attributes:
        dpi: resolution of the scan, 150 to 600.
        skew_deg: how far the page lies turned, clockwise positive.
        scale: size on the scan against the paper's, 0.985 to 1.015.
        aspect: horizontal scale against the vertical one (the feeder's speed).
        shift_mm: how far the page lies right and down.
        quarter_turns: how often the page was fed turned by 90° clockwise.
        blur_mm: standard deviation of the blur.
        paper: gray level of paper, 0 to 255.
        ink: gray level of black print.
        gamma: of the tone curve; above 1 darkens pencil, below 1 lightens it.
        slope: how much darker (share) the page gets from one end to the other.
        slope_deg: direction of that slope.
        edge_shadow: share of light lost at one edge.
        edge_side: the edge that the shadow lies on.
        edge_mm: how far the shadow reaches.
        fold: share of light lost along a fold; 0 where there is none.
        fold_at: where the fold lies, as a share of the page's height.
        noise: standard deviation of the noise, gray levels.
        dust: specks on the page.
        hairs: hairs and threads on the page.
        streaks: lines along the feed (dirt on the feeder's glass).
        toner: stray toner specks.
        copies: how often the sheet went through a copier before the scan.
        border_mm: width of black beside the paper, 0 where the lid is white.
        cut_mm: how much is cut off on `edge_side`.
        jpeg_quality: of a JPEG round trip, None for none.
        bilevel: how black and white is made, None for gray.
        threshold: black below this share of the paper's gray level (bilevel only).
    """

    dpi: int = 200
    skew_deg: float = 0.0
    scale: float = 1.0
    aspect: float = 1.0
    shift_mm: tuple[float, float] = (0.0, 0.0)
    quarter_turns: int = 0
    blur_mm: float = 0.05
    paper: float = 245.0
    ink: float = 25.0
    gamma: float = 1.0
    slope: float = 0.0
    slope_deg: float = 0.0
    edge_shadow: float = 0.0
    edge_side: Side = Side.LEFT
    edge_mm: float = 8.0
    fold: float = 0.0
    fold_at: float = 0.5
    noise: float = 1.0
    dust: int = 0
    hairs: int = 0
    streaks: int = 0
    toner: int = 0
    copies: int = 0
    border_mm: float = 0.0
    cut_mm: float = 0.0
    jpeg_quality: int | None = None
    bilevel: Bilevel | None = None
    threshold: float = 0.8


def draw_model(condition: Condition, random: Generator) -> ScannerModel:
    """One scan's parameters under a condition, drawn from the ranges of office machines."""
    uniform = random.uniform
    ordinary = ScannerModel(
        dpi=int(random.choice([200, 200, 300])),
        skew_deg=float(np.clip(random.normal(0, 0.6), -1.8, 1.8)),
        scale=uniform(0.992, 1.008),
        aspect=uniform(0.998, 1.002),
        shift_mm=(float(random.normal(0, 0.8)), float(random.normal(0, 0.8))),
        blur_mm=uniform(0.03, 0.08),
        paper=uniform(228, 252),
        ink=uniform(15, 60),
        gamma=uniform(0.9, 1.15),
        slope=uniform(0, 0.04),
        slope_deg=uniform(0, 360),
        edge_side=list(Side)[int(random.integers(4))],
        noise=uniform(0.6, 2.5),
        dust=int(random.poisson(4)),
        toner=int(random.poisson(10)),
        jpeg_quality=int(random.integers(60, 90)),
    )
    return replace(ordinary, **_FAULTS[condition](random))


_Changes: TypeAlias = dict[str, Any]  # fields of ScannerModel by name
_FAULTS: dict[Condition, Callable[[Generator], _Changes]] = {
    Condition.ORDINARY: lambda _: {},
    Condition.SKEWED: lambda r: {"skew_deg": r.uniform(1.5, 5.0) * r.choice([-1, 1])},
    Condition.DIM: lambda r: {"paper": r.uniform(165, 205), "ink": r.uniform(30, 60)},
    Condition.PALE: lambda r: {"ink": r.uniform(70, 105), "gamma": r.uniform(0.75, 0.9)},
    Condition.DARK: lambda r: {"ink": r.uniform(5, 25), "gamma": r.uniform(1.25, 1.6)},
    Condition.SHADOW: lambda r: {
        "slope": r.uniform(0.08, 0.25),
        "edge_shadow": r.uniform(0.2, 0.55),
        "edge_mm": r.uniform(6, 25),
    },
    Condition.FOLDED: lambda r: {"fold": r.uniform(0.15, 0.45), "fold_at": r.uniform(0.2, 0.8)},
    Condition.NOISY: lambda r: {"noise": r.uniform(6, 14)},
    Condition.BLURRED: lambda r: {"blur_mm": r.uniform(0.12, 0.25)},
    Condition.DUSTY: lambda r: {"dust": int(r.integers(60, 250)), "hairs": int(r.integers(2, 7))},
    Condition.STREAKED: lambda r: {"streaks": int(r.integers(1, 5))},
    Condition.BILEVEL: lambda r: {
        "bilevel": list(Bilevel)[int(r.integers(2))],
        "threshold": r.uniform(0.78, 0.86),
        "jpeg_quality": None,
    },
    Condition.LOW_DPI: lambda _: {"dpi": 150},
    Condition.HIGH_DPI: lambda r: {"dpi": int(r.choice([400, 600]))},
    Condition.COPIED: lambda r: {
        "copies": int(r.integers(1, 3)),
        "toner": int(r.integers(100, 500)),
        "scale": r.uniform(0.985, 1.015),
    },
    Condition.BORDERED: lambda r: {"border_mm": r.uniform(2, 8), "scale": r.uniform(0.96, 0.985)},
    Condition.CUT: lambda r: {"cut_mm": r.uniform(1.5, 4.0)},
    Condition.STRETCHED: lambda r: {"scale": r.uniform(0.985, 1.015), "aspect": r.uniform(0.992, 1.008)},
    Condition.SQUEEZED_JPEG: lambda r: {"jpeg_quality": int(r.integers(25, 45))},
    Condition.TURNED: lambda r: {"quarter_turns": int(r.integers(1, 4))},
}


def page_to_scan(model: ScannerModel, width_mm: float, height_mm: float) -> Transform:
    """Page (mm) to scan (pixels) as `scan` places it; the quarter turns and the cut are included.

    Args:
        model: the scan.
        width_mm: of the page as printed.
        height_mm: of the page as printed.
    """
    angle = np.deg2rad(model.skew_deg)
    stretch = np.diag([model.scale * model.aspect, model.scale])
    turn = np.array([(np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle))])
    upright = np.eye(3)
    upright[:2, :2] = turn @ stretch
    middle = np.array([width_mm / 2, height_mm / 2])
    upright[:2, 2] = middle + model.shift_mm - upright[:2, :2] @ middle
    left, top, right, bottom = cut_pixels(model)
    per_mm = model.dpi / MM_PER_INCH
    to_pixels = np.array([(per_mm, 0, -0.5 - left), (0, per_mm, -0.5 - top), (0, 0, 1)])
    width = round(width_mm * per_mm) - left - right
    height = round(height_mm * per_mm) - top - bottom
    turns = (
        [(1, 0, 0), (0, 1, 0), (0, 0, 1)],
        [(0, -1, height - 1), (1, 0, 0), (0, 0, 1)],
        [(-1, 0, width - 1), (0, -1, height - 1), (0, 0, 1)],
        [(0, 1, 0), (-1, 0, width - 1), (0, 0, 1)],
    )
    return np.asarray(np.array(turns[model.quarter_turns % 4], np.float64) @ to_pixels @ upright)


def cut_pixels(model: ScannerModel) -> tuple[int, int, int, int]:
    """Pixels cut off left, top, right and bottom."""
    cut = round(model.cut_mm * model.dpi / MM_PER_INCH)
    sides = (Side.LEFT, Side.TOP, Side.RIGHT, Side.BOTTOM)
    left, top, right, bottom = (cut if model.edge_side is side else 0 for side in sides)
    return left, top, right, bottom
