"""`saiten print`: an exam's answer sheets as a PDF, and where everything stands on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from omr.compose import compose_layout
from omr.draw import Sides, draw_sheets
from omr.errors import InputError
from omr.layout import write_layout
from scoring.exam import design_sheet
from scoring.exam_file import read_exam
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
    exam = read_exam(exam_path)
    owners = read_roster(roster_path).owners() if roster_path else None
    for path in (out, layout_path):
        if path is not None and not path.parent.is_dir():
            raise InputError(f"{path.parent} がありません。書き出し先のフォルダーを先に作ってください。")
    design = design_sheet(exam)
    layout = compose_layout(design)
    report = draw_sheets(design, layout, owners, out, Sides.TWO if duplex else Sides.ONE)
    if layout_path is not None:
        write_layout(layout, layout_path)
    lines = [f"{out}: {report.sets}組、{report.pages}ページを書き出しました。"]
    lines += [
        f"  フォントにない字があるため、かなで印刷しました: {student_id} {name} → {kana or '〓'}"
        for student_id, name, kana in report.printed_in_kana
    ]
    return "\n".join(lines)
