"""The crops of a run as files: kept by page while pages are read, named by sheet when sheets are known."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

from omr.errors import InputError
from omr.read_page import Crops
from omr.reading import PageStatus

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from scoring.intake import Intake
    from scoring.page_records import ScannedPage

CROPS_FOLDER = "crops"
_UNSAFE_ON_WINDOWS = '<>:"/\\|?*'
_LONGEST_NAME = 200
"""Bytes in UTF-8; file systems hold 255 with the suffix."""


def file_name(text: str) -> str:
    """Text as a file name: what a file name can't hold is percent-encoded, letters of any script stay.

    A name that is too long keeps its end, after a digest of all of it.
    """
    encoded = "".join(
        quote(one, safe="") if one in _UNSAFE_ON_WINDOWS or one == "%" or ord(one) < 32 else one
        for one in text
    )
    if encoded.strip(".") != encoded or encoded.strip() != encoded:
        encoded = encoded.replace(".", "%2E").replace(" ", "%20")
    if len(encoded.encode()) > _LONGEST_NAME:
        end = encoded.encode()[-_LONGEST_NAME:].decode(errors="ignore")
        encoded = f"{hashlib.sha256(text.encode()).hexdigest()[:16]}~{end}"
    return encoded


class CropFiles:
    """Writes `crops/QUESTION/SHEET.png`; a context manager that leaves no half-made folder behind.

    Args:
        out: the results folder.
        crops: with `Crops.NONE` nothing is written, and crops of an earlier run are removed.
    """

    def __init__(self, out: Path, crops: Crops) -> None:
        self._final = out / CROPS_FOLDER
        self._pages = out / f".{CROPS_FOLDER}-by-page"
        self._new = out / f".{CROPS_FOLDER}-new"
        self._wanted = crops is not Crops.NONE

    def __enter__(self) -> Self:
        if self._final.exists() and not self._is_ours():
            raise InputError(
                f"{self._final} がすでにあります（採点の結果ではありません）。-o に別のフォルダーを指定してください。"
            )
        self._clear()
        return self

    def _is_ours(self) -> bool:
        """Whether the folder holds the results of an earlier run, whose crops may be replaced."""
        out = self._final.parent
        return any((out / name).exists() for name in ("summary.json", "pages.csv", "answers.csv"))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._clear()

    def keep(self, page: ScannedPage) -> ScannedPage:
        """Write a page's crops to disk, and give back the page without them."""
        if self._wanted and page.reading.crops:
            folder = self._pages / file_name(page.place)
            folder.mkdir(parents=True, exist_ok=True)
            for crop in page.reading.crops:
                (folder / file_name(crop.question)).write_bytes(crop.data)
        return replace(page, reading=replace(page.reading, crops=()))

    def prepare(self, intake: Intake) -> None:
        """Name the crops of all read pages by their sheets, beside earlier ones.

        May be called again when more pages were kept.
        """
        if self._wanted:
            shutil.rmtree(self._new, ignore_errors=True)
            self._new.mkdir()
            for record in intake.pages:
                folder = self._pages / file_name(record.scanned.place)
                if record.status is PageStatus.READ and folder.is_dir():
                    self._place_page(folder, file_name(record.sheet))

    def publish(self) -> None:
        """Put what was prepared in place of earlier crops."""
        shutil.rmtree(self._final, ignore_errors=True)
        if self._wanted:
            self._new.rename(self._final)

    def _place_page(self, folder: Path, sheet: str) -> None:
        for crop in folder.iterdir():
            target = self._new / crop.name
            target.mkdir(exist_ok=True)
            _link(crop, target / f"{sheet}.png")

    def _clear(self) -> None:
        shutil.rmtree(self._pages, ignore_errors=True)
        shutil.rmtree(self._new, ignore_errors=True)


def _link(crop: Path, target: Path) -> None:
    """One file under two names where the file system knows that, else a copy."""
    target.unlink(missing_ok=True)
    try:
        target.hardlink_to(crop)
    except (OSError, NotImplementedError):
        shutil.copyfile(crop, target)
