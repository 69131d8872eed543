"""A scanner: what a printed and filled page becomes in an office machine, as a pure seeded function.

`draw_model` draws one scan's parameters for a named condition, `scan` applies them, and `page_to_scan` says
where every point of the page ended up, so that a reader's registration can be measured against the truth.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from omr.geometry import MM_PER_INCH, Transform

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.random import Generator

Gray = NDArray[np.uint8]
_Float = NDArray[np.float32]


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
    left, top, right, bottom = _cut_pixels(model)
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


def scan(page_gray: Gray, page_dpi: float, model: ScannerModel, random: Generator) -> Gray:
    """Scan a page.

    Args:
        page_gray: the page as it lies on the desk, 0 ink to 255 paper.
        page_dpi: its resolution; at least the scan's gives the truest picture.
        model: the scan's parameters.
        random: noise, dust and the like come from here.

    Returns:
        The scan, uint8; only 0 and 255 where the model is bilevel.
    """
    page = _copied(page_gray, page_dpi, model, random)
    image = _placed(page, page_dpi, model)
    per_mm = model.dpi / MM_PER_INCH
    if model.blur_mm * per_mm > 0.2:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), model.blur_mm * per_mm), np.uint8)
    _soil(image, model, random)
    toned = np.asarray(cv2.LUT(image, _tone_curve(model)), np.float32)
    toned *= _light(image.shape, model)
    toned += _noise(image.shape, model.noise, random)
    result: Gray = np.clip(toned, 0, 255, out=toned).astype(np.uint8)
    left, top, right, bottom = _cut_pixels(model)
    result = result[top : result.shape[0] - bottom, left : result.shape[1] - right]
    result = np.ascontiguousarray(np.rot90(result, -model.quarter_turns))
    if model.bilevel is not None:
        return _black_and_white(result, model)
    if model.jpeg_quality is not None:
        encoded = simplejpeg.encode_jpeg(
            result[:, :, np.newaxis], quality=model.jpeg_quality, colorspace="GRAY"
        )
        result = np.asarray(simplejpeg.decode_jpeg(encoded, colorspace="GRAY")[:, :, 0])
    return result


def _copied(page: Gray, page_dpi: float, model: ScannerModel, random: Generator) -> Gray:
    """The page after its trips through a copier: softer, with more contrast, and speckled."""
    per_mm = page_dpi / MM_PER_INCH
    for _ in range(model.copies):
        soft = cv2.GaussianBlur(page, (0, 0), 0.06 * per_mm)
        curve = np.clip((np.arange(256) - 128) * random.uniform(1.0, 1.12) + 130, 0, 255).astype(np.uint8)
        page = curve[soft]
    if model.toner:
        page = page.copy()
        spots = random.uniform((0, 0), (page.shape[1], page.shape[0]), (model.toner, 2))
        radii = random.uniform(0.02, 0.1, model.toner) * per_mm
        for (x, y), radius in zip(spots, radii, strict=True):
            _draw_spot(page, (x, y), max(radius, 0.5), 40.0)
    return page


def _placed(page: Gray, page_dpi: float, model: ScannerModel) -> Gray:
    """The page at the scan's resolution and in its place, before tone, cut and turns."""
    per_mm, page_per_mm = model.dpi / MM_PER_INCH, page_dpi / MM_PER_INCH
    height_mm, width_mm = page.shape[0] / page_per_mm, page.shape[1] / page_per_mm
    size = (round(width_mm * per_mm), round(height_mm * per_mm))
    if page_dpi > model.dpi:
        page = np.asarray(cv2.resize(page, size, interpolation=cv2.INTER_AREA), np.uint8)
    page_x, page_y = page.shape[1] / width_mm, page.shape[0] / height_mm
    from_page = np.array([(page_x, 0, -0.5), (0, page_y, -0.5), (0, 0, 1)])
    upright = page_to_scan(replace(model, quarter_turns=0, cut_mm=0.0), width_mm, height_mm)
    matrix = upright @ np.linalg.inv(from_page)
    beyond = 0 if model.border_mm else 255
    warped = cv2.warpAffine(
        page, matrix[:2], size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=beyond
    )
    placed = np.asarray(warped, np.uint8)
    if model.border_mm:
        _blacken_edge(placed, model.edge_side, round(model.border_mm * per_mm))
    return placed


def _tone_curve(model: ScannerModel) -> _Float:
    """Gray levels of the page to gray levels of the scan, shape (256,)."""
    paper_share = (np.arange(256) / 255) ** model.gamma
    return (model.ink + (model.paper - model.ink) * paper_share).astype(np.float32)


def _light(shape: tuple[int, ...], model: ScannerModel) -> _Float:
    """The share of light that reaches each pixel."""
    height, width = shape[:2]
    angle = np.deg2rad(model.slope_deg)
    y = np.linspace(0, 1, height, dtype=np.float32)[:, np.newaxis]
    x = np.linspace(0, 1, width, dtype=np.float32)[np.newaxis, :]
    down = np.float32(np.sin(angle) * model.slope / 2) * (y - 0.5)
    light = 1 - np.float32(model.slope / 2) + down
    reach = max(model.edge_mm, 0.1) * model.dpi / MM_PER_INCH
    if model.fold:
        light = light - model.fold * np.exp(-(((y - model.fold_at) * height / (0.5 * reach)) ** 2))
    across = np.float32(np.cos(angle) * model.slope / 2) * (x - 0.5)
    edge = {Side.LEFT: x, Side.RIGHT: 1 - x, Side.TOP: y, Side.BOTTOM: 1 - y}[model.edge_side]
    if not model.edge_shadow:
        return np.asarray(light + across, np.float32)
    edge_px = edge * (width if model.edge_side in (Side.LEFT, Side.RIGHT) else height)
    shade = 1 - np.float32(model.edge_shadow) * np.exp(-edge_px / np.float32(reach))
    return np.asarray((light + across) * shade, np.float32)


def _noise(shape: tuple[int, ...], sigma: float, random: Generator) -> _Float:
    """Normal noise: every row is another stretch of one long draw, which is much faster than a draw a pixel."""
    height, width = shape[:2]
    pool = random.standard_normal(max(1 << 18, 4 * width), np.float32) * np.float32(sigma)
    starts = random.integers(0, len(pool) - width, height)
    return np.asarray(np.lib.stride_tricks.sliding_window_view(pool, width)[starts], np.float32)


def _soil(image: Gray, model: ScannerModel, random: Generator) -> None:
    """Dust, hairs and streaks, in place."""
    height, width = image.shape
    per_mm = model.dpi / MM_PER_INCH
    for _ in range(model.dust):
        place = (random.uniform(0, width), random.uniform(0, height))
        _draw_spot(image, place, random.uniform(0.03, 0.14) * per_mm, random.uniform(40, 150))
    for _ in range(model.hairs):
        steps = np.cumsum(random.normal(0, 0.5, (12, 2)) + random.normal(0, 0.35, 2), axis=0) * per_mm
        line = np.rint((steps + random.uniform((0, 0), (width, height))) * 16).astype(np.int32)
        cv2.polylines(
            image,
            [line],
            isClosed=False,
            color=random.uniform(40, 140),
            thickness=1,
            lineType=cv2.LINE_AA,
            shift=4,
        )
    for _ in range(model.streaks):
        column = int(random.integers(width))
        thick = max(1, round(random.uniform(0.05, 0.2) * per_mm))
        strip = image[:, column : column + thick]
        strip[:] = strip * random.uniform(0.55, 0.9)


def _draw_spot(image: Gray, place: tuple[float, float], radius: float, level: float) -> None:
    centre = (round(place[0] * 16), round(place[1] * 16))
    cv2.circle(image, centre, max(4, round(radius * 16)), level, -1, cv2.LINE_AA, 4)


def _black_and_white(image: Gray, model: ScannerModel) -> Gray:
    if model.bilevel is Bilevel.FIXED:
        return np.where(image < model.threshold * model.paper, 0, 255).astype(np.uint8)
    # A window of some 8 mm: wider than the widest stroke, so that filled bubbles stay filled.
    window = round(8 * model.dpi / MM_PER_INCH) | 1
    around = cv2.blur(image, (window, window))
    # Where the surroundings are dark themselves (a filled bubble, print) paper is brighter than their mean.
    paper = np.maximum(around, np.uint8(0.85 * np.percentile(image[::16, ::16], 80)))
    return np.where(image < model.threshold * paper, 0, 255).astype(np.uint8)


def _cut_pixels(model: ScannerModel) -> tuple[int, int, int, int]:
    """Pixels cut off left, top, right and bottom."""
    cut = round(model.cut_mm * model.dpi / MM_PER_INCH)
    sides = (Side.LEFT, Side.TOP, Side.RIGHT, Side.BOTTOM)
    left, top, right, bottom = (cut if model.edge_side is side else 0 for side in sides)
    return left, top, right, bottom


def _blacken_edge(image: Gray, side: Side, width: int) -> None:
    match side:
        case Side.LEFT:
            image[:, :width] = 0
        case Side.RIGHT:
            image[:, image.shape[1] - width :] = 0
        case Side.TOP:
            image[:width] = 0
        case Side.BOTTOM:
            image[image.shape[0] - width :] = 0
