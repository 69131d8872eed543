"""Writing a file as a whole: a reader sees the old one or the new one, never half of it."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from omr.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_LONGEST_NAME = 40
"""Characters of the file's name in that of the new one, which file systems must be able to hold."""


@contextmanager
def replace_file(path: Path) -> Iterator[BinaryIO]:
    """A stream for the new content; where writing fails, on a full disk say, the file stays as it was.

    Args:
        path: of the file, which may be there or not; what is no plain file (`/dev/null`) is written to directly.

    Raises:
        OSError: it can't be written.
    """
    path = path.resolve()
    if path.exists() and not path.is_file():
        with path.open("wb") as stream:
            yield stream
        return
    new = path.with_name(f".{path.name[:_LONGEST_NAME]}.new")
    try:
        with new.open("wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


def check_targets(targets: Sequence[Path | None], sources: Sequence[Path | None]) -> None:
    """Make sure that what will be written replaces nothing that was read, and no two targets are one file.

    Args:
        targets: files to write; None for those not asked for.
        sources: files that are read.

    Raises:
        InputError: a target is a source, another target, a folder, or in a folder that is not there.
    """
    taken = {source.resolve() for source in sources if source is not None}
    for target in targets:
        if target is None:
            continue
        if target.is_dir():
            raise InputError(f"{target} はフォルダーです。書き出すファイルの名前まで指定してください。")
        if not target.parent.is_dir():
            raise InputError(f"{target.parent} がありません。書き出し先のフォルダーを先に作ってください。")
        if target.resolve() in taken:
            raise InputError(
                f"{target}: 元のファイルかほかの書き出し先に上書きしてしまいます。書き出し先を別の名前にしてください。"
            )
        if target.is_file() or not target.exists():  # several outputs may go to /dev/null
            taken.add(target.resolve())
