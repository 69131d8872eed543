"""The layout of a sheet: where everything stands on the printed pages, in millimetres, and its JSON file."""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum
from functools import cached_property
from pathlib import Path  # noqa: TC003  (part of public signatures)
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic.dataclasses import dataclass

from omr.errors import InputError
from omr.geometry import Rectangle
from omr.layout_mistakes import explain_mistake
from omr.replace_file import replace_file

if TYPE_CHECKING:
    from collections.abc import Iterator

_STRICT_NUMBERS = ConfigDict(allow_inf_nan=False)
_DECIMALS = 3  # a thousandth of a millimetre: what a file keeps, so that a layout and its file are equal

Millimetres = Annotated[float, Field(gt=0, le=2000)]


class QuestionKind(StrEnum):
    """What a pupil does in an answer region."""

    CHOICE = "choice"
    SYMBOL = "symbol"
    NUMBER = "number"
    TEXT = "text"
    ESSAY = "essay"
    DRAWING = "drawing"


class IdentityField(StrEnum):
    """What a row of digit bubbles says of a pupil."""

    GRADE = "grade"
    CLASS = "class"
    NUMBER = "number"


class BubblePrint(StrEnum):
    """Who printed the bubbles of the questions, where it was not this program."""

    FOREIGN = "foreign"


@dataclass(frozen=True, config=_STRICT_NUMBERS, kw_only=True)
class Bubble(Rectangle):
    """The box of a bubble's outline, and the label of the choice."""

    label: str


@dataclass(frozen=True, config=_STRICT_NUMBERS)
class Line:
    """A line printed inside an answer region (ruled line, manuscript square), in page millimetres."""

    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True, config=_STRICT_NUMBERS)
class QuestionLayout:
    """Where one question stands on its page: bubbles for a choice, a box for everything else."""

    id: Annotated[str, Field(min_length=1, max_length=32)]
    kind: QuestionKind
    bubbles: tuple[Bubble, ...] = ()
    box: Rectangle | None = None
    lines: tuple[Line, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.kind is QuestionKind.CHOICE and not self.bubbles:
            raise ValueError("choice の設問には bubbles（マークの位置）が必要です")
        if self.kind is not QuestionKind.CHOICE and self.box is None:
            raise ValueError(f"{self.kind} の設問には box（解答欄の位置）が必要です")
        labels = [bubble.label for bubble in self.bubbles]
        if len(set(labels)) != len(labels):
            raise ValueError("bubbles の label が重複しています")
        return self


@dataclass(frozen=True, config=_STRICT_NUMBERS)
class DigitRow:
    """One digit of grade, class or number; rows of one field stand most significant first."""

    field: IdentityField
    bubbles: tuple[Bubble, ...]


@dataclass(frozen=True, config=_STRICT_NUMBERS)
class PageLayout:
    """One page of a sheet, in millimetres.

    Attributes:
        number: from 1.
        width: of the paper.
        height: of the paper.
        questions: in exam order.
        qr: the sheet code, quiet zone included; None on a sheet without one.
        second_qr: the same code again, elsewhere on the page.
        fiducials: the solid squares; the first four are the corners (top-left, top-right, bottom-right,
            bottom-left), the rest stand at the sides and tell which way up the page lies.
        name_box: where a pupil writes their name.
        identity: the digit rows, printed on blank sets only.
    """

    number: Annotated[int, Field(ge=1, le=999)]
    width: Millimetres
    height: Millimetres
    questions: tuple[QuestionLayout, ...] = ()
    qr: Rectangle | None = None
    second_qr: Rectangle | None = None
    fiducials: tuple[Rectangle, ...] = ()
    name_box: Rectangle | None = None
    identity: tuple[DigitRow, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        for question in self.questions:
            for box in (*question.bubbles, *([question.box] if question.box else [])):
                if box.w <= 0 or box.h <= 0:
                    raise ValueError(f"設問「{question.id}」の w と h は 0 より大きい数にしてください")
                if box.x < 0 or box.y < 0 or box.right > self.width or box.bottom > self.height:
                    raise ValueError(f"設問「{question.id}」の位置が用紙の外に出ています")
        return self


@dataclass(frozen=True, config=_STRICT_NUMBERS)
class Layout:
    """All pages of a sheet, in order.

    Attributes:
        pages: numbered from 1.
        reference: the file that the layout is drawn on, for a sheet without our squares and code.
        bubble_print: `BubblePrint.FOREIGN` where squares and code are ours but the bubbles of the questions do
            not look as `omr.bubble_print` says; None where they do.
    """

    pages: Annotated[tuple[PageLayout, ...], Field(min_length=1)]
    reference: str | None = None
    bubble_print: BubblePrint | None = None
    version: Literal[1] = 1
    unit: Literal["mm"] = "mm"
    origin: Literal["top-left"] = "top-left"

    @model_validator(mode="after")
    def _check(self) -> Self:
        if [page.number for page in self.pages] != list(range(1, len(self.pages) + 1)):
            raise ValueError("pages の number は 1 から順に並べてください")
        ids = [question.id for _, question in self.questions()]
        twice = sorted({one for one in ids if ids.count(one) > 1})
        if twice:
            raise ValueError(f"設問「{twice[0]}」が2か所にあります")
        return self

    @property
    def has_code(self) -> bool:
        """Whether the sheet carries a code on its pages."""
        return any(page.qr is not None for page in self.pages)

    def questions(self) -> Iterator[tuple[PageLayout, QuestionLayout]]:
        """Every question with its page, in page order."""
        for page in self.pages:
            for question in page.questions:
                yield page, question

    @cached_property
    def digest(self) -> str:
        """A hash over everything that stands on the sheet (hexadecimal), the same however it was stored."""
        text = json.dumps(layout_to_json(self), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


_ADAPTER = TypeAdapter(Layout)


def layout_to_json(layout: Layout) -> dict[str, Any]:
    """The layout as the JSON object of LAYOUT.json; absent parts are left out."""
    plain = _rounded(_ADAPTER.dump_python(layout, mode="json", exclude_none=True, exclude_defaults=False))
    assert isinstance(plain, dict)
    return plain


def write_layout(layout: Layout, path: Path) -> None:
    """Write LAYOUT.json (UTF-8, LF) as a whole."""
    text = json.dumps(layout_to_json(layout), ensure_ascii=False, indent=1)
    with replace_file(path) as stream:
        stream.write(f"{text}\n".encode())


def read_layout(path: Path) -> Layout:
    """Read LAYOUT.json.

    Raises:
        InputError: the file is missing, not JSON, or not a layout; the message names the line or the place.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(_unreadable(path)) from error
    return parse_layout(data, str(path))


def parse_layout(data: bytes, name: str) -> Layout:
    """The layout in a LAYOUT.json that is already read.

    Args:
        data: the file's content.
        name: what messages call the file.

    Raises:
        InputError: it is not a layout; the message as from `read_layout`.
    """
    try:
        plain = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InputError(_unreadable(name)) from error
    except json.JSONDecodeError as error:
        raise InputError(
            f"{name} {error.lineno}行目: JSON として読めません。saiten print --layout が書いた形にしてください。"
        ) from error
    except RecursionError as error:
        raise InputError(f"{name}: 入れ子が深すぎて、レイアウトとして読めません。") from error
    try:
        return _ADAPTER.validate_python(plain)
    except ValidationError as error:
        raise InputError(
            f"{name} の {explain_mistake(error)}。LAYOUT.json の書き方を確かめてください。"
        ) from error


def _unreadable(name: Path | str) -> str:
    return f"{name}: レイアウトのファイルを読めません。ファイル名と場所を確かめてください。"


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, _DECIMALS)
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items() if one not in ([], ())}
    if isinstance(value, list):
        return [_rounded(one) for one in value]
    return value
