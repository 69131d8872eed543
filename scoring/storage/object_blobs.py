"""Blobs in an object store that speaks S3 (extra `cluster`), and the choice between that and a folder."""

from __future__ import annotations

import hashlib
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from omr.errors import InputError, Refusal, Refused
from scoring.storage.blobs import (
    CHUNK,
    BlobStore,
    FolderBlobs,
    check_digest,
    damaged_blob,
    hash_file,
    missing_blob,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from obstore.store import LocalStore, MemoryStore, S3Store

_AT_ONCE = 8
"""Contents that are sent at the same time."""
_PATIENCE = timedelta(seconds=20)
"""How long a request is tried again."""
_WRONG_ADDRESS = (
    "--blobs は s3://バケット/場所?endpoint=https://ホスト&region=地域 の形で指定してください"
    "（鍵は環境変数 AWS_ACCESS_KEY_ID と AWS_SECRET_ACCESS_KEY で渡します）。"
)
_SETTINGS = {"endpoint", "region"}


@dataclass(frozen=True, slots=True)
class ObjectBlobs:
    """A blob store in an object store, under the same names as in a folder, so that one can be copied to the other.

    An object appears whole or not at all. One that is there is written again rather than read to see whether it is
    still what it was: that mends it too.

    Attributes:
        store: of obstore.
    """

    store: S3Store | LocalStore | MemoryStore

    def put(self, content: bytes) -> str:
        """As in `BlobStore`.

        Raises:
            Refused: the store can't be reached.
        """
        digest = hashlib.sha256(content).hexdigest()
        with _told():
            self.store.put(_name(digest), content)
        return digest

    def put_many(self, contents: Sequence[bytes]) -> list[str]:
        """As in `BlobStore`.

        Raises:
            Refused: the store can't be reached.
        """
        with ThreadPoolExecutor(_AT_ONCE) as sending:
            return list(sending.map(self.put, contents))

    def put_file(self, path: Path) -> str:
        """As in `BlobStore`; sent in parts.

        Raises:
            OSError: the file can't be read.
            Refused: the store can't be reached.
        """
        digest = hash_file(path)
        with _told():
            self.store.put(_name(digest), path)
        return digest

    def get(self, digest: str) -> bytes:
        """As in `BlobStore`."""
        check_digest(digest)
        with _told():
            content = bytes(self.store.get(_name(digest)).bytes())
        if hashlib.sha256(content).hexdigest() != digest:
            raise damaged_blob()
        return content

    @contextmanager
    def open_path(self, digest: str) -> Iterator[Path]:
        """As in `BlobStore`: a copy in the system's temporary folder, gone after the block."""
        check_digest(digest)
        with tempfile.TemporaryDirectory(prefix="saiten-blob-") as folder:
            path = Path(folder) / digest
            known = hashlib.sha256()
            with _told(), path.open("wb") as stream:
                for part in self.store.get(_name(digest)).stream(CHUNK):
                    known.update(part)
                    stream.write(part)
            if known.hexdigest() != digest:
                raise damaged_blob()
            yield path

    def digests(self) -> Iterator[str]:
        """As in `BlobStore`."""
        with _told():
            names = [one["path"].rpartition("/")[2] for part in self.store.list() for one in part]
        yield from sorted(names)


def open_blobs(address: str | None, folder: Path) -> BlobStore:
    """The blob store of an instance.

    Args:
        address: `s3://BUCKET/PREFIX?endpoint=URL&region=NAME` (extra `cluster`); None for a folder.
        folder: that folder.

    Raises:
        InputError: the address makes no sense, or nothing answers there.
    """
    if address is None:
        return FolderBlobs(folder)
    blobs = ObjectBlobs(_open_store(address))
    try:
        with _told():
            next(iter(blobs.store.list(chunk_size=1)), None)
    except Refused as error:
        place = address.partition("?")[0]
        raise InputError(
            f"--blobs の {place} に届きません。場所、鍵（AWS_ACCESS_KEY_ID など）と、動いているかを確かめてください。"
        ) from error
    return blobs


def _open_store(address: str) -> S3Store:
    try:
        from obstore.exceptions import BaseError  # noqa: PLC0415  (part of an extra)
        from obstore.store import S3Store  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise InputError(
            f"--blobs のための部品（{error.name}）がありません。saiten[cluster] を入れてください。"
        ) from error
    try:
        parts = urlsplit(address)
        settings = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
    except ValueError as error:
        raise InputError(_WRONG_ADDRESS) from error
    if parts.scheme != "s3" or not parts.hostname or settings.keys() - _SETTINGS:
        raise InputError(_WRONG_ADDRESS)
    endpoint = settings.get("endpoint")
    try:
        return S3Store(
            parts.hostname,
            prefix=parts.path.strip("/") or None,
            region=settings.get("region", "us-east-1"),
            client_options={"allow_http": endpoint is not None and endpoint.startswith("http://")},
            retry_config={"max_retries": 3, "retry_timeout": _PATIENCE},
            config={"endpoint": endpoint} if endpoint is not None else {},
        )
    except (BaseError, ValueError) as error:
        raise InputError(_WRONG_ADDRESS) from error


def _name(digest: str) -> str:
    return f"{digest[:2]}/{digest[2:4]}/{digest}"


@contextmanager
def _told() -> Iterator[None]:
    """What the library says in English becomes a refusal that a teacher understands."""
    from obstore.exceptions import BaseError  # noqa: PLC0415  (part of an extra)

    try:
        yield
    except FileNotFoundError as error:
        raise missing_blob() from error
    except BaseError as error:
        raise Refused(
            Refusal.BUSY, "ファイルの置き場所が今は使えません。しばらく待って、もう一度試してください。"
        ) from error
