"""Prints stamps onto a teacher's own sheet: one set a student, or one blank set for copying.

The teacher's page is stored once, as drawn, and every student's page shows it: 400 students take little more
room than one.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, BinaryIO

import pikepdf
from pikepdf import Name
from reportlab.pdfgen.canvas import Canvas

from omr.code_print import code_rectangles
from omr.draw import PrintReport, Sides, open_print
from omr.draw_page import draw_digit_block
from omr.fonts import register_font
from omr.owner_print import check_owners, class_and_number, names_in_kana, printed_name
from omr.pen import POINTS_PER_MM, Align, Pen
from omr.sheet_code import BLANK_STUDENT, SheetCode, exam_digest, layout_digest, student_digest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from omr.design import SheetOwner
    from omr.stamp import StampPlan
    from omr.teacher_sheet import TeacherSheet


def print_stamped(
    sheet: TeacherSheet,
    plan: StampPlan,
    exam_id: str,
    owners: Sequence[SheetOwner] | None,
    target: Path | BinaryIO,
    sides: Sides = Sides.ONE,
) -> PrintReport:
    """Write the PDF.

    Args:
        sheet: the teacher's.
        plan: from `plan_stamps` for it.
        exam_id: whose sheets these are.
        owners: one set each, in this order; None for one blank set.
        target: a path or a binary stream.
        sides: with `Sides.TWO` every set starts on a new piece of paper and the printer is asked for both sides.

    Raises:
        InputError: there is no owner, two owners would get the same code, or the file can't be written.
    """
    if owners is not None:
        check_owners(owners)
    pages = len(sheet.pages)
    per_set = pages + (pages % 2 if sides is Sides.TWO else 0)
    stamps = _draw_stamps(sheet, plan, exam_id, owners, per_set, sides)
    with pikepdf.open(stamps) as result, pikepdf.open(io.BytesIO(sheet.document)) as source:
        _lay_under(result, source, plan.scale, per_set)
        with open_print(target) as stream:
            result.save(stream, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    sets = 1 if owners is None else len(owners)
    return PrintReport(sets * per_set, sets, names_in_kana(owners or ()))


def _draw_stamps(
    sheet: TeacherSheet,
    plan: StampPlan,
    exam_id: str,
    owners: Sequence[SheetOwner] | None,
    per_set: int,
    sides: Sides,
) -> BinaryIO:
    """All pages of all sets with the stamps alone."""
    width, height = sheet.size
    stream = io.BytesIO()
    canvas = Canvas(
        stream,
        pagesize=(width * POINTS_PER_MM, height * POINTS_PER_MM),
        pageCompression=1,
        initialFontName=register_font(),
        lang="ja",
    )
    canvas.setCreator("saiten")
    canvas.setAuthor("")
    canvas.setViewerPreference("PrintScaling", "None")
    if sides is Sides.TWO:
        canvas.setViewerPreference(
            "Duplex", "DuplexFlipLongEdge" if width < height else "DuplexFlipShortEdge"
        )
    pen = Pen(canvas, height)
    _store_marks(pen, plan, blank=owners is None)
    for owner in [None] if owners is None else owners:
        student = BLANK_STUDENT if owner is None else student_digest(owner.student_id)
        for number in range(1, per_set + 1):
            if number <= len(sheet.pages):
                code = SheetCode(
                    exam_digest(exam_id), layout_digest(plan.layout.digest), student, number
                ).text()
                _draw_page(pen, plan, code, owner)
            canvas.showPage()
    canvas.save()
    stream.seek(0)
    return stream


def _store_marks(pen: Pen, plan: StampPlan, *, blank: bool) -> None:
    """What is the same on every page."""
    pen.canvas.beginForm("marks")
    for square in plan.places.fiducials:
        pen.solid(square)
    if blank and plan.places.digits is not None:
        draw_digit_block(pen, plan.places.digits, plan.layout.pages[0].identity)
    pen.canvas.endForm()


def _draw_page(pen: Pen, plan: StampPlan, code: str, owner: SheetOwner | None) -> None:
    pen.canvas.doForm("marks")
    for area in (plan.places.qr, plan.places.second_qr):
        if area is not None:
            pen.solids(code_rectangles(code, area))
    if owner is not None:
        text = f"{class_and_number(owner)}　{printed_name(owner).text}"
        pen.text(text, plan.places.name, 0.75 * plan.places.name.h, align=Align.START)


def _lay_under(result: pikepdf.Pdf, source: pikepdf.Pdf, scale: float, per_set: int) -> None:
    """Show the teacher's pages below the stamps of every set."""
    forms = [result.copy_foreign(page.as_form_xobject()) for page in source.pages]
    width, height = (float(side) for side in list(result.pages[0].mediabox)[2:])
    left, bottom = width * (1 - scale) / 2, height * (1 - scale) / 2
    area = pikepdf.Rectangle(left, bottom, width - left, height - bottom)
    shown: dict[int, bytes] = {}
    for index, page in enumerate(result.pages):
        number = index % per_set
        if number >= len(forms):
            continue
        name = page.add_resource(forms[number], Name.XObject, Name.Sheet)
        if number not in shown:
            shown[number] = page.calc_form_xobject_placement(
                forms[number], name, area, invert_transformations=True, allow_shrink=True, allow_expand=True
            )
        page.contents_add(shown[number], prepend=True)
