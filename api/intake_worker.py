"""The work of one worker at scans: takes what is left to do, does it, keeps it, until nothing is left.

Scan files come from outside, so they are opened only here. Nothing is kept in this process that rows do not say
again: wherever it ends, another worker begins what was not kept.
"""

from __future__ import annotations

import datetime
import logging
import time
from contextlib import ExitStack
from enum import StrEnum
from typing import TYPE_CHECKING

from api.exam_readers import ExamReaders
from omr.decode_limits import DecodeLimits
from omr.errors import InputError, PageSetAside, Refusal, Refused, Trouble
from omr.page_hints import hints_from_json
from omr.read_page import set_aside
from omr.same_page import have_same_content, have_same_marks
from omr.scan_file import ScanFile, open_scan
from omr.sheet_pair import open_page
from scoring.exam_reader import BatchPage, PageBatch, ReadPart
from scoring.page_sorting import sort_stored_pages
from scoring.storage.columns import utc_now
from scoring.storage.kept_work import keep_batch, keep_page_count, keep_refused_file
from scoring.storage.leases import Ending, give_back, put_off, renew
from scoring.storage.sorted_pages import find_pages_to_sort, keep_sorting, with_marks
from scoring.storage.work import CountPages, ReadPages, SortPages, claim

if TYPE_CHECKING:
    from collections.abc import Callable

    from omr.layout import PageLayout
    from omr.pixels import Gray
    from scoring.page_sorting import PageToSort
    from scoring.storage.blobs import BlobStore
    from scoring.storage.database import Database
    from scoring.storage.sorted_pages import PagesToSort
    from scoring.storage.work import WaitingPage

RENEW_SECONDS = 30.0
_PUT_OFF = datetime.timedelta(seconds=10)
_PASSING = {Refusal.BUSY, Refusal.NOT_FOUND, Refusal.DAMAGED}
"""What stands in the way from outside: a database that is busy, a blob that is not there (yet, or any more)."""
_CRASHED_FILE = PageSetAside(
    Trouble.CRASH,
    "このファイルを開くと処理が異常終了するため、とばしました。スキャンし直すか、別の形式で保存してください。",
)
_CRASHED_PAGE = PageSetAside(
    Trouble.CRASH, "このページの読み取り中に処理が異常終了したため、とばしました。スキャンし直してください。"
)
_WRONG_HINTS = PageSetAside(
    Trouble.MISPLACED, "指定された四隅が用紙の形と合いません。四隅を左上から時計回りに置き直してください。"
)
_LOG = logging.getLogger("saiten.intake")


class Step(StrEnum):
    """What one step of a worker came to: something done, put off for a reason outside, or nothing to do."""

    DONE = "done"
    PUT_OFF = "put_off"
    NOTHING = "nothing"


class IntakeWorker:
    """A worker; a context manager that closes the file it has open.

    Args:
        database: whose rows say what is left to do.
        blobs: with scan files; atlases go there.
        name: that no other worker ever has.
        begun: called with the exam's id whenever the time of a lease begins: something of it was taken, or a lease
            renewed.
        ended: called when it is at nothing any more.
        clock: tells the time in UTC.
        limits: on what a scan file may ask for.
        model_threads: of one run of a model that reads handwriting.
    """

    def __init__(
        self,
        database: Database,
        blobs: BlobStore,
        name: str,
        *,
        begun: Callable[[str], None] = lambda exam_id: None,  # noqa: ARG005
        ended: Callable[[], None] = lambda: None,
        clock: Callable[[], datetime.datetime] = utc_now,
        limits: DecodeLimits | None = None,
        model_threads: int = 1,
    ) -> None:
        self._database, self._blobs, self.name = database, blobs, name
        self._begun, self._ended, self._clock, self._limits = begun, ended, clock, limits or DecodeLimits()
        self._readers = ExamReaders(database, blobs, model_threads)
        self._open_file = ExitStack()
        self._open: tuple[str, ScanFile] | None = None
        self._same: dict[tuple[str, str], bool] = {}
        self._renewed = 0.0

    def __enter__(self) -> IntakeWorker:
        return self

    def __exit__(self, *_: object) -> None:
        self._close_file()

    def step(self) -> Step:
        """Take one thing, do it and keep it."""
        try:
            taken = claim(self._database, self.name, self._clock())
        except Refused as refused:
            return self._put_off(refused)
        if taken is None:
            self._close_file()
            return Step.NOTHING
        self._begun(taken.exam_id)
        try:
            return self._try(taken)
        finally:
            self._ended()

    def _try(self, taken: CountPages | ReadPages | SortPages) -> Step:
        try:
            self._do(taken)
        except Refused as refused:
            if refused.refusal not in _PASSING:
                return self._fail(refused)
            return self._put_off(refused)
        except OSError as error:
            return self._put_off(error)
        except Exception as error:  # noqa: BLE001  (as if the process had died of it: others go on, it is tried again)
            return self._fail(error)
        return Step.DONE

    def _do(self, taken: CountPages | ReadPages | SortPages) -> None:
        match taken:
            case CountPages():
                self._count(taken)
            case ReadPages():
                self._read(taken)
            case SortPages():
                self._sort(taken)

    def _count(self, taken: CountPages) -> None:
        try:
            if taken.is_given_up:
                raise _CRASHED_FILE
            count = self._scan(taken.blob).page_count
        except PageSetAside as aside:
            with self._database.write() as session:
                keep_refused_file(session, self._clock(), taken, aside)
            return
        with self._database.write() as session:
            keep_page_count(session, self._clock(), taken, count)

    def _read(self, taken: ReadPages) -> None:
        version = layout = 0
        try:
            if taken.is_given_up:
                raise _CRASHED_PAGE
            reader = self._readers.find(taken.school_id, taken.exam_id)
            version, layout = reader.exam_version, reader.layout_number
            wrong, pages = _to_read(taken.pages)
            batch = reader.reader.read(self._scan(taken.blob), pages)
            batch = PageBatch((*batch.parts, *wrong), batch.atlases)
        except PageSetAside as aside:
            batch = _all_aside(taken.pages, aside)
        except InputError as error:
            batch = _all_aside(taken.pages, PageSetAside(Trouble.OTHER_LAYOUT, str(error)))
        self._blobs.put_many(list(batch.atlases.values()))
        with self._database.write() as session:
            keep_batch(session, self._clock(), taken, batch, exam_version=version, layout_number=layout)

    def _sort(self, taken: SortPages) -> None:
        with self._database.read() as session:
            known = find_pages_to_sort(session, taken.school_id, taken.exam_id)
        self._renewed = time.monotonic()

        def same_content(one: PageToSort, other: PageToSort) -> bool:
            return not taken.is_given_up and self._have_same_content(known, one, other)

        results = sort_stored_pages(
            known.pages, known.exam.code, known.layout.layout, known.roster, same_content
        )
        with self._database.write() as session:
            keep_sorting(session, self._clock(), taken, known, results)

    def _have_same_content(self, known: PagesToSort, one: PageToSort, other: PageToSort) -> bool:
        pair = one.reading_id, other.reading_id
        if pair not in self._same:
            self._same[pair] = self._compare(known, one, other)
            if time.monotonic() - self._renewed > RENEW_SECONDS:
                renew(self._database, self.name, self._clock())
                self._renewed = time.monotonic()
                self._begun(known.exam.id)
        return self._same[pair]

    def _compare(self, known: PagesToSort, one: PageToSort, other: PageToSort) -> bool:
        with self._database.read() as session:
            marks = [with_marks(session, page).reading for page in (one, other)]
        if [answer.question for answer in marks[0].answers] != [
            answer.question for answer in marks[1].answers
        ]:
            return False  # read by different versions of the exam
        first, second, number = one.reading.registration, other.reading.registration, one.reading.sheet_page
        if first is None or second is None or number is None or not have_same_marks(marks[0], marks[1]):
            return False
        page = known.layout.layout.pages[number - 1]
        try:
            pictures = [self._decode(known, which, page) for which in (one, other)]
        except PageSetAside:
            return False
        return have_same_content(pictures[0], first, pictures[1], second, page)

    def _decode(self, known: PagesToSort, page: PageToSort, frame: PageLayout) -> Gray:
        scan = self._scan(known.blobs[page.file_id])
        return open_page(scan, page.number - 1, page.part, frame).gray

    def _scan(self, blob: str) -> ScanFile:
        """The scan file, kept open until another one is asked for."""
        if self._open is None or self._open[0] != blob:
            self._close_file()
            path = self._open_file.enter_context(self._blobs.open_path(blob))
            self._open = blob, self._open_file.enter_context(open_scan(path, self._limits))
        return self._open[1]

    def _close_file(self) -> None:
        self._open = None
        self._open_file.close()

    def _put_off(self, error: Refused | OSError) -> Step:
        """What stands in the way is outside: nothing is lost, and it is tried again a little later."""
        self._report("put_off", error)
        try:
            put_off(self._database, self.name, self._clock() + _PUT_OFF)
        except Refused as refused:
            self._report("lease_kept", refused)  # until it is over
        return Step.PUT_OFF

    def _fail(self, error: Exception) -> Step:
        self._report("failed", error)
        self._close_file()
        try:
            give_back(self._database, self.name, Ending.DIED)
        except Refused as refused:
            self._report("lease_kept", refused)
        return Step.PUT_OFF

    def _report(self, what: str, error: Exception) -> None:
        # The kind alone: the text of an error may name a pupil or an answer.
        kind = error.refusal.value if isinstance(error, Refused) else type(error).__name__
        _LOG.warning(what, extra={"fields": {"worker": self.name, "error": kind}})


def _to_read(pages: tuple[WaitingPage, ...]) -> tuple[list[ReadPart], list[BatchPage]]:
    """The pages as the reader takes them, and apart from them those whose hints make no sense."""
    wrong, right = [], []
    for page in pages:
        try:
            hints = None if page.hints is None else hints_from_json(dict(page.hints))
        except ValueError:
            wrong.append(ReadPart(page.id, page.part, set_aside(_WRONG_HINTS), ()))
        else:
            right.append(BatchPage(page.id, page.number, page.part, hints))
    return wrong, right


def _all_aside(pages: tuple[WaitingPage, ...], aside: PageSetAside) -> PageBatch:
    return PageBatch(tuple(ReadPart(page.id, page.part, set_aside(aside), ()) for page in pages), {})
