"""`saiten serve` as a process of its own, over real HTTP."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx2
import pytest

from api.command_line import run
from api.instance import Transport
from api.serving import PlainHttp, ServeRequest, choose_transport
from omr.errors import InputError
from tests.chromium import Chromium
from tests.stored_things import exam_toml

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PASSWORD = "correct horse battery"


@dataclass
class Served:
    """A running `saiten serve`: its process, its address and the token of its set-up link."""

    process: subprocess.Popen[str]
    address: str
    token: str | None


@contextmanager
def serving(data: Path, *options: str, links: int = 1) -> Iterator[Served]:
    """Run `saiten serve` until the block ends."""
    start = "from api.command_line import main; main()"
    command = [sys.executable, "-c", start, "serve", "--data", str(data), "--port", "0", *options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().partition("/ ")[0]
            token = process.stdout.readline().strip().partition("#")[2] if links else None
            yield Served(process, address, token)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=20)
            assert "Traceback" not in errors


def set_up(served: Served, client: httpx2.Client) -> str:
    """Become the first administrator; returns the CSRF token."""
    answer = client.post(
        f"{served.address}/api/setup",
        json={"token": served.token, "password": PASSWORD, "login": "tanaka", "school": "見本中学校"},
    )
    assert answer.status_code == 201, answer.text
    token: str = answer.json()["csrf_token"]
    return token


def test_from_the_first_start_to_the_second(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serving(data) as served, httpx2.Client() as client:
        assert served.address.startswith("http://127.0.0.1:")
        assert client.get(f"{served.address}/readyz").status_code == 200
        set_up(served, client)
        assert client.get(f"{served.address}/api/session").json()["transport"] == "local"
    assert served.process.returncode == 0
    with serving(data, links=0) as again, httpx2.Client() as client:
        body = {"login": "tanaka", "password": PASSWORD}
        assert client.post(f"{again.address}/api/session", json=body).status_code == 201
        again.process.send_signal(signal.SIGTERM)
        assert again.process.stdout is not None
        assert "setup" not in again.process.stdout.read()
    if os.name == "posix":
        assert data.stat().st_mode & 0o077 == 0


def test_killed_in_the_middle_what_was_acknowledged_is_there_whole(tmp_path: Path) -> None:
    acknowledged: list[str] = []
    with serving(tmp_path) as served, httpx2.Client() as client:
        headers = {"X-CSRF-Token": set_up(served, client)}
        threading.Timer(0.4, served.process.kill).start()
        with pytest.raises(httpx2.TransportError):
            _create_exams(served, client, headers, acknowledged)
    with serving(tmp_path, links=0) as again, httpx2.Client() as client:
        client.post(f"{again.address}/api/session", json={"login": "tanaka", "password": PASSWORD})
        page = client.get(f"{again.address}/api/exams?limit=200").json()["exams"]
        assert {one["id"] for one in page} >= set(acknowledged)
        assert len(page) <= len(acknowledged) + 1
        for one in page:
            states = client.get(f"{again.address}/api/exams/{one['id']}/states").json()
            assert [state["state"] for state in states] == ["preparing"]


def _create_exams(
    served: Served, client: httpx2.Client, headers: dict[str, str], acknowledged: list[str]
) -> None:
    """Create exams until the server is gone."""
    while True:
        code = f"K-{len(acknowledged)}"
        answer = client.post(f"{served.address}/api/exams", content=exam_toml(code), headers=headers)
        acknowledged.append(answer.json()["id"])


def test_who_is_no_trusted_proxy_says_nothing_of_others(tmp_path: Path) -> None:
    with serving(tmp_path, "--trusted-proxy", "192.0.2.1") as served, httpx2.Client() as client:
        forged = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "198.51.100.1"}
        answer = client.post(
            f"{served.address}/api/session", json={"login": "a", "password": "b"}, headers=forged
        )
        assert (answer.status_code, answer.json()["refusal"]) == (403, "not_encrypted")
    with serving(tmp_path, "--trusted-proxy", "127.0.0.1") as served, httpx2.Client() as client:
        answer = client.post(
            f"{served.address}/api/session", json={"login": "a", "password": "b"}, headers=forged
        )
        assert (answer.status_code, answer.json()["refusal"]) == (401, "wrong_password")


@pytest.mark.system
def test_coming_in_with_a_browser(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as served, Chromium(tmp_path / "profile") as browser:
        browser.open(f"{served.address}/setup?first#{served.token}")
        _submit(browser, school="見本中学校", login="tanaka", password="short")
        browser.wait_until("document.querySelector('#problem').innerText.includes('10 文字以上')")
        _submit(browser, school="見本中学校", login="tanaka", password=PASSWORD)
        browser.wait_until("document.querySelector('#who')?.innerText === '見本中学校　tanaka'")
        browser.wait_until("document.querySelector('main')?.innerText === '試験はまだありません。'")
        # The token is gone from the history.
        assert browser.evaluate("location.href") == f"{served.address}/#/exams"
        browser.evaluate("document.querySelector('#leave').click()")
        browser.wait_until("document.querySelector('#entry button')?.innerText === 'サインイン'")
        _submit(browser, login="tanaka", password=PASSWORD)
        browser.wait_until("document.querySelector('#who')?.innerText === '見本中学校　tanaka'")
        assert {urlsplit(one).netloc for one in browser.requests} == {urlsplit(served.address).netloc}


def _submit(browser: Chromium, **fields: str) -> None:
    """Fill in the form and send it, once the page is there."""
    browser.wait_until("document.querySelector('#entry')?.hidden === false")
    for name, written in fields.items():
        browser.evaluate(f"document.querySelector('[name={name}]').value = {json.dumps(written)}")
    browser.evaluate("document.querySelector('#entry').requestSubmit()")


@pytest.mark.system
def test_tls(tmp_path: Path) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost",
            "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate,
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip
    options = ("--tls-cert", str(certificate), "--tls-key", str(key))
    trusting = ssl.create_default_context(cafile=str(certificate))
    with serving(tmp_path / "data", *options) as served, httpx2.Client(verify=trusting) as client:
        assert served.address.startswith("https://")
        set_up(served, client)
        (cookie,) = client.cookies.jar
        assert (cookie.name, cookie.secure) == ("__Host-saiten", True)
    with pytest.raises(InputError, match="組になって"):
        choose_transport(ServeRequest(tmp_path, tls_cert=key, tls_key=certificate))


@pytest.mark.parametrize(
    ("request_", "transport"),
    [
        ({}, Transport.LOCAL),
        ({"host": "0.0.0.0", "plain_http": PlainHttp.ALLOWED}, Transport.PLAIN),
        ({"host": "0.0.0.0", "trusted_proxy": "10.0.0.0/8, 192.0.2.1"}, Transport.ENCRYPTED),
        ({"plain_http": PlainHttp.ALLOWED}, Transport.LOCAL),
    ],
)
def test_ways_that_are_served(tmp_path: Path, request_: dict[str, object], transport: Transport) -> None:
    assert choose_transport(ServeRequest(tmp_path, **request_)) is transport  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--host", "0.0.0.0"], "--tls-cert"),
        (["--host", "0.0.0.0", "--tls-cert", "cert.pem"], "両方"),
        (["--tls-cert", "nothing.pem", "--tls-key", "nothing.pem"], "証明書 nothing.pem"),
        (["--host", "0.0.0.0", "--trusted-proxy", "proxy"], "IP アドレス"),
        (["--port", "70000"], "65535"),
        (["--database", "oracle://x"], "--database"),
        (["--data", "file.txt"], "--data"),
        (["--watch"], "--watch"),
    ],
)
def test_wrong_calls_end_in_one_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file.txt").write_text("")
    assert run(["serve", "--port", "0", *options]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert re.fullmatch(r"[^\n]+\n", said)


def test_a_port_in_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run(["serve", "--data", str(tmp_path), "--port", str(port)]) == 2
    assert f"ポート {port} は使えません" in capsys.readouterr().err
