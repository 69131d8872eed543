"""What the server does beside its requests so that files come in: the watched folder, and uploads that nobody ends."""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING

from api.drop_folder import DropFolder
from api.incoming_files import tidy_uploads
from api.repeated_work import repeating

if TYPE_CHECKING:
    from collections.abc import Iterator

    from api.instance import Instance

_LOOK_SECONDS = 2.0
_TIDY_SECONDS = 600.0


@contextmanager
def receiving_files(instance: Instance) -> Iterator[None]:
    """Take files in beside the requests until the block ends."""
    with ExitStack() as running:
        running.enter_context(repeating("uploads", _TIDY_SECONDS, partial(tidy_uploads, instance)))
        if instance.drop_folder is not None:
            drops = DropFolder(instance, instance.drop_folder.resolve())
            running.enter_context(repeating("drops", _LOOK_SECONDS, lambda: drops.look(time.monotonic())))
        yield
