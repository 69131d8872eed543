"""The commands that keep an instance's data safe and its accounts open: backup, restore, account."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.data_options import BlobsAddress, DatabaseAddress, DataFolder  # noqa: TC001  (typer looks them up)


def add_upkeep_commands(app: typer.Typer) -> None:
    """Add them to the command `saiten`."""
    app.command("backup")(_backup)
    app.command("restore")(_restore)
    account = typer.Typer(help="利用者を調べ、パスワードを決めるリンクを作ります。", rich_markup_mode=None)
    account.command("link")(_link_account)
    account.command("list")(_list_accounts)
    app.add_typer(account, name="account")


def _backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="できるバックアップ（zip）")],
    data: DataFolder = Path("saiten-data"),
    database: DatabaseAddress = None,
    blobs: BlobsAddress = None,
) -> None:
    """学校のデータをすべて1つのファイルに写します（サーバーを動かしたままでできます）。"""
    from api.backup_commands import back_up  # noqa: PLC0415

    typer.echo(back_up(file, data, database, blobs), err=True)


def _restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="saiten backup が作ったファイル")],
    data: DataFolder = Path("saiten-data"),
    database: DatabaseAddress = None,
    blobs: BlobsAddress = None,
) -> None:
    """バックアップを、空の場所に戻します。"""
    from api.backup_commands import put_back  # noqa: PLC0415

    typer.echo(put_back(file, data, database, blobs), err=True)


def _link_account(
    login: Annotated[str, typer.Argument(metavar="LOGIN", help="利用者名")],
    data: DataFolder = Path("saiten-data"),
    database: DatabaseAddress = None,
) -> None:
    """パスワードを忘れた人のために、決め直すリンクを作ります（1回だけ使えます）。"""
    from api.account_commands import make_account_link  # noqa: PLC0415

    typer.echo(make_account_link(login, data, database))


def _list_accounts(data: DataFolder = Path("saiten-data"), database: DatabaseAddress = None) -> None:
    """利用者の一覧を表示します。"""
    from api.account_commands import describe_accounts  # noqa: PLC0415

    for line in describe_accounts(data, database):
        typer.echo(line)
