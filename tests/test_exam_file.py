"""EXAM.toml: what is read back, and the line and sentence of every mistake."""

from __future__ import annotations

import datetime
import re
import tomllib
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omr.design import Orientation, Paper, QuestionDesign, Writing
from omr.errors import InputError
from omr.layout import QuestionKind
from omr.mark_lines import CancelledMarks
from scoring.answer_switches import AnswerSwitches
from scoring.exam import Exam, Question, default_exam_id, design_sheet
from scoring.exam_file import read_exam, write_exam

VALID = """\
# 2学期 [[question]] = はここではただの文字
[exam]
title = "2学期 \\"期末\\" = 考査 [[question]]"
subject = '数学 #1'
date = 2026-11-27   # 金曜日
paper = "B4"
orientation = "landscape"

[[question]]
id = "1-1"
section = "1"
kind = "choice"
choices = [
  "ア",  # "#" も [ も
  "イ", 'ウ',
  "エ",
]
answer = ["イ"]
accept = ["ウ", ["ア", "エ"]]
points = 2
viewpoint = "知識・技能"

[[question]]
id = "1-2"
kind = "symbol"
choices = ["a", "b"]
answer = "b"
points = 1.5

[[question]]
id = "2"
kind = "number"
answer = [3]
accept = [3.0, "３"]
unit = "cm"
points = 0.25

[[question]]
id = "3"
kind = "text"
answer = "東京"
characters = 5
points = 3

[[question]]
id = "4"
kind = "essay"
answer = \"\"\"
一行目 = 答え
[[question]]
\"\"\"
lines = 4
points = 10

[[question]]
id = "5"
kind = "drawing"
points = 0
"""


def read_text(folder: Path, text: str | bytes) -> Exam:
    path = folder / "EXAM.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_exam(path)


def complaint(folder: Path, text: str | bytes) -> tuple[int, str]:
    """The line that the message names, and the message without the file's path."""
    with pytest.raises(InputError) as caught:
        read_text(folder, text)
    message = str(caught.value)
    found = re.fullmatch(rf"{re.escape(str(folder / 'EXAM.toml'))} (\d+)行目: (.*)", message)
    assert found, message
    assert "\n" not in message
    assert re.search(r"。(（ほか \d+ 件）)?$", message), message
    return int(found[1]), found[2]


def replaced(old: str, new: str) -> tuple[str, int]:
    """`VALID` with the only line that starts with `old` (after a `question id>` prefix) replaced; its line number.

    `old` is `key` for the heading and `id>key` for a question.
    """
    rows = VALID.split("\n")
    question, _, key = old.rpartition(">")
    start = rows.index(f'id = "{question}"') if question else 0
    index = next(at for at in range(start, len(rows)) if rows[at].startswith(key))
    rows[index] = new
    return "\n".join(rows), index + 1


def test_a_whole_exam_is_read(tmp_path: Path) -> None:
    exam = read_text(tmp_path, VALID)
    assert exam.title == '2学期 "期末" = 考査 [[question]]'
    assert exam.subject == "数学 #1"
    assert exam.date == datetime.date(2026, 11, 27)
    assert (exam.paper, exam.orientation, exam.writing) == (
        Paper.B4,
        Orientation.LANDSCAPE,
        Writing.HORIZONTAL,
    )
    assert [question.id for question in exam.questions] == ["1-1", "1-2", "2", "3", "4", "5"]
    choice, symbol, number, _, essay, drawing = exam.questions
    assert choice.choices == ("ア", "イ", "ウ", "エ")
    assert choice.right_answers == (("イ",), ("ウ",), ("ア", "エ"))
    assert symbol.answer == ("b",)
    assert number.right_answers == (("3",), ("3.0",), ("３",))
    assert essay.answer == ("一行目 = 答え\n[[question]]",)
    assert drawing.right_answers == ()
    assert exam.max_points == Decimal("16.75")


@pytest.mark.parametrize(
    "data",
    [
        VALID.encode("utf-8-sig"),
        VALID.replace("\n", "\r\n").encode(),
        VALID.replace("\n", "\r\n").encode("utf-8-sig"),
    ],
)
def test_bom_and_crlf_change_nothing(tmp_path: Path, data: bytes) -> None:
    assert read_text(tmp_path, data) == read_text(tmp_path, VALID)


def test_paper_and_date_have_other_forms(tmp_path: Path) -> None:
    text, _ = replaced("date", 'date = "2026-11-27"')
    text = text.replace('paper = "B4"\norientation = "landscape"\n', 'writing = "vertical"\n')
    exam = read_text(tmp_path, text)
    assert exam.date == datetime.date(2026, 11, 27)
    assert (exam.paper, exam.orientation, exam.writing) == (
        Paper.A4,
        Orientation.PORTRAIT,
        Writing.VERTICAL,
    )


def test_other_ways_to_write_the_same_tables_in_toml(tmp_path: Path) -> None:
    text = (
        'exam.title = "小テスト"\n"exam".id = "A1"\nquestion = [\n'
        '  {id = "1", kind = "drawing", points = 1},\n'
        '  {id = "2", kind = "drawing", points = -1},\n]\n'
    )
    assert complaint(tmp_path, text)[0] == 5
    assert len(read_text(tmp_path, text.replace("-1", "1")).questions) == 2


def test_points_are_exact(tmp_path: Path) -> None:
    exam = read_text(tmp_path, VALID)
    assert sum((exam.questions[2].points for _ in range(3)), Decimal(0)) == Decimal("0.75")
    text, _ = replaced("5>points", "points = 0.10")
    assert read_text(tmp_path, text).questions[-1].points == Decimal("0.1")


def test_the_default_id_is_stable_and_follows_the_heading(tmp_path: Path) -> None:
    exam = read_text(tmp_path, VALID)
    assert re.fullmatch(r"20261127-[A-Z0-9]{10}", exam.id)
    assert read_text(tmp_path, replaced("1-1>points", "points = 5")[0]).id == exam.id
    for line in ('title = "別の試験"', 'subject = "国語"', "date = 2026-11-28"):
        assert read_text(tmp_path, replaced(line.split()[0], line)[0]).id != exam.id
    heading = {"title": "小テスト", "subject": "数学", "date": datetime.date(2026, 5, 1)}
    assert default_exam_id(heading) == "20260501-CI2TDXGHZM"  # printed sheets carry it: it must never move


def test_a_key_not_decided_yet_is_written_as_an_empty_list(tmp_path: Path) -> None:
    text, _ = replaced("3>answer", "answer = []")
    assert read_text(tmp_path, text).questions[3].right_answers == ()


MISTAKES = [
    # what stands in the file → a word that the sentence must hold
    ("title", "title = 5", '" で囲んで'),
    ("title", 'title = ""', "空"),
    ("title", f'title = "{"あ" * 101}"', "100文字"),
    ("title", 'title = "a\\u0007b"', "見えない文字"),
    ("title", "title = 数学", '" で囲み'),
    ("title", 'title = "数学', "閉じて"),
    ("title", 'title = "数学　２', "閉じて"),
    ("title", "title = 数学２", '" で囲み'),
    ("title", "title ＝ 1", "全角の「＝」"),
    ("title", "\u3000title = 1", "全角の空白"),
    ("title", "title = “数学”", "全角の「“」"),
    ("title", "title", "項目 = 値"),
    ("subject", 'title = "もう一度"', "2回"),
    ("subject", 'subjct = "数学"', "subject の間違い"),
    ("subject", "questions = 5", "ありません"),
    ("date", "date = 2026-11-31", "date = 2026-11-27"),
    ("date", "date = 2026-1-5", "年4桁"),
    ("date", 'date = "2026/11/27"', "年4桁"),
    ("date", 'date = "2026-02-30"', "2026-02-30 という日"),
    ("date", "date = 2026-11-27T09:00:00", "年4桁"),
    ("paper", 'paper = "A5"', "A4, A3, B4, B5"),
    ("paper", 'paper = ["A4"]', "A4, A3, B4, B5"),
    ("orientation", 'orientation = "yoko"', "portrait, landscape"),
    ("orientation", 'cancelled_marks = "ignore"', "doubtful, not_marked"),
    (
        "orientation",
        'compare = {case = "ignore"}',
        "compare の case: 「ignore」は使えません。same, different",
    ),
    ("orientation", "compare = {kana = true}", "same, different"),
    ("orientation", 'compare = {spacs = "same"}', "spaces の間違い"),
    ("orientation", 'compare = {zzz = "same"}', "case, kana, spaces, missing_unit"),
    ("orientation", 'compare = "same"', 'compare = {case = "same"}'),
    ("orientation", 'id = "math-2"', "大文字"),
    ("orientation", 'id = ""', "大文字"),
    ("orientation", 'id = "A23456789-123456789-1"', "20文字"),
    ("1-1>id", "id = 1", '例: id = "1-1"'),
    ("1-1>id", f'id = "{"1" * 33}"', "32文字"),
    ("1-1>id", 'id = "1\\n1"', "見えない文字"),
    ("1-1>id", 'id = " "', "空"),
    ("3>id", 'id = "1-2"', "2番目と4番目"),
    ("1-1>kind", 'kind = "chioce"', "choice, symbol, number, text, essay, drawing"),
    ("1-1>kind", "kind = true", "choice, symbol"),
    ("1-1>answer", 'answer = ["オ"]', "ア・イ・ウ・エ"),
    ("1-1>answer", 'answer = ["ア", "ア"]', "2回"),
    ("1-1>answer", "answer = [true]", '" で囲んで'),
    ("1-1>answer", "answer = []", "accept（別解）があるのに"),
    ("1-1>answer", "answer = {a = 1}", "書き方"),
    ("1-1>answer", 'answer = ["イ"', "閉じて"),
    ("1-1>answer", 'answer = ["イ",', "= の右の値"),
    ("1-1>accept", 'accept = [["ア", "オ"]]', "「オ」"),
    ("1-1>accept", 'accept = [[["ア"]]]', '" で囲んで'),
    ("1-1>accept", "accept = [[]]", "空"),
    ("1-1>accept", "accept = 2026-01-01", "書き方"),
    ("1-1>points", 'points = "2"', '" で囲まずに'),
    ("1-1>points", "points = true", "0 以上の数"),
    ("1-1>points", "points = -1", "マイナス"),
    ("1-1>points", "points = 1.234", "2桁"),
    ("1-1>points", "points = nan", "以下"),
    ("1-1>points", "points = inf", "以下"),
    ("1-1>points", "points = 1e400", "以下"),
    ("1-1>points", "points = 1e-9", "2桁"),
    ("1-1>points", "points = 1e999999999999999999999", "以下"),
    ("1-1>points", "points = 2点", "余分"),
    ("1-1>points", "points = ２", "全角の「２」"),
    ("1-1>viewpoint", 'rule = "完答"', "まだ使えません"),
    ("1-1>viewpoint", 'group = "a"', "まだ使えません"),
    ("1-1>viewpoint", 'view_point = "知識・技能"', "viewpoint の間違い"),
    ("1-1>viewpoint", "zzz = 1", "使えるのは"),
    ("1-1>viewpoint", "characters = 5", "choice では消して"),
    ("1-1>viewpoint", 'compare = {case = "same"}', "choice では消して"),
    ("2>unit", 'compare = {fractions = "same"}', "fraction の間違い"),
    ("2>unit", 'compare = {fraction = "yes"}', "compare の fraction"),
    ("1-2>choices", 'choices = ["a", "bc"]', "1文字"),
    ("1-2>choices", 'choices = ["a", "a", "b"]', "2回"),
    ("1-2>answer", 'answer = "c"', "a・b"),
    ("2>answer", 'answer = ["3", "4"]', "accept（別解）に1つずつ"),
    ("2>accept", 'accept = [["3", "4"]]', "1つの文字列"),
    ("2>unit", 'choices = ["1"]', "choice と symbol"),
    ("3>characters", "characters = 0", "1 から 2000"),
    ("3>characters", 'characters = "5"', "1 から 2000"),
    ("3>characters", "characters = true", "1 から 2000"),
    ("3>characters", "lines = 3", "essay"),
    ("4>lines", "lines = 1.5", "1 から 100"),
    ("5>kind", 'kind = "choice"', "choices（選択肢）"),
]


@pytest.mark.parametrize(("old", "new", "word"), MISTAKES)
def test_each_mistake_names_its_line_and_what_is_expected(
    tmp_path: Path, old: str, new: str, word: str
) -> None:
    text, line = replaced(old, new)
    told, sentence = complaint(tmp_path, text)
    assert word in sentence
    if "choices（選択肢）" in word:  # the missing key stands nowhere; its question does
        assert text.split("\n")[told - 1] == "[[question]]"
        assert told == line - 2
    else:
        assert told == line
    # The line is the same with a BOM and CRLF.
    assert complaint(tmp_path, text.replace("\n", "\r\n").encode("utf-8-sig")) == (told, sentence)


@pytest.mark.parametrize(
    ("cut", "told_at", "word"),
    [
        ("title", "[exam]", "title がありません"),
        ("subject", "[exam]", "subject がありません"),
        ("date", "[exam]", "date がありません"),
        ("1-1>points", "[[question]]", "points がありません"),
        ("1-1>kind", "[[question]]", "kind がありません"),
        ("1-1>answer", "[[question]]", "answer（正答）がありません"),
    ],
)
def test_a_missing_key_names_the_table(tmp_path: Path, cut: str, told_at: str, word: str) -> None:
    text, _ = replaced(cut, "")
    line, sentence = complaint(tmp_path, text)
    assert line == text.split("\n").index(told_at) + 1
    assert word in sentence


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("", 1, "[exam] がありません"),
        ('[exam]\ntitle = "a"\n\n', 2, "設問が1つもありません"),
        ("[exam]\nquestion = []\n", 2, "ありません"),
        ("question = []\n[exam]\n", 1, "1つもありません"),
        ('[exam]\ntitle = "a"\n[question]\nid = "1"', 3, "二重の [ ]"),
        ('[exam]\ntitle = "a"\n[[questions]]\nid = "1"', 3, "question の間違い"),
        ('[[exam]]\ntitle = "a"\n[[question]]\nid = "1"', 1, "[exam] の下"),
        ('title = "a"\n[exam]\n[[question]]\nid = "1"', 1, "title"),
        ('[exam]\nid = "A"\ntitle = "a"\n[exam]\n', 4, "2回"),
        ('[exam]\ntitle = """a\nb\nc\n', 2, "閉じて"),
        ('[exam]\ntitle = "a"\n[[question]\nid = "1"', 3, "[ ] の数"),
        ("a = " + "[" * 20000, 1, "TOML"),
    ],
)
def test_the_shape_of_the_file(tmp_path: Path, text: str, line: int, word: str) -> None:
    told, sentence = complaint(tmp_path, text)
    assert (told, word in sentence) == (line, True), sentence


def test_an_array_left_open_is_told_where_it_is(tmp_path: Path) -> None:
    for broken in ('choices = ["ア", "イ"', 'choices = ["ア",\n  "イ"', 'choices = [\n  "ア"\n  "イ",\n]'):
        text = f'[exam]\nid = "A"\ntitle = "a"\n[[question]]\n{broken}\n\n[[question]]\nid = "2"\n'
        line, sentence = complaint(tmp_path, text)
        assert line == (5 if "\n" not in broken else 6)
        assert "choices" in sentence or "閉じて" in sentence


def test_the_first_of_several_mistakes_is_told_and_the_others_counted(tmp_path: Path) -> None:
    text = VALID.replace("points = 10", "points = -10").replace("points = 1.5", "points = 1.555")
    text = text.replace('"B4"', '"C4"')
    line, sentence = complaint(tmp_path, text)
    assert text.split("\n")[line - 1] == 'paper = "C4"'
    assert sentence.endswith("。（ほか 2 件）")


def test_the_element_of_a_long_array_is_told(tmp_path: Path) -> None:
    text = VALID.replace("accept = [3.0,", "accept = [\n  3.0,\n  true,\n ")
    line, _ = complaint(tmp_path, text)
    assert text.split("\n")[line - 1] == "  true,"


def test_cp932_is_told_to_be_saved_as_utf8(tmp_path: Path) -> None:
    line, sentence = complaint(tmp_path, VALID.split("\n", 1)[1].encode("cp932"))
    assert line == 2
    assert "UTF-8" in sentence


@pytest.mark.parametrize(
    ("name", "words"),
    [("no-such.toml", "ファイル名と場所"), (".", "最初に EXAM.toml"), ("a.CSV", "最初に EXAM.toml")],
)
def test_a_missing_file_is_told(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_exam(tmp_path / name)


def test_an_exam_without_date_needs_an_id(tmp_path: Path) -> None:
    text, _ = replaced("date", 'id = "2026-2F-MATH2"')
    exam = read_text(tmp_path, text)
    assert (exam.id, exam.date) == ("2026-2F-MATH2", None)
    assert design_sheet(exam).date == ""


def test_the_sheet_knows_nothing_of_the_key(tmp_path: Path) -> None:
    exam = read_text(tmp_path, VALID)
    design = design_sheet(exam)
    other = VALID
    for old, new in (
        ('answer = ["イ"]', 'answer = ["ア", "ウ"]'),
        ('accept = ["ウ", ["ア", "エ"]]', "accept = []"),
        ("points = 2\n", "points = 7.5\n"),
        ("知識・技能", "思考・判断・表現"),
        ('choices = ["a", "b"]', 'choices = ["a", "b", "c"]'),
    ):
        assert old in other
        other = other.replace(old, new)
    assert design_sheet(read_text(tmp_path, other)) == design
    assert design.date == "2026年11月27日"
    assert design.page_size == (364.0, 257.0)
    assert design.questions[0] == QuestionDesign(
        "1-1", QuestionKind.CHOICE, section="1", choices=("ア", "イ", "ウ", "エ")
    )
    assert design.questions[2].unit == "cm"
    assert design.questions[3].characters == 5
    assert design.questions[4].lines == 4


# What holds for every exam

_characters = st.characters(
    blacklist_categories=["Cc", "Cs", "Zl", "Zp", "Cn"], blacklist_characters=";"
) | st.sampled_from("\"\\#[]='あア字")
_texts = st.text(_characters, min_size=1, max_size=12).map(str.strip).filter(bool)
_symbols = st.sampled_from("アイウエオ１２３abc①㋐")
_switches = st.none() | st.dictionaries(
    st.sampled_from(list(AnswerSwitches.model_fields)), st.sampled_from(["same", "different"])
)
_points = st.decimals(0, 9999, places=2)


@st.composite
def questions(draw: st.DrawFn, number: int) -> Question:
    kind = draw(st.sampled_from(QuestionKind))
    choices: list[str] = []
    answers = _texts
    if kind in {QuestionKind.CHOICE, QuestionKind.SYMBOL}:
        labels = _texts if kind is QuestionKind.CHOICE else _symbols
        choices = draw(st.lists(labels, min_size=1, max_size=8, unique=True))
        answers = st.sampled_from(choices)
    several = len(choices) if kind is QuestionKind.CHOICE else 1
    answer = draw(st.lists(answers, max_size=several, unique=True))
    accept = st.lists(answers, min_size=1, max_size=several, unique=True)
    return Question.model_validate(
        {
            "id": f"{draw(_texts)}{number}",
            "section": draw(st.none() | _texts),
            "kind": kind,
            "choices": choices,
            "answer": answer,
            "accept": draw(st.lists(accept, max_size=3)) if answer else [],
            "points": draw(_points),
            "viewpoint": draw(st.none() | _texts),
            "compare": draw(_switches) if kind in {"symbol", "number", "text"} else None,
            "lines": draw(st.none() | st.integers(1, 100)) if kind is QuestionKind.ESSAY else None,
        }
    )


@st.composite
def exams(draw: st.DrawFn) -> Exam:
    heading = {
        "title": draw(_texts),
        "subject": draw(_texts),
        "date": draw(st.dates()),
        "paper": draw(st.sampled_from(Paper)),
        "orientation": draw(st.sampled_from(Orientation)),
        "writing": draw(st.sampled_from(Writing)),
        "cancelled_marks": draw(st.sampled_from(CancelledMarks)),
        "compare": draw(_switches),
        "questions": [draw(questions(number)) for number in range(draw(st.integers(1, 4)))],
    }
    exam_id = draw(st.none() | st.from_regex(r"[A-Z0-9-]{1,20}", fullmatch=True))
    return Exam.model_validate(heading if exam_id is None else {**heading, "id": exam_id})


@settings(deadline=None, derandomize=True, max_examples=60)
@given(exam=exams())
def test_what_is_written_reads_back_equal(tmp_path_factory: pytest.TempPathFactory, exam: Exam) -> None:
    path = tmp_path_factory.mktemp("exam") / "EXAM.toml"
    write_exam(exam, path)
    assert read_exam(path) == exam


_BROKEN_LINES = [
    "points = -1",
    "points = 1.005",
    'points = "2"',
    'points = ["2"',
    "points = 1 1",
    "points = ",
    "ponits = 1",
    "points = 2.",
    "points = 'a",
    "= 3",
]


@settings(deadline=None, derandomize=True, max_examples=100)
@given(exam=exams(), number=st.integers(0, 3), broken=st.sampled_from(_BROKEN_LINES), blank=st.integers(0, 2))
def test_the_line_told_is_the_line_that_was_broken(
    tmp_path_factory: pytest.TempPathFactory, exam: Exam, number: int, broken: str, blank: int
) -> None:
    path = tmp_path_factory.mktemp("exam") / "EXAM.toml"
    write_exam(exam, path)
    rows = path.read_text(encoding="utf-8").replace("\n[[", "\n" * blank + "\n[[").split("\n")
    places = [index for index, row in enumerate(rows) if row.startswith("points = ")]
    place = places[number % len(places)]
    rows[place] = broken
    path.write_text("\n".join(rows), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_exam(path)
    assert f" {place + 1}行目: " in str(caught.value)


# The documentation


def test_the_documented_example_reads_and_every_key_has_its_line(tmp_path: Path) -> None:
    text = (Path(__file__).parents[1] / "docs" / "exam-toml.md").read_text(encoding="utf-8")
    exam = read_text(tmp_path, text.split("```toml\n")[1].split("```")[0])
    assert exam.max_points == Decimal("20.5")
    heading, _, questions = text.partition("## `[[question]]`")
    for key in {*Exam.model_fields} - {"questions"}:
        assert f"| `{key}` |" in heading
    for key in [*Question.model_fields, *AnswerSwitches.model_fields]:
        assert f"| `{key}` |" in questions
    # Each documented example is one line that TOML reads.
    for example in re.findall(r"\| `(\w+ = [^`]*)` \|$", text, re.MULTILINE):
        assert tomllib.loads(example)
