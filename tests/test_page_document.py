"""What was said of a page comes back from its document as it was."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omr.compose import compose_layout
from omr.layout import IdentityField
from omr.page import Page
from omr.read_page import Crops, ReadingPlan, read_page
from omr.reading import DigitReading, IdentityReading, PageReading, PageStatus, ReadingStatus
from omr.registration import Registration
from omr.scan_file import open_scan
from omr.sheet_code import SheetCode
from scoring.exam import design_sheet
from scoring.exam_file import read_exam
from scoring.page_document import from_document, to_document
from tests import printed_sheets

SAMPLE = Path(__file__).parent.parent / "sample_scans"

_FLOATS = st.floats(allow_nan=False, allow_infinity=False)
_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_POINTS = st.tuples(_FLOATS, _FLOATS)
_REGISTRATIONS = st.builds(
    Registration,
    matrix=st.tuples(*[st.tuples(_FLOATS, _FLOATS, _FLOATS)] * 3),
    residual_mm=st.none() | _FLOATS,
    rotation=st.none() | st.sampled_from([0, 90, 180, 270]),
    skew_deg=st.none() | _FLOATS,
    marks=st.integers(0, 12),
    black=_FLOATS,
    white=_FLOATS,
)
_IDENTITIES = st.builds(
    IdentityReading,
    rows=st.lists(
        st.builds(
            DigitReading,
            st.sampled_from(IdentityField),
            st.sampled_from("0123456789"),
            st.tuples(*[_FLOATS] * 11),
        ),
        max_size=5,
    ).map(tuple),
    status=st.sampled_from(ReadingStatus),
    confidence=_FLOATS,
)
_READINGS = st.builds(
    PageReading,
    status=st.sampled_from(PageStatus),
    reason=_TEXTS,
    trouble=_TEXTS,
    code=st.none() | st.builds(SheetCode, _TEXTS, _TEXTS, _TEXTS, st.integers(1, 99)),
    sheet_page=st.none() | st.integers(1, 999),
    registration=st.none() | _REGISTRATIONS,
    identity=st.none() | _IDENTITIES,
    crop_corners=st.lists(st.tuples(_POINTS, _POINTS, _POINTS, _POINTS), max_size=3).map(tuple),
)


@given(_READINGS)
def test_any_reading_comes_back(reading: PageReading) -> None:
    assert from_document(to_document(reading)) == reading


def test_readings_of_real_scans_come_back_without_their_answers() -> None:
    exam = read_exam(SAMPLE / "exam.toml")
    plan = ReadingPlan(compose_layout(design_sheet(exam)), exam.id, Crops.TO_GRADE)
    with open_scan(SAMPLE / "scans" / "scan_0001.pdf") as scan:
        readings = [read_page(scan.read_page(index), plan, index) for index in range(6)]
    readings.append(read_page(Page(np.full((2339, 1654), 250, np.uint8)), plan))
    assert {reading.status for reading in readings} == {PageStatus.READ, PageStatus.BLANK}
    for reading in readings:
        bare = replace(reading, answers=(), crops=())
        assert from_document(to_document(reading)) == bare


def test_the_digits_of_a_blank_set_come_back() -> None:
    sheet = printed_sheets.print_sheet(printed_sheets.design_sheet(), None)
    reading = read_page(Page(sheet.copy()), ReadingPlan(sheet.layout, sheet.design.exam_id))
    assert reading.identity is not None
    assert from_document(to_document(reading)).identity == reading.identity


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"status": "read"}', "名前"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        from_document(text)


@given(_READINGS, st.data())
def test_a_document_with_a_part_missing_is_refused(reading: PageReading, data: st.DataObject) -> None:
    plain = json.loads(to_document(reading))
    del plain[data.draw(st.sampled_from(sorted(plain)))]
    with pytest.raises(ValueError, match="no document"):
        from_document(json.dumps(plain))
