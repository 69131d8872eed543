"""A batch of pages, read as the server reads it: the same readings as of each page alone, and pictures that are where they should be."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import img2pdf
import numpy as np
import pytest

from ocr.handwriting import HandwritingReader
from omr.answer_pictures import cut_answer
from omr.atlas import digest_tile, make_tile
from omr.compose import compose_layout
from omr.errors import Trouble
from omr.layout import QuestionKind
from omr.page_hints import PageHints
from omr.read_page import Handwriting, ReadingPlan, read_page
from omr.reading import PageStatus, ReadingStatus
from omr.reference import load_reference
from omr.scan_file import open_scan
from omr.sheet_pair import open_page
from sample_scans.scanner import ScannerModel, scan
from scoring.exam import Exam, design_sheet
from scoring.exam_file import read_exam
from scoring.exam_reader import BatchPage, ExamReader, PageBatch
from scoring.handwriting import read_handwriting
from scoring.page_document import from_document, to_document
from scoring.page_records import ScannedPage
from tests import printed_sheets
from tests.own_sheets import fill_page, make_own_sheet
from tests.photos import feed_unevenly
from tests.printed_sheets import DPI, OWNER, mark, print_sheet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from omr.design import SheetDesign
    from omr.layout import Layout
    from omr.pixels import Gray

SAMPLE = Path(__file__).parent.parent / "sample_scans"
STACK = SAMPLE / "scans" / "scan_0001.pdf"
PAGES = tuple(BatchPage(f"page-{number}", number) for number in range(1, 9))
WRITTEN = (QuestionKind.SYMBOL, QuestionKind.NUMBER, QuestionKind.TEXT)


@dataclass(frozen=True)
class Sample:
    """The sample exam, its reader, and its first pages as read."""

    exam: Exam
    layout: Layout
    reader: ExamReader
    handwriting: HandwritingReader
    batch: PageBatch


@pytest.fixture(scope="module")
def sample() -> Sample:
    exam = read_exam(SAMPLE / "exam.toml")
    layout = compose_layout(design_sheet(exam))
    handwriting = HandwritingReader()
    reader = ExamReader(exam, layout, (), handwriting)
    with open_scan(STACK) as file:
        return Sample(exam, layout, reader, handwriting, reader.read(file, PAGES))


def _picture(atlas: bytes) -> Gray:
    return np.asarray(cv2.imdecode(np.frombuffer(atlas, np.uint8), cv2.IMREAD_GRAYSCALE), np.uint8)


def _write_pdf(path: Path, images: Sequence[Gray], dpi: int = 200) -> Path:
    encoded = [cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes() for image in images]
    path.write_bytes(img2pdf.convert(encoded, layout_fun=img2pdf.get_fixed_dpi_layout_fun((dpi, dpi))))
    return path


def _printed_exam(design: SheetDesign) -> Exam:
    """An exam whose sheet is a design of `printed_sheets`."""
    kinds: list[dict[str, object]] = [
        {
            "id": one.id,
            "kind": one.kind,
            "section": one.section,
            "choices": one.choices,
            "answer": [],
            "points": 1,
            **({"unit": one.unit} if one.unit else {}),
            **({"lines": one.lines} if one.lines else {}),
        }
        for one in design.questions
    ]
    return Exam.model_validate({"id": design.exam_id, "title": design.title, "questions": kinds})


def test_a_batch_says_what_each_page_says_alone(sample: Sample) -> None:
    plan = ReadingPlan(sample.layout, sample.exam.id, handwriting=Handwriting.READ)
    assert [part.page_id for part in sample.batch.parts] == [page.page_id for page in PAGES]
    read = 0
    with open_scan(STACK) as file:
        for part, page in zip(sample.batch.parts, PAGES, strict=True):
            alone = ScannedPage("", page.number, read_page(file.read_page(page.number - 1), plan))
            (alone,) = read_handwriting(sample.handwriting, sample.exam, [alone])
            reading = part.reading
            assert replace(reading, answers=()) == replace(alone.reading, answers=())
            assert [(one.reading, one.status) for one in reading.answers] == [
                (one.reading, one.status) for one in alone.reading.answers
            ]
            assert [one.reading for one in part.answers] == list(reading.answers)
            assert reading.pictures == ()
            read += reading.status is PageStatus.READ
    assert read == len(PAGES)


def test_the_picture_of_every_answer_is_where_it_says_and_can_be_cut_again(sample: Sample) -> None:
    atlases = {name: _picture(data) for name, data in sample.batch.atlases.items()}
    assert all(hashlib.sha256(data).hexdigest() == name for name, data in sample.batch.atlases.items())
    used = set()
    with open_scan(STACK) as file:
        for part, page in zip(sample.batch.parts, PAGES, strict=True):
            image = open_page(file, page.number - 1, part.part, sample.layout.pages[0])
            kept = from_document(to_document(part.reading))
            for answer in part.answers:
                place = answer.picture
                assert place is not None
                cut = cut_answer(image, kept, sample.layout, answer.reading.question)
                assert cut is not None
                assert kept.registration is not None
                tile = make_tile(cut, kept.registration.scale)
                assert digest_tile(tile) == place.picture
                shown = atlases[place.atlas][place.y : place.y + place.h, place.x : place.x + place.w]
                assert shown.shape == tile.shape
                assert np.abs(shown.astype(int) - tile).mean() < 6
                used.add(place.atlas)
            assert cut_answer(image, kept, sample.layout, "no such question") is None
    assert used == set(atlases)


def test_what_the_reader_of_handwriting_says_is_kept_whole(sample: Sample) -> None:
    read = 0
    for answer in (answer for part in sample.batch.parts for answer in part.answers):
        is_read = answer.reading.kind in WRITTEN and answer.reading.status is not ReadingStatus.BLANK
        assert (answer.embedding is not None) == is_read
        assert is_read or (answer.alternatives, answer.is_answer) == ((), None)
        if answer.embedding is not None:
            values = np.frombuffer(answer.embedding, "<f2").astype(float)
            assert np.linalg.norm(values) == pytest.approx(1, abs=0.01)
        if answer.alternatives:
            chances = [one.chance for one in answer.alternatives]
            assert chances == sorted(chances, reverse=True)
            assert sum(chances) <= 1.001
            assert answer.is_answer is not None
            read += 1
    assert read > 20


def test_without_models_everything_else_is_read(sample: Sample) -> None:
    with open_scan(STACK) as file:
        batch = ExamReader(sample.exam, sample.layout).read(file, PAGES[:2])
    for part, full in zip(batch.parts, sample.batch.parts, strict=False):
        assert part.reading.status is PageStatus.READ
        for answer, other in zip(part.answers, full.answers, strict=True):
            assert answer.embedding is None
            assert answer.picture is not None
            assert other.picture is not None
            assert answer.picture.picture == other.picture.picture
            if answer.reading.kind in WRITTEN:
                assert answer.reading.status is not ReadingStatus.OK
            else:
                assert answer.reading == other.reading


def test_one_page_that_can_not_be_read_costs_no_other(sample: Sample, tmp_path: Path) -> None:
    with open_scan(STACK) as file:
        good = file.read_page(0).gray
    noise = np.random.default_rng(1).integers(0, 255, (40, 30)).astype(np.uint8)
    foreign = np.asarray(cv2.resize(noise, (1654, 2339), interpolation=cv2.INTER_CUBIC), np.uint8)
    path = _write_pdf(tmp_path / "scan.pdf", [foreign, good, np.full_like(good, 250), good])
    data = path.read_bytes()
    last = data.rindex(b"\xff\xd8\xff")
    path.write_bytes(data[: last + 2000] + bytes(len(data) - last - 2000))
    with open_scan(path) as file:
        pages = [BatchPage(f"{number}", number) for number in range(1, file.page_count + 1)]
        batch = sample.reader.read(file, [*pages, BatchPage("half", 2, part=1)])
    statuses = [part.reading.status for part in batch.parts]
    assert statuses[:3] == [PageStatus.QUARANTINED, PageStatus.READ, PageStatus.BLANK]
    assert batch.parts[-1].reading.trouble == Trouble.TWO_SHEETS
    for part in batch.parts:
        assert bool(part.answers) == (part.reading.status is PageStatus.READ)
        assert part.reading.reason or part.answers


def test_two_sheets_in_one_image_are_two_parts_and_each_can_be_read_again(tmp_path: Path) -> None:
    design = printed_sheets.design_sheet()
    sheets = [print_sheet(design, owner) for owner in (OWNER, replace(OWNER, student_id="2026-0313"))]
    pages = [sheet.copy() for sheet in sheets]
    for at, page in enumerate(pages):
        mark(page, sheets[0].layout.pages[0].questions[0].bubbles[at])
    image = scan(np.hstack(pages), DPI, ScannerModel(dpi=200, skew_deg=0.5), np.random.default_rng(0))
    reader = ExamReader(_printed_exam(design), sheets[0].layout)
    with open_scan(_write_pdf(tmp_path / "scan.pdf", [image])) as file:
        both = reader.read(file, [BatchPage("a", 1)]).parts
        again = reader.read(file, [BatchPage("one", 1, 1), BatchPage("two", 1, 2)]).parts
        turned = reader.read(file, [BatchPage("two", 1, 2, PageHints(180))]).parts
    assert [(part.page_id, part.part) for part in both] == [("a", 1), ("a", 2)]
    assert [(part.page_id, part.part) for part in again] == [("one", 1), ("two", 2)]
    assert [part.answers[0].reading.labels for part in both] == [("ア",), ("イ",)]
    for one, other in zip(both, again, strict=True):
        assert one.reading == other.reading
        assert [answer.picture and answer.picture.picture for answer in one.answers] == [
            answer.picture and answer.picture.picture for answer in other.answers
        ]
    assert turned[0].answers[0].reading.labels == ("イ",)


def test_fine_scans_make_no_larger_atlases(tmp_path: Path) -> None:
    design = printed_sheets.design_sheet()
    sheet = print_sheet(design)
    reader = ExamReader(_printed_exam(design), sheet.layout)
    sizes = []
    for dpi in (200, 400):
        image = scan(sheet.copy(), DPI, ScannerModel(dpi=dpi), np.random.default_rng(0))
        with open_scan(_write_pdf(tmp_path / f"{dpi}.pdf", [image], dpi)) as file:
            (part,) = reader.read(file, [BatchPage("a", 1)]).parts
        sizes.append([(one.picture.w, one.picture.h) for one in part.answers if one.picture])
    assert len(sizes[0]) == len(design.questions)
    assert np.abs(np.array(sizes[0]) * 8 / (200 / 25.4) - sizes[1]).max() <= 4


def test_on_a_bent_sheet_an_answer_is_cut_where_it_lies(tmp_path: Path) -> None:
    sheet = make_own_sheet(tmp_path)
    canvas, _ = fill_page(sheet, 0, np.random.default_rng(3))
    scanned = feed_unevenly(canvas, 210, 297, 3.0, 0.5, 200)
    questions = [
        {
            "id": one.id,
            "kind": one.kind,
            "choices": [bubble.label for bubble in one.bubbles],
            "answer": [],
            "points": 1,
        }
        for one in sheet.layout.pages[0].questions
    ]
    exam = Exam.model_validate({"id": "OWN", "title": "自作", "questions": questions})
    reader = ExamReader(exam, sheet.layout, load_reference(sheet.layout, sheet.layout_path))
    with open_scan(_write_pdf(tmp_path / "scan.pdf", [scanned.gray])) as file:
        (part,) = reader.read(file, [BatchPage("a", 1)]).parts
        image = file.read_page(0)
    assert part.reading.status is PageStatus.READ, part.reading.reason
    kept = from_document(to_document(part.reading))
    assert kept.crop_corners
    assert kept.registration is not None
    for answer in part.answers:
        assert answer.picture is not None
        cut = cut_answer(image, kept, sheet.layout, answer.reading.question)
        assert cut is not None
        assert digest_tile(make_tile(cut, kept.registration.scale)) == answer.picture.picture
