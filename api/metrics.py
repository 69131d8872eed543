"""Prometheus metrics of a served instance, at an address of their own that only this computer reaches; numbers, no names."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from omr.errors import InputError, Refused
from scoring.storage.work_counts import count_work

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fastapi import FastAPI
    from prometheus_client.core import Metric
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from api.instance import Instance

_HOST = "127.0.0.1"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


@contextmanager
def serving_metrics(app: FastAPI, instance: Instance, port: int | None) -> Iterator[int | None]:
    """Measure an application, and serve the numbers until the block ends.

    Args:
        app: not started yet.
        instance: behind it.
        port: to listen at, on this computer only; 0 for any free one, None to measure nothing.

    Yields:
        The port.

    Raises:
        InputError: the port can't be used.
    """
    if port is None:
        yield None
        return
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(_Work(instance, app))
    waits = Histogram(
        "saiten_database_write_wait_seconds",
        "How long writes to the database waited for others",
        registry=registry,
        buckets=_SECONDS,
    )
    app.add_middleware(_Measured, registry=registry)
    try:
        server, thread = start_http_server(port, addr=_HOST, registry=registry)
    except (OSError, OverflowError) as error:
        raise InputError(
            f"ポート {port} は使えません。--metrics-port で別の番号を指定してください。"
        ) from error
    instance.database.after_write.append(waits.observe)
    try:
        yield server.server_port
    finally:
        instance.database.after_write.remove(waits.observe)
        server.shutdown()
        server.server_close()
        thread.join()


class _Measured:
    """Counts and times requests by their route, whose address alone could hold anything; of a stream the time to its start."""

    def __init__(self, app: ASGIApp, registry: CollectorRegistry) -> None:
        self._app = app
        self._requests = Counter(
            "saiten_requests", "Requests answered", ("method", "route", "status"), registry=registry
        )
        self._seconds = Histogram(
            "saiten_request_seconds",
            "Time until an answer began",
            ("method", "route"),
            registry=registry,
            buckets=_SECONDS,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()

        async def note(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", "other")
                # A method can be any word that a client makes up; where no route took it, it is not told.
                method = scope["method"] if route != "other" else "other"
                self._requests.labels(method, route, message["status"]).inc()
                self._seconds.labels(method, route).observe(time.perf_counter() - began)
            await send(message)

        await self._app(scope, receive, note)


class _Work(Collector):
    """What stands in the database and who listens, looked up when somebody asks."""

    def __init__(self, instance: Instance, app: FastAPI) -> None:
        self._instance = instance
        self._app = app

    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand: to look would ask the database before anybody wants to know."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """The numbers; without those of the database while it can't be used."""
        listeners = self._app.state.change_feeds.listeners
        yield GaugeMetricFamily("saiten_event_listeners", "Who listens to changes", value=listeners)
        try:
            with self._instance.database.read() as session:
                counts = count_work(session, self._instance.clock())
        except Refused:
            return
        yield GaugeMetricFamily("saiten_busy_workers", "Workers at something", value=counts.busy_workers)
        # A gauge, for a restored backup takes it back.
        yield GaugeMetricFamily("saiten_judgements", "Judgements stored", value=counts.judgements)
        files = GaugeMetricFamily("saiten_scan_files", "Scan files by state", labels=("state",))
        for state in ("received", "counted", "refused"):
            files.add_metric([state], counts.files.get(state, 0))
        yield files
        pages = GaugeMetricFamily("saiten_scan_pages", "Pages by state", labels=("state",))
        for state in ("waiting", "read"):
            pages.add_metric([state], counts.pages.get(state, 0))
        yield pages
