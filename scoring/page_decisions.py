"""What a person decides about a scanned page, and what that asks of the reader."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from omr.errors import InputError
from omr.page_hints import hints_from_json, hints_to_json

Turn: TypeAlias = Literal[0, 90, 180, 270]
Place: TypeAlias = Annotated[float, Field(ge=-100_000, le=100_000, allow_inf_nan=False)]
Corner: TypeAlias = tuple[Place, Place]
Reason: TypeAlias = Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")]


class _Decision(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    @property
    def detail(self) -> dict[str, Any]:
        """What is kept beside the kind of decision."""
        return self.model_dump(mode="json", exclude={"what"})


class TurnPage(_Decision):
    """The page is to be read turned.

    Attributes:
        turn: degrees clockwise that bring the scan upright.
    """

    what: Literal["turn"]
    turn: Turn = Field(examples=[180])


class SetCorners(_Decision):
    """Where the page lies in its scan, since that was not found.

    Attributes:
        turn: degrees clockwise that bring the scan upright.
        corners: where the points that `omr.page_hints.corner_points` names lie (the middles of the corner squares, on a
            sheet without them the corners of the paper): top-left, top-right, bottom-right, bottom-left; pixels (x, y)
            of the turned scan at its full size.
    """

    what: Literal["corners"]
    turn: Turn = 0
    corners: tuple[Corner, Corner, Corner, Corner] = Field(
        examples=[((12.0, 9.0), (1650.0, 14.0), (1648.0, 2330.0), (10.0, 2326.0))]
    )


class SaySheetPage(_Decision):
    """Which page of the answer sheet it is, since its code was not found."""

    what: Literal["sheet_page"]
    sheet_page: int = Field(ge=1, le=999, examples=[1])


class SayOwner(_Decision):
    """Whose page it is.

    Attributes:
        student: id of the student on this server; null for nobody of the roster.
    """

    what: Literal["owner"]
    student: str | None = Field(max_length=40, pattern=r"^[^\x00]*$", examples=["0dj5f3b8c2a4e6g8i0k2m4o6q8"])


class DropPage(_Decision):
    """The page does not count: another one does, or it is no answer sheet."""

    what: Literal["drop"]
    reason: Reason = ""


class UndropPage(_Decision):
    """A page that was dropped counts after all."""

    what: Literal["undrop"]


class AskForRescan(_Decision):
    """The sheet is to be scanned again; this page stays until it is dropped."""

    what: Literal["rescan"]
    reason: Reason = ""


PageDecision: TypeAlias = Annotated[
    TurnPage | SetCorners | SaySheetPage | SayOwner | DropPage | UndropPage | AskForRescan,
    Field(discriminator="what"),
]
"""What a person decides about a page."""


def changed_hints(hints: dict[str, Any] | None, decision: PageDecision) -> dict[str, Any] | None:
    """What the reader is to be told of a page from now on.

    Args:
        hints: what it was told before, as JSON of `omr.page_hints`.
        decision: the new one.

    Returns:
        The new hints; None where this decision asks for no reading.

    Raises:
        InputError: the corners are no corners of a page.
    """
    match decision:
        case TurnPage():
            # Corners belong to the picture as it was turned before.
            changes: dict[str, Any] = {"turn": decision.turn, "corners": None}
        case SetCorners():
            changes = {"turn": decision.turn, "corners": decision.corners}
        case SaySheetPage():
            changes = {"sheet_page": decision.sheet_page}
        case _:
            return None
    try:
        return hints_to_json(hints_from_json({**(hints or {}), **changes}))
    except ValueError as error:
        raise InputError(
            "四隅は、左上・右上・右下・左下の順に、四角形になるように指定してください。"
        ) from error
