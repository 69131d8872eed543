"""The roster (名簿): the students of an exam, read from ROSTER.csv."""

from __future__ import annotations

import codecs
import csv
import io
import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path  # noqa: TC003  (part of public signatures)
from typing import TYPE_CHECKING

from omr.design import SheetOwner
from omr.errors import InputError
from omr.sheet_code import student_digest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

COLUMNS = ("student_id", "grade", "class", "number", "name", "kana")
_HEADINGS = {
    "生徒id": "student_id",
    "生徒コード": "student_id",
    "生徒番号": "student_id",
    "学年": "grade",
    "年": "grade",
    "組": "class",
    "クラス": "class",
    "番号": "number",
    "番": "number",
    "出席番号": "number",
    "氏名": "name",
    "名前": "name",
    "ふりがな": "kana",
    "フリガナ": "kana",
    "かな": "kana",
    "カナ": "kana",
}
"""What teachers call the columns."""
_NOT_TEXT = re.compile("[\0\x80-\x9f\uf8f0-\uf8f3]")
"""What Python's CP932 makes of UTF-16 and of bytes that CP932 does not have."""
_NUMBERED = re.compile(r"0*(\d+)[年組番]?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Student:
    """One line of the roster, as written there.

    Attributes:
        student_id: any text, unique.
        grade: 学年.
        class_name: 組.
        number: 出席番号.
        name: 氏名.
        kana: ふりがな.
    """

    student_id: str
    grade: str
    class_name: str
    number: str
    name: str
    kana: str

    @property
    def owner(self) -> SheetOwner:
        """The student as the printed sheet knows them."""
        return SheetOwner(self.student_id, self.grade, self.class_name, self.number, self.name, self.kana)


@dataclass(frozen=True)
class Roster:
    """The students in roster order."""

    students: tuple[Student, ...]

    @cached_property
    def by_digest(self) -> Mapping[str, Student]:
        """Students by the student part of a sheet code."""
        return {student_digest(student.student_id): student for student in self.students}

    @cached_property
    def _by_place(self) -> Mapping[tuple[str, str, str], Student]:
        return {place: student for student in self.students if (place := _place(student)) is not None}

    def find(self, grade: str, class_name: str, number: str) -> Student | None:
        """The student of this grade, class and attendance number.

        Numbers are compared by value: "03", "3", "３" and "3組" are the same.
        """
        return self._by_place.get((_comparable(grade), _comparable(class_name), _comparable(number)))

    def owners(self) -> list[SheetOwner]:
        """Whom to print sheets for, in roster order."""
        return [student.owner for student in self.students]


def read_roster(path: Path) -> Roster:
    """Read ROSTER.csv: UTF-8 (with or without BOM) or CP932, columns in any order, others ignored.

    Raises:
        InputError: the file can't be read or is not a roster; the message names the line and what is expected.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"{path}: 名簿のファイルを読めません。ファイル名と場所を確かめてください。"
        ) from error
    return parse_roster(data, str(path))


def parse_roster(data: bytes, name: str) -> Roster:
    """The roster of a ROSTER.csv that is already read, or of rows copied from a spreadsheet (columns with tabs between).

    Args:
        data: the file's content.
        name: what messages call the file.

    Raises:
        InputError: it is not a roster; the message as from `read_roster`.
    """
    rows = _rows(data, name)
    header_line, header = next(rows, (1, []))
    places = _column_places(name, header_line, header)
    students: list[Student] = []
    lines: list[int] = []
    for line, cells in rows:
        if len(cells) != len(header):
            raise InputError(
                f"{name} {line}行目: 項目の数が{len(cells)}個です。"
                f"見出し（{header_line}行目）と同じ{len(header)}個にしてください（, の数を確かめてください）。"
            )
        students.append(_student(name, line, [cells[place] for place in places]))
        lines.append(line)
    if not students:
        raise InputError(
            f"{name} {header_line}行目: 生徒が1人もいません。見出しの次の行から1行に1人ずつ書いてください。"
        )
    _check_unique(name, students, lines)
    return Roster(tuple(students))


def _rows(data: bytes, name: str) -> Iterator[tuple[int, list[str]]]:
    """Every row that is not blank, with the line on which it begins."""
    text = _decoded(data, name)
    is_copied = "\t" in text.lstrip().partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter="\t" if is_copied else ",")
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise InputError(
                f'{name} {line}行目: CSV として読めません。" で始まる項目は " で閉じて、'
                "表計算ソフトから CSV で保存し直してください。"
            ) from error
        if cells is None:
            return
        stripped = [cell.strip() for cell in cells]
        if any(stripped):
            yield line, stripped


def _decoded(data: bytes, name: str) -> str:
    encodings = ("utf-8-sig",) if data.startswith(codecs.BOM_UTF8) else ("utf-8", "cp932")
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not _NOT_TEXT.search(text):
            return text
    line = _first_undecodable_line(data)
    raise InputError(
        f"{name} {line}行目: 文字コードが UTF-8 でも Shift_JIS（CP932）でもありません。"
        "表計算ソフトで「CSV UTF-8」として保存し直してください。"
    )


def _first_undecodable_line(data: bytes) -> int:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return data.count(b"\n", 0, error.start) + 1
    return 1


def _column_places(name: str, line: int, header: list[str]) -> list[int]:
    """Where the columns of `COLUMNS` stand in the header."""
    names = [_HEADINGS.get(name.lower(), name.lower()) for name in header]
    for column in COLUMNS:
        if names.count(column) == 1:
            continue
        trouble = "が2つあります" if column in names else "がありません"
        raise InputError(
            f"{name} {line}行目: 見出しに {column} {trouble}"
            f"（今の見出し: {','.join(header) or 'なし'}）。{','.join(COLUMNS)} と書いてください。"
        )
    return [names.index(column) for column in COLUMNS]


def _student(name: str, line: int, cells: list[str]) -> Student:
    for column, cell in zip(COLUMNS, cells, strict=True):
        if any(unicodedata.category(character) == "Cc" for character in cell):
            raise InputError(
                f"{name} {line}行目: {column} に改行などの見えない文字があります。取り除いてください。"
            )
    student = Student(*cells)
    if not student.student_id:
        raise InputError(
            f"{name} {line}行目: student_id が空です。生徒ごとに違う番号や文字を書いてください。"
        )
    return student


def _check_unique(name: str, students: list[Student], lines: list[int]) -> None:
    """No two students may share an id, a place in the class or a sheet code."""
    ids: dict[str, int] = {}
    places: dict[tuple[str, str, str], int] = {}
    digests: dict[str, int] = {}
    for student, line in zip(students, lines, strict=True):
        first = ids.setdefault(student.student_id, line)
        if first != line:
            raise InputError(
                f"{name} {line}行目: student_id「{student.student_id}」が{first}行目と同じです。"
                "生徒ごとに違うものにしてください。"
            )
        place = _place(student)
        first = places.setdefault(place, line) if place else line
        if first != line:
            raise InputError(
                f"{name} {line}行目: 学年・組・番号（{student.grade}・{student.class_name}・{student.number}）が"
                f"{first}行目と同じです。どちらかを直してください。"
            )
        first = digests.setdefault(student_digest(student.student_id), line)
        if first != line:
            raise InputError(
                f"{name} {line}行目: この student_id の解答用紙コードが{first}行目の生徒と同じになります。"
                "どちらかの student_id を変えてください。"
            )


def _place(student: Student) -> tuple[str, str, str] | None:
    """Grade, class and number for comparison; None where one of them is empty."""
    grade, class_name, number = (
        _comparable(text) for text in (student.grade, student.class_name, student.number)
    )
    return (grade, class_name, number) if grade and class_name and number else None


def _comparable(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).strip().upper()
    numbered = _NUMBERED.fullmatch(plain)
    return numbered[1] if numbered else plain
