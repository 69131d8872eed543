"""Which files a call reads, in which order, and what they are called in the results."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from omr.errors import InputError
from omr.scan_file import FOREIGN_SUFFIXES, SCAN_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class ScanInput:
    """One scan file.

    Attributes:
        path: where it lies.
        source: its name in the results: the file's name, or its path below the folder that was given.
    """

    path: Path
    source: str


def list_scans(paths: Sequence[Path], crops: Path) -> list[ScanInput]:
    """List the scan files: files as they were named, folders recursively by name, each file once.

    In folders only files with a picture's suffix count; hidden and temporary ones never do.

    Args:
        paths: files and folders.
        crops: folder of the crops of an earlier run, which are pictures but no scans.

    Raises:
        InputError: a path does not exist.
    """
    named: list[tuple[Path, str]] = []
    for path in paths:
        if path.is_dir():
            named += [(one, shown_path(one.relative_to(path))) for one in _list_folder(path, crops.resolve())]
        elif path.exists():
            named.append((path, shown_path(Path(path.name))))
        else:
            raise InputError(f"{path} がありません。スキャンのファイルかフォルダーの場所を確かめてください。")
    once = {path.resolve(): (path, source) for path, source in reversed(named)}
    kept = [pair for pair in dict.fromkeys(named) if once[pair[0].resolve()] == pair]
    counts = Counter(source for _, source in kept)
    return [ScanInput(path, source if counts[source] == 1 else shown_path(path)) for path, source in kept]


def shown_path(path: Path) -> str:
    """A path as text that any file can hold; names that are not UTF-8 come from Windows as CP932."""
    name = os.fsencode(path.as_posix())
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError:
        return name.decode("cp932", "replace")


def _list_folder(folder: Path, crops: Path) -> list[Path]:
    found = []
    for path in sorted(folder.rglob("*"), key=lambda one: one.relative_to(folder).parts):
        inside = path.resolve().parents
        if is_scan_name(path.relative_to(folder)) and path.is_file() and crops not in inside:
            found.append(path)
    return found


def is_scan_name(path: Path) -> bool:
    """Whether a file in a folder of scans is one by its name: a picture's suffix, nothing hidden or temporary.

    Args:
        path: below that folder.
    """
    visible = not any(part.startswith((".", "~$")) for part in path.parts)
    return visible and path.suffix.lower() in SCAN_SUFFIXES | FOREIGN_SUFFIXES
