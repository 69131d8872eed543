"""The frame of a printed page: everything that stands on every page whatever is asked there.

Millimetres from the page's top-left corner. From top to bottom: a title line between the upper squares, the
identity block with the code at its right, the body where questions go, and a footer with the code again.
All of it stays between the columns of squares, so that nothing dark comes near one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from omr.design import Paper
from omr.geometry import Rectangle
from omr.layout import Bubble, DigitRow, IdentityField

if TYPE_CHECKING:
    from omr.design import SheetDesign

FIDUCIAL = 6.0
SIDE_FIDUCIAL = 4.0
SIDE_HEIGHTS = (0.45, 0.60)
"""Middle of the left and the right side square, as a share of the page's height: uneven, to show what is up."""
INSETS = {Paper.A4: 15.0, Paper.B5: 15.0, Paper.B4: 18.0, Paper.A3: 20.0}
"""Paper edge to the squares: nearer ones fall off the scan of a page that lies at an angle of 5°."""
_CLEARANCE = 4.0
QR, SECOND_QR = 24.0, 14.0
_TITLE_HEIGHT = 7.0
_BLOCK_TOP = 10.5  # from the upper edge of the squares
DIGITS_HEIGHT = 26.0
_DIGIT_WIDTH, _DIGIT_HEIGHT, _DIGIT_PITCH, _ROW_PITCH = 3.6, 4.0, 5.4, 5.3
_DIGIT_INDENT, _DIGIT_MARGIN = 12.8, 1.8
DIGITS_WIDTH = _DIGIT_INDENT + 9 * _DIGIT_PITCH + _DIGIT_WIDTH + _DIGIT_MARGIN
_DIGIT_FIELDS = (
    IdentityField.GRADE,
    IdentityField.CLASS,
    IdentityField.CLASS,
    IdentityField.NUMBER,
    IdentityField.NUMBER,
)
_NAME_HEIGHT = 17.5
_WIDEST_NAME = 96.0
_GAP = 4.0


@dataclass(frozen=True, slots=True)
class PageFrame:
    """Where the parts of every page stand.

    Attributes:
        fiducials: four corner squares (top-left, top-right, bottom-right, bottom-left), then left and right side.
        title: one line of text.
        identity_block: the digit rows of a blank set, or the printed class and number.
        identity: the digit rows.
        name_box: where the name is written or printed.
        instruction: how to mark, below the name.
        qr: the sheet code, quiet zone included.
        body: for questions.
        second_qr: the code again.
        footer: small print beside the second code.
    """

    fiducials: tuple[Rectangle, ...]
    title: Rectangle
    identity_block: Rectangle
    identity: tuple[DigitRow, ...]
    name_box: Rectangle
    instruction: Rectangle
    qr: Rectangle
    body: Rectangle
    second_qr: Rectangle
    footer: Rectangle


def page_frame(design: SheetDesign) -> PageFrame:
    """The frame of every page of a sheet."""
    width, height = design.page_size
    inset = INSETS[design.paper]
    left = inset + FIDUCIAL + _CLEARANCE
    right = width - left
    top = inset + _BLOCK_TOP
    qr = Rectangle(right - QR, top, QR, QR)
    name_left = left + DIGITS_WIDTH + _GAP
    name_width = min(qr.x - _GAP / 2 - name_left, _WIDEST_NAME)
    instruction_top = top + _NAME_HEIGHT + 1
    second_qr = Rectangle(left, height - inset - SECOND_QR, SECOND_QR, SECOND_QR)
    body_top = top + DIGITS_HEIGHT + _GAP
    return PageFrame(
        fiducials=_fiducials(width, height, inset),
        title=to_thousandths(left, inset, right - left, _TITLE_HEIGHT),
        identity_block=to_thousandths(left, top, DIGITS_WIDTH, DIGITS_HEIGHT),
        identity=digit_rows(left, top),
        name_box=to_thousandths(name_left, top, name_width, _NAME_HEIGHT),
        instruction=to_thousandths(
            name_left, instruction_top, name_width, top + DIGITS_HEIGHT - instruction_top
        ),
        qr=qr,
        body=to_thousandths(left, body_top, right - left, second_qr.y - 2 - body_top),
        second_qr=second_qr,
        footer=to_thousandths(
            second_qr.right + 2, second_qr.y + 4, right - second_qr.right - 2, second_qr.h - 4
        ),
    )


def to_thousandths(x: float, y: float, w: float, h: float) -> Rectangle:
    """A rectangle in whole thousandths of a millimetre: what LAYOUT.json keeps."""
    return Rectangle(round(x, 3), round(y, 3), round(w, 3), round(h, 3))


def _fiducials(width: float, height: float, inset: float) -> tuple[Rectangle, ...]:
    near, far, low = inset, width - inset - FIDUCIAL, height - inset - FIDUCIAL
    corners = tuple(
        Rectangle(x, y, FIDUCIAL, FIDUCIAL) for x, y in ((near, near), (far, near), (far, low), (near, low))
    )
    shift = (FIDUCIAL - SIDE_FIDUCIAL) / 2
    sides = tuple(
        Rectangle(x + shift, round(share * height - SIDE_FIDUCIAL / 2, 3), SIDE_FIDUCIAL, SIDE_FIDUCIAL)
        for x, share in zip((near, far), SIDE_HEIGHTS, strict=True)
    )
    return corners + sides


def digit_rows(left: float, top: float) -> tuple[DigitRow, ...]:
    """The digit rows in a block of `DIGITS_WIDTH` × `DIGITS_HEIGHT` with its top-left corner at (left, top)."""
    first_x, first_y = left + _DIGIT_INDENT, top + 0.4
    return tuple(
        DigitRow(
            field,
            tuple(
                Bubble(
                    round(first_x + digit * _DIGIT_PITCH, 3),
                    round(first_y + row * _ROW_PITCH, 3),
                    _DIGIT_WIDTH,
                    _DIGIT_HEIGHT,
                    label=str(digit),
                )
                for digit in range(10)
            ),
        )
        for row, field in enumerate(_DIGIT_FIELDS)
    )
