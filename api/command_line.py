"""The `saiten` command."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
import typer.exceptions

from api.plain_words import explain_file_error, explain_usage
from api.serving_commands import add_serving_commands
from api.upkeep_commands import add_upkeep_commands
from ocr.answer_rules import AnswerKind  # noqa: TC001  (typer looks it up)
from omr.design import Paper  # noqa: TC001  (typer looks it up)
from omr.errors import InputError, SaitenError

if TYPE_CHECKING:
    from api.reading_run import ReadRequest
    from api.watching import WatchRequest
    from scoring.results import ReadResults

EXIT_DONE, EXIT_FAILED, EXIT_WRONG_CALL, EXIT_INTERRUPTED = 0, 1, 2, 130

app = typer.Typer(
    name="saiten",
    help="採点: 解答用紙を印刷し、スキャンを読み取り、採点します。",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
add_serving_commands(app)
add_upkeep_commands(app)

ExamFile = Annotated[Path, typer.Argument(metavar="EXAM.toml", help="試験の設定")]
RosterFile = Annotated[Path | None, typer.Option("--roster", metavar="ROSTER.csv", help="名簿")]


def main() -> None:
    """Run the command; the one place where errors become exit codes."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run the command with the given arguments and return its exit code; never raises.

    What a person can mend ends in one sentence on stderr.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        code = app(arguments or ["--help"], standalone_mode=False)
    except typer.exceptions.TyperException as error:
        known = {command.name for command in app.registered_commands}
        command = next((one for one in arguments if one in known), "")
        return _say(
            f"{explain_usage(error.format_message())}{' '.join(['saiten', command]).strip()} --help を見てください。",
            EXIT_WRONG_CALL,
        )
    except (typer.Abort, KeyboardInterrupt):
        code = EXIT_INTERRUPTED
    except InputError as error:
        return _say(str(error), EXIT_WRONG_CALL)
    except SaitenError as error:
        return _say(str(error), EXIT_FAILED)
    except OSError as error:
        return _say(explain_file_error(error), EXIT_FAILED)
    except Exception as error:  # noqa: BLE001  (the last line of defence: a sentence instead of a traceback)
        return _say(
            f"思いがけない不具合で止まりました（{type(error).__name__}: {error}）。この文を添えて開発元に知らせてください。",
            EXIT_FAILED,
        )
    if code == EXIT_INTERRUPTED:
        return _say("中止しました。", code)
    return code if isinstance(code, int) else EXIT_DONE


def _say(sentence: str, code: int) -> int:
    print(" ".join(sentence.split()), file=sys.stderr)  # noqa: T201
    return code


def _show_version(wanted: bool) -> None:  # noqa: FBT001  (typer's callback)
    if not wanted:
        return
    typer.echo(f"saiten {version('saiten')}")
    if "--verbose" in sys.argv:
        from api.components import describe_components  # noqa: PLC0415  (loads every library)

        for name, found in describe_components():
            typer.echo(f"  {name:<24} {found}")
    raise typer.Exit


@app.callback()
def saiten(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=False, help="版を表示します")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="--version とともに、使っている部品も表示します")
    ] = False,
) -> None:
    """採点: 解答用紙を印刷し、スキャンを読み取り、採点します。"""


@app.command("print")
def print_sheets(
    exam: ExamFile,
    out: Annotated[Path, typer.Option("-o", "--output", metavar="SHEETS.pdf", help="できる PDF")],
    roster: RosterFile = None,
    layout: Annotated[
        Path | None, typer.Option("--layout", metavar="OUT.json", help="解答欄の位置も書き出します")
    ] = None,
    duplex: Annotated[bool, typer.Option("--duplex", help="両面印刷用に、生徒ごとに紙を改めます")] = False,
    onto: Annotated[
        Path | None,
        typer.Option("--onto", metavar="SHEET.pdf", help="自作の解答用紙に■・QRコード・氏名を刷り込みます"),
    ] = None,
    sheet_layout: Annotated[
        Path | None,
        typer.Option(
            "--sheet-layout", metavar="IN.json", help="--onto の解答用紙を saiten detect で読んだもの"
        ),
    ] = None,
    password: Annotated[str | None, typer.Option("--password", help="--onto の PDF のパスワード")] = None,
) -> None:
    """解答用紙を印刷用の PDF にします（名簿があれば生徒ごと、なければコピー用の1組）。"""
    from api.printing import print_exam, print_onto  # noqa: PLC0415  (each command loads only what it needs)

    if onto is not None and sheet_layout is not None:
        report = print_onto(exam, onto, sheet_layout, roster, out, layout, duplex=duplex, password=password)
    elif onto is None and sheet_layout is None:
        report = print_exam(exam, roster, out, layout, duplex=duplex)
    else:
        raise InputError(
            "--onto（自作の解答用紙）と --sheet-layout（saiten detect が書いたレイアウト）は、両方いっしょに指定してください。"
        )
    typer.echo(report, err=True)


@app.command("detect")
def detect(
    sheet: Annotated[Path, typer.Argument(metavar="SHEET", help="解答用紙の PDF・PNG・JPEG・TIFF")],
    out: Annotated[Path, typer.Option("-o", "--output", metavar="LAYOUT.json", help="できるレイアウト")],
    exam: Annotated[
        Path | None, typer.Option("--exam", metavar="EXAM.toml", help="試験の設定のひな形も書き出します")
    ] = None,
    password: Annotated[str | None, typer.Option("--password", help="PDF のパスワード")] = None,
    paper: Annotated[
        Paper | None, typer.Option("--paper", help="写真など、大きさが分からないファイルの用紙")
    ] = None,
) -> None:
    """自作の解答用紙から解答欄の枠を見つけます。"""
    from scoring.detection import describe_detection, detect_sheet  # noqa: PLC0415

    typer.echo(describe_detection(detect_sheet(sheet, out, exam, password, paper), out), err=True)


@app.command("read")
def read(
    exam: ExamFile,
    out: Annotated[Path, typer.Option("-o", "--output", metavar="OUT", help="結果のフォルダー")],
    scans: Annotated[
        list[Path] | None, typer.Argument(metavar="SCAN…", help="スキャンのファイルかフォルダー")
    ] = None,
    layout: Annotated[
        Path | None, typer.Option("--layout", metavar="LAYOUT.json", help="印刷したときのレイアウト")
    ] = None,
    roster: RosterFile = None,
    workers: Annotated[
        int | None,
        typer.Option("--workers", min=1, max=256, help="同時に読み取る数（指定がなければコアの数）"),
    ] = None,
    crops: Annotated[bool, typer.Option("--crops", help="解答欄の画像も書き出します")] = False,
    watch: Annotated[
        Path | None,
        typer.Option("--watch", metavar="DIR", help="このフォルダーを見張り、届くたびに読み取ります"),
    ] = None,
    settle: Annotated[
        float,
        typer.Option("--watch-settle", min=0, help="大きさが変わらなくなってから読み取るまでの秒数"),
    ] = 3.0,
    give_up: Annotated[
        float,
        typer.Option("--watch-give-up", min=1, help="途中で切れたままのファイルをあきらめるまでの秒数"),
    ] = 600.0,
    password: Annotated[str | None, typer.Option("--password", help="PDF のパスワード")] = None,
    scale: Annotated[
        str,
        typer.Option("--scale", metavar="PERCENT,…", help="拡大・縮小コピーの倍率（例 122,141）"),
    ] = "",
    megapixels: Annotated[
        float,
        typer.Option(
            "--max-megapixels", min=1, envvar="SAITEN_MAX_MEGAPIXELS", help="1ページの画素数の上限（百万）"
        ),
    ] = 120.0,
    pages: Annotated[
        int,
        typer.Option("--max-pages", min=1, envvar="SAITEN_MAX_PAGES", help="1ファイルのページ数の上限"),
    ] = 5000,
    megabytes: Annotated[
        float,
        typer.Option(
            "--max-file-mb", min=1, envvar="SAITEN_MAX_FILE_MB", help="1ファイルの大きさの上限（MB）"
        ),
    ] = 4096.0,
    page_seconds: Annotated[
        float,
        typer.Option("--page-seconds", min=1, envvar="SAITEN_PAGE_SECONDS", help="1ページにかける秒数の上限"),
    ] = 60.0,
    model_threads: Annotated[
        int,
        typer.Option(
            "--model-threads",
            min=0,
            envvar="SAITEN_MODEL_THREADS",
            help="手書きを読む計算のスレッド（0: コアの数）",
        ),
    ] = 1,
) -> None:
    """スキャンを読み取り、マークを採点して CSV にします。"""
    from api.progress import show_progress  # noqa: PLC0415
    from api.reading_run import ReadRequest, parse_scales, read_scans  # noqa: PLC0415
    from api.watch_folder import WatchRules  # noqa: PLC0415
    from api.watching import WatchRequest  # noqa: PLC0415
    from omr.decode_limits import DecodeLimits  # noqa: PLC0415
    from omr.read_page import Crops  # noqa: PLC0415
    from scoring.results import describe_results  # noqa: PLC0415

    request = ReadRequest(
        exam=exam,
        scans=scans or (),
        out=out,
        layout=layout,
        roster=roster,
        workers=workers,
        crops=Crops.ALL if crops else Crops.NONE,
        password=password,
        enlarged=parse_scales(scale),
        limits=DecodeLimits(
            max_pixels=int(megapixels * 1e6), max_pages=pages, max_file_bytes=int(megabytes * 1024**2)
        ),
        page_seconds=page_seconds,
        model_threads=model_threads,
    )
    if watch is not None:
        _watch(request, WatchRequest(watch, WatchRules(settle, give_up)))
        return
    with show_progress() as report:
        results = read_scans(request, report)
    typer.echo(describe_results(results), err=True)


@app.command("recognize")
def recognize(
    images: Annotated[
        list[Path], typer.Argument(metavar="IMAGE…", help="答えの画像（1枚に1つ）のファイルかフォルダー")
    ],
    kind: Annotated[
        AnswerKind,
        typer.Option("--kind", help="symbol: 1文字の記号 · number: 数 · text: 短い語句"),
    ],
    choices: Annotated[
        list[str] | None,
        typer.Option("--choices", metavar="ア,イ,ウ", help="書かれうる文字（何回でも書けます）"),
    ] = None,
    answer: Annotated[
        list[str] | None,
        typer.Option("--answer", metavar="TEXT", help="正答や別解（何回でも書けます）"),
    ] = None,
    threads: Annotated[
        int,
        typer.Option(
            "--threads", min=0, envvar="SAITEN_MODEL_THREADS", help="1回の計算に使うスレッド（0: コアの数）"
        ),
    ] = 1,
) -> None:
    """切り出した答えの画像を読み、CSV にして表示します。"""
    from api.recognition import RecognitionRequest, parse_choices, recognize_images  # noqa: PLC0415

    request = RecognitionRequest(images, kind, parse_choices(choices or ()), tuple(answer or ()), threads)
    unreadable = recognize_images(request, sys.stdout)
    if unreadable:
        typer.echo(f"開けなかった画像が {unreadable} 枚あります（reading が空の doubtful の行）。", err=True)


def _watch(request: ReadRequest, watch: WatchRequest) -> None:
    from api.watching import stopped_by_signals, watch_scans  # noqa: PLC0415
    from scoring.results import describe_results  # noqa: PLC0415

    def announce(results: ReadResults) -> None:
        typer.echo(describe_results(results), err=True)
        typer.echo(f"{watch.folder} を見張っています。終わるには Ctrl+C を押してください。", err=True)

    with stopped_by_signals() as stop:
        watch_scans(request, watch, stop, announce=announce)
    typer.echo("見張りを終わりました。", err=True)


@app.command("demo")
def demo(
    data: Annotated[Path | None, typer.Option("--data", metavar="DIR", help="データを置くフォルダー")] = None,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="ポート番号（0 なら空いている番号）")
    ] = 8000,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="ブラウザーを開きません")] = False,
    no_serve: Annotated[bool, typer.Option("--no-serve", help="表を表示して終わります")] = False,
) -> None:
    """見本の試験を印刷から読み取り・採点まで動かし、結果を画面に出します。"""
    from api.demo import DemoRequest, Showing, run_demo  # noqa: PLC0415

    showing = Showing.TABLE_ONLY if no_serve else Showing.SERVED if no_browser else Showing.BROWSER
    run_demo(DemoRequest(data, port, showing), typer.echo)
