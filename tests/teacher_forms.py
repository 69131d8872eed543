"""Answer sheets drawn as teachers make them, each answer place with the name that it should get.

Half of ten; the others stand in `teacher_forms_decorated`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from omr.geometry import Rectangle
from tests.ruled_sheets import RuledSheet

if TYPE_CHECKING:
    from pathlib import Path

B4_LANDSCAPE = (364.0, 257.0)
_KANJI = "一二三四五六七八九十"


class TeacherForm(RuledSheet):
    """A sheet being drawn; `places` collects the answers by name, bubbles as name=label, `model_answers` the typed ones."""

    def __init__(self, path: Path, size: tuple[float, float] = (210, 297)) -> None:
        super().__init__(path, size)
        self.places: dict[str, Rectangle] = {}
        self.model_answers: dict[str, str] = {}

    def place(self, name: str, x: float, y: float, w: float, h: float) -> None:
        """A ruled answer box."""
        self.answer(x, y, w, h)
        self.places[name] = Rectangle(x, y, w, h)

    def numbered(self, name: str, label: str, x: float, y: float, w: float, h: float) -> None:
        """A cell of 11 mm with a number, and the answer box beside it, together `w` wide."""
        self.label(x, y, 11, h, label)
        self.place(name, x + 11, y, w - 11, h)

    def bracket_down(self, x: float, y: float, bracket: str, size: float = 10) -> None:
        """A bracket as vertical writing turns it, its character's square at x, y."""
        per_mm = 72 / 25.4
        self.canvas.saveState()
        self.canvas.translate(x * per_mm + 0.14 * size, (self.size[1] - y) * per_mm)
        self.canvas.rotate(-90)
        self.text(0, self.size[1], bracket, size)
        self.canvas.restoreState()

    def line(self, x1: float, y1: float, x2: float, y2: float) -> None:
        """A ruled line."""
        per_mm = 72 / 25.4
        high = self.size[1]
        self.canvas.line(x1 * per_mm, (high - y1) * per_mm, x2 * per_mm, (high - y2) * per_mm)

    def shaded(self, x: float, y: float, w: float, h: float, text: str, gray: float = 0.85) -> None:
        """A printed cell on gray."""
        per_mm = 72 / 25.4
        self.canvas.setFillGray(gray)
        self.canvas.rect(
            x * per_mm, (self.size[1] - y - h) * per_mm, w * per_mm, h * per_mm, stroke=0, fill=1
        )
        self.canvas.setFillGray(0)
        self.label(x, y, w, h, text)

    def name_row(self, x: float, y: float, *, name: float = 62, score: float | None = 22) -> None:
        """年 組 番 氏名, and 得点 where the sheet has it there."""
        for text in "年組番":
            self.frame(x, y, 11, 10)
            self.label(x + 11, y, 8, 10, text)
            x += 19
        self.label(x, y, 15, 10, "氏名")
        self.frame(x + 15, y, name, 10)
        if score is not None:
            self.label(x + 15 + name, y, 15, 10, "得点")
            self.frame(x + 30 + name, y, score, 10)


def draw_two_columns(path: Path) -> TeacherForm:
    """B4 across, two columns; the section in a cell merged over its rows, (1) (2) in cells beside."""
    sheet = TeacherForm(path, B4_LANDSCAPE)
    sheet.text(20, 20, "令和8年度　2学期中間考査　理科（物理基礎）解答用紙", 14)
    sheet.label(20, 30, 10, 72, "１", 14)
    for row in range(6):
        sheet.numbered(f"1-{row + 1}", f"({row + 1})", 30, 30 + row * 12, 140, 12)
    sheet.label(20, 110, 10, 56, "２", 14)
    for index in range(8):
        x, y = 30 + index % 2 * 70, 110 + index // 2 * 14
        sheet.numbered(f"2-{index + 1}", f"({index + 1})", x, y, 70, 14)
    sheet.label(20, 174, 10, 60, "３", 14)
    for row in range(2):
        sheet.numbered(f"3-{row + 1}", f"({row + 1})", 30, 174 + row * 30, 140, 30)
    sheet.label(195, 30, 10, 40, "４", 14)
    for row in range(2):
        for column in range(10):
            number, x, y = row * 10 + column + 1, 205 + column * 14, 30 + row * 20
            sheet.label(x, y, 14, 8, f"{number}", 9)
            sheet.place(f"4-{number}", x, y + 8, 14, 12)
    sheet.label(195, 80, 10, 100, "５", 14)
    for row, height in enumerate((20, 20, 60)):
        y = 80 + row * 20
        if row == 1:
            sheet.label(205, y, 11, 20, "(2)")
            for half in range(2):
                sheet.label(216, y + half * 10, 10, 10, "①②"[half])
                sheet.place(f"5-2-{half + 1}", 226, y + half * 10, 119, 10)
        else:
            sheet.numbered(f"5-{row + 1}", f"({row + 1})", 205, y, 140, height)
    sheet.name_row(195, 225, name=36, score=16)
    return sheet


def draw_japanese(path: Path) -> TeacherForm:
    """国語 in vertical writing: squares for a number of characters, kanji boxes, brackets, name at the left."""
    sheet = TeacherForm(path, B4_LANDSCAPE)
    sheet.downward(350, 20, "一学期期末考査国語解答用紙", 12)
    sheet.label(334, 20, 10, 12, "一", 12)
    sheet.frame(324, 20, 10, 50)
    sheet.downward(327, 38, "問一", 10)
    for index in range(6):
        x = 310 - index * 14
        sheet.label(x, 20, 14, 10, "①②③④⑤⑥"[index], 9)
        sheet.place(f"1-1-{index + 1}", x, 30, 14, 40)
    sheet.frame(310, 80, 14, 16)
    sheet.downward(315, 82, "問二", 10)
    sheet.place("1-2", 310, 96, 14, 140)
    for index in range(2):
        x = 290 - index * 16
        sheet.frame(x, 80, 12, 16)
        sheet.downward(x + 4, 82, f"問{_KANJI[2 + index]}", 10)
        sheet.place(f"1-{3 + index}", x, 96, 12, 12)
    sheet.label(216, 20, 12, 12, "二", 12)
    sheet.frame(200, 34, 14, 16)
    sheet.downward(205, 36, "問一", 10)
    sheet.grid(200, 50, 7, 7, 2, 25)
    sheet.places["2-1"] = Rectangle(200, 50, 14, 175)
    sheet.frame(170, 34, 21, 16)
    sheet.downward(178, 36, "問二", 10)
    sheet.grid(170, 50, 7, 7, 3, 25)
    sheet.places["2-2"] = Rectangle(170, 50, 21, 175)
    for index, letter in enumerate("ＡＢＣ"):
        x = 150 - index * 14
        sheet.label(x, 34, 14, 10, letter)
        sheet.place(f"2-{'ABC'[index]}", x, 44, 14, 60)
    sheet.label(100, 20, 12, 12, "三", 12)
    for index in range(4):
        x = 84 - index * 12
        sheet.downward(x, 34, f"問{_KANJI[index]}", 10)
        sheet.bracket_down(x, 41.5, "（")
        sheet.bracket_down(x, 100, "）")
        sheet.places[f"3-{index + 1}"] = Rectangle(x, 45, 3.5, 55)
    sheet.frame(18, 20, 14, 20)
    sheet.downward(23, 24, "氏名", 11)
    sheet.frame(18, 40, 14, 110)
    sheet.frame(18, 150, 14, 20)
    sheet.downward(23, 154, "得点", 11)
    sheet.frame(18, 170, 14, 30)
    return sheet


def draw_english(path: Path) -> TeacherForm:
    """Long lines to write on, several to a row or two to a question, beside some symbol boxes."""
    sheet = TeacherForm(path)
    sheet.text(20, 20, "English Communication I　Answer Sheet", 14)
    sheet.text(20, 32, "Class", 10)
    sheet.line(31, 33, 50, 33)
    sheet.text(55, 32, "No.", 10)
    sheet.line(63, 33, 80, 33)
    sheet.text(85, 32, "Name", 10)
    sheet.line(97, 33, 160, 33)
    sheet.text(18, 47, "1", 13)
    for index in range(8):
        x, y = 25 + index % 4 * 42, 44 + index // 4 * 14
        sheet.text(x, y + 3, f"({index + 1})", 10)
        sheet.places[f"1-{index + 1}"] = Rectangle(x + 8, y - 5, 30, 9.5)
        sheet.line(x + 8, y + 4.5, x + 38, y + 4.5)
    sheet.text(18, 80, "2", 13)
    for index in range(4):
        y = 80 + index * 13
        sheet.text(25, y, f"({index + 1})", 10)
        sheet.line(33, y + 1, 188, y + 1)
        sheet.places[f"2-{index + 1}"] = Rectangle(33, y - 8, 155, 9)
    sheet.text(18, 139, "3", 13)
    for index in range(6):
        sheet.numbered(f"3-{index + 1}", f"({index + 1})", 25 + index * 27, 134, 24, 12)
    sheet.text(18, 160, "4", 13)
    for index in range(3):
        y = 160 + index * 24
        sheet.text(25, y, f"問{index + 1}", 10)
        sheet.line(35, y + 1, 188, y + 1)
        sheet.line(35, y + 11, 188, y + 11)
        sheet.places[f"4-{index + 1}"] = Rectangle(35, y - 8, 153, 19)
    sheet.label(150, 262, 18, 16, "SCORE")
    sheet.frame(168, 262, 24, 16)
    return sheet


def draw_science(path: Path) -> TeacherForm:
    """Units behind, in and before the boxes; squared paper to draw on."""
    sheet = TeacherForm(path)
    sheet.label(15, 12, 80, 12, "第3学年　理科　解答用紙", 13)
    sheet.name_row(15, 28, name=52, score=20)
    units = ("g", "cm³", "℃", "Ω", "V", "J", "N", "%")
    sheet.label(15, 48, 11, 48, "1", 14)
    for index, unit in enumerate(units):
        x, y = 26 + index % 2 * 82, 48 + index // 2 * 12
        sheet.label(x, y, 12, 12, f"問{index + 1}")
        sheet.place(f"1-{index + 1}", x + 12, y, 70, 12)
        sheet.text(x + 73, y + 8, unit, 9)
    sheet.text(15, 112, "2", 14)
    for index in range(3):
        x = 22 + index * 60
        sheet.text(x, 112, f"({index + 1})", 10)
        sheet.place(f"2-{index + 1}", x + 8, 104, 32, 12)
        sheet.text(x + 42, 112, ("mA", "m/s", "秒")[index], 10)
    sheet.text(22, 128, "(4)　v =", 10)
    sheet.place("2-4", 38, 120, 40, 12)
    sheet.label(15, 140, 11, 74, "3", 14)
    sheet.label(26, 140, 12, 50, "(1)")
    sheet.canvas.setLineWidth(0.25)
    sheet.grid(42, 142.5, 5, 5, 16, 9)
    sheet.canvas.setLineWidth(0.7)
    sheet.place("3-1", 38, 140, 152, 50)
    sheet.label(26, 190, 12, 24, "(2)")
    sheet.place("3-2", 38, 190, 152, 24)
    sheet.label(15, 222, 11, 24, "4", 14)
    for index in range(4):
        x = 26 + index * 41
        sheet.label(x, 222, 41, 8, f"({index + 1})", 9)
        sheet.place(f"4-{index + 1}", x, 230, 41, 16)
    return sheet


def draw_social(path: Path) -> TeacherForm:
    """Symbol boxes under shaded numbers, letters beside boxes, a word before and behind the free room."""
    sheet = TeacherForm(path)
    sheet.text(60, 18, "歴史総合　学年末考査　解答用紙", 14)
    sheet.name_row(15, 24, name=52, score=20)
    for section in range(2):
        y = 42 + section * 24
        sheet.shaded(15, y, 11, 20, f"[{section + 1}]")
        for column in range(12):
            sheet.shaded(26 + column * 13.5, y, 13.5, 8, f"問{column + 1}")
            sheet.place(f"{section + 1}-{column + 1}", 26 + column * 13.5, y + 8, 13.5, 12)
    sheet.shaded(15, 94, 11, 33, "[3]")
    for index, letter in enumerate("ＡＢＣＤＥＦ"):
        x, y = 26 + index % 2 * 81, 94 + index // 2 * 11
        sheet.shaded(x, y, 11, 11, letter, 0.92)
        sheet.place(f"3-{'ABCDEF'[index]}", x + 11, y, 70, 11)
    sheet.shaded(15, 132, 11, 56, "[4]")
    for row in range(2):
        sheet.shaded(26, 132 + row * 28, 11, 28, f"問{row + 1}", 0.92)
        sheet.place(f"4-{row + 1}", 37, 132 + row * 28, 151, 28)
    sheet.shaded(15, 194, 11, 24, "[5]")
    for index in range(4):
        x, y = 26 + index % 2 * 81, 194 + index // 2 * 12
        sheet.label(x, y, 11, 12, f"({index + 1})")
        sheet.place(f"5-{index + 1}", x + 11, y, 70, 12)
        sheet.text(x + 72, y + 8, ("県", "年", "条約", "世紀")[index], 10)
    return sheet
