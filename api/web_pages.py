"""The pages in `webui/` and what they load, as this package serves them."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from fastapi.staticfiles import StaticFiles

import api


def page_folder(name: str) -> Path:
    """A folder of `webui/`, which stands beside `api/`, in a checkout and where the wheel is installed."""
    package = api.__file__
    assert package is not None
    return Path(package).parent.parent / "webui" / name


def page_files(name: str) -> StaticFiles:
    """The files of a folder of `webui/`, to be mounted."""
    # On Windows the registry may call .js something that browsers refuse to run.
    mimetypes.add_type("text/javascript", ".js")
    return StaticFiles(directory=page_folder(name), html=True)
