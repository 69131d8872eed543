"""The 定期考査 of a school as scan files: 400 students, 9 subjects, one sheet each, a PDF for each class and subject.

A sheet has 30 bubbles (6 questions of 5), 15 symbols or numbers and 3 words. For the benchmarks of the served instance;
needs the handwriting fonts of `sample_scans/README.md`.
"""

from __future__ import annotations

import io
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import img2pdf
import numpy as np
import pypdfium2
import simplejpeg

from benchmarks.school_words import SCHOOL_WORDS
from omr.compose import compose_layout
from omr.draw import draw_sheets
from omr.layout import QuestionKind
from sample_scans.bubble_fillings import Filling
from sample_scans.filled_page import fill_page
from sample_scans.hands import find_fonts
from sample_scans.pupils import GivenAnswer, draw_pupil
from sample_scans.scanner import ScannerModel, scan
from scoring.exam import design_sheet
from scoring.exam_file import parse_exam
from scoring.roster import parse_roster

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.random import Generator

    from omr.layout import Layout
    from omr.pixels import Gray
    from scoring.exam import Exam, Question
    from scoring.roster import Student

CLASS_SIZE = 40
SUBJECTS = 9
_CHOICES, _SYMBOLS, _NUMBERS, _WORDS = 6, 8, 7, 3
_DPI = 200
_HANDS = 24
"""Different fillings of an exam's sheet; students share them, for drawing 3,600 by hand takes longer than reading them."""
_BLANK_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Stack:
    """The sheets of a class in a subject, as one file.

    Attributes:
        exam: the code of the exam.
        path: of the PDF.
        pages: in it.
    """

    exam: str
    path: Path
    pages: int


def exam_document(subject: int) -> str:
    """EXAM.toml of one subject, from 0."""
    words = [word for some in SCHOOL_WORDS.values() for word in some if 2 <= len(word) <= 6]
    lines = [
        f'[exam]\nid = "BENCH-{subject + 1}"\ntitle = "2学期期末考査 {subject + 1}"\nsubject = "教科{subject + 1}"\ndate = 2026-11-27\n'
    ]
    random = np.random.default_rng(subject)
    for number in range(_CHOICES + _SYMBOLS + _NUMBERS + _WORDS):
        if number < _CHOICES:
            choices = '["ア", "イ", "ウ", "エ", "オ"]'
            kind, answer = f'"choice"\nchoices = {choices}', "アイウエオ"[int(random.integers(5))]
        elif number < _CHOICES + _SYMBOLS:
            kind = '"symbol"\nchoices = ["ア", "イ", "ウ", "エ", "オ", "カ"]'
            answer = "アイウエオカ"[int(random.integers(6))]
        elif number < _CHOICES + _SYMBOLS + _NUMBERS:
            kind, answer = '"number"', str(int(random.integers(2, 400)))
        else:
            kind, answer = '"text"', words[int(random.integers(len(words)))]
        lines.append(
            f'[[question]]\nid = "{number + 1}"\nkind = {kind}\nanswer = ["{answer}"]\npoints = 4\nviewpoint = "知識・技能"\n'
        )
    return "\n".join(lines)


def roster_document(students: int) -> str:
    """ROSTER.csv of a grade in classes of 40."""
    rows = [
        f"b-{at + 1:04d},2,{at // CLASS_SIZE + 1},{at % CLASS_SIZE + 1},見本 {at + 1},みほん"
        for at in range(students)
    ]
    return "\n".join(("student_id,grade,class,number,name,kana", *rows, ""))


def make_stacks(folder: Path, students: int, subjects: int, processes: int) -> list[Stack]:
    """The scan files of a school, made anew where they are not there yet.

    Args:
        folder: where they are kept.
        students: of the grade.
        subjects: exams, at most 9.
        processes: that draw.
    """
    folder.mkdir(parents=True, exist_ok=True)
    roster = parse_roster(roster_document(students).encode(), "roster").students
    classes = [roster[at : at + CLASS_SIZE] for at in range(0, students, CLASS_SIZE)]
    stacks = [
        Stack(f"BENCH-{subject + 1}", folder / f"{subject + 1}-{some[0].class_name}.pdf", len(some))
        for subject in range(subjects)
        for some in classes
    ]
    missing = [
        (subject, some, folder / f"{subject + 1}-{some[0].class_name}.pdf")
        for subject in range(subjects)
        for some in classes
    ]
    missing = [one for one in missing if not one[2].exists()]
    with ProcessPoolExecutor(processes) as pool:
        list(pool.map(_make_stack, missing))
    return stacks


_drawn: dict[int, tuple[Exam, Layout, list[Gray]]] = {}


def _make_stack(order: tuple[int, tuple[Student, ...], Path]) -> None:
    subject, students, path = order
    cv2.setNumThreads(1)
    if subject not in _drawn:
        _drawn.clear()
        _drawn[subject] = _draw_fillings(subject)
    exam, layout, fillings = _drawn[subject]
    random = np.random.default_rng((subject, int(students[0].class_name)))
    printed = io.BytesIO()
    owners = [one.owner for one in students]
    draw_sheets(design_sheet(exam), layout, owners, printed)
    pages = []
    with pypdfium2.PdfDocument(printed.getvalue()) as document:
        for page in document:
            print_ = page.render(scale=_DPI / 72, grayscale=True).to_numpy().squeeze()
            filled = np.minimum(print_, fillings[int(random.integers(_HANDS))])
            pages.append(_scanned(filled, random))
    partial = path.with_suffix(".part")
    partial.write_bytes(img2pdf.convert(pages, layout_fun=img2pdf.get_fixed_dpi_layout_fun((_DPI, _DPI))))
    partial.rename(path)


def _scanned(filled: Gray, random: Generator) -> bytes:
    model = ScannerModel(
        dpi=_DPI,
        skew_deg=float(np.clip(random.normal(0, 0.5), -1.5, 1.5)),
        shift_mm=(float(random.normal(0, 0.8)), float(random.normal(0, 0.8))),
        noise=float(random.uniform(0.6, 2.5)),
        dust=int(random.poisson(4)),
    )
    picture = np.ascontiguousarray(scan(filled, _DPI, model, random))
    return bytes(simplejpeg.encode_jpeg(picture[:, :, np.newaxis], quality=75, colorspace="GRAY"))


def _draw_fillings(subject: int) -> tuple[Exam, Layout, list[Gray]]:
    """What pupils write on the sheet of a subject, on otherwise white paper."""
    exam = parse_exam(exam_document(subject).encode(), "exam")
    layout = compose_layout(design_sheet(exam))
    (page,) = layout.pages
    random = np.random.default_rng(subject + 100)
    fonts = find_fonts()
    scale = _DPI / 25.4
    shape = _sheet_shape(exam, layout)
    fillings = []
    for _ in range(_HANDS):
        canvas = np.full(shape, 255, np.float32)
        answers = [_given(question, random) for question in exam.questions]
        fill_page(canvas, page, answers, draw_pupil(fonts, random), random, scale)
        fillings.append(np.clip(canvas, 0, 255).astype(np.uint8))
    return exam, layout, fillings


def _sheet_shape(exam: Exam, layout: Layout) -> tuple[int, int]:
    printed = io.BytesIO()
    draw_sheets(design_sheet(exam), layout, None, printed)
    with pypdfium2.PdfDocument(printed.getvalue()) as document:
        height, width = document[0].render(scale=_DPI / 72, grayscale=True).to_numpy().squeeze().shape
    return height, width


def _given(question: Question, random: Generator) -> GivenAnswer:
    right = random.random() < 0.65
    blank = random.random() < _BLANK_SHARE
    if question.kind is QuestionKind.CHOICE:
        chosen = question.answer[0] if right else question.choices[int(random.integers(5))]
        marks = tuple(
            (label, Filling.FULL if label == chosen and not blank else Filling.EMPTY)
            for label in question.choices
        )
        return GivenAnswer(question.id, question.kind, 1, marks)
    text = question.answer[0]
    if not right and question.kind is QuestionKind.SYMBOL:
        text = question.choices[int(random.integers(len(question.choices)))]
    elif not right:
        text = str(int(random.integers(2, 400))) if question.kind is QuestionKind.NUMBER else text[::-1]
    return GivenAnswer(question.id, question.kind, 1, text="" if blank else text)
