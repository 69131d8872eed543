"""The copies of a served instance: made every night or when asked for, the last ones kept."""

from __future__ import annotations

import datetime
import logging
import threading
from dataclasses import dataclass, field
from pathlib import Path  # noqa: TC003  (part of public signatures)

from api.plain_words import explain_file_error
from omr.errors import Refusal, Refused, SaitenError
from scoring.storage.backup import make_backup
from scoring.storage.blobs import BlobStore  # noqa: TC001  (part of public signatures)
from scoring.storage.database import Database  # noqa: TC001  (part of public signatures)
from scoring.storage.events import Deed, record

KEPT = 7
"""How many copies are kept: a week of nights."""
NIGHTLY_AT = datetime.time(3, 0)
"""When a copy is made, in local time; where the computer was off, when it is on again."""
_NAME = "saiten-%Y%m%d-%H%M%S.zip"
_LOG = logging.getLogger("saiten.backups")


@dataclass(frozen=True, slots=True)
class Copy:
    """A backup in the folder of backups.

    Attributes:
        name: of the file.
        size: bytes.
        made_at: when, in UTC.
    """

    name: str
    size: int
    made_at: datetime.datetime


@dataclass(frozen=True, slots=True)
class Failure:
    """Why the last backup was not made; the sentence is for the administrator."""

    at: datetime.datetime
    reason: str


@dataclass
class Backups:
    """The copies of an instance, in a folder.

    Attributes:
        database: of the instance.
        blobs: of the instance.
        folder: made when first needed.
        kept: how many copies stay when a new one is whole, at least one.
        failure: of the last try; None where it went well, or there was none since the start.
        damaged: blobs that the last copy could not hold, since they are missing or damaged.
    """

    database: Database
    blobs: BlobStore
    folder: Path
    kept: int = KEPT
    failure: Failure | None = None
    damaged: int = 0
    _making: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def running(self) -> bool:
        """Whether one is being made."""
        return self._making.locked()

    def copies(self) -> list[Copy]:
        """The copies that are there, the newest first."""
        found = []
        for path in self.folder.glob("saiten-*.zip"):
            state = path.stat()
            made_at = datetime.datetime.fromtimestamp(state.st_mtime, datetime.UTC)
            found.append(Copy(path.name, state.st_size, made_at))
        return sorted(found, key=lambda copy: (copy.made_at, copy.name), reverse=True)

    def make(self, deed: Deed) -> None:
        """Make a copy, and remove the oldest ones when it is whole; a failure is kept in `failure`.

        Raises:
            Refused: one is being made.
        """
        self._begin()
        self._make(deed)

    def start(self, deed: Deed) -> threading.Thread:
        """Begin to make a copy, as `make`, and return at once.

        Raises:
            Refused: one is being made.
        """
        self._begin()
        thread = threading.Thread(target=self._make, args=(deed,), name="backup", daemon=True)
        thread.start()
        return thread

    def _begin(self) -> None:
        if not self._making.acquire(blocking=False):
            raise Refused(
                Refusal.WRONG_STATE, "いまバックアップを作っています。終わってから、もう一度試してください。"
            )

    def _make(self, deed: Deed) -> None:
        try:
            self._write(deed)
        except (SaitenError, OSError) as error:
            reason = explain_file_error(error) if isinstance(error, OSError) else str(error)
            self.failure = Failure(deed.at, reason)
            _LOG.error("backup failed", extra={"fields": {"error": type(error).__name__}})
        finally:
            self._making.release()

    def _write(self, deed: Deed) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.folder / deed.at.astimezone().strftime(_NAME)
        manifest = make_backup(self.database, self.blobs, path)
        self.failure, self.damaged = None, len(manifest.damaged)
        for old in [one for one in self.copies() if one.name != path.name][max(0, self.kept - 1) :]:
            (self.folder / old.name).unlink(missing_ok=True)
        detail = {"rows": manifest.rows, "blobs": manifest.blobs, "damaged": self.damaged}
        _LOG.info("backup made", extra={"fields": detail})
        with self.database.write() as session:
            record(session, deed, "backup.made", None, detail)


def is_due(now: datetime.datetime, last: datetime.datetime | None) -> bool:
    """Whether the nightly copy is to be made.

    Args:
        now: the time, local.
        last: when one was made, or last tried; None for never.
    """
    night = now.replace(hour=NIGHTLY_AT.hour, minute=NIGHTLY_AT.minute, second=0, microsecond=0)
    if night > now:
        night -= datetime.timedelta(days=1)
    # A copy that seems to come from the future tells of a clock that was set back: it proves nothing.
    return last is None or last < night or last > now
