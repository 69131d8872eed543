"""The reader of an exam's pages for a worker: made from what is stored, and kept until exam or layout changes."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from api.handwriting import open_reader
from omr.reference import load_reference
from scoring.exam_reader import ExamReader
from scoring.handwriting import has_handwriting
from scoring.storage.exams import find_exam
from scoring.storage.layouts import find_layout, find_layout_number

if TYPE_CHECKING:
    from api.handwriting import OpenedReader
    from ocr.handwriting import HandwritingReader
    from omr.pixels import Gray
    from scoring.exam import Exam
    from scoring.storage.blobs import BlobStore
    from scoring.storage.database import Database
    from scoring.storage.exams import StoredExam
    from scoring.storage.layouts import ExamLayout

_SHEET = "sheet"


@dataclass(frozen=True, slots=True)
class ReaderOfExam:
    """A reader, and what of the exam it was made from."""

    reader: ExamReader
    exam_id: str
    exam_version: int
    layout_number: int


class ExamReaders:
    """Makes readers; only the last one is kept, and the models of handwriting.

    Args:
        database: with exams and layouts.
        blobs: with the empty sheets of layouts.
        model_threads: of one run of a model.
    """

    def __init__(self, database: Database, blobs: BlobStore, model_threads: int = 1) -> None:
        self._database, self._blobs, self._threads = database, blobs, model_threads
        self._last: ReaderOfExam | None = None
        self._handwriting: OpenedReader | None = None

    def find(self, school_id: str, exam_id: str) -> ReaderOfExam:
        """The reader of an exam as it now is.

        Raises:
            InputError: nothing can be read by the exam's layout.
            Refused: the exam or its empty sheet is not there, or the database can't be used now.
        """
        with self._database.read() as session:
            exam = find_exam(session, school_id, exam_id)
            number = find_layout_number(session, school_id, exam_id)
            if self._last is not None and (exam_id, exam.version, number) == (
                self._last.exam_id,
                self._last.exam_version,
                self._last.layout_number,
            ):
                return self._last
            layout = find_layout(session, school_id, exam)
        self._last = None  # two at once would be needless memory
        self._last = self._make(exam, layout)
        return self._last

    def _make(self, stored: StoredExam, layout: ExamLayout) -> ReaderOfExam:
        exam = stored.exam
        reader = ExamReader(exam, layout.layout, self._empty_sheet(layout), self._reader_of_writing(exam))
        return ReaderOfExam(reader, stored.id, stored.version, layout.number)

    def _empty_sheet(self, layout: ExamLayout) -> tuple[Gray, ...]:
        sheet = layout.empty_sheet
        if sheet is None or layout.layout.has_code:
            return ()
        # Under a name of ours: that in the layout comes from outside and could lead anywhere.
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / _SHEET).write_bytes(self._blobs.get(sheet.blob))
            return load_reference(replace(layout.layout, reference=_SHEET), Path(folder) / "layout.json")

    def _reader_of_writing(self, exam: Exam) -> HandwritingReader | None:
        if not has_handwriting(exam):
            return None
        if self._handwriting is None:
            self._handwriting = open_reader(exam, self._threads)
        return self._handwriting.reader
