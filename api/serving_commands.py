"""The commands that serve a school's data: serve, worker."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.data_options import (  # noqa: TC001  (typer looks them up)
    BackupFolder,
    BlobsAddress,
    CopiesKept,
    DatabaseAddress,
    DataFolder,
    NoNightlyBackup,
)


def add_serving_commands(app: typer.Typer) -> None:
    """Add them to the command `saiten`."""
    app.command("serve")(_serve)
    app.command("worker")(_work)


def _serve(
    data: DataFolder = Path("saiten-data"),
    database: DatabaseAddress = None,
    blobs: BlobsAddress = None,
    host: Annotated[str, typer.Option("--host", help="受け付けるホスト")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="ポート番号（0 なら空いている番号）")
    ] = 8000,
    tls_cert: Annotated[Path | None, typer.Option("--tls-cert", metavar="FILE", help="証明書（PEM）")] = None,
    tls_key: Annotated[Path | None, typer.Option("--tls-key", metavar="FILE", help="秘密鍵（PEM）")] = None,
    trusted_proxy: Annotated[
        str | None,
        typer.Option("--trusted-proxy", metavar="ADDRESS,…", help="手前で暗号化するプロキシの IP アドレス"),
    ] = None,
    allow_http: Annotated[
        bool, typer.Option("--allow-http", help="暗号化せずに公開します（危険です）")
    ] = False,
    backup_dir: BackupFolder = None,
    keep_backups: CopiesKept = 7,
    no_nightly_backup: NoNightlyBackup = False,
    watch: Annotated[
        Path | None,
        typer.Option("--watch", metavar="DIR", help="スキャンが入るフォルダー（中に試験の id のフォルダー）"),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers", min=0, max=256, help="スキャンを読み取る数（指定がなければコアの数より1つ少なく）"
        ),
    ] = None,
    metrics_port: Annotated[
        int | None,
        typer.Option(
            "--metrics-port",
            min=0,
            max=65535,
            help="Prometheus の計測値を 127.0.0.1 のこのポートで公開します",
        ),
    ] = None,
) -> None:
    """学校のデータで採点のサーバーを動かします。"""
    from api.daily_work import Nightly  # noqa: PLC0415
    from api.serving import PlainHttp, ServeRequest, serve_school  # noqa: PLC0415

    request = ServeRequest(
        data=data,
        database=database,
        blobs=blobs,
        host=host,
        port=port,
        tls_cert=tls_cert,
        tls_key=tls_key,
        trusted_proxy=trusted_proxy,
        plain_http=PlainHttp.ALLOWED if allow_http else PlainHttp.REFUSED,
        nightly=Nightly.NOT_MADE if no_nightly_backup else Nightly.MADE,
        backups=backup_dir,
        kept=keep_backups,
        watch=watch,
        workers=workers,
        metrics_port=metrics_port,
    )
    serve_school(request, typer.echo)


def _work(
    data: DataFolder = Path("saiten-data"),
    database: DatabaseAddress = None,
    blobs: BlobsAddress = None,
) -> None:
    """動いているサーバーのために、もう1つの処理でスキャンを読み取ります。"""
    from api.worker_serving import WorkRequest, work_for_school  # noqa: PLC0415

    work_for_school(WorkRequest(data, database, blobs), typer.echo)
