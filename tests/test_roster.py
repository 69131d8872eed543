"""ROSTER.csv: what is read, and the line and sentence of every mistake."""

from __future__ import annotations

import csv
import re
import uuid
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omr.design import SheetOwner
from omr.errors import InputError
from omr.sheet_code import student_digest
from scoring.roster import COLUMNS, Roster, Student, parse_roster, read_roster

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "student_id,grade,class,number,name,kana"
FIRST = "20260001,2,1,1,佐藤 花,さとう はな"
SECOND = "20260002,2,1,02,鈴木 空,すずき そら"
THIRD = "20260003,2,A,３,𠮷田 海,よしだ うみ"
UUID = str(uuid.UUID(int=7))


def read_bytes(folder: Path, data: bytes) -> Roster:
    path = folder / "ROSTER.csv"
    path.write_bytes(data)
    return read_roster(path)


def read_rows(folder: Path, *rows: str) -> Roster:
    return read_bytes(folder, "\n".join(rows).encode())


def complaint(folder: Path, *rows: str) -> tuple[int, str]:
    """The line that the message names, and the message without the file's path."""
    with pytest.raises(InputError) as caught:
        read_rows(folder, *rows)
    message = str(caught.value)
    found = re.fullmatch(rf"{re.escape(str(folder / 'ROSTER.csv'))} (\d+)行目: (.*。)", message)
    assert found, message
    return int(found[1]), found[2]


def test_students_stand_in_roster_order(tmp_path: Path) -> None:
    roster = read_rows(tmp_path, HEADER, SECOND, FIRST, THIRD, "")
    assert [student.student_id for student in roster.students] == ["20260002", "20260001", "20260003"]
    assert roster.students[2] == Student("20260003", "2", "A", "３", "𠮷田 海", "よしだ うみ")
    assert roster.owners()[1] == SheetOwner("20260001", "2", "1", "1", "佐藤 花", "さとう はな")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_encodings_and_line_ends_change_nothing(tmp_path: Path, encoding: str, line_end: str) -> None:
    text = line_end.join([HEADER, FIRST, SECOND, "3,2,1,3,髙﨑 ～,たかさき", ""])
    roster = read_bytes(tmp_path, text.encode(encoding))
    assert [student.name for student in roster.students] == ["佐藤 花", "鈴木 空", "髙﨑 ～"]


def test_columns_may_stand_anywhere_and_others_are_ignored(tmp_path: Path) -> None:
    roster = read_rows(
        tmp_path,
        "kana,Name,備考,number,class,grade,student_id,",
        f'さとう,"佐藤, ""花""",-,1,B,3,{UUID},',
        "",
    )
    assert roster.students == (Student(UUID, "3", "B", "1", '佐藤, "花"', "さとう"),)


def test_rows_copied_from_a_spreadsheet_are_a_roster_too() -> None:
    copied = "生徒コード\t学年\t組\t出席番号\t氏名\tふりがな\ns-1\t2\t1\t1\t見本, 一郎\tみほん いちろう\n"
    written = 'student_id,grade,class,number,name,kana\ns-1,2,1,1,"見本, 一郎",みほん いちろう\n'
    assert parse_roster(copied.encode(), "copied") == parse_roster(written.encode(), "written")


def test_blank_lines_are_skipped_and_counted(tmp_path: Path) -> None:
    rows = ("", HEADER, "", FIRST, ",,,,,", "  ", SECOND, "")
    assert len(read_rows(tmp_path, *rows).students) == 2
    assert complaint(tmp_path, *rows, FIRST)[0] == 9


def test_students_are_found_by_digest(tmp_path: Path) -> None:
    roster = read_rows(tmp_path, HEADER, FIRST, f"{UUID},2,1,5,a,a")
    assert roster.by_digest[student_digest(UUID)].student_id == UUID
    assert roster.by_digest.get(student_digest("someone else")) is None


def test_students_are_found_by_place_whatever_the_digits_look_like(tmp_path: Path) -> None:
    roster = read_rows(tmp_path, HEADER, FIRST, SECOND, THIRD, "x,2,1,40,a,a", "y,,1,1,a,a")
    for grade, class_name, number, found in [
        ("2", "1", "1", "20260001"),
        ("2", "01", "001", "20260001"),
        ("２", "１", "２", "20260002"),
        ("2", "1", "2", "20260002"),
        ("2年", "1組", "2番", "20260002"),
        ("2", "a", "3", "20260003"),
        ("2", "1", "40", "x"),
    ]:
        student = roster.find(grade, class_name, number)
        assert student is not None
        assert student.student_id == found
    for grade, class_name, number in [("2", "1", "4"), ("2", "1", ""), ("", "1", "1"), ("20", "1", "1")]:
        assert roster.find(grade, class_name, number) is None


@pytest.mark.parametrize(
    ("rows", "line", "words"),
    [
        (
            ("student_id,grade,class,number,name", FIRST),
            1,
            ["kana がありません", "grade,class,number,name）"],
        ),
        (("学籍番号,学年,組,番号,氏名,かな", FIRST), 1, ["student_id がありません", "学籍番号,学年"]),
        ((FIRST, SECOND), 1, ["student_id がありません", "佐藤"]),
        ((HEADER + ",name", FIRST), 1, ["name が2つ"]),
        (("",), 1, ["student_id がありません", "なし"]),
        ((HEADER, ""), 1, ["1人もいません"]),
        ((HEADER, FIRST, ",2,1,3,名前,なまえ"), 3, ["student_id が空"]),
        ((HEADER, FIRST, "", SECOND.replace("20260002", "20260001")), 4, ["20260001", "2行目"]),
        ((HEADER, FIRST, SECOND.replace(",02,", ",０1,")), 3, ["2・1・０1", "2行目"]),
        ((HEADER, FIRST, SECOND + ",余分"), 3, ["7個", "6個"]),
        ((HEADER, "20260001,2,1,1,佐藤 花", SECOND), 2, ["5個", "6個"]),
        ((HEADER, FIRST, '3,2,1,3,"閉じない,かな', SECOND), 3, ["CSV として"]),
        ((HEADER, '1,2,1,1,"佐藤\n花",さとう', SECOND), 2, ["name に改行"]),
        ((HEADER, FIRST, "7743550,2,1,8,a,a", "8838380,2,1,9,b,b"), 4, ["コード", "3行目"]),
    ],
)
def test_each_mistake_names_its_line_and_what_is_expected(
    tmp_path: Path, rows: tuple[str, ...], line: int, words: list[str]
) -> None:
    told, sentence = complaint(tmp_path, *rows)
    assert told == line, sentence
    for word in words:
        assert word in sentence


def test_the_colliding_ids_above_really_collide() -> None:
    assert student_digest("7743550") == student_digest("8838380")


@pytest.mark.parametrize(
    "data",
    [
        f"{HEADER}\n{FIRST}\n".encode("utf-16"),
        f"{HEADER}\n{FIRST}\n".encode("utf-16-le"),
        f"{HEADER}\n".encode() + b"1,2,1,1,\x80\xff\xfd,a\n",
        b"\xef\xbb\xbf" + f"{HEADER}\n1,2,1,1,".encode() + "佐藤,さとう".encode("cp932"),
    ],
)
def test_an_undecodable_file_is_told_how_to_save_it(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(InputError, match=r"\d行目: .*CSV UTF-8"):
        read_bytes(tmp_path, data)


@pytest.mark.parametrize("name", ["no-such.csv", "."])
def test_a_missing_file_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="ファイル名と場所"):
        read_roster(tmp_path / name)


_cells = st.text(st.characters(blacklist_categories=["Cc", "Cs"]), min_size=1, max_size=10).filter(
    lambda text: text == text.strip() and bool(text)
)


@settings(deadline=None, derandomize=True, max_examples=50)
@given(
    ids=st.lists(_cells, min_size=1, max_size=6, unique=True),
    names=st.lists(_cells, min_size=6, max_size=6),
    order=st.permutations(range(len(COLUMNS))),
    line_end=st.sampled_from(["\n", "\r\n"]),
)
def test_any_text_reads_back_as_written(
    tmp_path_factory: pytest.TempPathFactory,
    ids: list[str],
    names: list[str],
    order: list[int],
    line_end: str,
) -> None:
    students = [
        Student(student_id, "1", "2", str(number), names[number], names[-number])
        for number, student_id in enumerate(ids)
    ]
    path = tmp_path_factory.mktemp("roster") / "ROSTER.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, lineterminator=line_end)
        writer.writerow([COLUMNS[place] for place in order])
        for one in students:
            cells = (one.student_id, one.grade, one.class_name, one.number, one.name, one.kana)
            writer.writerow([cells[place] for place in order])
    roster = read_roster(path)
    assert list(roster.students) == students
    for student in students:
        assert roster.by_digest[student_digest(student.student_id)] == student
        assert roster.find("01", "２", f"0{student.number}") == student
