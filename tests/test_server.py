"""The HTTP interface over a finished run on disk."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import cv2
import numpy as np
import pytest
from fastapi.testclient import TestClient

from api.results_reader import ServedRun, read_results
from api.server import create_app, serve
from omr.errors import InputError
from tests.finished_run import make_finished_run, upright_page

if TYPE_CHECKING:
    from pathlib import Path

    from httpx2 import Response

LOCAL = "http://127.0.0.1:8000"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ServedRun:
    return make_finished_run(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def client(run: ServedRun) -> TestClient:
    return TestClient(create_app(run), base_url=LOCAL)


def _json(client: TestClient, address: str) -> Any:
    response = client.get(address)
    assert response.status_code == 200, response.text
    return response.json()


def _gray(response: Response) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    image = cv2.imdecode(np.frombuffer(response.content, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert image is not None
    return np.asarray(image, np.uint8)


def _assert_problem(response: Response, status: int) -> None:
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == status
    assert problem["detail"].endswith("。")


def test_exam(client: TestClient) -> None:
    exam = _json(client, "/api/exam")
    assert (exam["title"], exam["max_points"], exam["question_count"]) == ("見本テスト 理科", "9.5", 3)


def test_zero_ungraded_and_missing_are_different(client: TestClient) -> None:
    scores = _json(client, "/api/scores")
    said = [
        (s["student"] and s["student"]["name"], s["grading"], s["points"], s["undecided"]) for s in scores
    ]
    assert said == [
        ("見本 一郎", "partly_graded", "4.5", 1),
        ("例題 花子", "graded", "0", 0),
        ("試験 三郎", "ungraded", None, 3),
        ("欠番 四郎", "missing", None, None),
        (None, "partly_graded", "3", 1),
    ]
    assert [score["missing_pages"] for score in scores] == [[], [], [2], [1, 2], []]
    assert {score["max_points"] for score in scores} == {"9.5"}


def test_questions_count_their_outcomes(client: TestClient) -> None:
    questions = {question["id"]: question for question in _json(client, "/api/questions")}
    assert list(questions) == ["1-1", "1/2", "2-1"]
    assert questions["1-1"]["outcomes"] == {"correct": 2, "wrong": 1, "doubtful": 1}
    assert questions["1/2"]["outcomes"] == {"correct": 1, "blank": 1, "doubtful": 1, "partial": 1}
    assert (questions["1/2"]["points"], questions["1/2"]["answer"]) == ("2.5", ["12"])


def test_answers_of_a_question_with_a_slash(client: TestClient) -> None:
    answers = _json(client, f"/api/questions/{quote('1/2', safe='')}/answers")
    assert [(a["sheet"], a["outcome"], a["points"]) for a in answers] == [
        ("A1", "correct", "2.5"),
        ("A2", "blank", "0"),
        ("A3", "doubtful", None),
        ("in/a.png#4", "partial", "1"),
    ]
    assert [answer["crop"] is not None for answer in answers] == [True, True, False, True]


def test_every_crop_is_the_one_of_its_answer(client: TestClient, run: ServedRun) -> None:
    for question in ("1-1", "1/2", "2-1"):
        for answer in _json(client, f"/api/questions/{quote(question, safe='')}/answers"):
            if answer["crop"] is None:
                continue
            response = client.get(answer["crop"])
            assert response.headers["content-type"] == "image/png"
            folder, name = (quote(part, safe="") for part in (question, answer["sheet"]))
            assert response.content == (run.out / "crops" / folder / f"{name}.png").read_bytes()


def test_browsers_ask_again_and_get_304(client: TestClient) -> None:
    for address in ("/api/answers/1/crop", "/api/pages/1/image?size=thumbnail"):
        first = client.get(address)
        assert first.headers["cache-control"] == "private, no-cache"
        again = client.get(address, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]


def test_a_changed_crop_is_sent_again(tmp_path: Path) -> None:
    run = make_finished_run(tmp_path)
    client = TestClient(create_app(run), base_url=LOCAL)
    tag = client.get("/api/answers/1/crop").headers["etag"]
    other = (run.out / "crops" / "1-1" / "A2.png").read_bytes()
    (run.out / "crops" / "1-1" / "A1.png").write_bytes(other)
    again = client.get("/api/answers/1/crop", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (200, other)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_pages_are_shown_upright(client: TestClient, number: int) -> None:
    response = client.get(f"/api/pages/{number}/image")
    assert response.headers["content-type"] == "image/jpeg"
    shown, truth = _gray(response).astype(int), upright_page().astype(int)
    assert shown.shape == truth.shape
    assert np.abs(shown - truth).mean() < 3


def test_thumbnails_are_small(client: TestClient) -> None:
    assert max(_gray(client.get("/api/pages/1/image?size=thumbnail")).shape) == 480


def test_pages_carry_their_reason_and_owner(client: TestClient) -> None:
    pages = _json(client, "/api/pages")
    assert [page["number"] for page in pages] == list(range(1, 9))
    assert pages[0]["student"]["name"] == "見本 一郎"
    assert "位置合わせマーク" in pages[3]["reason"]
    assert pages[4]["image"] is None


@pytest.mark.parametrize(
    "address",
    [
        "/api/questions/9-9/answers",
        "/api/answers/8/crop",  # no crop was written
        "/api/answers/12/crop",
        "/api/pages/5/image",  # the file could not be opened
        "/api/pages/6/image",  # outside the folder of scans
        "/api/pages/7/image",  # the file has fewer pages
        "/api/pages/8/image",  # the file is gone
        "/api/pages/9/image",
        "/api/nothing",
        "/nothing.js",
        "/package.json",
        "/%2e%2e/package.json",
        "/..%2fpackage.json",
        "/..%5cpackage.json",
        "/%2e%2e%2f%2e%2e%2fpyproject.toml",
        "/api/questions/..%2f..%2f..%2fexam.toml/answers",
        "/api/answers/..%2f1/crop",
    ],
)
def test_what_is_not_there_is_a_problem_in_words(client: TestClient, address: str) -> None:
    _assert_problem(client.get(address), 404)


@pytest.mark.parametrize(
    "address",
    ["/api/answers/0/crop", "/api/answers/x/crop", "/api/pages/-1/image", "/api/pages/1/image?size=9"],
)
def test_addresses_that_make_no_sense(client: TestClient, address: str) -> None:
    _assert_problem(client.get(address), 422)


def test_only_reading(client: TestClient) -> None:
    _assert_problem(client.post("/api/exam"), 405)


def test_a_scan_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    run = make_finished_run(tmp_path)
    (run.scans / "cat.jpg").write_bytes(b"not a picture")
    response = TestClient(create_app(run), base_url=LOCAL).get("/api/pages/4/image")
    _assert_problem(response, 404)


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    run = make_finished_run(tmp_path)
    for link, target in (
        (run.out / "crops" / "1-1" / "A1.png", run.exam),
        (run.scans / "lost.png", run.exam),
    ):
        link.unlink(missing_ok=True)
        link.symlink_to(target)
    client = TestClient(create_app(run), base_url=LOCAL)
    _assert_problem(client.get("/api/answers/1/crop"), 404)
    _assert_problem(client.get("/api/pages/8/image"), 404)


@pytest.mark.parametrize("address", ["/", "/main.js", "/api/exam", "/api/answers/1/crop", "/nothing"])
def test_every_answer_is_guarded(client: TestClient, address: str) -> None:
    headers = client.get(address).headers
    assert headers["content-security-policy"].startswith("default-src 'self';")
    assert headers["x-content-type-options"] == "nosniff"
    assert "no-cache" in headers["cache-control"]


def test_scripts_are_scripts(client: TestClient) -> None:
    assert client.get("/main.js").headers["content-type"].startswith("text/javascript")


def test_other_host_names_are_refused(client: TestClient) -> None:
    _assert_problem(client.get("/api/scores", headers={"Host": "school.example"}), 421)


def test_a_fault_of_the_server_is_a_problem(run: ServedRun) -> None:
    app = create_app(run)

    @app.get("/api/fault")
    def fail() -> None:
        raise ZeroDivisionError

    app.router.routes.insert(0, app.router.routes.pop())
    response = TestClient(app, base_url=LOCAL, raise_server_exceptions=False).get("/api/fault")
    _assert_problem(response, 500)
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "ZeroDivision" not in response.text


def test_the_schema_describes_every_resource(client: TestClient) -> None:
    paths = _json(client, "/api/openapi.json")["paths"]
    assert len(paths) == 7
    assert all(operation["get"]["description"] for operation in paths.values())


@pytest.mark.parametrize("name", ["answers.csv", "pages.csv", "scores.csv", "summary.json"])
@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe", b"sheet,student\nA1,s-1\n", b'{"missing": 3}'])
def test_a_damaged_run_is_an_input_error(tmp_path: Path, name: str, content: bytes | None) -> None:
    run = make_finished_run(tmp_path)
    if content is None:
        (run.out / name).unlink()
    else:
        (run.out / name).write_bytes(content)
    with pytest.raises(InputError, match=name):
        create_app(run)


def test_a_damaged_row_is_named_by_its_line(tmp_path: Path) -> None:
    run = make_finished_run(tmp_path)
    text = (run.out / "scores.csv").read_text(encoding="utf-8").replace("A2,s-2,0,", "A2,s-2,many,")
    (run.out / "scores.csv").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="3行目の points"):
        read_results(run)


def test_a_run_without_crops(tmp_path: Path) -> None:
    run = make_finished_run(tmp_path)
    (run.out / "crops").rename(run.out / "elsewhere")
    client = TestClient(create_app(run), base_url=LOCAL)
    assert {answer["crop"] for answer in _json(client, "/api/questions/1-1/answers")} == {None}


def test_a_port_in_use(run: ServedRun) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"ポート {port} は使えません"):
            serve(create_app(run), "127.0.0.1", port)


@pytest.mark.parametrize(("host", "port"), [("0.0.0.0", 8000), ("127.0.0.1", 70000)])
def test_hosts_and_ports_that_cannot_be_served(run: ServedRun, host: str, port: int) -> None:
    with pytest.raises(InputError, match=r"。$"):
        serve(create_app(run), host, port)
