"""Where questions stand: nothing overlaps, nothing is lost, and the reader can work it out again."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from omr.answer_block import BUBBLE_CLEARANCE
from omr.compose import compose_layout, compose_sheet
from omr.design import Orientation, Paper, QuestionDesign, Writing
from omr.errors import InputError
from omr.geometry import Rectangle
from omr.layout import PageLayout, QuestionKind, read_layout, write_layout
from tests.sheet_designs import KANA, designs, make_design, mixed_questions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from omr.design import SheetDesign

ANY_DESIGN = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


def parts_of(page: PageLayout) -> list[Rectangle]:
    """Everything that a page holds, once."""
    assert page.qr is not None
    assert page.second_qr is not None
    assert page.name_box is not None
    regions = [
        part for one in page.questions for part in (*one.bubbles, *([one.box] if one.box is not None else []))
    ]
    digits = [bubble for row in page.identity for bubble in row.bubbles]
    return [*page.fiducials, page.qr, page.second_qr, page.name_box, *digits, *regions]


def overlaps(parts: Sequence[Rectangle], others: Sequence[Rectangle], clearance: float) -> NDArray[np.bool_]:
    """Which part comes nearer than `clearance` mm to which other, shape (parts, others)."""
    x, y, right, bottom = np.array([(one.x, one.y, one.right, one.bottom) for one in parts]).T[
        :, :, np.newaxis
    ]
    x2, y2, right2, bottom2 = np.array([(one.x, one.y, one.right, one.bottom) for one in others]).T[
        :, np.newaxis
    ]
    near = clearance - 0.002  # positions are rounded
    return np.asarray(
        (x < right2 + near) & (x2 < right + near) & (y < bottom2 + near) & (y2 < bottom + near), np.bool_
    )


@ANY_DESIGN
@given(designs())
def test_nothing_overlaps_or_leaves_the_page(design: SheetDesign) -> None:
    for page in compose_layout(design).pages:
        assert (page.width, page.height) == design.page_size
        parts = parts_of(page)
        assert min(min(part.x, part.y) for part in parts) >= 5
        assert max(part.right for part in parts) <= page.width - 5
        assert max(part.bottom for part in parts) <= page.height - 5
        assert overlaps(parts, parts, 0).sum() == len(parts)


@ANY_DESIGN
@given(designs())
def test_nothing_comes_near_a_fiducial(design: SheetDesign) -> None:
    for page in compose_layout(design).pages:
        others = parts_of(page)[len(page.fiducials) :]
        assert not overlaps(page.fiducials, others, 4).any()


@ANY_DESIGN
@given(designs())
def test_every_question_stands_once_in_exam_order(design: SheetDesign) -> None:
    layout = compose_layout(design)
    placed = [question for _, question in layout.questions()]
    assert [(one.id, one.kind) for one in placed] == [(one.id, one.kind) for one in design.questions]
    for one, asked in zip(placed, design.questions, strict=True):
        assert tuple(bubble.label for bubble in one.bubbles) == asked.choices
        assert (one.box is None) == (one.kind is QuestionKind.CHOICE)
    assert all(page.questions for page in layout.pages)


@ANY_DESIGN
@given(designs())
def test_bubbles_can_be_circled(design: SheetDesign) -> None:
    for page in compose_layout(design).pages:
        bubbles = [bubble for question in page.questions for bubble in question.bubbles]
        if bubbles:
            assert overlaps(bubbles, bubbles, 3).sum() == len(bubbles)


@ANY_DESIGN
@given(designs())
def test_inner_lines_stay_in_their_box(design: SheetDesign) -> None:
    for _, question in compose_layout(design).questions():
        for line in question.lines:
            assert question.box is not None
            box = question.box.expanded(0.002)
            assert box.x <= line.x1 <= line.x2 <= box.right
            assert box.y <= line.y1 <= line.y2 <= box.bottom


@ANY_DESIGN
@given(designs())
def test_numbers_units_and_headings_stand_clear_of_everything(design: SheetDesign) -> None:
    for page in compose_sheet(design).pages:
        printed = [caption.area for caption in page.captions] + [heading.area for heading in page.headings]
        assert not overlaps(printed, parts_of(page.layout), 0).any()
        assert overlaps(printed, printed, 0).sum() == len(printed)


@given(designs())
@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_the_layout_survives_its_file(tmp_path_factory: pytest.TempPathFactory, design: SheetDesign) -> None:
    path: Path = tmp_path_factory.mktemp("layout") / "layout.json"
    layout = compose_layout(design)
    write_layout(layout, path)
    assert read_layout(path) == layout
    assert read_layout(path).digest == compose_layout(design).digest


@pytest.mark.parametrize("paper", Paper)
@pytest.mark.parametrize("orientation", Orientation)
def test_corner_squares_stand_far_enough_inside(paper: Paper, orientation: Orientation) -> None:
    design = make_design(*mixed_questions(), paper=paper, orientation=orientation)
    page = compose_layout(design).pages[0]
    inset = {Paper.A4: 15, Paper.B5: 15, Paper.B4: 18, Paper.A3: 20}[paper]
    top_left, top_right, bottom_right, bottom_left, left, right = page.fiducials
    assert top_left == Rectangle(inset, inset, 6, 6)
    assert (top_right.right, top_right.y) == (page.width - inset, inset)
    assert (bottom_right.right, bottom_right.bottom) == (page.width - inset, page.height - inset)
    assert (bottom_left.x, bottom_left.bottom) == (inset, page.height - inset)
    assert left.centre == pytest.approx((top_left.centre[0], 0.45 * page.height), abs=0.001)
    assert right.centre == pytest.approx((top_right.centre[0], 0.60 * page.height), abs=0.001)


def test_an_upside_down_page_looks_different() -> None:
    page = compose_layout(make_design(*mixed_questions())).pages[0]
    left, right = page.fiducials[4:]
    assert abs((page.height - left.centre[1]) - right.centre[1]) > 10


def test_vertical_sheets_run_from_right_to_left_with_numbers_above() -> None:
    texts = [QuestionDesign(f"一-{n}", QuestionKind.TEXT, "一") for n in range(1, 7)]
    design = make_design(*texts, paper=Paper.B4, orientation=Orientation.LANDSCAPE, writing=Writing.VERTICAL)
    sheet = compose_sheet(design)
    boxes = [question.box for _, question in sheet.layout.questions()]
    for box, following in pairwise(boxes):
        assert box is not None
        assert following is not None
        assert box.h > 3 * box.w
        assert following.x < box.x or (following.x == box.x and following.y > box.y)
    caption, box = sheet.pages[0].captions[0], boxes[0]
    assert box is not None
    assert caption.text == "一-1"
    assert caption.area.bottom <= box.y
    assert caption.area.centre[0] == pytest.approx(box.centre[0])


def test_vertical_bubbles_are_stacked() -> None:
    choice = QuestionDesign("1", QuestionKind.CHOICE, choices=KANA[:4])
    design = make_design(choice, writing=Writing.VERTICAL)
    bubbles = compose_layout(design).pages[0].questions[0].bubbles
    assert len({bubble.x for bubble in bubbles}) == 1
    assert all(
        below.y - above.bottom == pytest.approx(BUBBLE_CLEARANCE) for above, below in pairwise(bubbles)
    )


def test_a_list_of_choices_runs_down_two_columns_of_a4() -> None:
    choices = [QuestionDesign(str(n), QuestionKind.CHOICE, choices=KANA[:4]) for n in range(1, 21)]
    page = compose_layout(make_design(*choices)).pages[0]
    starts = [question.bubbles[0].x for question in page.questions]
    assert len(set(starts[:10])) == len(set(starts[10:])) == 1
    assert starts[10] > starts[0]
    pitches = [b.bubbles[0].y - a.bubbles[0].y for a, b in pairwise(page.questions[:10])]
    assert min(pitches) >= 8.4


def test_manuscript_squares_are_as_many_as_characters() -> None:
    essay = QuestionDesign("1", QuestionKind.ESSAY, characters=75)
    question = compose_layout(make_design(essay)).pages[0].questions[0]
    assert question.box is not None
    rows = 1 + sum(line.y1 == line.y2 for line in question.lines)
    side = question.box.h / rows
    columns = round(question.box.w / side)
    in_last_row = sum(
        line.x1 == line.x2 and line.y2 == pytest.approx(question.box.bottom) for line in question.lines
    )
    open_end = 0 if (rows * columns) > 75 else 1
    assert (rows - 1) * columns + in_last_row + open_end == 75


def test_points_and_answers_play_no_part_but_questions_do() -> None:
    design = make_design(*mixed_questions())
    assert compose_layout(design) == compose_layout(replace(design, exam_id="OTHER", title="別の試験"))
    fewer = replace(design, questions=design.questions[:-1])
    assert compose_layout(design).digest != compose_layout(fewer).digest


@pytest.mark.parametrize(
    ("question", "words"),
    [
        (QuestionDesign("問9", QuestionKind.ESSAY, characters=5000), "「問9」が1ページに入りません"),
        (QuestionDesign("問9", QuestionKind.ESSAY, lines=90), "「問9」が1ページに入りません"),
        (
            QuestionDesign("問9", QuestionKind.CHOICE, choices=tuple(map(str, range(1000)))),
            "「問9」が1ページに",
        ),
        (QuestionDesign("問9", QuestionKind.CHOICE, choices=("長" * 200, "短")), "「問9」の選択肢が長すぎ"),
        (QuestionDesign("問9", QuestionKind.CHOICE), "「問9」に選択肢がありません"),
        (QuestionDesign("問9", QuestionKind.CHOICE, choices=("ア", "ア")), "「問9」に同じ選択肢"),
        (QuestionDesign("問9", QuestionKind.CHOICE, choices=("😀", "ア")), "設問「問9」の選択肢の「😀」"),
    ],
)
def test_what_cannot_be_printed_is_refused_by_name(question: QuestionDesign, words: str) -> None:
    with pytest.raises(InputError, match=words):
        compose_layout(make_design(question))


def test_a_sheet_needs_questions_and_at_most_99_pages() -> None:
    with pytest.raises(InputError, match="設問がありません"):
        compose_layout(make_design())
    with pytest.raises(InputError, match="設問「1」が2つ"):
        compose_layout(make_design(*[QuestionDesign("1", QuestionKind.TEXT)] * 2))
    drawings = [QuestionDesign(str(n), QuestionKind.DRAWING) for n in range(400)]
    with pytest.raises(InputError, match="ページ以内"):
        compose_layout(make_design(*drawings))
