"""What a library or the system says in English, as a Japanese sentence for the teacher."""

from __future__ import annotations

import errno
import re

_VALUE = r"Invalid value for (?P<name>.+?): .*?"
_USAGE = (
    (r"Missing (?:option|argument) (?P<name>.+)\.$", "{name} の指定がありません。"),
    (r"Missing command", "コマンドの指定がありません。"),
    (r"No such command (?P<name>.+)\.$", "{name} というコマンドはありません。"),
    (r"No such option: (?P<name>\S+)", "{name} というオプションはありません。"),
    (
        r"Got unexpected extra argument\(s\) \((?P<name>.+)\)$",
        "余分な指定があります（{name}）。名前に空白があるファイルは引用符で囲んでください。",
    ),
    (r"Option (?P<name>.+?) requires", "{name} の後に値がありません。"),
    (r"Option (?P<name>.+?) does not take a value", "{name} に値は付けられません。"),
    (_VALUE + r"greater than or equal to (?P<least>\S+)", "{name} には {least} 以上の数を指定してください。"),
    (_VALUE + r"less than or equal to (?P<most>\S+)", "{name} には {most} 以下の数を指定してください。"),
    (_VALUE + r"valid integer", "{name} には整数を指定してください。"),
    (_VALUE + r"valid number", "{name} には数を指定してください。"),
    (_VALUE, "{name} の値が正しくありません。"),
)
"""The English of the command line's parser → what a teacher needs to know; the first that fits."""
_FILE_ERRORS = {
    errno.ENOSPC: "ディスクがいっぱいで書き込めません（{name}）。空きを作ってから、やり直してください。",
    errno.EDQUOT: "使える容量の上限に達していて書き込めません（{name}）。空きを作ってから、やり直してください。",
    errno.EFBIG: "ファイルの大きさの上限を超えるため書き込めません（{name}）。上限を確かめてください。",
    errno.EACCES: "{name} を読み書きする許可がありません。ほかのソフトで開いていないか、権限を確かめてください。",
    errno.EPERM: "{name} を読み書きする許可がありません。ほかのソフトで開いていないか、権限を確かめてください。",
    errno.EROFS: "{name} は書き込み禁止の場所にあります。ほかの場所を指定してください。",
    errno.ENOENT: "{name} がありません。場所と名前を確かめてください。",
    errno.EISDIR: "{name} はフォルダーです。ファイルを指定するか、そのフォルダーを別の名前にしてください。",
    errno.ENOTDIR: "{name} の途中にフォルダーでないものがあります。場所を確かめてください。",
    errno.ENAMETOOLONG: "名前が長すぎます（{name}）。短い名前にしてください。",
    errno.EMFILE: "開いているファイルが多すぎます。--workers を減らしてやり直してください。",
    errno.ENOMEM: "メモリーが足りません。--workers を減らしてやり直してください。",
}
"""By error number (POSIX); Windows' own numbers are translated to these by Python."""


def explain_usage(message: str) -> str:
    """What is wrong with a call, from what the parser of the command line says in English."""
    for pattern, sentence in _USAGE:
        found = re.match(pattern, message)
        if found:
            return "使い方が違います。" + sentence.format(**found.groupdict())
    return "使い方が違います。"


def explain_file_error(error: OSError) -> str:
    """Why a file could not be read or written."""
    sentence = _FILE_ERRORS.get(error.errno or 0)
    name = error.filename or "-"
    if sentence is None:
        return f"ファイルを読み書きできませんでした（{name}、エラー番号 {error.errno}）。空き容量と書き込みの権限を確かめてください。"
    return sentence.format(name=name)
