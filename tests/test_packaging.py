"""What users install: the pinned dependencies, the wheel's contents, and the wheel on its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import distribution
from importlib.metadata import version as version_of
from pathlib import Path, PurePosixPath
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def pins(setting: str) -> dict[str, str]:
    """The pinned version of each package on this Python and system."""
    requirements = [Requirement(text) for text in PROJECT["tool"]["uv"][setting]]
    pinned: dict[str, str] = {}
    for one in requirements:
        (only,) = one.specifier
        assert only.operator == "==", f"{one}: a pin names one version"
        if one.marker is None or one.marker.evaluate():
            assert one.name not in pinned, f"{one}: pinned twice"
            pinned[canonicalize_name(one.name)] = only.version
    return pinned


def needed_from(requirements: list[Requirement]) -> set[str]:
    """The names of packages that these bring on this machine, with what they need themselves."""
    found: set[tuple[str, str]] = set()
    waiting = list(requirements)
    while waiting:
        one = waiting.pop()
        name = canonicalize_name(one.name)
        for extra in ("", *one.extras):
            if (name, extra) in found:
                continue
            found.add((name, extra))
            needs = [Requirement(text) for text in distribution(name).requires or ()]
            waiting += [
                need for need in needs if need.marker is None or need.marker.evaluate({"extra": extra})
            ]
    return {name for name, _ in found}


def direct_requirements() -> list[Requirement]:
    """What pyproject.toml asks for, tools for development included."""
    return [
        Requirement(text)
        for text in [
            *PROJECT["project"]["dependencies"],
            *PROJECT["dependency-groups"]["dev"],
            *PROJECT["build-system"]["requires"],
        ]
    ]


def test_every_dependency_is_pinned_to_what_is_installed() -> None:
    pinned = pins("constraint-dependencies")
    needed = needed_from(direct_requirements())
    assert {name: version_of(name) for name in needed} == {name: pinned.get(name) for name in needed}


def test_building_is_pinned_too() -> None:
    needed = needed_from([Requirement(text) for text in PROJECT["build-system"]["requires"]])
    everything = pins("constraint-dependencies")
    assert pins("build-constraint-dependencies") == {name: everything[name] for name in needed}


def test_dependencies_have_a_lower_and_an_upper_bound() -> None:
    for one in direct_requirements():
        assert {part.operator for part in one.specifier} == {">=", "<"}, one


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this folder."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def test_wheel_holds_the_packages_and_their_data(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        names = {PurePosixPath(name) for name in archive.namelist()}
    tops = {name.parts[0] for name in names if not name.parts[0].endswith(".dist-info")}
    assert tops - {"models"} == {"api", "scoring", "omr", "ocr", "webui", "sample_scans"}
    for pattern in (
        "*/METADATA",
        "*/py.typed",
        "omr/fonts/*.ttf",
        "omr/fonts/OFL.txt",
        "webui/page/index.html",
        "webui/entry/index.html",
        "scoring/storage/migrations/versions/0001_first.py",
        "sample_scans/exam.toml",
        "sample_scans/roster.csv",
        "sample_scans/scans/*.pdf",
    ):
        assert any(name.match(pattern) for name in names), pattern
    unwanted = {"node_modules", "__pycache__", "tests", "benchmarks", ".npmrc"}
    assert [name for name in names if unwanted & set(name.parts)] == []
    for package in ("api", "scoring", "omr", "ocr"):
        here = {path.relative_to(ROOT).as_posix() for path in (ROOT / package).rglob("*.py")}
        assert here == {str(name) for name in names if name.parts[0] == package and name.suffix == ".py"}


@pytest.mark.long
def test_wheel_runs_on_its_own(wheel: Path, tmp_path: Path) -> None:
    """In an environment of its own and from another folder, with the versions that are pinned.

    uv brings the dependencies from its cache, or else from the network.
    """
    uv = os.environ.get("UV", "uv")
    environment = {
        name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")
    }
    venv, pinned = tmp_path / "venv", tmp_path / "pins.txt"
    pinned.write_text(
        "".join(f"{name}=={version}\n" for name, version in pins("constraint-dependencies").items())
    )
    subprocess.run([uv, "venv", "--python", sys.executable, venv], check=True, env=environment)
    folder = venv / ("Scripts" if sys.platform == "win32" else "bin")
    subprocess.run(
        [uv, "pip", "install", "--python", next(folder.glob("python*")), "--constraints", pinned, wheel],
        check=True,
        env=environment,
        cwd=tmp_path,
    )
    saiten = next(folder.glob("saiten*"))
    demo = subprocess.run(
        [saiten, "demo", "--no-serve", "--data", tmp_path / "data"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert demo.returncode == 0, demo.stderr
    assert re.search(r"\d", demo.stdout)
    assert "Traceback" not in demo.stderr
