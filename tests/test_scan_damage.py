"""Bad input: each file ends in a page or in a reason that a teacher understands."""

from __future__ import annotations

import io
import os
import struct
import time
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import img2pdf
import numpy as np
import pikepdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pikepdf import Array, Dictionary, Name
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from omr.decode_limits import DecodeLimits
from omr.errors import PageSetAside, Trouble
from omr.scan_file import decode_image, open_scan
from tests.scan_files import (
    BITS,
    GOOD_FILES,
    SHEET,
    draw_sheet,
    encode,
    encode_g4,
    flate,
    gray_facts,
    image_pdf,
    read_all,
    read_bytes,
    refuse,
    repeat_page,
)


def _zip_of_a_pdf() -> bytes:
    """As it comes from a mail, renamed to .pdf; what it holds stands near its start."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("scan.pdf", GOOD_FILES["pdf jpeg"])
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "空"),
        (b"this is a note, not a scan", "文字"),
        (b"<!DOCTYPE html><html></html>", "HTML"),
        (b"PK\x03\x04\x14\x00\x06\x00", "Office"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC"),
        (b"\0\0\0\x18ftyphevc\0\0\0\0", "HEIC"),
        (b"\0\0\0\x18ftypqt  \0\0\0\0", "読めない種類"),
        (_zip_of_a_pdf(), "ZIP"),
        (b"\x60\x0e\x82" + bytes(60), "DocuWorks"),
        (encode(SHEET, "WEBP"), "WebP"),
        (encode(SHEET, "BMP"), "BMP"),
        (encode(SHEET, "GIF"), "GIF"),
        (encode(SHEET, "JPEG2000"), "JPEG 2000"),
        (encode(SHEET, "PNG", save_all=True, append_images=[Image.fromarray(255 - SHEET)]), "動く画像"),
        (bytes(200), "読めない種類"),
        (b"%PDF-1.4\nnothing follows", "PDFが壊れて"),
        (b"%PDF-1.4", "PDFが壊れて"),
        (b"II*\0\x08\0\0\0", "TIFFファイルが壊れて"),
        (b"MM\0*\0\0\0\0", "TIFFファイルが壊れて"),
        (b"\xff\xd8\xff\xe0", "壊れて"),
        (b"\x89PNG\r\n\x1a\n", "壊れて"),
    ],
)
def test_files_that_are_no_scans(data: bytes, word: str, tmp_path: Path) -> None:
    assert word in refuse(data, tmp_path).reason


def test_missing_file_folder_and_forbidden_file(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.pdf", tmp_path):
        with pytest.raises(PageSetAside) as caught:
            open_scan(path)
        assert caught.value.trouble is Trouble.UNREADABLE_FILE
    closed = tmp_path / "closed.pdf"
    closed.write_bytes(b"%PDF-1.4")
    closed.chmod(0)
    if not os.access(closed, os.R_OK):  # an administrator may read everything
        with pytest.raises(PageSetAside, match="許可"):
            open_scan(closed)


@pytest.mark.parametrize(
    "data",
    [
        encode(np.zeros((1, 1), np.uint8), "PNG"),
        encode(np.zeros((1, 1), np.uint8), "JPEG"),
        encode(np.zeros((1, 1), np.uint8), "TIFF"),
        image_pdf(b"\0", gray_facts(1, 1)),
    ],
    ids=["png", "jpeg", "tiff", "pdf"],
)
def test_one_pixel(data: bytes, tmp_path: Path) -> None:
    assert "小さすぎ" in refuse(data, tmp_path).reason


def _huge_png() -> bytes:
    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0)

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    rows = chunk(b"IDAT", zlib.compress(b""))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + rows + chunk(b"IEND", b"")


def _huge_jpeg() -> bytes:
    data = bytearray(encode(SHEET, "JPEG"))
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", 30_000, 30_000)
    return bytes(data)


def _set_short_tag(data: bytes, tag: int, value: int) -> bytes:
    """A little-endian TIFF of one page with a tag's value changed."""
    (position,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, position)
    changed = bytearray(data)
    for entry in range(position + 2, position + 2 + 12 * count, 12):
        if struct.unpack_from("<H", data, entry) == (tag,):
            struct.pack_into("<HIHH", changed, entry + 2, 3, 1, value, 0)
    return bytes(changed)


def _huge_tiff() -> bytes:
    return _set_short_tag(_set_short_tag(encode(SHEET, "TIFF"), 256, 30_000), 257, 30_000)


def _flate_bomb(declared: int) -> bytes:
    packer = zlib.compressobj(9)
    block = bytes(1 << 20)
    data = b"".join(packer.compress(block) for _ in range(300)) + packer.flush()
    return image_pdf(data, gray_facts(declared, declared, Filter=Name.FlateDecode))


@pytest.mark.parametrize(
    "make",
    [
        _huge_png,
        _huge_jpeg,
        _huge_tiff,
        lambda: image_pdf(b"", gray_facts(30_000, 30_000, Filter=Name.FlateDecode)),
        lambda: image_pdf(_huge_jpeg(), gray_facts(Filter=Name.DCTDecode)),
        lambda: image_pdf(b"", gray_facts(30_000, 30_000), b"/Im0 Do 0 0 9 9 re f"),
        lambda: _flate_bomb(200),
        lambda: image_pdf(b"", gray_facts(), b"0 0 9 9 re f", {"MediaBox": Array([0, 0, 14_400, 14_400])}),
        lambda: image_pdf(b"", gray_facts(), b"0 0 9 9 re f", {"UserUnit": 1000}),
    ],
    ids=["png", "jpeg", "tiff", "pdf image", "pdf jpeg", "drawn image", "flate bomb", "media box", "unit"],
)
def test_what_would_eat_the_memory(make: Any, tmp_path: Path) -> None:
    assert refuse(make(), tmp_path).trouble is Trouble.TOO_LARGE


def test_bomb_in_the_drawing(tmp_path: Path) -> None:
    document = pikepdf.open(io.BytesIO(image_pdf(b"", gray_facts())))
    packer = zlib.compressobj(9)
    block = b"0 0 9 9 re f\n" * 80_000
    bomb = b"".join(packer.compress(block) for _ in range(200)) + packer.flush()
    document.pages[0].obj.Contents = document.make_stream(bomb, Filter=Name.FlateDecode)
    path = tmp_path / "bomb.pdf"
    document.save(path, compress_streams=False)
    assert path.stat().st_size < 2_000_000
    with open_scan(path) as scan, pytest.raises(PageSetAside) as caught:
        scan.read_page(0)
    assert caught.value.trouble is Trouble.TOO_LARGE


def test_too_many_pages_and_too_long_files(tmp_path: Path) -> None:
    few = DecodeLimits(max_pages=2)
    images = [Image.fromarray(SHEET)] * 2
    tiff = encode(SHEET, "TIFF", save_all=True, append_images=images)
    assert refuse(tiff, tmp_path, few).trouble is Trouble.TOO_LARGE
    pdf = img2pdf.convert([encode(SHEET, "JPEG")] * 3)
    assert refuse(pdf, tmp_path, few).trouble is Trouble.TOO_LARGE
    assert refuse(pdf, tmp_path, DecodeLimits(max_file_bytes=100)).trouble is Trouble.TOO_LARGE


def test_encrypted_pdf(tmp_path: Path) -> None:
    plain = img2pdf.convert([encode(SHEET, "PNG")])

    def lock(user: str, owner: str) -> bytes:
        file = io.BytesIO()
        with pikepdf.open(io.BytesIO(plain)) as document:
            document.save(file, encryption=pikepdf.Encryption(user=user, owner=owner))
        return file.getvalue()

    locked = lock(user="yotei", owner="shokuin")
    error = refuse(locked, tmp_path)
    assert error.trouble is Trouble.ENCRYPTED
    assert "--password" in error.reason
    with pytest.raises(PageSetAside, match="パスワードが違います") as caught:
        read_bytes(locked, tmp_path, password="no")
    assert caught.value.trouble is Trouble.ENCRYPTED
    for password in ("yotei", "shokuin"):
        assert np.array_equal(read_bytes(locked, tmp_path, password).gray, SHEET)
    assert np.array_equal(read_bytes(lock(user="", owner="shokuin"), tmp_path).gray, SHEET)
    assert np.array_equal(read_bytes(plain, tmp_path, "not needed").gray, SHEET)
    drawn_file = io.BytesIO()
    with pikepdf.open(io.BytesIO(image_pdf(b"", gray_facts(), b"0 g 20 20 40 40 re f"))) as document:
        document.save(drawn_file, encryption=pikepdf.Encryption(user="yotei", owner="x"))
    assert read_bytes(drawn_file.getvalue(), tmp_path, "yotei").gray.min() == 0


def test_the_first_picture_of_a_phone_s_several_is_the_page(tmp_path: Path) -> None:
    """Phones put a preview or a depth map behind the photo, in one JPEG."""
    data = encode(SHEET, "MPO", save_all=True, append_images=[Image.fromarray(SHEET[::-1])], quality=95)
    (page,) = read_all(data, tmp_path)
    assert np.corrcoef(page.gray.ravel(), SHEET.ravel())[0, 1] > 0.99


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_cut_off_image_is_read_with_a_warning(kind: str, tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    noisy = np.clip(SHEET.astype(int) + random.integers(-9, 9, SHEET.shape), 0, 255).astype(np.uint8)
    data = encode(noisy, kind)
    page = read_bytes(data[: len(data) * 2 // 3], tmp_path)
    assert "壊れて" in page.warning
    assert page.gray.shape == SHEET.shape
    assert np.abs(page.gray[:100].astype(int) - noisy[:100]).mean() < 8
    if kind == "JPEG":
        wrapped = image_pdf(data[: len(data) * 2 // 3], gray_facts(Filter=Name.DCTDecode))
        assert np.array_equal(read_bytes(wrapped, tmp_path).gray, page.gray)
        assert "壊れて" in read_bytes(wrapped, tmp_path).warning


def test_cut_off_flate_and_fax_are_read_with_a_warning(tmp_path: Path) -> None:
    data = flate(SHEET)
    page = read_bytes(image_pdf(data[: len(data) * 2 // 3], gray_facts(Filter=Name.FlateDecode)), tmp_path)
    assert "壊れて" in page.warning
    assert np.array_equal(page.gray[:60], SHEET[:60])
    facts = gray_facts(
        BitsPerComponent=1, Filter=Name.CCITTFaxDecode, DecodeParms=Dictionary(K=-1, Columns=170)
    )
    fax = encode_g4(BITS)
    page = read_bytes(image_pdf(fax[: len(fax) * 2 // 3], facts), tmp_path)
    assert "壊れて" in page.warning
    assert np.array_equal(page.gray[:60], BITS[:60])


def test_tiff_cut_off_within_a_page(tmp_path: Path) -> None:
    noise = np.random.default_rng(2).integers(0, 256, (400, 300)).astype(np.uint8)
    parts = encode(noise, "TIFF", save_all=True, append_images=[Image.fromarray(noise)])
    pages = read_all(parts, tmp_path)
    assert len(pages) == 2
    cut = tmp_path / "cut.tif"
    cut.write_bytes(parts[: len(parts) * 3 // 4])
    with open_scan(cut) as scan:
        assert np.array_equal(scan.read_page(0).gray, noise)
        last = scan.page_count - 1
        try:
            warning = scan.read_page(last).warning
        except PageSetAside as error:
            warning = error.reason
    assert warning


@pytest.mark.parametrize("share", [0.35, 0.7, 0.97])
@pytest.mark.parametrize("writer", ["img2pdf", "reportlab", "pikepdf"])
def test_cut_off_pdf_gives_its_first_pages(writer: str, share: float, tmp_path: Path) -> None:
    sheets = [draw_sheet(seed=seed) for seed in range(10)]
    whole = img2pdf.convert([encode(sheet, "PNG") for sheet in sheets])
    if writer == "pikepdf":
        file = io.BytesIO()
        with pikepdf.open(io.BytesIO(whole)) as document:
            document.save(file)
        whole = file.getvalue()
    if writer == "reportlab":
        drawn = io.BytesIO()
        canvas = Canvas(drawn, pagesize=(170, 240), pageCompression=0)
        for sheet in sheets:
            canvas.drawInlineImage(Image.fromarray(sheet), 0, 0, 170, 240)
            canvas.showPage()
        canvas.save()
        whole = drawn.getvalue()
    path = tmp_path / "cut.pdf"
    path.write_bytes(whole[: int(len(whole) * share)])
    read = 0
    with open_scan(path) as scan:
        for index in range(scan.page_count):
            try:
                page = scan.read_page(index)
            except PageSetAside:
                continue
            if page.gray.shape == SHEET.shape and not page.warning:
                assert np.array_equal(page.gray, sheets[index])
            assert page.warning or page.gray.min() < 100, "a lost page must not look like an empty one"
            read += 1
    assert read >= int(10 * share) - 2


def test_one_broken_page_of_many(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    jpeg = encode(SHEET, "JPEG")
    with pikepdf.open(io.BytesIO(img2pdf.convert([jpeg] * 2000))) as document:
        broken = document.pages[1234].obj
        broken.Resources.XObject = Dictionary(
            {next(iter(broken.Resources.XObject)): document.make_stream(b"?")}
        )
        document.save(tmp_path / "many.pdf")
    with open_scan(tmp_path / "many.pdf") as scan:
        assert scan.page_count == 2000
        for index in (0, 1233, 1235, 1999):
            assert scan.read_page(index).gray.shape == SHEET.shape
        with pytest.raises(PageSetAside) as caught:
            scan.read_page(1234)
    assert caught.value.trouble is Trouble.DAMAGED_PAGE
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("kind", GOOD_FILES)
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(draw=st.data())
def test_damage_ends_in_a_page_or_a_reason(kind: str, draw: st.DataObject, tmp_path: Path) -> None:
    data = bytearray(GOOD_FILES[kind])
    for _ in range(draw.draw(st.integers(0, 6))):
        data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    data = data[: draw.draw(st.integers(0, len(data)))] if draw.draw(st.booleans()) else data
    path = tmp_path / "damaged"
    path.write_bytes(bytes(data))
    with suppress(PageSetAside), open_scan(path, DecodeLimits(max_pixels=4_000_000)) as scan:
        page = scan.read_page(0)
        assert page.gray.dtype == np.uint8
        assert page.gray.ndim == 2


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    start=st.sampled_from([b"", b"%PDF-1.7\n", b"II*\0", b"MM\0*", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"]),
    rest=st.binary(max_size=400),
)
def test_noise_in_memory_ends_in_a_page_or_a_reason(start: bytes, rest: bytes) -> None:
    with suppress(PageSetAside):
        assert decode_image(start + rest).gray.ndim == 2


@pytest.mark.long
@pytest.mark.parametrize("kind", ["pdf jpeg", "pdf drawn", "pdf jbig2", "tiff g4", "tiff lzw"])
def test_memory_stays_flat_over_2000_pages(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "many"
    noisy = np.random.default_rng(3).integers(150, 250, (700, 500)).astype(np.uint8)
    if kind.startswith("tiff"):
        image = Image.fromarray(noisy) if kind == "tiff lzw" else Image.fromarray(noisy > 240)
        compression = "tiff_lzw" if kind == "tiff lzw" else "group4"
        path.write_bytes(repeat_page(encode(image, "TIFF", compression=compression), 2000))
    elif kind == "pdf jpeg":
        path.write_bytes(img2pdf.convert([encode(noisy, "JPEG")] * 2000))
    else:
        with pikepdf.open(io.BytesIO(GOOD_FILES[kind])) as one, pikepdf.new() as many:
            for _ in range(2000):
                many.pages.append(one.pages[0])
            many.save(path)
    start = time.perf_counter()
    with open_scan(path) as scan:
        assert scan.page_count == 2000
        scan.read_page(1999)
        assert time.perf_counter() - start < 1.0
        used = []
        for index in range(2000):
            scan.read_page(index)
            if index % 200 == 199:
                used.append(_resident_bytes())
    assert used[-1] - used[1] < 20e6, used


def _resident_bytes() -> int:
    statm = Path("/proc/self/statm")
    if not statm.exists():
        pytest.skip("the memory in use is read from /proc")
    return int(statm.read_text().split()[1]) * 4096
