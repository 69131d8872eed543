"""`saiten serve`: the application on a school's own data, only in ways that keep it safe."""

from __future__ import annotations

import contextlib
import gc
import ipaddress
import signal
import socket
import ssl
from collections.abc import Callable  # noqa: TC003  (part of public signatures)
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path  # noqa: TC003  (part of public signatures)

import uvicorn
from fastapi import FastAPI

from api.account_routes import first_setup_path
from api.announcing import Announcer  # noqa: TC001  (part of signatures)
from api.backing_up import KEPT, Backups
from api.daily_work import Nightly, daily_work
from api.file_receiving import receiving_files
from api.http_rules import LOCAL_HOSTS
from api.instance import Instance, Transport
from api.listening import listen
from api.metrics import serving_metrics
from api.passwords import digest, new_token
from api.request_log import log_as_json
from api.school_app import create_school_app
from api.worker_serving import intake_engine, usual_count
from omr.errors import InputError
from scoring.storage.accounts import has_administrator, make_link, the_school
from scoring.storage.columns import utc_now
from scoring.storage.database import Database, database_in, open_database
from scoring.storage.object_blobs import open_blobs

_EVERYWHERE = {"0.0.0.0", "::"}  # noqa: S104  (recognised, not listened at)
_SECONDS_TO_END = 10
"""How long requests that are running may go on when the server is told to stop."""


class PlainHttp(StrEnum):
    """Whether http may go over a network without encryption."""

    REFUSED = "refused"
    ALLOWED = "allowed"


@dataclass(frozen=True, slots=True)
class ServeRequest:
    """What `saiten serve` was asked for.

    Attributes:
        data: folder of the files, and of the database where none is named.
        database: URL; None for SQLite in `data`.
        blobs: URL of an object store; None for a folder in `data`.
        host: to listen at.
        port: to listen at; 0 for any free one.
        tls_cert: certificate (PEM), with the chain.
        tls_key: its key (PEM).
        trusted_proxy: addresses or networks, with commas, of the proxies that encrypt for this server.
        plain_http: whether http over a network is allowed.
        nightly: whether copies are made by themselves.
        backups: folder of the copies; None for one in `data`.
        kept: how many copies stay.
        watch: folder that scanners write into, with a folder for each exam.
        workers: processes that read scans; None for one a core but one.
        metrics_port: to serve metrics at, on this computer only; None for nowhere.
    """

    data: Path
    database: str | None = None
    blobs: str | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    tls_cert: Path | None = None
    tls_key: Path | None = None
    trusted_proxy: str | None = None
    plain_http: PlainHttp = PlainHttp.REFUSED
    nightly: Nightly = Nightly.MADE
    backups: Path | None = None
    kept: int = KEPT
    watch: Path | None = None
    workers: int | None = None
    metrics_port: int | None = None


class SchoolServer(uvicorn.Server):
    """A server that does not wait, when it is told to stop, for those who listen to changes: they would stay for ever."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the listening, then the rest in order."""
        if isinstance(app := self.config.app, FastAPI):
            app.state.change_feeds.close()
        await super().shutdown(sockets)


def choose_transport(request: ServeRequest) -> Transport:
    """How browsers will reach the server.

    Raises:
        InputError: passwords and pupils' names would go over a network in the clear; certificate, key or proxy is wrong.
    """
    if (request.tls_cert is None) != (request.tls_key is None):
        raise InputError("--tls-cert（証明書）と --tls-key（秘密鍵）は、両方いっしょに指定してください。")
    if request.tls_cert is not None and request.tls_key is not None:
        _check_certificate(request.tls_cert, request.tls_key)
        return Transport.ENCRYPTED
    if request.trusted_proxy is not None:
        _check_networks(request.trusted_proxy)
        return Transport.ENCRYPTED
    if request.host in LOCAL_HOSTS:
        return Transport.LOCAL
    if request.plain_http is PlainHttp.ALLOWED:
        return Transport.PLAIN
    raise InputError(
        f"ホスト {request.host} では、暗号化せずに公開できません。--tls-cert と --tls-key で証明書を指定するか、"
        "--trusted-proxy で手前のプロキシを指定してください（危険を承知なら --allow-http）。"
    )


def serve_school(request: ServeRequest, announce: Callable[[str], None]) -> None:
    """Serve until Ctrl+C or SIGTERM.

    Args:
        request: what was asked for.
        announce: is told, sentence by sentence, what the person at the terminal needs to know.

    Raises:
        InputError: the call can't be served as it is.
    """
    transport = choose_transport(request)
    if request.watch is not None and not request.watch.is_dir():
        raise InputError(
            f"{request.watch} がないか、フォルダーではありません。--watch の場所を確かめてください。"
        )
    try:
        request.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{request.data} にフォルダーを作れません。--data の場所を確かめてください。"
        ) from error
    with (
        listen(request.host, request.port) as listening,
        closing(open_database(request.database or database_in(request.data))) as database,
    ):
        count = usual_count() if request.workers is None else request.workers
        engine = intake_engine(count, database, request.data, request.blobs)
        instance = _open_instance(database, request, transport, engine)
        address = _address(request, listening)
        for sentence in _first_words(instance, address):
            announce(sentence)
        log_as_json()
        app = create_school_app(instance)
        server = SchoolServer(_configuration(request, app))
        # The server ends in order, then sends itself the signal again: to be told to stop is no failure.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with (
            contextlib.suppress(KeyboardInterrupt),
            serving_metrics(app, instance, request.metrics_port),
            daily_work(instance, request.nightly),
            receiving_files(instance),
            engine,
        ):
            gc.freeze()  # what is there now stays: collections, for which every request waits, pass it over
            server.run(sockets=[listening])


def _open_instance(
    database: Database, request: ServeRequest, transport: Transport, announcer: Announcer
) -> Instance:
    blobs = open_blobs(request.blobs, request.data / "blobs")
    with database.write() as session:
        school_id = the_school(session, utc_now())
    copies = Backups(database, blobs, request.backups or request.data / "backups", request.kept)
    return Instance(
        database,
        blobs,
        school_id,
        request.data,
        transport,
        copies,
        drop_folder=request.watch,
        announcer=announcer,
    )


def _first_words(instance: Instance, address: str) -> list[str]:
    """What to tell at start; makes a set-up link as long as nobody could sign in as administrator."""
    words = [f"{address}/ で開けます。終わるには Ctrl+C を押してください。"]
    if instance.transport is Transport.PLAIN:
        words.append(
            "警告: 暗号化していません。同じネットワークの人に、パスワードや成績を読み取られるおそれがあります。"
        )
    deed = instance.deed()
    with instance.database.write() as session:
        if not has_administrator(session, instance.school_id):
            token = new_token()
            make_link(session, deed, digest(token), None)
            words.append(
                f"最初の管理者を登録してください（1回だけ、3日以内に使えます）: {address}{first_setup_path(token)}"
            )
    return words


def _configuration(request: ServeRequest, app: FastAPI) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,  # `api.request_log` writes one without personal data
        server_header=False,
        # Who else could say where a request comes from would escape the limit on sign-ins.
        proxy_headers=request.trusted_proxy is not None,
        forwarded_allow_ips=request.trusted_proxy or "",
        ssl_certfile=request.tls_cert,
        ssl_keyfile=request.tls_key,
        timeout_graceful_shutdown=_SECONDS_TO_END,
    )


def _address(request: ServeRequest, listening: socket.socket) -> str:
    scheme = "https" if request.tls_cert is not None else "http"
    host = socket.gethostname() if request.host in _EVERYWHERE else request.host
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}"


def _check_certificate(certificate: Path, key: Path) -> None:
    try:
        # An encrypted key would ask at the terminal; an empty password fails instead.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password="")
    except OSError as error:  # ssl.SSLError is one
        raise InputError(
            f"証明書 {certificate} と秘密鍵 {key} を使えません。PEM 形式で、組になっていて、パスワードなしで読めるか確かめてください。"
        ) from error


def _check_networks(written: str) -> None:
    for one in written.split(","):
        try:
            ipaddress.ip_network(one.strip())
        except ValueError as error:
            raise InputError(
                f"--trusted-proxy の「{one.strip()}」は IP アドレスではありません（例: 192.168.1.10）。"
            ) from error
