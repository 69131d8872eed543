"""Handwriting through the whole program: the sample exam, whose truth is known, and pictures by hand."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from api.command_line import run
from ocr.answer_rules import AnswerKind, AnswerRules
from ocr.answer_text import same_answer
from ocr.handwriting import HandwritingReader
from ocr.model_file import FOLDER_VARIABLE, model_folder
from ocr.reading import WrittenStatus
from ocr.written_answers import AnswerCrop, WrittenQuestion

if TYPE_CHECKING:
    from collections.abc import Iterable

SAMPLE = Path(__file__).parent.parent / "sample_scans"
WRITTEN = {"symbol", "number", "text"}


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample exam, read with crops."""
    out = tmp_path_factory.mktemp("sample") / "results"
    call = [
        "read",
        SAMPLE / "exam.toml",
        SAMPLE / "scans",
        "--roster",
        SAMPLE / "roster.csv",
        "--crops",
        "-o",
        out,
    ]
    assert run([str(part) for part in call]) == 0
    return out


def written(results: Path) -> Iterable[tuple[dict[str, str], dict[str, str]]]:
    """Each written answer of the results, with its truth."""
    truths = {(row["sheet"], row["question"]): row for row in rows(SAMPLE / "truth.csv")}
    for row in rows(results / "answers.csv"):
        truth = truths.get((row["sheet"], row["question"]))
        if row["kind"] in WRITTEN and truth is not None:
            yield row, truth


def test_no_written_answer_is_wrong_and_ok(results: Path) -> None:
    wrong = [
        (row["question"], truth["reading"], row["reading"])
        for row, truth in written(results)
        if row["status"] == "ok"
        and not same_answer(row["reading"], truth["reading"], AnswerRules(AnswerKind(row["kind"])))
    ]
    assert wrong == []


def test_no_written_answer_is_called_blank(results: Path) -> None:
    assert [truth for row, truth in written(results) if row["status"] == "blank" and truth["reading"]] == []


def test_most_symbols_are_safe_to_take(results: Path) -> None:
    """A floor far below what is measured (benchmarks/README.md): a reader that always doubts would pass the rest."""
    symbols = [
        row["status"] == "ok"
        for row, truth in written(results)
        if row["kind"] == "symbol" and truth["reading"]
    ]
    assert sum(symbols) > 0.5 * len(symbols)


def test_what_is_ok_earns_points_and_what_is_doubtful_none(results: Path) -> None:
    for row, _ in written(results):
        if row["status"] == "doubtful":
            assert row["points"] == ""
        elif row["status"] == "ok":
            assert 0 <= float(row["confidence"]) <= 1


def test_the_models_stand_in_the_summary(results: Path) -> None:
    model = json.loads((results / "summary.json").read_text(encoding="utf-8"))["model"]
    assert model == HandwritingReader().label


def test_recognize_reads_the_same_crops_alike(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = results / "crops" / "2-1"
    capsys.readouterr()
    call = ["recognize", str(folder), "--kind", "symbol", "--choices", "ア,イ,ウ,エ,オ", "--answer", "ウ"]
    assert run(call) == 0
    table = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert list(table[0]) == ["image", "reading", "confidence", "status", "is_answer"]
    truths = {row["sheet"]: row["reading"] for row in rows(SAMPLE / "truth.csv") if row["question"] == "2-1"}
    known = [(row, truths[Path(row["image"]).stem]) for row in table if Path(row["image"]).stem in truths]
    assert len(known) > 20
    assert [row for row, truth in known if row["status"] == "ok" and row["reading"] != truth] == []
    for row, truth in known:
        if row["status"] == "ok":
            assert (float(row["is_answer"]) > 0.5) == (truth == "ウ")


def stroke(
    crop: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], points: list[tuple[int, int]], gray: int = 50
) -> None:
    cv2.polylines(
        crop, [np.array(points, np.int32)], isClosed=False, color=gray, thickness=3, lineType=cv2.LINE_AA
    )


def test_a_character_that_is_not_offered_is_never_taken_for_one_that_is() -> None:
    crop = np.full((80, 80), 240, np.uint8)
    cv2.circle(crop, (40, 40), 22, 50, 3, cv2.LINE_AA)
    question = WrittenQuestion(AnswerRules(AnswerKind.SYMBOL, tuple("アイウエ")))
    reading = HandwritingReader().read(question, [AnswerCrop(crop)])[0].reading
    assert reading.status is WrittenStatus.DOUBTFUL
    assert reading.unlike > 0.2


def test_an_empty_crop_is_blank_and_a_faint_stroke_is_not() -> None:
    reader = HandwritingReader()
    paper = np.random.default_rng(1).normal(240, 1.5, (80, 80)).clip(0, 255).astype(np.uint8)
    faint = paper.copy()
    stroke(faint, [(40, 20), (40, 60)], gray=215)
    for kind in AnswerKind:
        question = WrittenQuestion(AnswerRules(kind), ())
        readings = [one.reading for one in reader.read(question, [AnswerCrop(paper), AnswerCrop(faint)])]
        assert readings[0].status is WrittenStatus.BLANK, kind
        assert readings[1].status is not WrittenStatus.BLANK, kind


def test_choices_that_the_symbol_model_does_not_know_go_to_the_line_model() -> None:
    crop = np.full((80, 80), 240, np.uint8)
    stroke(crop, [(15, 40), (65, 40)])
    question = WrittenQuestion(AnswerRules(AnswerKind.SYMBOL, ("甲", "乙")), ("乙",))
    reading = HandwritingReader().read(question, [AnswerCrop(crop)])[0].reading
    assert reading.model.startswith("line/")
    assert reading.status is WrittenStatus.DOUBTFUL


@pytest.mark.parametrize("harm", ["missing", "broken", "other"])
def test_without_models_all_else_works_and_says_so(
    harm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    models = tmp_path / "models"
    models.mkdir()
    if harm != "missing":
        shutil.copy(model_folder() / "symbol.onnx", models)
        (models / "line.onnx").write_bytes(b"ONNX?" if harm == "broken" else b"")
    monkeypatch.setenv(FOLDER_VARIABLE, str(models))
    out = tmp_path / "out"
    scan = sorted((SAMPLE / "scans").glob("*"))[0]
    assert run(["read", str(SAMPLE / "exam.toml"), str(scan), "-o", str(out), "--workers", "1"]) == 0
    said = capsys.readouterr().err
    assert "モデル" in said
    assert "要確認" in said
    read = rows(out / "answers.csv")
    assert {row["status"] for row in read if row["kind"] in WRITTEN} <= {"doubtful", "blank"}
    assert any(row["status"] == "ok" for row in read if row["kind"] == "choice")
    assert json.loads((out / "summary.json").read_text(encoding="utf-8"))["model"] is None
    assert run(["recognize", str(scan), "--kind", "symbol"]) == 2
    assert "モデル" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere.png", "--kind", "symbol"], "nowhere.png"),
        ([".", "--kind", "symbol"], "画像"),
        ([".", "--kind", "essay"], "--kind"),
        ([".", "--kind"], "--kind"),
    ],
)
def test_wrong_calls_of_recognize_end_in_one_sentence(
    arguments: list[str],
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["recognize", *arguments]) == 2
    said = capsys.readouterr().err
    assert says in said
    assert len(said.splitlines()) == 1


def test_a_picture_that_can_not_be_opened_has_a_row_and_stops_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture")
    crop = np.full((60, 60), 240, np.uint8)
    stroke(crop, [(30, 10), (30, 50)])
    cv2.imwrite(str(tmp_path / "b.png"), crop)
    assert run(["recognize", str(tmp_path), "--kind", "number"]) == 0
    said = capsys.readouterr()
    table = list(csv.reader(io.StringIO(said.out)))
    assert table[0] == ["image", "reading", "confidence", "status"]
    assert table[1][1:] == ["", "", "doubtful"]
    assert table[2][0].endswith("b.png")
    assert "1 枚" in said.err
