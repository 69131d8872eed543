"""How tests run: examples that repeat in CI, one thread a worker, and no way out to the internet."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import cv2
from hypothesis import settings

if TYPE_CHECKING:
    import pytest

_ON_THIS_MACHINE = ("localhost", "127.0.0.1", "::1", "0.0.0.0", "::", "", None)
_CALLS_WITH_ADDRESS = ("socket.connect", "socket.sendto", "socket.sendmsg")
_CALLS_WITH_HOST = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")


def pytest_configure(config: pytest.Config) -> None:
    """Set what holds for every test."""
    sys.addaudithook(_refuse_the_network)
    settings.register_profile("saiten", deadline=None, print_blob=True, derandomize="CI" in os.environ)
    settings.load_profile("saiten")
    if hasattr(config, "workerinput"):
        cv2.setNumThreads(1)  # the workers of pytest-xdist share the cores among themselves


def _refuse_the_network(event: str, arguments: tuple[object, ...]) -> None:
    """Stop whatever calls another machine; Python tells audit hooks before it does (PEP 578)."""
    if event in _CALLS_WITH_ADDRESS:
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None  # a path or number: not the internet
    elif event in _CALLS_WITH_HOST:
        host = arguments[0]
    else:
        return
    if isinstance(host, bytes):
        host = host.decode()
    if host not in _ON_THIS_MACHINE:
        raise RuntimeError(f"{event}: a test called {host}; nothing here may need the network")
