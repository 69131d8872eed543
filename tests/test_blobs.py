"""The blob stores: a folder on a real disk, object stores, and under the mark `system` a server that speaks S3."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from obstore.store import LocalStore, MemoryStore

from omr.errors import InputError, Refusal, Refused
from scoring.storage.blobs import BlobStore, FolderBlobs
from scoring.storage.object_blobs import ObjectBlobs, open_blobs
from tests.object_stores import running_s3

if TYPE_CHECKING:
    from collections.abc import Iterator

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


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    with running_s3() as address:
        yield address


@pytest.fixture(params=["folder", "memory", "local", pytest.param("s3", marks=pytest.mark.system)])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    """An empty store of each kind."""
    if request.param == "folder":
        return FolderBlobs(tmp_path / "blobs")
    if request.param == "memory":
        return ObjectBlobs(MemoryStore())
    if request.param == "local":
        return ObjectBlobs(LocalStore(tmp_path / "blobs", mkdir=True))
    address: str = request.getfixturevalue("s3")
    return open_blobs(address.replace("/blobs?", f"/{tmp_path.name}?"), tmp_path)


@given(st.lists(st.binary(max_size=200), max_size=6))
@settings(max_examples=20)
def test_what_was_put_comes_back_bit_for_bit(contents: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _put_and_compare(FolderBlobs(Path(folder) / "blobs"), contents)
        files = [path for path in Path(folder).rglob("*") if path.is_file()]
        assert len(files) == len(set(contents))


def test_every_store_gives_back_what_was_put(blobs: BlobStore) -> None:
    assert list(blobs.digests()) == []
    _put_and_compare(blobs, [b"", b"one", bytes(range(256)) * 5000, b"one"])


def _put_and_compare(blobs: BlobStore, contents: list[bytes]) -> None:
    digests = blobs.put_many(contents)
    assert [blobs.put(content) for content in contents] == digests
    assert [blobs.get(digest) for digest in digests] == contents
    assert digests == [hashlib.sha256(content).hexdigest() for content in contents]
    assert list(blobs.digests()) == sorted(set(digests))


def test_a_file_is_kept_as_it_was_when_it_was_put(blobs: BlobStore, tmp_path: Path) -> None:
    source = tmp_path / "scan.pdf"
    content = b"%PDF" + bytes(range(256)) * 50_000
    source.write_bytes(content)
    digest = blobs.put_file(source)
    assert blobs.put_file(source) == digest == hashlib.sha256(content).hexdigest()
    source.write_bytes(b"something else")
    with blobs.open_path(digest) as path:
        assert path.read_bytes() == content
    assert blobs.get(digest) == content
    assert list(blobs.digests()) == [digest]


@pytest.mark.parametrize("length", [15, 16])
def test_a_damaged_file_is_told_and_mended_by_putting_it_again(tmp_path: Path, length: int) -> None:
    for blobs in (FolderBlobs(tmp_path), ObjectBlobs(LocalStore(tmp_path))):
        digest = blobs.put(b"an answer sheet")
        with blobs.open_path(digest):
            pass  # was whole when this process looked first
        (tmp_path / digest[:2] / digest[2:4] / digest).write_bytes(b"an answer shout!"[:length])
        _assert_refused(blobs, digest, Refusal.DAMAGED)
        assert blobs.put(b"an answer sheet") == digest
        assert blobs.get(digest) == b"an answer sheet"


@pytest.mark.parametrize("digest", ["", "0" * 64, "../../../../etc/passwd", "A" * 64, "0" * 63 + "\n"])
def test_what_is_not_there(blobs: BlobStore, digest: str) -> None:
    _assert_refused(blobs, digest, Refusal.NOT_FOUND)


def _assert_refused(blobs: BlobStore, digest: str, refusal: Refusal) -> None:
    with pytest.raises(Refused) as refused:
        blobs.get(digest)
    assert refused.value.refusal is refusal
    with pytest.raises(Refused) as refused, blobs.open_path(digest):
        pass
    assert refused.value.refusal is refusal


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("", "--blobs"),
        ("folder", "s3://"),
        ("s3://", "s3://"),
        ("s3://bucket?secret=x", "s3://"),
        ("https://s3.amazonaws.com/bucket", "s3://"),
        ("s3://bucket/place?endpoint=http://127.0.0.1:1", "s3://bucket/place に届きません"),
    ],
)
def test_addresses_that_make_no_sense(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, words: str
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with pytest.raises(InputError, match=words) as refused:
        open_blobs(address, tmp_path)
    assert str(refused.value).endswith("。")


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
