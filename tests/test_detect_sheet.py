"""From a teacher's own sheet to the files that `saiten detect` writes."""

from __future__ import annotations

import os
import tomllib
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pikepdf
import pytest
from PIL import Image

from omr.detect import detect_boxes, detect_layout
from omr.errors import InputError
from omr.layout import Layout, QuestionKind, read_layout
from omr.page import Page
from omr.page_size import nearest_paper, page_size_mm
from omr.printed_text import read_printed_text
from omr.sheet_page import SheetPage
from scoring.detection import detect_sheet
from scoring.exam_draft import draft_exam
from scoring.exam_file import read_exam
from tests.printed_sheets import DPI, design_sheet, print_sheet
from tests.ruled_sheets import RuledSheet, turned

if TYPE_CHECKING:
    from numpy.typing import NDArray


def draw(path: Path, password: str | None = None) -> RuledSheet:
    """A sheet with every kind that can be told from its shape."""
    sheet = RuledSheet(path, password=password)
    sheet.label(15, 20, 10, 46, "1", 14)
    sheet.label(25, 20, 15, 12, "(1)")
    sheet.answer(40, 20, 12, 12)
    sheet.label(25, 32, 15, 12, "(2)")
    sheet.answer(40, 32, 80, 12)
    sheet.label(25, 44, 15, 22, "(3)")
    sheet.answer(40, 44, 120, 22)
    sheet.text(17, 82, "問4", 10)
    for column in range(4):
        sheet.oval(30 + column * 12, 77, 4.2, 6, "アイウエ"[column])
    sheet.save()
    return sheet


def boxes(layout: Layout) -> NDArray[np.float64]:
    return np.array([(q.box.x, q.box.y, q.box.w, q.box.h) for _, q in layout.questions() if q.box])


def test_a_pdf_becomes_a_layout_and_an_exam_of_the_same_questions(tmp_path: Path) -> None:
    sheet = draw(tmp_path / "数学 解答用紙.pdf")
    folder = tmp_path / "layouts"
    folder.mkdir()
    report = detect_sheet(sheet.path, folder / "layout.json", tmp_path / "exam.toml")
    layout = read_layout(folder / "layout.json")
    assert layout == report.layout
    assert layout.reference == "../数学 解答用紙.pdf"
    assert (folder / layout.reference).exists()
    assert (layout.pages[0].width, layout.pages[0].height) == (210, 297)
    truth = np.array([(b.x, b.y, b.w, b.h) for b in sheet.truth])
    assert np.abs(boxes(layout) - truth).max() <= 0.5
    exam = read_exam(tmp_path / "exam.toml")
    assert (exam.title, exam.paper, exam.orientation) == ("数学 解答用紙", "A4", "portrait")
    assert [(one.id, one.kind) for one in exam.questions] == [
        ("1-1", "symbol"), ("1-2", "text"), ("1-3", "essay"), ("1-4", "choice"),
    ]  # fmt: skip
    assert exam.questions[-1].choices == tuple("アイウエ")


def test_a_skewed_scan_is_turned_and_written_beside_the_layout(tmp_path: Path) -> None:
    sheet = draw(tmp_path / "sheet.pdf")
    Image.fromarray(turned(sheet.picture(200), 1.5)).save(tmp_path / "scan.png", dpi=(200, 200))
    layout = detect_sheet(tmp_path / "scan.png", tmp_path / "layout.json").layout
    truth = np.array([(b.x, b.y, b.w, b.h) for b in sheet.truth])
    assert np.abs(boxes(layout) - truth).max() <= 0.5
    assert layout.reference == "layout.upright.png"
    again = detect_sheet(tmp_path / layout.reference, tmp_path / "again.json").layout
    assert again.reference == "layout.upright.png"
    assert np.abs(boxes(again) - boxes(layout)).max() <= 0.2


def test_a_skewed_scan_of_two_pages_keeps_both(tmp_path: Path) -> None:
    sheet = draw(tmp_path / "sheet.pdf")
    pages = [Image.fromarray(turned(sheet.picture(200), skew)) for skew in (-0.8, 0.6)]
    pages[0].save(
        tmp_path / "scan.tif", save_all=True, append_images=pages[1:], dpi=(200, 200), compression="tiff_lzw"
    )
    layout = detect_sheet(tmp_path / "scan.tif", tmp_path / "layout.json").layout
    assert [len(page.questions) for page in layout.pages] == [4, 4]
    assert layout.reference is not None
    again = detect_sheet(tmp_path / layout.reference, tmp_path / "again.json").layout
    assert np.abs(boxes(again) - boxes(layout)).max() <= 0.2


def test_an_encrypted_pdf_needs_its_password(tmp_path: Path) -> None:
    sheet = draw(tmp_path / "sheet.pdf", password="ひみつ1")
    with pytest.raises(InputError, match=r"パスワード"):
        detect_sheet(sheet.path, tmp_path / "layout.json")
    assert not (tmp_path / "layout.json").exists()


def test_a_sheet_that_saiten_printed_needs_no_detection(tmp_path: Path) -> None:
    Image.fromarray(print_sheet(design_sheet()).copy()).save(tmp_path / "sheet.png", dpi=(DPI, DPI))
    with pytest.raises(InputError, match=r"--layout .*。$"):
        detect_sheet(tmp_path / "sheet.png", tmp_path / "layout.json")


def test_wrong_inputs_are_one_sentence(tmp_path: Path) -> None:
    Image.new("L", (1654, 2339), 255).save(tmp_path / "blank.png", dpi=(200, 200))
    Image.new("L", (1, 1), 255).save(tmp_path / "dot.png")
    (tmp_path / "empty.pdf").write_bytes(b"")
    (tmp_path / "not.pdf").write_bytes(b"%PDF-1.7 and nothing else")
    for name in ("blank.png", "dot.png", "empty.pdf", "not.pdf", "missing.pdf"):
        with pytest.raises(InputError) as raised:
            detect_sheet(tmp_path / name, tmp_path / "layout.json", tmp_path / "exam.toml")
        assert str(raised.value).endswith("。")
        assert "\n" not in str(raised.value)
    sheet = draw(tmp_path / "sheet.pdf")
    with pytest.raises(InputError, match="先に作ってください"):
        detect_sheet(sheet.path, tmp_path / "nowhere" / "layout.json")


@pytest.mark.parametrize("quarter", [0, 90, 180, 270])
def test_the_text_layer_lies_on_the_print_of_cropped_and_turned_pages(tmp_path: Path, quarter: int) -> None:
    sheet = RuledSheet(tmp_path / "sheet.pdf")
    sheet.text(60, 100, "国", 24)
    sheet.save()
    with pikepdf.open(sheet.path, allow_overwriting_input=True) as pdf:
        pdf.pages[0].CropBox = pikepdf.Array([100, 300, 400, 700])
        pdf.pages[0].Rotate = quarter
        pdf.save(sheet.path)
    [[character]] = read_printed_text(sheet.path)
    gray = sheet.picture(200)
    rows, columns = np.nonzero(gray < 128)
    middle = np.array([columns.min() + columns.max(), rows.min() + rows.max()]) / 2 / 200 * 25.4
    assert np.abs(middle - character.rectangle.centre).max() <= 0.5


@pytest.mark.parametrize(
    ("pixels", "dpi", "expected"),
    [
        ((1654, 2339), (200, 200), (210, 297)),
        ((1654, 2339), None, (210, 297)),
        ((2339, 1654), None, (297, 210)),
        ((3307, 2339), None, (420, 297)),
        ((2024, 2866), None, (257, 364)),
        ((1433, 2024), None, (182, 257)),
        ((1654, 2339), (72, 72), (210, 297)),
        ((1700, 2200), (200, 200), (215.9, 279.4)),
    ],
)
def test_the_size_of_a_page(
    pixels: tuple[int, int], dpi: tuple[float, float] | None, expected: tuple[float, float]
) -> None:
    wide, high = pixels
    assert page_size_mm(Page(np.zeros((high, wide), np.uint8), dpi)) == pytest.approx(expected)


def test_a_draft_exam_holds_any_title_and_label() -> None:
    layout = detect_layout([_page_with_one_box()])
    title = '"引用" \\ と\t改行\n' + "長" * 300
    exam = tomllib.loads(draft_exam(layout, title, date(2026, 11, 27)))
    assert exam["exam"]["title"].startswith('"引用" \\ と 改行')
    assert exam["exam"]["date"] == date(2026, 11, 27)
    [question] = exam["question"]
    assert question["id"] == "1"
    assert question["kind"] == QuestionKind.TEXT
    assert nearest_paper((257, 182)) == "B5"


def _page_with_one_box() -> SheetPage:
    gray = np.full((1456, 2056), 255, np.uint8)
    gray[200:204, 200:800] = gray[300:304, 200:800] = 0
    gray[200:304, 200:204] = gray[200:304, 796:800] = 0
    return SheetPage(gray, (257, 182))


@pytest.mark.real_scans
def test_foreign_sheets_and_photographs_end_in_a_proposal_or_a_sentence() -> None:
    scans = Path(os.environ["SAITEN_SHARED"]) / "scans"
    files = [file for file in sorted(scans.rglob("*")) if file.suffix in {".jpg", ".png", ".tif"}]
    assert files
    for file in files:
        with Image.open(file) as image:
            page = Page(np.asarray(image.convert("L")), image.info.get("dpi"))
        try:
            size = page_size_mm(page)
        except InputError as error:
            assert str(error).endswith("。")  # noqa: PT017
            continue
        for box in detect_boxes(page.gray, size):
            assert 0 <= box.rectangle.x < box.rectangle.right <= size[0]
            assert 0 <= box.rectangle.y < box.rectangle.bottom <= size[1]
