"""What the machine said of a page as a JSON text, without the answers: they are kept one by one."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from omr.layout import IdentityField
from omr.reading import DigitReading, IdentityReading, PageReading, PageStatus, ReadingStatus
from omr.registration import Registration
from omr.sheet_code import SheetCode


def to_document(reading: PageReading) -> str:
    """A page's reading as JSON; its answers and their pictures are left out.

    Args:
        reading: of a page.
    """
    plain = {
        "status": reading.status,
        "reason": reading.reason,
        "trouble": reading.trouble,
        "code": None if reading.code is None else asdict(reading.code),
        "sheet_page": reading.sheet_page,
        "registration": None if reading.registration is None else asdict(reading.registration),
        "identity": None if reading.identity is None else asdict(reading.identity),
        "crop_corners": reading.crop_corners,
    }
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def from_document(document: str) -> PageReading:
    """The reading that `to_document` wrote, without answers.

    Args:
        document: JSON.

    Raises:
        ValueError: it is no such text.
    """
    try:
        plain = json.loads(document)
        return PageReading(
            status=PageStatus(plain["status"]),
            reason=plain["reason"],
            trouble=plain["trouble"],
            code=None if plain["code"] is None else SheetCode(**plain["code"]),
            sheet_page=plain["sheet_page"],
            registration=_registration(plain["registration"]),
            identity=_identity(plain["identity"]),
            crop_corners=tuple(
                tuple((float(x), float(y)) for x, y in corners) for corners in plain["crop_corners"]
            ),
        )
    except (KeyError, TypeError) as error:
        raise ValueError("no document of a page's reading") from error


def _registration(plain: dict[str, Any] | None) -> Registration | None:
    if plain is None:
        return None
    rows = tuple((float(x), float(y), float(shift)) for x, y, shift in plain.pop("matrix"))
    return Registration(matrix=rows, **plain)


def _identity(plain: dict[str, Any] | None) -> IdentityReading | None:
    if plain is None:
        return None
    rows = tuple(
        DigitReading(IdentityField(row["field"]), row["digit"], tuple(row["chances"]))
        for row in plain["rows"]
    )
    return IdentityReading(rows, ReadingStatus(plain["status"]), plain["confidence"])
