"""`saiten read --watch`: scans are read as they arrive in a folder, until the command is stopped."""

from __future__ import annotations

import signal
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from api.reading_run import start_reading
from api.taken_files import TakenFiles
from api.watch_folder import WatchFolder, WatchRules
from omr.errors import InputError, PageSetAside, Trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from api.reading_run import Progress, ReadRequest
    from api.scan_inputs import ScanInput
    from scoring.results import ReadResults

_NO_END = PageSetAside(
    Trouble.UNREADABLE_FILE,
    "ファイルが途中で切れているか、PDF・TIFF・JPEG・PNGではないため、読み取れません。スキャンし直すか、元のファイルを入れ直してください。",
)


@dataclass(frozen=True, slots=True)
class WatchRequest:
    """Which folder to watch, and how.

    Attributes:
        folder: looked into with all below it.
        rules: how long to wait for a file.
        poll_seconds: between two looks.
    """

    folder: Path
    rules: WatchRules = field(default_factory=WatchRules)
    poll_seconds: float = 1.0


def watch_scans(
    request: ReadRequest,
    watch: WatchRequest,
    stop: threading.Event,
    report: Callable[[Progress], None] = lambda _: None,
    announce: Callable[[ReadResults], None] = lambda _: None,
) -> ReadResults:
    """Read the given scans, those taken in earlier runs, and then what arrives, until told to stop.

    Args:
        request: what to read; its scans may be none.
        watch: the folder.
        stop: ends the run; what is being read is finished and written first.
        report: called after every page.
        announce: called when results were written.

    Raises:
        InputError: an input that the whole run depends on is missing or wrong.
    """
    folder = _open_folder(request, watch)
    with start_reading(request) as run:
        taken = TakenFiles(request.out)
        run.read([*run.given, *taken.start(run.given)], report)
        results = run.write()
        announce(results)
        while not stop.is_set():
            now = time.monotonic()
            arrived = _take(folder, folder.poll(now), taken)
            stuck = folder.give_up(now)
            for path in stuck:
                run.set_aside(path.relative_to(folder.folder).as_posix(), _NO_END)
            if arrived or stuck:
                run.read(arrived, report)
                results = run.write()
                announce(results)
            stop.wait(watch.poll_seconds)
    return results


@contextmanager
def stopped_by_signals() -> Iterator[threading.Event]:
    """An event that the first Ctrl+C or request to end sets; the second one ends the program at once."""
    stop = threading.Event()
    signals = (signal.SIGINT, signal.SIGTERM)
    before = {one: signal.getsignal(one) for one in signals}

    def ask(_number: int, _frame: object) -> None:
        stop.set()
        for one in signals:
            signal.signal(one, before[one])

    for one in signals:
        signal.signal(one, ask)
    try:
        yield stop
    finally:
        for one in signals:
            signal.signal(one, before[one])


def _open_folder(request: ReadRequest, watch: WatchRequest) -> WatchFolder:
    if not watch.folder.is_dir():
        raise InputError(
            f"{watch.folder} がないか、フォルダーではありません。見張るフォルダーの場所を確かめてください。"
        )
    folder, out = watch.folder.resolve(), request.out.resolve()
    if folder == out:
        raise InputError(
            f"{request.out} は見張るフォルダーです。結果のフォルダー（-o）には別の場所を指定してください。"
        )
    return WatchFolder(folder, watch.rules, out)


def _take(folder: WatchFolder, paths: Sequence[Path], taken: TakenFiles) -> list[ScanInput]:
    """Copies of the files whose content is new."""
    scans = []
    for path in paths:
        try:
            scan = taken.take(path, path.relative_to(folder.folder).as_posix())
        except OSError:
            folder.put_back(path)
            continue
        if scan is not None:
            scans.append(scan)
    return scans
