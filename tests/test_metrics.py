"""Metrics of a served instance: true numbers, at an address of their own, without anything personal."""

from __future__ import annotations

import socket
from contextlib import closing
from typing import TYPE_CHECKING

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.metrics import serving_metrics
from api.school_app import create_school_app
from omr.errors import InputError
from scoring.storage.database import database_in, open_database
from tests.graded_exams import Given, add_graded_exam, add_judgement_rows
from tests.running_server import running_server
from tests.school_server import open_school

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.school_server import Browser, School


@pytest.fixture
def school(tmp_path: Path) -> Iterator[tuple[School, Browser]]:
    with closing(open_database(database_in(tmp_path))) as database:
        opened = open_school(database, tmp_path)
        yield opened, opened.administrator()


def read_metrics(port: int | None) -> dict[str, float]:
    """The samples, each by its name and labels."""
    text = httpx2.get(f"http://127.0.0.1:{port}/metrics").text
    return {
        " ".join([sample.name, *(sample.labels[name] for name in sorted(sample.labels))]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_metrics_count_what_is_there(school: tuple[School, Browser]) -> None:
    opened, administrator = school
    here = opened.instance
    deed = here.deed(administrator.get("/api/session").json()["account"]["id"])
    graded = add_graded_exam(here.database, deed, students=4)
    add_judgement_rows(here.database, graded, deed, [Given(page, "q1") for page in graded.page_ids[:3]])
    app = create_school_app(here)
    with serving_metrics(app, here, 0) as port, running_server(app) as address:
        secret = "見本-太郎"
        for path in ("/healthz", "/healthz", f"/api/exams/{secret}", f"/{secret}"):
            httpx2.get(address + path)
        httpx2.request("見本".encode().hex().upper(), address + "/")
        with here.database.write():
            pass
        found = read_metrics(port)
        text = httpx2.get(f"http://127.0.0.1:{port}/metrics").text
    assert found["saiten_requests_total GET /healthz 200"] == 2
    assert found["saiten_requests_total GET /exams/{exam_id} 401"] == 1
    assert found["saiten_request_seconds_count GET /healthz"] == 2
    assert found["saiten_scan_pages read"] == 4
    assert found["saiten_scan_pages waiting"] == 0
    assert found["saiten_scan_files received"] == 0
    assert found["saiten_judgements"] == 3
    assert found["saiten_busy_workers"] == 0
    assert found["saiten_event_listeners"] == 0
    assert found["saiten_database_write_wait_seconds_count"] >= 1
    assert secret not in text
    assert "見本".encode().hex().upper() not in text


def test_metrics_are_not_at_the_public_address(school: tuple[School, Browser]) -> None:
    opened, administrator = school
    assert administrator.get("/metrics").status_code == 404
    assert not [path for path in administrator.get("/api/openapi.json").json()["paths"] if "metrics" in path]
    app = create_school_app(opened.instance)
    with serving_metrics(app, opened.instance, None) as port:
        assert port is None


def test_a_port_that_is_taken(school: tuple[School, Browser]) -> None:
    here = school[0].instance
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(InputError, match="--metrics-port"),
            serving_metrics(create_school_app(here), here, port),
        ):
            pass
