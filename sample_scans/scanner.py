"""A scanner: what a printed and filled page becomes in an office machine, as a pure seeded function."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from omr.geometry import MM_PER_INCH
from sample_scans.scanner_model import (
    Bilevel,
    Condition,
    ScannerModel,
    Side,
    cut_pixels,
    draw_model,
    page_to_scan,
)

if TYPE_CHECKING:
    from numpy.random import Generator

__all__ = ["Condition", "Gray", "ScannerModel", "draw_model", "page_to_scan", "scan"]

Gray = NDArray[np.uint8]
_Float = NDArray[np.float32]


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
    left, top, right, bottom = cut_pixels(model)
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
