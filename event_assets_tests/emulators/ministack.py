"""An AWS on a free port of the loopback interface (ministack), from the environment that `make build/ministack` makes.

It evaluates alarms of CloudWatch on one metric (no expressions, no dimensions, no missing data), and writes to SNS.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from event_assets_tests.emulators.servers import CREDENTIALS, EmulatorAbsent

PYTHON = Path(__file__).parents[2] / "build" / "ministack" / "bin" / "python"


@contextlib.contextmanager
def ministack(folder: Path) -> Iterator[str]:
    """Its URL. It ends with the block. Raises `EmulatorAbsent`."""
    if not PYTHON.exists():
        raise EmulatorAbsent("The emulator of AWS is not installed; run: make build/ministack")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    here = {"GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "IOT_MTLS_ENABLED": "0", "TMPDIR": str(folder)}
    environment = {**{k: v for k, v in os.environ.items() if k != "PYTHONPATH"}, **CREDENTIALS, **here}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(PYTHON), "-m", "ministack"], cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
    url = f"http://127.0.0.1:{port}"
    try:
        while not _answers(url):
            assert process.poll() is None, (folder / "log").read_text()[-2_000:]
            time.sleep(0.05)
        yield url
    finally:
        process.kill()
        process.wait()


def reset(url: str) -> None:
    """Takes away everything that was made there, however long that takes."""
    asked = urllib.request.Request(f"{url}/_ministack/reset", method="POST")
    with urllib.request.urlopen(asked, timeout=600):
        pass


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_ministack/health", timeout=5):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
