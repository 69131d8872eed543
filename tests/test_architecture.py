"""The ground rules of the repository: who may import whom, and what never gets in."""

from __future__ import annotations

import ast
import re
import socket
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

MAY_IMPORT = {
    "api": {"api", "scoring", "omr", "ocr"},
    "scoring": {"scoring", "omr", "ocr"},
    "omr": {"omr"},
    "ocr": {"ocr"},
    "models": {"models", "ocr"},
    "sample_scans": {"sample_scans", "scoring", "omr", "ocr"},
}
FOLDERS = {*MAY_IMPORT, "tests", "benchmarks"}
WEB = {"fastapi", "starlette", "uvicorn"}
DATABASES = {"sqlite3", "sqlalchemy", "psycopg"}
STAYS_OUT_OF = {
    "scoring": WEB,
    "omr": WEB | DATABASES,
    "ocr": WEB | DATABASES,
    "sample_scans": WEB | DATABASES,
}
CALLS_OUT = {
    "aiohttp", "ftplib", "http.client", "httpx", "httpx2", "imaplib", "poplib", "requests", "smtplib", "telnetlib",
    "urllib.request", "urllib3", "websockets", "xmlrpc",
}  # fmt: skip
PART_OF = {"pydantic_core": "pydantic", "starlette": "fastapi"}
"""Modules of a dependency's own dependency that its documentation tells one to import."""
IMPORTING_CALLS = {"import_module", "import_optional"}
LONGEST_MODULE = 400
BINARY = {".pdf", ".tif", ".tiff", ".jpg", ".png", ".ttf", ".otf", ".woff2", ".onnx", ".ico"}
REGISTRY = re.compile(
    r"pypi\.org|pythonhosted\.org|registry\.npmjs|registry\.yarnpkg|registry\s*=\s*\"?http"
    r"|(?:extra-)?index-url\s*=|find-links\s*=|artifactory|/simple/\"",
    re.IGNORECASE,
)
MACHINE_PATH = re.compile(r"(?<![\w.~}/-])/(?:home|root|Users|work|mnt|srv)/\w|[A-Za-z]:\\Users\\")


@dataclass(frozen=True, slots=True)
class Import:
    """One import: the module by its full name, or the name within it, and where it stands."""

    file: Path
    line: int
    name: str

    @property
    def top(self) -> str:
        """The package that it comes from."""
        return self.name.partition(".")[0]

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line} imports {self.name}"


def parse_imports(file: Path, text: str) -> list[Import]:
    """Every import of a module, also those inside functions and for type checking alone."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found += [Import(file, node.lineno, one.name) for one in node.names]
        elif isinstance(node, ast.ImportFrom):
            package = node.module or ""
            if node.level:
                parents = file.relative_to(ROOT).parts[: -node.level]
                package = ".".join([*parents, *filter(None, [node.module])])
            found += [Import(file, node.lineno, f"{package}.{one.name}") for one in node.names]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in IMPORTING_CALLS:
            match node.args:
                case [ast.Constant(value=str(name)), *_]:
                    found.append(Import(file, node.lineno, name))
    return found


@cache
def imports_of(package: str) -> list[Import]:
    """Every import in a package's modules."""
    files = sorted((ROOT / package).rglob("*.py"))
    return [one for file in files for one in parse_imports(file, file.read_text(encoding="utf-8"))]


@cache
def files_for_git() -> tuple[Path, ...]:
    """The files that git holds, or would with the next `git add`."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a clone of the repository")
    command = [
        "git",
        "-c",
        "safe.directory=*",
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout.decode()
    return tuple(path for name in listed.split("\0") if name and (path := ROOT / name).is_file())


def texts_for_git() -> dict[str, str]:
    """The texts among them by their path in the repository."""
    files = [file for file in files_for_git() if file.suffix not in BINARY]
    return {file.relative_to(ROOT).as_posix(): file.read_text(encoding="utf-8") for file in files}


def test_every_way_to_import_is_seen() -> None:
    text = """
import omr.page as page
from typing import TYPE_CHECKING
from . import draw
from .fonts import Font
if TYPE_CHECKING:
    from scoring.exam import Exam
def late():
    from tests import scan_files
    importlib.import_module("benchmarks.speed")
fast = import_optional("cv2")
"""
    assert {one.name for one in parse_imports(ROOT / "omr" / "code.py", text)} == {
        "omr.page",
        "typing.TYPE_CHECKING",
        "omr.draw",
        "omr.fonts.Font",
        "scoring.exam.Exam",
        "tests.scan_files",
        "benchmarks.speed",
        "cv2",
    }


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_imports_go_downward_only(package: str) -> None:
    assert (ROOT / package / "__init__.py").is_file()
    upward = [str(one) for one in imports_of(package) if one.top in FOLDERS - MAY_IMPORT[package]]
    assert upward == []


@pytest.mark.parametrize("package", STAYS_OUT_OF)
def test_web_and_database_stay_where_they_belong(package: str) -> None:
    assert [str(one) for one in imports_of(package) if one.top in STAYS_OUT_OF[package]] == []


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_nothing_can_call_out(package: str) -> None:
    """Rule 6 of the design; `tests/conftest.py` also watches what the tests run."""
    calling = [
        str(one)
        for one in imports_of(package)
        if any(f"{one.name}.".startswith(f"{out}.") for out in CALLS_OUT)
    ]
    assert calling == []


def test_the_page_loads_nothing_from_elsewhere() -> None:
    for name, text in texts_for_git().items():
        if name.startswith("webui/") and Path(name).suffix in {".html", ".css", ".js", ".ts", ".tsx", ".svg"}:
            elsewhere = re.findall(r"""(?:https?:|["'(])//(?!www\.w3\.org/)[\w.-]+""", text)
            assert elsewhere == [], name


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_modules_have_one_subject(package: str) -> None:
    lengths = {
        file.relative_to(ROOT).as_posix(): len(file.read_text(encoding="utf-8").splitlines())
        for file in (ROOT / package).rglob("*.py")
    }
    assert {name: length for name, length in lengths.items() if length > LONGEST_MODULE} == {}


def test_dependencies_are_those_that_are_imported() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [one for extra in project["optional-dependencies"].values() for one in extra]
    only_in_extras = {"torch", "onnx", "fontTools", "obstore", "procrastinate"}
    declared = {_plain(re.split(r"[<>=\[; ]", one)[0]) for one in project["dependencies"]}
    provides = packages_distributions()
    imported = {
        _plain(provides.get(module, [module])[0])
        for package in MAY_IMPORT
        for module in {PART_OF.get(one.top, one.top) for one in imports_of(package)}
        if module not in sys.stdlib_module_names and module not in FOLDERS | only_in_extras
    }
    assert imported == declared
    assert {_plain(one) for one in only_in_extras} <= {re.split("[<>=]", one)[0] for one in extras}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_texts_are_utf8_with_lf() -> None:
    for file in files_for_git():
        data, name = file.read_bytes(), file.relative_to(ROOT).as_posix()
        if file.suffix not in BINARY:
            assert b"\0" not in data, f"{name}: name its suffix in BINARY"
            assert not data.startswith(b"\xef\xbb\xbf"), f"{name}: starts with a BOM"
            assert b"\r" not in data, f"{name}: has CR"
            assert data.endswith(b"\n") or not data, f"{name}: the last line has no end"
            assert data.decode(errors="replace").encode() == data, f"{name}: is not UTF-8"


def test_no_file_names_a_registry_or_a_machine() -> None:
    here = Path(__file__).relative_to(ROOT).as_posix()
    for name, text in texts_for_git().items():
        for number, line in enumerate(text.splitlines(), start=1):
            if name != here:
                assert not REGISTRY.search(line), f"{name}:{number}: {line}"
                assert not MACHINE_PATH.search(line), f"{name}:{number}: {line}"


def test_models_do_not_say_where_they_were_made() -> None:
    models = sorted((ROOT / "models").glob("*.onnx"))
    assert models
    for model in models:
        text = model.read_bytes().decode("latin-1")
        assert not MACHINE_PATH.search(text), model.name
        assert "site-packages" not in text, model.name
    assert sum(model.stat().st_size for model in models) < 15_000_000


def test_lock_files_name_no_address() -> None:
    names = {file.relative_to(ROOT).as_posix() for file in files_for_git()}
    assert "uv.lock" not in names
    for name, text in texts_for_git().items():
        if name.endswith("package-lock.json"):
            assert '"resolved"' not in text, name


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("2001:db8::1", 80, 0, 0)])
def test_tests_cannot_reach_the_network(address: tuple[str, int]) -> None:
    """Both addresses are for documentation only (RFC 5737, RFC 3849)."""
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family) as client, pytest.raises(RuntimeError, match="network"):
        client.connect(address)
    with pytest.raises(RuntimeError, match="network"):
        socket.getaddrinfo("example.com", 443)
