"""What happens to a good page on its way into the reader: each alteration a function of picture and chance.

Pictures are gray, upright, of 200 dpi, 0 black to 255 white; what is altered comes back as a new picture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, cast

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.random import Generator

    from omr.pixels import Floats, Gray

Alteration: TypeAlias = "Callable[[Gray, Generator], Gray]"
_MM = 200 / 25.4


def _clip(picture: Any) -> Gray:
    return cast("Gray", np.clip(np.rint(picture), 0, 255).astype(np.uint8))


def _blob(picture: Gray, random: Generator, radius_mm: float) -> Floats:
    """A soft-edged, uneven patch somewhere on the page, 0 to 1."""
    high, wide = picture.shape
    x, y = random.uniform(0.1, 0.9) * wide, random.uniform(0.15, 0.9) * high
    turn = np.linspace(0, 2 * np.pi, 60)
    radius = radius_mm * _MM * (1 + 0.1 * np.sin(3 * turn + random.uniform(0, 6)) + 0.05 * np.sin(7 * turn))
    points = np.column_stack([x + radius * np.cos(turn), y + radius * np.sin(turn)])
    mask = np.zeros(picture.shape, np.uint8)
    cv2.fillPoly(mask, [np.rint(points).astype(np.int32)], 255, cv2.LINE_AA)
    return cast("Floats", mask.astype(np.float32) / 255)


def untouched(picture: Gray, random: Generator) -> Gray:  # noqa: ARG001
    """As scanned."""
    return picture


def turned(picture: Gray, random: Generator) -> Gray:
    """By 90, 180 or 270 degrees."""
    return np.ascontiguousarray(np.rot90(picture, int(random.integers(1, 4))))


def _skewed(picture: Gray, degrees: float) -> Gray:
    high, wide = picture.shape
    matrix = cv2.getRotationMatrix2D((wide / 2, high / 2), degrees, 1)
    return cast(
        "Gray", cv2.warpAffine(picture, matrix, (wide, high), flags=cv2.INTER_LINEAR, borderValue=255)
    )


def skewed_a_little(picture: Gray, random: Generator) -> Gray:
    """1 to 5 degrees."""
    return _skewed(picture, random.uniform(1, 5) * random.choice([-1, 1]))


def skewed_much(picture: Gray, random: Generator) -> Gray:
    """5 to 8 degrees."""
    return _skewed(picture, random.uniform(5, 8) * random.choice([-1, 1]))


def shadowed(picture: Gray, random: Generator) -> Gray:
    """Half the page under a shadow, down to 45 %, with a hard or soft edge in any direction."""
    high, wide = picture.shape
    angle = random.choice([0, np.pi / 2, random.uniform(0, np.pi)])
    y, x = np.mgrid[:high, :wide].astype(np.float32)
    way = (x - wide * random.uniform(0.2, 0.8)) * np.cos(angle) + (
        y - high * random.uniform(0.2, 0.8)
    ) * np.sin(angle)
    soft = random.choice([0.5, random.uniform(1, 30), random.uniform(30, 300)])
    left = random.uniform(0.45, 0.85)
    return _clip(picture * (1 - (1 - left) / (1 + np.exp(-np.clip(way / soft, -50, 50)))))


def dimmed(picture: Gray, random: Generator) -> Gray:
    """All of it, down to 45 %."""
    return _clip(picture * random.uniform(0.45, 0.9))


def blurred(picture: Gray, random: Generator) -> Gray:
    """Up to 3 pixels."""
    return cast("Gray", cv2.GaussianBlur(picture, (0, 0), random.uniform(0.8, 3)))


def noisy(picture: Gray, random: Generator) -> Gray:
    """Gaussian noise of up to 20 levels."""
    noise = np.zeros(picture.shape, np.int16)
    cv2.setRNGSeed(int(random.integers(2**31)))
    cv2.randn(noise, 0, random.uniform(8, 20))  # type: ignore[call-overload]
    return _clip(picture.astype(np.int16) + noise)


def jpeg(picture: Gray, random: Generator) -> Gray:
    """Strong compression."""
    quality = int(random.integers(20, 31))
    return cast(
        "Gray", cv2.imdecode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], 0)
    )


def half_size(picture: Gray, random: Generator) -> Gray:
    """100 dpi."""
    way = cv2.INTER_AREA if random.random() < 0.5 else cv2.INTER_LINEAR
    return cast("Gray", cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=way))


def shifted(picture: Gray, random: Generator) -> Gray:
    """20 pixels in any direction."""
    angle = random.uniform(0, 2 * np.pi)
    matrix = np.array([(1, 0, 20 * np.cos(angle)), (0, 1, 20 * np.sin(angle))])
    return cast("Gray", cv2.warpAffine(picture, matrix, picture.shape[::-1], borderValue=255))


def torn(picture: Gray, random: Generator) -> Gray:
    """One corner gone."""
    high, wide = picture.shape
    x, y = random.choice([0, wide]), random.choice([0, high])
    a, b = random.uniform(20, 90) * _MM, random.uniform(20, 120) * _MM
    points = [(x, y), (x + (a if x == 0 else -a), y), (x, y + (b if y == 0 else -b))]
    out = picture.copy()
    cv2.fillPoly(out, [np.rint(points).astype(np.int32)], int(random.choice([255, 250, 10, 120])))
    return out


def coffee_stained(picture: Gray, random: Generator) -> Gray:
    """A brown ring or blob, translucent."""
    radius = random.uniform(5, 40)
    blob: Any = _blob(picture, random, radius)
    if random.random() < 0.5:
        width = round(random.uniform(0.8, 4) * _MM) | 1
        blob = blob - cv2.erode(blob, np.ones((width, width), np.uint8))
    blob = cv2.GaussianBlur(blob, (0, 0), random.uniform(0.7, 6))
    return _clip(picture * (1 - blob * random.uniform(0.1, 0.6)))


def noted(picture: Gray, random: Generator) -> Gray:
    """A sticky note on it, sometimes written on."""
    out = picture.copy()
    high, wide = picture.shape
    w, h = (int(random.uniform(6, 76) * _MM) for _ in range(2))
    x, y = int(random.uniform(0, wide - w)), int(random.uniform(0.12, 0.95) * (high - h))
    out[y : y + h, x : x + w] = random.choice([int(random.integers(150, 245)), 255, 235])
    if random.random() < 0.3:
        out[y + h : y + h + 4, x : x + w] = out[y + h : y + h + 4, x : x + w] * random.uniform(0.5, 0.9)
    return out


def whited_out(picture: Gray, random: Generator) -> Gray:
    """Stripes of correction tape, 5 mm wide."""
    out = picture.copy()
    high, wide = picture.shape
    for _ in range(8):
        x, y = int(random.uniform(0.1, 0.9) * wide), int(random.uniform(0.15, 0.9) * high)
        end = (x + int(random.uniform(4, 25) * _MM), y + int(random.normal(0, 2) * _MM))
        cv2.line(out, (x, y), end, int(random.integers(240, 256)), int(random.uniform(3, 6) * _MM))
    return out


def bordered(picture: Gray, random: Generator) -> Gray:
    """Black beside the paper, as with the lid open."""
    sides = [int(random.choice([0, 1]) * random.uniform(2, 15) * _MM) for _ in range(4)]
    return cast(
        "Gray",
        np.pad(picture, (sides[:2], sides[2:]), constant_values=int(random.integers(0, 60))),
    )


def bilevel(picture: Gray, random: Generator) -> Gray:
    """Black and white by a fixed threshold, Otsu's or an adaptive one."""
    match int(random.integers(5)):
        case 0:
            _, out = cv2.threshold(picture, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
        case 1:
            size = int(random.choice([31, 51, 101]))
            out = cv2.adaptiveThreshold(
                picture, 255, cv2.ADAPTIVE_THRESH_GAUSSIAN_C, cv2.THRESH_BINARY, size, random.uniform(8, 25)
            )
        case one:
            _, out = cv2.threshold(picture, (128, 160, 200)[one - 2], 255, cv2.THRESH_BINARY)
    return cast("Gray", out)


def peppered(picture: Gray, random: Generator) -> Gray:
    """Single pixels black or white."""
    out = picture.copy()
    chance = random.random(picture.shape, np.float32)
    share = random.uniform(0.002, 0.02)
    out[chance < share] = 0
    out[chance > 1 - share] = 255
    return out


def streaked(picture: Gray, random: Generator) -> Gray:
    """Dark lines along the feed, 0.1 to 0.5 mm."""
    out = picture.astype(np.float32)
    for _ in range(int(random.integers(1, 5))):
        x, width = random.uniform(0.05, 0.95) * picture.shape[1], random.uniform(0.1, 0.5) * _MM
        at = np.arange(picture.shape[1])
        cover = np.clip(width / 2 + 0.5 - np.abs(at - x), 0, 1)
        out *= 1 - cover * random.uniform(0.3, 0.95)
    return _clip(out)


def punched(picture: Gray, random: Generator) -> Gray:
    """Punch holes and staples, some over the answers."""
    out = picture.copy()
    high, wide = picture.shape
    for _ in range(4):
        x, y = int(random.uniform(0.05, 0.95) * wide), int(random.uniform(0.1, 0.95) * high)
        if random.random() < 0.5:
            cv2.circle(
                out, (x, y), int(random.uniform(2.5, 3.2) * _MM), int(random.choice([255, 240, 20, 90])), -1
            )
        else:
            cv2.line(
                out,
                (x, y),
                (x + int(11 * _MM), y + int(random.normal(0, 3) * _MM)),
                int(random.integers(40, 160)),
                4,
            )
    return out


def shown_through(picture: Gray, random: Generator) -> Gray:
    """The back of the paper, seen through it."""
    back = cv2.GaussianBlur(picture[:, ::-1], (0, 0), random.uniform(1, 3)).astype(np.float32)
    back = np.roll(back, tuple(int(one) for one in random.integers(-30, 30, 2)), (0, 1))
    return _clip(picture * (1 - (255 - back) / 255 * random.uniform(0.05, 0.22)))


def stretched(picture: Gray, random: Generator) -> Gray:
    """More or less contrast and another gamma."""
    low, high = random.uniform(-40, 70), random.uniform(200, 290)
    share = np.clip((picture.astype(np.float32) - low) / (high - low), 0, 1)
    return _clip(255 * share ** random.uniform(0.6, 1.7))


def faded(picture: Gray, random: Generator) -> Gray:
    """Little contrast: toner saving or a pale copy."""
    return _clip(245 - (245 - picture.astype(np.float32)) * random.uniform(0.35, 0.8))


def marker_striped(picture: Gray, random: Generator) -> Gray:
    """A highlighter drawn over it, light gray in a gray scan."""
    out = picture.astype(np.float32)
    for _ in range(3):
        high, wide = picture.shape
        x, y = int(random.uniform(0.1, 0.7) * wide), int(random.uniform(0.15, 0.95) * high)
        mask = np.zeros(picture.shape, np.float32)
        end = (x + int(random.uniform(5, 60) * _MM), y + int(random.normal(0, 1) * _MM))
        cv2.line(mask, (x, y), end, 1.0, int(random.uniform(3, 5) * _MM), cv2.LINE_AA)
        out *= 1 - mask * random.uniform(0.05, 0.35)
    return _clip(out)


def folded(picture: Gray, random: Generator) -> Gray:
    """A dog-ear or flap folded over: its back hides what is below."""
    out = picture.copy()
    high, wide = picture.shape
    y = int(random.uniform(0.2, 0.9) * high)
    w, h = int(random.uniform(10, 110) * _MM), int(random.uniform(8, 60) * _MM)
    side = random.choice([0, wide])
    points = [(side, y), (side, y + h), (w if side == 0 else wide - w, y + h // 2)]
    cv2.fillPoly(out, [np.rint(points).astype(np.int32)], int(random.integers(225, 256)))
    return out


ALTERATIONS: tuple[Alteration, ...] = (
    untouched,
    turned,
    skewed_a_little,
    skewed_much,
    shadowed,
    dimmed,
    blurred,
    noisy,
    jpeg,
    half_size,
    shifted,
    torn,
    coffee_stained,
    noted,
    whited_out,
    bordered,
    bilevel,
    peppered,
    streaked,
    punched,
    shown_through,
    stretched,
    faded,
    marker_striped,
    folded,
)
"""Each once; the benchmark draws one or two a page."""
