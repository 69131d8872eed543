"""PDF pages that are drawn: all ink is seen, and what is lost is told."""

from __future__ import annotations

import io
import re
import zlib
from typing import TYPE_CHECKING

import numpy as np
import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from omr import pdf_render
from omr.decode_limits import DecodeLimits
from omr.errors import Trouble
from omr.scan_file import open_scan
from tests.scan_files import (
    SHEET,
    encode,
    encode_g4,
    flate,
    gray_facts,
    image_pdf,
    read_bytes,
    refuse,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "content",
    [
        b"q 170 0 0 240 0 0 cm /Im0 Do Q 0 g 20 20 40 40 re f",
        b"q 170 0 0 240 0 0 cm /Im0 Do Q q 40 0 0 40 20 20 cm /Im1 Do Q",
        b"q 170 0 0 240 0 0 cm /Im0 Do Q BT /F0 60 Tf 20 20 Td (MM) Tj ET",
        b"q 0.5 0 0 RG 170 0 0 240 0 0 cm /Im0 Do Q 20 w 20 40 m 60 40 l S",
    ],
    ids=["box", "second image", "text", "line"],
)
def test_ink_over_the_image_is_seen(content: bytes, tmp_path: Path) -> None:
    white = np.full_like(SHEET, 255)
    black = np.zeros((40, 40), np.uint8)
    resources_font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
    data = image_pdf(
        flate(white),
        gray_facts(Filter=Name.FlateDecode),
        content,
        extra_images=[(flate(black), gray_facts(40, 40, Filter=Name.FlateDecode))],
    )
    with pikepdf.open(io.BytesIO(data)) as document:
        document.pages[0].obj.Resources[Name.Font] = Dictionary(F0=resources_font)
        file = io.BytesIO()
        document.save(file)
    page = read_bytes(file.getvalue(), tmp_path)
    assert page.dpi is not None
    assert page.dpi[0] >= 200
    scale = page.dpi[0] / 72
    region = page.gray[int((240 - 60) * scale) : int((240 - 20) * scale), int(20 * scale) : int(60 * scale)]
    assert region.mean() < 200
    assert page.gray[: int(60 * scale)].min() > 250


def test_annotations_with_a_look_are_drawn_and_links_are_not(tmp_path: Path) -> None:
    for hidden, expected in ((0, 0), (2, 255)):
        data = image_pdf(flate(np.full_like(SHEET, 255)), gray_facts(Filter=Name.FlateDecode))
        with pikepdf.open(io.BytesIO(data)) as document:
            look = document.make_stream(b"0 g 0 0 40 40 re f")
            look[Name.Type], look[Name.Subtype], look[Name.BBox] = (
                Name.XObject,
                Name.Form,
                Array([0, 0, 40, 40]),
            )
            annotation = Dictionary(
                Type=Name.Annot,
                Subtype=Name.Stamp,
                Rect=Array([20, 20, 60, 60]),
                F=4 | hidden,
                AP=Dictionary(N=look),
            )
            document.pages[0].obj.Annots = Array([document.make_indirect(annotation)])
            file = io.BytesIO()
            document.save(file)
        page = read_bytes(file.getvalue(), tmp_path)
        row, column = round(page.gray.shape[0] * 200 / 240), round(page.gray.shape[1] * 40 / 170)
        assert page.gray[row, column] == expected
        assert (page.gray.shape == SHEET.shape) == bool(hidden)


def test_compact_pdf_shows_the_ink_of_its_masks(tmp_path: Path) -> None:
    """High-compression PDFs: a coarse background, and the ink in stencils of their own colour."""
    background = encode(np.full((120, 85), 245, np.uint8), "JPEG")
    ink = np.full((400, 600), 255, np.uint8)
    ink[100:300, 100:500] = 0
    stencil = {
        "Width": 600,
        "Height": 400,
        "BitsPerComponent": 1,
        "ImageMask": True,
        "Filter": Name.CCITTFaxDecode,
        "DecodeParms": Dictionary(K=-1, Columns=600, Rows=400),
    }
    content = (
        b"q 170 0 0 240 0 0 cm /Im0 Do Q "
        b"q 0.8 0 0 rg 120 0 0 80 10 140 cm /Im1 Do Q q 0 g 120 0 0 80 10 20 cm /Im2 Do Q"
    )
    data = image_pdf(
        background,
        gray_facts(85, 120, Filter=Name.DCTDecode),
        content,
        extra_images=[(encode_g4(ink), stencil), (encode_g4(ink), stencil)],
    )
    page = read_bytes(data, tmp_path)
    assert page.dpi == (300.0, 300.0)
    scale = 300 / 72
    red = page.gray[round((240 - 180) * scale), round(70 * scale)]
    black = page.gray[round((240 - 60) * scale), round(70 * scale)]
    paper = page.gray[round((240 - 145) * scale), round(70 * scale)]
    assert black == 0
    assert 30 < red < 90
    assert paper > 235
    assert "鉛筆" in page.warning


def test_damaged_layer_of_a_drawn_page_is_told(tmp_path: Path) -> None:
    data = flate(SHEET)
    facts = gray_facts(Filter=Name.FlateDecode)
    drawn = b"q 170 0 0 240 0 0 cm /Im0 Do Q q 170 0 0 240 0 0 cm /Im1 Do Q"
    layers = image_pdf(data, facts, drawn, extra_images=[(data[: len(data) // 2], facts)])
    assert "壊れて" in read_bytes(layers, tmp_path).warning
    layers = image_pdf(data, facts, drawn, extra_images=[(b"?", facts)])
    assert refuse(layers, tmp_path).trouble is Trouble.DAMAGED_PAGE
    lost = image_pdf(data, facts, drawn, extra_images=[(b"?", gray_facts(Filter=Name.JBIG2Decode))])
    assert refuse(lost, tmp_path).trouble is Trouble.DAMAGED_PAGE


@pytest.mark.parametrize("lost", [b"/Contents", b"/Im0"])
def test_what_a_damaged_file_lost_never_looks_empty(lost: bytes, tmp_path: Path) -> None:
    data = image_pdf(flate(SHEET), gray_facts(Filter=Name.FlateDecode))
    found = re.search(lost + rb" (\d+) 0 R", data)
    assert found
    data = data.replace(b"\n%s 0 obj" % found[1], b"\n77 0 obj").replace(b"xref", b"lost")
    assert refuse(data, tmp_path).trouble is Trouble.DAMAGED_PAGE


def test_cut_off_drawing_is_told(tmp_path: Path) -> None:
    document = pikepdf.open(io.BytesIO(image_pdf(b"", gray_facts())))
    drawing = zlib.compress(b"0 g " + b"".join(b"%d 9 5 5 re f " % (7 * x) for x in range(20)))
    document.pages[0].obj.Contents = document.make_stream(
        drawing[: len(drawing) // 2], Filter=Name.FlateDecode
    )
    file = io.BytesIO()
    document.save(file, compress_streams=False)
    assert "壊れて" in read_bytes(file.getvalue(), tmp_path).warning


def test_blank_page_without_content(tmp_path: Path) -> None:
    document = pikepdf.new()
    document.add_blank_page(page_size=(72, 144))
    document.save(tmp_path / "blank.pdf")
    with open_scan(tmp_path / "blank.pdf") as scan:
        page = scan.read_page(0)
    assert page.gray.shape == (400, 200)
    assert page.gray.min() == 255


def test_images_of_other_pages_are_left_alone(tmp_path: Path) -> None:
    """Some writers list the images of all pages on each; a broken one there harms no other page."""
    data = image_pdf(
        flate(SHEET),
        gray_facts(Filter=Name.FlateDecode),
        b"q 170 0 0 240 0 0 cm /Im0 Do Q 0 g 0 0 5 5 re f",
        extra_images=[(b"?", gray_facts(30_000, 30_000, Filter=Name.FlateDecode))],
    )
    assert read_bytes(data, tmp_path).warning == ""


def test_strips_are_put_together(tmp_path: Path) -> None:
    halves = [SHEET[:120], SHEET[120:]]
    facts = gray_facts(170, 120, Filter=Name.FlateDecode)
    content = b"q 170 0 0 120 0 120 cm /Im0 Do Q q 170 0 0 120 0 0 cm /Im1 Do Q"
    page = read_bytes(
        image_pdf(flate(halves[0]), facts, content, extra_images=[(flate(halves[1]), facts)]), tmp_path
    )
    assert page.dpi == (200.0, 200.0)
    small = Image.fromarray(page.gray).resize((170, 240), Image.Resampling.BOX)
    assert np.corrcoef(np.asarray(small).ravel(), SHEET.ravel())[0, 1] > 0.97


def test_drawn_pages_come_at_200_dpi(tmp_path: Path) -> None:
    path = tmp_path / "drawn.pdf"
    canvas = Canvas(str(path), pagesize=(144, 288))
    canvas.rect(0, 216, 36, 72, fill=1)  # top left corner
    canvas.showPage()
    canvas.save()
    with open_scan(path) as scan:
        page = scan.read_page(0)
    assert (page.gray.shape, page.dpi, page.bilevel) == ((800, 400), (200.0, 200.0), False)
    assert (page.gray[50, 50], page.gray[50, 300], page.gray[700, 50]) == (0, 255, 255)


@pytest.mark.system
def test_poppler_draws_the_same_page(tmp_path: Path) -> None:
    data = image_pdf(b"", gray_facts(), b"0 g 20 20 40 40 re f")
    page = pdf_render._render_with_poppler(pdf_render.SinglePage(data, 1.0, "", {}), DecodeLimits())  # noqa: SLF001
    pdfium = read_bytes(data, tmp_path)
    assert abs(page.gray.shape[0] - pdfium.gray.shape[0]) <= 1
    assert page.gray[500, 100] == pdfium.gray[500, 100] == 0
