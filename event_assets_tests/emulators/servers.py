"""Starts the emulators: each is a process that prints its URL and ends when its standard input does.

No stream and no bucket is made here.
"""

from __future__ import annotations

import contextlib
import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}
"""Credentials that no real AWS account takes."""


class EmulatorAbsent(Exception):
    """An emulator cannot be started here. The message says what it needs."""


class Emulator(NamedTuple):
    """A running emulator."""

    url: str
    pid: int


@contextlib.contextmanager
def kinesis(folder: Path) -> Iterator[Emulator]:
    """A durable Kinesis with split and merge, that keeps its records in the folder. Raises `EmulatorAbsent`."""
    if shutil.which("node") is None:
        raise EmulatorAbsent("Kinesis' emulator needs Node.js; then run: npm ci --prefix event_assets_tests/emulators")
    if not (HERE / "node_modules" / "kinesalite").exists():
        raise EmulatorAbsent("Kinesis' emulator is not installed; run: npm ci --prefix event_assets_tests/emulators")
    with _serving(["node", str(HERE / "kinesalite.js"), str(folder)]) as emulator:
        yield emulator


@contextlib.contextmanager
def s3() -> Iterator[Emulator]:
    """An S3 that honours conditional writes. Raises `EmulatorAbsent`."""
    if importlib.util.find_spec("moto") is None or importlib.util.find_spec("flask") is None:
        raise EmulatorAbsent("S3's emulator is not installed; run: pip install -e '.[dev]'")
    with _serving([sys.executable, "-m", "event_assets_tests.emulators.s3_server"]) as emulator:
        yield emulator


@contextlib.contextmanager
def _serving(command: list[str]) -> Iterator[Emulator]:
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=HERE.parent.parent
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:"), f"{command} did not start"
        try:
            yield Emulator(url, process.pid)
        finally:
            process.kill()  # what a fork of this process inherited keeps its standard input open
