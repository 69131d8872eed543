"""Is a PDF page just one scanned image? Then its stream can be taken as it is, ten times faster than drawing.

The content stream is followed operator by operator (ISO 32000-1, Annex A). Anything that could change what is
seen (a second image, visible text, lines, a clip inside the page, transparency) makes the page a drawing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pikepdf
from pikepdf import Name

if TYPE_CHECKING:
    from collections.abc import Iterable

Matrix = tuple[float, float, float, float, float, float]
Box = tuple[float, float, float, float]

_IDENTITY: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
_MIN_COVER = 0.95
_INVISIBLE_TEXT = 3
_MAX_FORM_DEPTH = 4
_PAINTING = frozenset(["f", "F", "f*", "B", "B*", "b", "b*", "S", "s", "sh", "INLINE IMAGE", "BI", "EI"])
_SHOWING_TEXT = frozenset(["Tj", "TJ", "'", '"'])
_PATH = frozenset(["m", "l", "c", "v", "y", "h"])
_BLACK = {"g": ((0.0,),), "rg": ((0.0, 0.0, 0.0),), "k": ((0.0, 0.0, 0.0, 1.0), (1.0, 1.0, 1.0, 1.0))}
_OTHER_FILL = frozenset(["cs", "sc", "scn"])
_HIDDEN_FLAGS = 2 | 32  # Hidden, NoView (ISO 32000-1, table 165)


class DrawnPageError(Exception):
    """The page is more than one image; only for use between the modules that read PDF pages."""


@dataclass(frozen=True, slots=True)
class PlacedImage:
    """The one image of a page.

    Attributes:
        stream: the image XObject.
        box: left, bottom, right, top on the page, in its units.
        orientation: how the stream's rows and columns lie on the page, as EXIF numbers it.
        black_fill: whether a stencil would be painted in black.
    """

    stream: Any
    box: Box
    orientation: int
    black_fill: bool


@dataclass(frozen=True, slots=True)
class _State:
    matrix: Matrix = _IDENTITY
    text_mode: int = 0
    black_fill: bool = True


def find_one_image(page: pikepdf.Page, crop: Box) -> PlacedImage:
    """The image that is the page.

    Args:
        page: of an open document.
        crop: the visible part of the page: left, bottom, right, top.

    Raises:
        DrawnPageError: the page is anything else.
        pikepdf.PdfError: the content stream is damaged or a bomb.
    """
    if Name.Contents not in page.obj or any(
        _draws(annotation) for annotation in _items(page.obj.get(Name.Annots))
    ):
        raise DrawnPageError
    follower = _Follower(crop)
    follower.follow(page, page.resources, _State(), depth=0)
    if len(follower.images) != 1:
        raise DrawnPageError
    image = follower.images[0]
    coloured_stencil = image.stream.get(Name.ImageMask, False) and not image.black_fill
    masked = Name.SMask in image.stream or Name.Mask in image.stream
    if coloured_stencil or masked or _cover(image.box, crop) < _MIN_COVER:
        raise DrawnPageError
    return image


class _Follower:
    """Follows a content stream and collects the images it shows."""

    def __init__(self, crop: Box) -> None:
        self.images: list[PlacedImage] = []
        self._crop = crop

    def follow(self, source: Any, resources: Any, state: _State, *, depth: int) -> None:
        saved: list[_State] = []
        path: list[Box | None] = []
        clipping = False
        for instruction in pikepdf.parse_content_stream(source):
            name, operands = str(instruction.operator), instruction.operands
            if name == "q":
                saved.append(state)
            elif name == "Q":
                state = saved.pop() if saved else state
            elif name == "re":
                path.append(_rectangle(operands, state.matrix))
            elif name in _PATH:
                path.append(None)
            elif name in ("W", "W*"):
                clipping = True
            elif name == "n":
                if clipping and not self._keeps_page(path):
                    raise DrawnPageError
                path, clipping = [], False
            elif name == "Do":
                self._show(resources, operands[0], state, depth)
            else:
                state = _change_state(state, name, operands, resources)

    def _keeps_page(self, path: list[Box | None]) -> bool:
        return len(path) == 1 and path[0] is not None and _cover(path[0], self._crop) > 0.999

    def _show(self, resources: Any, name: Any, state: _State, depth: int) -> None:
        stream = resources.XObject[name]
        if Name.OC in stream:
            raise DrawnPageError
        if stream.get(Name.Subtype) == Name.Image:
            box, orientation = _place(state.matrix)
            self.images.append(PlacedImage(stream, box, orientation, state.black_fill))
            if len(self.images) > 1:
                raise DrawnPageError
            return
        if depth >= _MAX_FORM_DEPTH or Name.Group in stream:
            raise DrawnPageError
        matrix = _multiply(_numbers(stream.get(Name.Matrix)) or _IDENTITY, state.matrix)
        left, bottom, right, top = _numbers(stream.BBox)
        if not self._keeps_page([_rectangle((left, bottom, right - left, top - bottom), matrix)]):
            raise DrawnPageError
        inner = stream.get(Name.Resources, resources)
        self.follow(stream, inner, replace(state, matrix=matrix), depth=depth + 1)


def _change_state(state: _State, name: str, operands: Any, resources: Any) -> _State:
    """The graphics state after an operator that shows nothing by itself.

    Raises:
        DrawnPageError: the operator shows something or changes how the image is seen.
    """
    if name in _PAINTING or (name in _SHOWING_TEXT and state.text_mode != _INVISIBLE_TEXT):
        raise DrawnPageError
    if name == "BDC" and operands[0] == Name.OC:
        raise DrawnPageError
    if name == "cm":
        return replace(state, matrix=_multiply(_numbers(operands), state.matrix))
    if name == "Tr":
        if int(operands[0]) > _INVISIBLE_TEXT:  # text as a clip
            raise DrawnPageError
        return replace(state, text_mode=int(operands[0]))
    if name in _BLACK:
        return replace(state, black_fill=_numbers(operands) in _BLACK[name])
    if name in _OTHER_FILL:
        return replace(state, black_fill=False)
    if name == "gs" and not _is_plain(resources.ExtGState[operands[0]]):
        raise DrawnPageError
    return state


def _is_plain(settings: Any) -> bool:
    """Whether an ExtGState leaves images as they are."""
    opaque = all(float(settings.get(key, 1)) == 1.0 for key in (Name.ca, Name.CA))
    plain_blend = settings.get(Name.BM, Name.Normal) in (Name.Normal, Name.Compatible)
    unmasked = settings.get(Name.SMask, Name("/None")) == Name("/None")
    return opaque and plain_blend and unmasked and Name.TR not in settings and Name.TR2 not in settings


def _draws(annotation: Any) -> bool:
    hidden = int(annotation.get(Name.F, 0)) & _HIDDEN_FLAGS
    never_drawn = annotation.get(Name.Subtype) in (Name.Link, Name.Popup)
    return Name.AP in annotation and not hidden and not never_drawn


def _items(array: Any) -> Iterable[Any]:
    return array if isinstance(array, pikepdf.Array) else ()


def _place(matrix: Matrix) -> tuple[Box, int]:
    """Where the unit square of an image lands, and its orientation.

    Raises:
        DrawnPageError: it lands askew.
    """
    a, b, c, d, e, f = matrix
    tolerance = 1e-3 * max(abs(a), abs(b), abs(c), abs(d))
    box = (min(e, e + a + c), min(f, f + b + d), max(e, e + a + c), max(f, f + b + d))
    if abs(b) <= tolerance and abs(c) <= tolerance:
        return box, {(True, True): 1, (False, True): 2, (False, False): 3, (True, False): 4}[a > 0, d > 0]
    if abs(a) <= tolerance and abs(d) <= tolerance:
        # Columns run along y (up for b > 0), rows against the sign of c along x.
        return box, {(False, False): 5, (False, True): 6, (True, True): 7, (True, False): 8}[b > 0, c > 0]
    raise DrawnPageError


def _rectangle(operands: Any, matrix: Matrix) -> Box | None:
    x, y, width, height = _numbers(operands)
    try:
        return _place(_multiply((width, 0.0, 0.0, height, x, y), matrix))[0]
    except DrawnPageError:
        return None


def _cover(box: Box, crop: Box) -> float:
    """The share of the crop box under a box, 0 to 1."""
    width = min(box[2], crop[2]) - max(box[0], crop[0])
    height = min(box[3], crop[3]) - max(box[1], crop[1])
    area = (crop[2] - crop[0]) * (crop[3] - crop[1])
    return max(width, 0.0) * max(height, 0.0) / area if area > 0 else 0.0


def _multiply(inner: Any, outer: Matrix) -> Matrix:
    a, b, c, d, e, f = inner
    p, q, r, s, t, u = outer
    return (
        a * p + b * r,
        a * q + b * s,
        c * p + d * r,
        c * q + d * s,
        e * p + f * r + t,
        e * q + f * s + u,
    )


def _numbers(operands: Any) -> Any:
    return tuple(float(operand) for operand in operands) if operands is not None else None
