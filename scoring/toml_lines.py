"""Where the keys and values of a TOML text stand: `tomllib` tells no line numbers."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import TypeAlias

TomlPath: TypeAlias = tuple[str | int, ...]
"""Keys and indices from the top of the file, such as ("question", 2, "answer", 0)."""

_TOKEN = re.compile(
    r"""
      (?P<space>[ \t\r]+ | \#[^\n]*)
    | (?P<newline>\n)
    | (?P<string>\"{3}(?:\\.|[^\\])*?\"{3,5} | '{3}.*?'{3,5} | "(?:\\.|[^"\\\n])*" | '[^'\n]*')
    | (?P<mark>[\[\]{}=,.])
    | (?P<bare>[^\s\[\]{}=,.\#"']+ | .)
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    line: int


def locate(text: str) -> dict[TomlPath, int]:
    """The line (from 1) of every table, key and array element of a valid TOML text.

    Args:
        text: TOML that `tomllib` has accepted, with LF line ends.
    """
    return _Locator(_tokens(text)).locate()


def line_of(lines: dict[TomlPath, int], path: TomlPath) -> int:
    """The line of a path, or of the nearest part above it that stands in the file."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


def last_open_line(text: str) -> int | None:
    """The line of the last token of an unfinished TOML text, where a bracket or a string is still open.

    An unclosed array is noticed only at the next statement; what is wrong stands before it. An open
    multi-line string swallows the rest of the text, so the line is the one where it begins.
    """
    tokens = _tokens(text)
    opened = 0
    for token in tokens:
        if token.kind == "bare" and token.text in {'"', "'"}:
            return token.line
        if token.kind == "mark":
            opened += (token.text in "[{") - (token.text in "]}")
    written = [token.line for token in tokens if token.kind not in {"space", "newline"}]
    return written[-1] if opened > 0 and written else None


def _tokens(text: str) -> list[_Token]:
    tokens, line = [], 1
    for match in _TOKEN.finditer(text):
        assert match.lastgroup is not None
        tokens.append(_Token(match.lastgroup, match[0], line))
        line += match[0].count("\n")
    return tokens


class _Locator:
    """Walks the tokens of a valid text once, statement by statement."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = [token for token in tokens if token.kind != "space"]
        self._at = 0
        self._lines: dict[TomlPath, int] = {}
        self._tables_in: dict[TomlPath, int] = {}  # how many [[…]] tables each array has so far

    def locate(self) -> dict[TomlPath, int]:
        table: TomlPath = ()
        while (token := self._peek()) is not None:
            if token.kind == "newline":
                self._at += 1
            elif token.text == "[":
                table = self._header()
            else:
                self._pair(table)
        return self._lines

    def _peek(self) -> _Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _skip(self, *texts: str) -> bool:
        """Step over the next token if it is one of `texts`."""
        token = self._peek()
        if token is None or token.text not in texts:
            return False
        self._at += 1
        return True

    def _skip_newlines(self) -> None:
        while self._skip("\n"):
            pass

    def _header(self) -> TomlPath:
        """`[a.b]` or `[[a.b]]`."""
        line = self._tokens[self._at].line
        self._skip("[")
        is_array = self._skip("[")
        path: TomlPath = ()
        for part in self._key():
            self._lines.setdefault((*path, part), line)
            path = self._newest((*path, part))
        if is_array:
            if path and isinstance(path[-1], int):
                path = path[:-1]
            self._tables_in[path] = self._tables_in.get(path, 0) + 1
            path = self._newest(path)
        self._lines.setdefault(path, line)
        self._skip("]")
        self._skip("]")
        return path

    def _newest(self, path: TomlPath) -> TomlPath:
        count = self._tables_in.get(path)
        return path if count is None else (*path, count - 1)

    def _key(self) -> list[str]:
        """A key with its dots, up to `=` or `]`."""
        parts = []
        while (token := self._peek()) is not None and token.text not in {"=", "]", "\n"}:
            if token.text != ".":
                parts.append(_plain_key(token))
            self._at += 1
        return parts

    def _pair(self, table: TomlPath) -> None:
        """`a.b = value`."""
        line = self._tokens[self._at].line
        path = table
        for part in self._key():
            path = (*path, part)
            self._lines.setdefault(path, line)
        if self._skip("="):
            self._value(path)
        else:
            self._at += 1

    def _value(self, path: TomlPath) -> None:
        token = self._peek()
        if token is None:
            return
        self._lines.setdefault(path, token.line)
        if self._skip("["):
            self._array(path)
        elif self._skip("{"):
            while not self._skip("}") and self._peek() is not None:
                self._pair(path)
                self._skip(",")
        else:
            while (token := self._peek()) is not None and token.text not in {",", "]", "}", "\n"}:
                self._at += 1

    def _array(self, path: TomlPath) -> None:
        index = 0
        self._skip_newlines()
        while not self._skip("]") and self._peek() is not None:
            self._value((*path, index))
            index += 1
            self._skip_newlines()
            self._skip(",")
            self._skip_newlines()


def _plain_key(token: _Token) -> str:
    """The name that a bare or quoted key stands for."""
    if token.kind != "string":
        return token.text
    return next(iter(tomllib.loads(f"{token.text} = 0")))
