"""`saiten print` and `saiten read` as a user calls them, on good and bad files."""

from __future__ import annotations

import csv
import io
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import img2pdf
import numpy as np
import pypdfium2
import pytest
from PIL import Image

from api.command_line import run
from omr.layout import Layout, read_layout
from sample_scans.bubble_fillings import Filling, draw_filling
from sample_scans.scanner import ScannerModel, scan

if TYPE_CHECKING:
    from pathlib import Path

    from omr.pixels import Gray

EXAM = """
[exam]
id = "READ-1"
title = "2学期期末考査 数学"
subject = "数学"
date = 2026-11-27

[[question]]
id = "1"
kind = "choice"
choices = ["ア", "イ", "ウ", "エ"]
answer = ["イ"]
accept = ["ウ"]
points = 2

[[question]]
id = "2"
kind = "choice"
choices = ["ア", "イ", "ウ", "エ"]
answer = ["ア", "エ"]
points = 2.5

[[question]]
id = "3"
kind = "text"
answer = ["鎌倉幕府"]
points = 4
"""
ROSTER = "student_id,grade,class,number,name,kana\n" + "".join(
    f"s-{n},2,1,{n},見本 {n:02},ミホン {n:02}\n" for n in range(1, 5)
)
DPI = 200


@dataclass
class School:
    """An exam, its roster, its printed pages and a folder for scans."""

    folder: Path
    layout: Layout
    pages: list[Gray]

    @property
    def exam(self) -> str:
        """EXAM.toml."""
        return str(self.folder / "exam.toml")

    def mark(self, page: int, question: str, label: str, filling: Filling = Filling.FULL) -> None:
        """Mark a choice on a student's page."""
        (found,) = [one for one in self.layout.pages[0].questions if one.id == question]
        (bubble,) = [one for one in found.bubbles if one.label == label]
        scale = DPI / 25.4
        x, y = bubble.centre
        draw_filling(
            self.pages[page],
            (x * scale - 0.5, y * scale - 0.5),
            (bubble.w * scale, bubble.h * scale),
            filling,
            np.random.default_rng(page),
            scale,
        )

    def scan(self, page: int, seed: int = 0) -> Gray:
        """A student's page through the scanner."""
        model = ScannerModel(dpi=DPI, skew_deg=0.4 - 0.3 * seed)
        return scan(self.pages[page], DPI, model, np.random.default_rng(seed))

    def put(self, name: str, *pages: Gray) -> Path:
        """A PDF of pages in the folder of scans."""
        path = self.folder / "scans" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(img2pdf.convert([_jpeg(page) for page in pages]))
        return path

    def read(self, *options: str, scans: str | None = None) -> int:
        """Call `saiten read`."""
        where = scans or str(self.folder / "scans")
        out = str(self.folder / "out")
        return run(["read", self.exam, where, "-o", out, "--workers", "1", *options])

    def rows(self, name: str) -> list[dict[str, str]]:
        """A result table."""
        text = (self.folder / "out" / name).read_bytes().decode("utf-8")
        assert "\r" not in text
        return list(csv.DictReader(io.StringIO(text)))

    @property
    def summary(self) -> dict[str, object]:
        """summary.json."""
        found: dict[str, object] = json.loads((self.folder / "out" / "summary.json").read_text("utf-8"))
        return found


def _jpeg(page: Gray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(page).save(stream, "JPEG", quality=80, dpi=(DPI, DPI))
    return stream.getvalue()


@pytest.fixture
def school(tmp_path: Path) -> School:
    (tmp_path / "exam.toml").write_text(EXAM, "utf-8")
    (tmp_path / "roster.csv").write_text(ROSTER, "utf-8")
    sheets, layout = tmp_path / "sheets.pdf", tmp_path / "layout.json"
    call = ["print", str(tmp_path / "exam.toml"), "-o", str(sheets), "--layout", str(layout)]
    assert run([*call, "--roster", str(tmp_path / "roster.csv")]) == 0
    with pypdfium2.PdfDocument(sheets) as document:
        pages = [
            np.ascontiguousarray(page.render(scale=DPI / 72, grayscale=True).to_numpy().squeeze())
            for page in document
        ]
    return School(tmp_path, read_layout(layout), pages)


def _roster(school: School) -> tuple[str, str]:
    return "--roster", str(school.folder / "roster.csv")


def test_a_class_is_read_and_marked(school: School) -> None:
    school.mark(0, "1", "イ")
    school.mark(0, "2", "ア")
    school.mark(0, "2", "エ")
    school.mark(1, "1", "ウ")
    school.mark(2, "1", "ア")
    school.mark(2, "1", "イ")
    school.put("b.pdf", school.scan(1), np.rot90(school.scan(0), 2).copy())
    school.put("a.pdf", np.rot90(school.scan(2)).copy())
    assert school.read(*_roster(school), "--crops") == 0
    answers = {(row["student"], row["question"]): row for row in school.rows("answers.csv")}
    assert list(school.rows("answers.csv")[0]) == [
        "sheet",
        "student",
        "page",
        "question",
        "kind",
        "reading",
        "confidence",
        "status",
        "points",
        "max_points",
        "measures",
    ]
    assert [row["student"] for row in school.rows("answers.csv")][::3] == ["s-3", "s-2", "s-1"]
    right = answers["s-1", "2"]
    assert (right["reading"], right["status"], right["points"], right["max_points"]) == (
        "ア;エ",
        "ok",
        "2.5",
        "2.5",
    )
    assert answers["s-2", "1"]["points"] == "2"
    double = answers["s-3", "1"]
    assert (double["reading"], double["status"], double["points"]) == ("ア;イ", "ok", "0")
    empty = answers["s-2", "2"]
    assert (empty["reading"], empty["status"], empty["points"]) == ("", "blank", "0")
    assert answers["s-1", "3"]["status"] == "blank"
    assert float(answers["s-1", "3"]["confidence"]) > 0.95
    scores = {row["student"]: row for row in school.rows("scores.csv")}
    assert (scores["s-1"]["points"], scores["s-1"]["max_points"], scores["s-1"]["undecided"]) == (
        "4.5",
        "8.5",
        "0",
    )
    pages = school.rows("pages.csv")
    assert [(row["source"], row["page"], row["rotation"]) for row in pages] == [
        ("a.pdf", "1", "90"),
        ("b.pdf", "1", "0"),
        ("b.pdf", "2", "180"),
    ]
    assert [
        (row["student"], row["identity"], row["identity_confidence"], row["identity_evidence"])
        for row in pages
    ] == [(student, "proven", "1.0000", "code") for student in ("s-3", "s-2", "s-1")]
    assert abs(float(pages[1]["skew_deg"]) - 0.4) < 0.05
    assert float(pages[1]["residual_mm"]) < 0.2
    assert school.summary["missing"] == [["s-4", 1]]
    crops = school.folder / "out" / "crops"
    assert {one.name for one in crops.iterdir()} == {"1", "2", "3"}
    assert {one.stem for one in (crops / "1").iterdir()} == {
        row["sheet"] for row in school.rows("scores.csv")
    }
    assert not list((school.folder / "out").glob(".*"))


def test_reading_again_replaces_the_results(school: School) -> None:
    school.put("a.pdf", school.scan(0))
    assert school.read("--crops") == 0
    assert (school.folder / "out" / "crops").is_dir()
    school.put("a.pdf", school.scan(1))
    assert school.read() == 0
    assert len(school.rows("pages.csv")) == 1
    assert not (school.folder / "out" / "crops").exists()


def test_a_folder_of_the_user_s_own_is_left_alone(school: School, capsys: pytest.CaptureFixture[str]) -> None:
    school.put("a.pdf", school.scan(0))
    own = school.folder / "out" / "crops" / "rice.txt"
    own.parent.mkdir(parents=True)
    own.write_text("米", "utf-8")
    assert school.read() == 2
    assert "crops" in capsys.readouterr().err
    assert own.read_text("utf-8") == "米"


def test_every_bad_file_ends_in_a_row_and_the_rest_is_read(school: School) -> None:
    good = school.put("m_good.pdf", school.scan(0), school.scan(1))
    folder = good.parent
    (folder / "a_text.pdf").write_text("これは PDF ではありません", "utf-8")
    (folder / "b_empty.pdf").write_bytes(b"")
    (folder / "c_cut.pdf").write_bytes(good.read_bytes()[:400])
    (folder / "d_cut.jpg").write_bytes(_jpeg(school.scan(2))[:9000])
    Image.new("L", (1, 1)).save(folder / "e_dot.png")
    Image.new("1", (30_000, 30_000)).save(folder / "f_huge.png")
    (folder / "notes.txt").write_text("メモ", "utf-8")
    assert school.read(*_roster(school)) == 0
    pages = school.rows("pages.csv")
    by_source = {row["source"]: row for row in pages}
    assert "notes.txt" not in by_source
    for name in ("a_text.pdf", "b_empty.pdf", "c_cut.pdf", "e_dot.png", "f_huge.png"):
        assert by_source[name]["status"] == "quarantined"
        assert by_source[name]["reason"].endswith("。")
    assert [row["status"] for row in pages if row["source"] == "m_good.pdf"] == ["read", "read"]
    summary = school.summary
    assert (
        summary["pages"]
        == len(pages)
        == sum(int(str(summary[one])) for one in ("read", "blank", "duplicate", "quarantined"))
    )


def test_crops_of_an_earlier_run_are_no_scans(school: School) -> None:
    school.put("a.pdf", school.scan(0))
    assert school.read("--crops", scans=str(school.folder / "scans")) == 0
    assert school.read("--crops", scans=str(school.folder)) == 0
    sources = [row["source"] for row in school.rows("pages.csv")]
    assert sources == ["scans/a.pdf", *["sheets.pdf"] * 4]


def test_pictures_of_other_kinds_in_a_folder_are_not_lost(school: School) -> None:
    good = school.put("a.pdf", school.scan(0))
    good.with_name("b.HEIC").write_bytes(b"\0\0\0\x18ftypheic" + bytes(100))
    assert school.read() == 0
    last = school.rows("pages.csv")[-1]
    assert (last["source"], last["page"], last["status"]) == ("b.HEIC", "0", "quarantined")
    assert "HEIC" in last["reason"]


def test_names_of_any_length_and_code_are_written(tmp_path: Path) -> None:
    (tmp_path / "exam.toml").write_text(EXAM, "utf-8")
    blank, out = tmp_path / "blank.pdf", tmp_path / "out"
    assert run(["print", str(tmp_path / "exam.toml"), "-o", str(blank)]) == 0
    deep = tmp_path / "scans" / ("期末" * 30) / ("三年" * 30)
    deep.mkdir(parents=True)
    (deep / "a.pdf").write_bytes(blank.read_bytes())
    try:
        (tmp_path / "scans" / os.fsdecode("日本.pdf".encode("cp932"))).write_bytes(blank.read_bytes())
    except OSError:
        pytest.skip("this file system takes only names in UTF-8")
    call = ["read", str(tmp_path / "exam.toml"), str(tmp_path / "scans"), "-o", str(out), "--crops"]
    assert run([*call, "--workers", "1"]) == 0
    sheets = [line.split(",")[2] for line in (out / "pages.csv").read_text("utf-8").splitlines()[1:]]
    assert [sheet.rpartition("/")[2] for sheet in sheets] == ["a.pdf#1", "日本.pdf#1"]
    names = sorted(one.name for one in (out / "crops" / "3").iterdir())
    assert len(names) == 2
    assert names[0].endswith("%2Fa.pdf#1.png")
    assert max(len(name.encode()) for name in names) < 256


@pytest.mark.parametrize(("name", "code"), [("answers.csv", 1), ("crops", 2)])
def test_a_place_that_can_not_take_the_results_is_told_in_words(
    school: School, name: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    school.put("a.pdf", school.scan(0))
    (school.folder / "out" / name / "mine").mkdir(parents=True)
    if name == "crops":
        (school.folder / "out" / name).rename(school.folder / "out" / "other")
        (school.folder / "out" / name).write_bytes(b"")
    capsys.readouterr()
    assert school.read("--crops") == code
    assert name in capsys.readouterr().err
    assert not list((school.folder / "out").glob(".*"))


def test_a_page_twice_and_a_copied_sheet_filled_twice(school: School) -> None:
    school.mark(0, "1", "イ")
    twice = (school.scan(0, 1), school.scan(0, 2))
    copied = school.scan(1, 1)
    school.mark(1, "2", "ウ")
    school.put("a.pdf", *twice, copied, school.scan(1, 2))
    assert school.read(*_roster(school)) == 0
    assert [row["status"] for row in school.rows("pages.csv")] == [
        "read",
        "duplicate",
        "quarantined",
        "quarantined",
    ]
    assert {row["student"] for row in school.rows("answers.csv")} == {"s-1"}


def test_the_given_layout_is_the_same_as_the_derived_one(school: School) -> None:
    school.put("a.pdf", school.scan(0))
    assert school.read("--layout", str(school.folder / "layout.json")) == 0
    assert [row["status"] for row in school.rows("pages.csv")] == ["read"]


def test_a_layout_with_a_code_but_no_corner_squares_is_refused(
    school: School, capsys: pytest.CaptureFixture[str]
) -> None:
    school.put("a.pdf", school.scan(0))
    layout = school.folder / "layout.json"
    plain = json.loads(layout.read_text("utf-8"))
    del plain["pages"][0]["fiducials"]
    layout.write_text(json.dumps(plain), "utf-8")
    assert school.read("--layout", str(layout)) == 2
    assert "fiducials" in capsys.readouterr().err
    layout.write_text("[" * 100_000, "utf-8")
    assert school.read("--layout", str(layout)) == 2


def test_changing_the_key_moves_nothing_but_the_points(school: School) -> None:
    school.mark(0, "1", "ウ")
    school.put("a.pdf", school.scan(0))
    changed = (
        EXAM.replace('answer = ["イ"]', 'answer = ["エ"]')
        .replace('accept = ["ウ"]', "")
        .replace("points = 2\n", "points = 3\n")
    )
    (school.folder / "exam.toml").write_text(changed, "utf-8")
    assert school.read() == 0
    assert school.rows("answers.csv")[0]["points"] == "0"
    (school.folder / "exam.toml").write_text(
        EXAM.replace('"ア", "イ", "ウ", "エ"', '"ア", "イ", "ウ"', 1), "utf-8"
    )
    assert school.read() == 0
    (page,) = school.rows("pages.csv")
    assert page["status"] == "quarantined"
    assert "別の版" in page["reason"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["read"], "saiten"),
        (["read", "missing.toml", "x.pdf", "-o", "out"], "missing.toml"),
        (["read", "{exam}", "missing.pdf", "-o", "{out}"], "missing.pdf"),
        (["read", "{exam}", "{exam}", "-o", "{out}", "--roster", "{exam}"], "exam.toml"),
        (["read", "{exam}", "{exam}", "-o", "{out}", "--layout", "{exam}"], "2行目"),
        (["read", "{exam}", "{exam}", "-o", "{exam}"], "exam.toml"),
        (["print", "{exam}", "-o", "no/such/folder/x.pdf"], "フォルダー"),
        (["nonsense"], "nonsense"),
        (["read", "{exam}", "-o", "{out}"], "スキャンの指定がありません"),
        (["read", "{folder}", "{exam}", "-o", "{out}"], "最初に EXAM.toml"),
        (["read", "x.csv", "{exam}", "-o", "{out}"], "最初に EXAM.toml"),
        (["print", "scan.pdf", "-o", "{out}"], "最初に EXAM.toml"),
        (["print", "{exam}", "-o", "{folder}"], "フォルダー"),
        (["print", "{exam}", "-o", "{exam}"], "上書き"),
        (["print", "{exam}", "-o", "{out}", "--layout", "{out}"], "上書き"),
        (["print", "{exam}", "-o", "{exam}", "--roster", "{exam}"], "上書き"),
        (["detect", "{exam}", "-o", "{exam}"], "上書き"),
        (["detect", "{exam}", "-o", "{out}", "--exam", "{exam}"], "上書き"),
    ],
)
def test_wrong_calls_end_in_one_sentence_and_exit_2(
    tmp_path: Path, arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    exam = tmp_path / "exam.toml"
    exam.write_text(EXAM, "utf-8")
    call = [one.format(exam=exam, out=tmp_path / "out", folder=tmp_path) for one in arguments]
    assert run(call) == 2
    assert exam.read_text("utf-8") == EXAM
    error = capsys.readouterr().err
    assert expected in error
    assert "Traceback" not in error
    assert error.count("\n") == 1


def test_a_mistake_in_the_exam_names_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exam = tmp_path / "exam.toml"
    exam.write_text(EXAM.replace("points = 2.5", "points = 2.555"), "utf-8")
    assert run(["print", str(exam), "-o", str(tmp_path / "x.pdf")]) == 2
    line = 1 + EXAM[: EXAM.index("points = 2.5")].count("\n")
    assert f"{line}行目" in capsys.readouterr().err
