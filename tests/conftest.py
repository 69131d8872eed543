"""How tests run: examples that repeat in CI, one thread a worker, and no way out to the internet."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import cv2
import pytest
from hypothesis import settings

from scoring.storage.database import Database, open_database
from tests.postgres import new_database, running_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a running PostgreSQL."""
    with running_postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.system)])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'saiten.sqlite3'}"
    return new_database(request.getfixturevalue("postgres"))


@pytest.fixture
def database(address: str) -> Iterator[Database]:
    """An empty database of each kind."""
    with closing(open_database(address)) as opened:
        yield opened
