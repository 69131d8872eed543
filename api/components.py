"""What the program is running on: for `saiten --version --verbose` and for questions to its makers."""

from __future__ import annotations

import platform
from importlib.metadata import version

from omr.code_reader import load_zbar
from omr.scan_file import describe_decoders

_LIBRARIES = ("numpy", "reportlab", "zxing-cpp", "fastapi")


def describe_components() -> list[tuple[str, str]]:
    """Names and versions of what reads and prints, and which optional parts of the system were found."""
    return [
        ("Python", platform.python_version()),
        *describe_decoders(),
        *((name, version(name)) for name in _LIBRARIES),
        ("zbar (pyzbar)", version("pyzbar") if load_zbar() is not None else "なし"),
    ]
