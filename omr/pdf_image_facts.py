"""What a PDF image's dictionary says: size, depth, colours, filters (ISO 32000-1, 8.9.5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pikepdf
from pikepdf import Name

from omr.gray import gray_from_samples
from omr.jbig2 import holds_symbols

if TYPE_CHECKING:
    from numpy.typing import NDArray

ColourKind = Literal["gray", "rgb", "cmyk", "indexed"]
_DEVICE_SPACES: dict[str, tuple[ColourKind, int]] = {
    "/DeviceGray": ("gray", 1),
    "/CalGray": ("gray", 1),
    "/G": ("gray", 1),
    "/DeviceRGB": ("rgb", 3),
    "/CalRGB": ("rgb", 3),
    "/RGB": ("rgb", 3),
    "/DeviceCMYK": ("cmyk", 4),
    "/CMYK": ("cmyk", 4),
}
_BY_COMPONENTS: dict[int, tuple[ColourKind, int]] = {1: ("gray", 1), 3: ("rgb", 3), 4: ("cmyk", 4)}


_BILEVEL_FILTERS = frozenset(["/CCITTFaxDecode", "/CCF", "/JBIG2Decode"])


class RareImageError(Exception):
    """A way of storing that is left to pdfium; only for use between the modules that read PDF pages."""


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What the image's dictionary says.

    Attributes:
        width: pixels.
        height: pixels.
        bits: per component.
        colour: the kind of colour space.
        components: numbers a pixel.
        palette: gray of each index, where the colour space is indexed.
        decode: (low, high) per component, or empty for the default.
        filters: names in order, with their parameters.
    """

    width: int
    height: int
    bits: int
    colour: ColourKind
    components: int
    palette: NDArray[np.uint8] | None
    decode: tuple[float, ...]
    filters: list[tuple[str, Any]]


def declared_size(image: pikepdf.Object) -> tuple[int, int]:
    """Width and height of an image as its dictionary says, in pixels."""
    return int(image.Width), int(image.Height)


def is_bilevel(image: pikepdf.Object) -> bool:
    """Whether an image holds black and white only."""
    if _bits_of(image) != 1:
        return False
    try:
        return _colour_of(image)[1] == 1
    except RareImageError:
        return True


def filter_names(image: pikepdf.Object) -> list[str]:
    """The filters of a stream in the order in which they are undone."""
    return [name for name, _ in _filters_of(image)]


def read_facts(image: Any) -> ImageFacts:
    """Read an image's dictionary.

    Raises:
        RareImageError: a colour space, depth or /Decode that is left to pdfium.
    """
    width, height = declared_size(image)
    colour, components, palette = _colour_of(image)
    bits = _bits_of(image)
    decode = tuple(float(value) for value in image.get(Name.Decode, ()))
    if decode == (0.0, 1.0) * components:
        decode = ()
    if colour == "indexed" and decode:
        if decode != (0.0, float((1 << bits) - 1)):
            raise RareImageError
        decode = ()
    if bits not in (1, 2, 4, 8, 16) or (decode and len(decode) != 2 * components):
        raise RareImageError
    return ImageFacts(width, height, bits, colour, components, palette, decode, _filters_of(image))


def _bits_of(image: Any) -> int:
    one = image.get(Name.ImageMask, False) or not _BILEVEL_FILTERS.isdisjoint(filter_names(image))
    return 1 if one else int(image.get(Name.BitsPerComponent, 8))


def _filters_of(image: Any) -> list[tuple[str, Any]]:
    names = image.get(Name.Filter, [])
    parameters = image.get(Name.DecodeParms, image.get(Name.DP, []))
    if isinstance(names, pikepdf.Name):
        names, parameters = [names], [parameters] if parameters is not None else []
    listed = [item if isinstance(item, pikepdf.Dictionary) else None for item in parameters]
    listed += [None] * (len(names) - len(listed))
    return [(str(name), item) for name, item in zip(names, listed, strict=False)]


def _colour_of(image: Any) -> tuple[ColourKind, int, NDArray[np.uint8] | None]:
    if image.get(Name.ImageMask, False):
        return "gray", 1, None
    space = image.get(Name.ColorSpace)
    if isinstance(space, pikepdf.Array) and len(space) == 4 and space[0] in (Name.Indexed, Name.I):
        base, components = _plain_space(space[1])
        if base == "indexed":
            raise RareImageError
        table = space[3].read_bytes() if isinstance(space[3], pikepdf.Stream) else bytes(space[3])
        count = min(int(space[2]) + 1, len(table) // components)
        colours = np.frombuffer(table, np.uint8, count * components).reshape(1, count, components)
        return "indexed", 1, gray_from_samples(colours)[0]
    return *_plain_space(space), None


def _plain_space(space: Any) -> tuple[ColourKind, int]:
    if isinstance(space, pikepdf.Array) and space[0] == Name.ICCBased:
        found = _BY_COMPONENTS.get(int(space[1].N))
    else:
        found = _DEVICE_SPACES.get(str(space[0] if isinstance(space, pikepdf.Array) else space))
    if found is None:
        raise RareImageError
    return found


def shares_symbols(image: Any) -> bool:
    """Whether an image is JBIG2 data that replace glyphs by shared ones of like shape."""
    if "/JBIG2Decode" not in filter_names(image):
        return False
    if holds_symbols(image.read_raw_bytes()):
        return True
    shared = image.get(Name.DecodeParms, {})
    if isinstance(shared, pikepdf.Array):
        shared = shared[0]
    return isinstance(shared, pikepdf.Dictionary) and Name.JBIG2Globals in shared
