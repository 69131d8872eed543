"""The sample exam's maker: pens leave the ink they should, scans lie where they say."""

from __future__ import annotations

import csv
from collections import Counter
from io import BytesIO
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pypdfium2
import pytest
import zxingcpp
from PIL import Image, ImageSequence

from omr.design import Writing
from omr.errors import InputError
from omr.geometry import Rectangle, apply
from omr.layout import QuestionKind
from omr.sheet_code import SheetCode, exam_digest, layout_digest, parse_code, student_digest
from sample_scans import hands
from sample_scans.bubble_fillings import MARKED, Filling, draw_filling
from sample_scans.file_maker import Job, make_file
from sample_scans.filled_page import fill_page
from sample_scans.handwriting import write_line
from sample_scans.make import plan
from sample_scans.pupils import draw_pupil, give_answer
from sample_scans.sample_exam import FOLDER, load_sample_exam
from sample_scans.scan_files import FileKind, encode_file
from sample_scans.scanner import Condition, Gray, ScannerModel, draw_model, page_to_scan, scan
from sample_scans.stacks import Content

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from sample_scans.pens import Canvas

BUBBLE_MM = (4.6, 3.0)


def fill(filling: Filling, seed: int, pixels_per_mm: float = 8.0) -> NDArray[np.float32]:
    """A white 14 mm square with one filling in its middle."""
    side = round(14 * pixels_per_mm)
    canvas = np.full((side, side), 255, np.float32)
    draw(canvas, filling, seed, pixels_per_mm)
    return canvas


def draw(canvas: Canvas, filling: Filling, seed: int, pixels_per_mm: float) -> None:
    centre = ((canvas.shape[1] - 1) / 2, (canvas.shape[0] - 1) / 2)
    size = (BUBBLE_MM[0] * pixels_per_mm, BUBBLE_MM[1] * pixels_per_mm)
    draw_filling(canvas, centre, size, filling, np.random.default_rng(seed), pixels_per_mm)


def oval(pixels_per_mm: float = 8.0) -> NDArray[np.bool_]:
    side = round(14 * pixels_per_mm)
    y, x = (np.mgrid[:side, :side] - (side - 1) / 2) / pixels_per_mm
    return np.asarray((2 * x / BUBBLE_MM[0]) ** 2 + (2 * y / BUBBLE_MM[1]) ** 2 <= 1)


def inks(filling: Filling, count: int = 60) -> NDArray[np.float64]:
    """Mean ink inside the oval, 0 to 1, for many pupils."""
    inside = oval()
    return np.array([1 - fill(filling, seed)[inside].mean() / 255 for seed in range(count)])


@pytest.mark.parametrize("filling", Filling)
@pytest.mark.parametrize("pixels_per_mm", [6.0, 24.0])
def test_same_seed_same_ink_at_any_scale(filling: Filling, pixels_per_mm: float) -> None:
    first = fill(filling, 5, pixels_per_mm)
    assert np.array_equal(first, fill(filling, 5, pixels_per_mm))
    assert (first.min() < 250) == (filling is not Filling.EMPTY)


def test_marked_fillings_carry_more_ink_than_the_others() -> None:
    assert inks(Filling.FULL).min() > 0.3
    assert inks(Filling.LIGHT).min() > 0.17
    assert inks(Filling.ERASED).max() < 0.13
    assert inks(Filling.LIGHT).min() > 1.5 * inks(Filling.ERASED).max()
    assert inks(Filling.DUST).max() < 0.03
    assert inks(Filling.NEXT_TO).max() == 0
    assert Filling.CIRCLED in MARKED
    assert inks(Filling.CIRCLED).mean() < 0.02  # the ring stands around the bubble


def test_dots_stay_under_a_millimetre() -> None:
    for seed in range(60):
        ys, xs = np.nonzero(fill(Filling.DOT, seed, 24.0) < 200)
        assert max(np.ptp(ys), np.ptp(xs)) / 24 < 1.0


def test_half_covers_about_half() -> None:
    inside = oval()
    shares = [(fill(Filling.HALF, seed)[inside] < 215).mean() for seed in range(60)]
    assert 0.4 < np.mean(shares) < 0.65


def test_ink_at_the_edge_of_the_canvas_is_cut_off() -> None:
    canvas = np.full((40, 40), 255, np.uint8)
    draw_filling(canvas, (-200.0, 10.0), (37, 24), Filling.FULL, np.random.default_rng(1), 8.0)
    assert canvas.min() == 255
    draw_filling(canvas, (0.0, 0.0), (37, 24), Filling.FULL, np.random.default_rng(1), 8.0)
    assert canvas[0, 0] < 200


def dotted_page() -> tuple[Gray, NDArray[np.float64]]:
    """A 100 × 140 mm page at 300 dpi with four round marks, and their places in mm."""
    page = np.full((1654, 1181), 255, np.uint8)
    places = np.array([(20.0, 20.0), (80.0, 20.0), (80.0, 120.0), (30.0, 120.0)])
    for x, y in places:
        at = np.rint(np.array([x, y]) * 300 / 25.4 * 16 - 8).astype(int)
        cv2.circle(page, (int(at[0]), int(at[1])), 30 * 16, 0, -1, cv2.LINE_AA, 4)
    return page, places


def found_marks(image: Gray, expected: NDArray[np.float64], reach: int = 40) -> NDArray[np.float64]:
    """Centres of gravity of the dark pixels around the expected places."""
    found = []
    for x, y in np.rint(expected).astype(int):
        left, top = max(x - reach, 0), max(y - reach, 0)
        window = 255.0 - image[top : y + reach, left : x + reach]
        window[window < 100] = 0
        ys, xs = np.mgrid[: window.shape[0], : window.shape[1]]
        found.append((left + (xs * window).sum() / window.sum(), top + (ys * window).sum() / window.sum()))
    return np.array(found)


@pytest.mark.parametrize("condition", Condition)
def test_scans_lie_where_page_to_scan_says(condition: Condition) -> None:
    page, places = dotted_page()
    random = np.random.default_rng(11)
    model = draw_model(condition, random)
    image = scan(page, 300, model, random)
    expected = apply(page_to_scan(model, 1181 / 300 * 25.4, 1654 / 300 * 25.4), places)
    found = found_marks(image, expected, round(6 * model.dpi / 25.4))
    assert np.abs(found - expected).max() < 0.12 * model.dpi / 25.4


def test_skew_is_clockwise_positive() -> None:
    page, _ = dotted_page()
    model = ScannerModel(skew_deg=3.0)
    corners = apply(page_to_scan(model, 100, 140), np.array([(20.0, 20.0), (80.0, 20.0)]))
    (x, y) = corners[1] - corners[0]
    assert np.rad2deg(np.arctan2(y, x)) == pytest.approx(3.0)
    assert scan(page, 300, model, np.random.default_rng(0)).shape == (1103, 787)


def test_bilevel_keeps_light_pencil_and_drops_erased() -> None:
    inside = oval()
    kept: list[float] = []
    dropped: list[float] = []
    for seed in range(12):
        random = np.random.default_rng(seed)
        model = ScannerModel(bilevel=draw_model(Condition.BILEVEL, random).bilevel, threshold=0.82)
        for filling, shares in ((Filling.LIGHT, kept), (Filling.ERASED, dropped)):
            canvas = np.full((112, 112), 255, np.uint8)
            draw(canvas, filling, seed, 8.0)
            image = scan(canvas, 8 * 25.4, model, random)
            assert set(np.unique(image)) <= {0, 255}
            level = np.asarray(cv2.resize(image, inside.shape, interpolation=cv2.INTER_NEAREST))
            shares.append(float((level[inside] == 0).mean()))
    assert min(kept) > 0.35
    assert max(dropped) < 0.15


def test_the_same_seed_gives_the_same_scan() -> None:
    page, _ = dotted_page()
    images = []
    for _ in range(2):
        random = np.random.default_rng(7)
        images.append(scan(page, 300, draw_model(Condition.DUSTY, random), random))
    assert np.array_equal(images[0], images[1])


def test_every_sheet_goes_through_the_scanner_once() -> None:
    files = plan(students=80, sheet_pages=2, subject=1, seed=3)
    assert len({file.name for file in files}) == len(files)
    pages = [page for file in files for page in file.pages]
    sheets = Counter((page.student, page.sheet_page) for page in pages if page.content is Content.SHEET)
    absent = 22
    assert sheets == Counter((student, page) for student in range(80) if student != absent for page in (1, 2))
    mishaps = Counter(page.content for page in pages if page.content is not Content.SHEET)
    assert mishaps == {Content.DUPLICATE: 1, Content.OTHER_EXAM: 1, Content.EMPTY_BACK: 1}
    bilevel = sum(len(file.pages) for file in files if file.kind.is_bilevel)
    assert 0.25 < bilevel / len(pages) < 0.4
    assert all(len(file.pages) == 1 for file in files if file.kind is FileKind.JPEG)


def test_the_exam_adds_up() -> None:
    exam = load_sample_exam()
    assert len(exam.layout.pages) == 2
    assert {question.kind for question in exam.questions} == set(QuestionKind)
    for question in exam.questions:
        assert question.right
        if question.kind is not QuestionKind.CHOICE:
            assert question.wrong
            assert not set(question.wrong) & set(question.right)


@pytest.mark.parametrize("kind", FileKind)
def test_files_hold_the_pages_that_were_put_in(kind: FileKind) -> None:
    page, _ = dotted_page()
    pages = [page] if kind is FileKind.JPEG else [page, np.asarray(np.rot90(page))]
    if kind.is_bilevel:
        pages = [np.where(page < 128, 0, 255).astype(np.uint8) for page in pages]
    data = encode_file(pages, kind, 300)
    assert data == encode_file(pages, kind, 300)
    if kind in (FileKind.JPEG, FileKind.G4_TIFF):
        image = Image.open(BytesIO(data))
        assert round(image.info["dpi"][0]) == 300
        read = [np.asarray(frame.convert("L")) for frame in ImageSequence.Iterator(image)]
    else:
        with pypdfium2.PdfDocument(data) as document:
            read = [one.render(scale=300 / 72, grayscale=True).to_numpy() for one in document]
    assert len(read) == len(pages)
    for one, page in zip(read, pages, strict=True):
        same = one.reshape(one.shape[:2])[: page.shape[0], : page.shape[1]]  # pdfium rounds sizes up
        assert np.abs(same.astype(float) - page).mean() < 2


def test_without_fonts_one_sentence_names_the_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hands, "FONT_FOLDERS", (tmp_path,))
    with pytest.raises(InputError, match="fonts-kiloji"):
        hands.find_fonts()


def test_the_committed_scans_are_complete_and_of_todays_layout() -> None:
    with (FOLDER / "pages_truth.csv").open(encoding="utf-8", newline="") as file:
        truth = list(csv.DictReader(file))
    scans = sorted((FOLDER / "scans").iterdir())
    assert {row["file"] for row in truth} == {path.name for path in scans}
    sizes = [path.stat().st_size for path in scans]
    assert max(sizes) < 4e6
    assert sum(sizes) < 9.5e6
    exam = load_sample_exam()
    for row in truth:
        if row["file"].endswith(".jpg"):
            image = np.asarray(Image.open(FOLDER / "scans" / row["file"]))
            codes = [parse_code(one.text) for one in zxingcpp.read_barcodes(image)]
            code = SheetCode(
                exam_digest(exam.design.exam_id),
                layout_digest(exam.layout.digest),
                student_digest(row["student_id"]),
                int(row["sheet_page"]),
            )
            assert code in codes, "the layout changed: run `uv run python -m sample_scans.make` again"
            assert code.sheet == row["sheet"]


@pytest.mark.system
def test_glyphs_without_ink_come_from_another_font() -> None:
    fonts = hands.find_fonts()
    kiloji = next(font for font in fonts if font.name == "kiloji.ttf")
    assert hands.has_ink(kiloji, "柔")
    assert not hands.has_ink(kiloji, "𠮷")
    assert not hands.has_ink(kiloji, "\u3000")


@pytest.mark.system
@pytest.mark.parametrize("writing", Writing)
def test_writing_stays_in_its_box_and_differs_each_time(writing: Writing) -> None:
    random = np.random.default_rng(4)
    hand = hands.choose_hand(hands.find_fonts(), random)
    box = Rectangle(10, 10, 40, 13) if writing is Writing.HORIZONTAL else Rectangle(10, 10, 13, 40)
    pages = []
    for _ in range(2):
        page = np.full((480, 480), 255, np.uint8)
        write_line(page, "二酸化炭素", box, hand, random, 8.0, writing=writing)
        ys, xs = np.nonzero(page < 200)
        assert len(ys) > 300
        assert xs.min() > 8 * box.x
        assert xs.max() < 8 * box.right
        assert ys.min() > 8 * box.y
        assert ys.max() < 8 * box.bottom
        pages.append(page)
    assert not np.array_equal(pages[0], pages[1])


@pytest.mark.system
def test_the_truth_says_what_stands_on_the_paper() -> None:
    exam, fonts = load_sample_exam(), hands.find_fonts()
    for seed in range(4):
        random = np.random.default_rng(seed)
        pupil = draw_pupil(fonts, random)
        answers = [give_answer(pupil, question, random) for question in exam.questions]
        for page in exam.layout.pages:
            canvas = np.full((2376, 1680), 255, np.uint8)
            fill_page(canvas, page, answers, pupil, random, 8.0)
            for answer in (one for one in answers if one.page == page.number):
                place = next(one for one in page.questions if one.id == answer.question)
                for bubble, (label, filling) in zip(place.bubbles, answer.marks, strict=True):
                    assert bubble.label == label
                    ink = 1 - canvas[pixels(bubble.expanded(1))].mean() / 255
                    assert (ink > 0.04) == (label in answer.reading.split(";")), (filling, ink)
                if place.box is not None:
                    assert ((canvas[pixels(place.box)] < 205).mean() > 0.001) == bool(answer.reading)


@pytest.mark.system
def test_the_command_makes_readable_files_and_their_truth(tmp_path: Path) -> None:
    job = Job(plan(12, 2, 1, 5)[-1], 1, 12, 5, tmp_path, 150, 40, None)
    pages, answers = make_file(job)
    data = (tmp_path / job.file.name).read_bytes()
    assert make_file(job) == (pages, answers)
    assert (tmp_path / job.file.name).read_bytes() == data
    assert [page.page for page in pages] == list(range(1, len(job.file.pages) + 1))
    assert {answer.student_id for answer in answers} <= {page.student_id for page in pages}


def pixels(box: Rectangle) -> tuple[slice, slice]:
    """The part of a canvas of 8 pixels a millimetre that a box (mm) covers."""
    return (
        slice(round(8 * box.y), round(8 * box.bottom)),
        slice(round(8 * box.x), round(8 * box.right)),
    )
