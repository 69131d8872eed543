"""Chromium without a window, led through its DevTools pipe, for the tests of the page."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from typing import IO, TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from pathlib import Path

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1366,768",
    "--remote-debugging-pipe",
]
# Chromium reads commands from descriptor 3 and writes answers to 4.
_START = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.dup2(int(sys.argv[2]), 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


_WITHOUT_PAGE = (
    "navigated or closed",
    "Cannot find context",
    "context was destroyed",
    "Cannot find default execution context",
)


class NoPageError(AssertionError):
    """The page was left while it was asked something; the next one is on its way."""


class Chromium:
    """One browser with one open page; a context manager.

    Attributes:
        requests: the address of every request that the page made.
        complaints: what the page wrote to the console, refusals by the content security policy among it.
    """

    def __init__(self, profile: Path) -> None:
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self._session: str | None = None
        self._last_id = 0
        reads_3, self._to_browser = _pipe("wb")
        writes_4, self._from_browser = _pipe("rb")
        program = shutil.which("chromium") or shutil.which("google-chrome")
        assert program is not None, "Chromium is not installed"
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                _START,
                str(reads_3),
                str(writes_4),
                program,
                *FLAGS,
                f"--user-data-dir={profile}",
            ],
            pass_fds=(reads_3, writes_4),
            stderr=subprocess.DEVNULL,
        )
        os.close(reads_3)
        os.close(writes_4)

    def __enter__(self) -> Self:
        targets = self._call("Target.getTargets")["targetInfos"]
        page = next(target["targetId"] for target in targets if target["type"] == "page")
        self._session = self._call("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        for domain in ("Network", "Runtime", "Log", "Page"):
            self._call(f"{domain}.enable")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(timeout=20)
        self._to_browser.close()
        self._from_browser.close()

    def open(self, address: str) -> None:
        """Go to an address."""
        self._call("Page.navigate", url=address)

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page."""
        answer = self._call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait_until(self, expression: str, seconds: float = 20) -> None:
        """Wait until a JavaScript expression is true."""
        end = time.monotonic() + seconds
        while not self._is_true(expression):
            assert time.monotonic() < end, f"{expression} never came true: {self.text('body')}"
            time.sleep(0.05)

    def _is_true(self, expression: str) -> bool:
        try:
            return bool(self.evaluate(expression))
        except NoPageError:
            return False

    def text(self, selector: str) -> str:
        """The visible text of the first element that `selector` finds."""
        return str(self.evaluate(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''"))

    def press(self, key: str) -> None:
        """Press and release a key such as ArrowRight or Tab."""
        text = {"text": "\r"} if key == "Enter" else {}
        self._call("Input.dispatchKeyEvent", type="keyDown", key=key, code=key, **text)
        self._call("Input.dispatchKeyEvent", type="keyUp", key=key, code=key)

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._last_id += 1
        command: dict[str, Any] = {"id": self._last_id, "method": method, "params": parameters}
        if self._session is not None:
            command["sessionId"] = self._session
        self._to_browser.write(json.dumps(command).encode() + b"\0")
        self._to_browser.flush()
        while True:
            message = self._next_message()
            if message.get("id") == self._last_id:
                if any(words in str(message.get("error")) for words in _WITHOUT_PAGE):
                    raise NoPageError(message)
                assert "error" not in message, message
                result: dict[str, Any] = message["result"]
                return result
            self._note(message)

    def _next_message(self) -> dict[str, Any]:
        data = bytearray()
        while (byte := self._from_browser.read(1)) != b"\0":
            assert byte, "Chromium has ended"
            data += byte
        message: dict[str, Any] = json.loads(data)
        return message

    def _note(self, event: dict[str, Any]) -> None:
        if event["method"] == "Network.requestWillBeSent":
            # The browser's own first page asks itself for its parts.
            if not event["params"]["documentURL"].startswith("chrome"):
                self.requests.append(event["params"]["request"]["url"])
        elif event["method"] in {"Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown"}:
            self.complaints.append(json.dumps(event["params"], ensure_ascii=False))


def _pipe(mode: str) -> tuple[int, IO[bytes]]:
    """A pipe: the browser's end as a descriptor, ours as a file opened with `mode`."""
    reading, writing = os.pipe()
    return (reading, os.fdopen(writing, mode)) if mode == "wb" else (writing, os.fdopen(reading, mode))
