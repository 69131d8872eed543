"""EXAM.toml: reading it with the line of every mistake, and writing it. The format: docs/exam-toml.md."""

from __future__ import annotations

import difflib
import tomllib
from decimal import Decimal, InvalidOperation
from pathlib import Path  # noqa: TC003  (part of public signatures)
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from omr.errors import InputError
from scoring.answer_switches import AnswerSwitches
from scoring.exam import Exam, Question
from scoring.points import format_points
from scoring.toml_lines import line_of, locate
from scoring.toml_mistakes import EXAMPLES, Problem, syntax_problem

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from scoring.toml_lines import TomlPath

_EXAM_ID_EXAMPLE = 'id = "2026-2F-MATH2"'
_QUESTION_ID_EXAMPLE = 'id = "1-1"'
_EXAM_KEYS = ["id", *(key for key in Exam.model_fields if key not in {"id", "questions"})]
_QUESTION_KEYS = list(Question.model_fields)
_OTHER_FILES = frozenset([".csv", ".xlsx", ".json", ".pdf", ".tif", ".tiff", ".jpg", ".jpeg", ".png"])
"""Names of rosters, layouts and scans: arguments in the wrong order."""
_NOT_YET = {"group", "rule"}


def read_exam(path: Path) -> Exam:
    """Read EXAM.toml (UTF-8 with or without BOM, LF or CRLF).

    Raises:
        InputError: the file can't be read or is not an exam; the message names the line, what is wrong and
            what is expected, and how many more mistakes there are.
    """
    if path.is_dir() or path.suffix.lower() in _OTHER_FILES:
        raise InputError(
            f"{path} は試験の設定（EXAM.toml）ではありません。最初に EXAM.toml を指定し、スキャンはその後に、名簿は --roster の後に置いてください。"
        )
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"{path}: 試験のファイルを読めません。ファイル名と場所を確かめてください。"
        ) from error
    return parse_exam(data, str(path))


def parse_exam(data: bytes, name: str) -> Exam:
    """The exam of an EXAM.toml that is already read.

    Args:
        data: the file's content.
        name: what messages call the file.

    Raises:
        InputError: it is not an exam; the message as from `read_exam`.
    """
    text = _decoded(data, name)
    try:
        plain = tomllib.loads(text, parse_float=_exact)
        lines = locate(text)
    except (ValueError, RecursionError) as error:
        raise _input_error(name, [syntax_problem(text, error)]) from error
    problems = _shape_problems(plain, lines, last_line=text.rstrip().count("\n") + 1)
    if problems:
        raise _input_error(name, problems)
    try:
        return Exam.model_validate({**plain["exam"], "questions": plain["question"]})
    except ValidationError as error:
        raise _input_error(name, _problems(error, lines)) from error


def write_exam(exam: Exam, path: Path) -> None:
    """Write EXAM.toml (UTF-8, LF); `read_exam` gives the same exam back."""
    path.write_text(exam_to_toml(exam), encoding="utf-8", newline="\n")


def exam_to_toml(exam: Exam) -> str:
    """The exam as the text of EXAM.toml, in the order of docs/exam-toml.md."""
    heading = exam.model_dump(exclude={"questions"}, exclude_none=True)
    tables = [["[exam]", *_pairs({"id": heading.pop("id"), **heading})]]
    for question in exam.questions:
        plain = question.model_dump(exclude_none=True)
        plain["accept"] = tuple(one[0] if len(one) == 1 else one for one in question.accept)
        empty = {key for key, value in plain.items() if value == ()}
        undecided = {"answer"} if "answer" in question.model_fields_set else set()
        plain = {key: value for key, value in plain.items() if key not in empty - undecided}
        tables.append(["[[question]]", *_pairs(plain)])
    return "\n\n".join("\n".join(table) for table in tables) + "\n"


def _decoded(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{name} {line}行目: 文字コードが UTF-8 ではありません。"
            "メモ帳などで文字コード「UTF-8」を選んで保存し直してください。"
        ) from error


def _exact(text: str) -> Decimal:
    """A TOML number with its digits as written; one beyond all bounds is infinite."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal("Infinity")


def _input_error(name: str, problems: list[Problem]) -> InputError:
    first = min(problems, key=lambda problem: problem.line)
    more = f"（ほか {len(problems) - 1} 件）" if len(problems) > 1 else ""
    return InputError(f"{name} {first.line}行目: {first.sentence}。{more}")


def _shape_problems(plain: dict[str, Any], lines: dict[TomlPath, int], last_line: int) -> list[Problem]:
    """Whether there is one [exam] and at least one [[question]], and nothing else."""
    unknown: list[TomlPath] = [(key,) for key in plain if key not in {"exam", "question"}]
    if unknown:  # most likely a misspelt [exam] or [[question]], which is then not missing as well
        return [Problem(line_of(lines, path), _unknown_key(path)) for path in unknown]
    return _exam_problems(plain.get("exam"), lines) + _question_problems(
        plain.get("question"), lines, last_line
    )


def _exam_problems(exam: object, lines: dict[TomlPath, int]) -> list[Problem]:
    if exam is None:
        return [Problem(1, "試験の見出し [exam] がありません（例: [exam]）")]
    if not isinstance(exam, dict):
        return [Problem(line_of(lines, ("exam",)), "試験は [exam] の下に書いてください（例: [exam]）")]
    if "questions" in exam:  # a field of the model, but not a key of the file
        return [Problem(line_of(lines, ("exam", "questions")), _unknown_key(("exam", "questions")))]
    return []


def _question_problems(questions: object, lines: dict[TomlPath, int], last_line: int) -> list[Problem]:
    line = line_of(lines, ("question",))
    if questions is None or questions == []:
        sentence = "設問が1つもありません。設問ごとに [[question]] を書いてください（例: [[question]]）"
        return [Problem(last_line if questions is None else line, sentence)]
    if not isinstance(questions, list) or not all(isinstance(one, dict) for one in questions):
        return [Problem(line, "設問は [[question]] と二重の [ ] で書いてください（例: [[question]]）")]
    return []


def _problems(error: ValidationError, lines: dict[TomlPath, int]) -> list[Problem]:
    details = error.errors()
    misspelt = {
        (*path[:-1], near)
        for detail in details
        if detail["type"] == "extra_forbidden" and (near := _nearest_key(path := _toml_path(detail)))
    }
    return [
        _problem(detail, lines)
        for detail in details
        if detail["type"] != "default_factory_not_called"  # the default id waits for a right title and date
        and not (detail["type"] == "missing" and _toml_path(detail) in misspelt)
    ]


def _problem(detail: ErrorDetails, lines: dict[TomlPath, int]) -> Problem:
    path = _toml_path(detail)
    line = line_of(lines, path)
    if detail["type"] == "extra_forbidden":
        return Problem(line, _unknown_key(path))
    key, *inside = (str(one) for one in path[2 if path[0] == "question" else 1 :])
    sentence = _sentence(detail, key)
    if key == "compare" and inside:
        sentence = f"{key} の {inside[0]}: {sentence}"
    elif not sentence.startswith(key):
        sentence = f"{key}: {sentence}"
    if detail["type"] != "exam":  # a fault between several keys says by itself what is expected
        sentence += f"（例: {_example(path[0], key)}）"
    return Problem(line, sentence)


def _toml_path(detail: ErrorDetails) -> TomlPath:
    """Where a fault of the model stands in the file."""
    place = detail.get("ctx", {}).get("place", ())
    path = place if place and place[0] == "questions" else (*detail["loc"], *place)
    return ("question", *path[1:]) if path[:1] == ("questions",) else ("exam", *path)


def _sentence(detail: ErrorDetails, key: str) -> str:
    match detail["type"]:
        case "missing":
            return f"{key} がありません"
        case "value_error":
            return str(detail["ctx"]["error"])
        case "exam":
            return str(detail["ctx"]["sentence"])
        case "enum":
            names = str(detail["ctx"]["expected"]).replace("'", "").replace(" or ", ", ")
            written = f"「{detail['input']}」は使えません。" if isinstance(detail["input"], str) else ""
            return f'{written}{names} のどれかを " で囲んで書いてください'
        case _:
            return "書き方が違います"


def _unknown_key(path: TomlPath) -> str:
    key = path[-1]
    if key in _NOT_YET:
        return f"{key} はまだ使えません。この行を消して、今は設問ごとに採点してください"
    near = _nearest_key(path)
    advice = f"{near} の間違いではありませんか" if near else f"使えるのは {', '.join(_known_keys(path))} です"
    return f"「{key}」という項目はありません。{advice}"


def _nearest_key(path: TomlPath) -> str | None:
    """The key of the same table that looks most like a misspelt one."""
    near = difflib.get_close_matches(str(path[-1]).lower(), _known_keys(path), n=1)
    return near[0] if near else None


def _known_keys(path: TomlPath) -> list[str]:
    if len(path) == 1:
        return ["exam", "question"]
    if path[-2] == "compare":
        return list(AnswerSwitches.model_fields)
    return _QUESTION_KEYS if path[0] == "question" else _EXAM_KEYS


def _example(table: str | int, key: str) -> str:
    if key == "id":
        return _QUESTION_ID_EXAMPLE if table == "question" else _EXAM_ID_EXAMPLE
    return EXAMPLES[key]


def _pairs(table: dict[str, Any]) -> list[str]:
    return [f"{key} = {_value(value)}" for key, value in table.items()]


def _value(value: Any) -> str:
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, Decimal):
        return format_points(value)
    if isinstance(value, tuple):
        return f"[{', '.join(_value(one) for one in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(_pairs(value))}}}"
    return str(value)  # whole numbers and dates (ISO 8601) are written alike in TOML


def _quoted(text: str) -> str:
    plain = text.replace("\\", "\\\\").replace('"', '\\"')
    return (
        '"'
        + "".join(f"\\u{ord(one):04X}" if ord(one) < 32 or ord(one) == 127 else one for one in plain)
        + '"'
    )
