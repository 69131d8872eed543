"""The blob store on a real disk."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omr.errors import Refusal, Refused
from scoring.storage.blobs import FolderBlobs

WRITER = """
import sys
from pathlib import Path
from scoring.storage.blobs import FolderBlobs
blobs = FolderBlobs(Path(sys.argv[1]))
for number in range(100_000):
    print(*blobs.put_many([b"%d" % number * 100_000, b"%d." % number * 100_000]), flush=True)
"""
FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from scoring.storage.blobs import FolderBlobs
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # then writing fails with EFBIG, as it does with ENOSPC on a full disk
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
blobs = FolderBlobs(Path(sys.argv[1]))
def refused(put, *what):
    try:
        put(*what)
    except OSError:
        return True
print(refused(blobs.put, b"x" * 200_000),
      refused(blobs.put_many, [b"small", b"y" * 200_000, b"also small"]),
      refused(blobs.put_file, Path(sys.argv[2])), *blobs.digests())
"""


@given(st.lists(st.binary(max_size=200)))
def test_what_was_put_comes_back_bit_for_bit(contents: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        blobs = FolderBlobs(Path(folder) / "blobs")
        digests = blobs.put_many(contents)
        assert [blobs.put(content) for content in contents] == digests
        assert [blobs.get(digest) for digest in digests] == contents
        assert digests == [hashlib.sha256(content).hexdigest() for content in contents]
        assert list(blobs.digests()) == sorted(set(digests))
        files = [path for path in Path(folder).rglob("*") if path.is_file()]
        assert len(files) == len(set(contents))


def test_a_file_is_copied_whole_and_opened_where_it_lies(tmp_path: Path) -> None:
    source = tmp_path / "scan.pdf"
    source.write_bytes(b"%PDF" + bytes(3_000_000))
    blobs = FolderBlobs(tmp_path / "blobs")
    digest = blobs.put_file(source)
    assert blobs.put_file(source) == digest == hashlib.sha256(source.read_bytes()).hexdigest()
    source.write_bytes(b"something else")
    with blobs.open_path(digest) as path:
        assert path.read_bytes() == blobs.get(digest) == b"%PDF" + bytes(3_000_000)
    assert list(blobs.digests()) == [digest]


def test_a_damaged_file_is_told_and_mended_by_putting_it_again(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    digest = blobs.put(b"an answer sheet")
    with blobs.open_path(digest) as path:
        path.write_bytes(b"an answer shout!")
    with pytest.raises(Refused) as refused:
        blobs.get(digest)
    assert refused.value.refusal is Refusal.DAMAGED
    with pytest.raises(Refused) as refused, blobs.open_path(digest):
        pass
    assert refused.value.refusal is Refusal.DAMAGED
    assert blobs.put(b"an answer sheet") == digest
    assert blobs.get(digest) == b"an answer sheet"


@pytest.mark.parametrize("digest", ["", "0" * 64, "../../../../etc/passwd", "A" * 64, "0" * 63 + "\n"])
def test_what_is_not_there(tmp_path: Path, digest: str) -> None:
    with pytest.raises(Refused) as refused:
        FolderBlobs(tmp_path).get(digest)
    assert refused.value.refusal is Refusal.NOT_FOUND
    with pytest.raises(Refused) as refused, FolderBlobs(tmp_path).open_path(digest):
        pass
    assert refused.value.refusal is Refusal.NOT_FOUND


def test_killed_in_the_middle_no_name_stands_over_half_a_file(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        said = [name for _ in range(5) for name in writer.stdout.readline().split()]
        writer.kill()
        said += writer.stdout.read().split()
    blobs = FolderBlobs(tmp_path)
    there = list(blobs.digests())
    assert set(said) <= set(there)
    assert all(hashlib.sha256(blobs.get(digest)).hexdigest() == digest for digest in there)
    blobs.remove_unfinished(older_than_seconds=-60)
    assert sum(path.is_file() for path in tmp_path.rglob("*")) == len(there)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no such limit")
def test_on_a_full_disk_nothing_half_written_stays(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(200_000))
    blobs = FolderBlobs(tmp_path / "blobs")
    digest = blobs.put(b"was there before")
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path / "blobs"), str(tmp_path / "large")]
    said = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    assert said.split() == ["True", "True", "True", digest]
    assert [path.name for path in (tmp_path / "blobs").rglob("*") if path.is_file()] == [digest]
