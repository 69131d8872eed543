"""The socket that a server listens at."""

from __future__ import annotations

import socket

from omr.errors import InputError

_LAST_PORT = 65535


def listen(host: str, port: int) -> socket.socket:
    """Listen at a host and port.

    Args:
        host: a name or address of this computer.
        port: 1 to 65535, or 0 for any free one.

    Raises:
        InputError: this host or port can't be used.
    """
    if not 0 <= port <= _LAST_PORT:
        raise InputError(
            f"ポート {port} は使えません。0 から {_LAST_PORT} までの番号を --port で指定してください。"
        )
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise InputError(
            f"ホスト {host} は見つかりません。このパソコンの名前か IP アドレスを --host で指定してください。"
        ) from error
    family, _, _, _, address = found[0]
    try:
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        raise InputError(
            f"ポート {port} は使えません（ほかのソフトが使っているか、許可がないか、{host} がこのパソコンのものではありません）。"
            "--port で別の番号を指定するか、--host を確かめてください。"
        ) from error
