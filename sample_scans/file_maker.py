"""Makes one scan file: prints the sheets of its stack, fills them, scans them, and says what the truth is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pypdfium2

from omr.draw import draw_sheets
from omr.geometry import MM_PER_INCH
from omr.sheet_code import SheetCode, exam_digest, layout_digest, student_digest
from sample_scans.bubble_fillings import Filling
from sample_scans.filled_page import fill_page
from sample_scans.hands import find_fonts
from sample_scans.pupils import GivenAnswer, draw_pupil, give_answer
from sample_scans.sample_exam import load_owners, load_sample_exam
from sample_scans.scan_files import encode_file
from sample_scans.scanner import Condition, ScannerModel, draw_model, scan
from sample_scans.stacks import Content, ScanFile, ScanPage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from omr.design import SheetOwner
    from sample_scans.sample_exam import SampleExam

_OTHER_EXAM = "2026-2M-SCI2"
"""The id of the midterm exam that a page of it strayed from."""


@dataclass(frozen=True, slots=True)
class AnswerTruth:
    """A row of truth.csv."""

    exam: str
    sheet: str
    student_id: str
    page: int
    question: str
    kind: str
    reading: str
    fillings: str
    manner: str
    erased: str


@dataclass(frozen=True, slots=True)
class PageTruth:
    """A row of pages_truth.csv; `rotation` is clockwise to upright, `skew_deg` clockwise positive."""

    file: str
    page: int
    exam: str
    sheet: str
    student_id: str
    sheet_page: int | str
    content: str
    rotation: int
    skew_deg: float
    dpi: int
    condition: str


@dataclass(frozen=True, slots=True)
class Job:
    """One file to make, with all that a worker process needs."""

    file: ScanFile
    subject: int
    students: int
    seed: int
    target: Path
    dpi: int
    quality: int
    fonts: Path | None


def make_file(job: Job) -> tuple[list[PageTruth], list[AnswerTruth]]:
    """Make one scan file on disk, and the truth about it."""
    exam, owners = load_sample_exam(job.subject), load_owners(job.students)
    printed = _PrintedStack(exam, owners, job)
    images, pages, answers = [], [], []
    for number, page in enumerate(job.file.pages, 1):
        random = np.random.default_rng([job.seed, job.subject, _number_of(job.file.name), number])
        paper, given = printed.filled(page)
        model = _scanner(page, job, random)
        images.append(scan(paper, job.dpi, model, random))
        code = _code(exam, owners, page)
        pages.append(_page_truth(job, number, page, model, exam, owners, code))
        if page.content is Content.SHEET:
            answers += [_answer_truth(exam, owners, page, code, answer) for answer in given]
    (job.target / job.file.name).write_bytes(encode_file(images, job.file.kind, job.dpi, job.quality))
    return pages, answers


class _PrintedStack:
    """The printed sheets of one file, rendered and filled page by page."""

    def __init__(self, exam: SampleExam, owners: Sequence[SheetOwner], job: Job) -> None:
        self.exam, self.job = exam, job
        self.fonts = find_fonts(job.fonts)
        self.places = sorted({page.student for page in job.file.pages if page.student is not None})
        chosen = [owners[place] for place in self.places]
        self.own = _pdf(exam, chosen)
        strayed = [page for page in job.file.pages if page.content is Content.OTHER_EXAM]
        other = replace(exam.design, exam_id=_OTHER_EXAM, title="2学期中間考査 理科", date="2026年10月9日")
        self.other = _pdf(replace(exam, design=other), chosen) if strayed else None

    def filled(self, page: ScanPage) -> tuple[NDArray[np.uint8], list[GivenAnswer]]:
        """The page as it lies on the desk after the exam, and the answers on it."""
        exam, job = self.exam, self.job
        layout = exam.layout.pages[max(page.sheet_page, 1) - 1]
        per_mm = job.dpi / MM_PER_INCH
        if page.student is None:
            size = (round(layout.height * per_mm), round(layout.width * per_mm))
            return np.full(size, 255, np.uint8), []
        source = self.other if page.content is Content.OTHER_EXAM else self.own
        assert source is not None
        index = self.places.index(page.student) * len(exam.layout.pages) + page.sheet_page - 1
        rendered = source[index].render(scale=job.dpi / 72, grayscale=True).to_numpy()
        canvas = np.array(rendered.reshape(rendered.shape[:2]), np.uint8)
        pupil = draw_pupil(self.fonts, np.random.default_rng([job.seed, page.student]))
        thought = np.random.default_rng([job.seed, job.subject, page.student, 0])
        answers = [give_answer(pupil, question, thought) for question in exam.questions]
        here = [answer for answer in answers if answer.page == page.sheet_page]
        pen = np.random.default_rng([job.seed, job.subject, page.student, page.sheet_page])
        fill_page(canvas, layout, here, pupil, pen, per_mm)
        return canvas, here


def _pdf(exam: SampleExam, owners: Sequence[SheetOwner]) -> pypdfium2.PdfDocument:
    stream = BytesIO()
    draw_sheets(exam.design, exam.layout, owners, stream)
    return pypdfium2.PdfDocument(stream.getvalue())


def _scanner(page: ScanPage, job: Job, random: np.random.Generator) -> ScannerModel:
    """An office machine set to 200 dpi or so, on clean paper: small files, little noise."""
    model = draw_model(page.condition, random)
    bilevel = draw_model(Condition.BILEVEL, random)
    return replace(
        model,
        dpi=job.dpi,
        quarter_turns=page.quarter_turns,
        noise=random.uniform(0.3, 0.8),
        paper=max(model.paper, 240.0),
        jpeg_quality=None,
        bilevel=bilevel.bilevel if job.file.kind.is_bilevel else None,
        threshold=bilevel.threshold,
    )


def _code(exam: SampleExam, owners: Sequence[SheetOwner], page: ScanPage) -> SheetCode | None:
    if page.student is None:
        return None
    return SheetCode(
        exam_digest(_exam_id(exam, page)),
        layout_digest(exam.layout.digest),
        student_digest(owners[page.student].student_id),
        page.sheet_page,
    )


def _exam_id(exam: SampleExam, page: ScanPage) -> str:
    return _OTHER_EXAM if page.content is Content.OTHER_EXAM else exam.design.exam_id


def _page_truth(
    job: Job,
    number: int,
    page: ScanPage,
    model: ScannerModel,
    exam: SampleExam,
    owners: Sequence[SheetOwner],
    code: SheetCode | None,
) -> PageTruth:
    return PageTruth(
        file=job.file.name,
        page=number,
        exam=_exam_id(exam, page) if code else "",
        sheet=code.sheet if code else "",
        student_id=owners[page.student].student_id if page.student is not None else "",
        sheet_page=page.sheet_page or "",
        content=page.content,
        rotation=-90 * page.quarter_turns % 360,
        skew_deg=round(model.skew_deg, 3),
        dpi=model.dpi,
        condition=page.condition,
    )


def _answer_truth(
    exam: SampleExam,
    owners: Sequence[SheetOwner],
    page: ScanPage,
    code: SheetCode | None,
    answer: GivenAnswer,
) -> AnswerTruth:
    assert page.student is not None
    assert code is not None
    return AnswerTruth(
        exam=exam.design.exam_id,
        sheet=code.sheet,
        student_id=owners[page.student].student_id,
        page=answer.page,
        question=answer.question,
        kind=answer.kind,
        reading=answer.reading,
        fillings=";".join(f"{label}:{way}" for label, way in answer.marks if way is not Filling.EMPTY),
        manner=answer.manner,
        erased=answer.erased,
    )


def _number_of(name: str) -> int:
    return int(Path(name).stem.rpartition("_")[2])
