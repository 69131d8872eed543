"""`saiten print`: an exam's answer sheets as a PDF, and where everything stands on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from omr.compose import compose_layout
from omr.draw import PrintReport, Sides, draw_sheets
from omr.layout import read_layout, write_layout
from omr.replace_file import check_targets
from omr.stamp import StampPlan, plan_stamps
from omr.stamp_print import print_stamped
from omr.teacher_sheet import open_teacher_sheet
from scoring.exam import design_sheet
from scoring.exam_file import read_exam
from scoring.layout_check import check_layout
from scoring.roster import read_roster

if TYPE_CHECKING:
    from pathlib import Path


def print_exam(
    exam_path: Path, roster_path: Path | None, out: Path, layout_path: Path | None, *, duplex: bool
) -> str:
    """Print the sheets of an exam and say in words what was printed.

    Args:
        exam_path: EXAM.toml.
        roster_path: ROSTER.csv for one set a student; None for one blank set.
        out: the PDF.
        layout_path: LAYOUT.json, None for none.
        duplex: whether each student starts on a new sheet of paper.

    Raises:
        InputError: an input is wrong, or a folder to write to is not there.
    """
    check_targets((out, layout_path), (exam_path, roster_path))
    exam = read_exam(exam_path)
    owners = read_roster(roster_path).owners() if roster_path else None
    design = design_sheet(exam)
    layout = compose_layout(design)
    report = draw_sheets(design, layout, owners, out, Sides.TWO if duplex else Sides.ONE)
    if layout_path is not None:
        write_layout(layout, layout_path)
    return _describe(report, out)


def print_onto(
    exam_path: Path,
    sheet_path: Path,
    sheet_layout_path: Path,
    roster_path: Path | None,
    out: Path,
    layout_path: Path | None,
    *,
    duplex: bool,
    password: str | None = None,
) -> str:
    """Stamp our squares, codes and names onto a teacher's own sheet and say in words what was printed.

    Args:
        exam_path: EXAM.toml.
        sheet_path: the unfilled sheet, PDF or picture.
        sheet_layout_path: where its answers stand, from `saiten detect`.
        roster_path: as for `print_exam`.
        out: the PDF.
        layout_path: LAYOUT.json of the stamped sheet, None for none.
        duplex: as for `print_exam`.
        password: of an encrypted sheet.

    Raises:
        InputError: an input is wrong, they do not belong together, or the sheet has no room.
    """
    check_targets((out, layout_path), (exam_path, sheet_path, sheet_layout_path, roster_path))
    exam = read_exam(exam_path)
    owners = read_roster(roster_path).owners() if roster_path else None
    sheet_layout = read_layout(sheet_layout_path)
    check_layout(exam, sheet_layout, sheet_layout_path)
    sheet = open_teacher_sheet(sheet_path, password)
    plan = plan_stamps(sheet, sheet_layout)
    report = print_stamped(sheet, plan, exam.id, owners, out, Sides.TWO if duplex else Sides.ONE)
    if layout_path is not None:
        write_layout(plan.layout, layout_path)
    return "\n".join([_describe(report, out), *_describe_plan(plan, layout_path, blank=owners is None)])


def _describe(report: PrintReport, out: Path) -> str:
    lines = [f"{out}: {report.sets}組、{report.pages}ページを書き出しました。"]
    lines += [
        f"  フォントにない字があるため、かなで印刷しました: {student_id} {name} → {kana or '〓'}"
        for student_id, name, kana in report.printed_in_kana
    ]
    return "\n".join(lines)


def _describe_plan(plan: StampPlan, layout_path: Path | None, *, blank: bool) -> list[str]:
    lines = []
    if plan.scale < 1:
        lines.append(f"  余白が足りないため、元の解答用紙を {plan.scale:.0%} に縮小しました。")
    if blank and plan.places.digits is None:
        lines.append(
            "  学年・組・番号のマーク欄を置く場所がないため、だれの用紙かは読み取れません。--roster で生徒ごとに印刷してください。"
        )
    if layout_path is None:
        lines.append("  読み取りには --layout で書き出すレイアウトが要ります。")
    return lines
