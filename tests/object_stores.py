"""A server of the tests' own that speaks S3 (moto's), at a port of this machine."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.request import Request, urlopen

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

_KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}


@contextmanager
def running_s3() -> Iterator[str]:
    """The address of an empty place in a bucket of a server that is running."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415  (loads slowly; most runs need none)

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        with urlopen(Request(f"{endpoint}/school", method="PUT")):
            pass
        with pytest.MonkeyPatch.context() as environment:
            for name, key in _KEYS.items():
                environment.setenv(name, key)
            yield f"s3://school/blobs?endpoint={endpoint}"
    finally:
        server.stop()
