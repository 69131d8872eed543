"""Options of the commands that work on an instance's data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

DataFolder: TypeAlias = Annotated[
    Path, typer.Option("--data", metavar="DIR", envvar="SAITEN_DATA", help="データを置くフォルダー")
]
DatabaseAddress: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="URL",
        envvar="SAITEN_DATABASE",
        help="データベース（指定がなければ DIR の中のファイル）",
    ),
]
BlobsAddress: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--blobs",
        metavar="URL",
        envvar="SAITEN_BLOBS",
        help="スキャンなどのファイルの置き場所（s3://…、指定がなければ DIR の中）",
    ),
]
BackupFolder: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--backup-dir",
        metavar="DIR",
        envvar="SAITEN_BACKUPS",
        help="毎晩のバックアップを置くフォルダー（指定がなければ --data の中の backups）",
    ),
]
CopiesKept: TypeAlias = Annotated[int, typer.Option("--keep-backups", min=1, help="残すバックアップの数")]
NoNightlyBackup: TypeAlias = Annotated[
    bool, typer.Option("--no-nightly-backup", help="毎晩3時のバックアップを作りません")
]
