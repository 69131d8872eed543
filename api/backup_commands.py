"""`saiten backup` and `saiten restore`."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from api.data_folder import stored_address
from omr.replace_file import check_targets
from scoring.storage.backup import make_backup
from scoring.storage.database import connect_database
from scoring.storage.object_blobs import open_blobs
from scoring.storage.restore import RestoreTarget, restore_backup

if TYPE_CHECKING:
    from pathlib import Path

    from scoring.storage.backup_file import Manifest


def back_up(file: Path, data: Path, database: str | None, blobs: str | None) -> str:
    """Write a backup and return what to say of it; works while the instance is served.

    Raises:
        InputError: there is nothing to back up, or no folder to write to.
        OSError: there is no room.
    """
    check_targets([file], [])
    with closing(connect_database(stored_address(data, database))) as opened:
        manifest = make_backup(opened, open_blobs(blobs, data / "blobs"), file)
    said = f"{file} にバックアップを作りました（{_describe(manifest)}）。"
    if manifest.damaged:
        said += f"警告: 元から壊れているか、なくなっているファイルが {len(manifest.damaged)} 個あり、入っていません。前のバックアップから戻してください。"
    return said


def put_back(file: Path, data: Path, database: str | None, blobs: str | None) -> str:
    """Restore a backup and return what to say of it.

    Raises:
        InputError: the file is no whole backup, or the place is not empty.
        OSError: there is no room.
    """
    manifest = restore_backup(file, RestoreTarget(data, database, blobs))
    return f"{data} に戻しました（{_describe(manifest)}）。"


def _describe(manifest: Manifest) -> str:
    made_at = manifest.made_at.astimezone().strftime("%Y-%m-%d %H:%M")
    return f"{made_at} 時点、記録 {manifest.rows:,} 件、ファイル {manifest.blobs:,} 個"
