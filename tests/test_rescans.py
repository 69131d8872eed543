"""A page scanned again after it was judged: its judgements stay, and what looks otherwise now is asked about."""

from __future__ import annotations

import io
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import select

from omr.reading import PageStatus
from scoring.exam_state import ExamState
from scoring.judgement import Mark
from scoring.page_decisions import DropPage
from scoring.storage import exams
from scoring.storage.columns import new_id
from scoring.storage.database import Database, open_database
from scoring.storage.decisions import WantedDecision, decide
from scoring.storage.judged_answers import list_outdated, list_standing
from scoring.storage.judgements import NewJudgement, add_judgements
from scoring.storage.scan_states import DROPPED
from scoring.storage.scan_tables import AnswerReadingRow
from tests.intakes import SCANS, Intake, open_intake

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(open_database(f"sqlite:///{tmp_path / 'saiten.sqlite3'}")) as opened:
        yield opened


@pytest.fixture
def intake(database: Database, tmp_path: Path) -> Intake:
    opened = open_intake(database, tmp_path)
    with database.write() as session:
        exams.change_state(session, opened.deed, opened.exam, ExamState.GRADING, None)
    return opened


def pictures(intake: Intake, page_id: str, reading_id: str | None) -> dict[str, tuple[str, int, int]]:
    """Of each answer of a page, its picture and where it lies in the scan's tile."""
    with intake.database.read() as session:
        rows = session.scalars(
            select(AnswerReadingRow).where(
                AnswerReadingRow.page_id == page_id, AnswerReadingRow.reading_id == reading_id
            )
        )
        return {row.question: (row.picture, row.w, row.h) for row in rows}


def judge_all(intake: Intake, page_id: str, seen: dict[str, tuple[str, int, int]]) -> None:
    items = [
        NewJudgement(page_id, question, Mark.RIGHT, picture, version=0, key=new_id())
        for question, (picture, _, _) in seen.items()
    ]
    with intake.database.write() as session:
        exam = exams.hold_exam(session, intake.deed.school_id, intake.exam.id)
        add_judgements(session, intake.deed, exam, items)


def scribbled(scan: Path) -> bytes:
    """The same page scanned again, with a stroke more on its lower half."""
    pixels = np.array(Image.open(scan).convert("L"))
    height, width = pixels.shape
    pixels[int(0.55 * height) : int(0.56 * height), int(0.15 * width) : int(0.6 * width)] = 20
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def test_judgements_go_along_and_changed_pictures_are_asked_about(intake: Intake) -> None:
    scan = SCANS / "scan_0005.jpg"
    intake.add(scan)
    intake.work_off()
    (first,) = intake.pages()
    assert first.status == PageStatus.READ
    seen = pictures(intake, first.id, first.reading_id)
    judge_all(intake, first.id, seen)

    intake.add(scribbled(scan))
    intake.work_off()
    old, new = intake.pages()
    assert {old.status, new.status} == {PageStatus.QUARANTINED}  # which of them counts, a person says
    with intake.database.write() as session:
        exam = exams.find_exam(session, intake.deed.school_id, intake.exam.id)
        decide(session, intake.deed, exam, [WantedDecision(old.id, old.version, DropPage(what="drop"))])
    intake.work_off()

    old, new = intake.pages()
    assert (old.status, new.status) == (DROPPED, PageStatus.READ)
    now = pictures(intake, new.id, new.reading_id)
    changed = {question for question, picture in now.items() if picture != seen[question]}
    with intake.database.read() as session:
        exam = exams.find_exam(session, intake.deed.school_id, intake.exam.id)
        outdated = {one.standing.judgement.question for one in list_outdated(session, exam)}
        standing = {
            question
            for question in seen
            if any(
                one.standing.judgement.page_id == new.id
                for one in list_standing(session, exam, question, intake.deed.by)
            )
        }
    assert standing == set(seen)
    assert outdated == changed
    assert changed
