"""Reading an exam's pages, a batch at a time: readings, handwriting and atlases from bytes, nothing kept between batches."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from omr.answer_pictures import Crops, Handwriting, is_to_be_read
from omr.atlas import digest_tile, draw_atlases, make_tile
from omr.choices import MarkRules
from omr.errors import PageSetAside
from omr.mark_lines import MarkLines
from omr.read_page import ReadingPlan, read_page, set_aside
from omr.sheet_pair import open_page, read_image
from scoring.handwriting import join_written, read_written

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ocr.handwriting import HandwritingReader
    from ocr.reading import Alternative
    from ocr.written_answers import ReadAnswer
    from omr.layout import Layout
    from omr.page_hints import PageHints
    from omr.pixels import Gray
    from omr.reading import AnswerReading, PageReading
    from omr.scan_file import ScanFile
    from scoring.exam import Exam


@dataclass(frozen=True, slots=True)
class BatchPage:
    """A page to read.

    Attributes:
        page_id: what the caller knows it by.
        number: of the page in its file, from 1.
        part: 1 or 2 for one of two sheets side by side, known from an earlier reading; else 0.
        hints: what a person said of it.
    """

    page_id: str
    number: int
    part: int = 0
    hints: PageHints | None = None


@dataclass(frozen=True, slots=True)
class PictureInAtlas:
    """Where the picture of an answer stands.

    Attributes:
        atlas: SHA-256 of the atlas.
        x: left edge in it, pixels.
        y: top edge.
        w: width.
        h: height.
        picture: a name for what the picture shows: the same only for the same pixels.
    """

    atlas: str
    x: int
    y: int
    w: int
    h: int
    picture: str


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """All that is kept of one answer.

    Attributes:
        reading: what stands in the answer region.
        is_answer: chance (0 to 1) that it is one of the right answers; None where nothing says so.
        alternatives: the likeliest texts, best first; empty where no reader of handwriting read it.
        embedding: what its model makes of the picture, float16 values, little end first; None where there is none.
        picture: None where the page has none of it.
    """

    reading: AnswerReading
    is_answer: float | None = None
    alternatives: tuple[Alternative, ...] = ()
    embedding: bytes | None = None
    picture: PictureInAtlas | None = None


@dataclass(frozen=True, slots=True)
class ReadPart:
    """A page, or one of two sheets that it shows, as read.

    Attributes:
        page_id: of the page that was to be read.
        part: 1 or 2 where the page shows two sheets; else 0.
        reading: without crops and pictures; its answers as in `answers`.
        answers: one a question of the page, in exam order; none where it was not read.
    """

    page_id: str
    part: int
    reading: PageReading
    answers: tuple[StoredAnswer, ...]


@dataclass(frozen=True, slots=True)
class PageBatch:
    """What came of a batch.

    Attributes:
        parts: in the order of the pages, one or two a page.
        atlases: JPEG files by their SHA-256.
    """

    parts: tuple[ReadPart, ...]
    atlases: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class _RawPart:
    """A page as read, with the pixels of its answers as they go into atlases."""

    page_id: str
    part: int
    reading: PageReading
    tiles: Mapping[str, Gray] = field(default_factory=dict)


class ExamReader:
    """Reads the pages of one version of an exam on one layout.

    Args:
        exam: with its key, which tells the reader of handwriting what to expect.
        layout: where everything stands.
        reference: pictures of the empty pages of a sheet without marks, from `load_reference`; else empty.
        handwriting: None leaves written answers to a person.

    Raises:
        InputError: too little is printed on the empty sheet to find a page again.
    """

    def __init__(
        self,
        exam: Exam,
        layout: Layout,
        reference: Sequence[Gray] = (),
        handwriting: HandwritingReader | None = None,
    ) -> None:
        self._exam, self._handwriting = exam, handwriting
        self._plan = ReadingPlan(
            layout,
            exam.id,
            Crops.PIXELS,
            Handwriting.LEFT if handwriting is None else Handwriting.READ,
            MarkRules(lines=MarkLines(cancelled_marks=exam.cancelled_marks)),
            tuple(reference),
        )
        _ = self._plan.pages
        if self._plan.reference:
            _ = self._plan.own_sheet

    def read(self, scan: ScanFile, pages: Sequence[BatchPage]) -> PageBatch:
        """Read some pages of one file; whatever is wrong with a page ends in its reading's status and reason.

        Args:
            scan: the open file.
            pages: of it.
        """
        raw = [part for page in pages for part in self._read_page(scan, page)]
        found: list[dict[str, ReadAnswer]] = [{} for _ in raw]
        if self._handwriting is not None:
            found = read_written(self._handwriting, self._exam, [part.reading for part in raw])
        pictures, atlases = _draw(raw)
        parts = tuple(
            _finish(part, answers, placed) for part, answers, placed in zip(raw, found, pictures, strict=True)
        )
        return PageBatch(parts, atlases)

    def _read_page(self, scan: ScanFile, page: BatchPage) -> Iterator[_RawPart]:
        index = page.number - 1
        try:
            image = open_page(scan, index, page.part, self._plan.layout.pages[0])
        except PageSetAside as aside:
            yield _RawPart(page.page_id, page.part, set_aside(aside))
            return
        if page.part:
            yield _with_tiles(page, page.part, read_page(image, self._plan, index, page.hints))
            return
        readings = read_image(image, self._plan, index, page.hints)
        for part, reading in enumerate(readings, 1 if len(readings) > 1 else 0):
            yield _with_tiles(page, part, reading)


def _with_tiles(page: BatchPage, part: int, reading: PageReading) -> _RawPart:
    """The reading with its pictures as tiles; the pixels of others than written answers are let go."""
    if reading.registration is None:
        return _RawPart(page.page_id, part, reading)
    scale = reading.registration.scale
    tiles = {picture.question: make_tile(picture.pixels, scale) for picture in reading.pictures}
    written = {answer.question for answer in reading.answers if is_to_be_read(answer)}
    kept = tuple(picture for picture in reading.pictures if picture.question in written)
    return _RawPart(page.page_id, part, replace(reading, pictures=kept), tiles)


def _draw(parts: Sequence[_RawPart]) -> tuple[list[dict[str, PictureInAtlas]], dict[str, bytes]]:
    """The atlases of all questions, and where the pictures of each page stand in them, by question."""
    owners: dict[str, list[int]] = {}
    for at, part in enumerate(parts):
        for question in part.tiles:
            owners.setdefault(question, []).append(at)
    pictures: list[dict[str, PictureInAtlas]] = [{} for _ in parts]
    atlases: dict[str, bytes] = {}
    for question, some in owners.items():
        waiting = iter(some)
        for atlas in draw_atlases([parts[at].tiles[question] for at in some]):
            name = hashlib.sha256(atlas.data).hexdigest()
            atlases[name] = atlas.data
            for place, at in zip(atlas.places, waiting, strict=False):
                digest = digest_tile(parts[at].tiles[question])
                pictures[at][question] = PictureInAtlas(name, place.x, place.y, place.w, place.h, digest)
    return pictures, atlases


def _finish(
    part: _RawPart, found: Mapping[str, ReadAnswer], pictures: Mapping[str, PictureInAtlas]
) -> ReadPart:
    reading = join_written(part.reading, found)
    answers = tuple(
        _stored(answer, found.get(answer.question), pictures.get(answer.question))
        for answer in reading.answers
    )
    return ReadPart(part.page_id, part.part, reading, answers)


def _stored(answer: AnswerReading, read: ReadAnswer | None, picture: PictureInAtlas | None) -> StoredAnswer:
    if read is None:
        return StoredAnswer(answer, picture=picture)
    embedding = np.asarray(read.embedding, "<f2").tobytes()
    return StoredAnswer(answer, read.reading.is_answer, read.reading.alternatives, embedding, picture)
