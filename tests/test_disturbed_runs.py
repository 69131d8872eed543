"""Runs that are disturbed from outside: two at once, Ctrl+C, killed workers, a full disk."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from api.command_line import run
from api.run_lock import hold_folder
from api.worker_pool import WorkerPool
from omr.errors import InputError, SaitenError
from tests.scan_files import SHEET, encode
from tests.test_read_command import School, school
from tests.test_stamp import OwnSheet, word

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["school", "word"]

_CALL = "import sys; from api.command_line import run; sys.exit(run(sys.argv[1:]))"
_SMALL_FILES = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size})); " + _CALL
posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and limits of POSIX")


def _start(arguments: Sequence[str], code: str = _CALL) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def _read_call(school: School, *options: str) -> list[str]:
    scans, out = str(school.folder / "scans"), str(school.folder / "out")
    return ["read", school.exam, scans, "-o", out, "--workers", "2", *options]


def _members(group: int) -> list[int]:
    """The processes of a process group."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, its_group = path.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(its_group) == group and state != "Z":
            found.append(int(path.parent.name))
    return found


def test_a_second_run_into_the_same_folder_is_refused(
    school: School, capsys: pytest.CaptureFixture[str]
) -> None:
    school.put("a.pdf", school.scan(0))
    out = school.folder / "out"
    out.mkdir()
    with hold_folder(out):
        assert school.read() == 2
        error = capsys.readouterr().err
        assert "別の saiten read" in error
        assert error.count("\n") == 1
    assert school.read() == 0
    assert not list(out.glob(".*"))


@posix
def test_a_killed_run_leaves_the_folder_free(school: School) -> None:
    school.put("a.pdf", school.scan(0))
    folder = school.folder / "in"
    folder.mkdir()
    process = _start(_read_call(school, "--watch", str(folder)))
    deadline = time.monotonic() + 120
    while not (school.folder / "out" / "summary.json").exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    with pytest.raises(InputError), hold_folder(school.folder / "out"):
        pass
    process.kill()
    process.communicate()
    assert school.read("--crops") == 0


@posix
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are listed from /proc")
@pytest.mark.parametrize("wait", [0.0, 0.5, 1.5])
def test_ctrl_c_at_any_time_ends_all_in_one_sentence(school: School, wait: float) -> None:
    school.put("a.pdf", *[school.scan(0)] * 40)
    process = _start(_read_call(school))
    marker = school.folder / "out" / ".saiten.lock"
    deadline = time.monotonic() + 120
    while not marker.exists():  # from here on workers are started
        assert time.monotonic() < deadline
        time.sleep(0.01)
    time.sleep(wait)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all of them
    _, error = process.communicate(timeout=300)
    if process.returncode == 0:
        pytest.skip("the run was done before")
    assert process.returncode == 130
    assert error == "中止しました。\n"
    deadline = time.monotonic() + 10  # the process that watches over shared memory ends after the others
    while _members(process.pid):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert not list((school.folder / "out").glob(".*"))


def _die_the_first_time(marker: str) -> None:
    if not Path(marker).exists():
        Path(marker).touch()
        os._exit(9)


def _die(_: Any) -> None:
    os._exit(9)


def _double(number: int) -> int:
    return 2 * number


def test_a_worker_that_dies_while_starting_is_started_again(tmp_path: Path) -> None:
    with WorkerPool(2, _die_the_first_time, str(tmp_path / "marker"), 30.0) as pool:
        assert list(pool.map(_double, [1, 2, 3])) == [2, 4, 6]


def test_workers_that_always_die_end_in_a_sentence() -> None:
    before = set(multiprocessing.active_children())
    with pytest.raises(SaitenError, match="メモリー"), WorkerPool(2, _die, None, 30.0):
        pass
    assert set(multiprocessing.active_children()) == before


def test_ctrl_c_is_not_lost_where_threads_start_workers() -> None:
    """A server starts runs from threads, where no signal handler can be set."""
    results: list[int] = []

    def start() -> None:
        with WorkerPool(1, _prepare_nothing, None, 30.0) as pool:
            results.extend(one for one in pool.map(_double, [4]) if isinstance(one, int))

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert results == [8]


def _prepare_nothing(_: Any) -> None:
    return


@posix
@pytest.mark.parametrize(
    ("size", "options"),
    [(0, ["--crops"]), (300, ["--crops"]), (2_000, [])],
    ids=["nothing", "a part of a crop", "answers.csv, but not pages.csv"],
)
def test_a_full_disk_leaves_the_earlier_results_and_one_sentence(
    school: School, size: int, options: list[str]
) -> None:
    """A limit on the size of files stands in for the disk: writing ends in the same way, at any byte."""
    pages = [school.scan(page, seed) for page in range(4) for seed in range(6)]
    school.put("a.pdf", *pages[:2])
    assert school.read("--crops") == 0
    out = school.folder / "out"
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    school.put("a.pdf", *pages)
    process = _start(_read_call(school, *options), _SMALL_FILES.format(size=size))
    _, error = process.communicate(timeout=300)
    assert process.returncode in (1, 2)
    assert error.count("\n") == 1
    assert error.endswith("。\n")
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    assert not list(out.glob(".*"))


@posix
@pytest.mark.parametrize("size", [0, 5_000])
def test_printing_on_a_full_disk_leaves_no_half_file(school: School, size: int) -> None:
    call = ["print", school.exam, "-o", str(school.folder / "new.pdf")]
    _check_print_fails_whole(call, school.folder / "new.pdf", size)


@posix
@pytest.mark.parametrize("size", [0, 5_000])
def test_stamping_on_a_full_disk_leaves_no_half_file(word: OwnSheet, size: int) -> None:
    call = ["print", str(word.folder / "exam.toml"), "-o", str(word.printed), "--onto", str(word.sheet)]
    _check_print_fails_whole([*call, "--sheet-layout", str(word.folder / "in.json")], word.printed, size)


def _check_print_fails_whole(call: list[str], target: Path, size: int) -> None:
    for earlier in (None, b"earlier"):
        if earlier is not None:
            target.write_bytes(earlier)
        process = _start(call, _SMALL_FILES.format(size=size))
        _, error = process.communicate(timeout=300)
        assert process.returncode == 2
        assert "空き容量" in error
        assert error.count("\n") == 1
        assert (target.read_bytes() if target.exists() else None) == earlier
        assert not list(target.parent.glob(".*"))
    assert run(call) == 0
    assert target.stat().st_size > size


@posix
def test_a_watched_file_is_kept_until_there_is_room(school: School) -> None:
    folder = school.folder / "in"
    folder.mkdir()
    (folder / "a.png").write_bytes(encode(SHEET, "PNG", compress_level=0))
    call = [*_read_call(school, "--watch", str(folder), "--watch-settle", "0")]
    call.remove(str(school.folder / "scans"))
    process = _start(call, _SMALL_FILES.format(size=10_000))
    try:
        _, error = process.communicate(timeout=300)
    finally:
        process.kill()
    assert process.returncode == 1
    assert error.strip().splitlines()[-1].endswith("。")
    assert (folder / "a.png").exists()
    assert not list((school.folder / "out" / "watched").iterdir())
