"""How long `saiten serve` takes to be ready: on an empty folder, whose tables are made first, and on one that is there.

uv run python -m benchmarks.starting [--rounds 5]
"""

from __future__ import annotations

import argparse
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import httpx2


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.starting", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as data:
        print(f"on an empty folder        {_start(data):>6.2f} s")
        times = [_start(data) for _ in range(arguments.rounds)]
    print(
        f"on one that is there      {statistics.median(times):>6.2f} s"
        f"  (median of {len(times)}, {min(times):.2f} – {max(times):.2f})"
    )


def _start(data: str) -> float:
    """Seconds from the command to the answer of `/readyz`."""
    run = "from api.command_line import main; main()"
    command = [sys.executable, "-c", run, "serve", "--data", data, "--port", "0", "--workers", "1"]
    started = time.perf_counter()
    with subprocess.Popen(  # noqa: S603  (our own command)
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding="utf-8"
    ) as process:
        assert process.stdout is not None
        address = process.stdout.readline().partition("/ ")[0]
        while True:
            try:
                if httpx2.get(f"{address}/readyz").status_code == 200:
                    break
            except httpx2.TransportError:
                time.sleep(0.01)
        seconds = time.perf_counter() - started
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    return seconds


if __name__ == "__main__":
    main()
