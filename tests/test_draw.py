"""The printed PDF: whose sheets, which pages, codes that decode, fonts that are inside."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pikepdf
import pypdfium2
import pytest
import zxingcpp

from omr.compose import compose_layout
from omr.design import Orientation, Paper, QuestionDesign, SheetOwner, Writing
from omr.draw import PrintReport, Sides, draw_sheets
from omr.errors import InputError
from omr.fonts import covers, fit_text, text_width
from omr.geometry import MM_PER_INCH, Rectangle
from omr.layout import QuestionKind
from omr.sheet_code import exam_digest, layout_digest, parse_code, student_digest
from tests.sheet_designs import KANA, make_design, mixed_questions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from omr.design import SheetDesign
    from omr.sheet_code import SheetCode

DPI = 200
DESIGN = make_design(*mixed_questions())


def owner(student_id: str, name: str = "試験 太郎", kana: str = "しけん たろう") -> SheetOwner:
    return SheetOwner(student_id, "2", "3", "15", name, kana)


def print_pdf(
    design: SheetDesign, owners: Sequence[SheetOwner] | None, sides: Sides = Sides.ONE
) -> tuple[PrintReport, bytes]:
    stream = io.BytesIO()
    report = draw_sheets(design, compose_layout(design), owners, stream, sides)
    return report, stream.getvalue()


def render(pdf: bytes, page: int) -> NDArray[np.uint8]:
    with pypdfium2.PdfDocument(pdf) as document:
        return np.array(document[page].render(scale=DPI / 72, grayscale=True).to_numpy(), np.uint8).squeeze()


def page_texts(pdf: bytes) -> list[str]:
    with pypdfium2.PdfDocument(pdf) as document:
        return [page.get_textpage().get_text_range() for page in document]


def crop(image: NDArray[np.uint8], area: Rectangle) -> NDArray[np.uint8]:
    scale = DPI / MM_PER_INCH
    left, top, right, bottom = (round(one * scale) for one in (area.x, area.y, area.right, area.bottom))
    return np.ascontiguousarray(image[top:bottom, left:right])


def code_in(image: NDArray[np.uint8], area: Rectangle) -> SheetCode | None:
    (found,) = zxingcpp.read_barcodes(crop(image, area))
    return parse_code(found.text)


@pytest.mark.parametrize("paper", Paper)
@pytest.mark.parametrize("orientation", Orientation)
@pytest.mark.parametrize("writing", Writing)
def test_both_codes_decode_on_every_page(paper: Paper, orientation: Orientation, writing: Writing) -> None:
    design = make_design(*mixed_questions(), paper=paper, orientation=orientation, writing=writing)
    layout = compose_layout(design)
    _, pdf = print_pdf(design, [owner("s1")])
    for page in layout.pages:
        image = render(pdf, page.number - 1)
        assert page.qr is not None
        assert page.second_qr is not None
        code = code_in(image, page.qr)
        assert code is not None
        assert code == code_in(image, page.second_qr)
        assert code.exam == exam_digest(design.exam_id)
        assert code.layout == layout_digest(layout.digest)
        assert code.student == student_digest("s1")
        assert code.page == page.number


@pytest.mark.parametrize("paper", Paper)
def test_ink_stands_where_the_layout_says(paper: Paper) -> None:
    design = make_design(*mixed_questions(), paper=paper)
    layout = compose_layout(design)
    _, pdf = print_pdf(design, None)
    for page in layout.pages:
        image = render(pdf, page.number - 1)
        assert abs(image.shape[1] - page.width * DPI / MM_PER_INCH) <= 1
        for square in page.fiducials:
            assert crop(image, square.expanded(-0.3)).max() < 20
            around = crop(image, square.expanded(2.0)).astype(int)
            assert (around < 128).mean() < 1.1 * square.w**2 / (square.w + 4) ** 2
        for question in page.questions:
            for bubble in question.bubbles:
                assert crop(image, bubble).min() < 128
                ring = crop(image, bubble.expanded(1.0)).copy()
                ring[6:-6, 6:-6] = 255  # the bubble itself, with blurred edges
                assert ring.min() > 200, "something stands in the white around a bubble"
            if question.box is not None:
                inside = crop(image, question.box.expanded(-0.5))
                assert inside.min() > 120
                assert question.lines or inside.min() > 250
                assert crop(image, question.box.expanded(0.3)).min() < 60


@pytest.mark.parametrize("paper", Paper)
@pytest.mark.parametrize("owners", [None, [owner("s1")]], ids=["blank", "named"])
def test_only_the_fiducials_look_like_fiducials(paper: Paper, owners: list[SheetOwner] | None) -> None:
    design = make_design(*mixed_questions(), paper=paper, orientation=Orientation.LANDSCAPE)
    _, pdf = print_pdf(design, owners)
    for page in compose_layout(design).pages:
        ink = (render(pdf, page.number - 1) < 128).astype(np.uint8)
        stats = cv2.connectedComponentsWithStats(ink)[2][1:] * (MM_PER_INCH / DPI)
        width, height = stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]
        solid = stats[:, cv2.CC_STAT_AREA] * (MM_PER_INCH / DPI) > 0.7 * width * height
        sized = (np.minimum(width, height) >= 3.2) & (np.maximum(width, height) <= 8.0)
        assert (solid & sized).sum() == len(page.fiducials)


def test_blank_sets_carry_digit_rows_and_named_ones_the_name() -> None:
    page = compose_layout(DESIGN).pages[0]
    first = page.identity[0].bubbles[0]
    report, blank = print_pdf(DESIGN, None)
    assert report == PrintReport(2, 1, ())
    assert crop(render(blank, 0), first).min() < 128
    assert page.qr is not None
    code = code_in(render(blank, 1), page.qr)
    assert code is not None
    assert code.is_blank_set
    report, named = print_pdf(DESIGN, [owner("s1")])
    assert page.name_box is not None
    assert crop(render(named, 0), page.name_box.expanded(-5)).min() < 128
    assert crop(render(blank, 0), page.name_box.expanded(-5)).min() == 255
    assert all("試験 太郎" in text and "15番" in text for text in page_texts(named))


def test_students_come_in_order_with_their_pages_together() -> None:
    report, pdf = print_pdf(DESIGN, [owner("b", "青木 一"), owner("a", "井上 二")])
    assert (report.pages, report.sets) == (4, 2)
    texts = page_texts(pdf)
    assert ["青木 一" in text for text in texts] == [True, True, False, False]
    assert ["1 / 2" in text for text in texts] == [True, False, True, False]


@pytest.mark.parametrize(("count", "pages_per_set"), [(1, 2), (10, 4)])
def test_duplex_starts_every_student_on_a_new_paper(count: int, pages_per_set: int) -> None:
    design = make_design(*(QuestionDesign(str(n), QuestionKind.DRAWING) for n in range(count)))
    report, pdf = print_pdf(design, [owner("s1"), owner("s2")], Sides.TWO)
    assert report.pages == 2 * pages_per_set
    with pikepdf.open(io.BytesIO(pdf)) as document:
        assert len(document.pages) == report.pages
        assert document.Root.ViewerPreferences.Duplex == "/DuplexFlipLongEdge"
        assert document.Root.ViewerPreferences.PrintScaling == "/None"
    texts = page_texts(pdf)
    assert "1 /" in texts[0]
    assert "1 /" in texts[pages_per_set]
    if count == 1:
        assert texts[1] == ""
        assert render(pdf, 1).min() == 255


def test_fonts_are_embedded_truetype_and_text_can_be_searched() -> None:
    _, pdf = print_pdf(DESIGN, [owner("s1")])
    with pikepdf.open(io.BytesIO(pdf)) as document:
        fonts = [
            one
            for one in document.objects
            if isinstance(one, pikepdf.Dictionary) and one.get("/Type") == "/Font"
        ]
        assert fonts
        for font in fonts:
            assert font.Subtype == "/TrueType"
            assert "/FontFile2" in font.FontDescriptor
            assert "/ToUnicode" in font
        assert str(document.docinfo["/Title"]) == "2学期期末考査 解答用紙"
    text = page_texts(pdf)[0]
    for expected in ("2学期期末考査", "数学", "2026年11月27日", "2-5", "cm"):
        assert expected in text


def test_names_outside_the_font_are_printed_in_kana_and_listed() -> None:
    owners = [
        owner("s1", "𠮷田 花子", "よしだ はなこ"),
        owner("s2", "葛\U000e0100西 次郎", "かさい じろう"),
        owner("s3", "𠮷野 三郎", ""),
        owner("s4", "髙﨑 四郎", "たかさき しろう"),
        owner("s5", "か\u3099く 五郎", ""),
        owner("s6", "\ufa19 六郎", ""),  # 神 in the form of some rosters
    ]
    report, pdf = print_pdf(DESIGN, owners)
    assert [one[0] for one in report.printed_in_kana] == ["s1", "s2", "s3"]
    assert report.printed_in_kana[0] == ("s1", "𠮷田 花子", "よしだ はなこ")
    texts = page_texts(pdf)[::2]
    for text, expected in zip(
        texts,
        ("よしだ はなこ", "かさい じろう", "〓野 三郎", "髙﨑 四郎", "がく 五郎", "\ufa19 六郎"),
        strict=True,
    ):
        assert expected in text


def test_many_different_kanji_survive_subsetting() -> None:
    kanji = [chr(code) for code in range(0x4E00, 0x9FA0, 40) if not covers(chr(code))]
    owners = [owner(str(n), "".join(kanji[n : n + 4])) for n in range(0, len(kanji) - 4, 4)]
    design = make_design(QuestionDesign("1", QuestionKind.TEXT))
    _, pdf = print_pdf(design, owners)
    for text, one in zip(page_texts(pdf), owners, strict=True):
        assert one.name in text


def test_a_year_stays_small() -> None:
    owners = [owner(str(n)) for n in range(60)]
    _, pdf = print_pdf(DESIGN, owners)
    assert len(pdf) < 60 * 2 * 6_000


def test_a_student_twice_is_refused() -> None:
    with pytest.raises(InputError, match="生徒「s1」が名簿に2回"):
        print_pdf(DESIGN, [owner("s1"), owner("s2"), owner("s1")])


def test_an_empty_roster_and_a_missing_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="名簿に生徒がいません"):
        print_pdf(DESIGN, [])
    with pytest.raises(InputError, match="書き込めません"):
        draw_sheets(DESIGN, compose_layout(DESIGN), None, tmp_path / "ない" / "用紙.pdf")


def test_two_students_with_the_same_code_are_refused() -> None:
    assert student_digest("3340947") == student_digest("13116042")  # found by search
    with pytest.raises(InputError, match="「3340947」と「13116042」の用紙番号が重なります"):
        print_pdf(DESIGN, [owner("3340947"), owner("13116042")])


def test_a_layout_of_another_design_is_refused() -> None:
    other = compose_layout(make_design(QuestionDesign("1", QuestionKind.CHOICE, choices=KANA[:3])))
    with pytest.raises(InputError, match="レイアウトが試験の内容と合いません"):
        draw_sheets(DESIGN, other, None, io.BytesIO())


def test_a_path_is_written(tmp_path: Path) -> None:
    path = tmp_path / "用紙.pdf"
    draw_sheets(DESIGN, compose_layout(DESIGN), None, path)
    assert path.read_bytes().startswith(b"%PDF-")


def test_the_font_knows_what_it_cannot_show() -> None:
    assert covers("山田 太郎　ABC①髙") == ()
    assert covers("𠮷あ𠮷\t") == ("𠮷", "\t")
    assert text_width("アA", 2.0) == pytest.approx(3.0)


def test_text_is_fitted_without_losing_a_character() -> None:
    text = "アレクサンドラ・マリア・フォン・デル・ライエンベルク"
    fitted = fit_text(text, 40.0, 12.0, 8.0)
    assert "".join(fitted.lines) == text
    assert len(fitted.lines) > 1
    assert max(text_width(line, fitted.size) for line in fitted.lines) <= 40.001
    assert fit_text("短い", 40.0, 12.0, 5.0).size == 5.0
