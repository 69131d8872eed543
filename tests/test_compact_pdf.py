"""Filled sheets in high-compression PDFs (高圧縮PDF): drawn with all layers, told, and no answer wrong."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name

from omr.layout import QuestionKind
from omr.read_page import ReadingPlan, read_page
from omr.reading import PageStatus, ReadingStatus
from sample_scans.scanner import ScannerModel, scan
from tests.printed_sheets import DPI, PrintedSheet, design_sheet, mark, print_sheet
from tests.scan_files import SHEET, encode, encode_g4, flate, gray_facts, image_pdf, jbig2_of, read_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from omr.pixels import Gray

A4 = (595.276, 841.89)
WHOLE = b"q %.3f 0 0 %.3f 0 0 cm /Im%d Do Q "
Images = list[tuple[bytes, dict[str, Any]]]


def _filled_sheet() -> tuple[PrintedSheet, Gray, dict[str, str]]:
    """A sheet scanned at 300 dpi, and what is marked in its choice questions."""
    sheet = print_sheet(design_sheet())
    page, meant = sheet.copy(), {}
    questions = [one for one in sheet.layout.pages[0].questions if one.kind is QuestionKind.CHOICE]
    for number, question in enumerate(questions):
        bubble = question.bubbles[number % len(question.bubbles)]
        mark(page, bubble, seed=number)
        meant[question.id] = bubble.label
    return sheet, scan(page, DPI, ScannerModel(dpi=300), np.random.default_rng(3)), meant


def _background(image: Gray) -> Gray:
    """What such encoders keep of the page below the ink: paper, at a quarter of the resolution."""
    paper = cv2.morphologyEx(image, cv2.MORPH_CLOSE, np.ones((25, 25), np.uint8))
    return np.asarray(cv2.resize(paper, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA), np.uint8)


def _stencil(bits: Gray, **facts: Any) -> dict[str, Any]:
    return {
        "Width": bits.shape[1],
        "Height": bits.shape[0],
        "ImageMask": True,
        "BitsPerComponent": 1,
        **facts,
    }


def _g4(bits: Gray) -> dict[str, Any]:
    high, wide = bits.shape
    return {"Filter": Name.CCITTFaxDecode, "DecodeParms": Dictionary(K=-1, Columns=wide, Rows=high)}


def _jpx(image: Gray) -> tuple[bytes, dict[str, Any]]:
    data = encode(image, "JPEG2000", quality_mode="rates", quality_layers=[20])
    return data, gray_facts(image.shape[1], image.shape[0], Filter=Name.JPXDecode)


def _jpeg_2000_below_jbig2(image: Gray, bits: Gray) -> tuple[Images, bytes]:
    ink = jbig2_of(bits), _stencil(bits, Filter=Name.JBIG2Decode)
    return [_jpx(_background(image)), ink], WHOLE % (*A4, 0) + b"0.1 g " + WHOLE % (*A4, 1)


def _jpeg_below_fax_strips(image: Gray, bits: Gray) -> tuple[Images, bytes]:
    below = _background(image)
    images: Images = [(encode(below, "JPEG"), gray_facts(*below.shape[::-1], Filter=Name.DCTDecode))]
    content = WHOLE % (*A4, 0)
    for number, rows in enumerate(np.array_split(np.arange(bits.shape[0]), 4), 1):
        strip = np.ascontiguousarray(bits[rows])
        images.append((encode_g4(strip), _stencil(strip, **_g4(strip))))
        high = A4[1] * len(rows) / bits.shape[0]
        bottom = A4[1] * (1 - (rows[-1] + 1) / bits.shape[0])
        content += b"q 0 0 0.3 rg %.3f 0 0 %.3f 0 %.3f cm /Im%d Do Q " % (A4[0], high, bottom, number)
    return images, content


def _colours_through_a_mask(image: Gray, _bits: Gray) -> tuple[Images, bytes]:
    ink = np.full((100, 70), 30, np.uint8)
    return [_jpx(_background(image)), _jpx(ink)], WHOLE % (*A4, 0) + WHOLE % (*A4, 1)


def _put_mask(data: bytes, key: Name, mask: bytes, facts: dict[str, Any], image: str = "/Im1") -> bytes:
    with pikepdf.open(io.BytesIO(data)) as document:
        stream = document.make_stream(mask)
        stream[Name.Type], stream[Name.Subtype] = Name.XObject, Name.Image
        for name, value in facts.items():
            stream[f"/{name}"] = value
        document.pages[0].obj.Resources.XObject[image][key] = stream
        file = io.BytesIO()
        document.save(file)
        return file.getvalue()


def _compact(image: Gray, kind: str) -> bytes:
    bits = np.where(image < 150, 0, 255).astype(np.uint8)
    build = {"jbig2": _jpeg_2000_below_jbig2, "strips": _jpeg_below_fax_strips}.get(
        kind, _colours_through_a_mask
    )
    (first, *others), content = build(image, bits)
    data = image_pdf(*first, content, {"MediaBox": Array([0, 0, *A4])}, others)
    if kind == "stencil mask":
        return _put_mask(data, Name.Mask, encode_g4(bits), _stencil(bits, **_g4(bits)))
    if kind == "soft mask":
        facts = gray_facts(*bits.shape[::-1], Filter=Name.FlateDecode)
        return _put_mask(data, Name.SMask, flate(255 - bits), facts)
    return data


@pytest.mark.parametrize("kind", ["jbig2", "strips", "stencil mask", "soft mask"])
def test_a_compact_pdf_is_drawn_told_and_never_wrong(kind: str, tmp_path: Path) -> None:
    sheet, image, meant = _filled_sheet()
    page = read_bytes(_compact(image, kind), tmp_path)
    assert page.dpi == pytest.approx((300, 300), abs=1)
    assert "鉛筆" in page.warning
    reading = read_page(page, ReadingPlan(sheet.layout, sheet.design.exam_id))
    assert reading.status is PageStatus.READ, reading.reason
    assert "鉛筆" in reading.reason
    answers = {answer.question: answer for answer in reading.answers}
    assert len(meant) >= 8
    for question, label in meant.items():
        assert answers[question].reading == label
        assert answers[question].status is ReadingStatus.DOUBTFUL


@pytest.mark.parametrize("alpha", [0, 128, 255])
def test_an_image_that_shows_through_is_drawn_over_white(alpha: int, tmp_path: Path) -> None:
    data = image_pdf(flate(np.zeros_like(SHEET)), gray_facts(Filter=Name.FlateDecode))
    mask = flate(np.full_like(SHEET, alpha))
    page = read_bytes(
        _put_mask(data, Name.SMask, mask, gray_facts(Filter=Name.FlateDecode), "/Im0"), tmp_path
    )
    assert np.abs(page.gray.astype(int) - (255 - alpha)).max() <= 2


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize("way", ["image", "drawing"])
def test_layers_that_a_viewer_hides_are_hidden(way: str, hidden: bool, tmp_path: Path) -> None:  # noqa: FBT001
    layer = {
        "image": b"q 100 0 0 100 30 60 cm /Im1 Do Q",
        "drawing": b"/OC /L BDC 0 g 30 60 100 100 re f EMC",
    }
    data = image_pdf(
        flate(np.full_like(SHEET, 255)),
        gray_facts(Filter=Name.FlateDecode),
        b"q 170 0 0 240 0 0 cm /Im0 Do Q " + layer[way],
        extra_images=[(flate(np.zeros((40, 40), np.uint8)), gray_facts(40, 40, Filter=Name.FlateDecode))],
    )
    with pikepdf.open(io.BytesIO(data)) as document:
        group = document.make_indirect(Dictionary(Type=Name.OCG, Name=pikepdf.String("notes")))
        off = Array([group]) if hidden else Array([])
        document.Root.OCProperties = Dictionary(OCGs=Array([group]), D=Dictionary(OFF=off))
        document.pages[0].obj.Resources.XObject.Im1.OC = group
        document.pages[0].obj.Resources.Properties = Dictionary(L=group)
        file = io.BytesIO()
        document.save(file)
    page = read_bytes(file.getvalue(), tmp_path)
    assert page.gray[round(page.gray.shape[0] * 0.6), round(page.gray.shape[1] * 0.4)] == (
        255 if hidden else 0
    )


def test_inline_images_are_seen(tmp_path: Path) -> None:
    inline = b" q 100 0 0 100 30 60 cm BI /W 1 /H 1 /CS /G /BPC 8 ID \x00 EI Q"
    white = flate(np.full_like(SHEET, 255)), gray_facts(Filter=Name.FlateDecode)
    for content in (b"q 170 0 0 240 0 0 cm /Im0 Do Q" + inline, inline):
        page = read_bytes(image_pdf(*white, content), tmp_path)
        assert page.gray[round(page.gray.shape[0] * 0.6), round(page.gray.shape[1] * 0.4)] == 0


@pytest.mark.parametrize("rotate", [0, 90])
def test_a_drawn_page_keeps_to_its_crop_box_and_unit(rotate: int, tmp_path: Path) -> None:
    facts = {"CropBox": Array([50, 80, 110, 200]), "Rotate": rotate, "UserUnit": 2}
    content = b"q 170 0 0 240 0 0 cm /Im0 Do Q 0 g 60 90 20 20 re f"
    white = np.full_like(SHEET, 255)
    page = read_bytes(image_pdf(flate(white), gray_facts(Filter=Name.FlateDecode), content, facts), tmp_path)
    upright = np.rot90(page.gray, rotate // 90)
    scale = 2 * 200 / 72
    assert upright.shape == pytest.approx((120 * scale, 60 * scale), abs=1)
    rows, columns = np.nonzero(upright < 128)
    assert rows.min() == pytest.approx(90 * scale, abs=2)
    assert columns.min() == pytest.approx(10 * scale, abs=2)
    assert columns.max() == pytest.approx(30 * scale, abs=2)
    assert page.dpi == (200.0, 200.0)


@pytest.mark.parametrize("space", ["lab", "spot", "calibrated"])
def test_rare_colour_spaces_are_read(space: str, tmp_path: Path) -> None:
    neutral = np.full_like(SHEET, 128)
    white = Dictionary(WhitePoint=Array([0.9505, 1, 1.089]), Range=Array([-128, 127, -128, 127]))
    tint = Dictionary(FunctionType=2, Domain=Array([0, 1]), C0=Array([1]), C1=Array([0]), N=1)
    spaces: dict[str, tuple[Any, Array]] = {
        "lab": (np.dstack([SHEET, neutral, neutral]), Array([Name.Lab, white])),
        "spot": (255 - SHEET, Array([Name.Separation, Name.Black, Name.DeviceGray, tint])),
        "calibrated": (SHEET, Array([Name.CalGray, Dictionary(WhitePoint=Array([0.9505, 1, 1.089]))])),
    }
    samples, colours = spaces[space]
    page = read_bytes(
        image_pdf(flate(samples), gray_facts(ColorSpace=colours, Filter=Name.FlateDecode)), tmp_path
    )
    assert page.gray.shape == SHEET.shape
    assert np.corrcoef(page.gray.ravel(), SHEET.ravel())[0, 1] > 0.995
