"""What a person must do about scans that are not in order, and the ways to mend each."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003  (part of public signatures)
from enum import StrEnum
from types import MappingProxyType

from omr.errors import Trouble


class TaskKind(StrEnum):
    """What is the matter.

    REFUSED_FILE: nothing of a file can be read. SET_ASIDE: a page was not read. CONFLICT: the same sheet is there
    with different content. OWNED_TWICE: two pages that count are said to be the same page of one student. NO_OWNER:
    nobody knows whose a page is. PROBABLE_OWNER: whose a page is, is to be confirmed. RESCAN: somebody asked for a
    new scan of it.
    """

    REFUSED_FILE = "refused_file"
    SET_ASIDE = "set_aside"
    CONFLICT = "conflict"
    OWNED_TWICE = "owned_twice"
    NO_OWNER = "no_owner"
    PROBABLE_OWNER = "probable_owner"
    RESCAN = "rescan"


class Way(StrEnum):
    """A way to mend something: a decision of `scoring.page_decisions`, or sending a file anew."""

    TURN = "turn"
    CORNERS = "corners"
    SHEET_PAGE = "sheet_page"
    OWNER = "owner"
    DROP = "drop"
    RESCAN = "rescan"
    SEND_AGAIN = "send_again"


_ONLY_NEW_SCAN = (Way.RESCAN, Way.DROP)
_WAYS: Mapping[Trouble, tuple[Way, ...]] = MappingProxyType(
    {
        Trouble.NO_FIDUCIALS: (Way.CORNERS, Way.TURN, Way.RESCAN, Way.DROP),
        Trouble.NO_CODE: (Way.SHEET_PAGE, Way.TURN, Way.CORNERS, Way.RESCAN, Way.DROP),
        Trouble.MISPLACED: (Way.CORNERS, Way.TURN, Way.RESCAN, Way.DROP),
        Trouble.FOREIGN_CODE: (Way.DROP, Way.SHEET_PAGE, Way.RESCAN),
        Trouble.FOREIGN_SHEET: (Way.DROP, Way.CORNERS, Way.SHEET_PAGE, Way.RESCAN),
        Trouble.OTHER_EXAM: (Way.DROP,),
        Trouble.OTHER_LAYOUT: (Way.DROP, Way.RESCAN),
    }
)
_BY_KIND: Mapping[TaskKind, tuple[Way, ...]] = MappingProxyType(
    {
        TaskKind.REFUSED_FILE: (Way.SEND_AGAIN,),
        TaskKind.CONFLICT: (Way.DROP, Way.OWNER, Way.RESCAN),
        TaskKind.OWNED_TWICE: (Way.OWNER, Way.DROP, Way.RESCAN),
        TaskKind.NO_OWNER: (Way.OWNER, Way.DROP, Way.RESCAN),
        TaskKind.PROBABLE_OWNER: (Way.OWNER, Way.DROP, Way.RESCAN),
        TaskKind.RESCAN: (Way.DROP, Way.TURN, Way.CORNERS, Way.OWNER),
    }
)
_REASONS: Mapping[TaskKind, str] = MappingProxyType(
    {
        TaskKind.REFUSED_FILE: "ファイルを読めません。スキャンし直して、もう一度入れてください。",
        TaskKind.SET_ASIDE: "このページは読めませんでした。画像を見て、直し方を選んでください。",
        TaskKind.CONFLICT: "同じ解答用紙が内容の違うまま2枚以上あります。正しい1枚を残し、ほかを除いてください。",
        TaskKind.OWNED_TWICE: "同じ生徒の同じページが2枚以上あります。だれの解答用紙かを確かめてください。",
        TaskKind.NO_OWNER: "だれの解答用紙か分かりません。名前を見て、生徒を選んでください。",
        TaskKind.PROBABLE_OWNER: "だれの解答用紙かを、名前を見て確かめてください。",
        TaskKind.RESCAN: "スキャンし直すことになっています。新しいスキャンを入れたら、このページを除いてください。",
    }
)


def ways_to_mend(kind: TaskKind, trouble: str = "") -> tuple[Way, ...]:
    """How a task can be done, the likeliest way first.

    Args:
        kind: of the task.
        trouble: of a page that was set aside; empty where none is known.
    """
    if kind is not TaskKind.SET_ASIDE:
        return _BY_KIND[kind]
    return next((ways for known, ways in _WAYS.items() if known == trouble), _ONLY_NEW_SCAN)


def words(kind: TaskKind, reason: str) -> str:
    """Why there is something to do, for the teacher.

    Args:
        kind: of the task.
        reason: what the reader or the sorting said; empty if nothing.
    """
    if kind in {TaskKind.OWNED_TWICE, TaskKind.RESCAN}:
        return f"{_REASONS[kind]} {reason}".strip()
    return reason or _REASONS[kind]
