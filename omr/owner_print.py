"""What a sheet says of its owner: grade, class, number and the name as the font can show it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from unicodedata import normalize

from omr.errors import InputError
from omr.fonts import covers
from omr.sheet_code import student_digest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from omr.design import SheetOwner

_COMPATIBILITY_IDEOGRAPHS = "([\uf900-\ufaff\U0002f800-\U0002fa1f])"
_GETA = "〓"
"""Stands for a character that can't be printed at all (ゲタ記号)."""


@dataclass(frozen=True, slots=True)
class PrintedName:
    """A name as it is printed.

    Attributes:
        text: the name.
        kana: printed above it; empty for none.
        is_substitute: whether kana or 〓 stand for what the font can't show.
    """

    text: str
    kana: str
    is_substitute: bool


def class_and_number(owner: SheetOwner) -> str:
    """「2年　3組　12番」, without the parts that the roster leaves empty."""
    parts = ((owner.grade, "年"), (owner.class_name, "組"), (owner.number, "番"))
    texts = (text if not text or text.endswith(unit) else text + unit for text, unit in parts)
    return "　".join(_with_geta(_composed(text)) for text in texts if text)


def printed_name(owner: SheetOwner) -> PrintedName:
    """The name as the font can show it: itself, else its kana, else itself with 〓 in the gaps."""
    name, kana = _composed(owner.name), _composed(owner.kana)
    if covers(kana):
        kana = ""
    if not covers(name):
        return PrintedName(name, kana, is_substitute=False)
    return PrintedName(kana or _with_geta(name), "", is_substitute=True)


def _composed(text: str) -> str:
    """The text in normal form C, except that compatibility ideographs keep the form that the roster has."""
    pieces = re.split(_COMPATIBILITY_IDEOGRAPHS, text.strip())
    return "".join(piece if place % 2 else normalize("NFC", piece) for place, piece in enumerate(pieces))


def _with_geta(text: str) -> str:
    missing = set(covers(text))
    return "".join(_GETA if one in missing else one for one in text)


def check_owners(owners: Sequence[SheetOwner]) -> None:
    """There must be somebody to print for, and every sheet must have a code of its own."""
    if not owners:
        raise InputError("名簿に生徒がいません。1人以上の名簿にしてください。")
    seen: dict[str, str] = {}
    for owner in owners:
        other = seen.setdefault(student_digest(owner.student_id), owner.student_id)
        if other != owner.student_id:
            raise InputError(
                f"生徒「{other}」と「{owner.student_id}」の用紙番号が重なります。どちらかの student_id を変えてください。"
            )
    if len(seen) < len(owners):
        ids = [owner.student_id for owner in owners]
        twice = next(one for one in ids if ids.count(one) > 1)
        raise InputError(f"生徒「{twice}」が名簿に2回あります。1人1行にしてください。")


def names_in_kana(owners: Sequence[SheetOwner]) -> tuple[tuple[str, str, str], ...]:
    """(student_id, name, kana) of all owners whose name the font can't show."""
    return tuple(
        (owner.student_id, owner.name, owner.kana) for owner in owners if printed_name(owner).is_substitute
    )
