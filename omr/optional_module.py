"""Libraries that make reading faster, where there is a wheel for the machine."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def import_optional(name: str) -> Any:
    """The module, or None where it is missing or can't load its system library."""
    try:
        return import_module(name)
    except (ImportError, OSError):
        return None
