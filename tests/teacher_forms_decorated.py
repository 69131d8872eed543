"""More answer sheets drawn as teachers make them: frames in frames, marks, viewpoints, ornament, model answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from reportlab.lib.utils import ImageReader

from omr.geometry import Rectangle
from tests.teacher_forms import (
    B4_LANDSCAPE,
    TeacherForm,
    draw_english,
    draw_japanese,
    draw_science,
    draw_social,
    draw_two_columns,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_MM = 72 / 25.4
_MODEL_ANSWERS = ("ウ", "1868", "3", "光合成", "ア", "x=5", "徳川家康", "12", "エ", "went", "①", "二酸化炭素")


def draw_mathematics(path: Path) -> TeacherForm:
    """数学: a row of 答え boxes, then working space with the answer box in its corner."""
    sheet = TeacherForm(path)
    sheet.text(15, 18, "数学Ⅱ　第1学期期末考査　解答用紙", 14)
    sheet.name_row(15, 24, name=52, score=20)
    sheet.text(15, 46, "1", 14)
    for index in range(6):
        x, y = 22 + index % 2 * 86, 40 + index // 2 * 15
        sheet.text(x, y + 8, f"({index + 1})　答え", 10)
        sheet.place(f"1-{index + 1}", x + 18, y, 60, 12)
    for section in range(2):
        y = 92 + section * 92
        sheet.text(15, y + 4, f"{section + 2}", 14)
        for half in range(2):
            x = 22 + half * 86
            sheet.frame(x, y, 84, 84)
            sheet.text(x + 2, y + 6, f"({half + 1})　途中の計算も書くこと", 9)
            sheet.places[f"{section + 2}-{half + 1}"] = Rectangle(x, y, 84, 70)
            sheet.label(x + 24, y + 70, 12, 14, "答")
            sheet.place(f"{section + 2}-{half + 1}b", x + 36, y + 70, 48, 14)
    return sheet


def draw_marks(path: Path) -> TeacherForm:
    """A table of marks: アイウ…, twelve ovals each, as in the common test."""
    sheet = TeacherForm(path)
    sheet.text(15, 18, "数学Ⅰ・Ａ　解答欄（マーク）", 14)
    sheet.text(110, 18, "氏名", 11)
    sheet.line(122, 19, 190, 19)
    for section in range(2):
        x = 15 + section * 93
        sheet.label(x, 28, 88, 8, f"第{section + 1}問", 10)
        sheet.label(x, 36, 10, 6, "解答", 6)
        sheet.label(x + 10, 36, 78, 6, "解　　答　　欄", 7)
        for row, letter in enumerate("アイウエオカキクケコサシ"):
            y = 42 + row * 8
            sheet.label(x, y, 10, 8, letter)
            sheet.frame(x + 10, y, 78, 8)
            for column, label in enumerate("－0123456789a"):
                left = x + 13 + column * 6.2
                sheet.oval(left, y + 1.5, 3.4, 5, label)
                sheet.places[f"{section + 1}-{letter}={label}"] = Rectangle(left, y + 1.5, 3.4, 5)
    sheet.label(15, 150, 20, 20, "第3問", 10)
    sheet.place("3", 35, 150, 146, 20)
    return sheet


def draw_viewpoints(path: Path) -> TeacherForm:
    """観点別: scores by viewpoint at the top right, viewpoint, points and score beside every answer, subtotals."""
    sheet = TeacherForm(path)
    sheet.text(15, 16, "1年　英語　解答用紙", 14)
    sheet.text(15, 30, "組　　番　氏名", 10)
    sheet.line(52, 31, 110, 31)
    for column, text in enumerate(("知識・技能", "思考・判断・表現", "合計")):
        sheet.label(118 + column * 26, 10, 26, 8, text, 7)
        sheet.frame(118 + column * 26, 18, 26, 16)
        sheet.text(134 + column * 26, 32, ("/50", "/50", "/100")[column], 9)
    for section in range(3):
        top = 42 + section * 72
        for x, w, text in ((15, 20, "大問"), (35, 12, "番号"), (47, 92, "解答"), (139, 17, "観点"), (156, 16, "配点"), (172, 20, "得点")):  # fmt: skip
            sheet.shaded(x, top, w, 7, text)
        sheet.label(15, top + 7, 20, 50, f"{section + 1}", 14)
        for row in range(5):
            y = top + 7 + row * 10
            sheet.label(35, y, 12, 10, f"{row + 1}")
            sheet.place(f"{section + 1}-{row + 1}", 47, y, 92, 10)
            sheet.label(139, y, 17, 10, "知" if row < 3 else "思")
            sheet.label(156, y, 16, 10, "2")
            sheet.frame(172, y, 20, 10)
        sheet.label(139, top + 57, 33, 9, "小計")
        sheet.frame(172, top + 57, 20, 9)
    return sheet


def draw_decorated(path: Path) -> TeacherForm:
    """A crest, rounded frames round the sections, double and dashed borders, everything in a page frame."""
    sheet = TeacherForm(path)
    sheet.frame(8, 8, 194, 281)
    y, x = np.mgrid[:160, :160]
    ring = (np.abs(np.hypot(x - 80, y - 80) - 70) < 6) | ((np.abs(x - 80) < 50) & (np.abs(y - 80) < 30))
    crest = Image.fromarray(np.where(ring, 60, 255).astype(np.uint8))
    sheet.canvas.drawImage(ImageReader(crest), 14 * _MM, (297 - 32) * _MM, 18 * _MM, 18 * _MM)
    sheet.canvas.roundRect(36 * _MM, (297 - 28) * _MM, 96 * _MM, 12 * _MM, 3 * _MM)
    sheet.text(42, 24, "家庭基礎　課題テスト　解答用紙", 14)
    sheet.label(140, 14, 54, 7, "得　点")
    sheet.frame(140, 21, 54, 14)
    sheet.canvas.roundRect(14 * _MM, (297 - 50) * _MM, 180 * _MM, 12 * _MM, 3 * _MM)
    sheet.text(18, 46, "　　　年　　　組　　　番　　氏名", 11)
    for section in range(3):
        top = 56 + section * 46
        sheet.canvas.roundRect(14 * _MM, (297 - top - 42) * _MM, 180 * _MM, 42 * _MM, 4 * _MM)
        sheet.text(18, top + 8, f"【{section + 1}】", 12)
        for index in range(6):
            x1, y1 = 34 + index % 3 * 52, top + 6 + index // 3 * 17
            if section == 0:  # double
                sheet.frame(x1 + 10, y1, 40, 14)
                sheet.places[f"1-{index + 1}"] = Rectangle(x1 + 10.7, y1 + 0.7, 38.6, 12.6)
                sheet.frame(x1 + 10.7, y1 + 0.7, 38.6, 12.6)
            else:
                if section == 1:
                    sheet.canvas.setDash(3, 2)
                sheet.place(f"{section + 1}-{index + 1}", x1 + 10, y1, 40, 14)
                sheet.canvas.setDash()
            sheet.text(x1 + 1, y1 + 9, f"({index + 1})", 10)
    sheet.text(18, 200, "【4】", 12)
    sheet.canvas.roundRect(34 * _MM, (297 - 270) * _MM, 156 * _MM, 72 * _MM, 3 * _MM)
    sheet.places["4"] = Rectangle(34, 198, 156, 72)
    return sheet


def draw_model_answers(path: Path) -> TeacherForm:
    """模範解答: the table of 40 with a typed answer in every cell, black, as wide as it happens to be."""
    sheet = TeacherForm(path)
    _draw_table_of_answers(sheet, "2学期期末考査　総合　模範解答", (0.0, 0.0, 0.0))
    return sheet


def draw_red_answers(path: Path) -> TeacherForm:
    """The teacher's answers typed in red onto the answer sheet."""
    sheet = TeacherForm(path)
    _draw_table_of_answers(sheet, "2学期期末考査　総合　解答用紙", (0.85, 0.1, 0.1))
    return sheet


def _draw_table_of_answers(sheet: TeacherForm, title: str, colour: tuple[float, float, float]) -> None:
    sheet.text(15, 18, title, 14)
    sheet.name_row(15, 24, name=52, score=20)
    for section in range(4):
        top = 42 + section * 48
        sheet.label(15, top, 12, 44, f"{section + 1}", 14)
        for index in range(8):
            x, y = 27 + index % 2 * 82, top + index // 2 * 11
            name = f"{section + 1}-{index + 1}"
            sheet.numbered(name, f"({index + 1})", x, y, 82, 11)
            answer = _MODEL_ANSWERS[(section * 5 + index * 7) % len(_MODEL_ANSWERS)]
            sheet.canvas.setFillColorRGB(*colour)
            sheet.text(x + 14, y + 7.5, answer, 11)
            sheet.model_answers[name] = answer
            sheet.canvas.setFillGray(0)
    sheet.label(15, 236, 12, 40, "5", 14)
    sheet.place("5", 27, 236, 164, 40)
    sheet.canvas.setFillColorRGB(*colour)
    for row in range(2):
        sheet.text(30, 246 + row * 8, "植物は光のエネルギーを使って二酸化炭素と水から養分をつくるため。", 11)
    sheet.canvas.setFillGray(0)


def draw_two_subjects(path: Path) -> TeacherForm:
    """B4 across in two columns, dotted lines between the rows, the name at the top right, points in the cells."""
    sheet = TeacherForm(path, B4_LANDSCAPE)
    sheet.text(20, 20, "保健　後期期末考査", 16)
    sheet.name_row(196, 12, name=50, score=18)
    for half in range(2):
        left = 20 + half * 176
        for section in range(2):
            top = 34 + section * 104
            sheet.canvas.setLineWidth(1.6)
            sheet.frame(left, top, 150, 96)
            sheet.canvas.setLineWidth(0.7)
            number = half * 2 + section + 1
            sheet.line(left + 12, top, left + 12, top + 96)
            sheet.text(left + 3.5, top + 51, f"{number}", 16)
            sheet.line(left + 30, top, left + 30, top + 96)
            for row in range(8):
                y = top + row * 12
                if row:
                    sheet.canvas.setDash(1, 2)
                    sheet.line(left + 12, y, left + 150, y)
                    sheet.canvas.setDash()
                sheet.text(left + 13, y + 7.5, f"({row + 1}) 2点", 9)
                sheet.places[f"{number}-{row + 1}"] = Rectangle(left + 30, y, 120, 12)
    return sheet


def teacher_forms() -> dict[str, Callable[[Path], TeacherForm]]:
    """How each sheet is drawn, by name."""
    return {
        "two-columns": draw_two_columns,
        "japanese": draw_japanese,
        "english": draw_english,
        "science": draw_science,
        "social": draw_social,
        "mathematics": draw_mathematics,
        "marks": draw_marks,
        "viewpoints": draw_viewpoints,
        "decorated": draw_decorated,
        "model-answers": draw_model_answers,
        "red-answers": draw_red_answers,
        "dotted-halves": draw_two_subjects,
    }
