"""What a teacher reads when a call or a layout is wrong: Japanese sentences only."""

from __future__ import annotations

import copy
import errno
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.command_line import run
from api.plain_words import explain_file_error
from omr.errors import InputError
from omr.layout import layout_to_json, read_layout
from tests.printed_sheets import design_sheet, print_sheet

if TYPE_CHECKING:
    from pathlib import Path

_ENGLISH = re.compile(r"[A-Za-z]{3,} [A-Za-z]{2,}")
"""Two words in a row; names of options, keys and files stand alone."""


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("read", "'EXAM.toml' の指定がありません"),
        ("read x.toml", "'--output' の指定がありません"),
        ("read x.toml -o", "'-o' の後に値がありません"),
        ("read x.toml -o o --foo", "--foo というオプションはありません"),
        ("read x.toml -o o --workers 0", "'--workers' には 1 以上の数"),
        ("read x.toml -o o --workers many", "'--workers' には整数"),
        ("read x.toml -o o --watch-settle soon", "'--watch-settle' には数"),
        ("read x.toml -o o --crops=3", "'--crops' に値は付けられません"),
        ("print x.toml my roster.csv -o o", "余分な指定があります（my roster.csv）"),
        ("demo --port 70000", "'--port' には 65535 以下の数"),
        ("nonsense", "'nonsense' というコマンドはありません"),
        ("--colour", "--colour というオプションはありません"),
    ],
)
def test_wrong_calls_are_told_in_japanese(
    call: str, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(call.split()) == 2
    error = capsys.readouterr().err
    assert expected in error
    assert error.count("\n") == 1
    assert not _ENGLISH.search(re.sub(r"my roster|saiten \w+ --help", "", error))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.ENOENT, errno.EIO])
def test_errors_of_files_name_the_file(number: int) -> None:
    sentence = explain_file_error(OSError(number, "some words of the system", "a.csv"))
    assert "a.csv" in sentence
    assert "system" not in sentence
    assert sentence.endswith("。")


_LAYOUT = layout_to_json(print_sheet(design_sheet()).layout)
_WRONG: list[Any] = [None, "x", -5, 0, 1e9, [], {}, 1.5, float("nan"), True]


def _places(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place, *(one for key, item in inner for one in _places(item, (*place, key)))]


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.sampled_from(_places(_LAYOUT)), wrong=st.sampled_from([*_WRONG, "remove"]))
def test_wrong_layouts_are_told_in_japanese(place: tuple[Any, ...], wrong: Any, tmp_path: Path) -> None:
    changed: Any = {"layout": copy.deepcopy(_LAYOUT)}
    holder = changed
    *way, last = ("layout", *place)
    for key in way:
        holder = holder[key]
    if wrong == "remove" and place:
        del holder[last]
    else:
        holder[last] = wrong
    path = tmp_path / "layout.json"
    path.write_text(json.dumps(changed["layout"]), "utf-8")
    try:
        read_layout(path)
    except InputError as error:
        sentence = str(error).replace(str(path), "")
        assert sentence.endswith("。")
        assert not _ENGLISH.search(sentence)


def test_a_layout_that_is_no_json_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "layout.json"
    path.write_text('{"pages":\n oops}', "utf-8")
    with pytest.raises(InputError, match="2行目") as caught:
        read_layout(path)
    assert not _ENGLISH.search(str(caught.value).replace("saiten print --layout", ""))
