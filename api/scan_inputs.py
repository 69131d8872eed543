"""Which files a call reads, in which order, and what they are called in the results."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from omr.errors import InputError
from omr.scan_file import SCAN_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class ScanInput:
    """One scan file.

    Attributes:
        path: where it lies.
        source: its name in the results: the file's name, or its path below the folder that was given.
    """

    path: Path
    source: str


@dataclass(frozen=True, slots=True)
class ScanInputs:
    """All scan files of a call, in reading order, and the files in folders that are no scans."""

    scans: tuple[ScanInput, ...]
    ignored: tuple[Path, ...]


def list_scans(paths: Sequence[Path]) -> ScanInputs:
    """List the scan files: files as they were named, folders recursively by name, each file once.

    In folders only files with a scan's suffix count; hidden and temporary ones never do.

    Raises:
        InputError: a path does not exist.
    """
    named: list[tuple[Path, str]] = []
    ignored: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside, others = _list_folder(path)
            named += [(one, one.relative_to(path).as_posix()) for one in inside]
            ignored += others
        elif path.exists():
            named.append((path, path.name))
        else:
            raise InputError(f"{path} がありません。スキャンのファイルかフォルダーの場所を確かめてください。")
    once = {path.resolve(): (path, source) for path, source in reversed(named)}
    kept = [pair for pair in dict.fromkeys(named) if once[pair[0].resolve()] == pair]
    counts = Counter(source for _, source in kept)
    return ScanInputs(
        tuple(ScanInput(path, source if counts[source] == 1 else path.as_posix()) for path, source in kept),
        tuple(ignored),
    )


def _list_folder(folder: Path) -> tuple[list[Path], list[Path]]:
    scans: list[Path] = []
    others: list[Path] = []
    for path in sorted(folder.rglob("*"), key=lambda one: one.relative_to(folder).parts):
        if not path.is_file():
            continue
        (scans if is_scan_name(path.relative_to(folder)) else others).append(path)
    return scans, others


def is_scan_name(path: Path) -> bool:
    """Whether a file in a folder of scans is one by its name: a scan's suffix, nothing hidden or temporary.

    Args:
        path: below that folder.
    """
    visible = not any(part.startswith((".", "~$")) for part in path.parts)
    return visible and path.suffix.lower() in SCAN_SUFFIXES
