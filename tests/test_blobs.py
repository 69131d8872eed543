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
    print(blobs.put(b"%d" % number * 200_000), flush=True)
"""


@given(st.lists(st.binary(max_size=200)))
def test_what_was_put_comes_back_bit_for_bit(contents: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        blobs = FolderBlobs(Path(folder))
        digests = [blobs.put(content) for content in contents]
        assert [blobs.get(digest) for digest in digests] == contents
        assert digests == [hashlib.sha256(content).hexdigest() for content in contents]
        files = [path for path in Path(folder).rglob("*") if path.is_file()]
        assert len(files) == len(set(contents))


def test_a_damaged_file_is_told_and_mended_by_putting_it_again(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    digest = blobs.put(b"an answer sheet")
    (tmp_path / digest[:2] / digest[2:4] / digest).write_bytes(b"an answer shout")
    with pytest.raises(Refused) as refused:
        blobs.get(digest)
    assert refused.value.refusal is Refusal.DAMAGED
    assert blobs.put(b"an answer sheet") == digest
    assert blobs.get(digest) == b"an answer sheet"


@pytest.mark.parametrize("digest", ["", "0" * 64, "../../../../etc/passwd", "A" * 64, "0" * 63 + "\n"])
def test_what_is_not_there(tmp_path: Path, digest: str) -> None:
    with pytest.raises(Refused) as refused:
        FolderBlobs(tmp_path).get(digest)
    assert refused.value.refusal is Refusal.NOT_FOUND


def test_killed_in_the_middle_no_name_stands_over_half_a_file(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        said = [writer.stdout.readline().strip() for _ in range(5)]
        writer.kill()
        said += writer.stdout.read().split()
    blobs = FolderBlobs(tmp_path)
    there = [path.name for path in tmp_path.rglob("*") if path.is_file() and not path.name.startswith(".")]
    assert set(said) <= set(there)
    assert all(hashlib.sha256(blobs.get(digest)).hexdigest() == digest for digest in there)
