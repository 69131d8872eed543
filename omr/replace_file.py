"""Writing a file as a whole: a reader sees the old one or the new one, never half of it."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator
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
